"""Fixes for one line of a text that does not compile: each fixer knows one kind of slip.

python -c "from selfdebug.mutators.python_syntax import fixes; print(fixes.FIXERS)"
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from difflib import get_close_matches

from selfdebug.languages.python_edit.change import Change
from selfdebug.languages.python_edit.guesses import words
from selfdebug.languages.python_edit.program import Edit
from selfdebug.languages.python_edit.tokens import CLOSERS, OPENERS, Token, tokens
from selfdebug.mutators.python_syntax.indenting import indentation
from selfdebug.mutators.python_syntax.line import HEADERS, Fixer, Line

_TESTS = ("if", "elif", "while", "return", "assert", "and", "or", "not")
# What other languages write, and what Python writes for it.
_WORDS = {
    **dict.fromkeys(("elseif", "elsif", "elf"), "elif"),
    **dict.fromkeys(("function", "func", "fn", "define", "fun", "sub", "fed"), "def"),
    **dict.fromkeys(("foreach", "fro", "each"), "for"),
    **dict.fromkeys(("loop", "whlie"), "while"),
    **dict.fromkeys(("of", "ni", "on"), "in"),
    **{"catch": "except", "throw": "raise", "include": "import", "using": "with", "do": "try"},
    **{"otherwise": "else", "esle": "else", "els": "else", "when": "if", "fi": "if", "IF": "if"},
    **{"AND": "and", "OR": "or", "NOT": "not", "struct": "class", "give": "return"},
    **{"equals": "==", "mod": "%", "div": "//", "are": "is", "form": "from", "emit": "yield"},
    **{"until": "while", "unless": "if", "then": ":", "globals": "global", "returns": "return"},
    **{"&&": "and", "||": "or", "!": "not ", "===": "==", "!==": "!=", "<>": "!=", "=!": "!="},
    **{"=<": "<=", "=>": ">=", "^^": "**", "%%": "%", "::": ":"},
}
_NOISE = frozenset(
    words(
        """int var let const float double char bool auto string String public private static void
    new final long boolean my val"""
    )
)
_BETWEEN = (
    "+",
    "-",
    "*",
    "/",
    "%",
    "==",
    "!=",
    "<",
    ">",
    "<=",
    ">=",
    "//",
    "=",
    "and",
    "or",
    ".",
    ":",
)


def missing_colon(line: Line) -> Iterator[Change]:
    """Put the colon after a header."""
    if not line.tokens or line.first not in (*HEADERS, "async"):
        return
    last, why = line.tokens[-1], f"the `{line.first}` line does not end with a colon"
    if last.text != ":":
        if last.text in (";", "{", "then", "do", "::", ",", "=", ")"):
            start = last.start - (line.code[last.start - 1] == " ")
            yield line.fix(why, 0 if last.text != ")" else 3, (start, last.end, ":"))
        yield line.fix(why, 0, (last.end, last.end, ":"))
    for token in line.tokens[:-1]:
        yield line.fix("a colon is missing", 5, (token.end, token.end, ":"))


def bracket(line: Line) -> Iterator[Change]:
    """Close, open, exchange or take out a bracket."""
    stack: list[Token] = []
    for token in line.tokens:
        if token.kind == "operator" and token.text in OPENERS:
            stack.append(token)
        elif token.kind == "operator" and token.text in CLOSERS:
            if stack and OPENERS[stack[-1].text] == token.text:
                stack.pop()
                continue
            why = f"`{token.text}` closes nothing"
            yield line.fix(why, 0, (token.start, token.end, ""))
            if stack:
                right = OPENERS[stack[-1].text]
                why = f"`{stack[-1].text}` is closed by `{token.text}`"
                yield line.fix(why, 0, (token.start, token.end, right))
                stack.pop()
            for other in line.tokens:
                if other.start <= token.start:
                    opener = CLOSERS[token.text]
                    why = f"`{token.text}` closes nothing"
                    yield line.fix(why, 2, (other.start, other.start, opener))
    if stack:
        yield from _closed(line, stack)
    for token in line.tokens:
        if token.text in OPENERS or token.text in CLOSERS:
            why = f"there is one `{token.text}` too many"
            yield line.fix(why, 4, (token.start, token.end, ""))


def _closed(line: Line, stack: list[Token]) -> Iterator[Change]:
    """Put in the closing brackets that a line lacks: at its end, or anywhere in it."""
    closers = "".join(OPENERS[token.text] for token in reversed(stack))
    why = f"the bracket `{stack[-1].text}` is never closed"
    last = line.tokens[-1]
    colon = last.text == ":" and line.first in HEADERS
    tail = last.start if colon else last.end
    yield line.fix(why, 0, (tail, tail, closers))
    yield line.fix(why, 1, (tail, tail, closers[0]))
    if last.text in ",:;":
        yield line.fix(why, 1, (last.start, last.start, closers))
    for rank, token in enumerate(reversed(line.tokens)):
        if token.end > stack[-1].start:
            cost = 1 if token.text in ("=", "+=", "-=", "==") else 2 + (rank > 3)
            edits = [(token.start, token.start, closers[0])]
            if len(closers) > 1:
                edits.append((tail, tail, closers[1:]))
            yield line.fix(why, cost, *edits)
    opener = stack[-1]
    yield line.fix(f"`{opener.text}` opens nothing", 3, (opener.start, opener.end, ""))


def quote(line: Line) -> Iterator[Change]:
    """Close a text, open it, or take out a stray quote."""
    for triple in ('"""', "'''"):
        if line.code.count(triple) % 2 and triple in line.text:
            why = f"the text between {triple} is never closed"
            yield line.fix(why, 0, (line.end, line.end, triple))
            at = line.start + line.text.index(triple)
            yield line.fix(why, 2, (at, at + 3, ""))
    for token in line.tokens:
        if token.kind != "open":
            continue
        mark = token.text.lstrip("rRbBuUfF")[0]
        other = "'" if mark == '"' else '"'
        begin = token.start + token.text.index(mark)
        why = "the text is never closed"
        yield line.fix(why, 1, (token.end, token.end, mark))
        body = line.code[begin + 1 : token.end]
        for found in reversed(list(re.finditer(re.escape(other), body))):
            at = begin + 1 + found.start()
            yield line.fix(
                f"the text is opened by {mark} and closed by {other}", 0, (at, at + 1, mark)
            )
        yield line.fix("the quote opens nothing", 2, (begin, begin + 1, ""))
        for found in reversed(list(re.finditer(r"[^\w]", body))):
            at = begin + 1 + found.start()
            yield line.fix(why, 1 if found[0] in ")],:" else 2, (at, at, mark))
        for before in reversed(line.tokens[: line.tokens.index(token)]):
            yield line.fix("the text is never opened", 2, (before.start, before.start, mark))


