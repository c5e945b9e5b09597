"""Who may see which hint: one after the other, and none past the rung where the teacher's cap is.

The values that it returns hold what has been given and nothing more: a fix that is not allowed is
in none of them.

    selfdebug play --hints where
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from typing import Any, Literal

from selfdebug.interfaces.web.hintpool import Answer, HintPool
from selfdebug.interfaces.web.hints import RUNGS, Hints, Rung
from selfdebug.interfaces.web.storage import Run, Storage
from selfdebug.types import SelfdebugError, Task

Cap = Literal["none", "kind", "where", "why", "fix"]

_AROUND = 2  # lines of the program shown before and after the place


class NotAllowed(Exception):
    """A hint was asked for out of turn, or past the cap."""


@dataclass(frozen=True, slots=True)
class Fix:
    """The last rung."""

    origin: str
    told: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Ladder:
    """Where a student stands. waiting: the rung that is worked out; said: the key of a text."""

    exercise: str
    code_sha: str
    given: tuple[Rung, ...] = ()
    next: Rung | Literal[""] = ""
    waiting: Rung | Literal[""] = ""
    said: str = ""
    capped: bool = False
    hints: Hints | None = None
    fix: Fix | None = None
    excerpt: tuple[tuple[int, str], ...] = ()

    def values(self) -> dict[str, Any]:
        """Return what the template reads."""
        return {"ladder": self, "hints": self.hints, "fix": self.fix, "excerpt": self.excerpt}


class Hinting:
    """Gives hints. cap: the last rung that anyone may see."""

    def __init__(self, pool: HintPool, storage: Storage, cap: Cap) -> None:
        self._pool = pool
        self._storage = storage
        self._allowed: tuple[Rung, ...] = () if cap == "none" else RUNGS[: RUNGS.index(cap) + 1]

    def offered(self, cookie: str, run: Run) -> Ladder | None:
        """Return the ladder under a run's results, at its foot; None where there are no hints."""
        if not self._allowed:
            return None
        return Ladder(run.exercise, run.code_sha, next=self._allowed[0])

    def ask(self, cookie: str, task: Task, run: Run, rung: str) -> Ladder:
        """Return the ladder with one more hint, or while it is looked for.

        Raises NotAllowed. Never blocks.
        """
        if rung not in self._allowed:
            raise NotAllowed(rung)
        place = self._allowed.index(rung)
        before = self._allowed[:place]
        had = self._storage.hints_given(cookie, run.exercise, run.code_sha)
        if not had.issuperset(before):
            raise NotAllowed(rung)
        answer = self._pool.ask(task, run.code)
        ladder = Ladder(run.exercise, run.code_sha)
        if answer is None:
            return replace(ladder, next=self._allowed[0], said="busy")
        if not answer.done():
            return replace(ladder, waiting=self._allowed[place], said="thinking")
        hints = _result(answer)
        if hints is None:
            return replace(ladder, next=self._allowed[0], said="hint_failed")
        self._storage.add_hint(cookie, run.exercise, run.code_sha, rung, hints.kind)
        return self._given(run, hints, self._allowed[: place + 1])

    def _given(self, run: Run, hints: Hints, given: tuple[Rung, ...]) -> Ladder:
        rest = self._allowed[len(given) :]
        fix = Fix(hints.origin, hints.explanation, run.code, hints.fixed)
        return Ladder(
            run.exercise,
            run.code_sha,
            given=given,
            next=rest[0] if rest else "",
            capped=not rest and given != RUNGS,
            hints=_shown(hints, given),
            fix=fix if "fix" in given else None,
            excerpt=tuple(_excerpt(run.code, hints.lines)) if "where" in given else (),
        )


def _shown(hints: Hints, given: tuple[Rung, ...]) -> Hints:
    """Return the hints without what has not been given."""
    return replace(
        hints,
        fixed="",
        explanation="",
        lines=hints.lines if "where" in given else (),
        steps=hints.steps if "why" in given else (),
    )


def _result(answer: Answer) -> Hints | None:
    try:
        return answer.result()
    except (SelfdebugError, BrokenProcessPool):  # the backend or its process failed: ask again
        return None


def _excerpt(code: str, lines: tuple[int, ...]) -> Iterator[tuple[int, str]]:
    shown = {near for line in lines for near in range(line - _AROUND, line + _AROUND + 1)}
    for number, text in enumerate(code.splitlines(), 1):
        if number in shown:
            yield number, text
