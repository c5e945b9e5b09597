"""One reply as text while its tokens come: in pieces, cut exactly where a stop text begins.

A token may hold a part of a character, and a piece may be the beginning of a stop text: such text
is kept back until it is clear. All pieces together are the reply. It draws no token.

    python -c "from selfdebug.backends.transformers.writing import Writing; help(Writing)"
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

UNFINISHED = "\ufffd"  # how a part of a character is decoded


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a reply.

    number: of the reply, from 0. finish_reason: "" but in the reply's last piece: "stop", or
    "length" when there was no room. tokens: of the reply so far; prompt_tokens: of what it answers.
    """

    number: int
    text: str
    finish_reason: str = ""
    tokens: int = 0
    prompt_tokens: int = 0


class Writing:
    """The text of one reply."""

    def __init__(
        self,
        tokenizer: Any,
        ends: Collection[int],
        stops: Sequence[str],
        room: int,
        on_piece: Callable[[str, str, int], bool],
    ) -> None:
        """ends: tokens that end a reply. stops: texts that do. room: tokens it may have.

        on_piece: takes a text, the finish reason ("" until the last piece) and the tokens so far,
        and says whether the reply goes on.
        """
        self._tokenizer = tokenizer
        self._ends = ends
        self._stops = stops
        self._room = room
        self._on_piece = on_piece
        self._ids: list[int] = []
        # Decoded from a little before: some tokenizers drop the space before a first token.
        self._before = self._read = 0
        self._kept = ""

    def add(self, token: int) -> bool:
        """Take the next token; return whether the reply goes on."""
        self._ids.append(token)
        over = token in self._ends
        full = len(self._ids) >= self._room
        text = self._kept + self._decoded(last=over or full)
        places = [place for stop in self._stops if (place := text.find(stop)) >= 0]
        if places:
            text = text[: min(places)]
        if places or over or full:
            reason = "stop" if places or over else "length"
            self._on_piece(text, reason, len(self._ids))
            return False
        clear = len(text) - _begun(text, self._stops)
        self._kept = text[clear:]
        # Asked without a text too: whoever reads may have left.
        return self._on_piece(text[:clear], "", len(self._ids))

    def _decoded(self, *, last: bool) -> str:
        """Return the text that the newest tokens add, "" while a character is not whole."""
        before = self._text(self._before, self._read)
        text = self._text(self._before, len(self._ids))
        if len(text) <= len(before) or (text.endswith(UNFINISHED) and not last):
            return ""
        self._before, self._read = self._read, len(self._ids)
        return text[len(before) :]

    def _text(self, start: int, end: int) -> str:
        return self._tokenizer.decode(
            self._ids[start:end], skip_special_tokens=True, clean_up_tokenization_spaces=False
        )


def _begun(text: str, stops: Sequence[str]) -> int:
    """Return how many characters at the end of a text may be the beginning of a stop text."""
    longest = max((len(stop) for stop in stops), default=1) - 1
    for size in range(min(longest, len(text)), 0, -1):
        if any(stop.startswith(text[-size:]) for stop in stops):
            return size
    return 0