def word(line: Line) -> Iterator[Change]:
    """Write what Python writes for another language's word or operator, or spell it right."""
    found = re.search(r"\belse\s+if\b", line.text)
    if found:
        span = line.start + found.start(), line.start + found.end()
        yield line.fix("`else if` is `elif` in Python", 0, (*span, "elif"))
    for token in line.tokens:
        native = _WORDS.get(token.text) if token.kind in ("name", "operator") else None
        if native is not None:
            why = f"`{token.text}` means nothing to Python"
            yield line.fix(why, 0, (token.start, token.end, native))
            yield from _everywhere(line, token, native)
        if token.kind == "name" and not keyword.iskeyword(token.text):
            for near in get_close_matches(token.text, keyword.kwlist, n=2, cutoff=0.6):
                why = f"`{token.text}` is no Python keyword"
                yield line.fix(why, 1, (token.start, token.end, near))
        if token.text in _NOISE or token.text in ("$", "?", "!", "`", "@"):
            end = token.end + (line.code[token.end : token.end + 1] == " ")
            yield line.fix(f"`{token.text}` means nothing here", 0, (token.start, end, ""))
            yield from _everywhere(line, token, "")
    if line.tokens and line.tokens[-1].text == ":" and line.first not in HEADERS:
        first = line.tokens[0]
        for header in HEADERS:
            why = "a line with a colon at its end begins with a keyword"
            yield line.fix(why, 2, (first.start, first.end, header))
            yield line.fix(why, 2, (first.start, first.start, header + " "))
    for left, right in zip(line.tokens, line.tokens[1:], strict=False):
        if left.text + right.text in ("==", "!=", "<=", ">=", "+=", "-=", "//", "**", "->"):
            why = f"`{left.text}` and `{right.text}` are one operator"
            yield line.fix(why, 0, (left.end, right.start, ""))
        if left.text == "=" and right.text == "+=":
            yield line.fix("`=+=` is no operator", 0, (left.start, left.end, ""))


