"""A line of a text that does not compile, and how to say what a fix of it mends.

python -c "import selfdebug.mutators.python_syntax.line as l; help(l.Line)"
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from selfdebug.languages.python_edit.change import Change
from selfdebug.languages.python_edit.program import Edit
from selfdebug.languages.python_edit.tokens import Token, tokens

HEADERS = (
    "if",
    "elif",
    "else",
    "for",
    "while",
    "def",
    "class",
    "try",
    "except",
    "finally",
    "with",
)


class Line:
    """A line of a text with its tokens, and the error that points at it."""

    def __init__(self, code: str, number: int, error: SyntaxError) -> None:
        lines = code.split("\n")
        self.code, self.number, self.lines, self.error = code, number, lines, error
        self.start = sum(len(line) + 1 for line in lines[:number])
        self.text = lines[number]
        self.end = self.start + len(self.text)
        self.indent = self.text[: len(self.text) - len(self.text.lstrip())]
        self.tokens = [
            Token(token.kind, token.text, token.start + self.start)
            for token in tokens(self.text)
            if token.kind != "comment"
        ]

    def fix(self, why: str, cost: int, *edits: tuple[int, int, str]) -> Change:
        """Return a Change that quotes the line."""
        shown = (self.start + len(self.indent), self.end)
        return Change(tuple(Edit(*edit) for edit in edits), shown, why, "", cost)

    @property
    def first(self) -> str:
        """The first token's text."""
        return self.tokens[0].text if self.tokens else ""

    @property
    def previous(self) -> int:
        """The number of the last line with code before this one, or -1."""
        return next((n for n in range(self.number - 1, -1, -1) if self.lines[n].strip()), -1)


Fixer = Callable[[Line], Iterator[Change]]
