"""The command line: check, build, explain, rehearse, simulate, design, demo.

Heavy imports stand inside the commands.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from trialwright.standards.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from trialwright.simulate.repeat import Hands
    from trialwright.study.registry import Contradiction

app = typer.Typer(
    name="trialwright",
    help="Runs and analyses a randomised oncology trial from one definition.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

_Format = Literal["xpt", "parquet", "json"]
_StudyName = Annotated[
    str, typer.Argument(metavar="STUDY", help="A study folder, or the name of a bundled study.")
]
_Out = Annotated[
    Path, typer.Option("--out", metavar="OUT", help="Where to write; an earlier output is replaced.")
]
_Cutoff = Annotated[
    str | None,
    typer.Option(
        "--cutoff", metavar="DATE", help="Data cutoff, YYYY-MM-DD; else the study's, else the latest date."
    ),
]
_Scenario = Annotated[str, typer.Option(help="NAME of a file design-NAME.toml of the folder scenarios.")]
_Seed = Annotated[int, typer.Option(min=0, max=2**63 - 1, help="The same seed gives the same bytes.")]
_Workers = Annotated[
    int | None, typer.Option(min=1, max=1024, help="Processes; the result is the same. Else one a core.")
]
_Dask = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Of a Dask scheduler, tcp://HOST:PORT; extra “cluster”.")
]


def main() -> None:
    """Run; a user's mistake ends in one line (a faulty study: a line per fault) and exit code 2."""
    try:
        app()
    except InputError as error:
        _fail(error.lines)
    except OSError as error:
        _fail([f"{error.filename}: {error.strerror}" if error.filename else str(error)])


def _fail(lines: Iterable[str]) -> NoReturn:
    for line in lines:
        typer.echo(f"error: {' '.join(line.split())}", err=True)
    sys.exit(2)


@app.command(epilog="Example: trialwright check tarlanec")
def check(study: _StudyName) -> None:
    """Check a study folder, and the registered record against it.

    Every fault of every file is printed, one a line; with one or more the exit code is 2.
    What the record contradicts is told with its words and with what the study decided; that is no fault.
    """
    from trialwright.pipeline.definition import checked
    from trialwright.study import registry
    from trialwright.study.load import folder

    found = checked(folder(study))
    console = _console()
    told = registry.contradictions(found)
    console.print(
        f"{found.study.id}: {len(found.arms)} arms, {len(found.endpoints.ids())} endpoints,", end=" "
    )
    console.print(f"{len(found.analyses)} analyses, {len(found.outcomes)} registered outcomes. No fault.")
    console.print(
        f"Assumed: {', '.join(a.id for a in found.assumptions if a.status == 'assumed') or 'nothing'}."
    )
    if told:
        console.print(f"\nThe registered record, at {len(told)} places:")
    for contradiction in told:
        _tell(console, contradiction)


def _tell(console: Console, contradiction: Contradiction) -> None:
    from rich.padding import Padding
    from rich.text import Text

    console.print(Text(f"\n{contradiction.id}", style="bold"))
    quote = contradiction.quote if len(contradiction.quote) < 200 else contradiction.quote[:197] + "..."
    lines = [f"“{quote}”", contradiction.says]
    lines.append(
        f"Decision: {contradiction.decision}" if contradiction.decision else "No decision is recorded."
    )
    for line in lines:
        console.print(Padding(Text(line), (0, 0, 0, 4)))


@app.command(epilog="Example: trialwright build tarlanec --sdtm data/sdtm --out out --cutoff 2028-06-30")
def build(
    study: _StudyName,
    sdtm: Annotated[
        Path, typer.Option("--sdtm", metavar="DIR", help="XPT, Parquet, CSV or Dataset-JSON, any mix.")
    ],
    out: _Out,
    cutoff: _Cutoff = None,
    dictionary: Annotated[
        Path | None,
        typer.Option("--dictionary", metavar="DIR", help="Your CTCAE table and MedDRA files (llt, mdhier)."),
    ] = None,
) -> None:
    """Make the analysis datasets, the results and the report of a trial."""
    from trialwright.study.load import folder

    _build(folder(study), sdtm, out, _date(cutoff), dictionary)


