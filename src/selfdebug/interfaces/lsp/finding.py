"""What a run found in a file, as an editor needs it: which tests fail, on which line, and why.

It makes one value out of a FixResult, and carries it between processes as JSON. It runs nothing
and knows nothing of the protocol.

    python -m pytest tests/test_lsp_answers.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from selfdebug.backends.search.localise import ochiai
from selfdebug.explanations import changed_lines, claims
from selfdebug.interfaces.fixresult import FixResult, told
from selfdebug.types import TestResult, Verdict

# failing: the tests have been run, and a repair is still looked for. refused: wrong input.
Outcome = Literal["failing", "fixed", "already_right", "not_fixed", "unknown", "refused"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A failing test. line: 1-based line of the file to show it at. said: in one line."""

    test: str
    line: int
    said: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of one text of a file.

    summary: one line for a person. mended: the text that passes every test, or "". tests: the
    absolute path of the tests, or "" when there are none.
    """

    outcome: Outcome
    summary: str
    explanation: str = ""
    failures: tuple[Failure, ...] = ()
    mended: str = ""
    tests: str = ""

    @property
    def ended(self) -> bool:
        """False while a repair is still looked for."""
        return self.outcome != "failing"

    def as_json(self) -> str:
        """Return it on one line."""
        return json.dumps(asdict(self))


def from_json(line: str | bytes) -> Finding:
    """Return the finding that `as_json` wrote."""
    values: dict[str, Any] = json.loads(line)
    failures = tuple(Failure(**failure) for failure in values.pop("failures"))
    return Finding(failures=failures, **values)


def of(result: FixResult, text: str, tests: str = "", *, ended: bool = True) -> Finding:
    """Return what `result` says of `text`. ended: no more is to come."""
    fixed = result.outcome == "fixed"
    before = result.before
    summary = _summary(result)
    if before is None or result.outcome == "unknown":
        return Finding("unknown", summary, tests=tests)
    line = _explained_line(result, text) if fixed else 0
    failures = tuple(_failures(before, line, text.count("\n") + 1))
    return Finding(
        outcome=result.outcome if ended else "failing",
        summary=summary,
        explanation=result.explanation,
        failures=failures,
        mended=result.mended if fixed else "",
        tests=tests,
    )


def _summary(result: FixResult) -> str:
    """Say what the tests showed, without the words about writing that a command line needs."""
    if result.outcome == "fixed" and result.before is not None:
        failing = sum(r.status != "pass" for r in result.before.results)
        passing = len(result.before.results)
        return f"{failing} of {passing} tests fail; with a change all {passing} pass."
    return result.summary().removesuffix(" Nothing was written.")


def _failures(before: Verdict, explained: int, lines: int) -> Iterator[Failure]:
    scores = ochiai(before.results)
    suspect = max(scores, key=lambda line: (scores[line], -line), default=1)
    for result in before.results:
        if result.status != "pass":
            line = explained or result.line or _suspect(result, scores) or suspect
            yield Failure(result.test_id, min(max(line, 1), lines), told(result))


def _suspect(result: TestResult, scores: dict[int, float]) -> int:
    """Return the line that this test ran and that failing tests run most and passing ones least."""
    return max(result.lines, key=lambda line: (scores.get(line, 0.0), -line), default=0)


def _explained_line(result: FixResult, text: str) -> int:
    """Return the line that the explanation names, as far as the change bears it out."""
    failure = result.before.first_failure if result.before is not None else None
    said = claims(result.explanation, text, result.mended, failure)
    named = [int(claim.text.split()[-1]) for claim in said if claim.kind == "line" and claim.holds]
    return next(iter(named or sorted(changed_lines(text, result.mended))), 0)
