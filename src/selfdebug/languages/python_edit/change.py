"""Changes of a Python program, and how a table of operators breaks or mends one with words.

An operator is a function from a `Program` to `Change`s; its name is the bug's name. `mutations`
reads a table of operators to break a working program, `repairs` reads it to mend a broken one.
The words are true by construction: they name the code that was there and the code that should be.

    python -c "import selfdebug.languages.python_edit.change as c; help(c.Change)"
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from random import Random

from selfdebug.languages.python_edit.program import (
    Edit,
    Program,
    Span,
    edited,
    read,
    syntax_error,
)
from selfdebug.types import Kind, Mutation

_SHOWN = 88  # characters of code that an explanation quotes at most


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a program in one place, with a reason for each direction.

    shown: the span that an explanation quotes, before and after the edits; None when the reason
    says everything itself.
    if_wrong: why the program as it stands is wrong; "" when the change is no way to mend one.
    if_right: why the changed program is wrong; "" when the change is no way to break one.
    cost: how far-fetched the change is as a repair; the lower is tried first.
    """

    edits: tuple[Edit, ...]
    shown: Span | None
    if_wrong: str = ""
    if_right: str = ""
    cost: int = 2


Operator = Callable[[Program], Iterator[Change]]

_REPLACED = (
    "Line {line}: {why}. {wrong} should be {right}.",
    "{Why} on line {line}: {wrong} has to become {right}.",
    "The bug is on line {line}: {why}. Write {right} instead of {wrong}.",
    "On line {line}, {wrong} is wrong: {why}. Change it to {right}.",
    "Line {line} has {wrong} where it needs {right}: {why}.",
    "Look at {wrong} on line {line}: {why}. Use {right}.",
)
_MISSING = (
    "Line {line}: {why}. Add {right}.",
    "{Why} at line {line}: {right} has to be added.",
    "The bug is at line {line}: {why}. What is missing is {right}.",
    "Something is missing at line {line}: {why}. Put in {right}.",
)
_EXCESS = (
    "Line {line}: {why}. Remove {wrong}.",
    "{Why} on line {line}: {wrong} has to go.",
    "The bug is on line {line}: {why}. Take out {wrong}.",
    "Line {line} does too much: {why}. Delete {wrong}.",
)
_TOLD = ("Line {line}: {why}.", "The bug is on line {line}: {why}.", "{Why} (line {line}).")


def quote(code: str) -> str:
    """Return code between back-quotes, doubled where the code has one itself."""
    return f"`` {code} ``" if "`" in code else f"`{code}`"


def explain(line: int, wrong: str, right: str, why: str, rng: Random) -> str:
    """Say what is wrong on a line and how to mend it; the code is quoted word for word."""
    frames = (_REPLACED if right else _EXCESS) if wrong else (_MISSING if right else _TOLD)
    return rng.choice(frames).format(
        line=line, wrong=quote(wrong), right=quote(right), why=why, Why=why[0].upper() + why[1:]
    )


def _quoted(code: str, change: Change) -> tuple[str, str]:
    """Return the code to quote before and after the change: the span shown, or the lines."""
    if change.shown is None:
        return "", ""
    start = min(change.shown[0], *(edit.start for edit in change.edits))
    end = max(change.shown[1], *(edit.end for edit in change.edits))
    before, after = code[start:end].strip(), edited(code, change.edits, start, end).strip()
    if max(len(before), len(after)) <= _SHOWN and "\n" not in before + after:
        return before, after
    at = min(edit.start for edit in change.edits)
    if not (before and after):
        return before.split("\n")[0].strip(), after.split("\n")[0].strip()
    return _line(code, at), _line(edited(code, change.edits), at)


def _line(code: str, offset: int) -> str:
    start, end = code.rfind("\n", 0, offset) + 1, code.find("\n", offset)
    return code[start : None if end < 0 else end].strip()


def _line_of_difference(code: str, change: Change, other: str) -> int:
    """Return the line of `other`, one of the two programs, on which they part."""
    first = min(change.edits, key=lambda edit: edit.start)
    both = zip(code[first.start : first.end], first.text, strict=False)
    at = first.start + len(list(takewhile(lambda pair: pair[0] == pair[1], both)))
    if other != code and first.text.startswith("\n"):
        at += 1  # a line put in after another one is a line of its own
    return min(other.count("\n", 0, at), other.rstrip("\n").count("\n")) + 1


def describe(code: str, change: Change, why: str, rng: Random, *, mends: bool) -> tuple[int, str]:
    """Return the line of the broken program, and the words, for a change that mends or breaks."""
    other = edited(code, change.edits)
    before, after = _quoted(code, change)
    wrong, right, broken = (before, after, code) if mends else (after, before, other)
    line = _line_of_difference(code, change, broken)
    return line, explain(line, wrong, right, why, rng)


def mutations(
    code: str, operators: Sequence[Operator], kind: Kind, name: str, rng: Random
) -> Iterator[Mutation]:
    """Break a program: the operators take turns, so that none drowns the others."""
    program = read(code)
    if program is None:
        return
    queues = {operator: _offered(operator, program, rng) for operator in operators}
    turns = rng.sample(operators, len(operators))
    seen = {code}
    while turns:
        for operator in tuple(turns):
            change = next(queues[operator], None)
            if change is None:
                turns.remove(operator)
                continue
            broken = edited(code, change.edits)
            if broken in seen or (syntax_error(broken) is None) == (kind == "syntax"):
                continue
            seen.add(broken)
            line, text = describe(code, change, change.if_right, rng, mends=False)
            yield Mutation(broken, code, kind, line, text, f"{name}.{operator.__name__}")


def _offered(operator: Operator, program: Program, rng: Random) -> Iterator[Change]:
    """Yield an operator's bugs in random order; it is not run before the first is asked for."""
    changes = [change for change in operator(program) if change.if_right]
    yield from rng.sample(changes, len(changes))


def repairs(code: str, operators: Sequence[Operator], kind: Kind, name: str) -> Iterator[Mutation]:
    """Offer mended programs, the most plausible first."""
    program = read(code)
    if program is None:
        return
    rng = Random(0)
    changes = [
        (change, operator.__name__)
        for operator in operators
        for change in operator(program)
        if change.if_wrong
    ]
    seen = {code}
    for change, operator in sorted(changes, key=lambda pair: pair[0].cost):
        fixed = edited(code, change.edits)
        if fixed not in seen:
            seen.add(fixed)
            line, text = describe(code, change, change.if_wrong, rng, mends=True)
            yield Mutation(code, fixed, kind, line, text, f"{name}.{operator}")
