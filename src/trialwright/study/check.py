"""What a study refers to must be there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from trialwright.study.model import Analysis, Study, TimeToEvent

Fault = tuple[str, str, str]
"""File, key, sentence."""


def references(study: Study) -> tuple[Fault, ...]:
    """Every name that leads nowhere, every id given twice."""
    checks = (
        _duplicates,
        _allocation,
        _analyses,
        _assessors,
        _factors,
        _beside,
        _outcomes,
        _assumptions,
        _sources,
        _endpoints,
        _record_links,
    )
    return tuple(fault for check in checks for fault in check(study))


def _unknown(file: str, key: str, names: Iterable[str], known: Iterable[str]) -> Iterator[Fault]:
    have = tuple(known)
    for name in names:
        if name not in have:
            yield file, key, f"{name!r} is not defined (there is: {', '.join(have) or 'none'})"


def _twice(file: str, key: str, names: Sequence[str]) -> Iterator[Fault]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield file, key, f"{name!r} is defined twice"


def _duplicates(study: Study) -> Iterator[Fault]:
    yield from _twice("study.toml", "arms.id", [a.id for a in study.arms])
    yield from _twice("study.toml", "strata.id", [s.id for s in study.strata])
    yield from _twice("study.toml", "populations.id", [p.id for p in study.populations])
    yield from _twice("study.toml", "populations.flag", [p.flag for p in study.populations])
    yield from _twice("study.toml", "endpoints.id", list(study.endpoints.ids()))
    yield from _twice("study.toml", "analyses.id", [a.id for a in study.analyses])
    yield from _twice("study.toml", "outcomes.id", [o.id for o in study.outcomes])
    yield from _twice("assumptions.toml", "assumption.id", [a.id for a in study.assumptions])
    yield from _twice("schedule.csv", "activity", [v.id for v in study.schedule.visits])


def _allocation(study: Study) -> Iterator[Fault]:
    arms = [arm.id for arm in study.arms]
    ratio = study.allocation.ratio
    yield from _unknown("study.toml", "allocation.ratio", ratio, arms)
    yield from _unknown("study.toml", "allocation.ratio", arms, ratio)
    yield from _unknown(
        "study.toml", "allocation.strata", study.allocation.strata, [s.id for s in study.strata]
    )
    total = sum(ratio.values())
    if any(share < 1 for share in ratio.values()):
        yield "study.toml", "allocation.ratio", "each share is a whole number of at least 1"
    elif study.allocation.method == "permuted_blocks":
        if not study.allocation.block_sizes:
            yield "study.toml", "allocation.block_sizes", "permuted blocks need at least one size"
        for size in study.allocation.block_sizes:
            if size < 1 or size % total:
                yield (
                    "study.toml",
                    "allocation.block_sizes",
                    f"{size} is not a multiple of the ratio's sum {total}",
                )


def _analyses(study: Study) -> Iterator[Fault]:
    populations = [p.id for p in study.populations]
    strata = [s.id for s in study.strata]
    families = [d.id for d in study.endpoints.deterioration]
    instruments = [i.id for i in study.instruments]
    endpoints = [*study.endpoints.ids(), *families]
    yield from _unknown("study.toml", "headline_population", [study.headline_population], populations)
    for analysis in study.analyses:
        key = f"analyses.{analysis.id}"
        yield from _unknown("study.toml", f"{key}.population", [analysis.population], populations)
        yield from _unknown("study.toml", f"{key}.strata", analysis.strata, strata)
        if analysis.endpoint is not None:
            yield from _unknown("study.toml", f"{key}.endpoint", [analysis.endpoint], endpoints)
        elif analysis.method in _OF_AN_ENDPOINT:
            yield "study.toml", f"{key}.endpoint", f"method {analysis.method!r} needs an endpoint"
        if analysis.method == "mmrm" and analysis.endpoint not in families:
            yield "study.toml", f"{key}.endpoint", "method 'mmrm' needs a deterioration family: its scales"
        if analysis.instrument is not None:
            yield from _unknown("study.toml", f"{key}.instrument", [analysis.instrument], instruments)
        elif analysis.method == "questionnaire":
            yield "study.toml", f"{key}.instrument", "method 'questionnaire' needs an instrument"


def of_images(clock: TimeToEvent) -> bool:
    """Whether tumour assessments start or stop a clock, so that each assessor has one of their own."""
    named = {clock.origin, clock.among, clock.censor_at, *clock.events}
    return not named.isdisjoint({"response", "responders", "progression", "last_adequate_assessment"})


def _assessors(study: Study) -> Iterator[Fault]:
    """An analysis of another assessor must be of an endpoint that assessors read."""
    read = [clock.id for clock in study.endpoints.time_to_event if of_images(clock)]
    read += [best.id for best in study.endpoints.best_response]
    others = [a.id for a in study.sources.assessors if a.id != study.response.assessor]
    for analysis in study.analyses:
        if analysis.assessor is None:
            continue
        key = f"analyses.{analysis.id}.assessor"
        yield from _unknown("study.toml", key, [analysis.assessor], others)
        if analysis.endpoint not in read:
            yield "study.toml", key, f"no assessor reads the endpoint {analysis.endpoint!r}"


_OF_AN_ENDPOINT = (
    "time_to_event",
    "duration",
    "proportion",
    "supporting",
    "subgroups",
    "competing_risks",
    "interim",
)
_NEEDS = {"rmst": "rmst_months", "adjusted": "covariates", "piecewise_hazard_ratio": "pieces_months"}
"""What a test asks for beside its name."""


def _factors(study: Study) -> Iterator[Fault]:
    """A factor cuts what there is, and where it cuts a number there is a level for each bin."""
    yield from _twice("study.toml", "factors.id", _characteristics(study))
    numbers = [b.id for b in study.baseline if b.kind == "number"]
    variables = [*(s.id for s in study.strata), *(b.id for b in study.baseline)]
    for factor in study.factors:
        key = f"factors.{factor.id}"
        yield from _unknown("study.toml", f"{key}.variable", [factor.variable], variables)
        if (factor.variable in numbers) != bool(factor.bins):
            yield "study.toml", f"{key}.bins", "a number needs bins, and only a number has them"
        if factor.bins and len(factor.levels) != len(factor.bins) + 1:
            yield "study.toml", f"{key}.levels", "one level more than bins"
        if list(factor.bins) != sorted(set(factor.bins)):
            yield "study.toml", f"{key}.bins", "bins rise"


def _characteristics(study: Study) -> list[str]:
    """What an analysis may name as covariate or factor."""
    plain = [*(s.id for s in study.strata), *(b.id for b in study.baseline)]
    return [*plain, *(f.id for f in study.factors)]


def _beside(study: Study) -> Iterator[Fault]:
    """What supporting analyses, subgroups and competing risks ask for must be there."""
    known = _characteristics(study)
    numbers = [b.id for b in study.baseline if b.kind == "number"]
    wanted = {"supporting": "tests", "subgroups": "factors"}
    shares = [b.id for b in study.endpoints.best_response]
    for analysis in study.analyses:
        key = f"analyses.{analysis.id}"
        yield from _unknown("study.toml", f"{key}.covariates", analysis.covariates, known)
        yield from _unknown("study.toml", f"{key}.factors", analysis.factors, known)
        for name in analysis.factors:
            if name in numbers:
                yield "study.toml", f"{key}.factors", f"{name!r} is a number: cut it by a factor"
        need = wanted.get(analysis.method)
        if need and not getattr(analysis, need):
            yield "study.toml", f"{key}.{need}", f"method {analysis.method!r} needs {need}"
        for test in analysis.tests:
            if test in _NEEDS and not getattr(analysis, _NEEDS[test]):
                yield "study.toml", f"{key}.{_NEEDS[test]}", f"{test!r} needs {_NEEDS[test]}"
        if analysis.method in _OF_A_TIME and analysis.endpoint in shares:
            yield "study.toml", f"{key}.endpoint", f"method {analysis.method!r} needs a time to an event"
        yield from _in_order(key, analysis)
        if analysis.method == "competing_risks":
            yield from _competing(study, key, analysis.endpoint)


_OF_A_TIME = ("supporting", "subgroups", "competing_risks", "interim")


def _in_order(key: str, analysis: Analysis) -> Iterator[Fault]:
    """Lists that rise; looks that were done are before the end."""
    for name in ("pieces_months", "tipping_deltas"):
        if list(getattr(analysis, name)) != sorted({*getattr(analysis, name)}):
            yield "study.toml", f"{key}.{name}", "numbers rise"
    plan = analysis.interim
    if plan is None:
        if analysis.method == "interim":
            yield "study.toml", f"{key}.interim", "method 'interim' needs interim"
    elif list(plan.looked_at) != sorted({*plan.looked_at}):
        yield "study.toml", f"{key}.interim.looked_at", "events rise"
    elif plan.spending == "power" and plan.gamma <= 0:
        yield "study.toml", f"{key}.interim.gamma", "the power family needs a gamma above 0"
    elif analysis.method != "interim":
        yield "study.toml", f"{key}.interim", f"method {analysis.method!r} does not look before the end"
    elif plan.looked_at and plan.looked_at[-1] >= plan.planned_events:
        yield "study.toml", f"{key}.interim.looked_at", "a look with all planned events was the last"


def _competing(study: Study, key: str, endpoint: str | None) -> Iterator[Fault]:
    """Death must be there to compete: as one event among others, or as ``death = "competing"``."""
    clock = next((c for c in study.endpoints.time_to_event if c.id == endpoint), None)
    if clock and ("death" not in clock.events or len(clock.events) < 2):
        yield "study.toml", f"{key}.endpoint", f"{endpoint} has not death and another event"
    for family in study.endpoints.deterioration:
        if endpoint in (family.id, *family.paramcds()) and family.death != "competing":
            yield "study.toml", f"{key}.endpoint", f'{family.id} has not death = "competing"'


def _outcomes(study: Study) -> Iterator[Fault]:
    analyses = [a.id for a in study.analyses]
    for outcome in study.outcomes:
        key = f"outcomes.{outcome.id}.readings"
        if sum(reading.headline for reading in outcome.readings) != 1:
            yield "study.toml", key, "exactly one reading has headline = true"
        for reading in outcome.readings:
            yield from _unknown("study.toml", f"{key}.{reading.id}.analyses", reading.analyses, analyses)
    yield from _unknown(
        "study.toml",
        "reading.outcome",
        [r.outcome for r in study.reading if r.outcome is not None],
        [o.id for o in study.outcomes],
    )


def _assumptions(study: Study) -> Iterator[Fault]:
    known = [a.id for a in study.assumptions]
    for key, ids in used_assumptions(study):
        yield from _unknown("study.toml", f"{key}.assumes", ids, known)


def used_assumptions(study: Study) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each place of the definition that rests on assumptions, and their ids."""
    yield "allocation", study.allocation.assumes
    yield "response", study.response.assumes
    yield "adverse_events", study.adverse_events.assumes
    for clock in study.endpoints.time_to_event:
        yield f"endpoints.{clock.id}", clock.assumes
    for best in study.endpoints.best_response:
        yield f"endpoints.{best.id}", best.assumes
    for family in study.endpoints.deterioration:
        yield f"endpoints.{family.id}", family.assumes
    for analysis in study.analyses:
        yield f"analyses.{analysis.id}", analysis.assumes
    for outcome in study.outcomes:
        for reading in outcome.readings:
            yield f"outcomes.{outcome.id}.readings.{reading.id}", reading.assumes


