"""What a failing assert says about the program: the call, what was expected, and what came back.

It reads the test's source and the frame that failed; it never calls the candidate again. What it
cannot tell for certain it leaves empty.

    python -m pytest tests/test_suite.py
"""

from __future__ import annotations

import ast
import linecache
import types
from dataclasses import dataclass
from functools import cache
from typing import Any

from selfdebug.sandbox.suite_candidate import cap, show

# Calls of these on the expected side do not make it the side under test.
_PLAIN = frozenset(
    [
        "approx",
        "set",
        "list",
        "tuple",
        "dict",
        "sorted",
        "float",
        "int",
        "str",
        "range",
        "frozenset",
        "bytes",
        "Decimal",
        "Fraction",
        "Path",
        "len",
        "abs",
        "round",
        "sum",
    ]
)
_VALUES = (int, float, complex, str, bytes, bool, type(None), list, tuple, dict, set, frozenset)
_EQUAL = frozenset(
    [
        "assertEqual",
        "assertAlmostEqual",
        "assertListEqual",
        "assertDictEqual",
        "assertTupleEqual",
        "assertSetEqual",
        "assertSequenceEqual",
        "assertCountEqual",
        "assertIs",
    ]
)
_TRUTH = {"assertTrue": "True", "assertFalse": "False", "assertIsNone": "None"}
_RAISES = ("raises", "assertRaises")


@dataclass(frozen=True)
class Compared:
    """The two values of the last comparison that failed, in the order of the source."""

    left: object
    right: object


def explain(frame: types.FrameType, line: int, compared: Compared | None) -> dict[str, str]:
    """Return call, expected and got of the statement at `line`, as far as they are certain."""
    module = _parsed("".join(linecache.getlines(frame.f_code.co_filename, frame.f_globals)))
    statement, function = _statement_at(module, line)
    if statement is None:
        return {}
    tested, wanted, truth = _sides(statement)
    if tested is None:
        return {"call": _first_call(statement, frame), "expected": truth}
    call = _call_of(tested, function, statement, frame) or cap(ast.unparse(tested))
    found = {"call": call, "expected": truth}
    if wanted is not None:
        swapped = compared is not None and _starts_after(tested, wanted)
        if compared is not None:
            sides = (compared.right, compared.left) if swapped else (compared.left, compared.right)
            return {**found, "got": show(sides[0]), "expected": show(sides[1])}
        return {**found, "expected": _known(wanted, frame)}
    return found


def record_comparisons(tree: ast.Module) -> ast.Module:
    """Rewrite `assert a == b` so that `__compared__(op, a, b)` sees both values."""
    return ast.fix_missing_locations(_Recorder().visit(tree))


class _Recorder(ast.NodeTransformer):
    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        test = node.test
        if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq) and not test.ops[1:]:
            name = ast.Name("__compared__", ast.Load())
            node.test = ast.Call(name, [test.left, test.comparators[0]], [])
            ast.copy_location(node.test, test)
        return node


@cache
def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.Module([], [])


def _statement_at(module: ast.Module, line: int) -> tuple[ast.stmt | None, ast.AST]:
    """Return the innermost statement that covers a line, and the body that it stands in."""
    found: ast.stmt | None = None
    around: ast.AST = module
    for node in ast.walk(module):  # outer ones come first
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or line):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                around = node
            found = node
    return found, around


def _sides(  # noqa: PLR0911 - a table of forms
    statement: ast.stmt,
) -> tuple[ast.expr | None, ast.expr | None, str]:
    """Return the expression under test, the one it is compared with, and a wanted truth value."""
    match statement:
        case ast.Assert(ast.Compare(left, [ast.Eq() | ast.Is()], [right])):
            return *_ordered(left, right), ""
        case ast.Assert(ast.UnaryOp(ast.Not(), operand)):
            return operand, None, "False"
        case ast.Assert(ast.Call() | ast.Name() as test):
            return test, None, "True"
        case ast.Assert(test):
            return test, None, cap(ast.unparse(test))
        case ast.Expr(ast.Call(ast.Attribute(attr=name), [first, second, *_])) if name in _EQUAL:
            return *_ordered(first, second), ""
        case ast.Expr(ast.Call(ast.Attribute(attr=name), [first, *_])) if name in _TRUTH:
            return first, None, _TRUTH[name]
        case _:
            return None, None, _raised(statement)


def _raised(statement: ast.stmt) -> str:
    """Return which error a `with pytest.raises(...)` waits for."""
    match statement:
        case ast.With([ast.withitem(ast.Call(ast.Attribute(attr=name), [error, *_]))]):
            return f"raises {ast.unparse(error)}" if name in _RAISES else ""
        case _:
            return ""


def _ordered(left: ast.expr, right: ast.expr) -> tuple[ast.expr, ast.expr]:
    if _calls(right) and not _calls(left):
        return right, left
    if isinstance(left, ast.Constant) and not isinstance(right, ast.Constant):
        return right, left
    return left, right


def _calls(side: ast.expr) -> bool:
    names = (_name(node.func) for node in ast.walk(side) if isinstance(node, ast.Call))
    return any(name not in _PLAIN for name in names)


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else ast.unparse(function)


def _starts_after(tested: ast.expr, wanted: ast.expr) -> bool:
    return (tested.lineno, tested.col_offset) > (wanted.lineno, wanted.col_offset)


def _call_of(tested: ast.expr, around: ast.AST, statement: ast.stmt, frame: types.FrameType) -> str:
    """The call under test: in the assert itself, or where its variable was last assigned."""
    if not isinstance(tested, ast.Name):
        return _first_call(tested, frame)
    made: ast.expr = tested
    for node in ast.walk(around):
        if isinstance(node, ast.Assign) and node.lineno < statement.lineno:
            target = node.targets[0]
            if isinstance(target, ast.Name) and target.id == tested.id:
                made = node.value
    return _first_call(made, frame)


def _first_call(node: ast.AST, frame: types.FrameType) -> str:
    parts = node.body if isinstance(node, ast.With) else [node]
    calls = (n for part in parts for n in ast.walk(part) if isinstance(n, ast.Call))
    call = next((n for n in calls if _name(n.func) not in _PLAIN), None)
    return _call_text(call, frame) if call is not None else ""


def _call_text(call: ast.Call, frame: types.FrameType) -> str:
    """The call's source, with the values of plain variables in the place of their names."""
    arguments: list[str] = [_argument(arg, frame) for arg in call.args]
    arguments += [f"{k.arg}={_argument(k.value, frame)}" for k in call.keywords if k.arg]
    return cap(f"{ast.unparse(call.func)}({', '.join(arguments)})")


def _argument(node: ast.expr, frame: types.FrameType) -> str:
    if isinstance(node, ast.Name):
        value = _lookup(node.id, frame)
        if type(value) in _VALUES:
            return show(value)
    return ast.unparse(node)


def _known(wanted: ast.expr, frame: types.FrameType) -> str:
    """The wanted value where it can be read off: a literal or a plain variable."""
    if isinstance(wanted, ast.Name):
        value = _lookup(wanted.id, frame)
        return show(value) if type(value) in _VALUES else ""
    try:
        return show(ast.literal_eval(wanted))
    except ValueError:
        return cap(ast.unparse(wanted))


def _lookup(name: str, frame: types.FrameType) -> Any:
    return frame.f_locals.get(name, frame.f_globals.get(name, ...))
