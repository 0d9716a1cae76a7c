"""The ways in which ``mutate.py`` changes a module: one threshold, comparison, operator, word, condition or step at a time.

Not changed, because no rule is in them: annotations, decorators, lists of exports, prose (a text with a blank in it),
and keywords that choose how polars works and not what it answers.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

BEYOND = {ast.GtE: ast.Gt, ast.Gt: ast.GtE, ast.LtE: ast.Lt, ast.Lt: ast.LtE}  # the limit itself
NEGATED = {
    **{ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.Lt: ast.GtE},
    **{ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In},
    **{ast.Is: ast.IsNot, ast.IsNot: ast.Is},
}
OPERATORS = {
    **{ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And},
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult},
    **{ast.FloorDiv: ast.Div, ast.Mod: ast.Mult, ast.Pow: ast.Mult},
}
_PAIRS = (
    *(("min", "max"), ("first", "last"), ("any", "all"), ("cum_min", "cum_max"), ("ceil", "floor")),
    *(("is_null", "is_not_null"), ("eq_missing", "ne_missing"), ("forward_fill", "backward_fill")),
    *(("any_horizontal", "all_horizontal"), ("min_horizontal", "max_horizontal")),
    *(("minimum", "maximum"), ("is_first_distinct", "is_last_distinct"), ("head", "tail")),
    *(("arg_min", "arg_max"), ("starts_with", "ends_with"), ("flatnonzero", "nonzero")),
)
CALLS = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])} | {"sum": "max", "count": "len"}
WORDS = {a: b for a, b in (("first", "last"), ("forward", "backward"), ("left", "inner"))}
WORDS |= {b: a for a, b in WORDS.items()}
WITHOUT = (  # x.call(...) -> x
    *("filter", "fill_null", "fill_nan", "round", "drop_nulls", "unique", "sort", "clip", "abs", "over"),
    *("otherwise", "forward_fill", "backward_fill", "shift", "cum_min", "cum_max", "cum_sum", "cum_count"),
    *("strip_chars", "to_uppercase", "to_lowercase", "strip_prefix", "replace", "replace_all", "copy"),
)
EACH_ARGUMENT = (
    *("any_horizontal", "all_horizontal", "min_horizontal", "max_horizontal", "sum_horizontal", "coalesce"),
    *("sort", "over", "group_by", "unique", "drop_nulls", "concat_list", "range", "min", "max"),
)
NO_RULE = (
    "maintain_order",
    "schema_overrides",
    "check_sortedness",
    "strict",
    "orient",
    "dtype",
    "return_dtype",
    "stacklevel",
)
GENERIC = ("Literal", "Mapping", "Sequence", "Callable", "dict", "list", "tuple")


@dataclass(frozen=True, slots=True)
class Mutant:
    """Where, what, and the tree or text while it is changed; ``owner`` is the function, or "" of a module."""

    line: int
    owner: str
    what: str
    tree: ast.Module


def mutants(source: str) -> Iterator[Mutant]:
    """Each change of a module, one at a time: the tree is as changed until the next is asked for."""
    tree = ast.parse(source)
    spared, owners = _spared(tree), _owners(tree)
    for parent, field, index, node in list(_places(tree)):
        if id(node) in spared:
            continue
        said = " ".join(ast.unparse(node).split())[:70]
        for what, new in list(changes(node)):
            with _put(parent, field, index, ast.copy_location(new, node)):
                ast.fix_missing_locations(new)
                yield Mutant(getattr(node, "lineno", 0), owners.get(id(node), ""), f"{said} -> {what}", tree)


def changes(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """Each way to change this one node: what is said of it, and the node to stand in its place."""
    for rule in (_comparison, _operator, _condition, _constant, _collection, _call, _statement):
        yield from rule(node)


def _comparison(node: ast.AST) -> Iterator[tuple[str, Any]]:
    for k, op in enumerate(node.ops if isinstance(node, ast.Compare) else ()):
        for other in dict.fromkeys(t[type(op)] for t in (BEYOND, NEGATED) if type(op) in t):
            ops = [*node.ops[:k], other(), *node.ops[k + 1 :]]
            yield other.__name__, ast.Compare(node.left, ops, node.comparators)


def _operator(node: ast.AST) -> Iterator[tuple[str, Any]]:
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        other = OPERATORS[type(node.op)]()
        yield type(other).__name__, ast.BinOp(node.left, other, node.right)
        if isinstance(node.op, ast.BitAnd | ast.BitOr):
            yield "left side only", node.left
            yield "right side only", node.right
    if isinstance(node, ast.BoolOp):
        other = OPERATORS[type(node.op)]()
        yield type(other).__name__, ast.BoolOp(other, node.values)
        for k in range(len(node.values)):
            left = [*node.values[:k], *node.values[k + 1 :]]
            yield f"without {_short(node.values[k])}", ast.BoolOp(node.op, left) if left[1:] else left[0]
    if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.UAdd):
        yield f"without {type(node.op).__name__}", node.operand


def _condition(node: ast.AST) -> Iterator[tuple[str, Any]]:
    if isinstance(node, ast.IfExp):
        yield "the other way round", ast.IfExp(node.test, node.orelse, node.body)
    if isinstance(node, ast.If | ast.While):
        yield "if not", type(node)(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
    for k, test in enumerate(node.ifs if isinstance(node, ast.comprehension) else ()):
        left = [*node.ifs[:k], *node.ifs[k + 1 :]]
        yield f"without if {_short(test)}", ast.comprehension(node.target, node.iter, left, node.is_async)


def _constant(node: ast.AST) -> Iterator[tuple[str, Any]]:
    value = node.value if isinstance(node, ast.Constant) else None
    others: tuple[object, ...] = ()
    if isinstance(value, bool):
        others = (not value,)
    elif isinstance(value, int):
        others = (value + 1, value - 1)
    elif isinstance(value, float):
        others = (value * 1.01, value * 0.99) if value else (0.01, -0.01)
    elif isinstance(value, str) and value and " " not in value.strip():
        others = (WORDS.get(value, f"{value}_"),)
    yield from ((repr(other), ast.Constant(other)) for other in others)


def _collection(node: ast.AST) -> Iterator[tuple[str, Any]]:
    if isinstance(node, ast.Dict) and len(node.keys) > 1:
        pairs = list(zip(node.keys, node.values, strict=True))
        for k, (key, value) in enumerate(pairs):
            left = [*pairs[:k], *pairs[k + 1 :]]
            yield f"without {_short(key or value)}", ast.Dict([a for a, _ in left], [b for _, b in left])
    if isinstance(node, ast.List | ast.Tuple | ast.Set) and isinstance(
        getattr(node, "ctx", None), ast.Load | None
    ):
        for elements, what in _fewer(node.elts):
            yield what, _like(node, elements)
        if all(isinstance(element, ast.Call | ast.Tuple) for element in node.elts):
            for elements, what in _swapped(node.elts):
                yield what, _like(node, elements)


def _like(node: Any, elements: list[ast.expr]) -> ast.expr:
    return ast.Set(elements) if isinstance(node, ast.Set) else type(node)(elements, node.ctx)


def _fewer(elements: list[ast.expr]) -> Iterator[tuple[list[ast.expr], str]]:
    for k, element in enumerate(elements if len(elements) > 1 else ()):
        yield [*elements[:k], *elements[k + 1 :]], f"without {_short(element)}"


def _swapped(elements: list[ast.expr]) -> Iterator[tuple[list[ast.expr], str]]:
    for k in range(len(elements) - 1):
        if ast.unparse(elements[k]) == ast.unparse(elements[k + 1]):
            continue
        pair = [elements[k + 1], elements[k]]
        yield [*elements[:k], *pair, *elements[k + 2 :]], f"{_short(elements[k])} after the next"


def _call(node: ast.AST) -> Iterator[tuple[str, Any]]:
    if not isinstance(node, ast.Call):
        return
    name = _name(node)
    if name in CALLS and not (name in ("count", "sum") and node.args):
        yield CALLS[name], ast.Call(_renamed(node.func, CALLS[name]), node.args, node.keywords)
    if isinstance(node.func, ast.Attribute):
        yield from _method(node, node.func, name)
    if name in EACH_ARGUMENT:
        for arguments, what in _fewer(node.args):
            yield what, ast.Call(node.func, arguments, node.keywords)
    if name == "coalesce":
        for arguments, what in _swapped(node.args):
            yield what, ast.Call(node.func, arguments, node.keywords)
    if name == "where" and len(node.args) == 3:
        yield "the other way round", ast.Call(node.func, [node.args[0], node.args[2], node.args[1]], [])


def _method(node: ast.Call, func: ast.Attribute, name: str) -> Iterator[tuple[str, Any]]:
    nothing = name == "otherwise" and ast.unparse(node.args[0]) in ("None", "pl.lit(None)")
    if name in WITHOUT and not nothing:
        yield f"without .{name}", func.value
    if name in ("when", "filter") and len(node.args) == 1:
        no = ast.UnaryOp(ast.Invert(), _expression(node.args[0]))
        yield f"{name} not", ast.Call(func, [no], node.keywords)
    if name == "shift":
        by = node.args[0] if node.args else ast.Constant(1)
        yield "the other direction", ast.Call(func, [ast.UnaryOp(ast.USub(), by)], node.keywords)
    before = func.value
    if name == "then" and _name(before) == "when" and _name(_object(before)) == "then":
        yield "without this when", _object(before)
    if name == "when" and _name(before) == "then" and _name(_object(before)) == "when":
        yield (
            "without the when before",
            ast.Call(ast.Attribute(_object(_object(before)), "when", ast.Load()), node.args, []),
        )


def _statement(node: ast.AST) -> Iterator[tuple[str, Any]]:
    targets = node.targets if isinstance(node, ast.Assign) else []
    used = ast.walk(node.value) if isinstance(node, ast.Assign) else ()
    again = {ast.unparse(t) for t in targets} & {inner.id for inner in used if isinstance(inner, ast.Name)}
    into = any(isinstance(target, ast.Subscript | ast.Attribute) for target in targets)
    call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    if again or into or call or isinstance(node, ast.AugAssign | ast.Raise):
        yield "nothing", ast.Pass()


def _name(node: Any) -> str:
    func = getattr(node, "func", None) if isinstance(node, ast.Call) else None
    return str(getattr(func, "attr", getattr(func, "id", "")))


def _object(node: Any) -> Any:
    return node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else node


def _renamed(func: ast.expr, name: str) -> ast.expr:
    if isinstance(func, ast.Attribute):
        return ast.Attribute(func.value, name, func.ctx)
    return ast.Name(name, ast.Load())


def _expression(condition: ast.expr) -> ast.expr:
    """``pl.when`` and ``.filter`` take the name of a column for the column."""
    if isinstance(condition, ast.Constant):
        return ast.parse(f"pl.col({condition.value!r})", mode="eval").body
    return condition


def _short(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:60]


def _places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(node, ast.AST):
                    yield parent, field, index, node


@contextmanager
def _put(parent: ast.AST, field: str, index: int | None, new: ast.AST) -> Iterator[None]:
    holder: Any = getattr(parent, field) if index is not None else parent.__dict__
    key: Any = field if index is None else index
    old = holder[key]
    holder[key] = new
    try:
        yield
    finally:
        holder[key] = old


def _spared(tree: ast.AST) -> set[int]:
    parts: list[ast.AST | None] = []
    for node in ast.walk(tree):
        parts += [getattr(node, "annotation", None), getattr(node, "returns", None)]
        parts += getattr(node, "decorator_list", [])
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            parts.append(node)
        if isinstance(node, ast.keyword) and node.arg in NO_RULE:
            parts.append(node)
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) in (
            "Literal",
            "dict",
            "list",
            "tuple",
        ):
            parts.append(node)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            parts.append(node)
        if isinstance(node, ast.Raise):
            parts += [node.exc, node.cause]
        if isinstance(node, ast.FormattedValue):
            parts.append(node.format_spec)
    return {id(inner) for part in parts if part is not None for inner in ast.walk(part)}


def _owners(tree: ast.Module) -> dict[int, str]:
    """The function (``Class.method``) that each node is part of; defaults and class bodies are the module's."""
    owners: dict[int, str] = {}
    for outer in tree.body:
        prefix = f"{outer.name}." if isinstance(outer, ast.ClassDef) else ""
        for function in outer.body if isinstance(outer, ast.ClassDef) else [outer]:
            if isinstance(function, ast.FunctionDef):
                for statement in function.body:
                    owners |= {id(inner): f"{prefix}{function.name}" for inner in ast.walk(statement)}
    return owners
