"""JUnit XML in and out: pytest's reports and node's, and `selfdebug ci`, which mends after them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree

import pytest

from selfdebug.interfaces import junit
from selfdebug.interfaces.mend import Answer, NotMended
from selfdebug.types import SelfdebugError

PROJECTS = Path(__file__).parent / "fixtures" / "projects"
REPORT = """\
    <?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest">
    <testcase classname="tests.test_sum.TestSum" name="test_add[a.b::c]" time="0.1">
    <failure message="assert 1 == 2">tests/test_sum.py:7: in test_add
        assert add(1) == 2
    calc.py:2: in add
        return helper(x)
    E   AssertionError</failure></testcase>
    <testcase classname="tests.test_sum" name="test_right" time="0.1" />
    <testcase classname="tests.test_sum" name="test_skipped"><skipped message="no"/></testcase>
    <testcase classname="" name="tests.test_sum"><error message="collection failure">
    E     File "calc.py", line 3</error></testcase>
    </testsuite></testsuites>
    """


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_sum.py").write_text("from calc import add\n")
    (tmp_path / "calc.py").write_text("def add(x):\n    return x\n")
    (tmp_path / "report.xml").write_text(dedent(REPORT))
    return tmp_path


def test_a_report_of_pytest_is_read(project: Path) -> None:
    failed, right, loading = junit.read(project / "report.xml", project)
    test, calc = project / "tests" / "test_sum.py", project / "calc.py"
    assert failed.id == "tests/test_sum.py::TestSum::test_add[a.b::c]"
    assert (failed.file, failed.line, failed.frames) == (test, 7, (calc, test))
    assert failed.message == "assert 1 == 2"
    assert not failed.passed
    assert (right.id, right.passed) == ("tests/test_sum.py::test_right", True)
    assert (loading.id, loading.frames) == ("tests/test_sum.py", (calc,))


def test_a_report_of_node_is_read_by_its_stack(tmp_path: Path) -> None:
    test, program = tmp_path / "sum.test.js", tmp_path / "sum.js"
    test.write_text("")
    program.write_text("")
    text = f"""\
        <testsuites><testcase name="adds" classname="test"><failure message="no">
        Error: no
            at add (file://{program}:2:9)
            at TestContext.&lt;anonymous> ({test}:5:3)
            at node:internal/test_runner/test:796:25
        </failure></testcase><testcase name="other" classname="test"/></testsuites>
        """
    (tmp_path / "report.xml").write_text(dedent(text))
    (failed,) = junit.read(tmp_path / "report.xml", tmp_path)
    assert failed.id == "sum.test.js::adds"
    assert (failed.file, failed.line, failed.frames) == (test, 5, (program, test))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("<a", "is not XML"),
        ("<html/>", "is not a JUnit report: its root is <html>"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><testsuites/>', "that is no report"),
        ('<testsuites><testcase classname="far.away" name="t"/></testsuites>', "say where with"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "report.xml").write_text(text)
    with pytest.raises(SelfdebugError, match=complaint):
        junit.read(tmp_path / "report.xml", tmp_path)


def test_a_report_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SelfdebugError, match="cannot read"):
        junit.read(tmp_path / "none.xml", tmp_path)


def test_explanations_go_into_failing_tests_alone_and_keep_what_was_there(project: Path) -> None:
    failed, _, _ = junit.read(project / "report.xml", project)
    left = NotMended(failed, "gave 1\x00", "no repair")
    junit.explain(project / "report.xml", Answer(project, (), (left,)), project / "out.xml")
    cases = list(ElementTree.parse(project / "out.xml").iter("testcase"))
    assert cases[0].findtext("system-out") == "selfdebug: gave 1?\nNot mended: no repair"
    assert [case.find("system-out") for case in cases[1:]] == [None, None, None]
    assert "system-out" not in (project / "report.xml").read_text()


def selfdebug(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "selfdebug", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=280,
    )


def test_ci_mends_what_a_report_of_pytest_says_has_failed(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "calc.py").write_text("def add(x, y):\n    return x - y\n")
    (folder / "test_calc.py").write_text(
        "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
    )
    case = '<testcase classname="test_calc" name="test_add"><failure message="assert -1 == 3"/>'
    (folder / "report.xml").write_text(f"<testsuites>{case}</testcase></testsuites>")
    reply = "It takes away.\n\n```python\ndef add(x, y):\n    return x + y\n```\n"
    (tmp_path / "replies.json").write_text(json.dumps([reply]))
    backend = ("--backend", "fake", "--option", "replies=../replies.json")
    done = selfdebug(
        folder, "ci", "report.xml", "--sarif", "out.sarif", "--junit", "out.xml", *backend
    )
    assert done.returncode == 0, done.stderr
    assert "1 of 1 failing tests now pass, by changes in calc.py" in done.stdout
    (result,) = json.loads((folder / "out.sarif").read_text())["runs"][0]["results"]
    assert result["fixes"]
    assert "It takes away." in (folder / "out.xml").read_text()
    assert "x - y" in (folder / "calc.py").read_text()


def test_ci_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    done = selfdebug(tmp_path, "ci", "none.xml")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "cannot read none.xml" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_ci_mends_javascript_after_a_report_of_node(tmp_path: Path) -> None:
    folder = tmp_path / "slug"
    shutil.copytree(PROJECTS / "slug", folder)
    command = ["node", "--test", "--test-reporter=junit", "test/"]
    report = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    (folder / "report.xml").write_text(report.stdout)
    done = selfdebug(folder, "ci", "report.xml", "--sarif", "out.sarif", "--seconds", "120")
    assert done.returncode == 0, done.stderr
    assert "+++ b/lib/slug.js" in done.stdout
    assert json.loads((folder / "out.sarif").read_text())["runs"][0]["results"][0]["fixes"]
