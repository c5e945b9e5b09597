"""Exercises in Markdown: what is read, and what is refused by name.

pytest tests/test_exercises.py
"""

from pathlib import Path

import pytest

from playgrounds import BROKEN, EXERCISE, RIGHT, class_folder
from selfdebug.formats import exercises
from selfdebug.interfaces.web import exercises as choice
from selfdebug.sandbox import Sandbox
from selfdebug.types import SelfdebugError


def test_a_file_is_a_right_program_and_its_bugs(tmp_path: Path) -> None:
    (path, language) = exercises.files(class_folder(tmp_path))[0]
    right, (bug,) = exercises.read(path, language, "class", "")
    assert (right.reference, bug.broken, bug.bug_kind) == (RIGHT, BROKEN, "logic")
    assert [test.id for test in bug.tests] == ["test-1", "test-2", "hidden-1"]
    assert (bug.id, choice.title(bug)) == ("class/python/largest/1", "Largest")


FIRST = "assert largest([1]) == 1"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("# largest", "largest", "the first line must be `# `"),
        ("```python\ndef", "```\ndef", "the right program is missing"),
        ("## Tests", "## Test", "there are no tests"),
        ("-        if number >", "-        if number >=", "`## Bug: logic`: the program must"),
        ("+        if number < best:", "if number < best:", "must begin with a space, - or +"),
        (FIRST, "largest([1]) == 1\n", "'largest([1]) == 1' asserts nothing"),
        (FIRST, "assert largest([1] == 1", "the test 'assert largest([1] == 1'"),
        (FIRST, f"def test_one():\n    {FIRST}\n", "is never called"),
    ],
)
def test_a_fault_is_named_with_its_file(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert EXERCISE.count(old) == 1
    (path, language) = exercises.files(class_folder(tmp_path, EXERCISE.replace(old, new)))[0]
    with pytest.raises(SelfdebugError) as raised:
        exercises.read(path, language, "class", "")
    assert str(raised.value).startswith(f"{path}: ")
    assert said in str(raised.value)


def test_what_only_a_run_shows_is_refused_too(tmp_path: Path) -> None:
    faults = {
        "the right program fails test-2": EXERCISE.replace("[1, 5, 2]) == 5", "[1, 5, 2]) == 4"),
        "no visible test fails with the bug 1": EXERCISE.replace("[1, 5, 2]) == 5", "[1, 1]) == 1"),
        "there is no bug": EXERCISE.replace("## Bug: logic", "## Notes"),
    }
    with Sandbox(workers=1) as sandbox:
        for number, (said, text) in enumerate(faults.items()):
            folder = class_folder(tmp_path / str(number), text)
            with pytest.raises(SelfdebugError, match=said):
                list(choice.from_folder(folder, sandbox))


def test_own_tests_are_told_apart_and_bounded() -> None:
    first, second = (choice.own("python", f"assert f({n}) == 1") for n in (1, 2))
    assert first.id != second.id
    for tests, said in (
        ("", "0 tests"),
        ("assert f(1)\n" * 101, "101 tests"),
        ("x = 1", "nothing"),
    ):
        with pytest.raises(SelfdebugError, match=said):
            choice.own("python", tests)