def _everywhere(line: Line, token: Token, new: str) -> Iterator[Change]:
    """Write the same word in Python's way wherever it stands from here on."""
    same = [t for t in tokens(line.code) if t.text == token.text and t.start >= token.start]
    if len(same) > 1:
        ends = [t.end + (not new and line.code[t.end : t.end + 1] == " ") for t in same]
        edits = tuple(Edit(t.start, end, new) for t, end in zip(same, ends, strict=True))
        why = f"`{token.text}` means nothing to Python, here and further down"
        yield Change(edits, None, why, "", 1)


def comment(line: Line) -> Iterator[Change]:
    """Begin a comment as Python does, or take the mark away."""
    for token in line.tokens:
        if token.text not in ("//", "/", "--", "<", "*", "/*"):
            continue
        found = re.match(r"//|/\*|--|<!--|\*/", line.code[token.start :])
        if found:
            why = f"a comment begins with `#` in Python, not with `{found[0]}`"
            end = token.start + len(found[0])
            alone = token.start == line.start + len(line.indent)
            yield line.fix(why, 0 if alone else 1, (token.start, end, "#"))
            yield line.fix(f"`{found[0]}` means nothing here", 1, (token.start, end, ""))


def counting(line: Line) -> Iterator[Change]:
    """Write `+= 1` for `++`."""
    for left, right in zip(line.tokens, line.tokens[1:] + line.tokens[-1:], strict=True):
        for name, operator in ((left, right), (right, left)):
            if name.kind == "name" and operator.text in ("++", "--"):
                span = min(name.start, operator.start), max(name.end, operator.end)
                text = f"{name.text} {operator.text[0]}= 1"
                yield line.fix(f"Python has no `{operator.text}`", 0, (*span, text))
    found = re.search(r"([\w.\[\]]+)\s*(\+\+|--)", line.text)
    if found:
        span = line.start + found.start(), line.start + found.end()
        text = f"{found[1]} {found[2][0]}= 1"
        yield line.fix(f"Python has no `{found[2]}`", 0, (*span, text))


def conditional(line: Line) -> Iterator[Change]:
    """Write `a if c else b` for `c ? a : b`."""
    for found in re.finditer(
        r"(?:(?<==)|(?<=return)|(?<=[(,\[]))([^=?(,\[]+(?:==|<=|>=|!=|\(|\))?[^=?,\[]*)\?([^:]+):([^),\]#]+)",
        line.text,
    ):
        test, body, other = (part.strip() for part in found.groups())
        span = line.start + found.start(), line.start + found.end()
        text = f" {body} if {test} else {other}"
        yield line.fix("Python chooses with `if` and `else`", 0, (*span, text))


