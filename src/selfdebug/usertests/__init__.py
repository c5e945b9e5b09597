"""A user's own tests as a Task: pytest, doctests, node:test, or scripts of asserts.

It says how to run the tests; what only a run can tell (which tests pytest or node collect) is
listed in the sandbox. Where the tests are, `names` finds. It edits no file.

    selfdebug fix calc.py --tests test_calc.py
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import selfdebug.sandbox
from selfdebug.sourcefile import SourceFile, read_text
from selfdebug.types import Judge, SelfdebugError, Task, Test, TestResult
from selfdebug.usertests import (
    javascript_tests,
    javascript_values,
    project,
    python_tests,
    python_values,
)
from selfdebug.usertests.groups import Unsuited
from selfdebug.usertests.names import NODE_FILES, PYTEST_FILES, files_in, find, is_test
from selfdebug.usertests.project import Project

__all__ = [
    "Suite",
    "UserTests",
    "check_outside",
    "chosen",
    "file_of",
    "find",
    "is_forbidden",
    "is_test",
    "load",
]

Settings = dict[str, Any]

_JS = str(Path(selfdebug.sandbox.__file__).parent / "js")  # node reads its hooks there

_MISSING = re.compile(
    r"ModuleNotFoundError: No module named '([\w.]+)'"
    r"|Error: Cannot find (?:module|package) '([^'./][^']*)'"
)
_CONFIGS = ("pyproject.toml", "pytest.ini", "tox.ini", "setup.cfg")


@dataclass(frozen=True, slots=True)
class Suite:
    """Tests that share one run. ids: () when only a run can list them."""

    settings: Settings
    ids: tuple[str, ...] = ()

    def tests(self, ids: Sequence[str]) -> list[Test]:
        """Return these ids as tests."""
        body = json.dumps(self.settings)
        return [Test(test_id, "suite", body) for test_id in ids]

    def listing(self) -> Test:
        """Return the test that lists what there is."""
        return Test("listing", "suite", json.dumps({**self.settings, "collect": True}))


@dataclass(frozen=True, slots=True)
class UserTests:
    """What a user's tests are.

    split: the same tests judged by values, where that can be; each with the ids of those of the
    suite that it stands for.
    """

    source: SourceFile
    label: str
    suites: tuple[Suite, ...]
    split: tuple[tuple[Test, tuple[str, ...]], ...] = ()

    @property
    def read_paths(self) -> list[str]:
        """What the sandbox must be able to read."""
        return sorted({path for suite in self.suites for path in suite.settings["read"]})

    def keeps_tests(self, text: str) -> bool:
        """Tell whether a new text of the file leaves the doctests in it as they are."""
        module = self.suites[0].settings.get("module", "")
        if not module:
            return True
        texts = (self.source.text, text)
        before, after = (
            [piece["source"] for piece in python_tests.docstring_pieces(each, module)]
            for each in texts
        )
        return before == after

    def task(self, tests: Sequence[Test]) -> Task:
        """Return the task of making these tests pass."""
        name = self.source.path.name
        prompt = (
            f"The file `{name}` must pass all of its tests. Mend it. Keep the names that it "
            "defines, and change no more than is needed."
        )
        return Task(name, self.source.language, prompt, "", tuple(tests), source=self.label)

    def listed(self, judge: Judge) -> Task:
        """Return the task with one test for each that there is, run beside the candidate."""
        tests: list[Test] = []
        for suite in self.suites:
            ids = suite.ids or _collected(judge, self, suite)
            tests += suite.tests(ids)
        if not tests:
            raise SelfdebugError(f"{self.label} has no tests")
        return self.task(tests)

    def rest(self, judge: Judge, some: Sequence[Test]) -> list[Test]:
        """Return the other tests of the files that some of the tests are in."""
        suite = self.suites[0]
        files = {_file_id(test.id) for test in some}
        known = {test_id for suite in self.suites for test_id in suite.ids}
        return suite.tests(
            [
                test_id
                for test_id in _listed(judge, self, suite)[1]
                if _file_id(test_id) in files and not known & {test_id, _file_id(test_id)}
            ]
        )


def _file_id(test_id: str) -> str:
    return test_id.partition("::")[0]


def _listed(judge: Judge, tests: UserTests, suite: Suite) -> tuple[TestResult, list[str]]:
    result = judge.judge(tests.task([suite.listing()]), tests.source.text).results[0]
    return result, json.loads(result.got) if result.got else []


def _collected(judge: Judge, tests: UserTests, suite: Suite) -> list[str]:
    result, ids = _listed(judge, tests, suite)
    if not ids and result.status != "pass":
        check_outside(result, tests)
        return [suite.settings["file_id"]]  # it stands for all that the file would have
    return ids


def check_outside(result: TestResult, tests: UserTests) -> None:
    """Raise SelfdebugError when a test failed for want of something, not for the file's sake."""
    if result.line:  # it failed in the file itself
        return
    label, message = tests.label, result.message
    if missing := _MISSING.match(message):
        name = missing[1] or missing[2]
        if name.split(".")[0] == tests.source.path.stem:
            raise SelfdebugError(f"{label} cannot import {name}: it looks for it elsewhere")
        where = "the environment that selfdebug runs in" if missing[1] else "node_modules"
        raise SelfdebugError(f"{label} needs the package {name}, which is not installed in {where}")
    if fixture := re.search(r"fixture '(\w+)' not found", message):
        raise SelfdebugError(
            f"{result.test_id} needs the fixture {fixture[1]}, which no loaded plugin gives: "
            "name its plugin with --plugin, such as --plugin pytest_mock"
        )
    if result.status == "load_error" and re.match(r"pytest: |(Syntax|Indentation|Tab)Err", message):
        raise SelfdebugError(f"{label} cannot be run: {message}")


