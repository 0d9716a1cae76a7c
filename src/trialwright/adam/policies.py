"""The study's words turned into the policies of medicine; a wrong word names its file and key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from trialwright.adam import safety_astct
from trialwright.medicine import astct, ctcae, qlq_c30, recist
from trialwright.standards.errors import InputError
from trialwright.study.model import Deterioration, Study

P = TypeVar("P")
Words = Mapping[str, object]


def response(study: Study, changes: Words | None = None, key: str = "response") -> recist.Policy:
    """The study's reading of RECIST, with what an endpoint changes."""
    return _made(recist.Policy, f"{key}.policy", {**study.response.policy, **(changes or {})})


def deterioration(family: Deterioration) -> qlq_c30.Deterioration:
    """What counts as a deterioration in a family of endpoints."""
    return _made(qlq_c30.Deterioration, f"endpoints.{family.id}.policy", family.policy)


def laboratory(study: Study) -> ctcae.Policy:
    """How laboratory values are graded."""
    return _made(ctcae.Policy, "laboratory.policy", study.laboratory.policy)


def syndromes(study: Study) -> astct.Policy:
    """How CRS and ICANS are graded; also refuses a component that ASTCT does not have."""
    for category, components in (("CRS", study.sources.crs), ("ICANS", study.sources.icans)):
        known = safety_astct.COMPONENTS[category]
        if strange := sorted(set(components) - set(known)):
            raise InputError(
                f"sources.toml: {category.lower()}.{strange[0]}: ASTCT has no component of that name; "
                f"it has {', '.join(known)}"
            )
    return _made(astct.Policy, "adverse_events.astct_policy", study.adverse_events.astct_policy)


def faults(study: Study) -> tuple[str, ...]:
    """Every word of the study that medicine does not know, as the key and a sentence.

    The file stands before the key where it is not study.toml.
    """
    return tuple(_faults(study))


def _faults(study: Study) -> Iterator[str]:
    checks: list[Callable[[], object]] = [
        lambda: response(study),
        lambda: laboratory(study),
        lambda: syndromes(study),
    ]
    checks += [lambda f=family: deterioration(f) for family in study.endpoints.deterioration]  # type: ignore[misc]
    checks += [
        lambda e=best: response(study, e.policy, f"endpoints.{e.id}")  # type: ignore[misc]
        for best in study.endpoints.best_response
    ]
    for check in checks:
        try:
            check()
        except InputError as error:
            yield str(error).removeprefix("study.toml: ")


def _made(kind: Callable[..., P], key: str, words: Words) -> P:
    try:
        return kind(**words)
    except TypeError as error:
        unknown = str(error).rpartition("argument ")[2] or str(error)
        raise InputError(f"study.toml: {key}: there is no word {unknown}") from error
    except ValueError as error:
        raise InputError(f"study.toml: {key}: {error}") from error
