"""Mend JavaScript that does not parse: one token inserted, removed or replaced, then another.

What can be wrong is narrowed by counting first: with a quote left over only quotes are tried, with
brackets that do not match only the edits that make them match, and otherwise words and separators,
nearest the parser's errors first. Every trial is parsed by tree-sitter; those that leave no error
are offered. When there is none, the best trials are mended once more. It knows nothing of what
the program is for: the tests choose between the ways to close a bracket.

    python -c "from selfdebug.mutators.javascript_syntax import repair; print(*repair('f((1)'))"
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from selfdebug.languages.javascript_edit import Program, quote
from selfdebug.mutators.javascript_syntax.slips import CLOSES, FOREIGN, OPENS

_TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`"""
    r"""|[A-Za-z_$][\w$]*|\d[\w.]*|=>|->|[=!]==?|<=|>=|=<|:=|<>|&&|\|\||\+\+|--|\.\.\.?|\$\{|\S""",
    re.S,
)
_REGEX = re.compile(r"/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*")
_KEYWORDS = [
    "function",
    "return",
    "const",
    "while",
    "else",
    "let",
    "new",
    "for",
    "of",
    "if",
    "in",
    "var",
    "break",
    "continue",
    "switch",
    "case",
    "default",
    "typeof",
    "class",
    "throw",
    "try",
    "catch",
    "finally",
    "do",
    "null",
    "true",
    "false",
]
_WORDS = {word.strip(): right for right, words in FOREIGN.items() for word in words} | {
    "elif": "else if",
    "elsif": "else if",
    "elseif": "else if",
    "end": "}",
    "begin": "{",
}
_SIGNS = (
    ("->", "=>"),
    ("= >", "=>"),
    ("=<", "<="),
    ("< =", "<="),
    ("> =", ">="),
    (":=", "="),
    ("<>", "!="),
    ("== =", "==="),
    ("= ==", "==="),
    ("= =", "=="),
    ("! ==", "!=="),
    ("! =", "!="),
    ("& &", "&&"),
    ("| |", "||"),
    ("+ +", "++"),
    ("- -", "--"),
    ("+ =", "+="),
    ("- =", "-="),
    ("* =", "*="),
    ("..", "."),
    ("#", "//"),
    ("'", '"'),
    (";", ","),
    (",", ";"),
    (",", ":"),
    ("==", "="),
    ("===", "="),
    (">", "=>"),
    ("=", ":"),
    ("=", "=="),
    (":", "="),
)
_TRIALS = 1200  # parses of one program at most: each takes a tenth of a millisecond and more
_BEAM = 5
_NEAR = 2  # lines around an error where separators are tried


@dataclass(frozen=True, slots=True)
class Trial:
    """One edit, in characters, and why the text it changes is wrong."""

    start: int
    end: int
    text: str
    reason: str


Badness = tuple[int, int]


def mended(code: str) -> Iterator[tuple[str, tuple[Trial, ...]]]:
    """Yield (program, edits that led to it) for programs that parse, the likeliest first."""
    tried = [(badness, fixed, trial) for trial, fixed, badness in _tried(code)]
    whole = [(fixed, (trial,)) for badness, fixed, trial in tried if badness == (0, 0)]
    yield from whole
    if not whole:
        for _, halfway, first in sorted(tried, key=lambda item: item[0])[:_BEAM]:
            for second, fixed, badness in _tried(halfway):
                if badness == (0, 0):
                    yield fixed, (first, second)


def _tried(code: str) -> Iterator[tuple[Trial, str, Badness]]:
    """Yield what each trial makes of a program, and how bad that still is."""
    seen = {code}
    for trial in islice(_trials(code), _TRIALS):
        fixed = code[: trial.start] + trial.text + code[trial.end :]
        if fixed not in seen:
            seen.add(fixed)
            yield trial, fixed, _badness(Program(fixed))


