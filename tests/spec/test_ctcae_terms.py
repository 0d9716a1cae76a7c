"""CTCAE v5.0 (27 November 2017): the grades that a term has, its class, and what an abnormal value is called.

Typed from the printed text, not from the tables of the package.
"""

from __future__ import annotations

import polars as pl
import pytest

from drawn import table
from trialwright.medicine.ctcae import Version, criteria
from trialwright.medicine.ctcae_terms import lab_events, term_key, term_keys, terms
from trialwright.medicine.units import units

GRADES = """
    class                                                | grades | terms
    Investigations                                       | 1      | Blood lactate dehydrogenase increased; Haptoglobin decreased
    Investigations                                       | 23     | Lymphocyte count increased
    Investigations                                       | 123    | Activated partial thromboplastin time prolonged; INR increased; Hemoglobin increased; Weight loss
    Investigations                                       | 1234   | Alanine aminotransferase increased; Aspartate aminotransferase increased; Alkaline phosphatase increased; GGT increased; Blood bilirubin increased
    Investigations                                       | 1234   | CD4 lymphocytes decreased; Lymphocyte count decreased; Neutrophil count decreased; Platelet count decreased; White blood cell decreased
    Investigations                                       | 1234   | CPK increased; Creatinine increased; Lipase increased; Serum amylase increased; Cholesterol high; Fibrinogen decreased
    Metabolism and nutrition disorders                   | 1345   | Hypermagnesemia; Hyperuricemia
    Metabolism and nutrition disorders                   | 12345  | Hypercalcemia; Hyperglycemia; Hyperkalemia; Hypernatremia; Hypertriglyceridemia
    Metabolism and nutrition disorders                   | 12345  | Hypoalbuminemia; Hypocalcemia; Hypoglycemia; Hypokalemia; Hypomagnesemia; Hyponatremia; Hypophosphatemia
    Blood and lymphatic system disorders                 | 345    | Febrile neutropenia; Leukocytosis
    Blood and lymphatic system disorders                 | 12345  | Anemia
    General disorders and administration site conditions | 123    | Fatigue
    General disorders and administration site conditions | 12345  | Fever
    Skin and subcutaneous tissue disorders               | 12     | Alopecia
    Immune system disorders                              | 12345  | Cytokine release syndrome
    Gastrointestinal disorders                           | 12345  | Diarrhea
"""

ABNORMAL = """
    terms                                                          | side | tests
    Activated partial thromboplastin time prolonged                | H    | APTT
    Alanine aminotransferase increased; Hepatic failure            | H    | ALT
    Alkaline phosphatase increased                                 | H    | ALP
    Anemia                                                         | L    | HGB
    Aspartate aminotransferase increased; Hepatic failure          | H    | AST
    Blood bilirubin increased; Hepatic failure                     | H    | BILI
    CD4 lymphocytes decreased                                      | L    | CD4
    CPK increased                                                  | H    | CK
    Cholesterol high                                               | H    | CHOL
    Creatinine increased; Acute kidney injury; Chronic kidney disease | H | CREAT
    Fibrinogen decreased; Disseminated intravascular coagulation   | L    | FIBRINO
    GGT increased                                                  | H    | GGT
    Haptoglobin decreased                                          | L    | HAPTOG
    Hemoglobin increased                                           | H    | HGB
    Hypercalcemia                                                  | H    | CA CACORR CAION
    Hyperglycemia                                                  | H    | GLUC
    Hyperkalemia                                                   | H    | K
    Hypermagnesemia                                                | H    | MG
    Hypernatremia                                                  | H    | SODIUM
    Hypertriglyceridemia                                           | H    | TRIG
    Hyperuricemia                                                  | H    | URATE
    Hypoalbuminemia                                                | L    | ALB
    Hypocalcemia                                                   | L    | CA CACORR CAION
    Hypoglycemia                                                   | L    | GLUC
    Hypokalemia                                                    | L    | K
    Hypomagnesemia                                                 | L    | MG
    Hyponatremia                                                   | L    | SODIUM
    Hypophosphatemia                                               | L    | PHOS
    INR increased                                                  | H    | INR
    Leukocytosis                                                   | H    | WBC
    Lipase increased; Pancreatitis                                 | H    | LIPASE
    Lymphocyte count decreased                                     | L    | LYM
    Lymphocyte count increased                                     | H    | LYM
    Neutrophil count decreased; Febrile neutropenia                | L    | NEUT
    Platelet count decreased                                       | L    | PLAT
    Serum amylase increased; Pancreatitis                          | H    | AMYLASE
    White blood cell decreased; Febrile neutropenia                | L    | WBC
    Blood lactate dehydrogenase increased                          | H    | LDH
    Hyperphosphatemia                                              | H    | PHOS
"""

