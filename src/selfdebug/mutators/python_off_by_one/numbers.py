"""Limits, counters, arguments and results that are one too low or one too high, in Python.

Every operator reads in both directions unless a reason is empty.

    python -c "import selfdebug.mutators.python_off_by_one.numbers as n; help(n.boundary)"
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfdebug.languages.python_edit.change import Change
from selfdebug.languages.python_edit.guesses import number, pairs
from selfdebug.languages.python_edit.program import Edit, Program
from selfdebug.mutators.python_off_by_one.nudging import WORDS, by_one, calls


def boundary(program: Program) -> Iterator[Change]:
    """Let the case of equality into a comparison, or leave it out."""
    out = "the comparison leaves out the case where both sides are equal"
    let_in = "the comparison also holds when both sides are equal"
    for node, span, operator in program.comparisons():
        other = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}.get(operator)
        if other is not None:
            reasons = (out, let_in) if len(operator) == 1 else (let_in, out)
            yield Change((Edit(*span, other),), program.span(node), *reasons, 0)


def bound(program: Program) -> Iterator[Change]:
    """Compare with a value one too low or one too high."""
    for node in program.of(ast.Compare):
        sides = [side for side in (*node.comparators, node.left) if number(side) is not None]
        sides = sides or [side for side in node.comparators if program.is_integer(side)]
        for side in sides:
            low, high = (f"the limit THIS is one too {word}" for word in WORDS)
            yield from by_one(program, side, node, (low, high), 1)


def start_value(program: Program) -> Iterator[Change]:
    """Start a counter one too low or one too high."""
    for node in program.of(ast.Assign):
        for target, value in pairs(node):
            if number(value) is not None:
                low, high = (
                    f"the start value of {program.text(target)} is one too {w}" for w in WORDS
                )
                yield from by_one(program, value, node, (low, high), 1)


def step(program: Program) -> Iterator[Change]:
    """Move a counter by one too little or too much."""
    for node in program.of(ast.AugAssign):
        if isinstance(node.op, ast.Add | ast.Sub) and program.is_integer(node.value):
            low, high = "the step THIS is one too small", "the step THIS is one too large"
            yield from by_one(program, node.value, node, (low, high), 1)


def assigned(program: Program) -> Iterator[Change]:
    """Store one more or one less than the value."""
    for node in program.of(ast.Assign):
        for target, value in pairs(node):
            if number(value) is None and program.is_integer(value):
                low, high = (f"the value of {program.text(target)} is one too {w}" for w in WORDS)
                yield from by_one(program, value, node, (low, high), 2)


def returned(program: Program) -> Iterator[Change]:
    """Return one more or one less."""
    for node in program.of(ast.Return):
        if node.value is not None and program.is_integer(node.value):
            low, high = (f"the result THIS is one too {word}" for word in WORDS)
            yield from by_one(program, node.value, node, (low, high), 2)


def argument(program: Program) -> Iterator[Change]:
    """Pass one more or one less to a function."""
    for call in program.of(ast.Call):
        name = program.text(call.func)
        if name in ("range", "len", "int", "str"):
            continue
        for value in call.args:
            if program.is_integer(value):
                low, high = (f"the argument THIS of {name} is one too {w}" for w in WORDS)
                yield from by_one(program, value, call, (low, high), 1)


def operand(program: Program) -> Iterator[Change]:
    """Calculate with one more or one less."""
    for node in program.of(ast.BinOp):
        factor = not isinstance(node.op, ast.Add | ast.Sub)
        for side in (node.left, node.right):
            if number(side) is not None or (factor and isinstance(side, ast.Name | ast.BinOp)):
                low, high = (f"the operand THIS is one too {word}" for word in WORDS)
                shown = program.statement(node) if isinstance(node.op, ast.Add) else node
                yield from by_one(program, side, shown, (low, high), 2)


def length(program: Program) -> Iterator[Change]:
    """Take a length for one more or one less than it is."""
    for call in calls(program, "len"):
        low, high = (f"the length THIS is one too {word}" for word in WORDS)
        parent = program.parents[call]
        if isinstance(parent, ast.expr) and not isinstance(parent, ast.BinOp):
            yield from by_one(program, call, parent, (low, high), 2)
