"""Runs a user's own test file beside the candidate: the child's side of a suite.

The child is already forked and hardened. The module whose file is `target` gets the candidate's
text in the place of what is on disk; nothing is written. What is reported from here was reached
in the candidate's own process, so the verdict is labelled trust="in_process".

    python -m pytest tests/test_suite.py
"""

from __future__ import annotations

import ast
import gc
import importlib
import linecache
import os
import re
import signal
import sys
import tempfile
import threading
import types
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from typing import Any

Message = dict[str, Any]
Request = Callable[[Message], Message]
MAX_TEXT = 1_000  # characters of a message or a value
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_PACKAGES = ("site-packages", "dist-packages")
_RUNNERS = {"pytest": "suite_pytest", "doctest": "suite_script", "script": "suite_script"}


class Deadline(BaseException):
    """The test has used up its CPU time. Not an Exception: tests may catch those."""


class Engine:
    """A suite in the place of a program: one request runs all of it."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def handle(self, message: Message) -> Message:
        """Run the suite; each test is announced and told by a callback. Returns the end frame."""
        if message["suite"]["runner"] == "node":
            from selfdebug.sandbox import suite_node

            suite_node.become(message)
        return run(message, self._request)


def run(message: Message, request: Request) -> Message:
    """Run a Python suite. {"running": id} and {"result": {...}} go through `request`.

    message: suite (runner, target, test_file, root, python_path, ...), code, tests (ids, or None
    for all), skip (ids that killed an earlier child), collect (only list the ids), observe,
    cpu_seconds for each test, load_seconds for what comes before. The end frame is
    {"done": True, "collected": [ids], "errors": {id: fields}}; an error's id is that of the test
    file that did not load, or "".
    """
    suite = message["suite"]
    candidate = Candidate(suite["target"], message["code"], message["observe"] == "lines")
    report = Report(message, request, candidate)
    _settle(suite)
    candidate.install()
    runner = importlib.import_module(f"selfdebug.sandbox.{_RUNNERS[suite['runner']]}")
    try:
        compile(message["code"], suite["target"], "exec", dont_inherit=True)
        report.begin("")
        runner.run(suite, report)
    except BaseException as error:  # raised while the candidate was loaded, or a fault of ours
        report.errors[""] = load_error(error, candidate)
    finally:
        report.rest()
    return {"done": True, "collected": report.collected, "errors": report.errors}


def warm(read_paths: list[str]) -> None:
    """Import before the fork what the children need; pytest, where it is, saves each 0.2 s.

    It comes from the environment only, never from the project: the zygote is not hardened.
    """
    for name in ("suite_node", *_RUNNERS.values()):  # a hardened child cannot read our files
        importlib.import_module(f"selfdebug.sandbox.{name}")
    if "_pytest" in sys.modules:
        return
    packages = [path for path in read_paths if os.path.basename(path) in _PACKAGES]
    sys.path += packages
    try:
        config: Any = importlib.import_module("_pytest.config")
        for name in config.default_plugins:
            importlib.import_module(f"_pytest.{name}")
        importlib.import_module("readline")  # pytest does so, too, where there is one
    except ImportError:  # not installed, or not as we know it: the child will say so
        return
    finally:
        del sys.path[len(sys.path) - len(packages) :]
    gc.freeze()  # so that a child's collector leaves the shared pages alone


class Candidate:
    """The program's text as the import system will see it, and the lines that ran."""

    def __init__(self, target: str, code: str, observe: bool) -> None:
        self._target = os.path.realpath(target)
        self._code = code
        self._observe = observe
        self._known: dict[str, bool] = {}
        self._lines: set[int] = set()
        self._loading: frozenset[int] = frozenset()

    def owns(self, path: str) -> bool:
        """Tell whether a file name is the target's, by whatever way it is spelt."""
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = os.path.realpath(path) == self._target
        return known

    def install(self) -> None:
        """Let every loader of source files read the candidate where the target is asked for.

        The loaders' own class is patched, because test files also load modules by their path,
        which passes by `sys.meta_path`.
        """
        data = self._code.encode()
        get_data, path_stats = SourceFileLoader.get_data, SourceFileLoader.path_stats

        def candidate_data(loader: SourceFileLoader, path: str) -> bytes:
            if not self.owns(path):
                return get_data(loader, path)
            lines = self._code.splitlines(keepends=True)
            linecache.cache[path] = (len(data), None, lines, path)  # for tracebacks
            return data

        def candidate_stats(loader: SourceFileLoader, path: str) -> Any:
            if self.owns(path):
                raise OSError("no compiled file of the candidate")  # importlib then compiles
            return path_stats(loader, path)

        SourceFileLoader.get_data = candidate_data  # type: ignore[method-assign]
        SourceFileLoader.path_stats = candidate_stats  # type: ignore[method-assign]

    def watch(self) -> None:
        """Start recording executed lines, when asked to."""
        if self._observe:
            sys.settrace(self._trace)
            threading.settrace(self._trace)

    def lines(self) -> list[int]:
        """Stop; return the lines that ran since `watch`, with those of the module's loading."""
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]
        found = sorted(self._lines | self._loading)
        self._lines.clear()
        return found

    def loaded(self) -> None:
        """What has run so far was the loading of the module: it belongs to every test."""
        self._loading = frozenset(self.lines()) & _stated(self._code)

    def line_of(self, error: BaseException) -> int:
        """Return the candidate's own line nearest to where the error was raised, or 0."""
        if isinstance(error, SyntaxError) and error.filename and self.owns(error.filename):
            return error.lineno or 0
        line, trace = 0, error.__traceback__
        while trace is not None:
            if self.owns(trace.tb_frame.f_code.co_filename):
                line = trace.tb_lineno
            trace = trace.tb_next
        return line

    def raised(self, error: BaseException) -> bool:
        """Tell whether the error was raised by the candidate's code, or below it."""
        return self.line_of(error) > 0

    def _trace(self, frame: types.FrameType, event: str, _arg: Any) -> Any:
        if not self.owns(frame.f_code.co_filename):
            return None
        if event == "line":
            self._lines.add(frame.f_lineno)
        return self._trace


