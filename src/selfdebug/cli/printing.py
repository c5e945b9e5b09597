"""What the verbs print with: tables, JSON, progress, complaints, and the exit codes.

Results go to standard output; progress and complaints to standard error. On a terminal a table is
drawn and a bar moves; into a pipe go tab-separated lines, and no bar.

    selfdebug ls | cut -f 2
"""

from __future__ import annotations

import json as jsonlib
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any

from selfdebug import ranks
from selfdebug.types import Episode

YES, NO, BAD_INPUT, HARNESS_FAULT = 0, 1, 2, 3

_COLOURS = {"pass": "green", "ok": "green", "missing": "yellow", "unknown": "yellow"}


def show(json: bool, value: Any, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a result: for programs as one line of JSON, for people as a table."""
    if json:
        print(jsonlib.dumps(value, ensure_ascii=False))
        return
    if not sys.stdout.isatty():
        for row in rows:
            print(*(" ".join(cell.split()) for cell in row), sep="\t")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*heads, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        drawn.add_row(*(Text(cell, _COLOURS.get(cell, ""), overflow="fold") for cell in row))
    Console().print(drawn)


def say(text: str) -> None:
    """Print a line of the result."""
    print(text)


def note(text: str) -> None:
    """Print a line that is not the result, such as a complaint, to standard error."""
    print("selfdebug:", " ".join(text.split()), file=sys.stderr)


@contextmanager
def progress(label: str) -> Generator[Callable[[Episode, int, int], None]]:
    """Show how many episodes are done, and how many of them pass, while the block runs."""
    if not sys.stderr.isatty():
        yield _quiet
        return
    from rich.console import Console
    from rich.progress import Progress

    passed = 0
    with Progress(console=Console(stderr=True), transient=True) as bar:
        line = bar.add_task(label, total=None)

        def show(episode: Episode, done: int, total: int) -> None:
            nonlocal passed
            passed += episode.verdict is not None and episode.verdict.passed
            text = f"{label}: {done} of {total}, {passed} pass"
            bar.update(line, completed=done, total=total, description=text)

        yield show


@contextmanager
def counting(what: str) -> Generator[Callable[[int, int], None]]:
    """Show how many of how many are done while the block runs."""
    if not (sys.stderr.isatty() and ranks.is_first()):
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        line = bar.add_task(what, total=None)

        def show(done: int, total: int) -> None:
            bar.update(line, completed=done, total=total, description=f"{what}: {done} of {total}")

        yield show


@contextmanager
def waiting(what: str) -> Generator[None]:
    """Show that something goes on while the block runs."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


def _quiet(_episode: Episode, _done: int, _total: int) -> None:
    """Show nothing: nobody watches a pipe."""
