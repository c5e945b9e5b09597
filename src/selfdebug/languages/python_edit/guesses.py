"""What a program's names stand for, guessed from how they are filled and used.

A guess decides only which changes are worth a try; the tests decide which are right.

    python -c "import selfdebug.languages.python_edit.guesses as g; help(g.integers)"
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

_TAKE_SEQUENCES = frozenset(
    ["len", "sorted", "reversed", "sum", "list", "tuple", "enumerate", "zip", "map", "filter"]
)
_OF_SEQUENCES = frozenset(
    ["append", "extend", "split", "lower", "upper", "replace", "strip", "sort", "count", "index"]
)
_TAKE_TEXTS = frozenset(["join", "search", "match", "findall", "sub", "extend"])


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text: a list of names that reads as one."""
    return tuple(text.split())


def pairs(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield the (target, value) pairs of an assignment: `a, b = 1, 2` has two."""
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from zip(target.elts, node.value.elts, strict=False)
        else:
            yield target, node.value


def number(node: ast.AST) -> int | None:
    """Return the value of an integer literal, with its sign."""
    match node:
        case ast.Constant(value=int(value)) if not isinstance(value, bool):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))):
            return -value
        case _:
            return None


def defined(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Return the names of functions, classes, modules and what is imported from them."""
    found: set[str] = set()
    for node in nodes:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.ExceptHandler(name=str(name)):
                found.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                found |= {(alias.asname or alias.name).split(".")[0] for alias in aliases}
            case _:
                pass
    return frozenset(found)


def integers(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Return the names that hold integers."""
    found: set[str] = set()
    for node in nodes:
        match node:
            case (
                ast.For(target=target, iter=ast.Call() as call)
                | ast.comprehension(target=target, iter=ast.Call() as call)
            ):
                found |= _counters(target, call)
            case ast.Assign():
                found |= {target.id for target, value in _named(node) if _is_integer(value)}
            case ast.AugAssign(target=ast.Name(id=name), value=value) if _is_integer(value):
                found.add(name)
            case ast.Compare(left=ast.Name(id=name), comparators=[right]) if _is_integer(right):
                found.add(name)
            case ast.BinOp(left=ast.Name(id=name), right=right) if _is_integer(right):
                if isinstance(node.op, ast.Sub | ast.Mod | ast.FloorDiv):
                    found.add(name)
            case _:
                pass
    return frozenset(found)


def _counters(target: ast.expr, call: ast.Call) -> set[str]:
    """Return the integers that a loop over `range` or `enumerate` shows."""
    function = call.func.id if isinstance(call.func, ast.Name) else ""
    counted = target.elts[:1] if isinstance(target, ast.Tuple) else [target]
    shown = counted if function in ("range", "enumerate") else []
    shown += call.args if function == "range" else []
    return {value.id for value in shown if isinstance(value, ast.Name)}


def _named(node: ast.Assign) -> Iterator[tuple[ast.Name, ast.expr]]:
    return ((target, value) for target, value in pairs(node) if isinstance(target, ast.Name))


def _is_integer(node: ast.AST) -> bool:
    """Return whether an expression is an integer on the face of it."""
    match node:
        case ast.Constant(value=value):
            return isinstance(value, int) and not isinstance(value, bool)
        case ast.Call(func=ast.Name(id=name)):
            return name in ("len", "int", "ord")
        case ast.BinOp(left=left, op=op, right=right):
            if isinstance(op, ast.FloorDiv):
                return True
            return (
                isinstance(op, ast.Add | ast.Sub | ast.Mult)
                and _is_integer(left)
                and _is_integer(right)
            )
        case _:
            return False


def maps(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Return the names that are given dictionaries."""
    made = (pair for node in nodes if isinstance(node, ast.Assign) for pair in _named(node))
    return frozenset(target.id for target, value in made if _is_map(value))


def _is_map(node: ast.AST) -> bool:
    match node:
        case ast.Dict() | ast.DictComp() | ast.Call(func=ast.Name(id="dict" | "defaultdict")):
            return True
        case _:
            return False


def sequences(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Return the names that are used as texts, lists or tuples."""
    found: set[str] = set()
    for node in nodes:
        match node:
            case ast.For(iter=ast.Name(id=name)) | ast.comprehension(iter=ast.Name(id=name)):
                found.add(name)
            case ast.Subscript(value=ast.Name(id=name)):
                found.add(name)
            case ast.Call(func=ast.Name(id=function)) if function in _TAKE_SEQUENCES:
                found |= {value.id for value in node.args if isinstance(value, ast.Name)}
            case ast.Call(func=ast.Attribute(value=owner, attr=method)):
                if isinstance(owner, ast.Name) and method in _OF_SEQUENCES:
                    found.add(owner.id)
                if method in _TAKE_TEXTS:
                    found |= {value.id for value in node.args if isinstance(value, ast.Name)}
            case ast.Assign():
                found |= {target.id for target, value in _named(node) if _is_sequence(value)}
            case _:
                pass
    return frozenset(found)


def _is_sequence(node: ast.AST) -> bool:
    """Return whether an expression is a text, a list or a tuple on the face of it."""
    match node:
        case ast.List() | ast.Tuple() | ast.ListComp() | ast.JoinedStr():
            return True
        case ast.Constant(value=str()):
            return True
        case ast.Call(func=ast.Name(id="list" | "sorted" | "str" | "tuple")):
            return True
        case ast.Call(func=ast.Attribute(attr="split" | "join" | "replace" | "lower" | "upper")):
            return True
        case ast.Subscript(slice=ast.Slice()):
            return True
        case _:
            return False