def is_forbidden(result: TestResult) -> bool:
    """Tell whether a test failed on what the sandbox does not let it do."""
    return not result.line and bool(re.search(r"PermissionError: |EPERM|EACCES", result.message))


def load(
    source: SourceFile, tests: Path, selected: str, where: Project, plugins: Sequence[str] = ()
) -> UserTests:
    """Read a user's tests. selected: the part of a node id after its file. Runs nothing."""
    label = f"{tests}::{selected}" if selected else str(tests)
    if source.language == "javascript":
        if selected:
            raise SelfdebugError(f"{label}: node:test has no ids of single tests; name the file")
        files = files_in(tests, NODE_FILES)
        suites = [_javascript(source, file, where) for file in files]
        return UserTests(source, label, tuple(suites), _javascript_split(source, files, suites))
    same = tests.resolve() == source.path.resolve()
    runner = "doctest" if same else _runner(tests, selected)
    common = _python(source, tests, where)
    if runner == "pytest":
        paths = tests.resolve()
        node = f"{where.inside(paths)}::{selected}" if selected else where.inside(paths)
        return UserTests(source, label, (_pytest(common, [node], where, plugins),))
    text = source.text if same else read_text(tests)[1].replace("\r\n", "\n")
    settings = {**common, "runner": runner, "test_file": [where.inside(tests)]}
    if runner == "script":
        return _script(source, text, label, settings)
    module = project.module_name(source.path)
    pieces = (
        python_tests.docstring_pieces(text, module)
        if same
        else python_tests.text_pieces(text, where.name(tests))
    )
    if not pieces:
        raise SelfdebugError(f"{label} has no doctests: name its tests with --tests")
    settings |= {"module": module if same else "", "pieces": pieces}
    return UserTests(source, label, (Suite(settings, _ids(pieces)),))


