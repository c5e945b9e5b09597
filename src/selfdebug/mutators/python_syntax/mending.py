"""Mend a text that does not compile: fixes near the reported line, best first, slip by slip.

A fix after which the text compiles is a repair. One after which the error is further down is a
step towards the repair of a text with several slips. Nothing but the compiler judges here.

    python -c "from selfdebug.mutators.python_syntax import mending as m; print(*m.mended('f(('))"
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

from selfdebug.languages.python_edit.change import Change, describe
from selfdebug.languages.python_edit.program import LONE_RETURN, edited, syntax_error
from selfdebug.mutators.python_syntax.fixes import FIXERS
from selfdebug.mutators.python_syntax.line import Line
from selfdebug.types import Mutation

_EXPANDED = 24  # texts whose fixes are tried
_STEPS = 4  # fixes of one text after which another error is left, and that are followed up
_OFFERED = 80  # repairs
_SLIPS = 5  # mended in one text
_SLIP = 2  # what one slip more costs: more than a likely fix of the same one, less than a strange
_FAR = 1  # what it costs to blame the line before the reported one


@dataclass(frozen=True, slots=True, order=True)
class _Text:
    """A text on its way: its error, and what was mended (line, words, operator), slip by slip."""

    cost: int
    number: int  # in the order of their making: the tie-breaker
    code: str = field(compare=False)
    error: SyntaxError | None = field(compare=False)
    done: tuple[tuple[int, str, str], ...] = field(compare=False, default=())


def mended(code: str) -> Iterator[Mutation]:
    """Yield repairs of a text that does not compile, the most plausible first."""
    error = syntax_error(code)
    if error is None or LONE_RETURN.search(code):
        return
    rng = Random(0)  # it chooses words
    queue = [_Text(0, 0, code, error)]
    seen = {code}
    expanded = offered = 0
    while queue and offered < _OFFERED:
        text = heapq.heappop(queue)
        if text.error is None:
            line, _, operator = text.done[0]
            words = " ".join(words for _, words, _ in text.done)
            yield Mutation(code, text.code, "syntax", line, words, f"python_syntax.{operator}")
            offered += 1
        elif len(text.done) < _SLIPS and expanded < _EXPANDED:
            expanded += 1
            for found in _mended_once(text, text.error, seen, rng):
                heapq.heappush(queue, found)


def _mended_once(text: _Text, error: SyntaxError, seen: set[str], rng: Random) -> Iterator[_Text]:
    """Yield the texts with one slip less: all that compile, and the best that do not yet."""
    steps = 0
    for change, operator in sorted(_fixes(text.code, error), key=lambda fix: fix[0].cost):
        fixed = edited(text.code, change.edits)
        left = syntax_error(fixed)
        if fixed in seen or (left and (steps == _STEPS or not _is_further(error, left))):
            continue
        seen.add(fixed)
        steps += left is not None
        line, words = describe(text.code, change, change.if_wrong, rng, mends=True)
        cost = text.cost + change.cost + (_SLIP if left else 0)
        yield _Text(cost, len(seen), fixed, left, (*text.done, (line, words, operator)))


def _fixes(code: str, error: SyntaxError) -> Iterator[tuple[Change, str]]:
    """Yield every fix of the reported line and of the one with code before it."""
    lines = code.split("\n")
    at = min((error.lineno or 1), len(lines)) - 1
    before = next((n for n in range(at - 1, -1, -1) if lines[n].strip()), at)
    for rank, number in enumerate(dict.fromkeys((at, before))):
        line = Line(code, number, error)
        for fixer in FIXERS:
            for change in fixer(line):
                yield replace(change, cost=change.cost + rank * _FAR), fixer.__name__


def _is_further(old: SyntaxError, new: SyntaxError) -> bool:
    """Return whether an error is another one, further down."""
    before, after = old.lineno or 0, new.lineno or 0
    # The scanner reports open brackets and strings before the parser's errors further up.
    scanned = ("never closed", "unterminated", "unmatched", "does not match")
    if any(words in str(old.msg) for words in scanned):
        return (after, new.msg) != (before, old.msg)
    return after > before
