"""The whole river on a rehearsed TARLANEC: from SDTM to results and report, whatever door it came through."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from trialwright import pipeline
from trialwright.pipeline import output
from trialwright.sdtm import read
from trialwright.simulate import doors
from trialwright.simulate.rehearse import rehearse
from trialwright.study import load
from trialwright.study.model import Study

CREATED = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
STUDY = load.folder("tarlanec")


@pytest.fixture(scope="module")
def study() -> Study:
    return load.load(STUDY)


@pytest.fixture(scope="module")
def domains(study: Study) -> Mapping[str, pl.DataFrame]:
    return rehearse(study, doors.scenario(study), 129, 7)


@pytest.fixture(scope="module")
def sdtm(domains: Mapping[str, pl.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdtm")
    doors.write(folder, domains, "xpt")
    return folder


@pytest.fixture(scope="module")
def built(sdtm: Path) -> pipeline.Built:
    return pipeline.build(pipeline.Inputs(STUDY, sdtm), CREATED)


def _rows(built: pipeline.Built, analysis: str, statistic: str, group: str = "B vs A") -> list[float | None]:
    wanted = (
        (pl.col("analysis") == analysis) & (pl.col("statistic") == statistic) & (pl.col("group") == group)
    )
    return built.results.filter(wanted)["value"].to_list()


def test_every_registered_outcome_has_its_rows_under_every_reading(
    study: Study, built: pipeline.Built
) -> None:
    there = set(built.results["analysis"].to_list())
    assert len(study.outcomes) == 8
    for outcome in study.outcomes:
        for reading in outcome.readings:
            assert set(reading.analyses) <= there, (outcome.id, reading.id)
    readings = {outcome.id: len(outcome.readings) for outcome in study.outcomes}
    assert [id_ for id_, n in readings.items() if n < 2] == ["SAFETY"]


@pytest.mark.parametrize(
    ("analysis", "statistic"),
    [
        ("OS.ITT", "hazard_ratio"),
        ("OSI.MITT", "hazard_ratio"),
        ("PFSE.ITT", "hazard_ratio"),
        ("PFSF.ITT", "p_logrank"),
        ("ORRC.ITT", "difference_lower"),
        ("DCR.ITT", "difference"),
    ],
)
def test_the_headline_numbers_are_numbers(built: pipeline.Built, analysis: str, statistic: str) -> None:
    values = _rows(built, analysis, statistic)
    assert values
    assert all(value is not None for value in values)


def test_every_number_has_an_address_of_its_own_and_every_gap_a_reason(built: pipeline.Built) -> None:
    address = ["analysis", "endpoint", "population", "group", "level", "statistic"]
    assert built.results.select(address).is_duplicated().sum() == 0
    silent = built.results.filter(pl.col("value").is_null() & pl.col("note").is_null())
    assert silent.height == 0


def test_disease_control_is_not_below_response_and_confirmed_not_above_unconfirmed(
    built: pipeline.Built,
) -> None:
    for arm in ("A", "B"):
        confirmed, unconfirmed, control, loose = (
            _rows(built, analysis, "proportion", arm)[0]
            for analysis in ("ORRC.ITT", "ORRU.ITT", "DCR.ITT", "ORRS.ITT")
        )
        assert confirmed is not None
        assert unconfirmed is not None
        assert control is not None
        assert loose is not None
        assert confirmed <= unconfirmed
        assert confirmed <= control <= loose


def test_everyone_randomised_is_counted_once_in_each_arm(built: pipeline.Built) -> None:
    assert sum(n for arm in ("A", "B") for n in _rows(built, "OS.ITT", "n", arm) if n) == 129
    assert built.datasets["ADSL"].filter(pl.col("ITTFL") == "Y").height == 129


def test_each_derived_row_knows_its_origin_and_its_reason(built: pipeline.Built) -> None:
    clocks = built.datasets["ADTTE"]
    assert clocks.filter((pl.col("CNSR") == 0) != pl.col("EVNTDESC").is_not_null()).height == 0
    assert clocks.filter((pl.col("CNSR") == 0) == pl.col("CNSDTDSC").is_not_null()).height == 0
    for name in ("ADTR", "ADRS", "ADTTE", "ADAE", "ADLB", "ADQS", "ADEX"):
        frame = built.datasets[name]
        assert {"SRCDOM", "SRCVAR", "SRCSEQ", "RULE"} <= set(frame.columns), name
        assert frame.height > 0, name


def test_an_event_can_be_found_again_in_the_data_it_came_from(built: pipeline.Built, sdtm: Path) -> None:
    tr = read.read(sdtm)[0]["TR"].select("USUBJID", pl.col("TRSEQ").alias("SRCSEQ"), "TRDTC")
    progressed = built.datasets["ADTTE"].filter(
        (pl.col("PARAMCD") == "PFSE") & (pl.col("EVNTDESC") == "DISEASE PROGRESSION")
    )
    found = progressed.join(tr, on=["USUBJID", "SRCSEQ"], how="left")
    assert found["TRDTC"].null_count() == 0
    apart = found.select((pl.col("ADT") - pl.col("TRDTC").str.to_date()).dt.total_days().abs().max()).item()
    assert apart <= 7


def test_the_mistakes_of_the_sites_are_findings_and_do_not_stop_the_build(built: pipeline.Built) -> None:
    rules = set(built.findings["rule"].to_list())
    for expected in ("duplicate key", "subject is not in DM", "impossible date", "end before start"):
        assert any(expected in rule for rule in rules), (expected, rules)


def test_the_same_input_gives_the_same_report_to_the_last_byte(built: pipeline.Built, sdtm: Path) -> None:
    again = pipeline.build(pipeline.Inputs(STUDY, sdtm), CREATED)
    assert again.report == built.report
    assert_frame_equal(again.results, built.results)


def test_the_order_of_rows_is_irrelevant(built: pipeline.Built, sdtm: Path, tmp_path: Path) -> None:
    shuffled = {name: frame for name, frame in _read_back(sdtm).items()}
    doors.write(
        tmp_path, {n: f.sample(fraction=1, shuffle=True, seed=5) for n, f in shuffled.items()}, "parquet"
    )
    other = pipeline.build(pipeline.Inputs(STUDY, tmp_path), CREATED)
    assert_frame_equal(other.results, built.results)


def _read_back(folder: Path) -> dict[str, pl.DataFrame]:
    from trialwright.standards import files

    return {path.stem.upper(): files.read_any(path) for path in sorted(folder.iterdir())}


def test_the_format_of_the_files_is_irrelevant(
    built: pipeline.Built, domains: Mapping[str, pl.DataFrame], tmp_path: Path
) -> None:
    names = sorted(domains)
    for i, format_ in enumerate(("xpt", "parquet", "json")):
        doors.write(tmp_path, {name: domains[name] for name in names[i::3]}, format_)  # type: ignore[arg-type]
    mixed = pipeline.build(pipeline.Inputs(STUDY, tmp_path), CREATED)
    assert_frame_equal(mixed.results, built.results)


def test_relabelling_the_arms_turns_the_hazard_ratio_over(
    built: pipeline.Built, domains: Mapping[str, pl.DataFrame], tmp_path: Path
) -> None:
    turned = {"A": "B", "B": "A"}
    dm = domains["DM"].with_columns(pl.col("ARMCD", "ACTARMCD").replace(turned))
    doors.write(tmp_path, {**domains, "DM": dm}, "parquet")
    other = pipeline.build(pipeline.Inputs(STUDY, tmp_path), CREATED)
    for analysis in ("OS.ITT", "PFSE.ITT"):
        one, two = (_rows(b, analysis, "hazard_ratio")[0] for b in (built, other))
        assert one is not None
        assert two is not None
        assert one * two == pytest.approx(1, rel=1e-8)


def test_the_past_does_not_change_when_the_cutoff_moves(sdtm: Path, built: pipeline.Built) -> None:
    """Deaths before an early cutoff are the same rows in both builds, and nothing lies after it."""
    day = dt.date(2027, 6, 30)
    early = pipeline.build(pipeline.Inputs(STUDY, sdtm, day), CREATED).datasets["ADTTE"]
    assert early.filter(pl.col("ADT") > day).height == 0
    dead = pl.col("PARAMCD").eq("OS") & pl.col("CNSR").eq(0) & pl.col("ADTF").is_null()
    columns = ["USUBJID", "STARTDT", "ADT", "AVAL", "EVNTDESC", "SRCDOM", "SRCSEQ"]
    late = built.datasets["ADTTE"].filter(dead & (pl.col("ADT") <= day)).select(columns).sort("USUBJID")
    assert late.height > 10
    assert_frame_equal(early.filter(dead).select(columns).sort("USUBJID"), late)


def test_the_output_folder_is_whole_and_its_manifest_names_every_hash(
    built: pipeline.Built, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    output.write(built, out)
    output.write(built, out)  # an earlier output is replaced
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    written = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()} - {"manifest.json"}
    assert set(manifest["outputs"]) == written
    assert {f"adam/{name}.parquet" for name in ("adsl", "adtte", "adae")} <= written
    assert manifest["cutoff"] == built.made["cutoff"]
    assert "study.toml" in manifest["study_files"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert_frame_equal(pl.read_parquet(out / "results.parquet"), built.results)


def test_an_interrupted_write_leaves_the_earlier_output(built: pipeline.Built, tmp_path: Path) -> None:
    from trialwright.standards import folders

    out = tmp_path / "out"
    output.write(built, out)
    before = (out / "manifest.json").read_bytes()

    def fail(_: Path) -> None:
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError):
        folders.whole(out, fail, mark="manifest.json")
    assert (out / "manifest.json").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_the_report_needs_no_network_and_names_what_it_must(study: Study, built: pipeline.Built) -> None:
    page = built.report
    for forbidden in (
        'src="http',
        "src='http",
        "@import",
        "<script src",
        '<link rel="stylesheet" href="http',
    ):
        assert forbidden not in page
    for outcome in study.outcomes:
        assert study.text(outcome.title) in page
    for assumption in built.made["assumptions_used"]:
        assert assumption in page
    for contradiction in built.made["contradictions"]:
        assert contradiction["id"] in page
    assert built.made["inputs"][0]["sha256"][:12] in page


def test_simulated_data_say_so_in_themselves_and_at_the_top_of_the_report(
    domains: Mapping[str, pl.DataFrame], built: pipeline.Built, tmp_path: Path
) -> None:
    assert built.made["notice"] in built.report.split("</h1>")[1][:3000]
    real = {n: f.with_columns(STUDYID=pl.lit("TARLANEC")) for n, f in domains.items()}
    doors.write(tmp_path, real, "parquet")
    other = pipeline.build(pipeline.Inputs(STUDY, tmp_path), CREATED)
    assert other.made["notice"] == ""
    assert "simulated" not in other.report.split("</h1>")[1][:3000]


def test_a_french_study_gives_a_french_report(
    domains: Mapping[str, pl.DataFrame], sdtm: Path, tmp_path: Path
) -> None:
    import shutil

    folder = tmp_path / "tarlanec"
    shutil.copytree(STUDY, folder)
    text = (folder / "study.toml").read_text(encoding="utf-8")
    (folder / "study.toml").write_text(
        text.replace('language = "en"', 'language = "fr"', 1), encoding="utf-8"
    )
    page = pipeline.build(pipeline.Inputs(folder, sdtm), CREATED).report
    assert '<html lang="fr"' in page
    assert "Survie globale (critère principal)" in page
    assert "Hazard ratio" not in page.split("</h1>")[1][:4000]
