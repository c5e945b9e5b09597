"""API misuse by conversion: a call around a value that is missing, or one that is too much.

python -c "from selfdebug.mutators.python_api_misuse import conversions as c; help(c)"
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfdebug.languages.python_edit.binding import ATOM, binds
from selfdebug.languages.python_edit.change import Change, Operator
from selfdebug.languages.python_edit.guesses import words
from selfdebug.languages.python_edit.program import FUNCTIONS, Edit, Program, parameters

# Functions of one argument that are forgotten, and put in again, the most usual first.
_WRAPPERS = words(
    """abs int str len set sorted sum list round max min tuple float any all bool reversed ord chr
    bin"""
)
_ENDINGS = (".lower()", ".upper()", ".strip()", ".copy()", ".encode()", ".items()", ".split()")
_UNWRAPPED = frozenset(
    words(
        """dict map filter iter enumerate frozenset deque Counter floor ceil sqrt fabs hex oct repr
    Decimal Fraction type"""
    )
).union(_WRAPPERS)
_DROPPED = frozenset(
    words(
        """lower upper strip lstrip rstrip encode decode sort copy title items keys values split
    hexdigest capitalize isdigit group replace most_common reverse total_seconds date format tolist
    index"""
    )
)
# What a value is turned into by mistake.
_WRONG_TYPES = (
    "str({})",
    "[{}]",
    "list({})",
    "int({})",
    "set({})",
    "tuple({})",
    "bool({})",
    "len({})",
)


def missing_call(program: Program) -> Iterator[Change]:
    """Leave out a call around a value; as a repair, take out one that is too much."""
    for call in program.of(ast.Call):
        match call:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[value, *_]):
                own = name in _own(program)
                if (name in _UNWRAPPED or own) and not isinstance(value, ast.Starred):
                    value = call.args[1] if name in ("map", "filter") and call.args[1:] else value
                    source = program.text(value)
                    edit = program.put(call, source, binds(value))
                    yield _unwrapped(program, call, edit, name, 4 if own else 2)
            case _:
                pass
        match call.func:
            case ast.Attribute(value=value, attr=name) if name in _DROPPED:
                edit = Edit(program.outer(value)[1], program.end(call), "")
                yield _unwrapped(program, call, edit, name, 2)
            case _:
                pass


def _unwrapped(program: Program, call: ast.Call, edit: Edit, name: str, cost: int) -> Change:
    reasons = f"the call of `{name}` is too much", f"the call of `{name}` is missing"
    return Change((edit,), program.around(call), *reasons, cost)


def _own(program: Program) -> list[str]:
    """Return the names of the program's own functions of one parameter."""
    return [f.name for f in program.of(*FUNCTIONS) if len(parameters(f)) == 1]


def wrapped(program: Program) -> Iterator[Change]:
    """Put a call around a value; as a bug, turn a result into another type."""
    for node, weight in _values(program):
        source, atom = program.text(node), binds(node) == ATOM
        for rank, name in enumerate((*_WRAPPERS, *_own(program))):
            if not (isinstance(node, ast.Call) and program.text(node.func) == name):
                text = program.called(name, node)
                yield _wrapped(program, node, text, name, weight + (rank > 7))
        for rank, ending in enumerate(_ENDINGS):
            text = (source if atom else f"({source})") + ending
            yield _wrapped(program, node, text, ending[1:-2], weight + (rank > 2))
    for node in program.of(ast.Return, ast.Assign):
        value = node.value
        if value is not None and not isinstance(value, ast.Tuple | ast.GeneratorExp):
            for template in _WRONG_TYPES:
                text = template.format(program.text(value))
                name = template.partition("(")[0]
                around = "square brackets" if template == "[{}]" else f"`{name}`"
                why = f"the value itself is needed, without {around} around it"
                yield Change((program.put(value, text),), program.span(node), "", why)


def _wrapped(program: Program, node: ast.expr, text: str, name: str, cost: int) -> Change:
    why = f"the call of `{name}` is missing"
    return Change((program.put(node, text),), program.around(node), why, "", cost)


def _values(program: Program) -> Iterator[tuple[ast.expr, int]]:
    """Yield the values for which a call is worth a try, with what the try costs."""
    for node in program.nodes:
        match node:
            case ast.Return(value=ast.expr() as value) | ast.Assign(value=value):
                if not isinstance(value, ast.Constant | ast.Tuple):
                    yield value, 3
            case ast.AugAssign(value=value) if not isinstance(value, ast.Constant):
                yield value, 4
            case ast.Call(args=args):
                yield from ((a, 4) for a in args if isinstance(a, _WORTH))
            case ast.Compare(left=left, comparators=comparators):
                yield from ((s, 4) for s in (left, *comparators) if isinstance(s, _WORTH))
            case ast.For(iter=values) | ast.comprehension(iter=values):
                yield values, 5
            case ast.ListComp(elt=value) | ast.GeneratorExp(elt=value) if isinstance(value, _WORTH):
                yield value, 4
            case ast.BinOp(left=left, right=right):
                yield from ((s, 5) for s in (left, right) if isinstance(s, _WORTH))
            case _:
                pass