def _badness(program: Program) -> Badness:
    """Return the number of errors that the parser recovers from, and how much they swallow."""
    if program.parses:
        return 0, 0
    errors = _errors(program)
    return max(len(errors), 1), sum(end - start for start, end in errors)


def _errors(program: Program) -> list[tuple[int, int]]:
    """Return the spans of what the parser could not use or had to invent."""
    spans: list[tuple[int, int]] = []
    stack = [program.root]
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            spans.append((node.start_byte, node.end_byte))
        stack += [part for part in node.children if part.has_error]
    return spans


def _trials(code: str) -> Iterator[Trial]:
    tokens = list(_tokens(code))
    if any(token[0] in "'\"`" for token in tokens):
        return _quoting(code, tokens)
    brackets = [token for token in tokens if token[0] in OPENS or token[0] in CLOSES]
    if not _match("".join(token[0] for token in brackets)):
        return _bracketing(code, tokens, brackets)
    return _wording(code, tokens)


def _tokens(code: str) -> Iterator[re.Match[str]]:
    """Yield the tokens of a text that may be no program; a quote left over is one of its own."""
    at, value = 0, False
    while found := _TOKEN.search(code, at):
        if found[0] == "/" and not value:
            found = _REGEX.match(code, found.start()) or found
        value = found[0][-1].isalnum() or found[0][-1] in "_$)]'\"`"
        value = value and found[0] not in ("return", "case", "typeof", "of", "in")
        at = found.end()
        yield found


def _match(brackets: str) -> bool:
    """Say whether every bracket is closed by its own kind."""
    open_: list[str] = []
    for bracket in brackets:
        if bracket in CLOSES:
            open_.append(bracket)
        elif not open_ or open_.pop() != OPENS[bracket]:
            return False
    return not open_


def _quoting(code: str, tokens: Sequence[re.Match[str]]) -> Iterator[Trial]:
    """End a string, begin one, or end it with the mark that it began with."""
    for token in (token for token in tokens if token[0] in "'\"`"):
        mark = token[0]
        start = code.rfind("\n", 0, token.start()) + 1
        end = code.find("\n", token.start())
        end = len(code) if end < 0 or mark == "`" else end
        for other in re.finditer(r"['\"`]", code[start:end]):
            at = start + other.start()
            if other[0] != mark:
                reason = f"the string begins with {quote(mark)} and ends with {quote(other[0])}"
                yield Trial(at, at + 1, mark, reason)
        reason = f"the string that {quote(mark)} begins is never closed"
        for at in dict.fromkeys(
            place for t in tokens if start <= t.start() <= end for place in (t.end(), t.start())
        ):
            yield Trial(at, at, mark, reason)
        for found in re.finditer(r"(?<=\w)\b|(?=[)\]}:,;])", code[start:end]):
            yield Trial(start + found.start(), start + found.start(), mark, reason)
        yield Trial(token.start(), token.end(), "", f"{quote(mark)} begins no string here")


def _bracketing(
    code: str, tokens: Sequence[re.Match[str]], brackets: Sequence[re.Match[str]]
) -> Iterator[Trial]:
    """Make the brackets match by one more, one less or one of another kind."""
    kinds = [token[0] for token in brackets]
    for at, token in enumerate(brackets):
        for other in (*CLOSES, *OPENS):
            if other != token[0] and _match("".join([*kinds[:at], other, *kinds[at + 1 :]])):
                reason = f"{quote(token[0])} stands where {quote(other)} is needed"
                yield Trial(token.start(), token.end(), other, reason)
    blanks = [found.end() for found in re.finditer(r"^[ \t]*$", code, re.M)]
    places = [place for token in tokens for place in (token.end(), token.start())]
    for mark in (*OPENS, *CLOSES):
        what = "closing" if mark in OPENS else "opening"
        for place in dict.fromkeys([*blanks, *places]):
            before = sum(token.start() < place for token in brackets)
            if _match("".join([*kinds[:before], mark, *kinds[before:]])):
                yield Trial(place, place, mark, f"the {what} {quote(mark)} is missing")
    for at, token in enumerate(brackets):
        if _match("".join(kinds[:at] + kinds[at + 1 :])):
            reason = f"there is one {quote(token[0])} too many"
            yield Trial(token.start(), token.end(), "", reason)
    if not any(_match("".join(kinds[:at] + kinds[at + 1 :])) for at in range(len(kinds))):
        for place in dict.fromkeys([*blanks, *places]):  # two are wrong: any bracket may be one
            for mark in (*OPENS, *CLOSES):
                yield Trial(place, place, mark, f"{quote(mark)} is missing")