OF_4_03 = {("LDH", "H"), ("PHOS", "H")}  # not in v4.03
OF_6_0 = {("CK", "H"): None, ("LYM", "L"): None, ("PLAT", "L"): "Thrombocytopenia"}
NEW_IN_6_0 = {("HDL", "L", "HDL decreased"), ("LDL", "H", "LDL increased")}


def called(version: str) -> set[tuple[str, str, str]]:
    """test, side and term as typed above."""
    drawn = {
        (test, side, term)
        for names, side, tests in table(ABNORMAL).iter_rows()
        for test in tests.split(" ")
        for term in names.split("; ")
    }
    if version == "4.03":
        return {row for row in drawn if row[:2] not in OF_4_03}
    if version == "6.0":
        renamed = {(*key, term) for key, term in OF_6_0.items() if term}
        return {row for row in drawn if row[:2] not in OF_6_0} | renamed | NEW_IN_6_0
    return drawn


def test_the_grades_and_the_class_of_each_term() -> None:
    typed = {
        (term, soc, str(grades))
        for soc, grades, names in table(GRADES).iter_rows()
        for term in names.split("; ")
    }
    assert set(terms().select("term", "soc", "grades").iter_rows()) == typed
    assert terms()["term"].is_unique().all()


@pytest.mark.parametrize("version", ["5.0", "4.03", "6.0"])
def test_what_an_abnormal_value_may_be_called(version: Version) -> None:
    found = lab_events(version)
    assert set(found.select("test", "direction", "term").iter_rows()) == called(version)
    assert found.is_unique().all()


def test_unless_told_otherwise_it_is_version_5() -> None:
    assert lab_events().equals(lab_events("5.0"))


@pytest.mark.parametrize("version", ["5.0", "4.03", "6.0"])
def test_a_limit_is_in_the_unit_of_its_test(version: Version) -> None:
    si = units().select("test", "si_unit").unique()
    told = criteria(version).filter(pl.col("unit").is_not_null()).join(si, on="test", how="left")
    assert told.filter(pl.col("unit").ne_missing(pl.col("si_unit"))).is_empty()
    adds = pl.col("basis").is_in(["absolute", "uln_plus", "baseline_plus"])
    assert criteria(version).filter(adds != pl.col("unit").is_not_null()).is_empty()


CLINICAL = """
    version | test  | side | grades
    4.03    | HGB   | L    | 4
    4.03    | ALB   | L    | 4
    4.03    | WBC   | H    | 4
    5.0     | HGB   | L    | 4
    5.0     | ALB   | L    | 4
    5.0     | WBC   | H    | 4
    5.0     | URATE | H    | 4
    5.0     | GLUC  | H    | 1234
    5.0     | PHOS  | L    | 1234
    5.0     | PHOS  | H    | 1234
    6.0     | HGB   | L    | 4
    6.0     | ALB   | L    | 4
    6.0     | WBC   | H    | 4
    6.0     | URATE | H    | 4
    6.0     | PHOS  | L    | 1234
    6.0     | PHOS  | H    | 1234
"""


def test_the_grades_that_no_number_gives() -> None:
    """Life-threatening consequences, hospitalisation, a change of treatment: not in the value."""
    drawn = table(CLINICAL).with_columns(version=pl.col("version").cast(pl.String))
    for version in ("4.03", "5.0", "6.0"):
        typed = {
            (test, side, int(grade))
            for said, test, side, grades in drawn.iter_rows()
            for grade in str(grades)
            if said == version
        }
        clinical = criteria(version).filter(pl.col("basis") == "clinical")
        assert set(clinical.select("test", "direction", "grade").iter_rows()) == typed
        assert clinical.select("test", "direction", "grade").is_unique().all()


SPELLINGS = """
    as reported              | one spelling
    Anaemia                  | ANEMIA
    hypokalaemia             | HYPOKALEMIA
    Haemoglobin increased    | HEMOGLOBIN INCREASED
    Haemolytic anaemia       | HEMOLYTIC ANEMIA
    Diarrhoea                | DIARRHEA
    Oedema limbs             | EDEMA LIMBS
    Papilloedema             | PAPILLEDEMA
    Anemia                   | ANEMIA
    Fever                    | FEVER
"""


def test_british_and_american_spellings_are_one_term() -> None:
    drawn = table(SPELLINGS)
    for spaced in (pl.col("as reported"), "  " + pl.col("as reported") + " "):
        assert drawn.select(term_key(spaced)).to_series().to_list() == drawn["one spelling"].to_list()
    twice = pl.concat([drawn["as reported"], pl.Series([None], dtype=pl.String), drawn["as reported"]])
    spelled = drawn["one spelling"].to_list()
    assert term_keys(twice).to_list() == [*spelled, None, *spelled]
