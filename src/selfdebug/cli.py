"""The command line: one short function a verb, and the only place that prints.

Results go to standard output, progress and errors to standard error. Exit codes, for every verb:
0 yes, 1 no, 2 wrong input, 3 a fault of the harness, 130 interrupted. The work itself is done
elsewhere and imported when its verb runs, so that `--help` answers at once.

    selfdebug --help
"""

from __future__ import annotations

import json as jsonlib
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from selfdebug import __version__
from selfdebug.types import SelfdebugError

YES, NO, BAD_INPUT, HARNESS_FAULT, INTERRUPTED = 0, 1, 2, 3, 130

app = typer.Typer(
    help="Run, explain and mend programs; measure models that do. Exit codes: 0 yes, 1 no, "
    "2 wrong input, 3 a fault of the harness, 130 interrupted.",
    # Rich help and tracebacks cost a third of the time that `--help` may take.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs to read.")]
Unsafe = Annotated[
    bool, typer.Option("--allow-unsafe", help="Run even where no sandbox holds; says so.")
]
Source = Annotated[
    str, typer.Option(help='Folder of the benchmark\'s data, or "hub" for Hugging Face.')
]


def main() -> None:
    """Run the command line; whatever goes wrong, a person reads one line and no traceback."""
    try:
        app()
    except SelfdebugError as error:
        _end(BAD_INPUT, str(error))
    except KeyboardInterrupt:
        _end(INTERRUPTED, "interrupted")
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            print("selfdebug: interrupted; `eval` resumes with the same command", file=sys.stderr)
        raise
    except Exception as error:  # a fault of ours, and a person has no use for our traceback
        if os.environ.get("SELFDEBUG_TRACEBACK"):
            raise
        _end(HARNESS_FAULT, f"internal fault: {error!r} (SELFDEBUG_TRACEBACK=1 shows where)")


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Without a verb: say the version, or help."""
    if show:
        print(__version__)
        raise typer.Exit


@app.command()
def run(
    code: Annotated[Path, typer.Argument(help="The program's file.")],
    task: Annotated[str, typer.Option(help="BENCHMARK:ID, such as mbpp:3.")] = "",
    tests: Annotated[Path | None, typer.Option(help="JSONL file of tasks.")] = None,
    source: Source = "",
    json: Json = False,
    allow_unsafe: Unsafe = False,
) -> None:
    """Judge a program in the sandbox: one verdict a test. Exits 0 when all pass."""
    from selfdebug.interfaces import tasks, verdicts
    from selfdebug.sandbox import Sandbox

    program, chosen = tasks.read_program(code), tasks.choose(task, tests, source)
    with Sandbox(workers=1, allow_unsafe=allow_unsafe) as sandbox:
        found = [sandbox.judge(each, program) for each in chosen]
    for verdict in found:
        if json:
            print(jsonlib.dumps(verdicts.as_json(verdict)))
        else:
            _table(verdicts.HEADS, verdicts.rows(verdict))
            print(verdicts.summary(verdict))
    known = YES if all(v.passed for v in found) else NO
    raise typer.Exit(HARNESS_FAULT if any(v.unknown for v in found) else known)


@app.command()
def doctor(json: Json = False) -> None:
    """Say what this machine can do, what is missing and the command that adds it."""
    from selfdebug.interfaces.doctor import checks

    found = list(checks())
    if json:
        print(jsonlib.dumps([asdict(check) for check in found], indent=2))
    else:
        _table(
            ("", "check", "found", "to add it"),
            [("ok" if c.ok else "-", c.name, c.detail, "" if c.ok else c.remedy) for c in found],
        )
    raise typer.Exit(YES if all(c.ok for c in found if c.needed) else HARNESS_FAULT)


@app.command("ls")
def list_plugins(
    what: Annotated[str, typer.Argument(help="benchmarks, mutators, ...; all by default.")] = "",
    json: Json = False,
) -> None:
    """List what there is, a line each: benchmarks, mutators, backends, languages, feedback."""
    from selfdebug.interfaces.listing import listing

    found = listing(what)
    if json:
        print(jsonlib.dumps([asdict(entry) for entry in found], indent=2))
    else:
        _table(("kind", "name", "what it is"), [(e.kind, e.name, e.summary) for e in found])


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table on a terminal, and tab-separated lines into a pipe."""
    if not sys.stdout.isatty():
        print(*("\t".join(" ".join(cell.split()) for cell in row) for row in rows), sep="\n")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*heads, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(Text(cell, overflow="fold") for cell in row))
    Console().print(table)


def _end(code: int, message: str) -> None:
    print(f"selfdebug: {message}", file=sys.stderr)
    sys.exit(code)
