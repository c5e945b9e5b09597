"""Work out the hints for a failing program: what kind of error, where, why, and the fix.

The repair comes from `debug.debug`; where it finds none, the exercise's own right program serves if
it is near enough. "Why" is told by what the student's program did on the failing test alone, so it
cannot give the fix away. It decides nothing about who may see what.

    python -c "from selfdebug.interfaces.web import hints; help(hints.work_out)"
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice
from typing import Literal

from selfdebug import plugins
from selfdebug.backends.search.localise import ochiai
from selfdebug.debug import debug
from selfdebug.types import Backend, Judge, Limits, Mutation, Task, TestResult, TraceStep

Rung = Literal["kind", "where", "why", "fix"]
RUNGS: tuple[Rung, ...] = ("kind", "where", "why", "fix")
LIMITS = Limits(cpu_seconds=1.0, max_timeouts=1)  # of a student's run: others wait for the worker

_NEAR = 6  # lines that may differ from the exercise's own program for it to tell something
_STEPS = 24  # of a program on its way that a person reads
_SUSPECTS = 3
_OBJECT = re.compile(r" at 0x[0-9a-f]+>")  # tells a person nothing


@dataclass(frozen=True, slots=True)
class Step:
    """One executed line, and the variables that changed since the step before; line 0: a gap."""

    line: int
    source: str
    values: str


@dataclass(frozen=True, slots=True)
class Hints:
    """All there is to say about a failing program.

    failure: the first visible test that fails. kind: of the bug, or "" if unknown. lines: 1-based.
    origin: of `fixed`: what found it; "" where nothing did, and `lines` are only suspects.
    """

    failure: TestResult
    kind: str
    lines: tuple[int, ...]
    steps: tuple[Step, ...]
    origin: Literal["search", "exercise", ""] = ""
    explanation: str = ""
    fixed: str = ""


def work_out(task: Task, code: str, backend: Backend, judge: Judge) -> Hints | None:
    """Return the hints, or None for a program that passes the visible tests or was not judged."""
    visible = judge.judge(task, code, tests=task.visible_tests, observe="lines", limits=LIMITS)
    failure = visible.first_failure
    if failure is None or visible.unknown:
        return None
    steps = tuple(_steps(code, _trace(task, code, failure, judge)))
    known = task.bug_kind if code.strip() == task.broken.strip() else ""
    episode = debug(task, backend, judge=judge, code=code)
    best = episode.verdict
    changed = _changed(code, task.reference) if task.reference else ()
    if best is not None and best.visible_passed and (best.passed or len(changed) > _NEAR):
        fixed = episode.code
        told = episode.turns[episode.best].completion.explanation
        mutation = _mutation(task, code, fixed)
        kind = mutation.kind if mutation else known
        lines = (mutation.line,) if mutation else _changed(code, fixed)
        return Hints(failure, kind, lines, steps, "search", told, fixed)
    if changed and len(changed) <= _NEAR:
        return Hints(failure, known, changed, steps, "exercise", "", task.reference)
    return Hints(failure, known, _suspects(visible.results, failure), steps)


def _trace(task: Task, code: str, failure: TestResult, judge: Judge) -> Sequence[TraceStep]:
    tests = [test for test in task.tests if test.id == failure.test_id]
    return judge.judge(task, code, tests=tests, observe="locals", limits=LIMITS).results[0].trace


def _steps(code: str, trace: Sequence[TraceStep]) -> Iterator[Step]:
    """Yield the first and the last steps of a long way."""
    lines = code.splitlines()
    known: dict[str, str] = {}
    found: list[Step] = []
    for step in trace:
        changed = [
            f"{name} = {value}"
            for name, value in step.values.items()
            if known.get(name) != value and not _OBJECT.search(value)
        ]
        known = dict(step.values)
        source = lines[step.line - 1].rstrip() if 0 < step.line <= len(lines) else ""
        found.append(Step(step.line, source, ", ".join(changed)))
    if len(found) > _STEPS:
        found[_STEPS // 2 : -_STEPS // 2] = [Step(0, "", "")]
    yield from found


def _mutation(task: Task, code: str, fixed: str) -> Mutation | None:
    """Return the one change that makes the repair of the program, if one does."""
    for name in plugins.names("mutators"):
        if name.startswith(f"{task.language}_"):
            for mutation in plugins.load("mutators", name).repair(code):
                if mutation.fixed.rstrip() == fixed.rstrip():
                    return mutation
    return None


def _changed(code: str, fixed: str) -> tuple[int, ...]:
    """Return the lines of a program that a repair changes; for an insertion the line before it."""
    left, right = code.splitlines(), fixed.splitlines()
    lines: set[int] = set()
    for tag, start, end, _, _ in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "insert":
            lines.add(max(1, start))
        elif tag != "equal":
            lines |= set(range(start + 1, end + 1))
    return tuple(sorted(lines))


def _suspects(results: Sequence[TestResult], failure: TestResult) -> tuple[int, ...]:
    if failure.line:
        return (failure.line,)
    scores = ochiai(results)
    ranked = sorted((line for line in scores if scores[line]), key=lambda line: -scores[line])
    return tuple(sorted(islice(ranked, _SUSPECTS)))
