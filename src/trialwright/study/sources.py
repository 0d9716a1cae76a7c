"""Where each named fact of a study stands in its SDTM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from trialwright.study.base import Frozen, Id, Label, Texts, Where, Words


class Source(Frozen):
    """Where a named fact stands in SDTM."""

    domain: str
    variable: str
    where: Where = Field(default_factory=dict)
    map: Texts = Field(default_factory=dict)
    """Value in the data to the study's word; empty: as it stands."""
    pick: Annotated[str, Field(pattern=r"^(first|last|any)$")] = "first"
    bins: tuple[float, ...] = ()
    """Cut points that turn a number into the words of ``bin_words``; equal to a point: above it."""
    bin_words: tuple[str, ...] = ()


class Assessor(Frozen):
    """A reader of tumour images: filters on the suffix of --EVAL, --EVALID, --ACPTFL in TU, TR and RS."""

    id: Id
    label: Label
    where: Where = Field(default_factory=dict)
    accepted: bool = False
    """Take at each visit the reader whose assessment carries --ACPTFL = Y."""


class Tumour(Frozen):
    """How lesions are written in TU and TR."""

    diameter: Words = ("LDIAM", "DIAMETER")
    """--TESTCD of the diameter of a lesion that is not a lymph node, in order of preference."""
    nodal_diameter: Words = ("LPERP", "DIAMETER")
    """Likewise the short axis of a lymph node."""
    nodal_locations: Words = ("LYMPH NODE",)
    state: Words = ("TUMSTATE",)
    target: Words = ("TARGET",)
    non_target: Words = ("NON-TARGET",)
    new: Words = ("NEW",)
    overall: Words = ("OVRLRESP",)
    states: Texts = Field(default_factory=dict)
    """TUMSTATE and RS words to the study's: present, absent, unequivocal progression, not evaluable …"""


class InstrumentSource(Frozen):
    domain: str = "QS"
    where: Where = Field(default_factory=dict)
    item_variable: str = "QSTESTCD"
    item_prefix: str = ""
    """What stands before the item's number."""
    value: str = "QSSTRESN"
    date: str = "QSDTC"


class AlivePoint(Frozen):
    """A date that proves life."""

    domain: str
    variable: str
    where: Where = Field(default_factory=dict)


class Component(Frozen):
    """Where one ASTCT component is written."""

    domain: str
    where: Where
    value: str
    datetime: str


class Period(Frozen):
    """Records that last: from a variable to another, open where one is blank."""

    domain: str
    where: Where
    start: str
    end: str


class Sources(Frozen):
    facts: Mapping[str, Source]
    """consent, inclusion, randomisation, arm, actual_arm, death, new_therapy, treatment_end, study_end …;
    optional: clinical_progression (without imaging), palliative_radiotherapy, switch (the first experimental
    treatment of a patient of the control arm)."""
    strata: Mapping[str, Source] = Field(default_factory=dict)
    baseline: Mapping[str, Source] = Field(default_factory=dict)
    assessors: tuple[Assessor, ...] = ()
    tumour: Tumour = Tumour()
    instruments: Mapping[str, InstrumentSource] = Field(default_factory=dict)
    alive: tuple[AlivePoint, ...] = ()
    adverse_event_grade: str = "AETOXGR"
    adverse_event_relationship: Texts = Field(default_factory=dict)
    """Drug to the variable of AE (or SUPPAE) with the relation to it, where each drug is asked after."""
    dose_given: Annotated[str, Field(pattern=r"^(positive|any)$")] = "positive"
    """Whether a record of exposure with dose zero is a dose: ``any`` where placebo is written so."""
    lost: Words = ("LOST TO FOLLOW-UP", "WITHDRAWAL BY SUBJECT", "WITHDRAWAL OF CONSENT")
    """Reasons for the end of the study that mean that the patient was no longer followed (case P14)."""
    anticoagulation: Period | None = None
    """Anticoagulants as given; without it an INR is graded as if that were not known."""
    symptoms: Mapping[str, Period] = Field(default_factory=dict)
    """LBTESTCD to the records (of AE, say) that show the symptoms on which its grade turns."""
    crs: Mapping[str, Component] = Field(default_factory=dict)
    icans: Mapping[str, Component] = Field(default_factory=dict)
