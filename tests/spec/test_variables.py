"""The dictionary: labels, types, keys and codelists; and the one function that enforces a grain."""

import datetime as dt

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from trialwright.standards import variables
from trialwright.standards.variables import Dataset, Variable, keyed

TOY = Dataset(
    "TOY",
    "A Toy",
    ("USUBJID", "AVISITN"),
    (
        Variable("USUBJID", "Subject", "text", 1),
        Variable("AVISITN", "Visit", "integer", 2),
        Variable("ADT", "Date", "date"),
        Variable("AVAL", "Value", "number"),
    ),
)


@pytest.mark.parametrize("standard", ["sdtm", "adam"])
def test_the_dictionary_is_whole(standard: str):
    for name, dataset in variables.datasets(standard).items():
        names = [variable.name for variable in dataset.variables]
        assert dataset.keys, name
        assert len(set(names)) == len(names), name
        assert 0 < len(dataset.label) <= 40, name
        for variable in dataset.variables:
            where = f"{name}.{variable.name}"
            assert len(variable.name) <= 8, where
            assert 0 < len(variable.label) <= 40, where
            assert variable.label.isascii(), where
            assert variable.type in variables.DTYPES, where
            assert variable.codelist is None or variables.codelist(variable.codelist), where


def test_the_domains_of_an_oncology_trial_are_there():
    domains = {
        "DM",
        "DS",
        "EX",
        "AE",
        "CM",
        "PR",
        "MH",
        "SV",
        "TU",
        "TR",
        "RS",
        "LB",
        "VS",
        "QS",
        "FA",
        "CE",
        "SUPP",
    }
    assert domains <= set(variables.datasets("sdtm"))
    assert variables.dataset("AE").keys == ("USUBJID", "AESEQ")
    assert variables.dataset("DM").keys == ("USUBJID",)
    assert variables.dataset("SUPPAE").name == "SUPPAE"
    assert variables.dataset("SUPPAE").keys == ("RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM")


def test_answers_of_a_test_have_a_codelist():
    assert variables.answers("RS")["OVRLRESP"] == "OVRLRESP"
    assert variables.answers("LB") == {}
    for domain in ("RS", "TU", "TR"):
        for name in variables.answers(domain).values():
            assert variables.codelist(name)


def test_what_the_dictionary_lacks_is_our_mistake():
    with pytest.raises(KeyError, match="no dataset ZZ"):
        variables.dataset("ZZ")
    with pytest.raises(KeyError, match="no codelist ZZ"):
        variables.codelist("ZZ")


def test_keyed_orders_and_casts_and_keeps_the_rows_in_place():
    frame = pl.DataFrame(
        {
            "X": ["p", "q"],
            "AVAL": [1, 2],
            "AVISITN": [2.0, 1.0],
            "ADT": [None, dt.date(2014, 2, 13)],
            "USUBJID": ["b", "a"],
        }
    )
    expected = pl.DataFrame(
        [("b", 2, None, 1.0, "p"), ("a", 1, dt.date(2014, 2, 13), 2.0, "q")],
        schema={**TOY.schema, "X": pl.String},
        orient="row",
    )
    assert_frame_equal(keyed(frame, TOY), expected)
    assert frame.columns[0] == "X"


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"USUBJID": ["a"]}, "TOY has no AVISITN, part of its key"),
        (
            {"USUBJID": ["a", "a"], "AVISITN": [1, 1]},
            r"TOY has more than one row of USUBJID=a, AVISITN=1 \(2 such rows\)",
        ),
        ({"USUBJID": [None, None], "AVISITN": [1, 1]}, "more than one row of USUBJID=None"),
        ({"USUBJID": ["a"], "AVISITN": [1.5]}, "TOY.AVISITN has a value that is no integer"),
        ({"USUBJID": ["a"], "AVISITN": [1], "AVAL": ["x"]}, "TOY.AVAL has a value that is no number"),
    ],
)
def test_a_broken_grain_or_type_is_our_mistake(columns: dict[str, list[object]], words: str):
    with pytest.raises(ValueError, match=words):
        keyed(pl.DataFrame(columns), TOY)


def test_a_dataset_may_be_named():
    assert keyed(pl.DataFrame({"USUBJID": ["a"]}), "ADSL").height == 1
    with pytest.raises(ValueError, match="ADSL has more than one row of USUBJID=a"):
        keyed(pl.DataFrame({"USUBJID": ["a", "a"]}), "ADSL")


def test_keyed_frames_without_rows_pass():
    frame = pl.DataFrame(schema=TOY.schema)
    assert_frame_equal(keyed(frame, TOY), frame)
