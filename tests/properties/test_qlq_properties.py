"""QLQ-C30 on random forms and courses: scores stay in range, order is irrelevant, the past does not change."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.medicine import qlq_c30
from trialwright.medicine.qlq_c30 import Deterioration, deterioration

KEYS = ["subject"]
LONG = {"subject": pl.String, "item": pl.String, "value": pl.Float64}

usable = st.one_of(st.none(), st.integers(1, 4).map(float))
anything = st.one_of(st.none(), st.sampled_from([0.0, 1.0, 2.0, 2.5, 4.0, 5.0, 7.0, 8.0, -1.0, float("nan")]))


def form(answers: list[float | None], subject: str = "a") -> pl.DataFrame:
    items = qlq_c30.ITEMS[: len(answers)]
    return pl.DataFrame({"subject": [subject] * len(items), "item": items, "value": answers}, schema=LONG)


@settings(max_examples=60, deadline=None)
@given(st.lists(anything, min_size=30, max_size=30))
def test_scores_stay_between_0_and_100_and_half_must_be_answered(answers: list[float | None]) -> None:
    scores, invalid = qlq_c30.score(form(answers), KEYS)
    assert scores["score"].drop_nulls().is_between(0, 100).all()
    single = scores.filter(pl.col("scale") != "SUMMARY")
    assert (single["score"].is_not_null() == (2 * single["n_answered"] >= single["n_items"])).all()
    summary = scores.filter(scale="SUMMARY")
    assert (summary["score"].is_not_null() == (summary["n_answered"] == 13)).all()
    answered = single["n_answered"].sum()
    assert answered + invalid.height == sum(a is not None for a in answers)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(anything, min_size=30, max_size=30), min_size=1, max_size=3),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_items_is_irrelevant(forms: list[list[float | None]], random: object) -> None:
    items = pl.concat([form(answers, subject) for subject, answers in zip("abc", forms, strict=False)])
    order = list(range(items.height))
    random.shuffle(order)  # type: ignore[attr-defined]
    scores, invalid = qlq_c30.score(items, KEYS)
    mixed, mixed_invalid = qlq_c30.score(items[order], KEYS)
    by = ["subject", "scale"]
    assert mixed.sort(by).equals(scores.sort(by))
    assert sorted(mixed_invalid.rows()) == sorted(invalid.rows())


@settings(max_examples=25, deadline=None)
@given(st.lists(usable, min_size=30, max_size=30), st.integers(0, 29))
def test_one_worse_answer_never_betters_a_score(answers: list[float | None], at: int) -> None:
    if answers[at] in (None, 4.0):
        return
    worse = [a + 1 if i == at and a is not None else a for i, a in enumerate(answers)]
    before, after = (
        dict(qlq_c30.score(form(f), KEYS)[0].select("scale", "score").iter_rows()) for f in (answers, worse)
    )
    good = {"PF", "RF", "EF", "CF", "SF", "SUMMARY"}
    for scale, score in before.items():
        if score is None:
            assert after[scale] is None
        elif scale == "QL":  # of items 29 and 30 a higher answer is the better one
            assert after[scale] >= score
        else:
            assert after[scale] <= score + 1e-9 if scale in good else after[scale] >= score


# --- deterioration, against a plain loop that reads like the definition -------------------------------------

course = st.lists(st.one_of(st.none(), st.integers(0, 20).map(lambda x: x * 5.0)), min_size=1, max_size=7)
baselines = st.one_of(st.none(), st.integers(0, 20).map(lambda x: x * 5.0))
policies = st.builds(
    Deterioration,
    reference=st.sampled_from(["baseline", "best", "previous"]),
    threshold=st.sampled_from([5.0, 10.0, 15.0]),
    pattern=st.sampled_from(["first", "definitive", "confirmed"]),
    definitive=st.sampled_from(["def1", "def2", "def3"]),
    improved_by=st.sampled_from(["at_least", "more_than"]),
    last_form_definitive=st.booleans(),
    missed_forms=st.sampled_from([None, 1, 2]),
)
scales = st.sampled_from(["FA", "QL", "PF", "DY", "SUMMARY"])


def frame(scores: list[float | None], baseline: float | None, scale: str, died: bool = False) -> pl.DataFrame:
    n = len(scores)
    return pl.DataFrame(
        {
            "subject": ["a"] * n,
            "scale": [scale] * n,
            "visit": list(range(1, n + 1)),
            "day": [30 * v for v in range(1, n + 1)],
            "score": scores,
            "baseline": [baseline] * n,
            "died": [died] * n,
        },
        schema_overrides={"score": pl.Float64, "baseline": pl.Float64},
    )


def naive(
    scores: list[float | None], start: float, symptom: bool, died: bool, policy: Deterioration
) -> tuple[int | None, int | None]:
    """(number of the form of the event or None, number of the form censored before, or None)."""
    forms = [(v, s) for v, s in enumerate(scores, 1) if s is not None]
    much = policy.threshold

    def worse_by(score: float, reference: float) -> float:
        return score - reference if symptom else reference - score

    def improved(score: float, since: float) -> bool:
        gain = -worse_by(score, since)
        return gain > much if policy.improved_by == "more_than" else gain >= much

    for i, (visit, score) in enumerate(forms):
        before = [start] + [s for _, s in forms[:i]]
        best = min(before) if symptom else max(before)
        reference = {"baseline": start, "best": best, "previous": before[-1]}[policy.reference]
        later = [s for _, s in forms[i + 1 :]]
        if worse_by(score, reference) < much:
            continue
        if policy.pattern == "confirmed":
            counts = worse_by(later[0], reference) >= much if later else died
        elif policy.pattern == "definitive":
            holds = {
                "def1": lambda s, r=reference: not improved(s, r),
                "def2": lambda s, r=reference: worse_by(s, r) >= much,
                "def3": lambda s, d=score: not improved(s, d),
            }[policy.definitive]
            counts = all(holds(s) for s in later) if later else policy.last_form_definitive
        else:
            counts = True
        if counts:
            previous = forms[i - 1][0] if i else 0
            if policy.missed_forms is not None and visit - previous - 1 >= policy.missed_forms:
                return None, previous or None
            return visit, None
    return None, forms[-1][0] if forms else None


@settings(max_examples=250, deadline=None)
@given(course, baselines, scales, st.booleans(), policies)
def test_deterioration_agrees_with_a_plain_loop(
    scores: list[float | None], baseline: float | None, scale: str, died: bool, policy: Deterioration
) -> None:
    found = deterioration(frame(scores, baseline, scale, died), policy).row(0, named=True)
    if baseline is None:
        assert (found["event"], found["day"], found["rule"]) == (False, None, "no baseline")
        return
    event, censored = naive(scores, baseline, scale in ("FA", "DY"), died, policy)
    assert found["event"] is (event is not None)
    at = event if event is not None else censored
    assert found["day"] == (None if at is None else 30 * at)
    assert found["visit"] == event


@settings(max_examples=60, deadline=None)
@given(course, course, baselines, scales, policies)
def test_later_forms_never_move_a_first_deterioration(
    scores: list[float | None],
    more: list[float | None],
    baseline: float | None,
    scale: str,
    policy: Deterioration,
) -> None:
    early = deterioration(frame(scores, baseline, scale), policy).row(0, named=True)
    late = deterioration(frame(scores + more, baseline, scale), policy).row(0, named=True)
    if early["first_day"] is not None:
        assert late["first_day"] == early["first_day"]
    else:
        assert late["first_day"] is None or late["first_day"] > 30 * len(scores)
    assert early["first_day"] is None or (early["definitive_day"] or 10**6) >= early["first_day"]
    assert early["first_day"] is None or (early["confirmed_day"] or 10**6) >= early["first_day"]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(course, baselines, scales), min_size=1, max_size=3),
    st.randoms(use_true_random=False),
    policies,
)
def test_order_of_rows_and_other_subjects_are_irrelevant(
    courses: list[tuple[list[float | None], float | None, str]], random: object, policy: Deterioration
) -> None:
    frames = [frame(*c).with_columns(subject=pl.lit(name)) for name, c in zip("abc", courses, strict=False)]
    together = pl.concat(frames)
    order = list(range(together.height))
    random.shuffle(order)  # type: ignore[attr-defined]
    by = ["subject", "scale"]
    found = deterioration(together[order], policy).sort(by)
    assert found.equals(pl.concat([deterioration(f, policy) for f in frames]).sort(by))


@settings(max_examples=25, deadline=None)
@given(course, st.integers(0, 20).map(lambda x: x * 5.0), policies)
def test_a_function_is_a_symptom_turned_round(
    scores: list[float | None], baseline: float, policy: Deterioration
) -> None:
    turned = [None if s is None else 100 - s for s in scores]
    as_symptom = deterioration(frame(scores, baseline, "FA"), policy)
    as_function = deterioration(frame(turned, 100 - baseline, "PF"), policy)
    same = ["event", "day", "visit", "change", "rule", "n_forms", "cannot_worsen"]
    assert as_symptom.select(same).equals(as_function.select(same))


def test_the_loop_itself_by_hand() -> None:
    """The oracle by hand: from 30, 45 35 50 is definitive (def2) only at the third form, and never confirmed."""
    policy = Deterioration(pattern="definitive")
    assert naive([45, 35, 50], 30, True, False, policy) == (3, None)
    assert naive([45, 35, 50], 30, True, False, Deterioration(pattern="confirmed")) == (None, 3)