_WORTH = (ast.Name, ast.Call, ast.Subscript, ast.BinOp, ast.ListComp)


def both_sides(program: Program) -> Iterator[Change]:
    """Compare two values as they are, without making them comparable first."""
    for node in program.of(ast.Compare):
        if len(node.ops) != 1:
            continue
        left, right = node.left, node.comparators[0]
        match left, right:
            case ast.Call(func=first, args=[a]), ast.Call(func=second, args=[b]):
                if program.text(first) == program.text(second):
                    edits = program.put(left, program.text(a)), program.put(right, program.text(b))
                    why = f"`{program.text(first)}` has to be taken of both sides"
                    yield Change(edits, program.span(node), "", why)
            case _:
                pass
        if isinstance(right, ast.Constant):
            continue
        for name in ("set", "sorted", "len", "sum"):
            edits = tuple(program.put(side, program.called(name, side)) for side in (left, right))
            why = f"`{name}` has to be taken of both sides"
            yield Change(edits, program.span(node), why, "", 3)


def element_or_all(program: Program) -> Iterator[Change]:
    """Take one element where all of them are asked for."""
    for node in program.of(ast.Subscript):
        if isinstance(node.slice, ast.Slice) or not isinstance(node.ctx, ast.Load):
            continue
        for name in ("sum", "len", "max", "min"):
            edit = Edit(*program.span(node), program.called(name, node.value))
            why = f"`{name}` of all elements is needed, not one of them"
            yield Change((edit,), program.around(node), why, "", 4)
        edit = Edit(program.end(node.value), program.end(node), "")
        yield Change((edit,), program.around(node), "the whole is needed, not one element", "", 4)
        if not isinstance(node.slice, ast.Constant):
            edit = program.put(node, program.text(node.slice), binds(node.slice))
            why = "the position is needed, not the element"
            yield Change((edit,), program.around(node), why, "", 4)


def iteration(program: Program) -> Iterator[Change]:
    """Go over elements instead of positions, or over one where two are needed."""
    for node in program.of(ast.For, ast.comprehension):
        source, shown = program.text(node.iter), program.around(node.iter)
        pair = isinstance(node.target, ast.Tuple) and len(node.target.elts) == 2
        match node.iter:
            case ast.Call(
                func=ast.Name(id="range"), args=[ast.Call(func=ast.Name(id="len"), args=[x])]
            ):
                why = "the loop goes over elements where it needs positions"
                back = "the loop goes over positions where it needs elements"
                yield Change(
                    (Edit(*program.span(node.iter), program.text(x)),), shown, back, why, 3
                )
            case ast.Call(
                func=ast.Name(id="enumerate" | "zip" | "reversed") as outer, args=[x, *_]
            ):
                why = f"`{outer.id}` is missing"
                yield Change((Edit(*program.span(node.iter), program.text(x)),), shown, "", why)
            case ast.Name() | ast.Attribute() | ast.Subscript() if pair:
                for text in (
                    f"enumerate({source})",
                    f"{source}.items()",
                    f"zip({source}, {source}[1:])",
                ):
                    yield Change(
                        (Edit(*program.span(node.iter), text),), shown, f"`{text}` is needed", "", 1
                    )
            case ast.Call(func=ast.Name(id="range")):
                pass
            case ast.Name() | ast.Attribute() | ast.Subscript() | ast.Call():
                text = f"range(len({source}))"
                why = "the loop goes over elements where it needs positions"
                back = "the loop goes over positions where it needs elements"
                yield Change((Edit(*program.span(node.iter), text),), shown, why, back, 4)
                text = f"range({source})"
                why = "a number is not iterable"
                if isinstance(node.iter, ast.Name) and node.iter.id in program.integers:
                    yield Change((Edit(*program.span(node.iter), text),), shown, why, "", 0)
            case _:
                pass
        if pair and isinstance(node.target, ast.Tuple):
            left, right = node.target.elts
            edits = (
                Edit(*program.span(left), program.text(right)),
                Edit(*program.span(right), program.text(left)),
            )
            why = "the two loop variables are in the wrong order"
            yield Change(edits, program.span(node.target), why, why, 3)


OPERATORS: tuple[Operator, ...] = (missing_call, both_sides, iteration, element_or_all, wrapped)
