"""Changes the clinical rules one small thing at a time and runs their tests: what no test notices is printed.

    python tests/mutate.py                                    every module and table of tests/mutations.toml
    python tests/mutate.py irecist recist/                    those whose name holds one of these words

A change that no test notices is a rule without a test, or code without a use. Where a change cannot alter any answer,
``tests/mutations.toml`` argues why, line by line; an argument that no longer fits is printed too.

How it is quick: the tests are collected once, and each change is put into the functions that the tests already hold;
only the tests that called the changed function are run, those first that noticed the last change. What survives
that is tried again in a fresh import of everything, with every test. The checkout is not touched: what is
changed is a copy of src that comes first on the path.
"""

from __future__ import annotations

import argparse
import ast
import csv
import io
import os
import shutil
import signal
import sys
import tempfile
import time
import tomllib
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings

from mutants import Mutant, mutants

HERE = Path(__file__).parent
HELPERS = {file.stem for file in HERE.glob("*.py")} - {"mutants", "mutate"}
LEAST_SECONDS = 5.0
Undo = Callable[[], None]


@dataclass(slots=True)
class Subject:
    """One module or table: its file in the copy, its tests, and what came of each change."""

    file: str
    tests: list[str]
    place: Path
    argued: dict[tuple[str, str], str]
    columns: list[str]  # of a table, those that are changed; none: all
    tried: int = 0
    spared: int = 0
    used: set[tuple[str, str]] = field(default_factory=set)
    alive: list[tuple[str, tuple[str, str], str]] = field(default_factory=list)  # place, key, source


