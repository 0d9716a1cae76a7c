"""Changes one threshold, comparison, operator or table entry of a module at a time and runs its tests.

    python tests/mutate.py src/trialwright/medicine/recist --tests tests/spec/test_recist_*.py

A change that no test notices survives and is printed with its line: a rule without a test, or code without a use.
The checkout is not touched: the mutant lives in a copy of src that comes first on the path.
"""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

HELPERS = {file.stem for file in Path(__file__).parent.glob("*.py")}
COMPARISONS = {
    ast.GtE: ast.Gt,
    ast.Gt: ast.GtE,
    ast.LtE: ast.Lt,
    ast.Lt: ast.LtE,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
OPERATORS = {
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
}
CALLS = {"min": "max", "max": "min", "any": "all", "first": "last", "last": "first", "cum_min": "cum_max"}
CALLS |= {
    "min_horizontal": "max_horizontal",
    "max_horizontal": "min_horizontal",
    "any_horizontal": "all_horizontal",
}


def changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Each way to change this one node: what is said of it, and the node to stand in its place."""
    copy = ast.copy_location
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        other = COMPARISONS[type(node.ops[0])]()
        yield (
            type(other).__name__,
            copy(ast.Compare(node.left, [other, *node.ops[1:]], node.comparators), node),
        )
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        other_op = OPERATORS[type(node.op)]()
        yield type(other_op).__name__, copy(ast.BinOp(node.left, other_op, node.right), node)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
        yield "without ~", node.operand
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield f"{not node.value}", copy(ast.Constant(not node.value), node)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        for value in (
            (node.value + 1, node.value - 1) if isinstance(node.value, int) else (node.value * 1.01 or 1.0,)
        ):
            yield f"{value}", copy(ast.Constant(value), node)
    if isinstance(node, ast.List | ast.Tuple) and len(node.elts) > 1 and isinstance(node.ctx, ast.Load):
        for k, element in enumerate(node.elts):
            if isinstance(element, ast.Constant | ast.Call):
                left = [*node.elts[:k], *node.elts[k + 1 :]]
                yield f"without {ast.unparse(element)[:60]}", copy(type(node)(left, node.ctx), node)
    if isinstance(node, ast.Attribute) and node.attr in CALLS:
        yield CALLS[node.attr], copy(ast.Attribute(node.value, CALLS[node.attr], node.ctx), node)


class Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)


def mutants(source: str) -> Iterator[tuple[int, str, str]]:
    """Line, what was changed, and the changed source; annotations, decorators and lists of exports are left alone."""
    spared = _spared(ast.parse(source))
    for k, original in enumerate(ast.walk(ast.parse(source))):
        if k in spared:
            continue
        for j, (what, _) in enumerate(changes(original)):
            tree = ast.parse(source)
            node = list(ast.walk(tree))[k]
            new = list(changes(node))[j][1]
            changed = ast.fix_missing_locations(Replace(node, new).visit(tree))
            yield original.lineno, f"{ast.unparse(original)[:70]} -> {what}", ast.unparse(changed)


def _spared(tree: ast.AST) -> set[int]:
    parts: list[ast.AST | None] = []
    for node in ast.walk(tree):
        parts += [getattr(node, "annotation", None), getattr(node, "returns", None)]
        parts += getattr(node, "decorator_list", [])
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            parts.append(node.value)
    inside = {id(inner) for part in parts if part is not None for inner in ast.walk(part)}
    return {k for k, node in enumerate(ast.walk(tree)) if id(node) in inside}


def survives(place: Path, source: str, tests: list[str]) -> bool:
    """Whether the tests pass with this source; each run imports the package and the tests anew."""
    place.write_text(source)
    for name in [m for m in sys.modules if m.split(".")[0] in ("trialwright", "tests") or m in HELPERS]:
        del sys.modules[name]
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        return pytest.main(["-q", "-x", "-p", "no:cacheprovider", *tests]) == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="+", help="files or folders under src")
    parser.add_argument("--tests", nargs="+", required=True)
    asked = parser.parse_args()
    files = [
        f for m in asked.modules for f in (sorted(Path(m).rglob("*.py")) if Path(m).is_dir() else [Path(m)])
    ]
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder, "src")
        shutil.copytree("src", package, ignore=shutil.ignore_patterns("__pycache__"))
        sys.path.insert(0, str(package))
        sys.dont_write_bytecode = True
        tried, alive = 0, 0
        for file in files:
            place, source = package / file.relative_to("src"), file.read_text()
            if not survives(place, source, asked.tests):
                raise SystemExit("the tests fail without any change")
            for line, what, changed in mutants(source):
                tried += 1
                if survives(place, changed, asked.tests):
                    alive += 1
                    say(f"survived {file}:{line}  {what}")
            place.write_text(source)
        say(f"{tried} changes, {alive} survived")
    return int(alive > 0)


def say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
