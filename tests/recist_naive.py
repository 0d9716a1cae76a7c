"""RECIST 1.1 a second time, for one patient, with loops and exact fractions: slow, plain, and sharing no code.

Written from the rules, not from the package: where both agree over all small cases, a slip would have to be made twice.
"""

from __future__ import annotations

from fractions import Fraction

BEST = ["CR", "PR", "SD", "NON-CR/NON-PD", "NED", "PD", "NE"]


def target_responses(visits, nodal, *, reappearance="pd", normal_nodes="pd_by_sum"):
    """Responses after baseline. ``visits`` are lists of sizes in mm (None: not measured), the baseline first."""
    visits = [[None if mm is None else Fraction(str(mm)) for mm in visit] for visit in visits]
    baseline = None if None in visits[0] else sum(visits[0])
    nadir, answers = baseline, []
    for visit in visits[1:]:
        answers.append(_target(visit, nodal, baseline, nadir, reappearance, normal_nodes))
        if None not in visit:
            nadir = sum(visit) if nadir is None else min(nadir, sum(visit))
    return answers


def _target(visit, nodal, baseline, nadir, reappearance, normal_nodes):
    measured = [(mm, node) for mm, node in zip(visit, nodal, strict=True) if mm is not None]
    healthy = all(mm < 10 if node else mm == 0 for mm, node in measured)
    if None not in visit and healthy and normal_nodes == "cr":
        return "CR"
    total = sum(mm for mm, _ in measured)
    if measured and nadir is not None:
        if nadir == 0 and not healthy and reappearance == "pd":
            return "PD"
        if 10 * total >= 12 * nadir and total - nadir >= 5:
            return "PD"
    if None in visit:
        return "NE"
    if healthy:
        return "CR"
    if baseline is None:
        return "NE"
    return "PR" if 10 * total <= 7 * baseline else "SD"


def overall(target, non_target, new):
    """Tables 1 and 2 of the paper, row by row."""
    if new or target == "PD" or non_target == "PD":
        return "PD"
    if target == "NA":
        return "NED" if non_target == "NA" else non_target
    if target == "CR" and non_target in ("NON-CR/NON-PD", "NE"):
        return "PR"
    return target


def best(course, policy, *, confirmed):
    """Best overall response and the day of response, from (day, response) pairs in order."""
    for last, (_, response) in enumerate(course):
        if response == "PD":
            course = course[: last + 1]
            break
    return _confirmed(course, policy) if confirmed else _unconfirmed(course, policy)


def _old_enough(day, policy):
    return day + (1 if policy.sd_day_counting == "study_day" else 0) >= policy.sd_min_days


def _lesser(course, policy):
    """The best of what needs no confirmation, SD aside."""
    seen = set()
    for day, response in course:
        if response == "NON-CR/NON-PD" and (_old_enough(day, policy) or policy.non_cr_non_pd_min == "none"):
            seen.add(response)
        if response == "NED":
            seen.add(response)
        if response == "PD" and (policy.bor_pd_max_days is None or day <= policy.bor_pd_max_days):
            seen.add(response)
    return seen


def _unconfirmed(course, policy):
    seen = _lesser(course, policy) | {r for _, r in course if r in ("CR", "PR")} | {"NE"}
    if any(r == "SD" and _old_enough(day, policy) for day, r in course):
        seen.add("SD")
    responded = [day for day, r in course if r in ("CR", "PR")]
    return min(seen, key=BEST.index), (responded[0] if responded else None)


def _confirmed(course, policy):
    days, words = [day for day, _ in course], [word for _, word in course]
    complete = [i for i in range(len(words)) if _confirms(i, days, words, ("CR",), policy)]
    if policy.cr_then_pr == "pr":
        for i in range(len(words)):
            if words[i] == "CR" and not any(k <= i for k in complete) and "PR" in words[i + 1 :]:
                words[i] = "PR"
    partial = [i for i in range(len(words)) if _confirms(i, days, words, ("CR", "PR"), policy)]
    if complete:
        return "CR", min(days[i] for i in complete + partial)
    if partial:
        return "PR", days[partial[0]]
    return _no_response(course, words, policy), None


def _confirms(i, days, words, by, policy):
    """Whether the response i, a CR if only CR may confirm it and a PR otherwise, is confirmed by any later one."""
    if words[i] != ("CR" if by == ("CR",) else "PR"):
        return False
    candidates = range(i + 1, len(words))
    if policy.confirming == "next":
        candidates = candidates[:1]
    return any(
        words[j] in by
        and days[j] - days[i] >= policy.confirmation_days
        and _may_lie_between(words[i + 1 : j], words[i + 1 : j + 1], by, policy)
        for j in candidates
    )


def _may_lie_between(between, with_last, by, policy):
    allowed = {"CR", "NE"} if by == ("CR",) else {"CR", "PR", "NE", "SD"}
    if set(between) - allowed or between.count("NE") > policy.max_ne or between.count("SD") > policy.max_sd:
        return False
    return "CR" not in with_last or "PR" not in with_last[with_last.index("CR") :]


def _no_response(course, words, policy):
    """``words`` are the responses as counted, ``course`` as recorded."""
    recorded = [word for _, word in course]
    followed = [i for i, word in enumerate(recorded) if word == "CR" and "PR" in recorded[i + 1 :]]
    if followed and policy.cr_then_pr == "sd_at_cr":
        return (
            "SD"
            if any(_old_enough(course[i][0], policy) for i in followed)
            else _or_better("PD", course, policy)
        )
    if any(word in ("CR", "PR", "SD") and _old_enough(day, policy) for day, word in course):
        return "SD"
    if "CR" in words and {"PR", "SD"} & set(words[words.index("CR") :]):
        return _or_better("PD", course, policy)
    return _or_better("NE", course, policy)


def _or_better(word, course, policy):
    return min(_lesser(course, policy) | {word}, key=BEST.index)
