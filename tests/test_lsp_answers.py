"""What a finding becomes in an editor: where, in whose words, and as which edit.

pytest tests/test_lsp_answers.py
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("pygls", reason="needs the extra `editor`")

from lsprotocol import converters
from lsprotocol import types as lsp

from lsp_client import applied
from selfdebug.interfaces.fixresult import FixResult
from selfdebug.interfaces.lsp import answers, finding
from selfdebug.interfaces.lsp.finding import Failure, Finding
from selfdebug.types import TestResult, Verdict

WRONG = "def double(x):\n    y = 3\n    return y * x\n"
RIGHT = WRONG.replace("3", "2")
URI = "file:///double.py"
FAILURE = Failure("test_two", 2, "test_two: double(2) gave 6, expected 4")
FOUND = Finding(
    "fixed", "1 of 1 tests fail; with a change all 1 pass.", "On line 2, `3` is wrong.", (FAILURE,)
)


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def result(**values: object) -> TestResult:
    return TestResult(**{"test_id": "t", "status": "wrong", **values})  # type: ignore[arg-type]


def fixed(explanation: str, *results: TestResult) -> FixResult:
    before = Verdict("double.py", "sha", results, "A")
    return FixResult(
        "double.py", "tests", "fixed", before, before, explanation=explanation, mended=RIGHT
    )


# Where a failing test is shown


def lines(shown: FixResult, *, ended: bool = True) -> list[int]:
    return [failure.line for failure in finding.of(shown, WRONG, ended=ended).failures]


def test_a_failing_test_is_shown_where_the_explanation_points() -> None:
    assert lines(fixed("On line 2, `y = 3` is wrong.", result(line=3), result())) == [2, 2]


def test_an_explanation_that_points_elsewhere_than_the_change_is_not_followed() -> None:
    assert lines(fixed("On line 1, all is wrong.", result(lines=(1, 2, 3)))) == [2]


def test_without_an_explanation_it_is_the_line_of_the_error() -> None:
    unexplained = replace(fixed("", result(line=3)), outcome="not_fixed")
    assert lines(unexplained, ended=False) == [3]


def test_or_the_line_that_failing_tests_run_and_passing_ones_do_not() -> None:
    results = result(lines=(1, 3)), result(status="pass", lines=(1, 2))
    assert lines(replace(fixed("", *results), outcome="not_fixed")) == [3]


def test_a_line_beyond_the_text_is_its_last_one() -> None:
    assert lines(replace(fixed("", result(line=99)), outcome="not_fixed")) == [4]


def test_nothing_is_said_of_a_program_when_the_harness_failed() -> None:
    found = finding.of(FixResult("double.py", "t", "unknown", note="no tier holds"), WRONG)
    assert (found.outcome, found.failures, found.mended) == ("unknown", (), "")
    assert "no tier holds" in found.summary


@pytest.mark.parametrize("found", [FOUND, Finding("refused", "there is\nno file")])
def test_a_finding_crosses_processes_on_one_line(found: Finding) -> None:
    line = found.as_json()
    assert "\n" not in line
    assert finding.from_json(line) == found


# Diagnostics and hover


def test_a_diagnostic_covers_the_line_in_the_units_of_the_client() -> None:
    source = 'x = 1\n  s = "😀"  \n'
    (found,) = answers.diagnostics(FOUND, source, utf16)
    assert (found.range.start.line, found.range.start.character) == (1, 2)
    assert (found.range.end.line, found.range.end.character) == (1, 10)
    assert (found.code, found.source) == ("test_two", "selfdebug")
    assert found.message == "test_two: double(2) gave 6, expected 4"


def test_the_first_diagnostic_carries_the_explanation_of_a_repair() -> None:
    both = replace(FOUND, mended=RIGHT, failures=(FAILURE, replace(FAILURE, test="test_three")))
    first, second = answers.diagnostics(both, WRONG, utf16)
    assert first.message.endswith("\nOn line 2, `3` is wrong.")
    assert "On line 2" not in second.message


def test_hover_explains_on_the_line_and_nowhere_else() -> None:
    shown = answers.hover(FOUND, lsp.Position(1, 4))
    assert shown is not None
    assert isinstance(shown.contents, lsp.MarkupContent)
    assert shown.contents.value == f"{FOUND.explanation}\n\n{FOUND.summary}"
    assert answers.hover(FOUND, lsp.Position(0, 4)) is None


# Code actions


def titles(found: Finding | None, line: int = 1, only: list[str] | None = None) -> list[str]:
    wanted = lsp.CodeActionContext([], only=only)  # type: ignore[arg-type]
    shown = answers.actions(found, URI, wanted, range(line, line + 1), lambda _: EDIT)
    return [
        " ".join(filter(None, (each.kind, each.title, "(edit)" if each.edit else "")))
        for each in shown
    ]


EDIT = lsp.WorkspaceEdit(changes={URI: []})


def test_what_is_known_comes_as_an_edit_beside_the_failure() -> None:
    fix, *others = titles(replace(FOUND, mended=RIGHT))
    assert fix == ("quickfix selfdebug: fix (1 of 1 tests fail; with a change all 1 pass) (edit)")
    assert others == ["quickfix selfdebug: explain", "quickfix selfdebug: run the tests"]


def test_elsewhere_and_before_a_run_the_actions_are_no_quick_fixes() -> None:
    assert {title.split()[0] for title in titles(FOUND, line=0)} == {answers.SOURCE_ACTION}
    assert titles(None) == [
        f"{answers.SOURCE_ACTION} selfdebug: {name}" for name in ("fix", "explain", "run the tests")
    ]


def test_no_fix_is_offered_where_none_was_found() -> None:
    assert not [title for title in titles(replace(FOUND, outcome="not_fixed")) if "fix (" in title]
    assert titles(Finding("already_right", "all pass")) == [
        f"{answers.SOURCE_ACTION} selfdebug: run the tests"
    ]


def test_an_editor_gets_only_the_kinds_that_it_asks_for() -> None:
    assert titles(FOUND, only=["refactor"]) == []
    assert titles(None, only=["quickfix"]) == []
    assert titles(None, only=["source"])


# Edits


def edited(source: str, mended: str) -> str:
    edits = answers.edits(source, mended, utf16)
    return applied(source, converters.get_converter().unstructure(edits))


def test_an_edit_touches_only_the_lines_that_change() -> None:
    (one,) = answers.edits(WRONG, RIGHT, utf16)
    assert (one.range.start, one.range.end) == (lsp.Position(1, 0), lsp.Position(2, 0))
    assert one.new_text == "    y = 2\n"


TEXTS = st.lists(st.sampled_from(["", "a", "  b", "😀 c"]), min_size=1, max_size=6).map("\n".join)


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_edits_give_the_mended_text(source: str, mended: str) -> None:
    assert edited(source, mended) == mended


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_the_buffers_line_ends_stay(source: str, mended: str) -> None:
    source = source + "\n"  # so that there is a line end to keep
    assert edited(source.replace("\n", "\r\n"), mended) == mended.replace("\n", "\r\n")


def test_an_edit_names_the_version_where_the_editor_checks_it() -> None:
    edits = answers.edits(WRONG, RIGHT, utf16)
    checked = answers.workspace_edit(URI, 7, edits, versioned=True)
    data = json.loads(json.dumps(converters.get_converter().unstructure(checked)))
    (document,) = data["documentChanges"]
    assert document["textDocument"] == {"uri": URI, "version": 7}
    plain = answers.workspace_edit(URI, 7, edits, versioned=False)
    assert plain.changes == {URI: edits}
