"""Mend a text that does not compile: fixes near the reported line, best first, slip by slip.

A fix after which the text compiles is a repair. One after which the error is further down is a
step towards the repair of a text with several slips. Nothing but the compiler judges here.

    python -c "from selfdebug.mutators.python_syntax import mending as m; print(*m.mended('f(('))"
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import count
from random import Random

from selfdebug.languages.python_edit.change import Change, describe
from selfdebug.languages.python_edit.program import edited, syntax_error
from selfdebug.mutators.python_syntax.fixes import FIXERS
from selfdebug.mutators.python_syntax.line import Line
from selfdebug.types import Mutation

_EXPANDED = 24  # texts whose fixes are tried
_OFFERED = 80  # repairs
_SLIPS = 5  # mended in one text
_FAR = 1  # what it costs to blame the line before the reported one


def mended(code: str) -> Iterator[Mutation]:
    """Yield repairs of a text that does not compile, the most plausible first."""
    error = syntax_error(code)
    if error is None:
        return
    rng = Random(0)  # it chooses words
    order = count()
    # (cost, tie-breaker, text, its error, what was done: line, words and operator of each slip)
    queue: list[tuple[int, int, str, SyntaxError | None, list[tuple[int, str, str]]]]
    queue = [(0, next(order), code, error, [])]
    seen, expanded, offered = {code}, 0, 0
    while queue and offered < _OFFERED:
        cost, _, text, error, done = heapq.heappop(queue)
        if error is None:
            line, _, operator = done[0]
            words = " ".join(words for _, words, _ in done)
            yield Mutation(code, text, "syntax", line, words, f"python_syntax.{operator}")
            offered += 1
            continue
        if len(done) == _SLIPS or expanded == _EXPANDED:
            continue
        expanded += 1
        for change, operator in _fixes(text, error):
            fixed = edited(text, change.edits)
            if fixed in seen:
                continue
            remaining = syntax_error(fixed)
            if remaining is None or _is_further(error, remaining):
                seen.add(fixed)
                line, words = describe(text, change, change.if_wrong, rng, mends=True)
                step = [*done, (line, words, operator)]
                # One slip more is less likely than a stranger fix of the same slip.
                total = cost + change.cost + (4 if remaining else 0)
                heapq.heappush(queue, (total, next(order), fixed, remaining, step))


def _fixes(text: str, error: SyntaxError) -> Iterator[tuple[Change, str]]:
    """Yield every fix of the reported line and of the one with code before it."""
    lines = text.split("\n")
    at = min((error.lineno or 1), len(lines)) - 1
    before = next((n for n in range(at - 1, -1, -1) if lines[n].strip()), at)
    for rank, number in enumerate(dict.fromkeys((at, before))):
        line = Line(text, number, error)
        for fixer in FIXERS:
            for change in fixer(line):
                yield (
                    Change(
                        change.edits, change.shown, change.if_wrong, "", change.cost + rank * _FAR
                    ),
                    fixer.__name__,
                )


def _is_further(old: SyntaxError, new: SyntaxError) -> bool:
    """Return whether an error is another one, further down."""
    before, after = old.lineno or 0, new.lineno or 0
    # The scanner reports open brackets and strings before the parser's errors further up.
    scanned = ("never closed", "unterminated", "unmatched", "does not match")
    if any(words in str(old.msg) for words in scanned):
        return (after, new.msg) != (before, old.msg)
    return after > before
