"""Likeness to verified repairs of the same wrong program, by CodeBLEU; no program is run.

CodeBLEU (Ren et al. 2020, arXiv 2009.10297, section 3) is the mean of four matches of a candidate
with a reference: of n-grams, of n-grams in which keywords weigh more, of syntax subtrees, of data
flow. This is our own of the paper's definition, for Python and JavaScript. Where a reference has
nothing of a kind (no data flow, say) that match is left out of the mean.

    python -c "from selfdebug.rewards.codebleu import codebleu
    print(codebleu('python', 'def f(a): return a + 1', 'def f(b): return b + 2'))"
"""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import lru_cache
from statistics import fmean
from typing import Any

from selfdebug import plugins
from selfdebug.rewards.codebleu import javascript_code, ngrams, python_code
from selfdebug.rewards.codebleu.flow import Items, matched
from selfdebug.types import Completion, Language, Request

SPAN = "code"
JUDGED = False  # it asks for no verdict
MAX_CHARS = 20_000  # of a program; a longer one is like nothing

_JAVASCRIPT = (
    "async await break case catch class const continue debugger default delete do else export "
    "extends false finally for function if import in instanceof let new null of return static "
    "super switch this throw true try typeof undefined var void while with yield"
)
KEYWORDS: dict[Language, frozenset[str]] = {
    "python": frozenset(keyword.kwlist),
    "javascript": frozenset(_JAVASCRIPT.split()),
}
_STRUCTURE = {"python": python_code.structure, "javascript": javascript_code.structure}


def reward(
    completions: Sequence[Any],
    *,
    request: Sequence[Request],
    reply: Sequence[Completion],
    fixed: Sequence[Sequence[str]],
    **_: Any,
) -> list[float | None]:
    """Return 5 S_cb - 2.5, in [-2.5, 2.5]: LeDex's share of R(refinement) = 5 (S_cb + S_ut) - 5.

    fixed: the verified repairs of the program that each reply refines. None where there are none,
    or where there is no program in the reply.
    """
    del completions
    return [
        5 * s - 2.5 if (s := score(asked.task.language, said.code, known)) is not None else None
        for asked, said, known in zip(request, reply, fixed, strict=True)
    ]


def score(language: Language, code: str, fixed: Sequence[str]) -> float | None:
    """Return S_cb, the mean CodeBLEU to the repairs, in [0, 1]."""
    if not code.strip() or not fixed:
        return None
    return fmean(codebleu(language, code, reference) for reference in fixed)


@dataclass(frozen=True, slots=True)
class Matches:
    """The four parts, each in [0, 1]; None where the reference has nothing of the kind."""

    ngrams: float
    keywords: float
    syntax: float | None
    flow: float | None

    @property
    def mean(self) -> float:
        """CodeBLEU with the paper's weights of 1/4 each."""
        return fmean(part for part in astuple(self) if part is not None)


def codebleu(language: Language, candidate: str, reference: str) -> float:
    """Return CodeBLEU of one candidate and one reference, in [0, 1]."""
    return matches(language, candidate, reference).mean


def matches(language: Language, candidate: str, reference: str) -> Matches:
    """Return the four matches; a candidate that does not parse has neither subtrees nor flow."""
    if max(len(candidate), len(reference)) > MAX_CHARS:
        return Matches(0.0, 0.0, 0.0, 0.0)
    said, wanted = _parts(language, candidate), _parts(language, reference)
    return Matches(
        ngrams.bleu(said.tokens, wanted.tokens),
        ngrams.bleu(said.tokens, wanted.tokens, KEYWORDS[language]),
        matched(said.subtrees, wanted.subtrees),
        matched(said.flow, wanted.flow),
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    tokens: list[str]
    subtrees: Items
    flow: Items


@lru_cache(maxsize=4096)  # references come again with every reply, and so do many replies
def _parts(language: Language, code: str) -> _Parts:
    tokens = plugins.load("languages", language).tokenize(code)
    return _Parts(tokens, *_STRUCTURE[language](code))
