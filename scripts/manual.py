"""Writes the manual of the rules, ``docs/rules``, from the tests that specify them: ``make manual``.

``manual.toml`` is the table of contents. A test gives its name as a sentence, its docstring, its drawn tables
and cases and what it asserts of them; where a chapter says ``code``, its lines as they stand. Nothing is run.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from manual_speaker import Speaker, UnsayableError
from manual_words import Rows, drawn, grid, prose, sentence

ROOT = Path(__file__).parents[1]
FOLDER = "docs/rules"
NOTE = "<!-- Written by `make manual` from the tests; change those. -->"


class Page:
    """One module of tests on its way to Markdown."""

    def __init__(self, source: str, code: bool) -> None:
        self.lines, self.module, self.code = source.splitlines(), ast.parse(source), code
        given = [node for node in self.module.body if isinstance(node, ast.Assign)]
        drawings = {ast.unparse(node.targets[0]): list(_tables(node.value)) for node in given}
        self.tables = {name: rows[0] for name, rows in drawings.items() if rows}
        self.shown: dict[str, str] = {}

    def blocks(self) -> Iterator[str]:
        yield prose(ast.get_docstring(self.module))
        tests = [node for node in self.module.body if _is_test(node)]
        named = [name for test in tests for name in _names(test)]
        for table in [] if self.code else self.tables:
            if named.count(table) not in (1, 2, 3):
                yield self._table(table, "")
        for node in self.module.body:
            yield self._section(node)
            if _is_test(node):
                yield from self._test(node, "##")

    def _section(self, node: ast.stmt) -> str:
        """A comment alone between two blank lines is a heading, a long one a paragraph."""
        line = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]) - 1
        while line > 0 and not self.lines[line - 1]:
            line -= 1
        if line == 0 or not self.lines[line - 1].startswith("# ") or self.lines[line]:
            return ""
        text = prose(" ".join(self._comment(line)).strip(" -."))
        return f"## {text[0].upper()}{text[1:]}" if len(text) < 60 else f"{text}."

    def _comment(self, last: int) -> list[str]:
        first = last
        while first > 0 and self.lines[first - 1].startswith("#"):
            first -= 1
        return [line.lstrip("#: ") for line in self.lines[first:last]]

    def _table(self, name: str, test: str) -> str:
        if name in self.shown:
            return f"*With the rows of “{self.shown[name]}”.*" if self.shown[name] not in ("", test) else ""
        self.shown[name] = test
        node = next(
            n for n in self.module.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == name
        )
        said = prose(" ".join(self._comment(node.lineno - 1)) or ("" if test else f"Drawn once: {name}."))
        return "\n\n".join(filter(None, (said, grid(self.tables[name]))))

    def _test(self, test: ast.ClassDef | ast.FunctionDef, level: str) -> Iterator[str]:
        yield f"{level}# {(title := sentence(test.name))}"
        yield prose(ast.get_docstring(test))
        told = ast.get_docstring(test) is not None
        if isinstance(test, ast.ClassDef):
            for method in filter(_is_test, test.body):
                yield from self._test(method, level + "#")
            return
        named = " ".join(map(ast.unparse, test.decorator_list))
        speaker = Speaker(_known(test), {a.arg for a in test.args.args if f"{a.arg}'" in named})
        for decorator in test.decorator_list:
            yield from self._cases(decorator, title, speaker)
        if self.code:
            yield self._lines(test.body[told].lineno, test.end_lineno or 0)
            return
        for statement in test.body[told:]:
            yield from self._statement(statement, title, speaker)

    def _lines(self, first: int, last: int) -> str:
        while self.lines[first - 2].lstrip().startswith("#"):
            first -= 1
        lines = self.lines[first - 1 : last]
        indent = min(len(line) - len(line.lstrip()) for line in lines if line)
        return "\n".join(["```python", *(line[indent:] for line in lines), "```"])

    def _cases(self, decorator: ast.expr, title: str, speaker: Speaker) -> Iterator[str]:
        """A row for each case of ``parametrize``, its id first."""
        if not isinstance(decorator, ast.Call) or "parametrize" not in ast.unparse(decorator.func):
            return
        names, cases = decorator.args[:2]
        if constants := [n.id for n in ast.walk(cases) if isinstance(n, ast.Name) and n.id in self.tables]:
            yield self._table(constants[0], title)
        elif isinstance(cases, ast.List):
            columns = [names] if isinstance(names, ast.Constant) else getattr(names, "elts", [])
            rows = [_case(case, len(columns), speaker) for case in cases.elts]
            first = 0 if any(row[0] for row in rows) else 1
            yield grid([row[first:] for row in (["case", *map(speaker.say, columns)], *rows)])

    def _statement(self, statement: ast.stmt, title: str, speaker: Speaker) -> Iterator[str]:
        for name in sorted(_names(statement) & set(self.tables)):
            yield self._table(name, title)
        tables = list(_tables(statement))
        if given := _changed(statement, speaker):
            yield f"With {given}:"
        yield from map(grid, tables)
        match statement:
            case ast.Assert(test=ast.Compare(left=left, ops=[ast.Eq() | ast.Is()], comparators=[right])):
                yield speaker.expectation(left, right)
            case ast.With(items=[ast.withitem(context_expr=ast.Call(keywords=[ast.keyword(value=words)]))]):
                said = _said(words, speaker).replace(r".\*", "…").replace(r"\\", "")
                yield f"- refused: “{said}”" if said else ""
            case ast.For(body=body):
                for inner in body:
                    if not any(_tables(inner)):
                        yield from self._statement(inner, title, speaker)


def _case(case: ast.expr, width: int, speaker: Speaker) -> list[str]:
    id_, cells = "", [case]
    if isinstance(case, ast.Call) and ast.unparse(case.func) == "pytest.param":
        id_ = next((speaker.say(k.value) for k in case.keywords if k.arg == "id"), "")
        cells = case.args
    elif width > 1 and isinstance(case, ast.Tuple):
        cells = case.elts
    return [id_, *(_said(cell, speaker) or f"`{ast.unparse(cell)}`" for cell in cells)]


def _changed(statement: ast.stmt, speaker: Speaker) -> str:
    """What a call of a helper is given beside its drawn table, unless a line below says it."""
    named = isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    call = statement.value if isinstance(statement, ast.Expr | ast.Assign) and not named else None
    helper = isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
    words = ast.unparse(call) if isinstance(call, ast.Call) and helper else "assert_"
    more = any(_tables(statement)) or ".replace(" in words or (helper and call.keywords)
    return _said(call, speaker) if more and not words.startswith("assert_") else ""


def _said(node: ast.expr, speaker: Speaker) -> str:
    """Of a call, what it is given; nothing where only code could say it."""
    try:
        return speaker.say(node)
    except UnsayableError:
        return ""


def _is_test(node: ast.stmt) -> bool:
    return isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name.casefold().startswith("test")


def _tables(tree: ast.AST) -> Iterator[Rows]:
    """The drawn tables of a tree, in the order of the text."""
    if rows := drawn(tree):
        yield rows
    elif not isinstance(tree, ast.JoinedStr):
        for child in ast.iter_child_nodes(tree):
            yield from _tables(child)


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _known(test: ast.FunctionDef) -> dict[str, ast.expr]:
    """Variables given once, and shortly: they are said by their value."""
    given = [s for s in ast.walk(test) if isinstance(s, ast.Assign) and isinstance(s.targets[0], ast.Name)]
    names = [ast.unparse(s.targets[0]) for s in given]
    known = {name: s.value for name, s in zip(names, given, strict=True) if names.count(name) == 1}
    return {n: v for n, v in known.items() if len(ast.unparse(v)) < 200 and n not in _names(v)}


def chapters(root: Path) -> Iterable[tuple[str, str]]:
    """Path and text of each page of the manual."""
    contents = tomllib.loads((root / "scripts/manual.toml").read_text(encoding="utf-8"))
    index = [NOTE, f"# {contents['title']}", contents["preface"].strip()]
    for part in contents["part"]:
        index.append(f"## {part['title']}")
        links = []
        for chapter in part["chapter"]:
            yield f"{FOLDER}/{chapter['file']}", _chapter(root, chapter)
            links.append(f"- [{chapter['title']}]({chapter['file']})")
        index.append("\n".join(links))
    yield f"{FOLDER}/README.md", "\n\n".join(index) + "\n"


def _chapter(root: Path, chapter: dict[str, Any]) -> str:
    blocks = [NOTE, f"# {chapter['title']}"]
    for module in chapter["modules"]:
        page = Page((root / module).read_text(encoding="utf-8"), chapter.get("code", False))
        blocks += [*page.blocks(), f"*Specified and tested by [{module}](../../{module}).*"]
    text = "\n\n".join(block for block in blocks if block)
    return re.sub(r"(?m)(^- .*)\n\n(?=- )", r"\1\n", text) + "\n"


def main() -> None:
    for path, text in chapters(ROOT):
        (ROOT / path).parent.mkdir(exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
