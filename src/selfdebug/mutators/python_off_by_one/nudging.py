"""How an expression becomes one more or one less, with the words for both directions.

python -c "import selfdebug.mutators.python_off_by_one.nudging as n; help(n.by_one)"
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfdebug.languages.python_edit.binding import ATOM, SUM, UNARY, binds
from selfdebug.languages.python_edit.change import Change
from selfdebug.languages.python_edit.guesses import number
from selfdebug.languages.python_edit.program import Program

WORDS = ("low", "high")


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


def by_one(
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


def calls(program: Program, *names: str) -> Iterator[ast.Call]:
    """Yield the calls of these functions that pass something."""
    for node in program.of(ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in names and node.args:
            yield node
