"""The stories of a whole rehearsed trial: they agree with the datasets, the page holds them, the door refuses."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from trialwright import pipeline
from trialwright.medicine import recist
from trialwright.pipeline.explain import explain
from trialwright.report.explain_words import story_words
from trialwright.report.words import LANGUAGES, words
from trialwright.simulate import doors
from trialwright.simulate.rehearse import rehearse
from trialwright.standards.errors import InputError
from trialwright.study import load

CREATED = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
STUDY = load.folder("tarlanec")
ONCO = Path(__file__).parents[3] / "shared" / "data" / "onco" / "large"


@pytest.fixture(scope="module")
def sdtm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = load.load(STUDY)
    folder = tmp_path_factory.mktemp("explain") / "sdtm"
    folder.mkdir()
    doors.write(folder, rehearse(study, doors.scenario(study), 129, 7), "parquet")
    return folder


@pytest.fixture(scope="module")
def built(sdtm: Path) -> pipeline.Built:
    return pipeline.build(pipeline.Inputs(STUDY, sdtm), CREATED)


def _stops(built: pipeline.Built) -> pl.DataFrame:
    return built.trace.filter(pl.col("KIND") == "stop")


def test_every_clock_of_adtte_has_its_stop(built: pipeline.Built) -> None:
    adtte = built.datasets["ADTTE"].select("USUBJID", "PARAMCD", "ADT", "AVAL", "RULE")
    told = _stops(built).select("USUBJID", PARAMCD="ENDPOINT", ADT="DATE", AVAL="AVAL", RULE="WORD")
    both = adtte.join(told, on=list(told.columns), how="anti", nulls_equal=True)
    assert (adtte.height, both.height) == (told.height, 0)


def test_every_event_has_one_candidate_that_counted(built: pipeline.Built) -> None:
    events = _stops(built).filter(pl.col("NAME") == "event").filter(~pl.col("VALUE").eq("DETERIORATION"))
    causes = built.trace.filter((pl.col("KIND") == "candidate") & pl.col("REASON").is_null())
    key = ["USUBJID", "ENDPOINT", "DATE"]
    assert events.select(key).sort(key).equals(causes.select(key).sort(key))


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_word_of_a_stop_is_known_in_every_language(built: pipeline.Built, code: str) -> None:
    adtte, story = built.datasets["ADTTE"], story_words(code)
    said = adtte.select(pl.coalesce("EVNTDESC", "CNSDTDSC")).to_series().unique().to_list()
    known = {key.removeprefix("desc:") for key in words(code) if key.startswith("desc:")}
    assert not [text for text in said if text not in known and not set(text.split(", ")) <= known]
    assert not [rule for rule in adtte["RULE"].unique() if not _has_words(story, rule)]


def _has_words(story: Mapping[str, str], rule: str) -> bool:
    if rule.startswith("first of any scale: "):
        rule = rule.split(": ", 2)[2]
    case = rule.partition(":")[2]
    keys = {f"word:{rule}", f"case:{rule}", f"case:{case}"}
    return rule in recist.SENTENCES or bool(keys & story.keys())


def test_whatever_was_passed_over_has_a_reason(built: pipeline.Built) -> None:
    unused = built.trace.filter((pl.col("USED") == "N") & (pl.col("KIND") != "population"))
    assert unused.height > 1000
    assert unused["REASON"].null_count() == 0


def test_every_scan_of_adrs_and_every_sum_of_adtr_is_told(built: pipeline.Built) -> None:
    visits = built.datasets["ADRS"].filter(pl.col("AVISITN") > 0)
    assert built.trace.filter(pl.col("KIND") == "response").height == visits.height
    assert built.trace.filter(pl.col("KIND") == "sum").height == built.datasets["ADTR"].height


def test_the_page_has_a_row_for_each_randomised_patient_and_no_script(built: pipeline.Built) -> None:
    assert built.report.count("<details>") == 129
    section = built.report[built.report.index('id="patients"') :]
    for patient in built.datasets["ADSL"].filter(pl.col("ITTFL") == "Y")["USUBJID"]:
        assert f"<summary><span>{patient}</span>" in section
    assert "<script" not in section
    assert section.count("</details>") == 129


def test_the_page_stays_light(built: pipeline.Built) -> None:
    start = built.report.index("<div class=patients>")
    length = len(built.report[start : built.report.index("</section>", start)].encode())
    assert length / 129 < 6_500


def test_the_words_of_a_page_row_are_those_of_the_command(built: pipeline.Built, sdtm: Path) -> None:
    patient = _one(built, "FDA_CENSOR:P8")
    text = " ".join(explain(pipeline.Inputs(STUDY, sdtm), patient).split())
    start = built.report.index(f"<summary><span>{patient}</span>")
    page = built.report[start : built.report.index("</details>", start)]
    for said in re.findall(r"<br>([^<]{30,})", page[page.index("<h4>Clocks") :]):
        assert " ".join(said.replace("&#39;", "'").split()) in text


def _one(built: pipeline.Built, rule: str) -> str:
    found = built.datasets["ADTTE"].filter(pl.col("RULE") == rule)["USUBJID"].sort()
    assert found.len() > 0, f"the rehearsal holds no case {rule}"
    return str(found[0])


@pytest.mark.parametrize("case", ["P4", "P8", "P9", "P11"])
def test_each_kind_of_case_is_told_in_words(built: pipeline.Built, sdtm: Path, case: str) -> None:
    patient = _one(built, f"FDA_CENSOR:{case}")
    text = " ".join(explain(pipeline.Inputs(STUDY, sdtm), patient, "PFSF").split())
    assert f"Rule {case}: " in text
    assert "(FDA 2018, appendix 3)" in text


def test_never_treated_and_screen_failure(built: pipeline.Built, sdtm: Path) -> None:
    adsl = built.datasets["ADSL"]
    untreated = adsl.filter((pl.col("ITTFL") == "Y") & (pl.col("MITTFL") == "N"))["USUBJID"][0]
    assert "Never treated: " in explain(pipeline.Inputs(STUDY, sdtm), untreated)
    failure = adsl.filter(pl.col("ITTFL") == "N")["USUBJID"][0]
    assert "Not randomised: " in explain(pipeline.Inputs(STUDY, sdtm), failure)


def test_an_earlier_cutoff_hides_what_came_later(built: pipeline.Built, sdtm: Path) -> None:
    died = built.datasets["ADSL"].filter(pl.col("DTHDT").is_not_null()).sort("DTHDT").row(-1, named=True)
    before = died["DTHDT"] - dt.timedelta(days=30)
    text = explain(pipeline.Inputs(STUDY, sdtm, before), died["USUBJID"], "OS")
    assert "death (after the data cutoff; not used)" in text
    assert "Censored on day" in text


def test_a_short_name_of_one_subject_will_do(built: pipeline.Built, sdtm: Path) -> None:
    first = built.datasets["ADSL"].row(0, named=True)
    assert explain(pipeline.Inputs(STUDY, sdtm), first["SUBJID"]).startswith(first["USUBJID"])


def test_an_unknown_subject_or_endpoint_is_named_with_what_there_is(sdtm: Path) -> None:
    with pytest.raises(InputError, match="perhaps TARLANEC-001-0001"):
        explain(pipeline.Inputs(STUDY, sdtm), "TARLANEC-001-001")
    with pytest.raises(
        InputError, match=r"no subject 'nobody'; the data hold \d+ subjects, such as TARLANEC"
    ):
        explain(pipeline.Inputs(STUDY, sdtm), "nobody")
    with pytest.raises(InputError, match="TARLANEC has no endpoint 'PFS'; it has OS, OSI, PFSE"):
        explain(pipeline.Inputs(STUDY, sdtm), "TARLANEC-001-0001", "PFS")


def test_the_command_ends_in_one_line_and_exit_code_2(sdtm: Path) -> None:
    command = [Path(sys.executable).parent / "trialwright", "explain", "tarlanec", "--sdtm", sdtm]
    done = subprocess.run([*command, "X"], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: there is no subject 'X'")
    good = subprocess.run(
        [*command, "TARLANEC-001-0001", "OS"], capture_output=True, text=True, check=True, timeout=120
    )
    assert "Overall survival (OS)" in good.stdout


@pytest.mark.skipif(not ONCO.is_dir(), reason="the shared data are not beside the checkout")
def test_a_partial_response_after_a_complete_one() -> None:
    text = " ".join(explain(pipeline.Inputs(load.folder("onco"), ONCO), "01-701-1345").split())
    assert (
        "A partial response was recorded after a complete one; the study's policy for that is “pr”." in text
    )
    assert "Reported PR, computed from the lesions PD; this study uses what was reported." in text
    assert "Not the accepted reader: Radiologist 2" in text
    assert "The same readings as of Independent review, the accepted reader, above." in text
