"""Python off-by-one errors: range ends and starts, indices, slices, bounds, counters, fence posts.

Every operator reads in both directions: one too many and one too few are each other's repair.

    python -c "from selfdebug.mutators import python_off_by_one as m; print(*m.repair('x = a[1]'))"
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from random import Random

from selfdebug.languages.python_edit.binding import ATOM, SUM, UNARY, binds
from selfdebug.languages.python_edit.change import Change, Operator, mutations, repairs
from selfdebug.languages.python_edit.guesses import number, pairs
from selfdebug.languages.python_edit.program import Edit, Program
from selfdebug.types import Kind, Language, Mutation

LANGUAGE: Language = "python"
KIND: Kind = "off_by_one"

_WORDS = ("low", "high")


def nudged(program: Program, node: ast.expr, delta: int) -> tuple[str, int]:
    """Return the source of an expression plus `delta`, and how tightly it binds."""
    value = number(node)
    if value is not None:
        return str(value + delta), ATOM if value + delta >= 0 else UNARY
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        step = number(node.right)
        if step is not None:
            step = step if isinstance(node.op, ast.Add) else -step
            left = program.code[slice(*program.outer(node.left))]
            return _plus(left, step + delta, program.text(node)), SUM
    source = program.text(node)
    if binds(node) < SUM:
        source = f"({source})"
    return _plus(source, delta, source), SUM


def _plus(source: str, step: int, model: str) -> str:
    """Return `source + step`, with spaces unless the model has operators without any."""
    if step == 0:
        return source
    space = "" if re.search(r"\w[-+*/%]\w", model) else " "
    return f"{source}{space}{'+' if step > 0 else '-'}{space}{abs(step)}"


def _by_one(
    program: Program, node: ast.expr, shown: ast.AST, reasons: tuple[str, str], cost: int
) -> Iterator[Change]:
    """Change an expression by one; the reasons are for a value one too low and one too high.

    In a reason, EDGE is the last value of a range that ends there, THIS the wrong expression.
    """
    old = program.text(node)
    for delta in (1, -1):
        text, level = nudged(program, node, delta)
        parent = program.parents[node]
        if text.startswith("-") and isinstance(parent, ast.BinOp):
            continue  # `a + -1` is nobody's slip
        if text == "0" and isinstance(parent, ast.AugAssign | ast.BinOp):
            continue  # nor are `x += 0` and `a // 0`
        edge = old if delta > 0 else text
        low, high = (reason.replace("EDGE", edge) for reason in reasons)
        if_wrong, if_right = (low, high) if delta > 0 else (high, low)
        why = if_wrong.replace("THIS", _quoted(old)), if_right.replace("THIS", _quoted(text))
        yield Change((program.put(node, text, level),), program.span(shown), *why, cost)


def _quoted(source: str) -> str:
    """Return code to name in a sentence, or nothing where it would fill a line."""
    return f"`{source}`" if len(source) <= 40 and "\n" not in source else "here"


def _calls(program: Program, *names: str) -> Iterator[ast.Call]:
    for node in program.of(ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in names and node.args:
            yield node


def range_end(program: Program) -> Iterator[Change]:
    """End a range one step early or late."""
    low = "the range ends one step early and never reaches EDGE"
    high = "the range goes one step too far, up to EDGE"
    for call in _calls(program, "range"):
        if len(call.args) <= 2:
            yield from _by_one(program, call.args[-1], call, (low, high), 0)
        else:
            low, high = (
                "the end of the range is one too low",
                "the end of the range is one too high",
            )
            yield from _by_one(program, call.args[1], call, (low, high), 1)


def range_start(program: Program) -> Iterator[Change]:
    """Start a range one step early or late."""
    low, high = "the range starts one too low", "the range starts one too high"
    for call in _calls(program, "range"):
        first, shown = call.args[0], program.span(call)
        start = program.start(first)
        if len(call.args) == 1:
            yield Change((Edit(start, start, "1, "),), shown, low, high, 1)
        elif number(first) == 1 and len(call.args) == 2:
            edit = Edit(start, program.start(call.args[1]), "")
            yield Change((edit,), shown, high, low, 1)
        else:
            yield from _by_one(program, first, call, (low, high), 1)


def index(program: Program) -> Iterator[Change]:
    """Read or write the neighbour of an element."""
    for node in program.of(ast.Subscript):
        if program.is_integer(node.slice):
            low, high = (f"the index THIS is one too {word}" for word in _WORDS)
            yield from _by_one(program, node.slice, node, (low, high), 1)


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
                yield from _by_one(program, bound, whole, (low, high), 1)


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
            low, high = (f"the limit THIS is one too {word}" for word in _WORDS)
            yield from _by_one(program, side, node, (low, high), 1)


def start_value(program: Program) -> Iterator[Change]:
    """Start a counter one too low or one too high."""
    for node in program.of(ast.Assign):
        for target, value in pairs(node):
            if number(value) is not None:
                low, high = (
                    f"the start value of {program.text(target)} is one too {w}" for w in _WORDS
                )
                yield from _by_one(program, value, node, (low, high), 1)


def step(program: Program) -> Iterator[Change]:
    """Move a counter by one too little or too much."""
    for node in program.of(ast.AugAssign):
        if isinstance(node.op, ast.Add | ast.Sub) and program.is_integer(node.value):
            low, high = "the step THIS is one too small", "the step THIS is one too large"
            yield from _by_one(program, node.value, node, (low, high), 1)


def assigned(program: Program) -> Iterator[Change]:
    """Store one more or one less than the value."""
    for node in program.of(ast.Assign):
        for target, value in pairs(node):
            if number(value) is None and program.is_integer(value):
                low, high = (f"the value of {program.text(target)} is one too {w}" for w in _WORDS)
                yield from _by_one(program, value, node, (low, high), 2)


def returned(program: Program) -> Iterator[Change]:
    """Return one more or one less."""
    for node in program.of(ast.Return):
        if node.value is not None and program.is_integer(node.value):
            low, high = (f"the result THIS is one too {word}" for word in _WORDS)
            yield from _by_one(program, node.value, node, (low, high), 2)


def argument(program: Program) -> Iterator[Change]:
    """Pass one more or one less to a function."""
    for call in program.of(ast.Call):
        name = program.text(call.func)
        if name in ("range", "len", "int", "str"):
            continue
        for value in call.args:
            if program.is_integer(value):
                low, high = (f"the argument THIS of {name} is one too {w}" for w in _WORDS)
                yield from _by_one(program, value, call, (low, high), 1)


def operand(program: Program) -> Iterator[Change]:
    """Calculate with one more or one less."""
    for node in program.of(ast.BinOp):
        factor = not isinstance(node.op, ast.Add | ast.Sub)
        for side in (node.left, node.right):
            if number(side) is not None or (factor and isinstance(side, ast.Name | ast.BinOp)):
                low, high = (f"the operand THIS is one too {word}" for word in _WORDS)
                shown = program.statement(node) if isinstance(node.op, ast.Add) else node
                yield from _by_one(program, side, shown, (low, high), 2)


def length(program: Program) -> Iterator[Change]:
    """Take a length for one more or one less than it is."""
    for call in _calls(program, "len"):
        low, high = (f"the length THIS is one too {word}" for word in _WORDS)
        parent = program.parents[call]
        if isinstance(parent, ast.expr) and not isinstance(parent, ast.BinOp):
            yield from _by_one(program, call, parent, (low, high), 2)


def enumerate_start(program: Program) -> Iterator[Change]:
    """Count from zero instead of one, or from one instead of zero."""
    zero, one = "the counting starts at 0", "the counting starts at 1"
    for call in _calls(program, "enumerate"):
        end = program.end(call)
        if len(call.args) == 1 and not call.keywords:
            yield Change((Edit(end - 1, end - 1, ", 1"),), program.span(call), zero, one, 2)
        else:
            edit = Edit(program.end(call.args[0]), end - 1, "")
            yield Change((edit,), program.span(call), one, zero, 2)


OPERATORS: tuple[Operator, ...] = (
    boundary,
    range_end,
    range_start,
    index,
    slice_bound,
    bound,
    start_value,
    step,
    argument,
    operand,
    assigned,
    returned,
    length,
    enumerate_start,
    slice_edge,
    skipped_element,
    quantifier,
)


def mutate(code: str, rng: Random) -> Iterator[Mutation]:
    """Yield off-by-one errors put into a working program."""
    return mutations(code, OPERATORS, KIND, "python_off_by_one", rng)


def repair(code: str) -> Iterator[Mutation]:
    """Yield programs in which one value or bound is moved by one."""
    return repairs(code, OPERATORS, KIND, "python_off_by_one")
