"""Numbers that a Python program works out, lists or hands on, one too low or one too high.

The far-fetched half of the numbers: each is offered as a repair after those of `numbers`.

    python -c "import selfdebug.mutators.python_off_by_one.quantities as q; help(q.difference)"
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfdebug.languages.python_edit.binding import COMPARED
from selfdebug.languages.python_edit.change import Change
from selfdebug.languages.python_edit.guesses import number, pairs
from selfdebug.languages.python_edit.program import Edit, Program, parameters
from selfdebug.mutators.python_off_by_one.nudging import WORDS, by_one

_COST = 6
_ORDERED = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_SHORT = 4  # elements of a display; a longer one is a table, whose numbers nobody counts
# Methods that tell how many or where, and functions with a parameter that says how many.
_COUNTS = {"count": "count", "bit_length": "count"}
_PLACES = dict.fromkeys(("index", "find", "rfind", "rindex", "start", "end"), "place")
_TAKE_NUMBERS = frozenset(
    [
        *("combinations", "permutations", "combinations_with_replacement", "islice", "repeat"),
        *("nlargest", "nsmallest", "round", "zfill", "rjust", "ljust", "center", "rotate"),
        *("factorial", "comb", "perm", "most_common", "insert"),
    ]
)


def difference(program: Program) -> Iterator[Change]:
    """Count what lies between two numbers without one of the ends, or with one too many."""
    low, high = (f"the difference THIS is one too {word}" for word in WORDS)
    for node in program.of(ast.BinOp):
        known = number(node.left) is not None or number(node.right) is not None
        if isinstance(node.op, ast.Sub) and not known and not _adjusted(program.parents[node]):
            yield from by_one(program, node, program.statement(node), (low, high), _COST)


def _adjusted(node: ast.AST) -> bool:
    """Return whether a sum already has a number at its end."""
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Add | ast.Sub)
        and number(node.right) is not None
    )


def limit(program: Program) -> Iterator[Change]:
    """Compare a length, or a value, with a variable limit that is off by one."""
    low, high = (f"the limit THIS is one too {word}" for word in WORDS)
    for node in program.of(ast.Compare):
        sides = [node.left, *node.comparators]
        if any(number(side) is not None for side in sides):
            continue
        ordered = all(isinstance(op, _ORDERED) for op in node.ops)
        counted = any(
            program.is_integer(side) and (ordered or isinstance(side, ast.Call)) for side in sides
        )
        for side in sides:
            given = isinstance(side, ast.Name) and side.id in parameters(program.scope(node))
            if program.is_integer(side) or not (counted or (ordered and given)):
                continue
            if isinstance(side, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
                yield from by_one(program, side, node, (low, high), _COST)


def listed(program: Program) -> Iterator[Change]:
    """List, choose or hand back one more or one less than the value."""
    low, high = (f"the value THIS is one too {word}" for word in WORDS)
    for node in program.nodes:
        for value in _values(node):
            if program.is_integer(value):
                yield from by_one(program, value, node, (low, high), _COST)


def _values(node: ast.AST) -> list[ast.expr]:  # noqa: PLR0911 - a table with a line for each form
    """Return the expressions whose values a display, a choice or a small function is made of."""
    match node:
        case ast.ListComp(elt=value) | ast.SetComp(elt=value) | ast.GeneratorExp(elt=value):
            return [value]
        case ast.DictComp(key=key, value=value):
            return [key, value]
        case ast.Lambda(body=value) | ast.Yield(value=ast.expr() as value):
            return [value]
        case ast.IfExp(body=one, orelse=other):
            return [one, other]
        case ast.List(elts=values) | ast.Tuple(elts=values, ctx=ast.Load()):
            return values if len(values) <= _SHORT else []
        case ast.Dict(values=values):
            return values if len(values) <= _SHORT else []
        case _:
            return []


def counted(program: Program) -> Iterator[Change]:
    """Take a count or a place for one more or one less than it is."""
    for call in program.of(ast.Call):
        if not isinstance(call.func, ast.Attribute):
            continue
        what = {**_COUNTS, **_PLACES}.get(call.func.attr)
        parent = program.parents[call]
        sides = [parent.left, *parent.comparators] if isinstance(parent, ast.Compare) else []
        sides += [parent.left, parent.right] if isinstance(parent, ast.BinOp) else []
        if what is None or any(number(side) is not None for side in sides):
            continue
        if isinstance(parent, ast.expr | ast.Return | ast.Assign | ast.AugAssign):
            low, high = (f"the {what} THIS is one too {word}" for word in WORDS)
            yield from by_one(program, call, parent, (low, high), _COST)


def handed(program: Program) -> Iterator[Change]:
    """Hand a number that says how many, or a default, one too low or one too high."""
    for call in program.of(ast.Call):
        name = program.text(call.func)
        low, high = (f"the argument THIS of {name} is one too {word}" for word in WORDS)
        for keyword in call.keywords:
            if program.is_integer(keyword.value):
                yield from by_one(program, keyword.value, call, (low, high), _COST)
        if name.split(".")[-1] in _TAKE_NUMBERS:
            for value in call.args:
                known = program.is_integer(value) or program.text(value) in program.sequences
                if isinstance(value, ast.Name) and not known:
                    yield from by_one(program, value, call, (low, high), _COST)
    low, high = (f"the default THIS is one too {word}" for word in WORDS)
    for node in program.of(ast.arguments):
        for default in (*node.defaults, *filter(None, node.kw_defaults)):
            if number(default) is not None:
                yield from by_one(program, default, default, (low, high), _COST)


def measured(program: Program) -> Iterator[Change]:
    """Calculate with a length or another whole number that is off by one."""
    low, high = (f"the operand THIS is one too {word}" for word in WORDS)
    for node in program.of(ast.BinOp):
        if isinstance(node.op, ast.Add | ast.Sub):
            continue
        for side in (node.left, node.right):
            if isinstance(side, ast.Call) and program.is_integer(side):
                yield from by_one(program, side, node, (low, high), _COST)


def found_place(program: Program) -> Iterator[Change]:
    """Look up the neighbour of an element whose place a variable tells."""
    low, high = (f"the index THIS is one too {word}" for word in WORDS)
    for node in program.of(ast.Subscript):
        place, owner = node.slice, node.value
        if isinstance(place, ast.Name) and not program.is_integer(place):
            known = isinstance(owner, ast.Call) or program.text(owner) in program.sequences
            if known and place.id not in program.sequences:
                yield from by_one(program, place, node, (low, high), _COST)


def bisection(program: Program) -> Iterator[Change]:
    """Find the place after equal elements instead of the one before, or the reverse."""
    before, after = (
        "the place found is before equal elements",
        "the place found is after equal ones",
    )
    names = {"bisect_left": "bisect_right", "bisect_right": "bisect_left", "bisect": "bisect_left"}
    for call in program.of(ast.Call):
        other = names.get(program.text(call.func).split(".")[-1])
        if other is not None:
            end = program.end(call.func)
            start = end - len(program.text(call.func).split(".")[-1])
            reasons = (before, after) if other == "bisect_right" else (after, before)
            yield Change((Edit(start, end, other),), program.span(call), *reasons, 2)


def result(program: Program) -> Iterator[Change]:
    """Return, store or add one more or one less than was worked out with whole numbers."""
    worked_out = {
        target.id
        for node in program.of(ast.Assign)
        for target, value in pairs(node)
        if isinstance(target, ast.Name) and _calculates(value)
    }
    for node in program.of(ast.Return, ast.Assign, ast.AugAssign):
        value = node.value
        if value is None or program.is_integer(value):
            continue
        what = {"Return": "result", "Assign": "value", "AugAssign": "step"}[type(node).__name__]
        low, high = (f"the {what} THIS is one too {word}" for word in WORDS)
        if isinstance(node, ast.Return):
            known = isinstance(value, ast.Name) and value.id in worked_out
        else:
            added = isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub)
            known = added and isinstance(value, ast.Name)
        if known or _calculates(value):
            yield from by_one(program, value, node, (low, high), _COST)


def _calculates(node: ast.expr) -> bool:
    """Return whether an expression calculates with what may well be whole numbers."""
    match node:
        case ast.BinOp(left=ast.List() | ast.JoinedStr()):
            return False
        case ast.BinOp(op=ast.Sub() | ast.Mult() | ast.FloorDiv() | ast.Mod() | ast.Pow()):
            return not any(
                isinstance(part, ast.Div | ast.Attribute)
                or (isinstance(part, ast.Constant) and not isinstance(part.value, int))
                for part in ast.walk(node)
            )
        case ast.Call(func=ast.Name(id="max" | "min" | "abs" | "pow")):
            return True
        case _:
            return False


def factor(program: Program) -> Iterator[Change]:
    """Update a variable with a factor or a shift that is off by one."""
    low, high = (f"the number THIS is one too {word}" for word in WORDS)
    for node in program.of(ast.AugAssign):
        if not isinstance(node.op, ast.Add | ast.Sub) and program.is_integer(node.value):
            yield from by_one(program, node.value, node, (low, high), _COST)


def emptiness(program: Program) -> Iterator[Change]:
    """Stop, or turn away, when one element is left, and not when there is none."""
    for node in program.of(ast.Name):
        match program.parents[node]:
            case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) if test is node:
                pass
            case ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                pass
            case _:
                continue
        if node.id in program.integers:
            many, left = f"{node.id} > 1", "1"
        elif node.id in program.sequences:
            many, left = f"len({node.id}) > 1", "a single element"
        else:
            continue
        edit = program.put(node, many, COMPARED)
        yield Change((edit,), program.around(node), "", f"`{many}` does not hold for {left}", _COST)
