"""Spectrum-based fault localisation: which lines do failing tests execute and passing ones not?

Reads results that were observed with observe="lines"; it runs nothing. The measure is Ochiai's
(Abreu et al. 2007): failed(line) / sqrt(failed x (failed(line) + passed(line))).

    python -c "from selfdebug.backends.search.localise import ochiai; help(ochiai)"
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from math import sqrt

from selfdebug.types import TestResult

_CONTINUED = 0.9  # of the line before: a line that begins no statement, or one that nothing ran
_FLOOR = 0.02  # tests do not tell everything


def ochiai(results: Sequence[TestResult]) -> dict[int, float]:
    """Return the suspiciousness of each executed line, in [0, 1]."""
    failed = [frozenset(r.lines) for r in results if r.status != "pass" and r.lines]
    passed = [frozenset(r.lines) for r in results if r.status == "pass"]
    scores: dict[int, float] = {}
    for line in frozenset[int]().union(*failed, *passed):
        bad = sum(line in lines for lines in failed)
        good = sum(line in lines for lines in passed)
        scores[line] = bad / sqrt(len(failed) * (bad + good)) if bad else 0.0
    return scores


def suspicion(results: Sequence[TestResult]) -> Callable[[int], float]:
    """Return a function from any line to its suspiciousness, in (0, 1].

    A program that does not load has executed nothing: there the lines near the error are suspect.
    """
    scores = ochiai(results)
    known = sorted(scores)
    error = next((r.line for r in results if r.status == "load_error" and r.line), 0)

    def of(line: int) -> float:
        if not scores:
            return 1 / (1 + abs(line - error)) if error else 1.0
        if line in scores:
            return max(scores[line], _FLOOR)
        before = bisect_left(known, line)
        return max(_CONTINUED * (scores[known[before - 1]] if before else 1.0), _FLOOR)

    return of
