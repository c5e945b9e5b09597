"""Patterns and formats that take one too few or one too many, in Python.

Every operator reads in both directions unless a reason is empty.

    python -c "import selfdebug.mutators.python_off_by_one.patterns as p; help(p.quantifier)"
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfdebug.languages.python_edit.change import Change
from selfdebug.languages.python_edit.program import Edit, Program


def quantifier(program: Program) -> Iterator[Change]:
    """Let a pattern repeat once more or once less."""
    if "re" not in program.code:
        return
    for node in program.of(ast.Constant):
        source, start = program.text(node), program.start(node)
        if not isinstance(node.value, str):
            continue
        for found in re.finditer(r"(?<=[\w\])}.])[*+](?!\))|(?<=\))[*+]", source):
            old, new = found[0], "+" if found[0] == "*" else "*"
            at = start + found.start()
            many, none = "`*` also matches nothing at all", "`+` asks for at least one"
            reasons = (many, none) if old == "*" else (none, many)
            yield Change((Edit(at, at + 1, new),), program.around(node), *reasons, 2)
        for found in re.finditer(r"(?<=[{,])\d+(?=[,}])", source):
            for delta in (1, -1):
                at = start + found.start()
                edit = Edit(at, start + found.end(), str(int(found[0]) + delta))
                low, high = (
                    "the pattern repeats too few times",
                    "the pattern repeats too many times",
                )
                reasons = (low, high) if delta > 0 else (high, low)
                if int(found[0]) + delta >= 0:
                    yield Change((edit,), program.around(node), *reasons, 2)


def repetition(program: Program) -> Iterator[Change]:
    """Let a pattern match exactly once what may or has to repeat."""
    for node, source, start in _patterns(program):
        for found in re.finditer(r"(?<=[\w\])}.])[*+?](?![*+?])", source):
            at, shown = start + found.start(), program.around(node)
            once = f"without `{found[0]}` what stands before it is matched exactly once"
            yield Change((Edit(at, at + 1, ""),), shown, "", once, 6)
            if found[0] == "?":
                many = "`*` lets any number match where `?` lets one at most"
                yield Change((Edit(at, at + 1, "*"),), shown, "", many, 6)


def group(program: Program) -> Iterator[Change]:
    """Refer to the neighbour of a group."""
    for node, source, start in _patterns(program):
        for found in re.finditer(r"(?<=\\)[1-8]|(?<=\\g<)[1-8](?=>)", source):
            for delta in (1, -1):
                new = int(found[0]) + delta
                if new > 0:
                    edit = Edit(start + found.start(), start + found.end(), str(new))
                    low, high = (
                        f"the group's number is one too {word}" for word in ("low", "high")
                    )
                    reasons = (low, high) if delta > 0 else (high, low)
                    yield Change((edit,), program.around(node), *reasons, 6)


def _patterns(program: Program) -> Iterator[tuple[ast.Constant, str, int]]:
    """Yield the texts of a program that uses patterns, with their source and where it begins."""
    if "re" in program.known:
        for node in program.of(ast.Constant):
            if isinstance(node.value, str):
                yield node, program.text(node), program.start(node)


def width(program: Program) -> Iterator[Change]:
    """Format with one digit, or one place, too few or too many."""
    for node in program.of(ast.Constant, ast.JoinedStr):
        if isinstance(node, ast.Constant) and not isinstance(node.value, str):
            continue
        start = program.start(node)
        for found in re.finditer(_WIDTH, program.text(node)):
            for delta in (1, -1):
                new = int(found[1]) + delta
                edit = Edit(start + found.start(1), start + found.end(1), str(new))
                low, high = (f"the number of places is one too {word}" for word in ("low", "high"))
                reasons = (low, high) if delta > 0 else (high, low)
                if new >= 0:
                    yield Change((edit,), program.around(node), *reasons, 6)


_WIDTH = r"(?:\{[^{}:]*:[^{}\d]*0?|%0?\.?)(\d+)(?=[a-zA-Z%]?\}|[dfsxeg])"
