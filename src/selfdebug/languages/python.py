"""Python: is a text a program, and what are its tokens. It runs nothing.

python -c "from selfdebug.languages import python; print(python.check_syntax('f('))"
"""

from __future__ import annotations

import ast
import warnings

from selfdebug.languages.python_edit.tokens import tokens

NAME = "python"
SUFFIXES = (".py",)
MAX_CHARS = 200_000  # past this a text is refused: parsing takes memory in proportion
MAX_NESTING = 200  # brackets; CPython's parser has a limit of the same order


def check_syntax(code: str) -> tuple[int, str] | None:
    """Return the 1-based line and the message of the first syntax error, or None."""
    if len(code) > MAX_CHARS:
        return 1, f"the program is longer than {MAX_CHARS:,} characters"
    if (line := _too_deep(code)) is not None:
        return line, f"brackets are nested more than {MAX_NESTING} deep"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in a string is no error
            ast.parse(code)
    except SyntaxError as error:
        return error.lineno or 1, error.msg
    except ValueError as error:  # null bytes, before Python 3.12
        return 1, str(error)
    return None


def tokenize(code: str) -> list[str]:
    """Return the tokens of a text, comments and line breaks left out, whether it parses or not."""
    return [token.text for token in tokens(code) if token.kind not in ("comment", "newline")]


def _too_deep(code: str) -> int | None:
    """Return the line where nesting passes the limit: a bomb must not reach the parser's stack."""
    depth = 0
    for line, text in enumerate(code.splitlines(), 1):
        depth += sum(text.count(mark) for mark in "([{") - sum(text.count(mark) for mark in ")]}")
        if depth > MAX_NESTING:
            return line
    return None
