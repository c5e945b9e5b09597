"""JUnit XML: reads which tests failed, and writes explanations into a report that is there.

It knows the reports of pytest (--junitxml) and of node (--test-reporter=junit). A report tells no
executed lines, so suspects come from its tracebacks and from what the test files import.

    selfdebug ci report.xml --junit explained.xml
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from selfdebug.interfaces.mend import Answer
from selfdebug.interfaces.testrun import Ran
from selfdebug.store import write_text
from selfdebug.types import SelfdebugError

MAX_BYTES = 64 << 20
_PYTHON_FRAME = re.compile(
    r"^(?:E\s+)?(?:  File \")?([^\s\"][^\"\n:]*\.py)(?:\", line |:)(\d+)", re.M
)
_NODE_FRAME = re.compile(r"(?:file://|\()?(/[^\s():]+\.[cm]?js):(\d+)(?::\d+)?")
_NODE_TESTS = re.compile(r"[.\-_]test\.[cm]?js$|^test-|^test\.[cm]?js$")


def read(path: Path, root: Path) -> list[Ran]:
    """Return the tests of a report: passed and failed ones, not those that were skipped.

    root: the project's folder, which names in the report are relative to. Raises SelfdebugError.
    """
    found = [_ran(case, root.resolve()) for case in _cases(_parsed(path))]
    ran = [test for test in found if test is not None]
    if not ran and found:
        raise SelfdebugError(f"{path}: none of its tests lies in {root}; say where with --root")
    return ran


def explain(path: Path, answer: Answer, to: Path | None = None) -> None:
    """Write explanations into a report, as the `system-out` of each failing test.

    A test that has a `system-out` already keeps it before ours. to: another file for it.
    """
    tree = _parsed(path)
    said = _texts(answer)
    for case in _cases(tree):
        test = _ran(case, answer.root)
        text = said.get(test.node, "") if test else ""
        if text and not test_passed(case):
            out = case.find("system-out")
            if out is None:
                out = ElementTree.SubElement(case, "system-out")
            out.text = f"{out.text}\n{text}" if out.text else text
    body = ElementTree.tostring(tree, encoding="unicode")
    write_text(to or path, f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n')


def test_passed(case: Element) -> bool:
    """Tell whether a test neither failed nor was skipped."""
    return all(case.find(name) is None for name in ("failure", "error", "skipped"))


test_passed.__test__ = False  # type: ignore[attr-defined]  # pytest: not a test


def _texts(answer: Answer) -> dict[str, str]:
    texts = {
        test.node: f"selfdebug: {mended.explanation}\n\n{mended.diff}"
        for mended in answer.mended
        for test in mended.tests
    }
    for left in answer.not_mended:
        texts[left.test.node] = f"selfdebug: {left.said}\nNot mended: {left.why}"
    return {node: _printable(text) for node, text in texts.items()}


def _printable(text: str) -> str:
    """Leave out what XML 1.0 cannot hold."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)


def _parsed(path: Path) -> Element:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SelfdebugError(f"cannot read {path}: {error.strerror}") from error
    # Entities could be made to grow without end, and no report has any.
    if len(data) > MAX_BYTES or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise SelfdebugError(f"{path} is too large, or has a document type: that is no report")
    try:
        tree = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise SelfdebugError(f"{path} is not XML: {error}") from error
    if tree.tag not in ("testsuites", "testsuite"):
        raise SelfdebugError(f"{path} is not a JUnit report: its root is <{tree.tag}>")
    return tree


def _cases(tree: Element) -> Iterator[Element]:
    return tree.iter("testcase")


def _ran(case: Element, root: Path) -> Ran | None:
    """Return a test of the report; None when it was skipped, or its file is not in the project."""
    if case.find("skipped") is not None:
        return None
    fault = case.find("failure")
    if fault is None:
        fault = case.find("error")
    text = "" if fault is None else f"{fault.get('message', '')}\n{fault.text or ''}"
    python = _of_pytest(case, root)
    if python:
        test_id, file = python
        frames = list(_frames(_PYTHON_FRAME, text, root))
    else:
        frames = list(_frames(_NODE_FRAME, text, root))
        named = (root / case.get("file", "")).resolve()
        tests = [path for path, _ in frames if _NODE_TESTS.search(path.name)]
        file = named if named.is_file() else next(iter(tests), None)
        if file is None:
            return None
        test_id = f"{_relative(file, root)}::{case.get('name', '')}"
    frames = [each for each in frames if each[0].is_file()]
    return Ran(
        test_id,
        file,
        fault is None,
        message=next((line.strip() for line in text.splitlines() if line.strip()), ""),
        line=next((line for path, line in frames if path == file), 0),
        frames=tuple(dict.fromkeys(path for path, _ in frames)),
    )


def _of_pytest(case: Element, root: Path) -> tuple[str, Path] | None:
    """Return id and file of one of pytest's tests: "tests.test_cart.TestSum", "test_total[1]"."""
    names = case.get("classname", "").split(".")
    name = case.get("name", "")
    if names == [""]:  # a file that could not be collected is a name alone
        names, name = name.split("."), ""
    for length in range(len(names), 0, -1):
        file = root.joinpath(*names[:length]).with_suffix("")
        file = file.with_name(f"{file.name}.py")
        if file.is_file():
            parts = [*names[length:], name] if name else names[length:]
            return "::".join([_relative(file, root), *parts]), file.resolve()
    return None


def _frames(pattern: re.Pattern[str], text: str, root: Path) -> Iterator[tuple[Path, int]]:
    """Yield what a traceback names; pytest writes the innermost last, node first."""
    found = [((root / unquote(n)).resolve(), int(line)) for n, line in pattern.findall(text)]
    yield from found if pattern is _NODE_FRAME else reversed(found)


def _relative(file: Path, root: Path) -> str:
    file = file.resolve()
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)
