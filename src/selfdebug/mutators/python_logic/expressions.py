"""Logic errors inside an expression: operators, operands, variables, order, parts of sequences.

python -c "from selfdebug.mutators.python_logic import expressions as e; print(e.OPERATORS)"
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from selfdebug.languages.python_edit.binding import ATOM, SUM, binds
from selfdebug.languages.python_edit.change import Change, Operator
from selfdebug.languages.python_edit.program import Edit, Program

_ARITHMETIC: dict[type[ast.operator], tuple[str, tuple[str, ...]]] = {
    ast.Add: ("+", ("-", "*", "//", "%")),
    ast.Sub: ("-", ("+", "*", "%", "//", "/")),
    ast.Mult: ("*", ("+", "**", "//", "/", "-", "%")),
    ast.Div: ("/", ("//", "*", "%", "-")),
    ast.FloorDiv: ("//", ("%", "/", "*", "-")),
    ast.Mod: ("%", ("//", "/", "*", "-", "+")),
    ast.Pow: ("**", ("*", "+", "^")),
    ast.BitAnd: ("&", ("|", "^", ">>", "%")),
    ast.BitOr: ("|", ("&", "^", "+")),
    ast.BitXor: ("^", ("|", "&", "**")),
    ast.LShift: ("<<", (">>", "*")),
    ast.RShift: (">>", ("<<", "//")),
}
# What each operator does, in the third person and in the infinitive.
_DOES = {
    "+": ("adds", "add"),
    "-": ("subtracts", "subtract"),
    "*": ("multiplies", "multiply"),
    "/": ("divides", "divide"),
    "//": ("divides and rounds down", "divide and round down"),
    "%": ("takes the remainder", "take the remainder"),
    "**": ("raises to a power", "raise to a power"),
    "&": ("takes the bitwise and", "take the bitwise and"),
    "|": ("takes the bitwise or", "take the bitwise or"),
    "^": ("takes the bitwise exclusive or", "take the bitwise exclusive or"),
    "<<": ("shifts left", "shift left"),
    ">>": ("shifts right", "shift right"),
    "": ("replaces the old value", "replace the old value"),
}
_USUAL = ("str", "len", "bin")  # what is taken of a variable before it is used
_POOL = 12  # expressions of the program that are tried in another's place


def arithmetic(program: Program) -> Iterator[Change]:
    """Calculate with another operator."""
    for node in program.of(ast.BinOp):
        old, others = _ARITHMETIC.get(type(node.op), ("", ()))
        if any(_is_text(side) for side in (node.left, node.right)):
            continue
        for rank, new in enumerate(others):
            span = program.between(node.left, node.right, _escaped(old))
            yield _calculated(program, node, Edit(*span, new), (old, new), 1 + (rank > 1))


def augmented(program: Program) -> Iterator[Change]:
    """Update a variable with another operator, or overwrite it."""
    for node in program.of(ast.AugAssign):
        old, others = _ARITHMETIC.get(type(node.op), ("", ()))
        for rank, new in enumerate((*others[:1], "", *others[1:])):
            span = program.between(node.target, node.value, _escaped(old) + "=")
            yield _calculated(program, node, Edit(*span, new + "="), (old, new), 1 + (rank > 0))


def lost_update(program: Program) -> Iterator[Change]:
    """Overwrite a variable that should be updated."""
    for node in program.of(ast.Assign):
        target = node.targets[0]
        updatable = isinstance(target, ast.Name) and target.id in program.names(node)
        if updatable or isinstance(target, ast.Subscript):
            for rank, new in enumerate(("+", "-", "*", "//")):
                edit = Edit(*program.between(target, node.value, "="), new + "=")
                change = _calculated(program, node, edit, ("", new), 2 + rank)
                yield change if rank == 0 else replace(change, if_right="")


def _escaped(operator: str) -> str:
    return "".join("\\" + character for character in operator)


def _calculated(
    program: Program, node: ast.AST, edit: Edit, operators: tuple[str, str], cost: int
) -> Change:
    old, new = operators

    def why(wrong: str, right: str) -> str:
        return f"it {_DOES[wrong][0]} where it has to {_DOES[right][1]}"

    return Change((edit,), program.span(node), why(old, new), why(new, old), cost)


def _is_text(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=str() | bytes()) | ast.JoinedStr():
            return True
        case (
            ast.List()
            | ast.ListComp()
            | ast.Tuple()
            | ast.Dict()
            | ast.Call(func=ast.Name(id="str" | "list" | "sorted") | ast.Attribute(attr="join"))
        ):
            return True
        case _:
            return False


def operand(program: Program) -> Iterator[Change]:
    """Leave out one operand of a calculation or one part of a condition."""
    for node in program.of(ast.BinOp):
        if not _is_text(node.left):
            left, right = program.outer(node.left), program.outer(node.right)
            yield _dropped(program, node, left[1], right[1], 1)
            yield _dropped(program, node, left[0], right[0], 1)
            if isinstance(node.left, ast.BinOp) and left == program.span(node.left):
                middle = program.outer(node.left.right)[0]
                yield _dropped(program, node, middle, right[0], 2)
    for node in program.of(ast.BoolOp):
        spans = [program.outer(value) for value in node.values]
        yield _dropped(program, node, spans[0][0], spans[1][0], 1)
        for before, span in pairwise(spans):
            yield _dropped(program, node, before[1], span[1], 1)
    for node in program.of(ast.Compare):
        if len(node.ops) > 1:
            spans = [program.outer(value) for value in (node.left, *node.comparators)]
            yield _dropped(program, node, spans[0][0], spans[1][0], 3)
            yield _dropped(program, node, spans[-2][1], spans[-1][1], 3)


def _dropped(program: Program, node: ast.AST, start: int, end: int, cost: int) -> Change:
    piece = " ".join(program.code[start:end].split())
    reasons = f"`{piece}` is too much", f"`{piece}` is missing"
    shown = program.span(program.statement(node))
    if "\n" in program.code[slice(*shown)]:
        shown = program.span(node)
    meet = re.fullmatch(r"\w\w", program.code[start - 1 : start] + program.code[end : end + 1])
    return Change((Edit(start, end, " " if meet else ""),), shown, *reasons, cost)


def variable(program: Program) -> Iterator[Change]:
    """Read or update another variable that is in scope."""
    for node in program.of(ast.Name):
        names, old = program.names(node), node.id
        parent = program.parents[node]
        read = isinstance(node.ctx, ast.Load)
        unknown = old not in (program.known if read else names)
        unknown &= read or isinstance(parent, ast.AugAssign)
        if not unknown and old not in names:
            continue  # a function, a module, or a variable's first assignment
        if not read and not isinstance(parent, ast.AugAssign | ast.Assign):
            continue
        unread = [name for name in names if name in program.unread] if read else []
        for new in (*(f"{call}({name})" for name in unread for call in _USUAL), *names):
            if new != old:
                alike = (new in program.integers) == (old in program.integers)
                likely = unknown or new in unread
                cost = 0 if likely else (1 if alike else 2) + (not read)
                breaks = _mistaken(new, old) if alike and new in names else ""
                reasons = _mistaken(old, new), breaks
                shown = program.around(node)
                yield Change((Edit(*program.span(node), new),), shown, *reasons, cost)


def _mistaken(wrong: str, right: str) -> str:
    return f"`{wrong}` stands where `{right}` belongs"


def swapped_names(program: Program) -> Iterator[Change]:
    """Exchange two variables all over a statement."""
    for statement in program.of(ast.Assign, ast.AugAssign, ast.Return, ast.Expr):
        reads = [
            node
            for node in ast.walk(statement)
            if isinstance(node, ast.Name)
            and node in program.parents
            and node.id in program.names(node)
        ]
        names = sorted({node.id for node in reads})
        for at, left in enumerate(names):
            for right in names[at + 1 :]:
                other = {left: right, right: left}
                found = [node for node in reads if node.id in other]
                if len(found) > 2:
                    edits = tuple(Edit(*program.span(n), other[n.id]) for n in found)
                    why = f"`{left}` and `{right}` are mixed up"
                    yield Change(edits, program.span(statement), why, why, 5)


def swapped_operands(program: Program) -> Iterator[Change]:
    """Exchange the two sides of an operator for which the order matters."""
    why = "the two operands are the wrong way round"
    for node in program.of(ast.BinOp):
        matters = not isinstance(node.op, ast.Mult | ast.Add | ast.BitAnd | ast.BitOr | ast.BitXor)
        joins = isinstance(node.op, ast.Add) and not program.is_integer(node)
        if matters or joins:
            if isinstance(node.left, ast.BinOp) and binds(node.left) == binds(node):
                continue  # `a - b - c`: the left side is not a side to a reader
            yield _exchanged(program, node, (node.left, node.right), why, 1 if matters else 3)
    for node in program.of(ast.Compare):
        if len(node.ops) == 1 and isinstance(node.ops[0], ast.In | ast.NotIn):
            yield _exchanged(program, node, (node.left, node.comparators[0]), why, 3)


def swapped_elements(program: Program) -> Iterator[Change]:
    """Exchange two neighbours in a tuple or list, read or assigned to."""
    why = "two elements are the wrong way round"
    for node in program.of(ast.Tuple, ast.List):
        if 2 <= len(node.elts) <= 4:
            for left, right in pairwise(node.elts):
                yield _exchanged(program, node, (left, right), why, 2)


def _exchanged(
    program: Program, node: ast.AST, sides: tuple[ast.AST, ast.AST], why: str, cost: int
) -> Change:
    first, second = (program.outer(side) for side in sides)
    texts = program.code[slice(*second)], program.code[slice(*first)]
    edits = Edit(*first, texts[0]), Edit(*second, texts[1])
    return Change(edits, program.span(node), why, why, cost)


def precedence(program: Program) -> Iterator[Change]:
    """Leave out or put in the parentheses that say what is calculated first."""
    missing, excess = "the parentheses are missing", "the parentheses are wrong"
    for node in program.of(ast.BinOp):
        for side in (node.left, node.right):
            span, inner = program.outer(side), program.span(side)
            if isinstance(side, ast.BinOp) and span != inner and binds(side) <= binds(node):
                edit = Edit(*span, program.text(side))
                yield Change((edit,), program.span(node), excess, missing, 4)
        if binds(node) > SUM:
            continue
        for side, near in ((node.left, "right"), (node.right, "left")):
            if isinstance(side, ast.BinOp) and program.outer(side) == program.span(side):
                inner = side.right if near == "right" else side.left
                low, high = sorted((program.outer(node.left), program.outer(node.right)))
                start = low[0] if near == "left" else program.outer(inner)[0]
                end = high[1] if near == "right" else program.outer(inner)[1]
                edits = Edit(start, start, "("), Edit(end, end, ")")
                yield Change(edits, program.span(node), missing, excess, 4)


def part(program: Program) -> Iterator[Change]:
    """Use a whole sequence instead of a part of it, or the other way round."""
    for node in program.of(ast.Subscript):
        if isinstance(node.slice, ast.Slice) and isinstance(node.ctx, ast.Load):
            cut = program.code[program.end(node.value) : program.end(node)]
            reasons = f"`{cut}` is too much", f"`{cut}` is missing"
            edit = Edit(program.end(node.value), program.end(node), "")
            yield Change((edit,), program.around(node), *reasons, 3)
    for node in program.of(ast.Name, ast.Call):
        place = program.parents[node]
        if isinstance(node, ast.Call) and not isinstance(place, ast.Return | ast.Compare):
            continue
        if program.is_integer(node) or not isinstance(place, (ast.Call, *_WHOLE)):
            continue
        if isinstance(getattr(node, "ctx", None), ast.Store) or node is getattr(place, "func", 0):
            continue
        counts = program.integers | program.unread
        limits = [name for name in program.names(node) if name in counts]
        for cut in ("[::-1]", *(c for n in limits for c in (f"[{n}:]", f"[:{n}]"))):
            edit = Edit(program.end(node), program.end(node), cut)
            reason = f"`{cut}` is missing"
            cost = 2 if program.unread & set(re.findall(r"\w+", cut)) else 5
            yield Change((edit,), program.around(node), reason, "", cost)


_WHOLE = (ast.Return, ast.Compare, ast.For, ast.comprehension, ast.Assign, ast.BinOp)


def expression(program: Program) -> Iterator[Change]:
    """Use another expression that the same function already contains."""
    pool: dict[ast.AST, dict[str, ast.expr]] = {}
    for node in program.of(ast.Call, ast.Subscript, ast.Attribute):
        if program.end(node) - program.start(node) <= 30 and not _is_target(program, node):
            found = pool.setdefault(program.scope(node), {})
            if len(found) < _POOL:
                found.setdefault(program.text(node), node)
    for node in program.of(ast.Name, ast.Call, ast.Subscript):
        if _is_target(program, node):
            continue
        names, old = set(program.names(node)), program.text(node)
        for text, other in pool.get(program.scope(node), {}).items():
            if text != old and program.variables_of(other) <= names:
                reasons = _mistaken(old, text) if "\n" not in old else "", ""
                edit = program.put(node, text, ATOM)
                yield Change((edit,), program.around(node), *reasons, 6)


def _is_target(program: Program, node: ast.expr) -> bool:
    """Return whether a node is assigned to, called, or the object of a method call."""
    parent = program.parents[node]
    if isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
        return True
    if isinstance(parent, ast.Call):
        return node is parent.func
    return isinstance(parent, ast.Attribute | ast.Expr)


OPERATORS: tuple[Operator, ...] = (
    arithmetic,
    augmented,
    variable,
    operand,
    swapped_operands,
    swapped_elements,
    lost_update,
    part,
    precedence,
    swapped_names,
    expression,
)
