"""The candidate's side of a Python program: load it, answer calls with plain values.

It runs in the hardened child, beside the candidate, which can tamper with all of it. Nothing here
decides anything: what it sends is values, and the judge draws the conclusions.

    python -m pytest tests/test_sandbox.py
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import linecache
import os
import sys
import types
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from selfdebug.sandbox.wire import Handle, Unserialisable, decode, encode

Message = dict[str, Any]
FILENAME = "<candidate>"
MAX_TEXT = 2_000  # characters of an error message
MAX_STEPS = 200  # lines of a trace that are kept, the last ones
MAX_REPR = 80  # characters of a traced value


class Engine:
    """One loaded program and the objects that it has handed out."""

    def __init__(self, request: Callable[[Message], Message]) -> None:
        self._request = request  # sends a callback to the judge and waits for its answer
        self._module = types.ModuleType("candidate")
        self._namespace = self._module.__dict__
        self._objects: list[Any] = []
        self._ids: dict[int, int] = {}
        self._observer = _Observer("")

    def handle(self, message: Message) -> Message:
        """Answer one message. An error of the candidate's is an answer, too."""
        answer = _ANSWERS[message["op"]]
        try:
            reply = answer(self, message)
        except Unserialisable as error:
            reply = {"error": _error(error, "unserialisable")}
        except BaseException as error:  # the candidate may raise anything, SystemExit too
            reply = {"error": _error(error, _status(error))}
        reply.update(self._observer.collect())
        with contextlib.suppress(BaseException):  # the candidate may have replaced sys.stdout
            sys.stdout.flush()
        return reply

    def load(self, message: Message) -> Message:
        """Execute the prelude and the program; report the public names they define."""
        self._observer = _Observer(message.get("observe", ""))
        sys.modules["candidate"] = self._module  # dataclasses and typing look their module up
        code = message["code"]
        linecache.cache[FILENAME] = (len(code), None, code.splitlines(keepends=True), FILENAME)
        try:
            with self._observer:
                exec(
                    compile(message["prelude"], "<prelude>", "exec", dont_inherit=True),
                    self._namespace,
                )
                exec(compile(code, FILENAME, "exec", dont_inherit=True), self._namespace)
        except SystemExit as error:
            return {"error": _error(error, "exited_early")}
        except MemoryError as error:
            return {"error": _error(error, "memory")}
        except BaseException as error:  # the candidate may raise anything: it is the answer
            return {"error": _error(error, "load_error")}
        return {"ok": True, "names": {k: _category(v) for k, v in _public(self._namespace)}}

    def call(self, message: Message) -> Message:
        """Call a function, a constructor or a method with plain arguments."""
        args = [decode(arg, self._resolve) for arg in message["args"]]
        kwargs = {key: decode(arg, self._resolve) for key, arg in message["kwargs"].items()}
        before = [encode(arg, self._export) for arg in args]
        function = self._target(message["target"])
        if message.get("method"):
            function = getattr(function, message["method"])
        with self._observer:
            value = function(*args, **kwargs)
        reply: Message = {"value": encode(value, self._export)}
        if value is None:
            # In-place functions return None by convention; only then do changed arguments
            # travel back, so that a candidate cannot empty the input that the oracle reads.
            after = [encode(arg, self._export) for arg in args]
            if after != before:
                reply["args"] = after
        return reply

    def get(self, message: Message) -> Message:
        """Read an attribute of an object or of the program's module."""
        with self._observer:
            value = getattr(self._target(message["target"]), message["name"])
        return {"value": encode(value, self._export)}

    def set(self, message: Message) -> Message:
        """Set an attribute of an object."""
        value = decode(message["value"], self._resolve)
        with self._observer:
            setattr(self._target(message["target"]), message["name"], value)
        return {}

    def main(self, message: Message) -> Message:
        """Run the program as a script that reads standard input and prints."""
        with open("stdin", "wb") as file:
            file.write(message["stdin"].encode("utf-8", "surrogateescape"))
        source = os.open("stdin", os.O_RDONLY)
        os.dup2(source, 0)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for the program
        self._module.__name__ = "__main__"
        sys.modules["__main__"] = self._module
        reply = self.load(message)
        error = reply.get("error", {})
        if error.get("type") == "SystemExit" and error["message"] in ("None", "0", ""):
            return {"ok": True}
        if error.get("status") == "load_error" and error["type"] not in _LOAD_ERRORS:
            error["status"] = "exception"
        return reply

    def _target(self, target: int | str) -> Any:
        if isinstance(target, int):
            return self._objects[target]
        name, _, method = target.partition(".")
        if name not in self._namespace:
            raise NameError(f"the program defines no {name!r}")
        found = self._namespace[name]
        return getattr(found(), method) if method else found

    def _export(self, value: object) -> Handle:
        if id(value) not in self._ids:
            self._ids[id(value)] = len(self._objects)
            self._objects.append(value)
        kind = type(value)
        handle: Handle = {"h": self._ids[id(value)], "type": kind.__name__}
        if kind.__eq__ is not object.__eq__:
            handle["eq"] = True  # the judge must not trust it, and says so
        return handle

    def _resolve(self, handle: Handle) -> Any:
        if handle.get("mine"):  # one of ours comes back
            return self._objects[handle["h"]]
        return _Callback(handle["h"], self._request, self._export, self._resolve)