def _build(study: Path, sdtm: Path, out: Path, cutoff: date | None, dictionary: Path | None = None) -> None:
    with _progress() as say:
        say("Starting")
        from trialwright import pipeline
        from trialwright.pipeline import output
        from trialwright.standards import folders

        folders.refuse(out, output.MARK)
        command = " ".join(["trialwright", *sys.argv[1:]])
        inputs = pipeline.Inputs(study, sdtm, cutoff, command, dictionary)
        made = pipeline.build(inputs, datetime.now(UTC), say)
        output.write(made, out)
    subjects = made.datasets["ADSL"].height
    _console().print(
        f"{subjects} subjects, {made.results.height} results, {made.findings.height} findings; "
        f"cutoff {made.made['cutoff']} ({made.made['cutoff_source']})."
    )
    if made.made["notice"]:
        _console().print(made.made["notice"], soft_wrap=True)
    _console().print(f"Report: {out / 'report.html'}", soft_wrap=True)


@app.command(epilog="Example: trialwright explain tarlanec --sdtm data/sdtm TARLANEC-001-0001 PFSF")
def explain(
    study: _StudyName,
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="USUBJID, or a SUBJID of one subject.")],
    sdtm: Annotated[
        Path, typer.Option("--sdtm", metavar="DIR", help="XPT, Parquet, CSV or Dataset-JSON, any mix.")
    ],
    endpoint: Annotated[
        str | None, typer.Argument(metavar="[ENDPOINT]", help="Only this one, such as OS or TTD.")
    ] = None,
    cutoff: _Cutoff = None,
) -> None:
    """Tell one patient's story: every record used, the rule that fired, what was passed over and why."""
    with _progress() as say:
        say("Reading the patient's records")
        from trialwright.pipeline import Inputs
        from trialwright.pipeline.explain import explain
        from trialwright.study.load import folder

        told = explain(Inputs(folder(study), sdtm, _date(cutoff)), subject, endpoint)
    typer.echo(told, nl=False)


