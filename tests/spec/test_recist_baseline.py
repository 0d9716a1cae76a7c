"""What may be a target lesion: RECIST 1.1, sections 3.1, 3.2 and 4.2."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from recist_frames import framed
from trialwright.medicine import recist

KINDS = {
    "diameter_mm": pl.Float64,
    "nodal": pl.Boolean,
    "organ": pl.String,
    "day": pl.Int64,
    "lesion": pl.String,
}


def targets(text: str) -> pl.DataFrame:
    drawn = framed(text)
    usual = {
        "lesion": "T" + pl.int_range(1, pl.len() + 1).cast(pl.String),
        "day": pl.lit(-7),
        "diameter_mm": pl.lit(20),
        "nodal": pl.lit(False),
        "organ": pl.int_range(pl.len()),
    }
    drawn = drawn.with_columns(**{name: value for name, value in usual.items() if name not in drawn.columns})
    return drawn.with_columns(
        *(pl.col(name).cast(kind) for name, kind in KINDS.items()),
        subject=pl.lit("1"),
        assessor=pl.lit("INV"),
    )


def faults(text: str) -> list[tuple[str | None, str, float]]:
    return recist.baseline_faults(targets(text)).select("lesion", "rule", "value").rows()


def test_size():
    assert faults("nodal | diameter_mm\nfalse | 10\nfalse | 9.9\ntrue | 15\ntrue | 14.9\n | 12\n | ") == [
        ("T4", "node_not_measurable", 14.9),
        ("T2", "not_measurable", 9.9),
    ]


def test_day():
    assert faults("day\n-29\n-28\n0\n1\n") == [
        ("T1", "baseline_too_early", -29),
        ("T4", "baseline_too_late", 1),
    ]


def test_at_most_five():
    assert faults("lesion\nA\nB\nC\nD\nE") == []
    assert faults("lesion\nA\nB\nC\nD\nE\nF") == [(None, "too_many_targets", 6)]


def test_at_most_two_of_an_organ_and_nodes_are_one():
    assert faults("organ\nLIVER\nLIVER\nLUNG") == []
    assert faults("organ\nLIVER\nLIVER\nLIVER") == [(None, "too_many_in_organ", 3)]
    assert faults("organ | nodal\nNECK | true\nGROIN | true\nLUNG | true") == [(None, "too_many_in_organ", 3)]
    assert faults("organ | day\n | -7\n | -7\n | -7") == []


def test_patients_and_assessors_are_counted_apart():
    one = targets("organ\nLIVER\nLIVER")
    both = pl.concat([one, one.with_columns(assessor=pl.lit("BICR")), one.with_columns(subject=pl.lit("2"))])
    assert recist.baseline_faults(both).is_empty()


def test_the_shape():
    empty = recist.baseline_faults(targets("lesion\nA"))
    assert_frame_equal(
        empty,
        pl.DataFrame(
            schema={
                "subject": pl.String,
                "assessor": pl.String,
                "lesion": pl.String,
                "rule": pl.String,
                "value": pl.Float64,
            }
        ),
    )


@pytest.mark.parametrize("column", ["subject", "assessor", "lesion", "day", "diameter_mm", "nodal", "organ"])
def test_each_column_is_needed(column):
    with pytest.raises(ValueError, match=f"targets lacks the columns {column}"):
        recist.baseline_faults(targets("lesion\nA").drop(column))


def test_every_fault_has_its_sentence():
    found = {rule for _, rule, _ in faults("organ | nodal | diameter_mm | day\n" + "A | | 9 | -30\n" * 6)}
    assert found <= set(recist.SENTENCES)
