"""What came of `selfdebug fix`, and how it is told: to a person in words, to a program as JSON.

It is made by `fix`, and read by the command line, the editors and pytest. It runs nothing.

    python -m pytest tests/test_fix.py
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from selfdebug.types import TestResult, Verdict

Outcome = Literal["fixed", "already_right", "not_fixed", "unknown"]

EXIT_CODES: dict[Outcome, int] = {"fixed": 0, "already_right": 0, "not_fixed": 1, "unknown": 3}


@dataclass(frozen=True, slots=True)
class FixResult:
    """What came of it.

    before, after: the verdicts on the file and on `mended`. diff: between them. trust: how the
    repair was judged while it was searched for; before and after are the user's own test run.
    note: what a person should know besides.
    """

    file: str
    tests: str
    outcome: Outcome
    before: Verdict | None = None
    after: Verdict | None = None
    explanation: str = ""
    diff: str = ""
    mended: str = ""
    trust: str = ""
    written: bool = False
    note: str = ""
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """0: fixed, or right already; 1: not fixed; 3: a fault of the harness. (2: bad input.)"""
        return EXIT_CODES[self.outcome]

    def text(self) -> str:
        """Return the whole answer for a person: explanation, diff, and what the tests say."""
        parts = [self.explanation, self.diff.rstrip("\n"), self.summary()]
        return "\n\n".join(part for part in parts if part)

    def summary(self) -> str:
        """Say in plain words what the tests showed and what was done."""
        if self.before is None or self.outcome == "unknown":
            return f"{self.file}: nothing can be said. {self.note}".strip()
        count = len(self.before.results)
        if self.outcome == "already_right":
            said = f"{self.file} is right already: {_of(count, count, 'tests pass')}."
            return f"{said} {self.note}".strip()
        failing = {r.test_id for r in self.before.results if r.status != "pass"}
        passing = {r.test_id for r in (self.after or self.before).results if r.status == "pass"}
        said = (
            f"{_of(len(failing & passing), len(failing), 'failing tests now pass')}; "
            f"{_of(len(passing), count, 'tests pass')}."
        )
        if self.outcome == "not_fixed":
            said = f"{self.file} is not fixed: {said}"
            return f"{said} {self.note}".strip() + " Nothing was written."
        done = f"{self.file} was written." if self.written else "Nothing was written; add --apply."
        return f"{said} {done} {self.note}".strip()

    def as_json(self) -> dict[str, Any]:
        """Return everything a program may want to read."""
        return {**asdict(self), "exit_code": self.exit_code, "summary": self.summary()}


def told(result: TestResult) -> str:
    """Say in one line what a failing test showed."""
    said = f"{result.test_id}: "
    if result.call and result.call != result.test_id:
        said += f"{result.call} "
    if result.got:
        said += f"gave {result.got}" + (f", expected {result.expected}" if result.expected else "")
    elif result.expected and result.status == "wrong":
        said += f"should give {result.expected}"
    elif result.message:
        said += f"ended with {result.message.splitlines()[0]}"
    else:
        said += f"ended with {result.status}"
    return said + (f" (line {result.line})" if result.line else "")


def _of(some: int, count: int, what: str) -> str:
    return f"{some} of {count} {what}"