@app.command(epilog="Example: trialwright rehearse tarlanec --patients 129 --seed 7 --out rehearsal")
def rehearse(  # noqa: PLR0917 - the options of a command
    study: _StudyName,
    out: _Out,
    patients: Annotated[
        int | None, typer.Option(min=1, help="To randomise; else as many as planned.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 1,
    format_: Annotated[_Format, typer.Option("--format", help="Of the files.")] = "xpt",
    scenario: Annotated[str, typer.Option(help="A file of the study's folder scenarios.")] = "rehearsal",
) -> None:
    """Write the SDTM of a simulated trial, so that everything can be tried before the first patient."""
    with _progress() as say:
        say("Rehearsing")
        from trialwright.simulate import doors
        from trialwright.simulate.rehearse import rehearse
        from trialwright.standards import folders
        from trialwright.study.load import folder, load

        folders.refuse(out, mark := f"dm.{format_}")
        promise = load(folder(study))
        many = patients or promise.study.planned_patients or 100
        domains = rehearse(promise, doors.scenario(promise, scenario), many, seed)
        say("Writing SDTM")
        folders.whole(out, lambda place: doors.write(place, domains, format_), mark=mark)
    rows = sum(frame.height for frame in domains.values())
    _console().print(f"{many} patients, {len(domains)} domains, {rows} records: {out}", soft_wrap=True)


@app.command(
    epilog="Example: trialwright simulate tarlanec --scenario target --trials 10000 --seed 1 --out target"
)
def simulate(  # noqa: PLR0917 - the options of a command
    study: _StudyName,
    scenario: _Scenario,
    out: _Out,
    trials: Annotated[int, typer.Option(min=1, max=10**9, help="The error falls with their root.")] = 10_000,
    seed: _Seed = 1,
    workers: _Workers = None,
    dask: _Dask = None,
) -> None:
    """Simulate a design: power, type I error, expected events and months, with Monte Carlo errors.

    Interrupted, it goes on from there when asked again; asked for more trials, it adds the missing ones.
    """
    _one_thread()
    with _progress() as say, _interruptible():
        say("Reading the study")
        from trialwright.simulate import design, operate
        from trialwright.study.load import folder, load

        promise = load(folder(study))
        asked = operate.Asked(scenario, trials, seed)
        with _hands(workers, dask) as hands:
            told = operate.operate(promise, design.read(promise, scenario), asked, out, hands=hands, say=say)
    _console().print(told, soft_wrap=True)


@app.command(epilog="Example: trialwright design tarlanec --scenario target --power 0.8 --out needed")
def design(  # noqa: PLR0917 - the options of a command
    study: _StudyName,
    scenario: _Scenario = "target",
    power: Annotated[float, typer.Option(help="To be reached.")] = 0.8,
    test: Annotated[str | None, typer.Option(help="Of the scenario; else its first.")] = None,
    patients: Annotated[
        int | None, typer.Option(min=10, max=10_000, help="So many; else events and patients grow together.")
    ] = None,
    trials: Annotated[
        int,
        typer.Option(
            min=100, max=10**8, help="For each candidate; points that only draw the curve get a quarter."
        ),
    ] = 40_000,
    seed: _Seed = 1,
    workers: _Workers = None,
    dask: _Dask = None,
    out: Annotated[Path | None, typer.Option(metavar="OUT", help="Where to write results and page.")] = None,
) -> None:
    """Find how many events and patients a scenario needs, by search on the simulation."""
    _one_thread()
    with _progress() as say, _interruptible():
        say("Reading the study")
        from trialwright.simulate import design as scenarios
        from trialwright.simulate import operate
        from trialwright.simulate.search import judged_by
        from trialwright.study.load import folder, load

        promise = load(folder(study))
        chosen = judged_by(scenarios.read(promise, scenario), test)
        wish = operate.Wish(power, trials, seed, patients)
        with _hands(workers, dask) as hands:
            told = operate.seek(promise, chosen, scenario, wish, out, hands=hands, say=say)
    _console().print(told, soft_wrap=True)


def _one_thread() -> None:
    """Before NumPy is loaded, here and in the workers: these share the cores, its own threads would spin."""
    for library in ("OPENBLAS", "OMP"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")


@contextmanager
def _interruptible() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as stop:
        typer.echo(f"interrupted: {stop}" if str(stop) else "interrupted", err=True)
        raise typer.Exit(130) from None


def _hands(workers: int | None, dask: str | None) -> AbstractContextManager[Hands]:
    """A cluster, or so many processes here, by default as many as there are cores."""
    from trialwright.simulate import repeat

    if dask is None:
        return repeat.processes(workers or repeat.cores())
    if workers is not None:
        raise InputError("--workers are processes here, --dask is a cluster: one of them")
    from trialwright.simulate import cluster

    return cluster.hands(dask)


@app.command(epilog="Example: trialwright demo --out demo")
def demo(
    out: _Out = Path("demo"),
    study: Annotated[str, typer.Option(help="A study with a rehearsal scenario.")] = "tarlanec",
    seed: Annotated[int, typer.Option(help="The same seed gives the same trial.")] = 7,
) -> None:
    """Rehearse a bundled study, build it, and say where the report is."""
    from trialwright.study.load import folder

    rehearse(study, out / "sdtm", seed=seed)
    _build(folder(study), out / "sdtm", out / "out", None)


def _date(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"--cutoff is a date like 2028-06-30, not {text!r}") from error


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """One line that says what is being done, gone when it is done; nothing where nobody looks."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("") as status:
        yield lambda words: status.update(f"{words} …")


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)
