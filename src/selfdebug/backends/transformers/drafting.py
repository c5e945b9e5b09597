"""The broken program as a draft: what the model will probably write next, where it mends one.

A repair is the broken program with a few places changed; an explanation quotes the program and what
the tests showed, in the words of earlier explanations. So many next tokens are known before the
model is asked (speculative decoding with the prompt as draft: Leviathan et al. 2023, arXiv
2211.17192; Saxena 2023, "Prompt Lookup Decoding"; with what was said before: He et al. 2024, REST,
arXiv 2311.08252). The place in the draft is tracked: where the reply departs from it, the place is
found again by what the reply has just said. It proposes only; whether a proposal holds is the
model's to say.

    python -c "from selfdebug.backends.transformers.drafting import Draft; help(Draft)"
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from selfdebug import prompts
from selfdebug.types import Request

WIDTHS = (2, 4, 8, 16, 32, 64)  # tokens that may be proposed at once
LOOK_BACK = 8  # tokens by which the place is found again


def repeated(
    tokenizer: Any, request: Request, explanations: Iterable[Sequence[int]] = ()
) -> list[int]:
    """Return the tokens of the reply that would repeat the broken program; none without one.

    Behind its end stands the feedback, for an explanation to quote, and earlier `explanations`.
    """
    if not request.broken:
        return []
    texts = (prompts.fenced(request.task.language, request.broken), request.feedback)
    program, feedback = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts)
    return [*program, tokenizer.eos_token_id, *feedback, *chain.from_iterable(explanations)]


class Draft:
    """One row's draft and the place in it where its reply stands."""

    def __init__(self, tokens: Sequence[int]) -> None:
        """tokens: the reply as it would be if nothing had to change, with its end."""
        self._tokens = tokens
        self._after: dict[int, list[int]] = {}  # token -> the places behind it
        for place, token in enumerate(tokens):
            self._after.setdefault(token, []).append(place + 1)
        self._at = 0
        self._hits = 0  # tokens in a row that came as proposed
        self._misses = 0

    def expected(self, room: int) -> list[float]:
        """Return, for each of WIDTHS, how many tokens will hold if so many are proposed.

        The next token holds with probability (hits + 1) / (hits + misses + 2), Laplace's rule of
        succession, and each that holds is a hit for the one after it.
        """
        most = min(room, len(self._tokens) - self._at)
        sums: list[float] = []
        holds, total, count = 1.0, 0.0, 0
        for width in WIDTHS:
            for _ in range(min(width, most) - count):
                hits = self._hits + count
                holds *= (hits + 1) / (hits + self._misses + 2)
                total += holds
                count += 1
            sums.append(total)
        return sums

    def propose(self, width: int) -> Sequence[int]:
        """Return at most `width` next tokens."""
        return self._tokens[self._at : self._at + width]

    def follow(self, reply: Sequence[int], new: int) -> None:
        """Move on: the last `new` tokens of the reply have been drawn since the last call."""
        for end in range(len(reply) - new + 1, len(reply) + 1):
            token = reply[end - 1]
            if self._at < len(self._tokens) and self._tokens[self._at] == token:
                self._at += 1
                self._hits += 1
                self._misses //= 2
            else:
                self._misses += 1
                self._find(reply[max(0, end - LOOK_BACK) : end])

    def _find(self, said: Sequence[int]) -> None:
        """Find the place again: a long match is far better than a short one, a near one better.

        Without any match, one token stands for one other. The more has been missed, the less the
        old place says.
        """
        best, place, hits = 0.0, min(self._at + 1, len(self._tokens)), 0
        for after in self._after.get(said[-1], ()):
            same = 1
            while (
                same < min(len(said), after) and said[-1 - same] == self._tokens[after - 1 - same]
            ):
                same += 1
            score = same - math.log2(1 + abs(after - self._at)) / (1 + self._misses)
            if score > best:
                best, place, hits = score, after, same
        self._at, self._hits = place, hits


def width(rows: Sequence[tuple[Draft | None, int]], overhead: float, many: float) -> int:
    """Return how many tokens to propose for each row of a batch, so that most are drawn a second.

    rows: each with the tokens that it may still take beyond the one that every step draws.
    overhead: what a step costs besides its tokens, in tokens. A step that checks proposals costs
    `many` more: one token a row is quicker by itself than by its share.
    """
    held = [0.0] * len(WIDTHS)
    for draft, room in rows:
        if draft is not None:
            held = [a + b for a, b in zip(held, draft.expected(room), strict=True)]
    rates = {0: len(rows) / (overhead + len(rows))}
    for wide, tokens in zip(WIDTHS, held, strict=True):
        rates[wide] = (len(rows) + tokens) / (overhead + many + len(rows) * (1 + wide))
    return max(rates, key=lambda wide: rates[wide])
