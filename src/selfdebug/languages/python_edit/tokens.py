"""Tokens of a Python text, whether it parses or not; strings that never close are tokens too.

The standard `tokenize` stops at the first error; this one is for texts that are full of them.

    python -c "from selfdebug.languages.python_edit.tokens import tokens; print(tokens('x = (1'))"
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

TokenKind = Literal["comment", "string", "open", "number", "name", "newline", "operator"]

OPENERS = {"(": ")", "[": "]", "{": "}"}
CLOSERS = {closer: opener for opener, closer in OPENERS.items()}

_TOKEN = re.compile(
    r"""
    (?P<comment> \#[^\n]* )
  | (?P<string> [rRbBuUfF]{0,2} (?:
        \"{3} (?: [^\\] | \\. )*? \"{3} | '{3} (?: [^\\] | \\. )*? '{3}
      | " (?: [^"\\\n] | \\. )* " | ' (?: [^'\\\n] | \\. )* ' ) )
  | (?P<open> [rRbBuUfF]{0,2} ["'] [^\n]* )
  | (?P<number> \d[\w.]* | \.\d\w* )
  | (?P<name> [^\W\d]\w* )
  | (?P<newline> \n )
  | (?P<space> (?: [ \t\f\r] | \\\r?\n )+ )
  | (?P<operator> \*\*= | //= | >>= | <<= | === | !== | \.\.\. | -> | := | == | != | <= | >= | <>
      | [-+*/%&|^@]= | => | =< | =! | \*\* | // | << | >> | && | \|\| | \+\+ | -- | . )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a program's text; white space is no token. Offsets count characters."""

    kind: TokenKind
    text: str
    start: int

    @property
    def end(self) -> int:
        """The offset after the last character."""
        return self.start + len(self.text)


def tokens(code: str) -> list[Token]:
    """Return the tokens of a text."""
    return [
        Token(found.lastgroup, found[0], found.start())  # pyright: ignore[reportArgumentType]
        for found in _TOKEN.finditer(code)
        if found.lastgroup != "space"
    ]


def pairs_of_brackets(found: list[Token]) -> list[tuple[Token, Token]]:
    """Return the matching (opener, closer) pairs, as they close."""
    pairs: list[tuple[Token, Token]] = []
    stack: list[Token] = []
    for token in found:
        if token.kind == "operator" and token.text in OPENERS:
            stack.append(token)
        elif token.kind == "operator" and token.text in CLOSERS:
            opener = stack.pop() if stack else token
            if OPENERS.get(opener.text) == token.text:
                pairs.append((opener, token))
    return pairs