def _stated(code: str) -> frozenset[int]:
    """Lines of statements that compute as a module loads: no `def`, `class`, import or text."""
    dull = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom
    found: set[int] = set()
    bodies: list[list[ast.stmt]] = [ast.parse(code).body]
    while bodies:
        for node in bodies.pop():
            if isinstance(node, ast.ClassDef):
                bodies.append(node.body)
            elif not isinstance(node, dull | ast.Expr):
                found.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return frozenset(found)


class Report:
    """Tells the judge which test runs and what it showed, and keeps each test's clock."""

    def __init__(self, message: Message, request: Request, candidate: Candidate) -> None:
        tests: list[str] | None = message["tests"]
        self._wanted = None if tests is None else tuple(tests)
        self._request = request
        self._seconds: float = message["cpu_seconds"]
        self._load_seconds: float = message["load_seconds"]
        self._limit = self._seconds
        self._armed = False
        self.candidate = candidate
        self.collect_only: bool = message["collect"]
        self.skip = frozenset[str](message["skip"])  # have hung or died before
        self.collected: list[str] = []
        self.errors: dict[str, Message] = {}
        self.stopped = False
        signal.signal(signal.SIGPROF, self._expired)

    def wants(self, test_id: str) -> bool:
        """Tell whether this test was asked for, itself or by the file that it stands in."""
        if test_id in self.skip:
            return False
        return self._wanted is None or any(
            test_id == wanted or test_id.startswith(f"{wanted}::") for wanted in self._wanted
        )

    def begin(self, test_id: str) -> None:
        """A test starts ("": loading does). Its CPU time runs from here."""
        self._tell({"running": test_id})
        self.candidate.watch()
        self._armed = True
        self._limit = self._seconds if test_id else self._load_seconds
        # Again and again: the candidate may swallow the first one.
        signal.setitimer(signal.ITIMER_PROF, self._limit, self._limit)

    def rest(self) -> None:
        """Stop the clock."""
        self._armed = False
        signal.setitimer(signal.ITIMER_PROF, 0)

    def end(self, test_id: str, result: Message) -> None:
        """A test is over; the judge may say that it has seen enough."""
        self.rest()
        found = {"test_id": test_id, **result, "lines": self.candidate.lines()}
        self.stopped = bool(self._tell({"result": found}).get("stop"))

    def _tell(self, news: Message) -> Message:
        answer = self._request({"op": "callback", **news})
        signal.setitimer(signal.ITIMER_PROF, 0)  # whoever sent it may have wound a clock of its own
        return answer

    def _expired(self, _number: int, _frame: types.FrameType | None) -> None:
        if self._armed:
            raise Deadline(f"still running after {self._limit:g} s of CPU time")


def describe(error: BaseException, candidate: Candidate) -> Message:
    """Return an exception as the fields of a result."""
    if isinstance(error, Deadline):
        return {"status": "timeout", "message": str(error), "line": candidate.line_of(error)}
    try:
        text = str(error.msg if isinstance(error, SyntaxError) else error)
    except BaseException:  # the candidate's own __str__ failed: the type says enough
        text = ""
    message = f"{type(error).__name__}: {text}".removesuffix(": ")
    status = "exception"
    if isinstance(error, SystemExit):
        status = "exited_early"
    elif isinstance(error, MemoryError):
        status = "memory"
    return {"status": status, "message": cap(message), "line": candidate.line_of(error)}


def load_error(error: BaseException, candidate: Candidate) -> Message:
    """Return why nothing could be run."""
    found = describe(error, candidate)
    if found["status"] == "exception":
        found["status"] = "load_error"
    ours = not (found["line"] or isinstance(error, SyntaxError | ImportError))
    if ours and found["status"] == "load_error":
        return {**found, "status": "unknown"}
    return found


def cap(text: str) -> str:
    """Return a text that is safe to keep: not too long, and the same in every run."""
    text = _ADDRESS.sub("", text)
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def show(value: object) -> str:
    """Return a value's representation, whatever its own __repr__ does."""
    try:
        return cap(repr(value))
    except Exception:  # the candidate's own __repr__ failed: that is a fact about the value
        return f"<{type(value).__name__}>"


def _settle(suite: Message) -> None:
    """Be where the user's tests expect to be: paths, folder and environment of the project."""
    work = os.getcwd()
    tempfile.tempdir = work
    os.environ.update(HOME=work, TMPDIR=work, PYTHONDONTWRITEBYTECODE="1")
    sys.dont_write_bytecode = True
    sys.path[:0] = suite["python_path"]
    sys.path += [path for path in suite["site_path"] if path not in sys.path]
    folder, name = os.path.split(suite["target"])
    if folder in suite["python_path"]:  # a module of the user's may share its name with one of ours
        sys.modules.pop(name.removesuffix(".py"), None)
    importlib.invalidate_caches()
    os.chdir(suite["root"])