_WARM_CODE = """
def f(xs: list[int], least: int = 1):
    total = 0
    for index, x in enumerate(xs):
        if x > least and index not in [9]:
            total += x
    return [str(total), (total, {"a": total})]
"""


def warm() -> None:
    """Run a small program until Python has specialised this module: a fork inherits that.

    Specialising rewrites code in place, and each page written after a fork is a page to copy.
    """
    for _ in range(40):
        engine = Engine(lambda message: message)
        engine.handle({"op": "load", "prelude": "import math\n", "code": _WARM_CODE})
        engine.handle({"op": "call", "target": "f", "args": [[1, 2, 3]], "kwargs": {}})
    del sys.modules["candidate"], linecache.cache[FILENAME]


_LOAD_ERRORS = ("SyntaxError", "IndentationError", "TabError")
_ANSWERS: dict[str, Callable[[Engine, Message], Message]] = {
    "load": Engine.load,
    "call": Engine.call,
    "get": Engine.get,
    "set": Engine.set,
    "main": Engine.main,
}


class _Callback:
    """A function or an object of the test's, as the candidate sees it: it can only be called."""

    def __init__(
        self,
        handle: int,
        request: Callable[[Message], Message],
        export: Callable[[object], Handle],
        resolve: Callable[[Handle], Any],
    ) -> None:
        self._handle, self._ask = handle, request
        self._export, self._resolve = export, resolve

    def __call__(self, *args: object) -> Any:
        answer = self._ask(
            {
                "op": "callback",
                "handle": self._handle,
                "args": [encode(arg, self._export) for arg in args],
            }
        )
        if "error" in answer:
            error = answer["error"]
            raise getattr(builtins, error["type"], RuntimeError)(error["message"])
        return decode(answer["value"], self._resolve)


class _Observer:
    """Records executed lines, or local variables, of the candidate's own frames."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._lines: set[int] = set()
        self._steps: deque[tuple[int, dict[str, str]]] = deque(maxlen=MAX_STEPS)

    def __enter__(self) -> None:
        if self._what:
            self._steps.clear()
            sys.settrace(self._trace)

    def __exit__(self, *_: object) -> None:
        if self._what:
            sys.settrace(None)

    def collect(self) -> Message:
        """Return what was recorded since the last call."""
        if not self._what:
            return {}
        found = {"lines": sorted(self._lines), "trace": list(self._steps)}
        self._lines.clear()
        self._steps.clear()
        return found

    def _trace(self, frame: types.FrameType, event: str, arg: Any) -> Any:
        if frame.f_code.co_filename != FILENAME:
            return None
        if event == "line":
            self._lines.add(frame.f_lineno)
        if self._what == "locals" and event in ("line", "return"):
            values = {k: _short(v) for k, v in frame.f_locals.items() if not k.startswith("__")}
            if event == "return":
                values["return"] = _short(arg)
            self._steps.append((frame.f_lineno, values))
        return self._trace


def _short(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # the candidate's own __repr__ failed: that is a fact about the value
        text = f"<{type(value).__name__}>"
    return text if len(text) <= MAX_REPR else text[: MAX_REPR - 1] + "…"


def _public(namespace: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in list(namespace.items()):
        if isinstance(name, str) and not name.startswith("__") and not _is_module(value):  # pyright: ignore[reportUnnecessaryIsInstance]
            yield name, value


def _is_module(value: object) -> bool:
    return type(value) is types.ModuleType


def _category(value: object) -> str:
    if isinstance(value, type):
        bases = _builtin_bases(value)
        return f"exception:{bases[0]}" if "BaseException" in bases else "class"
    return "function" if callable(value) else "value"


def _builtin_bases(kind: type) -> list[str]:
    return [c.__name__ for c in kind.__mro__[:-1] if getattr(builtins, c.__name__, None) is c]


def _status(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "memory"
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return "output_limit"
    return "exited_early" if isinstance(error, SystemExit) else "exception"


def _error(error: BaseException, status: str) -> Message:
    """Describe an exception: its type, built-in bases, text, and the candidate's own line."""
    try:
        text = str(error)
    except BaseException:  # the candidate's own __str__ failed: the type says enough
        text = ""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILENAME:
            line = trace.tb_lineno
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename == FILENAME:
        line, text = error.lineno or 0, error.msg
    return {
        "type": type(error).__name__,
        "bases": _builtin_bases(type(error)),
        "message": text[:MAX_TEXT],
        "line": line,
        "status": status,
    }
