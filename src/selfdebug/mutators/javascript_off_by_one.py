"""JavaScript off-by-one errors: bounds, loop starts and ends, indices, slices, fence posts.

Every operator reads in both directions: one too many and one too few are each other's repair.

    python -m selfdebug.mutators.javascript_off_by_one < program.js
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING

from selfdebug.languages.javascript_edit import (
    Change,
    Edit,
    Program,
    change,
    child,
    insert,
    mutations,
    repairs,
    replace,
)
from selfdebug.languages.javascript_edit.names import EQUALITY, RELATIONAL, Names, agree
from selfdebug.languages.javascript_edit.places import (
    grouped,
    is_loop_condition,
    is_operand,
    is_value,
    method_calls,
    quotable,
)
from selfdebug.types import Kind, Language, Mutation

if TYPE_CHECKING:
    from tree_sitter import Node

LANGUAGE: Language = "javascript"
KIND: Kind = "off_by_one"
NAME = "javascript_off_by_one"

_CUTS = frozenset({"slice", "substring", "substr", "splice"})
_POSITIONS = frozenset({"at", "charAt", "charCodeAt", "codePointAt", "repeat", "indexOf", "fill"})
_TOO = {1: "one too low", -1: "one too high"}


def boundary(program: Program) -> Iterator[Change]:
    """Let the case of equality into a comparison, or leave it out."""
    for node in program.of("binary_expression"):
        operator = child(node, "operator")
        if operator.type not in RELATIONAL:
            continue
        other = operator.type[0] if len(operator.type) == 2 else operator.type + "="
        loop = is_loop_condition(node)
        out = "the loop already stops when both sides are equal" if loop else _LEFT_OUT
        let_in = "the loop still runs when both sides are equal" if loop else _LET_IN
        reasons = (let_in, out) if len(operator.type) == 2 else (out, let_in)
        yield change(node, [replace(operator, other)], *reasons)


_LEFT_OUT = "the comparison leaves out the case where both sides are equal"
_LET_IN = "the comparison also holds when both sides are equal"


def loop_end(program: Program) -> Iterator[Change]:
    """Move the end of a loop by one."""
    for node in program.of("binary_expression"):
        if is_loop_condition(node) and child(node, "operator").type in RELATIONAL:
            yield from _shifted(program, node, child(node, "right"), "the loop's bound is {too}")


def loop_start(program: Program) -> Iterator[Change]:
    """Start a loop one step early or late."""
    for loop in program.of("for_statement"):
        for start in child(loop, "initializer").named_children:
            value = start.child_by_field_name("value")
            if start.type == "variable_declarator" and value is not None:
                yield from _shifted(program, start, value, "the loop's first value is {too}")


def index(program: Program) -> Iterator[Change]:
    """Read or write the neighbour of an element."""
    names = Names(program)
    for node in program.of("subscript_expression"):
        position = child(node, "index")
        if agree(names.kind_of(position), "number"):
            yield from _shifted(program, node, position, "the index is {too}")


def slice_end(program: Program) -> Iterator[Change]:
    """Cut a string or an array one element early or late."""
    for call, name, arguments in method_calls(program):
        for argument in arguments if name in _CUTS else ():
            yield from _shifted(program, call, argument, "the cut is {too}")
        for argument in arguments[:1] if name in _POSITIONS else ():
            yield from _shifted(program, call, argument, "the argument is {too}")


def threshold(program: Program) -> Iterator[Change]:
    """Compare with the neighbour of a number."""
    for node in program.of("binary_expression"):
        for side in (child(node, "right"), child(node, "left")):
            if side.type == "number" and child(node, "operator").type[0] in "<>=!":
                yield from _shifted(program, node, side, "the number compared with is {too}")


def constant(program: Program) -> Iterator[Change]:
    """Use the neighbour of a number in a calculation, a result or a call."""
    for node in program.of("number"):
        minus = node.parent if node.parent and program.text(node.parent)[0] == "-" else None
        number = minus if minus is not None and minus.type == "unary_expression" else node
        yield from _shifted(program, quotable(number), number, "the number is {too}")


def length(program: Program) -> Iterator[Change]:
    """Take a length for one more or less than it is."""
    for node in program.of("member_expression"):
        measured = program.text(child(node, "property")) in ("length", "size")
        offset = node.parent is not None and _offset(program, node.parent) is not None
        if measured and is_value(node) and not offset:
            yield from _shifted(program, quotable(node), node, "the length is {too}")


def quantity(program: Program) -> Iterator[Change]:
    """Use one more or one less than a variable or a result holds."""
    names = Names(program)
    for node in program.of("identifier", "call_expression", "binary_expression"):
        parent = node.parent
        if parent is None or not is_value(node) or not agree(names.kind_of(node), "number"):
            continue
        sum_goes_on = node.type == "binary_expression" and parent.type == "binary_expression"
        if sum_goes_on or _offset(program, parent) is not None:
            continue
        natural = names.kind_of(node) == "number" and not is_operand(node)
        for new in _shifted(program, quotable(node), node, "this number is {too}"):
            yield new if natural else Change(new.edits, new.shown, new.if_wrong, "")


def fence_post(program: Program) -> Iterator[Change]:
    """Take along, or leave out, the first or the last element of a sequence."""
    names = Names(program)
    for node in program.of("call_expression"):
        function = child(node, "function")
        cut = program.span(function.end_byte, node.end_byte)
        if function.type != "member_expression" or cut not in ("(1)", "(0, -1)"):
            continue
        if program.text(child(function, "property")) == "slice":
            owner = child(function, "object")
            edit = Edit(owner.end_byte, node.end_byte, "")
            yield change(node, [edit], _CUT_OFF[cut], _TAKEN[cut])
    for node in program.of("call_expression", "identifier", "array"):
        sequence = names.kind_of(node) in ("array", "string", "sequence")
        if not (sequence and is_value(node)) or program.text(node) == "[]":
            continue
        # `for (i in rest)` goes over positions: a cut at the front takes the last one away.
        if node.parent is not None and node.parent.type == "for_in_statement":
            kind = node.parent.child_by_field_name("operator")
            if kind is not None and kind.type == "in":
                continue
        for cut in ("(1)", "(0, -1)"):
            edit = insert(node.end_byte, ".slice" + cut)
            yield change(node, [edit], _TAKEN[cut], _CUT_OFF[cut])


_CUT_OFF = {"(1)": "the first element is left out", "(0, -1)": "the last element is left out"}
_TAKEN = {"(1)": "the first element is taken along", "(0, -1)": "the last element is taken along"}


def update_order(program: Program) -> Iterator[Change]:
    """Use a counter before it is updated instead of after, or the reverse."""
    for node in program.of("update_expression"):
        argument, operator = child(node, "argument"), child(node, "operator")
        parent = node.parent
        if parent is None or parent.type in ("expression_statement", "for_statement"):
            continue
        text, sign = program.text(argument), operator.type
        if operator.start_byte < argument.start_byte:
            yield change(node, [replace(node, text + sign)], _UPDATED, _NOT_UPDATED)
        else:
            yield change(node, [replace(node, sign + text)], _NOT_UPDATED, _UPDATED)


_UPDATED = "the counter is updated before its value is used"
_NOT_UPDATED = "the counter's value is used before it is updated"

OPERATORS = (
    boundary,
    loop_end,
    loop_start,
    index,
    slice_end,
    threshold,
    constant,
    update_order,
    length,
    fence_post,
    quantity,
)


def mutate(code: str, rng: Random) -> Iterator[Mutation]:
    """Yield off-by-one errors put into a working program."""
    return mutations(code, OPERATORS, KIND, NAME, rng)


def repair(code: str) -> Iterator[Mutation]:
    """Yield programs with one boundary of `code` moved by one."""
    return repairs(code, OPERATORS, KIND, NAME)


def _shifted(program: Program, shown: Node, node: Node, reason: str) -> Iterator[Change]:
    """Yield `node` one higher and one lower; `reason` says {too} of the wrong one."""
    for step in (-1, 1):
        literal, known = _integer(program, node), _offset(program, node)
        sign = "+" if step > 0 else "-"
        if literal is not None:
            edit = replace(node, str(literal + step))
        elif known is not None:
            base, offset = known
            total = offset + step
            tail = f" {'+' if total > 0 else '-'} {abs(total)}" if total else ""
            edit = Edit(base.end_byte, node.end_byte, tail)
        else:
            edit = replace(node, _sum(node, f"{program.text(node)} {sign} 1"))
        if_wrong, if_right = reason.format(too=_TOO[step]), reason.format(too=_TOO[-step])
        yield change(shown, [edit], if_wrong, if_right)


def _integer(program: Program, node: Node) -> int | None:
    """Return the value of a whole number that is written out, with its sign."""
    text = program.text(node)
    written = node.type in ("number", "unary_expression") and text.removeprefix("-").isdecimal()
    return int(text) if written else None


def _offset(program: Program, node: Node) -> tuple[Node, int] | None:
    """Return (x, k) for an expression x + k or x - k with a small number k."""
    if node.type != "binary_expression":
        return None
    operator, right = child(node, "operator"), child(node, "right")
    text = program.text(right)
    if operator.type not in ("+", "-") or not text.isdecimal() or len(text) > 2:
        return None
    return child(node, "left"), int(text) if operator.type == "+" else -int(text)


def _sum(node: Node, text: str) -> str:
    """Put a sum in brackets where the text around it would take it apart."""
    parent = node.parent
    if parent is None or parent.type != "binary_expression":
        return grouped(node, text)
    operator = child(parent, "operator").type
    loose = operator in RELATIONAL | EQUALITY or operator in ("&&", "||", "+")
    return text if loose else f"({text})"