def _sources(study: Study) -> Iterator[Fault]:
    yield from _unknown("sources.toml", "strata", [s.id for s in study.strata], study.sources.strata)
    yield from _unknown("sources.toml", "baseline", [b.id for b in study.baseline], study.sources.baseline)
    yield from _unknown(
        "sources.toml", "instruments", [i.id for i in study.instruments], study.sources.instruments
    )
    yield from _unknown(
        "study.toml", "response.assessor", [study.response.assessor], [a.id for a in study.sources.assessors]
    )
    yield from _unknown("sources.toml", "facts", ("arm", "randomisation"), study.sources.facts)
    arms = {arm.id for arm in study.arms}
    for fact in ("arm", "actual_arm"):
        source = study.sources.facts.get(fact)
        if source is not None and source.map:
            yield from _unknown("sources.toml", f"facts.{fact}.map", source.map.values(), sorted(arms))
    for key, source in study.sources.strata.items():
        if len(source.bins) + 1 != len(source.bin_words) and source.bins:
            yield "sources.toml", f"strata.{key}.bin_words", "one word more than bins"


def _endpoints(study: Study) -> Iterator[Fault]:
    instruments = [i.id for i in study.instruments]
    for family in study.endpoints.deterioration:
        yield from _unknown(
            "study.toml", f"endpoints.{family.id}.instrument", [family.instrument], instruments
        )
        if family.composite and len(family.id) > 5:
            yield "study.toml", f"endpoints.{family.id}.id", "with composite = true at most 5 characters"
    yield from _clock_faults(study)
    activities = list(study.schedule.activities)
    yield from _unknown("schedule.csv", "activity", [i.activity for i in study.instruments], activities)
    needs_images = [e.id for e in study.endpoints.time_to_event if e.rules is not None]
    if needs_images and study.tumour_activity not in activities:
        yield "schedule.csv", "activity", f"{study.tumour_activity!r} is missing; {needs_images[0]} needs it"


