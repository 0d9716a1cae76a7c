"""Responses computed from the lesions of a data set this project did not make, against the responses it reports."""

from pathlib import Path

import polars as pl
import pyreadstat
import pytest

from trialwright.medicine import recist

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "onco" / "small"

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the shared onco/small data are not beside this checkout"
)


def domain(name: str) -> pl.DataFrame:
    frame, _ = pyreadstat.read_xport(str(FOLDER / f"{name}.xpt"), output_format="polars")
    prefix = name.upper()
    return frame.with_columns(
        subject=pl.col("USUBJID"),
        assessor=pl.concat_str(f"{prefix}EVAL", f"{prefix}EVALID", separator=" ").str.strip_chars(),
        assessment=pl.col("VISITNUM").cast(pl.Int64),
    )


def findings(group: str) -> pl.DataFrame:
    """The rows of TR of one group, with the site of the lesion; a date without a day is its earliest."""
    lesions = domain("tu").select(
        "subject", "assessor", lesion="TULNKID", nodal=pl.col("TULOC") == "LYMPH NODE"
    )
    date = pl.when(pl.col("TRDTC").str.len_chars() == 7).then(pl.col("TRDTC") + "-01").otherwise("TRDTC")
    return (
        domain("tr")
        .filter(pl.col("TRGRPID") == group)
        .with_columns(
            lesion="TRLNKID",
            day=(date.str.to_date() - pl.date(2012, 1, 1)).dt.total_days(),
            baseline=pl.col("VISITNUM") == 1,
        )
        .join(lesions, on=["subject", "assessor", "lesion"], how="left", validate="m:1")
    )


def computed(policy: recist.Policy) -> pl.DataFrame:
    needed = pl.when("nodal").then(pl.lit("LPERP")).otherwise(pl.lit("LDIAM"))
    targets = (
        findings("TARGET")
        .filter(pl.col("TRTESTCD") == needed)
        .with_columns(diameter_mm="TRSTRESN", state=pl.lit(None, dtype=pl.String))
    )
    others = findings("NON-TARGET").drop("nodal").with_columns(state=pl.col("TRSTRESC").str.to_lowercase())
    return recist.time_points(
        recist.target_course(targets, policy), recist.non_target_course(others), policy=policy
    )


def differences(policy: recist.Policy = recist.DEFAULT) -> list[tuple[str, str, int, str, str, str]]:
    keys = ["subject", "assessor", "assessment"]
    reported = domain("rs").filter(pl.col("RSTESTCD") == "OVRLRESP").select(*keys, reported="RSSTRESC")
    both = reported.join(computed(policy), on=keys, how="full", coalesce=True, validate="1:1")
    assert both.height == reported.height == 66
    differ = both.filter(pl.col("reported").ne_missing(pl.col("overall_response")))
    return differ.select(*keys, "reported", "overall_response", "rule").rows()


def test_every_visit_of_every_reader_agrees_but_one():
    """That one is a sum of 4.95 mm after one of 0 mm: PD whatever its size here, not yet 5 mm there."""
    reader = "INDEPENDENT ASSESSOR RADIOLOGIST 2"
    assert differences() == [("01-701-1133", reader, 4, "PR", "PD", "target_pd")]


def test_the_word_of_that_practice_reproduces_it_to_the_last_visit():
    assert differences(recist.Policy(reappearance_after_zero="pd_if_5mm")) == []


def test_all_readings_of_the_words_are_met():
    """All words but NED are reported, so the agreement is not one of stable disease only."""
    seen = set(computed(recist.DEFAULT)["overall_response"])
    assert seen == {"CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE"}
