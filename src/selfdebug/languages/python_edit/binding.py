"""How tightly Python's expressions bind, and so where one needs parentheses.

The levels are those of the language reference (6.17, operator precedence), loosest first.

    python -c "import ast, selfdebug.languages.python_edit.binding as b; print(b.binds(ast.Add()))"
"""

from __future__ import annotations

import ast

# How tightly an expression binds; an ATOM never needs parentheses.
LOOSE, OR, AND, NOT, COMPARED, BITS, SHIFT, SUM, PRODUCT, UNARY, POWER, ATOM = range(12)
_BINDS: dict[type[ast.AST], int] = {
    **dict.fromkeys((ast.Lambda, ast.IfExp, ast.NamedExpr, ast.Yield, ast.Starred), LOOSE),
    **{ast.Or: OR, ast.And: AND, ast.Not: NOT, ast.Compare: COMPARED, ast.Pow: POWER},
    **dict.fromkeys((ast.BitOr, ast.BitXor, ast.BitAnd), BITS),
    **dict.fromkeys((ast.LShift, ast.RShift), SHIFT),
    **dict.fromkeys((ast.Add, ast.Sub), SUM),
    **dict.fromkeys((ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.MatMult), PRODUCT),
    **dict.fromkeys((ast.UAdd, ast.USub, ast.Invert, ast.Await), UNARY),
}


def binds(node: ast.AST) -> int:
    """Return how tightly an expression binds."""
    key = node.op if isinstance(node, ast.BinOp | ast.BoolOp | ast.UnaryOp) else node
    if isinstance(node, ast.Tuple):
        return LOOSE
    return _BINDS.get(type(key), ATOM)


def demand(node: ast.AST, parent: ast.AST) -> int:
    """Return how tightly an expression must bind to stand in a node's place below its parent."""
    least = LOOSE
    match parent:
        case ast.BinOp(left=left, op=ast.Pow()):
            least = ATOM if node is left else UNARY
        case ast.BinOp(left=left):
            least = binds(parent) + (node is not left)
        case ast.BoolOp():
            least = binds(parent) + 1
        case ast.UnaryOp():
            least = binds(parent)
        case ast.Compare() | ast.Starred():
            least = BITS
        case ast.IfExp(test=test, body=body) if node in (test, body):
            least = OR
        case ast.comprehension():
            least = OR
        case ast.Attribute(value=value) | ast.Subscript(value=value) if node is value:
            least = ATOM
        case ast.Call(func=func) if node is func:
            least = ATOM
        case _:
            pass
    return least