def _clock_faults(study: Study) -> Iterator[Fault]:
    """What a clock or a yes-or-no endpoint asks for must be there to be asked."""
    durations = [clock.id for clock in study.endpoints.time_to_event if clock.origin == "response"]
    for clock in study.endpoints.time_to_event:
        if "clinical_progression" in clock.events:
            facts = ("clinical_progression",)
            yield from _unknown("sources.toml", "facts", facts, study.sources.facts)
    for best in study.endpoints.best_response:
        key = f"endpoints.{best.id}"
        if best.lasting_months is None:
            continue
        if best.at_day is not None:
            yield "study.toml", key, "at_day and lasting_months are two questions: one endpoint each"
        yield from _unknown("study.toml", f"{key}.duration", [best.duration or ""], durations)
    if study.response.rt_is_nact:
        facts = ("palliative_radiotherapy",)
        yield from _unknown("sources.toml", "facts", facts, study.sources.facts)


def _record_links(study: Study) -> Iterator[Fault]:
    """Each outcome stands in its line of the record, and each quoted reading occurs in the record."""
    if study.record is None:
        return
    lines = {(o.type, o.number): o for o in study.record.outcomes}
    for outcome in study.outcomes:
        line = lines.get((outcome.type, outcome.number))
        key = f"outcomes.{outcome.id}"
        if line is None:
            yield "study.toml", key, f"the record has no {outcome.type} outcome number {outcome.number}"
        elif outcome.registered not in line.measure:
            yield (
                "study.toml",
                f"{key}.registered",
                f"not in the record's {outcome.type} outcome {outcome.number}",
            )
    linked = {(o.type, o.number) for o in study.outcomes}
    for place in lines.keys() - linked:
        yield "study.toml", "outcomes", f"the record's {place[0]} outcome {place[1]} is linked to no outcome"
    whole = study.record.words()
    for reading in study.reading:
        if reading.quote not in whole:
            yield "study.toml", "reading.quote", f"not in the record: {reading.quote!r}"
