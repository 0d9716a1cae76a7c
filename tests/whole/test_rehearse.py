"""A rehearsed trial as a reader of its SDTM sees it: complete, dated in order, within the cutoff, the same twice."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from trialwright.conduct.randomise import allocate
from trialwright.simulate import doors
from trialwright.simulate.rehearse import happen, rehearse, written
from trialwright.simulate.scenario import Scenario
from trialwright.standards import dates, variables
from trialwright.standards.files import read_any
from trialwright.study.load import folder, load

SEED, PATIENTS = 7, 129
STUDY = load(folder("tarlanec"))
SCENARIO = doors.scenario(STUDY)
DOMAINS = {
    "DM", "SUPPDM", "DS", "SS", "EX", "CM", "TU", "TR", "RS", "AE", "SUPPAE", "FA", "LB", "VS", "QS",
}  # fmt: skip


@pytest.fixture(scope="module")
def trial():
    return happen(STUDY, SCENARIO, PATIENTS, SEED)


@pytest.fixture(scope="module")
def flawless(trial):
    return written(trial)


@pytest.fixture(scope="module")
def sdtm():
    return rehearse(STUDY, SCENARIO, PATIENTS, SEED)


def supp(sdtm, name):
    return sdtm["SUPPDM"].filter(QNAM=name).select("USUBJID", pl.col("QVAL").alias(name))


def milestone(sdtm, word, name):
    return sdtm["DS"].filter(DSDECOD=word).select("USUBJID", pl.col("DSSTDTC").str.to_date().alias(name))


# ---- the files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["xpt", "parquet", "json"])
def test_the_same_seed_gives_the_same_bytes(sdtm, tmp_path, form):
    for name in ("once", "again"):
        (tmp_path / name).mkdir()
    doors.write(tmp_path / "once", sdtm, form)
    doors.write(tmp_path / "again", rehearse(STUDY, SCENARIO, PATIENTS, SEED), form)
    once, again = (
        {p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("once", "again")
    )
    assert once == again
    assert set(once) == {f"{name.lower()}.{form}" for name in DOMAINS}


def test_another_seed_gives_another_trial(sdtm):
    other = rehearse(STUDY, SCENARIO, PATIENTS, SEED + 1)
    assert not any(other[name].equals(sdtm[name]) for name in DOMAINS)


@pytest.mark.parametrize("form", ["xpt", "parquet"])
def test_what_is_written_is_read_back(sdtm, tmp_path, form):
    for path in doors.write(tmp_path, sdtm, form):
        back, sent = read_any(path), sdtm[path.stem.upper()]
        assert back.columns == sent.columns
        assert back.equals(sent)


def test_domains_keys_and_names_are_those_of_the_dictionary(flawless):
    assert set(flawless) == DOMAINS
    for name, frame in flawless.items():
        definition = variables.dataset(name)
        known = {variable.name for variable in definition.variables}
        assert set(frame.columns) <= known, name
        assert not frame.select(definition.keys).is_duplicated().any(), name


def test_every_domain_holds_only_known_subjects(flawless):
    everybody = set(flawless["DM"]["USUBJID"])
    for name, frame in flawless.items():
        assert set(frame["USUBJID"]) <= everybody, name


# ---- who and when ------------------------------------------------------------------------------------------------


def test_as_many_are_randomised_as_asked_and_the_others_have_a_reason(flawless):
    dm = flawless["DM"]
    failed = dm.filter(ARMCD="SCRNFAIL")
    assert len(dm) - len(failed) == PATIENTS
    assert failed["ARMNRS"].unique().to_list() == ["SCREEN FAILURE"]
    reasons = flawless["DS"].filter(DSDECOD="SCREEN FAILURE")
    assert set(reasons["USUBJID"]) == set(failed["USUBJID"])
    assert reasons["DSTERM"].null_count() == 0
    low = reasons.filter(DSTERM="DLL3 < 1 %").join(supp(flawless, "DLL3PCT"), on="USUBJID")
    assert set(low["DLL3PCT"]) == {"0"}
    assert not set(reasons["USUBJID"]) & set(flawless["EX"]["USUBJID"])


def test_arms_are_those_of_the_allocation_function(flawless, trial):
    """Stratum by stratum, in order of randomisation, with the key of this seed."""
    import hashlib

    key = hashlib.sha256(f"rehearsal {SEED}".encode()).digest()
    rows = (
        flawless["DM"]
        .filter(pl.col("ARMCD") != "SCRNFAIL")
        .join(milestone(flawless, "RANDOMIZED", "RANDDT"), on="USUBJID")
        .join(supp(flawless, "PRIMSITE"), on="USUBJID")
        .join(supp(flawless, "PFIDAYS"), on="USUBJID")
        .with_columns(
            PFIGR=pl.when(pl.col("PFIDAYS").cast(pl.Int64) < 90).then(pl.lit("<90")).otherwise(pl.lit(">=90"))
        )
    )
    consent_order = pl.Series("USUBJID", trial.screened.usubjid.tolist()).to_frame().with_row_index("place")
    rows = rows.join(consent_order, on="USUBJID").sort("RANDDT", "place")
    for (site, interval), members in rows.group_by("PRIMSITE", "PFIGR"):
        expected = [
            allocate(STUDY.allocation, key, (site, interval), position + 1)
            for position in range(len(members))
        ]
        assert members.sort("RANDDT", "place")["ARMCD"].to_list() == expected


def test_consent_inclusion_randomisation_and_first_dose_follow_each_other(flawless):
    dm = flawless["DM"].with_columns(pl.col("RFICDTC").str.to_date(), pl.col("RFSTDTC").str.to_date())
    rows = (
        dm.join(milestone(flawless, "ELIGIBILITY CRITERIA MET", "INCLDT"), on="USUBJID")
        .join(milestone(flawless, "RANDOMIZED", "RANDDT"), on="USUBJID")
        .select("RFICDTC", "INCLDT", "RANDDT", "RFSTDTC")
    )
    assert len(rows) == PATIENTS
    assert (rows["RFICDTC"] < rows["INCLDT"]).all()
    assert (rows["INCLDT"] <= rows["RANDDT"]).all()
    assert rows.filter(pl.col("RANDDT") > pl.col("RFSTDTC")).is_empty()
    assert rows["RFICDTC"].min() >= dt.date(2025, 9, 1)
    assert dm["RFICDTC"].min() == dt.date(2025, 9, 1)


@pytest.mark.parametrize("made", ["flawless", "sdtm"])
def test_nothing_is_dated_after_the_cutoff(made, request):
    for name, frame in request.getfixturevalue(made).items():
        for column in (c for c in frame.columns if c.endswith("DTC")):
            days = frame.select(dates.earliest(pl.col(column)).alias("day"))["day"].drop_nulls()
            assert (days <= SCENARIO.accrual.cutoff).all(), (name, column)


def test_nothing_happens_after_death(flawless):
    """But for the call in which the death is learnt."""
    died = flawless["DM"].select("USUBJID", died=dates.latest(pl.col("DTHDTC"))).drop_nulls()
    assert len(died) > 50
    for name in ("AE", "CM", "DS", "EX", "FA", "LB", "QS", "TR", "TU", "RS", "VS"):
        frame = flawless[name].join(died, on="USUBJID")
        for column in (c for c in frame.columns if c.endswith("DTC")):
            late = frame.filter(dates.earliest(pl.col(column)) > pl.col("died"))
            assert late.is_empty(), (name, column, late)
    alive = flawless["SS"].filter(SSORRES="ALIVE").join(died, on="USUBJID")
    assert alive.filter(pl.col("SSDTC").str.to_date() > pl.col("died")).is_empty()


def test_some_dates_are_partial_and_all_can_exist(flawless):
    for name, frame in flawless.items():
        for column in (c for c in frame.columns if c.endswith("DTC")):
            assert frame.select(dates.is_valid(pl.col(column)).all()).item(), (name, column)
    months = pl.col("AESTDTC").str.len_chars() == 7
    assert flawless["AE"].filter(months).height > 0
    assert flawless["DM"].filter(pl.col("DTHDTC").str.len_chars() == 7).height > 0


# ---- treatment, tumours, safety ----------------------------------------------------------------------------------


def test_the_experimental_arm_is_stepped_up_and_each_patient_stays_in_one_arm(flawless):
    dm = flawless["DM"].select("USUBJID", "ARMCD")
    doses = flawless["EX"].join(dm, on="USUBJID").sort("USUBJID", "EXSTDTC")
    tarlatamab = doses.filter(EXTRT="TARLATAMAB")
    assert set(tarlatamab["ARMCD"]) == {"B"}
    assert set(doses.filter(pl.col("EXTRT") != "TARLATAMAB")["ARMCD"]) == {"A"}
    by_patient = tarlatamab.group_by("USUBJID", maintain_order=True).agg("EXDOSE")["EXDOSE"].to_list()
    assert all(given == [1.0] + [10.0] * (len(given) - 1) for given in by_patient)
    assert len(by_patient) > 80


def test_control_patients_get_what_was_intended_for_their_primary_site(flawless):
    doses = (
        flawless["EX"]
        .join(supp(flawless, "INTCHEMO"), on="USUBJID")
        .join(flawless["DM"].select("USUBJID", "ARMCD"), on="USUBJID")
        .filter(ARMCD="A")
    )
    drugs = dict(doses.group_by("INTCHEMO").agg(pl.col("EXTRT").unique().sort()).iter_rows())
    assert drugs["FOLFIRI"] == ["FLUOROURACIL", "FOLINIC ACID", "IRINOTECAN"]
    assert drugs["DOCETAXEL"] == ["DOCETAXEL"]


def test_untreated_patients_say_why_and_have_no_actual_arm(flawless):
    randomised = flawless["DM"].filter(pl.col("ARMCD") != "SCRNFAIL")
    untreated = randomised.filter(pl.col("ACTARMCD").is_null())
    assert set(untreated["USUBJID"]) == set(randomised["USUBJID"]) - set(flawless["EX"]["USUBJID"])
    assert set(untreated["USUBJID"]) == set(flawless["DS"].filter(DSDECOD="NOT TREATED")["USUBJID"])
    assert 1 <= len(untreated) <= 15


def test_targets_are_measurable_and_at_most_five_and_two_an_organ(flawless):
    """RECIST 1.1 sections 3.1 and 4.1: 10 mm, a node 15 mm in its short axis."""
    targets = flawless["TU"].filter(TUSTRESC="TARGET")
    assert targets.group_by("USUBJID").len()["len"].max() <= 5
    assert targets.group_by("USUBJID", "TULOC").len()["len"].max() <= 2
    assert set(targets["USUBJID"]) == set(flawless["DM"].filter(pl.col("ARMCD") != "SCRNFAIL")["USUBJID"])
    first = (
        flawless["TR"]
        .filter(TRGRPID="TARGET", VISIT="SCREENING")
        .join(targets, left_on=["USUBJID", "TRLNKID"], right_on=["USUBJID", "TULNKID"])
    )
    node = pl.col("TULOC") == "LYMPH NODE"
    assert set(first.filter(node)["TRTESTCD"]) == {"LPERP"}
    assert set(first.filter(~node)["TRTESTCD"]) == {"LDIAM"}
    assert first.filter(node)["TRSTRESN"].min() >= 15
    assert first.filter(~node)["TRSTRESN"].min() >= 10


def test_scans_keep_to_the_windows_of_the_schedule_and_stop_after_progression(flawless):
    visits = pl.DataFrame(
        [(v.id, v.day, v.window) for v in STUDY.schedule.days("TUMOUR")],
        schema={"VISIT": pl.String, "day": pl.Int64, "window": pl.Int64},
        orient="row",
    )
    rows = (
        flawless["RS"]
        .join(milestone(flawless, "RANDOMIZED", "RANDDT"), on="USUBJID")
        .join(visits, on="VISIT")
    )
    off = (pl.col("RSDTC").str.to_date() - pl.col("RANDDT")).dt.total_days() - pl.col("day")
    assert rows.filter(off.abs() > pl.col("window")).is_empty()
    counts = flawless["RS"].filter(RSSTRESC="PD").group_by("USUBJID").len()["len"]
    assert counts.max() <= 2


def test_cytokine_release_follows_the_first_doses_and_its_signs_give_its_grade(flawless):
    """The worst assessment of each episode, read by the ASTCT table, is the reported grade but for a few."""
    events = flawless["AE"].filter(AEDECOD=STUDY.adverse_events.astct["CRS"][0])
    assert 25 < events["USUBJID"].n_unique() < 70
    assert set(flawless["DM"].filter(pl.col("USUBJID").is_in(events["USUBJID"].to_list()))["ARMCD"]) == {"B"}
    facts = flawless["FA"].filter(FAOBJ="CYTOKINE RELEASE SYNDROME")
    wide = facts.pivot("FATESTCD", index=["USUBJID", "FADTC"], values="FASTRESC").sort("USUBJID", "FADTC")
    device, pressors = pl.col("O2DEV"), pl.col("NPRESS").cast(pl.Int64)
    grade = (
        pl.when((pressors > 1) | (device == "CPAP")).then(4)
        .when((pressors == 1) | (device == "FACEMASK")).then(3)
        .when((pl.col("HYPOTENS") == "Y") | (device == "NC")).then(2)
        .when(pl.col("TEMP").cast(pl.Float64) >= 38).then(1)
        .otherwise(0)
    )  # fmt: skip
    episodes = events.select("USUBJID", "AESEQ", "AETOXGR", "AESTDTC", pl.col("AEENDTC").fill_null("9999"))
    inside = wide.with_columns(grade=grade).join(episodes, on="USUBJID")
    inside = inside.filter(pl.col("FADTC").is_between("AESTDTC", "AEENDTC"))
    worst = inside.group_by("USUBJID", "AESEQ").agg(pl.max("grade"), pl.first("AETOXGR"))
    assert len(worst) == len(events)
    agree = (worst["grade"].cast(pl.String) == worst["AETOXGR"]).mean()
    assert 0.8 < agree < 1


def test_grades_on_another_scale_are_marked(flawless):
    own = [terms[0] for terms in STUDY.adverse_events.astct.values()]
    marked = flawless["SUPPAE"].select("USUBJID", AESEQ=pl.col("IDVARVAL").cast(pl.Int64))
    found = flawless["AE"].join(marked, on=["USUBJID", "AESEQ"])
    assert len(found) == len(marked) == flawless["AE"].filter(pl.col("AEDECOD").is_in(own)).height


def test_lymphocytes_drop_the_day_after_the_first_dose_in_one_arm(flawless):
    lymphocytes = (
        flawless["LB"].filter(LBTESTCD="LYM").join(flawless["DM"].select("USUBJID", "ARMCD"), on="USUBJID")
    )
    by = dict(
        lymphocytes.filter(VISIT="UNSCHEDULED").group_by("ARMCD").agg(pl.median("LBSTRESN")).iter_rows()
    )
    assert by["B"] < 0.5 < by["A"]


def test_some_sites_write_conventional_units(flawless):
    units = flawless["LB"].filter(LBTESTCD="HGB").group_by("LBSTRESU").agg(pl.median("LBSTRESN"))
    found = dict(units.iter_rows())
    assert 80 < found["g/L"] < 150
    assert 8 < found["g/dL"] < 15


# ---- questionnaires -----------------------------------------------------------------------------------------------


def test_forms_have_thirty_items_within_their_range_and_some_are_missing(flawless):
    qs = flawless["QS"]
    forms = qs.group_by("USUBJID", "QSDTC").len()
    assert set(forms["len"]) == {30}
    item = pl.col("QSTESTCD").str.slice(5).cast(pl.Int64)
    assert qs.filter(item <= 28)["QSSTRESN"].drop_nulls().is_between(1, 4).all()
    assert qs.filter(item > 28)["QSSTRESN"].drop_nulls().is_between(1, 7).all()
    missing = qs["QSSTRESN"].null_count()
    assert 0 < missing / len(qs) < 0.05
    assert set(qs.filter(pl.col("QSSTRESN").is_null())["QSSTAT"]) == {"NOT DONE"}
    first = qs.filter(VISIT="BASELINE")["USUBJID"].n_unique()
    assert 0.85 * PATIENTS < first < PATIENTS


def test_no_wording_of_the_questionnaire_is_written(flawless):
    assert flawless["QS"]["QSTEST"].str.contains(r"^QLQ-C30 item \d+$").all()


# ---- mistakes ------------------------------------------------------------------------------------------------------


def test_each_mistake_is_made_as_often_as_the_scenario_says(flawless, sdtm):
    asked = SCENARIO.mistakes
    ae, qs = sdtm["AE"], sdtm["QS"]
    assert len(ae) - len(flawless["AE"]) == asked.duplicate_key
    orphans = sdtm["VS"].filter(~pl.col("USUBJID").is_in(sdtm["DM"]["USUBJID"].to_list()))
    assert len(orphans) == asked.orphan_subject
    assert ae.unique(["USUBJID", "AESEQ"]).filter(AEOUT="BETTER").height == asked.unknown_code
    wrong = ae.unique(["USUBJID", "AESEQ"]).filter(~dates.is_valid(pl.col("AEENDTC")))
    assert len(wrong) == asked.impossible_date
    assert qs.filter(QSSTRESN=9).height == asked.item_out_of_range
    ends = ae.unique(["USUBJID", "AESEQ"]).filter(
        dates.latest(pl.col("AEENDTC")) < dates.earliest(pl.col("AESTDTC"))
    )
    assert len(ends) == asked.end_before_start
    died = sdtm["DM"].select("USUBJID", died=dates.latest(pl.col("DTHDTC"))).drop_nulls()
    late = qs.join(died, on="USUBJID").filter(pl.col("QSDTC").str.to_date() > pl.col("died"))
    assert late.select("USUBJID", "QSDTC").n_unique() == asked.form_after_death


# ---- misuse ---------------------------------------------------------------------------------------------------------


RAW = STUDY.scenarios["rehearsal"]
FEWER = [c for c in RAW["characteristics"] if c["id"] != "PFIDAYS"]


@pytest.mark.parametrize(
    ("change", "patients", "message"),
    [
        ({}, 0, "needs a patient"),
        ({"courses": RAW["courses"][:1]}, 9, "no course for arm B"),
        ({"characteristics": FEWER}, 9, "PFIGR is read from PFIDAYS"),
        ({"dosing": {}, "courses": RAW["courses"]}, 9, "no regimen for arm A"),
    ],
)
def test_a_scenario_that_does_not_fit_the_study_is_refused(change, patients, message):
    scenario = Scenario.model_validate({**RAW, **change})
    with pytest.raises(ValueError, match=message):
        rehearse(STUDY, scenario, patients, 1)


@pytest.mark.parametrize(
    ("section", "change", "message"),
    [
        ("accrual", {"cutoff": dt.date(2026, 1, 1)}, "the cutoff is before"),
        ("imaging", {"jitter_sd": -1}, r"rehearsal\.toml: imaging\.jitter_sd"),
        ("imaging", {"jitter": 1}, r"imaging\.jitter: Extra inputs"),
        ("dosing", {"regimen_by": "NOTHING"}, "NOTHING is no characteristic"),
    ],
)
def test_a_wrong_scenario_names_its_key(section, change, message):
    wrong = {"rehearsal": {**RAW, section: {**RAW[section], **change}}}
    with pytest.raises(ValueError, match=message):
        doors.scenario(STUDY.model_copy(update={"scenarios": wrong}))


def test_an_unknown_scenario_names_those_there_are():
    with pytest.raises(ValueError, match=r"no scenario 'other' \(there is: .*rehearsal"):
        doors.scenario(STUDY, "other")
