"""Writes the reference of a study folder's files, ``docs/study-files.md``, from the models: ``make manual``.

One row per key: type, default, and the meaning as its model says it, in the docstring below the key.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import types
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Union, get_args, get_origin

from pydantic.fields import FieldInfo

from trialwright.simulate import design, design_looks
from trialwright.study import model, sources, words
from trialwright.study.base import Frozen

ROOT = Path(__file__).parents[1]
PAGE = "docs/study-files.md"

PREFACE = """
<!-- Written by `make manual` from the models in src/trialwright/study and simulate; change those. -->

# The files of a study folder

Every key that a file may have; any other is a fault that `trialwright check` names. An empty default is
none, or an empty list. A *label* is a text, or texts by language (`{ en = "…", fr = "…" }`); *words* are one
text or a list of them; *id*, *variable* and *PARAMCD* are short names. Under a heading like
`endpoints.time_to_event[]` stand the keys of each table `[[endpoints.time_to_event]]`.
""".strip()

FILES = {
    "study.toml": "What is promised.",
    "sources.toml": "Where each named fact stands in SDTM.",
    "assumptions.toml": "What is not public; each is a table `[[assumption]]`.",
    "schedule.csv": "The protocol's grid: the first row names the visits, the rows `day` and `window` give "
    "the day after randomisation and the window of each, every further row is an activity with its visits.",
    "registry.csv` or `registry.json": "The registered record as the registry exports it.",
    "scenarios/*.toml": "What the simulator may assume, read by `trialwright rehearse`; "
    "`src/trialwright/simulate/scenario.py` says its keys.",
    "scenarios/design-*.toml": "What a trial is designed on, read by `trialwright simulate` and "
    "`trialwright design`. Times are in months, hazards a month.",
}
DESIGN = "scenarios/design-*.toml"
ELSEWHERE = {"sources", "assumptions", "schedule", "record", "scenarios"}


def tables() -> Iterator[tuple[str, str, type[Frozen]]]:
    """File, table and model, in the order of the page."""
    yield "study.toml", "", model.Study
    yield from (("study.toml", *found) for found in _inner("", model.Study, ELSEWHERE))
    yield "sources.toml", "", sources.Sources
    yield from (("sources.toml", *found) for found in _inner("", sources.Sources, set()))
    yield "assumptions.toml", "assumption[]", model.Assumption
    yield DESIGN, "", design.Design
    yield from ((DESIGN, place, of) for of, place in of_design().items())


def of_design() -> dict[type[Frozen], str]:
    """Each table of a design once, where it stands first."""
    found: dict[type[Frozen], str] = {}
    for place, of in _inner("", design.Design, set()):
        found.setdefault(of, place)
    return found


def _inner(path: str, of: type[Frozen], skipped: set[str]) -> Iterator[tuple[str, type[Frozen]]]:
    for name, field in of.model_fields.items():
        if (found := _model(field.annotation)) and name not in skipped:
            outer, inner = found
            place = f"{path}.{name}".lstrip(".") + {tuple: "[]", dict: ".NAME"}.get(outer, "")
            yield place, inner
            yield from _inner(place, inner, set())


def _model(annotation: object) -> tuple[type | None, type[Frozen]] | None:
    """The table behind a key: alone, in a list, or by name."""
    if isinstance(annotation, type) and issubclass(annotation, Frozen):
        return None, annotation
    outer = get_origin(annotation)
    for part in get_args(annotation):
        if isinstance(part, type) and issubclass(part, Frozen):
            return None if outer in (Union, types.UnionType) else tuple if outer is tuple else dict, part
    return None


def keys(of: type) -> dict[str, tuple[str, str]]:
    """Each key of a model as its source has it: the annotation, and the docstring below."""
    body = ast.parse(inspect.getsource(of)).body[0].body  # type: ignore[attr-defined]
    own = {
        ast.unparse(node.target): (ast.unparse(node.annotation), _below(after))
        for node, after in zip(body, [*body[1:], None], strict=True)
        if isinstance(node, ast.AnnAssign)
    }
    inherited = of.__mro__[1]
    return own | keys(inherited) if issubclass(inherited, Frozen) and inherited is not Frozen else own


def _below(node: ast.stmt | None) -> str:
    text = node.value if isinstance(node, ast.Expr) else None
    return " ".join(str(text.value).split()).replace("``", "`") if isinstance(text, ast.Constant) else ""


def glossary() -> dict[str, str]:
    """The docstring of each named list of words."""
    body = ast.parse(inspect.getsource(words)).body
    return {
        ast.unparse(node.targets[0]): _below(after)
        for node, after in pairwise(body)
        if isinstance(node, ast.Assign)
    }


def kind(annotation: str) -> str:
    """A type in words: the words it may be, or what it holds."""
    if match := re.fullmatch(r"words\.(\w+)( \| None)?", annotation):
        return " or ".join(f"`{word}`" for word in get_args(getattr(words, match[1])))
    if match := re.fullmatch(r"tuple\[words\.(\w+), \.\.\.\]", annotation):
        return "list of " + ", ".join(f"`{word}`" for word in get_args(getattr(words, match[1])))
    if match := re.search(r"pattern='\^\((.+)\)\$'|^Literal\[(.+)\]$", annotation):
        return " or ".join(f"`{word}`" for word in re.findall(r"[\w-]+", match[1] or match[2]))
    plain = re.sub(r"Annotated\[(\w+), Field\([^()]*\)\]", r"\1", annotation)
    plain = re.sub(r"Annotated\[(\w+), .*\]$", r"\1", plain).replace(" | None", "")
    if match := re.fullmatch(r"tuple\[(.+), \.\.\.\]", plain):
        return f"list of {kind(match[1])}"
    if match := re.fullmatch(r"Mapping\[str, (.+)\]", plain):
        return f"table of {kind(match[1])}"
    return NAMES.get(plain, plain if " | " not in plain else "text, number or boolean")


NAMES = {
    "str": "text",
    "int": "whole number",
    "float": "number",
    "bool": "boolean",
    "date": "date",
    "Id": "id",
    "Label": "label",
    "Paramcd": "PARAMCD",
    "Variable": "variable",
    "Words": "words",
    "Where": "table of words",
    "Texts": "table of text",
    "Any": "anything",
    "Positive": "number, above 0",
    "Factor": "number, above 0, at most 1000000",
    "Months": "number, 0.001 to 100000",
    "Rate": "number, 0 to 1000000",
    "Share": "number, 0 or more, below 1",
    "Bounds": "table of lists of numbers",
    "Endpoint": " or ".join(f"`{word}`" for word in get_args(design_looks.Endpoint)),
    "Spending": " or ".join(f"`{word}`" for word in get_args(design_looks.Spending)),
}
LIMITED = {NAMES[name] for name in ("Positive", "Factor", "Months", "Rate", "Share")}


def limits(field: FieldInfo) -> str:
    said = {
        "gt": "above {}",
        "ge": "{} or more",
        "lt": "below {}",
        "le": "at most {}",
        "min_length": "at least {}",
    }
    given = [
        (name, getattr(limit, name)) for limit in field.metadata for name in said if hasattr(limit, name)
    ]
    return "".join(f", {said[name].format(value)}" for name, value in given)


def default(field: FieldInfo) -> str:
    if field.is_required():
        return "*must be given*"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, Frozen) or value is None or value in ("", (), {}):
        return ""
    if isinstance(value, tuple) and isinstance(value[0], Frozen):
        return "one for all"
    if isinstance(value, tuple):
        return ", ".join(f"`{item}`" for item in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def table(of: type[Frozen], skipped: set[str]) -> Iterator[str]:
    yield "| key | type | default | meaning |\n| --- | --- | --- | --- |"
    means = glossary()
    for name, (annotation, meaning) in keys(of).items():
        field, inner = of.model_fields[name], _model(of.model_fields[name].annotation)
        listed = re.search(r"words\.(\w+)", annotation)
        told = [meaning, means.get(listed[1], "") if listed else ""]
        if inner:
            type_ = {tuple: "list of tables", dict: "tables by name", None: "table"}[inner[0]]
            type_ += _told(of, name, inner[1])
        else:
            type_ = kind(annotation)
            type_ += "" if type_ in LIMITED else limits(field)
        if name not in skipped:
            yield f"| `{name}` | {type_} | {default(field)} | {' '.join(filter(None, told))} |"


def _told(of: type[Frozen], name: str, inner: type[Frozen]) -> str:
    """Where the keys of a table stand: of a design each kind of table is told once."""
    first, here = of_design().get(inner), of_design().get(of, "")
    if first in (None, *(f"{here}.{name}{end}".lstrip(".") for end in ("", "[]"))):
        return ", below"
    return f", as `{first}`"


def page() -> str:
    """The whole reference."""
    blocks = [PREFACE, "\n".join(f"- `{file}`: {said}" for file, said in FILES.items())]
    last = ""
    for file, path, of in tables():
        blocks += [f"## {file}"] * (file != last)
        last = file
        blocks += [f"### {path}"] * bool(path)
        own = inspect.cleandoc(of.__doc__ or "") if of.__doc__ != Frozen.__doc__ else ""
        blocks += [own.replace("``", "`")] * bool(own)
        blocks.append("\n".join(table(of, ELSEWHERE if of is model.Study else set())))
    return "\n\n".join(blocks) + "\n"


def main() -> None:
    (ROOT / PAGE).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