def _wording(code: str, tokens: Sequence[re.Match[str]]) -> Iterator[Trial]:
    """Mend words, operators and separators near what the parser could not read."""
    program = Program(code)
    wrong = {program.line(at) for span in _errors(program) for at in span}

    def distance(place: int) -> int:
        line = code.count("\n", 0, place) + 1
        return min((abs(line - other) for other in wrong), default=0)

    near = [token for token in tokens if distance(token.start()) <= _NEAR]
    near.sort(key=lambda token: distance(token.start()))
    yield from _words(code, near)
    for sign, right in _SIGNS:
        for found in re.finditer(re.escape(sign), code):
            if distance(found.start()) <= _NEAR:
                reason = f"{quote(sign)} stands where {quote(right)} is needed"
                yield Trial(found.start(), found.end(), right, reason)
    for found in re.finditer(r"\b(?:if|while|switch)\s+([^({\n][^{\n]*?)\s*(?=\{|$)", code, re.M):
        reason = "the condition needs brackets around it"
        yield Trial(found.start(1), found.end(1), f"({found[1]})", reason)
    for mark in (",", ";", " =", " =>", ":", ".", " +"):
        for token in near:
            yield Trial(token.end(), token.end(), mark, f"{quote(mark.strip())} is missing")
    for token in near:
        reason = f"{quote(token[0].splitlines()[0][:40])} does not belong here"
        yield Trial(token.start(), token.end(), "", reason)


def _words(code: str, tokens: Sequence[re.Match[str]]) -> Iterator[Trial]:
    """Turn another language's keywords, and misspelt ones, into JavaScript's."""
    for token in tokens:
        word, after = token[0], code[token.end() :].lstrip()
        if word in _WORDS:
            reason = f"JavaScript has no {quote(word)}"
            yield Trial(token.start(), token.end(), _WORDS[word], reason)
        if word == "not":
            gap = len(code) - len(after)
            yield Trial(token.start(), gap, "!", f"JavaScript has no {quote(word)}")
        for right in _KEYWORDS:
            if _one_slip(word, right):
                reason = f"the keyword {quote(right)} is misspelt"
                yield Trial(token.start(), token.end(), right, reason)
        if word == "else" and after.startswith("("):
            reason = f"{quote('else')} takes no condition without {quote('if')}"
            yield Trial(token.end(), token.end(), " if", reason)
        if word in _RESERVED:
            pattern = rf"\b{word}\b"
            reason = f"{quote(word)} is a reserved word and cannot name a variable"
            first, last = token.start(), code.rindex(word) + len(word)
            renamed = re.sub(pattern, f"{word}_", code[first:last])
            yield Trial(first, last, renamed, reason)


_RESERVED = frozenset({"new", "class", "default", "in", "delete", "case", "with", "enum"})


def _one_slip(word: str, right: str) -> bool:
    """Say whether one letter is missing, too many or wrong, or two neighbours are swapped."""
    if word == right or abs(len(word) - len(right)) > 1 or len(word) < 2 or not word.isalpha():
        return False
    if len(word) == len(right):
        wrong = sum(a != b for a, b in zip(word, right, strict=True))
        return wrong == 1 or (wrong == 2 and sorted(word) == sorted(right))
    short, long = sorted((word, right), key=len)
    return any(long[:at] + long[at + 1 :] == short for at in range(len(long)))
