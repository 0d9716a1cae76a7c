"""What a test expects, in words that need no Python."""

from __future__ import annotations

import ast
import datetime as dt

from manual_words import drawn, grid, plain

MODULES = {
    "pl",
    "dt",
    "pytest",
    "recist",
    "irecist",
    "astct",
    "qlq_c30",
    "dates",
    "adtte",
    "adrs",
    "registry",
}
KEPT = {"to_list", "rows", "row", "to_series", "cast", "sort", "drop_nulls", "strip"}


class UnsayableError(Exception):
    """What only code can say."""


class Speaker(ast.NodeVisitor):
    """Says expressions: a call by what it is given, a variable by its value, a drawn table not at all.

    ``known`` are variables by value; ``cases`` are the columns of the test's cases.
    """

    def __init__(self, known: dict[str, ast.expr], cases: set[str]) -> None:
        self.known, self.cases = known, cases

    def say(self, node: ast.AST | None) -> str:
        """Raises ``UnsayableError``."""
        return "" if node is None or drawn(node) else str(self.visit(node))

    def generic_visit(self, node: ast.AST) -> str:
        raise UnsayableError(type(node).__name__)

    def visit_Constant(self, node: ast.Constant) -> str:
        if node.value is None:
            return "–"
        return str(node.value).lower() if isinstance(node.value, bool) else plain(str(node.value))

    def visit_JoinedStr(self, node: ast.JoinedStr) -> str:
        return "".join(map(self.say, node.values))

    def visit_FormattedValue(self, node: ast.FormattedValue) -> str:
        return f"({self.say(node.value)})"

    def visit_Name(self, node: ast.Name) -> str:
        if node.id in self.known:
            return self.say(self.known[node.id])
        if node.id not in self.cases:
            raise UnsayableError(node.id)
        return plain(node.id)

    def visit_Tuple(self, node: ast.Tuple | ast.List | ast.Set) -> str:
        cells = [
            f"({self.say(cell)})" if isinstance(cell, ast.Tuple) else self.say(cell) for cell in node.elts
        ]
        return ", ".join(cell for cell in cells if cell)

    visit_List = visit_Set = visit_Tuple  # noqa: N815 - the names that ast gives

    def visit_Starred(self, node: ast.Starred) -> str:
        return self.say(node.value)

    def visit_Dict(self, node: ast.Dict) -> str:
        pairs = zip(node.keys, node.values, strict=True)
        return ", ".join(f"{self.say(key)} {self.say(value)}".strip() for key, value in pairs)

    def visit_Compare(self, node: ast.Compare) -> str:
        if not isinstance(node.ops[0], ast.Eq):
            raise UnsayableError(ast.unparse(node))
        return f"{self.say(node.left)} = {self.say(node.comparators[0])}"

    def visit_UnaryOp(self, node: ast.UnaryOp) -> str:
        return self._sum(node)

    def visit_BinOp(self, node: ast.BinOp) -> str:
        if isinstance(node.left, ast.List) and isinstance(node.right, ast.Constant):
            cells, times = self.say(node.left), node.right.value
            return ", ".join([cells] * times) if times < 7 else f"{cells} ({times} times)"
        return self._sum(node)

    def _sum(self, node: ast.expr) -> str:
        if any(
            isinstance(part, ast.Call | ast.Attribute | ast.Subscript | ast.List | ast.Name)
            for part in ast.walk(node)
        ):
            raise UnsayableError(ast.unparse(node))
        return plain(ast.unparse(node))

    def visit_Subscript(self, node: ast.Subscript | ast.Call) -> str:
        return ": ".join(part for part in self.asked(node) if part)

    visit_Call = visit_Subscript  # noqa: N815

    def asked(self, node: ast.AST) -> tuple[str, str]:  # noqa: PLR0911 - a line for each form
        """What is given, and the name of the value that is asked for."""
        match node:
            case ast.Subscript(value=value, slice=ast.Constant(value=str(key))):
                return self.asked(value)[0] if _is_method(value) else self._given(value), str(key)
            case ast.Subscript(value=value, slice=ast.Constant() | ast.UnaryOp() as index):
                (given, key), row = self.asked(value), ast.literal_eval(index)
                return given, f"{key}, {'last' if row == -1 else f'row {row + 1}'}" if key else ""
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=verb)) if name in MODULES:
                return self._function(node, verb), ""
            case ast.Call(func=ast.Attribute(value=value, attr=verb)):
                return self._method(node, value, verb)
            case ast.Call(func=ast.Name(id=name)):
                return self._function(node, name), ""
            case ast.Call() | ast.Subscript():
                raise UnsayableError(ast.unparse(node))
            case ast.Name(id=name) if name not in self.known and name not in self.cases:
                return "", ""
        return self._given(node), ""

    def _function(self, call: ast.Call, name: str) -> str:
        if name == "date":
            return dt.date(*map(ast.literal_eval, call.args)).isoformat()
        return self.say(call.args[0]) if name in ("approx", "near") else self.arguments(call)

    def _method(self, call: ast.Call, value: ast.expr, verb: str) -> tuple[str, str]:
        """What a frame is asked for: columns of it, rows of it, or the frame with something changed."""
        given, key = self.asked(value)
        match verb, call.args:
            case "select", columns:
                key = ", ".join(map(self.say, columns))
            case "item", [_, ast.Constant(value=name)]:
                key = str(name)
            case "replace", [old, new]:
                words = f"“{self.say(new)}” in place of “{self.say(old).strip()}”"
                given = f"{given} {' '.join(words.split())}".strip()
            case "with_columns" | "filter", _:
                given = ", ".join(part for part in (given, self.arguments(call)) if part)
            case _ if verb not in KEPT:
                raise UnsayableError(verb)
        return given, key

    def _given(self, node: ast.AST) -> str:
        unknown = isinstance(node, ast.Name) and node.id not in self.known and node.id not in self.cases
        return "" if unknown else self.say(node)

    def arguments(self, call: ast.Call) -> str:
        said = [self._given(argument) for argument in call.args]
        said = said if set(said) - {"", "–"} else []
        for keyword in call.keywords:
            value = self.say(keyword.value) if ast.unparse(keyword.value) != keyword.arg else ""
            said.append(f"{keyword.arg} = {value}" if keyword.arg and value else "")
        return ", ".join(part for part in said if part)

    def expectation(self, left: ast.expr, right: ast.expr) -> str:
        """A line of a list, or a table where rows are expected; empty where only code could say it."""
        if isinstance(right, ast.Name):
            right = self.known.get(right.id, right)
        try:
            return self._rows(left, right) or self._line(left, right)
        except UnsayableError:
            return ""

    def _rows(self, left: ast.expr, right: ast.expr) -> str:
        rows = [row.elts for row in getattr(right, "elts", []) if isinstance(row, ast.Tuple)]
        if not rows or not isinstance(right, ast.List):
            return ""
        heads = [node.args for node in ast.walk(left) if isinstance(node, ast.Call) and _selects(node)]
        head = [self.say(name) for name in heads[0]] if heads else []
        width = len(rows[0])
        return grid(
            [head if len(head) == width else [""] * width, *([self.say(c) for c in row] for row in rows)]
        )

    def _line(self, left: ast.expr, right: ast.expr) -> str:
        if isinstance(left, ast.DictComp) and isinstance(right, ast.Dict):
            return f"- **{self.say(right)}**"
        pairs = [(left, right)]
        if isinstance(left, ast.Tuple) and isinstance(right, ast.Tuple) and len(left.elts) == len(right.elts):
            pairs = list(zip(left.elts, right.elts, strict=True))
        asked = [self._named(one) for one, _ in pairs]
        answers = [self._answer(other) for _, other in pairs]
        if not all(key for _, key in asked) and any(answer.startswith("*column") for answer in answers):
            return ""
        told = [
            f"{key} is {said}" if key else f"gives {said}"
            for (_, key), said in zip(asked, answers, strict=True)
        ]
        givens = list(dict.fromkeys(given for given, _ in asked))
        if len(givens) == 1 and len({key for _, key in asked}) < len(asked):
            raise UnsayableError("which is which")
        if len(givens) == 1:
            return f"- {givens[0]}: {', '.join(told)}" if givens[0] else f"- {', '.join(told)}"
        return "- " + "; ".join(f"{given}: {said}" for (given, _), said in zip(asked, told, strict=True))

    def _named(self, node: ast.expr) -> tuple[str, str]:
        given, key = self.asked(node)
        alone = isinstance(node, ast.Name) and node.id not in self.cases and not (given or key)
        return given, node.id.replace("_", " ") if alone else key

    def _answer(self, node: ast.expr) -> str:
        numbers = ("pytest.approx", "near", "dt.date")
        if isinstance(node, ast.Subscript) or (
            isinstance(node, ast.Call) and ast.unparse(node.func) not in numbers
        ):
            raise UnsayableError(ast.unparse(node))
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} & self.cases
        if not names:
            return f"**{self.say(node) or 'nothing'}**"
        if ast.unparse(node).strip("[]") not in names:
            raise UnsayableError(ast.unparse(node))
        return f"*column {names.pop()}*"


def _is_method(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and not (isinstance(node.func.value, ast.Name) and node.func.value.id in MODULES)
    )


def _selects(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "select"
