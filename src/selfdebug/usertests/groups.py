"""Takes a script of asserts apart: which of its statements can be run without the others.

Works on what a language's reader says of each statement; it knows no syntax itself.

    python -m pytest tests/test_fix.py -k apart
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

# keep: repeated before every test (an import, a definition, a constant). drop: the import of the
# file itself. check: it tests something. make: it makes or changes variables. talk: it prints.
# act: it acts on something that cannot be seen.
Role = Literal["keep", "drop", "check", "make", "talk", "act"]


class Unsuited(Exception):
    """The script, or the file, does something that values alone cannot carry; it says what."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A top-level statement. mentions: variables that change in the script and that it uses.

    renews: the one of them that it gives a value that owes nothing to the one before.
    """

    role: Role
    first: int  # line
    last: int
    mentions: frozenset[str] = frozenset()
    renews: str = ""


def group(statements: Sequence[Statement]) -> list[list[int]]:
    """Return the indices of the statements in groups that share no variable; each has a check.

    Raises Unsuited where the order of what is not seen could matter.
    """
    spans = _spans(statements)
    groups: list[list[int]] = [[]]
    for index, statement in enumerate(statements):
        before = groups[-1]
        tied = any(start < index <= end for start, end in spans)
        if (
            _checked(statements, before)
            and not tied
            and statement.first > statements[before[-1]].last
        ):
            groups.append([])
        groups[-1].append(index)
    if not _checked(statements, groups[-1]):
        last = groups.pop()
        if not groups:
            raise Unsuited("it asserts nothing")
        groups[-1] += last  # what follows the last check belongs to it
    return groups


def _checked(statements: Sequence[Statement], indices: list[int]) -> bool:
    return any(statements[index].role == "check" for index in indices)


def _spans(statements: Sequence[Statement]) -> list[tuple[int, int]]:
    """Return the stretches of statements that the value of a variable ties together."""
    spans: list[tuple[int, int]] = []
    alive: dict[str, int] = {}  # variable -> index in spans
    for index, statement in enumerate(statements):
        if statement.role == "act" and not statement.mentions:
            raise Unsuited(f"line {statement.first} acts on something out of sight")
        if statement.role == "keep" and statement.mentions:
            raise Unsuited(f"a definition of it uses the variable {min(statement.mentions)}")
        for name in sorted(statement.mentions):
            if name not in alive or statement.renews == name:
                alive[name] = len(spans)
                spans.append((index, index))
            spans[alive[name]] = (spans[alive[name]][0], index)
    return spans
