"""Ranges, indices and slices that begin or end one too early or late, in Python.

Every operator reads in both directions unless a reason is empty.

    python -c "import selfdebug.mutators.python_off_by_one.sequences as s; help(s.slice_edge)"
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfdebug.languages.python_edit.change import Change
from selfdebug.languages.python_edit.guesses import number
from selfdebug.languages.python_edit.program import Edit, Program
from selfdebug.mutators.python_off_by_one.nudging import WORDS, by_one, calls, nudged

# Calls that give a sequence, and methods that read one and leave it as it is.
_GIVE_SEQUENCES = frozenset(
    [
        *(
            "split",
            "sorted",
            "list",
            "join",
            "tuple",
            "str",
            "findall",
            "replace",
            "lower",
            "upper",
        ),
        *("strip", "splitlines", "most_common", "bin"),
    ]
)
_TAKE_SEQUENCES = frozenset(["set", "max", "min", "any", "all", "Counter", "deque", "str", "dict"])
_READERS = frozenset(
    [
        *("count", "index", "find", "rfind", "split", "lower", "upper", "join", "startswith"),
        *("endswith", "isdigit", "isalpha", "isupper", "islower", "replace", "copy"),
    ]
)


def range_end(program: Program) -> Iterator[Change]:
    """End a range one step early or late."""
    low = "the range ends one step early and never reaches EDGE"
    high = "the range goes one step too far, up to EDGE"
    for call in calls(program, "range"):
        if len(call.args) <= 2:
            yield from by_one(program, call.args[-1], call, (low, high), 0)
        else:
            low, high = (
                "the end of the range is one too low",
                "the end of the range is one too high",
            )
            yield from by_one(program, call.args[1], call, (low, high), 1)


def range_start(program: Program) -> Iterator[Change]:
    """Start a range one step early or late."""
    low, high = "the range starts one too low", "the range starts one too high"
    for call in calls(program, "range"):
        first, shown = call.args[0], program.span(call)
        start = program.start(first)
        if len(call.args) == 1:
            yield Change((Edit(start, start, "1, "),), shown, low, high, 1)
        elif number(first) == 1 and len(call.args) == 2:
            edit = Edit(start, program.start(call.args[1]), "")
            yield Change((edit,), shown, high, low, 1)
        else:
            yield from by_one(program, first, call, (low, high), 1)


def index(program: Program) -> Iterator[Change]:
    """Read or write the neighbour of an element."""
    for node in program.of(ast.Subscript):
        if program.is_integer(node.slice):
            low, high = (f"the index THIS is one too {word}" for word in WORDS)
            yield from by_one(program, node.slice, node, (low, high), 1)


def slice_bound(program: Program) -> Iterator[Change]:
    """Cut a sequence one element early or late."""
    for part in program.of(ast.Slice):
        whole = program.parents[part]
        for bound, name in ((part.lower, "start"), (part.upper, "end")):
            if bound is not None:
                low, high = (
                    f"the slice's {name} THIS is one too low",
                    f"the slice's {name} THIS is one too high",
                )
                yield from by_one(program, bound, whole, (low, high), 1)


def slice_edge(program: Program) -> Iterator[Change]:
    """Cut off the first or the last element, or forget to."""
    for node in program.of(ast.Subscript):
        part, shown = node.slice, program.span(node)
        if not isinstance(part, ast.Slice):
            continue
        start, end = program.span(part)
        if part.step is not None:
            if part.lower is None and (number(part.step) or 0) > 0:
                lost, kept = "the first element is cut off", "the first element is not cut off"
                yield Change((Edit(start, start, "1"),), shown, kept, lost, 3)
            continue
        if (part.lower is None) != (part.upper is None):
            cut = (Edit(program.end(node.value), program.end(node), ""),)
            yield Change(cut, shown, "the slice cuts something off", "nothing is cut off", 3)
        if part.lower is None:
            edit = Edit(start, start, "1")
            lost, kept = "the first element is cut off", "the first element is not cut off"
            yield Change((edit,), shown, kept, lost, 3)
        if part.upper is None and part.lower is not None:
            edit = Edit(end, end, "-1")
            lost, kept = "the last element is cut off", "the last element is not cut off"
            yield Change((edit,), shown, kept, lost, 3)


def skipped_element(program: Program) -> Iterator[Change]:
    """Use a sequence without its first or last element."""
    for node in program.of(ast.Name, ast.Call, ast.ListComp):
        match program.parents[node]:
            case ast.For() | ast.comprehension() as loop if node is loop.iter:
                cost = 4
            case ast.Call(args=args) if any(node is value for value in args):
                cost = 4
            case ast.Return():
                cost = 4
            case ast.Assign(value=value) if node is value:
                cost = 5
            case _:
                continue
        known = isinstance(node, ast.ListComp) or program.text(node) in program.sequences
        if isinstance(node, ast.Call):
            known = program.text(node.func).split(".")[-1] in ("split", "sorted", "list", "join")
        if program.is_integer(node) or (isinstance(node, ast.Name) and not known):
            continue
        for cut, name in (("[1:]", "first"), ("[:-1]", "last")):
            edit = Edit(program.end(node), program.end(node), cut)
            kept, lost = f"the {name} element is kept", f"the {name} element is left out"
            yield Change((edit,), program.around(node), kept, lost if known else "", cost)


def unread_element(program: Program) -> Iterator[Change]:
    """Search, join, compare or go over a sequence without its first or last element."""
    for node in program.of(ast.Name, ast.Call, ast.ListComp, ast.Subscript, ast.Attribute):
        known = isinstance(node, ast.ListComp) or program.text(node) in program.sequences
        if isinstance(node, ast.Call):
            known = program.text(node.func).split(".")[-1] in _GIVE_SEQUENCES
        match program.parents[node]:
            case ast.For() | ast.comprehension() as loop if node is loop.iter:
                reads = known or isinstance(node, ast.Subscript | ast.Attribute)
            case ast.Call(func=ast.Name(id=name), args=[value]) if node is value:
                reads = known or (isinstance(node, ast.Name) and name in _TAKE_SEQUENCES)
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[value]) if node is value:
                reads = known or isinstance(node, ast.Name)
            case ast.Compare(ops=[ast.Eq() | ast.NotEq()]) | ast.BinOp(op=ast.Add()):
                reads = known
            case ast.Attribute(attr=name):
                reads = known and name in _READERS
            case ast.Return() | ast.Assign() | ast.Call():
                reads = known and isinstance(node, ast.Call)
            case _:
                reads = False
        if reads and not program.is_integer(node) and program.text(node) not in program.maps:
            for cut, name in (("[1:]", "first"), ("[:-1]", "last")):
                edit = Edit(program.end(node), program.end(node), cut)
                lost = f"the {name} element is left out"
                yield Change((edit,), program.around(node), "", lost, 6)


def shifted_range(program: Program) -> Iterator[Change]:
    """Count from one instead of from zero, or the reverse: both ends are moved."""
    for call in calls(program, "range"):
        first, last = call.args[0], call.args[-1]
        if len(call.args) == 1 and number(last) is None:
            text, _ = nudged(program, last, 1)
            start = program.start(first)
            edits = (Edit(start, program.end(last), f"1, {text}"),)
            yield Change(edits, program.span(call), _EARLY, _LATE, 6)
        elif len(call.args) == 2:
            for delta, reasons in ((1, (_EARLY, _LATE)), (-1, (_LATE, _EARLY))):
                parts = [program.put(node, *nudged(program, node, delta)) for node in call.args]
                yield Change(tuple(parts), program.span(call), *reasons, 6)


_EARLY = "both ends of the range are one too low"
_LATE = "both ends of the range are one too high"


def shifted_slice(program: Program) -> Iterator[Change]:
    """Cut a piece out of a sequence one element to the left or to the right."""
    left, right = (
        "both ends of the slice are one too low",
        "both ends of the slice are one too high",
    )
    for part in program.of(ast.Slice):
        if part.lower is not None and part.upper is not None and part.step is None:
            for delta, reasons in ((1, (left, right)), (-1, (right, left))):
                ends = (part.lower, part.upper)
                edits = [program.put(node, *nudged(program, node, delta)) for node in ends]
                yield Change(tuple(edits), program.span(program.parents[part]), *reasons, 6)


def stride(program: Program) -> Iterator[Change]:
    """Go on by one step too few or too many."""
    small, large = "the step THIS is too small by one", "the step THIS is too large by one"
    steps = [(call, call.args[2]) for call in calls(program, "range") if len(call.args) == 3]
    steps += [
        (program.parents[part], part.step)
        for part in program.of(ast.Slice)
        if part.step is not None
    ]
    for shown, node in steps:
        size = number(node)
        if size is not None and size != 0:
            sign = 1 if size > 0 else -1
            for new in (size + sign, size - sign):
                larger = abs(new) > abs(size)
                why, why_not = (small, large) if larger else (large, small)
                why = why.replace("THIS", f"`{size}`")
                why_not = why_not.replace("THIS", f"`{new}`")
                if new != 0:
                    edit = program.put(node, str(new))
                    yield Change((edit,), program.span(shown), why, why_not, 6)


def reversed_edge(program: Program) -> Iterator[Change]:
    """Reverse a sequence without its first or its last element."""
    for node in program.of(ast.Subscript):
        if not isinstance(node.slice, ast.Slice):
            continue
        start, end = program.span(node.slice)
        if "".join(program.code[start:end].split()) == "::-1":
            for text, name in (("-2::-1", "last"), (":0:-1", "first")):
                lost = f"the {name} element of the sequence is left out"
                yield Change((Edit(start, end, text),), program.span(node), "", lost, 6)


def enumerate_start(program: Program) -> Iterator[Change]:
    """Count from zero instead of one, or from one instead of zero."""
    zero, one = "the counting starts at 0", "the counting starts at 1"
    for call in calls(program, "enumerate"):
        end = program.end(call)
        if len(call.args) == 1 and not call.keywords:
            yield Change((Edit(end - 1, end - 1, ", 1"),), program.span(call), zero, one, 2)
        else:
            edit = Edit(program.end(call.args[0]), end - 1, "")
            yield Change((edit,), program.span(call), one, zero, 2)
