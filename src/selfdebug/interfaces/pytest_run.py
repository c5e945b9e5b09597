"""Watches a run of pytest, and mends the project once the run is over.

Under pytest-xdist the workers attach what they saw to their reports, and the controller, which
gets every report, does the rest. It changes no test's outcome and not pytest's exit status.

    pytest --selfdebug
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from selfdebug import plugins
from selfdebug.interfaces import junit, sarif
from selfdebug.interfaces.answers import lines_of
from selfdebug.interfaces.executed import Executed
from selfdebug.interfaces.mend import Answer, Settings, mend
from selfdebug.interfaces.suspects import is_source
from selfdebug.interfaces.testrun import Ran
from selfdebug.types import SelfdebugError

# Fixtures of plugins are needed where the tests are run again; not these plugins' own business.
_LEFT_OUT = ("xdist", "pytest_cov", "selfdebug")
_FIXTURE = ("FixtureFunctionDefinition", "FixtureFunctionMarker")


class Watching:
    """Hooks of one run."""

    def __init__(self, config: pytest.Config) -> None:
        self._root = config.rootpath.resolve()
        self._worker = hasattr(config, "workerinput")
        self._executed = Executed(lambda name: is_source(Path(name), self._root))
        self._ran: dict[str, Ran] = {}
        self._interrupted = False
        self._settings = _settings(config)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        """See which lines a test executes."""
        self._executed.start()
        try:
            return (yield)
        finally:
            self._executed.stop()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach what was seen to the report: attributes travel from xdist's workers."""
        report = yield
        seen: Any = report
        if report.failed and call.excinfo:
            seen.selfdebug_frames = list(_frames(call.excinfo.value))
        if call.when == "teardown":
            seen.selfdebug_lines = self._executed.stop()
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self,
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Do the same for a test file that cannot be collected."""
        report = yield
        seen: Any = report
        if report.failed and (call := getattr(report, "call", None)) and call.excinfo:
            seen.selfdebug_frames = list(_frames(call.excinfo.value))
        return report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count a file that cannot be collected as a failing test."""
        if report.failed:
            self._note(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count each test once: as failing when any of its phases is."""
        if hasattr(report, "wasxfail"):
            return
        if report.failed or (report.passed and report.when == "call"):
            self._note(report)
        lines: dict[str, list[int]] = getattr(report, "selfdebug_lines", {})
        if lines and (test := self._ran.get(report.nodeid)):
            found = {Path(name).resolve(): frozenset(seen) for name, seen in lines.items()}
            self._ran[test.id] = _with(test, lines=found)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Whoever interrupts wants no search; pytest itself does so by a subclass."""
        self._interrupted = type(excinfo.value) is KeyboardInterrupt

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, config: pytest.Config
    ) -> None:
        """Mend, and say what came of it."""
        if self._worker:
            return
        terminalreporter.section("selfdebug", cyan=True)
        if self._interrupted:
            terminalreporter.write_line("Interrupted: nothing was looked for.")
            return

        def say(text: str) -> None:
            if terminalreporter.isatty or terminalreporter.verbosity > 0:
                terminalreporter.write_line(f"... {text}", light=True)
                terminalreporter.flush()

        try:
            answer = mend(list(self._ran.values()), self._root, self._settings, say)
        except KeyboardInterrupt:
            terminalreporter.write_line("Interrupted: nothing was written.")
            return
        for line in lines_of(answer, "--selfdebug-apply", "--selfdebug-force"):
            kind = line[:1] if not line.startswith(("+++", "---")) else ""
            terminalreporter.write_line(line, green=kind == "+", red=kind == "-")
        try:
            _write(answer, config)
        except (OSError, SelfdebugError) as error:
            terminalreporter.write_line(f"selfdebug: {error}", red=True)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        known = self._ran.get(report.nodeid)
        if known and not known.passed:
            return
        file = (self._root / report.nodeid.partition("::")[0]).resolve()
        if report.passed:
            self._ran[report.nodeid] = Ran(report.nodeid, file, True)
            return
        frames: list[tuple[str, int]] = getattr(report, "selfdebug_frames", [])
        found = [(Path(name).resolve(), line) for name, line in frames]
        self._ran[report.nodeid] = Ran(
            report.nodeid,
            file,
            False,
            message=_message(report),
            line=next((line for path, line in found if path == file), 0),
            frames=tuple(dict.fromkeys(path for path, _ in found)),
        )


def _with(test: Ran, lines: dict[Path, frozenset[int]]) -> Ran:
    return Ran(test.id, test.file, test.passed, test.message, test.line, test.frames, lines)


def _frames(error: BaseException | None) -> Iterator[tuple[str, int]]:
    """Yield file and line of each frame, the innermost first; then those of what it wraps."""
    while error is not None:
        if isinstance(error, SyntaxError) and error.filename:
            yield os.path.abspath(error.filename), error.lineno or 0
        found: list[tuple[str, int]] = []
        trace = error.__traceback__
        while trace is not None:
            found.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
            trace = trace.tb_next
        yield from reversed(found)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _message(report: pytest.TestReport | pytest.CollectReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash else str(report.longrepr)
    lines = [line.removeprefix("E ").strip() for line in text.splitlines() if line.strip()]
    if crash or text.startswith("[XPASS"):
        return (lines or ["it failed"])[0]
    return next((line for line in reversed(lines) if "Error" in line), (lines or ["it failed"])[-1])


def _settings(config: pytest.Config) -> Settings:
    option: Any = config.option
    for pair in option.selfdebug_option:
        if not pair.partition("=")[1]:
            raise pytest.UsageError(f"--selfdebug-option {pair}: write NAME=VALUE")
    try:
        plugins.load("backends", option.selfdebug_backend)
    except SelfdebugError as error:
        raise pytest.UsageError(f"--selfdebug-backend: {error}") from error
    return Settings(
        backend=option.selfdebug_backend,
        options=tuple(option.selfdebug_option),
        plugins=tuple(_plugins(config)),
        seconds=option.selfdebug_seconds,
        total_seconds=option.selfdebug_total_seconds,
        apply=option.selfdebug_apply,
        force=option.selfdebug_force,
    )


def _plugins(config: pytest.Config) -> Iterator[str]:
    """Yield the plugins that give fixtures: the tests may need them where they are run again."""
    for plugin, _ in config.pluginmanager.list_plugin_distinfo():
        name = getattr(plugin, "__name__", "")
        if not name or name.startswith(_LEFT_OUT):
            continue
        if any(type(value).__name__ in _FIXTURE for value in vars(plugin).values()):
            yield name


def _write(answer: Answer, config: pytest.Config) -> None:
    if path := config.getoption("selfdebug_sarif"):
        sarif.write(Path(path), answer)
    if path := config.getoption("xmlpath", None):  # pytest's own --junitxml; it is written by now
        junit.explain(Path(path), answer)