class Warm:
    """A pytest session that runs its tests again and again, once for each change."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.trouble: Exception | None = RuntimeError("its tests cannot be collected")
        self.calls: dict[str, set[str]] = {}
        self.seconds: dict[str, float] = {}
        self.recent: list[str] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        try:
            self._work({item.nodeid: item for item in session.items})
            self.trouble = None
        except Exception as error:
            self.trouble = error
        return True

    def _work(self, items: dict[str, pytest.Item]) -> None:
        self.items = items
        for name, item in self.items.items():
            started = time.process_time()
            with self._watch(name):
                if not self._passes(item, 600):
                    raise RuntimeError(f"{name} fails without any change")
            self.seconds[name] = time.process_time() - started
        each = self._tables if self.subject.place.suffix == ".csv" else self._modules
        each(self.subject.place.read_text())

    def _modules(self, source: str) -> None:
        name = ".".join(["trialwright", *Path(self.subject.file).with_suffix("").parts])
        module = sys.modules[name.removesuffix(".__init__")]
        lines = source.splitlines()
        for mutant in mutants(source):
            key = (lines[mutant.line - 1].strip(), mutant.what)
            try:
                undo = graft(module, mutant)
            except Exception:  # what cannot even be imported is noticed
                self._tell(True, key, mutant.line, "")
                continue
            noticed = self._noticed(mutant.owner)
            undo()
            self._tell(noticed, key, mutant.line, "" if noticed else ast.unparse(mutant.tree))

    def _tables(self, text: str) -> None:
        for line, row, what, changed in table_changes(text, self.subject.columns):
            self.subject.place.write_text(changed)
            noticed = self._noticed("")
            self._tell(noticed, (row, what), line, changed)
        self.subject.place.write_text(text)

    def _tell(self, noticed: bool, key: tuple[str, str], line: int, source: str) -> None:
        self.subject.tried += 1
        if not noticed and key in self.subject.argued:
            self.subject.used.add(key)
            self.subject.spared += 1
        elif not noticed:
            self.subject.alive.append((f"{self.subject.file}:{line}", key, source))

    def _noticed(self, owner: str) -> bool:
        mine = self.calls.get(owner, set()) if owner else set(self.items)
        order = [n for n in self.recent if n in mine]
        order += sorted(mine.difference(order), key=lambda n: self.seconds[n])
        for name in order:
            if not self._passes(self.items[name], LEAST_SECONDS + 20 * self.seconds[name]):
                self.recent = [name, *(n for n in self.recent if n != name)][:12]
                return True
        return False

    def _passes(self, item: Any, limit: float) -> bool:
        forget()
        signal.setitimer(
            signal.ITIMER_PROF, limit, 1
        )  # and each second after: Hypothesis tries a failure again
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                reports = runtestprotocol(item, log=False, nextitem=None)
        except TimeoutError:
            return False
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        return not any(report.failed for report in reports)

    @contextmanager
    def _watch(self, name: str) -> Iterator[None]:
        place = str(self.subject.place)

        def seen(frame: types.FrameType, event: str, _: object) -> None:
            if event == "call" and frame.f_code.co_filename == place:
                self.calls.setdefault(frame.f_code.co_qualname.split(".<locals>")[0], set()).add(name)

        sys.setprofile(seen)
        try:
            yield
        finally:
            sys.setprofile(None)


def graft(module: types.ModuleType, mutant: Mutant) -> Undo:
    """Puts a change into a module and what others took from it; the answer takes it out again."""
    code = compile(mutant.tree, str(module.__file__), "exec", dont_inherit=True)
    fresh: dict[str, Any] = {"__name__": module.__name__, "__file__": module.__file__}
    fresh["__package__"] = module.__package__
    exec(code, fresh)
    if mutant.owner:
        return _graft_code(_function(vars(module), mutant.owner), _function(fresh, mutant.owner))
    return _graft_values(module, fresh)


def _function(names: dict[str, Any], path: str) -> types.FunctionType:
    first, *rest = path.split(".")
    found = names[first]
    for name in rest:
        found = vars(found)[name]
    found = getattr(found, "fget", None) or found
    found = getattr(found, "__wrapped__", None) or getattr(found, "__func__", None) or found
    assert isinstance(found, types.FunctionType), path
    return found


def _graft_code(old: types.FunctionType, new: types.FunctionType) -> Undo:
    code = old.__code__
    old.__code__ = new.__code__

    def undo() -> None:
        old.__code__ = code

    return undo


def _graft_values(module: types.ModuleType, fresh: dict[str, Any]) -> Undo:
    """Constants, wherever they were imported by name, and the defaults of functions and of dataclasses."""
    undone: list[Undo] = []
    for name, value in fresh.items():
        old = vars(module).get(name)
        if name.startswith("__"):
            continue
        if isinstance(old, types.FunctionType) and old.__module__ == module.__name__:
            undone.append(_graft_defaults(old, value))
        elif isinstance(old, type) and old.__module__ == module.__name__:
            made = vars(old).get("__init__"), vars(value).get("__init__")
            if all(isinstance(init, types.FunctionType) for init in made):
                undone.append(_graft_defaults(*made))
        elif not callable(value) and repr(value) != repr(old):
            for other in list(sys.modules.values()):
                if vars(other).get(name) is old and other.__name__.split(".")[0] in ("trialwright", "tests"):
                    setattr(other, name, value)
                    undone.append(lambda other=other, name=name, old=old: setattr(other, name, old))
    return lambda: [undo() for undo in undone] and None


def _graft_defaults(old: types.FunctionType, new: types.FunctionType) -> Undo:
    was = old.__defaults__, old.__kwdefaults__
    if repr(was) != repr((new.__defaults__, new.__kwdefaults__)):
        old.__defaults__, old.__kwdefaults__ = new.__defaults__, new.__kwdefaults__

    def undo() -> None:
        old.__defaults__, old.__kwdefaults__ = was

    return undo


def forget() -> None:
    """Empties every cache of the package: a table is read anew by each test."""
    for name, module in list(sys.modules.items()):
        if name.startswith("trialwright"):
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def table_changes(text: str, columns: list[str]) -> Iterator[tuple[int, str, str, str]]:
    """Line, row, what was changed and the changed table: each row removed, each part of each cell changed."""
    rows = list(csv.reader(io.StringIO(text)))
    for number, row in enumerate(rows[1:], start=1):
        said = ",".join(row)
        yield number + 1, said, "without the row", _written([*rows[:number], *rows[number + 1 :]])
        for column, cell in enumerate(row):
            for other in _cells(cell) if not columns or rows[0][column] in columns else ():
                changed = [*row[:column], other, *row[column + 1 :]]
                what = f"{rows[0][column]} {cell} -> {other}"
                yield number + 1, said, what, _written([*rows[:number], changed, *rows[number + 1 :]])


def _cells(cell: str) -> Iterator[str]:
    """A number left out of several, a digit of the grades that exist, a number one up or down, another word."""
    parts = cell.split(" ")
    if all(part.isdigit() for part in parts) and len(parts) > 1:
        yield from (" ".join([*parts[:k], *parts[k + 1 :]]) for k in range(len(parts)))
    elif cell.isdigit() and len(cell) > 1:
        yield from (cell[:k] + cell[k + 1 :] for k in range(len(cell)))
    elif cell.isdigit():
        yield from (str(int(cell) + 1), str(int(cell) - 1))
    elif cell:
        yield f"{cell}_"


def _written(rows: list[list[str]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue()


def fresh_import() -> None:
    for name in [m for m in sys.modules if m.split(".")[0] in ("trialwright", "tests") or m in HELPERS]:
        del sys.modules[name]


def run(tests: list[str], *plugins: object) -> int:
    """The tests in a fresh import of package and tests: pytest's exit code."""
    fresh_import()
    how = ["-q", "-x", "-s", "--assert=plain", "--tb=native", "-p", "no:cacheprovider", "-p", "no:logging"]
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        return int(pytest.main([*how, *tests], plugins=list(plugins)))