def chosen(
    source: SourceFile, ids: Sequence[str], where: Project, plugins: Sequence[str] = ()
) -> UserTests:
    """Read some of a user's tests, of several files even. Runs nothing.

    ids: as pytest writes them, with the whole path of the file in front.
    """
    files = list(dict.fromkeys(file_of(test_id) for test_id in ids))
    common = _python(source, files[0], where)
    suite = _pytest(common, [where.inside(file) for file in files], where, plugins)
    names = [where.name(file_of(i)) + "".join(i.partition("::")[1:]) for i in ids]
    label = ", ".join(where.name(file) for file in files)
    return UserTests(source, label, (Suite(suite.settings, tuple(names)),))


def file_of(test_id: str) -> Path:
    """Return the file of a test, by the id that pytest gives it."""
    return Path(test_id.partition("::")[0])


def _pytest(common: Settings, nodes: list[str], where: Project, plugins: Sequence[str]) -> Suite:
    project.need_pytest(common["site_path"])
    extra = {"plugins": list(plugins), "import_mode": _import_mode(where.root)}
    return Suite({**common, **extra, "runner": "pytest", "test_file": nodes})


def _runner(tests: Path, selected: str) -> str:
    if tests.is_dir() or selected:
        if tests.is_dir():
            files_in(tests, PYTEST_FILES)
        return "pytest"
    runner = python_tests.runner_of(read_text(tests)[1], tests.suffix)
    if runner is None:
        raise SelfdebugError(f"{tests} has no test: no test function, no assert, no doctest")
    return runner


def _python(source: SourceFile, tests: Path, where: Project) -> Settings:
    packages = project.packages(where)
    return {
        "target": where.inside(source.path),
        "file_id": where.name(tests),
        "root": str(where.shown),
        "python_path": project.python_path(where, source.path, tests),
        "site_path": packages,
        "read": [str(where.shown), *packages],
        "module": "",
        "pieces": [],
    }


def _script(source: SourceFile, text: str, label: str, settings: Settings) -> UserTests:
    name = Path(label).name
    modules = {source.path.stem, project.module_name(source.path)}
    pieces = python_tests.script_pieces(text, name)
    suite = Suite({**settings, "pieces": pieces}, _ids(pieces))
    try:
        split = python_values.split(text, source.text, modules, name)
    except Unsuited:
        split = []
    return UserTests(source, label, (suite,), tuple(split))


def _javascript(source: SourceFile, tests: Path, where: Project) -> Suite:
    text = read_text(tests)[1].replace("\r\n", "\n")
    name = where.name(tests)
    node = project.find_node()
    settings: Settings = {
        "runner": "node",
        "node": node,
        "target": where.inside(source.path),
        "format": javascript_tests.format_of(source.path),
        "file_id": name,
        "test_file": [where.inside(tests)],
        "root": str(where.shown),
        "read": [str(where.shown), node, _JS, *project.node_reads(where)],
    }
    if javascript_tests.runs_under_node_test(tests, text):
        return Suite(settings)
    script, ids = javascript_tests.instrumented(text, tests.name)
    if not ids:
        return Suite({**settings, "whole": name}, (name,))
    settings |= {"script": script, "script_format": javascript_tests.format_of(tests)}
    return Suite(settings, tuple(ids))


def _javascript_split(
    source: SourceFile, files: Sequence[Path], suites: Sequence[Suite]
) -> tuple[python_values.Split, ...]:
    if len(files) > 1 or "script" not in suites[0].settings:
        return ()
    text = read_text(files[0])[1].replace("\r\n", "\n")
    try:
        path = files[0].resolve()
        return tuple(javascript_values.split(text, source.text, path, source.path.resolve()))
    except Unsuited:
        return ()


def _ids(pieces: Sequence[python_tests.Piece]) -> tuple[str, ...]:
    return tuple(piece["id"] for piece in pieces)


def _import_mode(root: Path) -> str:
    """Return what the project's addopts say; the rest of them is left out."""
    for name in _CONFIGS:
        path = root / name
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            if found := re.search(r"--import-mode[= ](\w+)", text):
                return found[1]
    return ""
