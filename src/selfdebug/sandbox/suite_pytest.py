"""Runs pytest in the candidate's own process and tells each test's result.

One run for all tests of a suite. No plugin of the environment is loaded unless the suite names
it, nothing is cached, and the project's `addopts` are left out (they ask for plugins and
reports); its other settings hold.

    python -m pytest tests/test_suite.py
"""

from __future__ import annotations

import importlib
import os
import re
import sys
import types
from io import StringIO
from typing import Any, cast

from selfdebug.sandbox.suite_asserts import Compared, explain
from selfdebug.sandbox.suite_candidate import Message, Report, cap, describe, load_error

_TRUTH = re.compile(r"^assert (?:not )?(\S.*)$", re.M)
# The first would write into the project; the others only take their time.
_UNUSED = ("cacheprovider", "faulthandler", "pastebin", "setuponly", "setupplan", "stepwise")


def run(suite: Message, report: Report) -> None:
    """Collect and run the user's tests."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    pytest: Any = importlib.import_module("pytest")
    arguments = [
        *suite["test_file"],
        f"--rootdir={suite['root']}",
        f"--basetemp={os.environ['TMPDIR']}/pytest",
        *("-q", "--tb=native", "--capture=sys", "--continue-on-collection-errors"),
        *("-o", "addopts=", "-o", "required_plugins="),
        *("-W", "ignore::pytest.PytestConfigWarning"),  # settings of plugins that are not loaded
        *("-W", "ignore::pytest.PytestUnknownMarkWarning"),
        *(part for name in _UNUSED for part in ("-p", f"no:{name}")),
        *(part for name in suite["plugins"] for part in ("-p", name)),
    ]
    if suite["import_mode"]:
        arguments.append(f"--import-mode={suite['import_mode']}")
    said, stdout, stderr = StringIO(), sys.stdout, sys.stderr
    sys.stdout = sys.stderr = said
    try:
        code = pytest.main(arguments, plugins=[_Plugin(suite, report)])
    finally:
        sys.stdout, sys.stderr = stdout, stderr
    if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR):
        message = f"pytest: {_complaint(said.getvalue())}"
        report.errors.setdefault("", {"status": "load_error", "message": cap(message)})


def _complaint(said: str) -> str:
    """Pick the line of pytest's output that says what went wrong."""
    lines = [line for line in said.splitlines() if line.strip()]
    told = [line[2:].strip() for line in lines if line.startswith("E ")]
    told += [line for line in lines if "rror" in line]
    return (told + lines + ["it gave no reason"])[0]


class _Plugin:
    """What is seen of pytest's run."""

    def __init__(self, suite: Message, report: Report) -> None:
        self._root = os.path.join(suite["root"], "")
        self._report = report
        self._candidate = report.candidate
        self._compared: Compared | None = None
        self._result: Message = {}
        self._session: Any = None

    def pytest_collection_finish(self, session: Any) -> None:
        report = self._report
        report.rest()
        self._candidate.loaded()
        self._session = session
        report.collected += [item.nodeid for item in session.items]
        wanted = [item for item in session.items if report.wants(item.nodeid)]
        session.items[:] = [] if report.collect_only else wanted

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._result, self._compared = {}, None
        self._report.begin(nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self._result = {"status": "wrong", "message": cap(str(report.longrepr))}
        elif report.skipped:
            why: Any = report.longrepr  # (file, line, reason), or an expected failure's traceback
            reason = str(cast(Any, why)[2]) if isinstance(why, tuple) else "it is expected to fail"
            self._result = {"status": "skipped", "message": cap(reason.removeprefix("Skipped: "))}
        elif report.when == "call" and not self._result:
            self._result = {"status": "pass"}

    def pytest_assertrepr_compare(self, left: object, right: object) -> None:
        self._compared = Compared(left, right)

    def pytest_exception_interact(self, node: Any, call: Any) -> None:
        error: BaseException = call.excinfo.value
        if call.when == "collect":
            if error.__cause__ is not None and type(error).__name__ == "CollectError":
                error = error.__cause__  # pytest's wrapper says less than what it wraps
            found = describe(error, self._candidate)
            if found["status"] == "exception":
                found["status"] = "load_error"
            self._report.errors[node.nodeid] = found
            return
        result = describe(error, self._candidate)
        if missing := getattr(
            error, "argname", ""
        ):  # pytest's FixtureLookupError says it at length
            result["message"] = f"fixture '{missing}' not found"
        if result["status"] == "exception" and call.when == "call" and not result["line"]:
            # The test's own statement failed, on what the candidate had returned.
            result["status"] = "wrong"
            if isinstance(error, AssertionError) or type(error).__name__ == "Failed":
                result["message"] = cap(str(error))
        self._result = {**result, **self._explained(error)}
        truth = _TRUTH.search(result["message"])
        if truth and self._result.get("expected") in ("True", "False"):
            self._result["got"] = truth[1]

    def pytest_internalerror(self, excinfo: Any) -> None:
        self._report.errors[""] = load_error(excinfo.value, self._candidate)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        nothing = {"status": "unknown", "message": "pytest gave no result"}
        self._report.end(nodeid, self._result or nothing)
        if self._report.stopped:
            self._session.shouldstop = "seen enough"

    def _explained(self, error: BaseException) -> dict[str, str]:
        """Read call, expected and got off the innermost frame of the user's tests."""
        frame: types.FrameType | None = None
        line, trace = 0, error.__traceback__
        while trace is not None:
            file = trace.tb_frame.f_code.co_filename
            if self._candidate.owns(file):
                break
            if file.startswith(self._root) and "-packages" not in file:
                frame, line = trace.tb_frame, trace.tb_lineno
            trace = trace.tb_next
        if frame is None:
            return {}
        # Values that were compared deeper, in the candidate, are not this statement's.
        return explain(frame, line, self._compared if trace is None else None)