def survives(place: Path, changed: str, tests: list[str]) -> bool:
    source = place.read_text()
    place.write_text(changed)
    try:
        return run(tests) == 0
    finally:
        place.write_text(source)


def judge(subject: Subject) -> tuple[int, int, int]:
    """Killed, argued and unnoticed changes of one module; the last are printed, and arguments that no longer fit."""
    warm = Warm(subject)
    run(subject.tests, warm)
    if warm.trouble:
        raise warm.trouble
    alive = [(at, key) for at, key, text in subject.alive if survives(subject.place, text, subject.tests)]
    for at, (row, what) in alive:
        say(f"unnoticed {at}  {row}\n    {what}")
    stale = set(subject.argued) - subject.used
    for row, what in sorted(stale):
        say(f"argued in vain {subject.file}  {row}\n    {what}")
    return subject.tried - subject.spared - len(alive), subject.spared, len(alive) + len(stale)


def plan(words: list[str], package: Path) -> Iterator[Subject]:
    told = tomllib.loads((HERE / "mutations.toml").read_text())
    for entry in told["module"]:
        for file in entry["files"]:
            if not words or any(word in file for word in words):
                argued = {
                    (line, change): argument["because"]
                    for argument in told["argued"]
                    if argument["file"] == file
                    for line, change in argument["changes"]
                }
                place, columns = package / "trialwright" / file, entry.get("columns", [])
                yield Subject(file, entry["tests"], place, argued, columns)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", help="parts of the names of modules; none: all")
    asked = parser.parse_args()
    settings.register_profile(
        "mutate", derandomize=True, deadline=None, database=None, phases=[Phase.explicit, Phase.generate]
    )
    os.environ["HYPOTHESIS_PROFILE"] = "mutate"
    sys.dont_write_bytecode = True
    signal.signal(signal.SIGPROF, _late)
    total = [0, 0, 0]
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder, "src")
        shutil.copytree("src", package, ignore=shutil.ignore_patterns("__pycache__"))
        sys.path.insert(0, str(package))
        for subject in plan(asked.words, package):
            started = time.process_time()
            counts = judge(subject)
            took = time.process_time() - started
            say(f"{subject.file}: {subject.tried} changes: {told(counts)} ({took:.0f} s)")
            total = [a + b for a, b in zip(total, counts, strict=True)]
    say(f"{sum(total)} changes: {told(total)}")
    return int(total[2] > 0)


def told(counts: Any) -> str:
    return "{} killed, {} argued, {} unnoticed".format(*counts)


def _late(*_: object) -> None:
    raise TimeoutError("a change that never ends")


def say(words: str) -> None:
    sys.__stdout__.write(words + "\n")
    sys.__stdout__.flush()


if __name__ == "__main__":
    sys.exit(main())
