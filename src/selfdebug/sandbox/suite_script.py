"""Runs doctests, and scripts of asserts, in the candidate's own process.

Both are pieces that run in order; each has a result of its own, so one that fails does not hide
the next. The pieces come from the user's files as they were read, never from the candidate's
text. A piece that was not asked for still runs: it may make what a later one uses.

    python -m pytest tests/test_suite.py
"""

from __future__ import annotations
import __future__

import ast
import doctest
import importlib
import sys
import types
from collections.abc import Callable
from io import StringIO
from typing import Any

from selfdebug.sandbox.suite_asserts import Compared, explain, record_comparisons
from selfdebug.sandbox.suite_candidate import Message, Report, cap, describe

_FUTURES = sum({getattr(__future__, name).compiler_flag for name in __future__.all_feature_names})


def run(suite: Message, report: Report) -> None:
    """Run the pieces of a suite: {"id", "line", "source"} each."""
    pieces: list[Message] = suite["pieces"]
    report.collected += [piece["id"] for piece in pieces]
    run_piece: Callable[[Message], Message]
    if suite["runner"] == "doctest":
        run_piece = _Doctests(suite, report).run
    else:
        run_piece = _Script(suite, report).run
    report.rest()
    report.candidate.loaded()
    if report.collect_only:
        return
    for piece in pieces:
        if piece["id"] in report.skip:
            continue
        report.begin(piece["id"])
        result = run_piece(piece)
        report.end(piece["id"], result)
        if report.stopped:
            return


class _Script:
    """The statements of a script, in one namespace."""

    def __init__(self, suite: Message, report: Report) -> None:
        self._file: str = suite["test_file"][0]
        self._report = report
        self._compared: Compared | None = None
        self._flags = 0
        module = sys.modules["__main__"] = types.ModuleType("__main__")
        self._namespace = module.__dict__
        self._namespace.update(__file__=self._file, __compared__=self._compare)
        # The import of the candidate is part of the first piece, and is not loaded before it.

    def run(self, piece: Message) -> Message:
        """Run one piece."""
        self._compared = None
        try:
            tree = ast.parse("\n" * (piece["line"] - 1) + piece["source"], self._file)
            flags = self._flags
            code = compile(record_comparisons(tree), self._file, "exec", flags, dont_inherit=True)
            self._flags |= code.co_flags & _FUTURES
            exec(code, self._namespace)
        except BaseException as error:  # a script may raise anything, and its piece has failed
            return self._failed(error)
        return {"status": "pass"}

    def _compare(self, left: object, right: object) -> bool:
        equal = left == right
        if not equal:
            self._compared = Compared(left, right)
        return equal

    def _failed(self, error: BaseException) -> Message:
        result = describe(error, self._report.candidate)
        compared = None
        if result["status"] == "exception" and not result["line"]:
            result["status"], compared = "wrong", self._compared
            if isinstance(error, AssertionError):
                result["message"] = cap(str(error))
        trace, frame, line = error.__traceback__, None, 0
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self._file:
                frame, line = trace.tb_frame, trace.tb_lineno
            trace = trace.tb_next
        return {**result, **(explain(frame, line, compared) if frame is not None else {})}


class _Doctests:
    """The examples of docstrings, or of a text file."""

    def __init__(self, suite: Message, report: Report) -> None:
        self._file: str = suite["test_file"][0]
        self._report = report
        self._globals: dict[str, Any] = {"__name__": "__main__"}
        self._of_module = bool(suite["module"])
        if self._of_module:  # its docstrings' examples see the module's names
            self._globals = importlib.import_module(suite["module"]).__dict__

    def run(self, piece: Message) -> Message:
        """Run the examples of one docstring, or of one place in a text."""
        names = self._globals.copy() if self._of_module else self._globals
        parser = doctest.DocTestParser()
        test = parser.get_doctest(
            piece["source"], names, piece["id"], self._file, piece["line"] - 1
        )
        # get_doctest copies the names; the examples of a text share theirs.
        test.globs = names
        runner = _Examples(self._report)
        runner.run(test, out=StringIO().write, clear_globs=False)
        return runner.found or {"status": "pass"}


class _Examples(doctest.DocTestRunner):
    """Keeps the first failure, in the place of printing all."""

    def __init__(self, report: Report) -> None:
        super().__init__(verbose=False)
        self._report = report
        self.found: Message | None = None

    def report_failure(self, out: Any, test: Any, example: doctest.Example, got: str) -> None:
        shown = {"got": cap(got.strip()), "expected": cap(example.want.strip())}
        self._keep(example, {"status": "wrong", "message": "", **shown})

    def report_unexpected_exception(
        self, out: Any, test: Any, example: doctest.Example, exc_info: Any
    ) -> None:
        result = describe(exc_info[1], self._report.candidate)
        self._keep(example, {**result, "expected": cap(example.want.strip())})

    def _keep(self, example: doctest.Example, result: Message) -> None:
        if self.found is None:
            self.found = {**result, "call": cap(example.source.strip())}