def braces(line: Line) -> Iterator[Change]:
    """Take the braces away from a block."""
    if line.tokens and line.tokens[-1].text == "{" and line.first in HEADERS:
        last = line.tokens[-1]
        start = last.start - (line.code[last.start - 1] == " ")
        edits = [(start, last.end, ":")]
        for number in range(line.number + 1, len(line.lines)):
            if line.lines[number].strip() == "}":
                at = sum(len(text) + 1 for text in line.lines[:number])
                edits.append((at, at + len(line.lines[number]), ""))
                yield line.fix("a block has no braces in Python", 0, *edits)
    if line.text.strip() in ("{", "}", "};", "end"):
        yield line.fix("a block has no braces in Python", 0, (line.start, line.end, ""))


def equals(line: Line) -> Iterator[Change]:
    """Compare with `==` where `=` assigns."""
    signs = [token for token in line.tokens if token.text == "="]
    for at, token in enumerate(signs):
        tested = line.first in _TESTS or at > 0
        why = "`=` assigns and cannot stand in an expression"
        yield line.fix(why, 0 if tested else 1, (token.start, token.end, "=="))
        for other in ("+", "-", "%", "*", "<=", ">=", "!="):
            yield line.fix(why, 5, (token.start, token.end, other))
    if len(signs) > 1:
        edits = [(token.start, token.end, "==") for token in signs]
        yield line.fix("`=` assigns and cannot stand in an expression", 1, *edits)


def gap(line: Line) -> Iterator[Change]:
    """Put in the comma, operator, operand or keyword that is missing between two tokens."""
    values = ("name", "string", "number")
    for left, right in zip(line.tokens, line.tokens[1:], strict=False):
        ends = left.kind in values or left.text in CLOSERS
        begins = right.kind in values or right.text in OPENERS
        if ends and begins and not (keyword.iskeyword(left.text) and left.text != "None"):
            yield line.fix("a comma is missing", 1, (left.end, left.end, ","))
            for text in ("in", "if", "else", "for", "import", "as"):
                likely = text == "in" and line.first == "for"
                yield line.fix(
                    f"`{text}` is missing", 1 if likely else 3, (left.end, left.end, f" {text}")
                )
            for text in _BETWEEN:
                why = f"`{text}` is missing between two values"
                yield line.fix(why, 3, (left.end, left.end, text if text == "." else f" {text}"))
    names = list(dict.fromkeys(t.text for t in tokens(line.code) if t.kind == "name"))
    own = [name for name in names if not keyword.iskeyword(name) and name != "self"][:12]
    for token, following in zip(line.tokens, [*line.tokens[1:], None], strict=False):
        operator = token.kind == "operator" and token.text not in (
            *OPENERS,
            *CLOSERS,
            ",",
            ":",
            ";",
            ".",
        )
        if operator or token.text in ("and", "or", "in", "not", "if", "while", "elif"):
            ended = following is None or following.text in (*CLOSERS, ":", ",", "#")
            for rank, value in enumerate(("1", "0", "[]", "''", *own) if ended else ()):
                why = f"nothing stands after `{token.text}`"
                yield line.fix(why, 2 + (rank > 1), (token.end, token.end, f" {value}"))
    if line.tokens:
        first = line.tokens[0]
        for text in ("def", "if", "for", "import", "return", "elif", "while", "class"):
            yield line.fix(f"`{text}` is missing", 3, (first.start, first.start, f"{text} "))


def excess(line: Line) -> Iterator[Change]:
    """Take a token out, or the whole line."""
    for token in line.tokens:
        why = f"`{token.text}` should not be there"
        yield line.fix(why, 5, (token.start, token.end, ""))
    if line.text.strip() and line.first not in HEADERS:
        yield line.fix("the line means nothing", 8, (line.start, line.end, line.indent + "pass"))


FIXERS: tuple[Fixer, ...] = (
    missing_colon,
    bracket,
    quote,
    indentation,
    word,
    comment,
    counting,
    conditional,
    braces,
    equals,
    gap,
    excess,
)
