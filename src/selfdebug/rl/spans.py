"""Which tokens of a sampled reply are the explanation, and which are the program.

Spans are characters of the reply's text; tokens are those that were sampled. A text tokenised anew
may have other tokens, so each token's place is found by decoding the ids themselves.

    python -c "from selfdebug.rl.spans import token_ends; help(token_ends)"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

REPLY = "reply"  # the span of every token
SPANS = ("code", "explanation", REPLY)


def text_of(tokenizer: Any, ids: Sequence[int]) -> str:
    """Return the text of a reply's token ids, without special tokens."""
    text: str = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text


def token_ends(tokenizer: Any, ids: Sequence[int]) -> list[int]:
    """Return how many characters of the reply's text there are up to and with each token."""
    ends = list(accumulate(len(text_of(tokenizer, [token])) for token in ids))
    if ends and ends[-1] == len(text_of(tokenizer, ids)):
        return ends
    # Tokens that hold a part of a character, or a blank that depends on what is before it. A part
    # decodes to a mark of its own, which must not put a token past the end of the text.
    longest = len(text_of(tokenizer, ids))
    whole = [min(longest, len(text_of(tokenizer, ids[: n + 1]))) for n in range(len(ids))]
    return list(accumulate(whole, max))


def token_mask(ends: Sequence[int], spans: Mapping[str, tuple[int, int]], span: str) -> list[bool]:
    """Return for each token whether it holds a character of the span; a missing span has none."""
    if span == REPLY:
        return [True] * len(ends)
    start, end = spans.get(span, (0, 0))
    starts = [0, *ends[:-1]]
    return [first < end and last > start for first, last in zip(starts, ends, strict=True)]
