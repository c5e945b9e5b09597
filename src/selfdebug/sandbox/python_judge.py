"""Runs Python tests in the judge, with stubs in the place of the candidate's names.

Each call of a stub goes to the candidate as plain values and comes back as plain values, so the
data set's own test program decides, unmodified. It holds the tests; the candidate never does.

    python -m pytest tests/test_sandbox.py
"""

from __future__ import annotations

import ast
import builtins
import json
import types
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, cast

from selfdebug.sandbox.channel import Message
from selfdebug.sandbox.connection import Connection
from selfdebug.sandbox.remote import Remote, Unsplittable, shown
from selfdebug.sandbox.wire import decode

MAX_TEXT = 1_000  # characters of a call, an expected or a got value


class Runner:
    """Runs the tests of one task against one loaded candidate."""

    def __init__(self, task: Message, connection: Connection, names: dict[str, str]) -> None:
        self._entry: str = task["entry_point"]
        self._remote = Remote(connection)
        self._names = names
        self._prelude = task["prelude"]

    def run(self, test: Message) -> Message:
        """Return the result of one test as the fields of a TestResult. Lost passes through."""
        self._remote.reset()
        if test["kind"] == "call":
            result = self._call(json.loads(test["body"]))
        else:
            result = self._program(test)
        return {**result, **self._remote.observed}

    def last_call(self) -> str:
        """Return the test's last call of the candidate, as source text."""
        return self._remote.last_call(MAX_TEXT)

    def _call(self, body: Message) -> Message:
        kwargs = {key: decode(value) for key, value in body.get("kwargs", {}).items()}
        args = [decode(value) for value in body["args"]]
        expected = decode(body["expected"])
        try:
            got = self._remote.call(self._entry, args, kwargs)
        except BaseException as error:  # the candidate's own, raised again here
            return self._failed(error, shown(expected, MAX_TEXT))
        if _same(got, expected, body.get("atol", 0.0)):
            return {"status": "pass"}
        return self._wrong(shown(expected, MAX_TEXT), "")

    def _program(self, test: Message) -> Message:
        code = _compiled(test["body"])
        namespace = self._namespace(code)
        try:
            exec(code, namespace)
        except BaseException as error:  # an assert's, or the candidate's own, raised again here
            return self._failed(error, _expected(test["body"], error))
        return {"status": "pass"}

    def _namespace(self, code: types.CodeType) -> dict[str, Any]:
        """Candidate's names that the test mentions, then the prelude, then the entry point."""
        namespace: dict[str, Any] = {"__name__": "__test__"}
        mentioned = _mentioned(code)
        for name, category in self._names.items():
            if name not in mentioned or hasattr(builtins, name) or category == "value":
                continue
            kind, _, base = category.partition(":")
            if kind == "exception":
                namespace[name] = self._remote.exception_class(name, base)
            else:
                namespace[name] = self._remote.stub(name)
        exec(_compiled(self._prelude), namespace)
        entry = self._entry.partition(".")[0]
        if entry and self._names.get(entry) != "value":
            namespace[entry] = self._remote.stub(entry)
        return namespace

    def _failed(self, error: BaseException, expected: str) -> Message:
        if isinstance(error, Unsplittable):
            return {**self._wrong(expected, str(error)), "status": "unserialisable"}
        cause = self._remote.error
        if cause is not None and cause.exception is error:
            found = cause.found
            return {
                "status": found["status"],
                "call": self._remote.last_call(MAX_TEXT),
                "expected": expected,
                "message": f"{found['type']}: {found['message']}".rstrip(": "),
                "line": found["line"],
            }
        if isinstance(error, AssertionError):
            return self._wrong(expected, str(error)[:MAX_TEXT])
        # The test stumbled over the value: it is the value that is wrong.
        return self._wrong(expected, f"{type(error).__name__}: {error}"[:MAX_TEXT])

    def _wrong(self, expected: str, message: str) -> Message:
        return {
            "status": "wrong",
            "call": self._remote.last_call(MAX_TEXT),
            "expected": expected,
            "got": self._remote.last_got(MAX_TEXT),
            "message": message,
        }


@cache
def _compiled(source: str) -> types.CodeType:
    return compile(source, "<test>", "exec", dont_inherit=True)


def warm(task: Message) -> None:
    """Compile what a task's tests need, so that the children forked later find it done."""
    _compiled(task["prelude"])
    for test in task["tests"]:
        if test["kind"] == "program":
            _mentioned(_compiled(test["body"]))


@cache
def _mentioned(code: types.CodeType) -> frozenset[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _mentioned(constant)
    return frozenset(names)


def _same(got: Any, expected: Any, atol: float) -> bool:
    if atol and isinstance(expected, float) and isinstance(got, (int, float)):
        return got == expected or abs(got - expected) <= atol
    if atol and isinstance(expected, (list, tuple)) and isinstance(got, (list, tuple)):
        ours, theirs = cast("list[Any]", [*got]), cast("list[Any]", [*expected])
        return len(ours) == len(theirs) and all(map(_same, ours, theirs, [atol] * len(ours)))
    return bool(got == expected)


def _expected(body: str, error: BaseException) -> str:
    """Work out what the failing assert wanted, by its text and the values in its frame."""
    trace, frame, line = error.__traceback__, None, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<test>":
            frame, line = trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next
    if frame is None:
        return ""
    for node in ast.walk(ast.parse(body)):
        if isinstance(node, ast.Assert) and node.lineno <= line <= (node.end_lineno or line):
            return _wanted(node.test, frame)
    return ""


def _wanted(test: ast.expr, frame: types.FrameType) -> str:
    if isinstance(test, ast.Call | ast.Name):
        return "True"
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return "False"
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq | ast.Is):
        for side in (test.comparators[0], test.left):
            if not any(_is_stub(name, frame) for name in _names(side)):
                source = compile(ast.Expression(side), "<test>", "eval")
                try:
                    return shown(eval(source, frame.f_globals, frame.f_locals), MAX_TEXT)
                except BaseException:  # it needs names that are gone, or the candidate: quote it
                    break
    return ast.unparse(test)[:MAX_TEXT]


def _names(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id


def _is_stub(name: str, frame: types.FrameType) -> bool:
    value: Callable[..., Any] | None = frame.f_locals.get(name, frame.f_globals.get(name))
    return getattr(value, "__selfdebug_stub__", False) is True
