"""Logic errors in a decision: the comparison, what joins conditions, what they choose between.

python -c "from selfdebug.mutators.python_logic import conditions as c; print(c.OPERATORS)"
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise
from typing import TypeGuard

from selfdebug.languages.python_edit.binding import AND, NOT, OR, binds
from selfdebug.languages.python_edit.change import Change, Operator
from selfdebug.languages.python_edit.program import Edit, Program

# What each operator is taken for, the likeliest first. `<` for `<=` is an off-by-one error.
_COMPARISONS = {
    "==": ("!=", "<=", ">=", "<", ">"),
    "!=": ("==", ">", "<", ">=", "<="),
    "<": (">", ">=", "==", "!="),
    "<=": (">=", ">", "==", "!="),
    ">": ("<", "<=", "==", "!="),
    ">=": ("<=", "<", "==", "!="),
    "in": ("not in",),
    "not in": ("in",),
    "is": ("is not", "=="),
    "is not": ("is", "!="),
}
_OPPOSITES = (("==", "!="), ("<", ">="), (">", "<="), ("in", "not in"), ("is", "is not"))
_NEGATED = dict(_OPPOSITES) | {right: left for left, right in _OPPOSITES}
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def comparison(program: Program) -> Iterator[Change]:
    """Compare with another operator."""
    for node, span, old in program.comparisons():
        for new in _COMPARISONS[old]:
            likely = new in (_NEGATED[old], _MIRRORED.get(old))
            reasons = _compared(old, new), _compared(new, old)
            cost = 0 if likely else 1
            yield Change((Edit(*span, new),), program.span(node), *reasons, cost)


def _compared(wrong: str, right: str) -> str:
    if right == _NEGATED[wrong]:
        return f"`{wrong}` makes the condition the opposite of what is meant"
    if right == _MIRRORED.get(wrong):
        return f"`{wrong}` compares the wrong way round"
    return f"`{wrong}` is the wrong comparison"


def boolean(program: Program) -> Iterator[Change]:
    """Join conditions with the other of `and` and `or`."""
    both, either = "`and` asks for all of it where one part is enough", "`or` lets one part decide"
    for node in program.of(ast.BoolOp):
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        spans = [program.between(left, right, old) for left, right in pairwise(node.values)]
        reasons = (both, either) if old == "and" else (either, both)
        edits = tuple(Edit(*span, new) for span in spans)
        yield Change(edits, program.span(node), *reasons, 0)
        for edit in edits if len(edits) > 1 else ():
            yield Change((edit,), program.span(node), *reasons, 1)


def _tests(program: Program) -> Iterator[ast.expr]:
    """Yield every condition that decides something."""
    for node in program.nodes:
        if isinstance(node, ast.If | ast.While | ast.IfExp | ast.Assert):
            yield node.test
        elif isinstance(node, ast.comprehension):
            yield from node.ifs
        elif isinstance(node, ast.Return) and _is_decision(node.value):
            yield node.value


def _is_decision(node: ast.expr | None) -> TypeGuard[ast.expr]:
    match node:
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.Call(func=ast.Name(id="any" | "all" | "isinstance" | "bool")):
            return True
        case _:
            return False


def negation(program: Program) -> Iterator[Change]:
    """Ask for the opposite. A single comparison has its own operator for that."""
    why = "the condition is the opposite of what is meant"
    for test in _tests(program):
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            edit = Edit(program.start(test), program.outer(test.operand)[0], "")
            yield Change((edit,), program.span(test), why, why, 1)
        elif not (isinstance(test, ast.Compare) and len(test.ops) == 1):
            source = program.text(test)
            text = f"not {source}" if binds(test) >= NOT else f"not ({source})"
            yield Change((program.put(test, text, NOT),), program.span(test), why, why, 1)


def added_condition(program: Program) -> Iterator[Change]:
    """Ask for another condition of the program as well."""
    tests = list(_tests(program))
    compared = {program.text(node): node for node in program.of(ast.Compare)}
    for test in tests:
        names = set(program.names(test))
        for source, other in compared.items():
            if source in program.text(test) or not program.variables_of(other) <= names:
                continue
            for word, level in (("and", AND), ("or", OR)):
                inner = program.text(test) if binds(test) >= level else f"({program.text(test)})"
                for text in (f"{inner} {word} {source}", f"{source} {word} {inner}"):
                    edit = program.put(test, text, level)
                    why, excess = (
                        f"`{source}` is not asked for",
                        f"`{source}` is one condition too many",
                    )
                    yield Change((edit,), program.span(test), why, excess, 6)


def ternary(program: Program) -> Iterator[Change]:
    """Exchange the two results of a conditional expression."""
    why = "the two results of the condition are the wrong way round"
    for node in program.of(ast.IfExp):
        first, second = program.outer(node.body), program.outer(node.orelse)
        texts = program.code[slice(*second)], program.code[slice(*first)]
        edits = Edit(*first, texts[0]), Edit(*second, texts[1])
        yield Change(edits, program.span(node), why, why, 2)


OPERATORS: tuple[Operator, ...] = (comparison, boolean, negation, ternary, added_condition)
