"""`selfdebug fix`: a user's own file is mended against the user's own tests, and nothing else is.

The projects in tests/fixtures/projects are copied and mended end to end, in the real sandbox.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from selfdebug import sourcefile, usertests
from selfdebug.interfaces.fix import fix
from selfdebug.interfaces.fixresult import FixResult, told
from selfdebug.sourcefile import SourceFile
from selfdebug.types import SelfdebugError, TestResult
from selfdebug.usertests import (
    javascript_tests,
    javascript_values,
    project,
    python_tests,
    python_values,
)
from selfdebug.usertests.groups import Unsuited

PROJECTS = Path(__file__).parent / "fixtures" / "projects"
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")

Checkout = Callable[[str], Path]
Snapshot = dict[Path, tuple[bytes, int]]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """Copy a fixture project and go there. Root's tmp_path is closed to others, as homes are."""

    def copy(name: str) -> Path:
        folder = tmp_path / name
        shutil.copytree(PROJECTS / name, folder)
        monkeypatch.chdir(folder)
        return folder

    return copy


def snapshot(folder: Path) -> Snapshot:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder): (path.read_bytes(), path.stat().st_mode) for path in files}


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_py", ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"))


def replies(folder: Path, *programs: str, explanation: str = "It was wrong.") -> list[str]:
    """Options of the fake backend, which replies these programs."""
    texts = [f"{explanation}\n\n```\n{program}```\n" for program in programs]
    path = folder.parent / "replies.json"
    path.write_text(json.dumps(texts))
    return [f"replies={path}"]


# End to end: the search backend mends each kind of project

MENDED = [
    # project, file, tests, the line that is mended
    ("shop", "src/shop/cart.py", "tests", "total - total * percent_off // 100"),
    ("flat", "stats.py", "check_stats.py", "(ordered[middle - 1] + ordered[middle]) / 2"),
    ("textdocs", "roman.py", None, "if number <= 0:"),
    ("textdocs", "roman.py", "roman.txt", "if number <= 0:"),
    pytest.param("slug", "lib/slug.js", None, "if (longer.length > max)", marks=needs_node),
    pytest.param("intervals", "intervals.js", "test", "start <= last[1]", marks=needs_node),
    pytest.param("jscript", "queue.js", "check.js", "return this.items.shift();", marks=needs_node),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "file", "tests", "line"), MENDED)
def test_search_mends_every_kind_of_project(
    checkout: Checkout, name: str, file: str, tests: str | None, line: str
) -> None:
    folder = checkout(name)
    before = snapshot(folder)
    shown = fix(Path(file), Path(tests) if tests else None)
    assert (shown.outcome, shown.exit_code, shown.written) == ("fixed", 0, False)
    assert line in shown.diff
    assert snapshot(folder) == before, "nothing is written unless asked"
    applied = fix(Path(file), Path(tests) if tests else None, apply=True)
    assert applied.written
    after = snapshot(folder)
    assert {path for path in after if after[path] != before.get(path)} == {Path(file)}
    assert line in (folder / file).read_text()
    again = fix(Path(file), Path(tests) if tests else None)
    assert (again.outcome, again.exit_code) == ("already_right", 0)


def test_the_answer_is_explanation_then_diff_then_what_the_tests_say(checkout: Checkout) -> None:
    folder = checkout("flat")
    right = (folder / "stats.py").read_text().replace("middle + 1", "middle")
    told = replies(folder, right, explanation="The upper middle is at `middle`.")
    found = fix(Path("stats.py"), Path("check_stats.py"), backend="fake", options=told)
    # A blank line of the file is a single space in the diff.
    wanted = """\
        The upper middle is at `middle`.
        Shown by check_stats.py:7: median([4, 1, 3, 2]) gave 3.0, expected 2.5

        --- a/stats.py
        +++ b/stats.py
        @@ -13,7 +13,7 @@
             middle = len(ordered) // 2
             if len(ordered) % 2 == 1:
                 return ordered[middle]
        -    return (ordered[middle - 1] + ordered[middle + 1]) / 2
        +    return (ordered[middle - 1] + ordered[middle]) / 2


         def clamp(number, low, high):

        2 of 2 failing tests now pass; 5 of 5 tests pass. Nothing was written; add --apply."""
    assert found.text().replace("\n \n", "\n\n").replace("\n \n", "\n\n") == dedent(wanted)


def test_json_has_everything(checkout: Checkout) -> None:
    folder = checkout("flat")
    told = replies(folder, (folder / "stats.py").read_text().replace("middle + 1", "middle"))
    found = fix(Path("stats.py"), Path("check_stats.py"), backend="fake", options=told)
    data = json.loads(json.dumps(found.as_json()))
    assert (data["outcome"], data["exit_code"], data["written"]) == ("fixed", 0, False)
    assert data["trust"] == "split"
    assert [r["status"] for r in data["before"]["results"]].count("pass") == 3
    assert {r["status"] for r in data["after"]["results"]} == {"pass"}
    assert data["mended"].startswith('"""Small statistics."""')


def test_the_diff_is_one_that_git_applies(checkout: Checkout) -> None:
    folder = checkout("flat")
    right = (folder / "stats.py").read_text().replace("middle + 1", "middle")
    told = replies(folder, right)
    found = fix(Path("stats.py"), Path("check_stats.py"), backend="fake", options=told)
    subprocess.run(["git", "apply", "-"], input=found.diff, text=True, check=True)
    assert (folder / "stats.py").read_text() == right


# What counts as fixed


def test_a_right_file_is_left_alone_and_no_backend_is_asked(tmp_path: Path) -> None:
    write(tmp_path, a_py="x = 1\n", test_a_py="from a import x\ndef test_x(): assert x == 1\n")
    nothing = replies(tmp_path)
    found = fix(tmp_path / "a.py", backend="fake", options=nothing)
    assert (found.outcome, found.exit_code, found.diff) == ("already_right", 0, "")
    assert found.text().endswith("a.py is right already: 1 of 1 tests pass.")


def test_a_file_that_is_not_mended_is_exit_code_1_and_is_not_written(tmp_path: Path) -> None:
    write(tmp_path, a_py="x = 1\n", test_a_py="import a\ndef test_x(): assert a.x == 5\n")
    wrong = replies(tmp_path, "x = 2\n", "x = 3\n", "x = 4\n")
    found = fix(tmp_path / "a.py", backend="fake", options=wrong, apply=True)
    assert (found.outcome, found.exit_code, found.written) == ("not_fixed", 1, False)
    assert "is not fixed: 0 of 1 failing tests now pass; 0 of 1 tests pass." in found.text()
    assert "test_a.py::test_x: a.x gave 1, expected 5" in found.text()
    assert (tmp_path / "a.py").read_text() == "x = 1\n"


def test_a_change_that_helps_only_in_part_is_shown_and_never_written(tmp_path: Path) -> None:
    write(
        tmp_path,
        a_py="x = y = 1\n",
        test_a_py="import a\ndef test_x(): assert a.x == 2\ndef test_y(): assert a.y == 2\n",
    )
    half = replies(tmp_path, *["x, y = 2, 1\n"] * 3)
    found = fix(tmp_path / "a.py", backend="fake", options=half, apply=True)
    assert (found.outcome, found.written) == ("not_fixed", False)
    assert "+x, y = 2, 1" in found.diff
    assert "1 of 2 failing tests now pass; 1 of 2 tests pass" in found.text()
    assert "helps, but not enough" in found.text()
    assert (tmp_path / "a.py").read_text() == "x = y = 1\n"


def test_a_file_that_does_not_parse_can_be_mended(tmp_path: Path) -> None:
    write(tmp_path, a_py="def f(:\n    return 1\n")
    write(tmp_path, test_a_py="from a import f\ndef test_f(): assert f() == 1\n")
    right = replies(tmp_path, "def f():\n    return 1\n")
    found = fix(tmp_path / "a.py", backend="fake", options=right)
    assert found.outcome == "fixed"
    assert "SyntaxError: invalid syntax (line 1)" in found.explanation


def test_a_repair_that_edits_the_files_own_doctests_is_not_taken(tmp_path: Path) -> None:
    write(tmp_path, a_py='def f():\n    """\n    >>> f()\n    2\n    """\n    return 1\n')
    cheat = 'def f():\n    """\n    >>> 1\n    1\n    """\n    return 2\n'
    found = fix(tmp_path / "a.py", backend="fake", options=replies(tmp_path, cheat), apply=True)
    assert (found.outcome, found.written) == ("not_fixed", False)
    assert "changed the file's own doctests" in found.text()


def test_a_script_is_judged_by_values_only_where_that_says_the_same(tmp_path: Path) -> None:
    # The list is changed and returned: by values the change would not come back.
    write(
        tmp_path,
        a_py="def put(xs, x):\n    xs.append(x)\n    return xs[0]\n",
        check_py="from a import put\n\nxs = [1]\nassert put(xs, 2) == 1\nassert xs == [1, 2]\n"
        "ys = [1]\nassert put(ys, 3) == 3\n",
    )
    right = replies(
        tmp_path, "def put(xs, x):\n    xs.append(x)\n    return xs[-1 if x > 2 else 0]\n"
    )
    found = fix(tmp_path / "a.py", tmp_path / "check.py", backend="fake", options=right)
    assert (found.outcome, found.trust) == ("fixed", "in_process")


def test_the_text_in_an_editor_is_mended_and_the_file_is_neither_read_nor_written(
    tmp_path: Path,
) -> None:
    write(tmp_path, a_py="x = 5\n", test_a_py="import a\ndef test_x(): assert a.x == 2\n")
    right, known = replies(tmp_path, "x = 2\n"), list[FixResult]()
    found = fix(
        tmp_path / "a.py", backend="fake", options=right, text="x = 1\n", on_failing=known.append
    )
    assert (found.outcome, found.mended) == ("fixed", "x = 2\n")
    assert "-x = 1\n+x = 2\n" in found.diff
    assert (tmp_path / "a.py").read_text() == "x = 5\n"
    (failing,) = known
    assert failing.before == found.before, "which tests fail is known before a repair"
    assert (failing.outcome, failing.after) == ("not_fixed", None)


def test_skipped_tests_do_not_count(tmp_path: Path) -> None:
    write(
        tmp_path,
        a_py="x = 1\n",
        test_a_py="import a, pytest\ndef test_x(): assert a.x == 2\n"
        "@pytest.mark.skip\ndef test_y(): assert False\n",
    )
    found = fix(tmp_path / "a.py", backend="fake", options=replies(tmp_path, "x = 2\n"))
    assert found.summary().startswith("1 of 1 failing tests now pass; 1 of 1 tests pass.")


def test_a_program_cannot_write_the_tests_that_judge_it(tmp_path: Path) -> None:
    write(tmp_path, a_py="x = 1\n", test_a_py="import a\ndef test_x(): assert a.x == 2\n")
    tests = (tmp_path / "test_a.py").read_bytes()
    cheat = f"open({str(tmp_path / 'test_a.py')!r}, 'w').write('def test_x(): pass')\nx = 1\n"
    found = fix(
        tmp_path / "a.py", backend="fake", options=replies(tmp_path, *[cheat] * 3), apply=True
    )
    assert found.outcome == "not_fixed"
    assert (tmp_path / "test_a.py").read_bytes() == tests


# Input that is wrong: one clear line each


def mistake(file: Path, tests: Path | None = None, **options: object) -> str:
    with pytest.raises(SelfdebugError) as raised:
        fix(file, tests, **options)  # type: ignore[arg-type]
    text = str(raised.value)
    assert "\n" not in text
    return text


def test_wrong_files(tmp_path: Path) -> None:
    write(tmp_path, a_py="x = 1\n", test_a_py="import a\ndef test_x(): assert a.x == 2\n", b_py="")
    (tmp_path / "latin.py").write_bytes(b"# \xe4\n")
    (tmp_path / "folder.py").mkdir()
    assert "there is no file" in mistake(tmp_path / "c.py")
    assert "only .py, .js, .mjs, .cjs files" in mistake(tmp_path / "a.ts")
    assert "is not UTF-8 text: byte 2 is wrong" in mistake(tmp_path / "latin.py")
    assert "Is a directory" in mistake(tmp_path / "folder.py")
    assert "b.py is empty" in mistake(tmp_path / "b.py")


def test_wrong_tests(tmp_path: Path) -> None:
    write(
        tmp_path,
        a_py="x = 1\n",
        none_py="x = 1\n",
        other_py="def test_it(): assert 1 == 2\n",
        broken_py="def test_it(: pass\n",
        elsewhere_py="import b\ndef test_it(): pass\n",
        needy_py="import surely_not_installed\ndef test_it(): pass\n",
        fixtures_py="import a\ndef test_it(mocker): pass\n",
        process_py="import a, subprocess\ndef test_it(): subprocess.run(['true'])\n",
        empty__x="",
        skips_py="import a, pytest\n@pytest.mark.skip\ndef test_it(): pass\n",
    )
    (tmp_path / "prose.txt").write_text("Nothing to see.\n")
    file = tmp_path / "a.py"

    def wrong(name: str) -> str:
        return mistake(file, tmp_path / name)

    assert "there are no tests" in wrong("missing.py")
    assert "no test function, no assert, no doctest" in wrong("none.py")
    assert "no test function, no assert, no doctest" in wrong("prose.txt")
    assert "never runs a.py: are these its tests?" in wrong("other.py")
    assert "cannot be run: SyntaxError" in wrong("broken.py")
    assert "needs the package b, which is not installed" in wrong("elsewhere.py")
    assert "needs the package surely_not_installed" in wrong("needy.py")
    assert "needs the fixture mocker" in wrong("fixtures.py")
    assert "needs what the sandbox forbids" in wrong("process.py")
    assert "holds no tests" in wrong("empty")
    assert "skips all of its tests" in wrong("skips.py")
    assert "cannot be run: pytest: " in mistake(file, Path(f"{tmp_path / 'other.py'}::test_that"))
    assert "no test_a.py or a_test.py beside it or in tests/, no doctests in it" in mistake(file)
    assert "has no doctests" in mistake(file, file)


def test_test_files_are_never_mended(tmp_path: Path) -> None:
    write(
        tmp_path,
        test_a_py="def test_x(): assert 0\n",
        conftest_py="x = 1\n",
        **{"a.test.js": "require('node:test')('x', () => {});\n"},
    )
    for name in ("test_a.py", "conftest.py", "a.test.js"):
        assert "is itself a test file" in mistake(tmp_path / name, tmp_path / "test_a.py")


def test_a_package_that_the_file_itself_lacks_is_the_files_own_bug(tmp_path: Path) -> None:
    write(tmp_path, a_py="import maths\nx = maths.pi\n")
    write(tmp_path, test_a_py="import a\ndef test_x(): assert 3 < a.x < 4\n")
    right = replies(tmp_path, "import math\nx = math.pi\n")
    assert fix(tmp_path / "a.py", backend="fake", options=right).outcome == "fixed"


def test_wrong_javascript_tests(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("exports.x = 1;\n")
    (tmp_path / "jest.js").write_text("test('x', () => expect(1).toBe(2));\n")
    (tmp_path / "none.js").write_text("console.log(1);\n")
    assert "jest, mocha or vitest" in mistake(tmp_path / "a.js", tmp_path / "jest.js")
    assert "has no test" in mistake(tmp_path / "a.js", tmp_path / "none.js")
    assert "no ids of single tests" in mistake(tmp_path / "a.js", Path(f"{tmp_path}/none.js::x"))
    assert "no a.test.js or a.test.mjs beside it" in mistake(tmp_path / "a.js")


@needs_node
def test_a_package_that_javascript_tests_lack_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("exports.x = 1;\n")
    text = "const chai = require('chai');\nrequire('node:test')('x', () => {});\n"
    (tmp_path / "a.test.js").write_text(text)
    assert "needs the package chai, which is not installed in node_modules" in mistake(
        tmp_path / "a.js"
    )


def test_pytest_that_is_not_installed_is_named_with_the_command() -> None:
    with pytest.raises(SelfdebugError, match="pip install pytest"):
        project.need_pytest(["/nowhere"])


def test_an_unknown_backend_is_a_mistake(tmp_path: Path) -> None:
    write(tmp_path, a_py="x = 1\n", test_a_py="import a\ndef test_x(): assert a.x == 2\n")
    assert "no plugin 'serach' in backends" in mistake(tmp_path / "a.py", backend="serach")


# Writing


@pytest.fixture
def bug(tmp_path: Path) -> Path:
    """A file with a bug, its test, and a model's right reply."""
    folder = tmp_path / "work"
    write(folder, a_py="x = 1\n", test_a_py="import a\ndef test_x(): assert a.x == 2\n")
    replies(folder, "x = 2\n")
    return folder / "a.py"


def apply(file: Path, **options: object) -> FixResult:
    told = [f"replies={file.parents[1] / 'replies.json'}"]
    return fix(file, backend="fake", options=told, apply=True, **options)  # type: ignore[arg-type]


def test_apply_writes_and_says_so(bug: Path) -> None:
    found = apply(bug)
    assert bug.read_text() == "x = 2\n"
    assert found.summary().endswith("a.py was written.")
    assert sorted(path.name for path in bug.parent.iterdir()) == ["a.py", "test_a.py"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"x = 1\r\ny = 3\r\n", b"x = 2\r\ny = 3\r\n"),
        (b"\xef\xbb\xbfx = 1\n", b"\xef\xbb\xbfx = 2\n"),
        (b"x = 1", b"x = 2"),
        (b"x = 1\n\n\n", b"x = 2\n\n\n"),
        (b"y = 3\r\nx = 1\nz = 4\r\n", b"y = 3\r\nx = 2\nz = 4\r\n"),
        (b"s = '\x0c\xe2\x80\xa8'\r\nx = 1\r\n", b"s = '\x0c\xe2\x80\xa8'\r\nx = 2\r\n"),
    ],
    ids=["crlf", "bom", "no final newline", "several final newlines", "mixed", "odd line breaks"],
)
def test_a_files_habits_are_kept(bug: Path, before: bytes, after: bytes) -> None:
    bug.write_bytes(before)
    text = before.decode("utf-8-sig").replace("\r\n", "\n").replace("x = 1", "x = 2")
    replies(bug.parent, text if text.endswith("\n") else text + "\n")
    assert apply(bug).written
    assert bug.read_bytes() == after


def test_the_mode_is_kept(bug: Path) -> None:
    bug.chmod(0o755)
    apply(bug)
    assert stat.S_IMODE(bug.stat().st_mode) == 0o755


def test_a_read_only_file_is_refused(bug: Path) -> None:
    bug.chmod(0o444)
    with pytest.raises(SelfdebugError, match=r"a\.py is read-only"):
        apply(bug)


def test_a_symbolic_link_is_refused_but_may_be_looked_at(bug: Path) -> None:
    link = bug.parent / "b.py"
    link.symlink_to(bug)
    tests = bug.parent / "test_a.py"
    with pytest.raises(SelfdebugError, match="is a symbolic link"):
        fix(link, tests, apply=True)
    told = [f"replies={bug.parents[1] / 'replies.json'}"]
    assert fix(link, tests, backend="fake", options=told).outcome == "fixed"


def test_a_file_that_was_changed_meanwhile_is_not_overwritten(bug: Path) -> None:
    source = sourcefile.read(bug)
    bug.write_text("x = 7\n")
    with pytest.raises(SelfdebugError, match="has changed meanwhile; nothing was written"):
        sourcefile.write(source, "x = 2\n")
    assert bug.read_text() == "x = 7\n"
    assert sorted(path.name for path in bug.parent.iterdir()) == ["a.py", "test_a.py"]


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def committed(bug: Path) -> Path:
    git(bug.parent, "init")
    git(bug.parent, "add", ".")
    git(bug.parent, "commit", "-m", "start")
    return bug


def test_a_committed_file_is_written(committed: Path) -> None:
    assert apply(committed).written


def test_uncommitted_changes_are_refused_unless_forced(committed: Path) -> None:
    committed.write_text("x = 3\n")
    with pytest.raises(SelfdebugError, match="has uncommitted changes: commit or stash it first"):
        apply(committed)
    assert committed.read_text() == "x = 3\n"
    assert apply(committed, force=True).written
    assert committed.read_text() == "x = 2\n"


def test_staged_and_untracked_files_count_as_uncommitted(committed: Path) -> None:
    committed.write_text("x = 3\n")
    git(committed.parent, "add", ".")
    assert "has uncommitted changes" in sourcefile.uncommitted(committed)
    new = committed.parent / "new.py"
    new.write_text("x = 1\n")
    assert "is not under version control yet" in sourcefile.uncommitted(new)


def test_without_apply_uncommitted_changes_are_only_mentioned(committed: Path) -> None:
    committed.write_text("x = 3\n")
    told = [f"replies={committed.parents[1] / 'replies.json'}"]
    found = fix(committed, backend="fake", options=told)
    assert found.outcome == "fixed"
    assert "--apply will want --force too" in found.summary()


def test_where_git_cannot_say_nothing_is_written(
    committed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SelfdebugError, match="git is not installed"):
        sourcefile.check_writable(committed)


def test_other_files_uncommitted_changes_do_not_matter(committed: Path) -> None:
    (committed.parent / "test_a.py").write_text("import a\ndef test_x(): assert a.x == 2 * 1\n")
    assert apply(committed).written


# Finding tests


def test_tests_are_found_by_their_usual_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, src__pkg__a_py="x = 1\n", **{"pyproject.toml": ""})
    source = sourcefile.read(Path("src/pkg/a.py"))
    for place in ("tests/unit/test_a.py", "src/pkg/test_a.py"):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        assert usertests.find(source) == Path(place)
        path.unlink()
    (tmp_path / "tests/test_a.py").write_text("")
    (tmp_path / "tests/unit/test_a.py").write_text("")
    with pytest.raises(SelfdebugError, match="has several tests"):
        usertests.find(source)


def test_tests_are_not_looked_for_above_the_project(tmp_path: Path) -> None:
    write(tmp_path, tests__test_a_py="", inner__a_py="x = 1\n", **{"inner/pyproject.toml": ""})
    with pytest.raises(SelfdebugError, match="found no tests"):
        usertests.find(sourcefile.read(tmp_path / "inner" / "a.py"))


@pytest.mark.parametrize(
    ("text", "suffix", "runner"),
    [
        ("def test_x(): pass", ".py", "pytest"),
        ("class TestX: pass", ".py", "pytest"),
        ("import unittest\nclass X(unittest.TestCase): pass", ".py", "pytest"),
        ("assert 1", ".py", "script"),
        ("def check():\n    assert 1\ncheck()", ".py", "script"),
        ("x = 1", ".py", None),
        (">>> 1\n1", ".txt", "doctest"),
        ("prose", ".md", None),
    ],
)
def test_a_test_files_runner_is_read_off_its_text(text: str, suffix: str, runner: str) -> None:
    assert python_tests.runner_of(text, suffix) == runner


# Scripts that can be judged by values

FILE = """
import math
def add(a, b): return a + b
def each(xs):
    yield from xs
class Stack:
    def __init__(self): self.items = []
    def push(self, x): self.items.append(x)
    def pop(self): return self.items.pop()
class Point:
    def __eq__(self, other): return True
LIMIT = 3
"""


def split(script: str) -> dict[str, str]:
    found = python_values.split(dedent(script).lstrip("\n"), FILE, {"it"}, "check.py")
    return {" ".join(ids): test.body for test, ids in found}


def test_a_flat_script_comes_apart_at_its_asserts() -> None:
    found = split("""
        from it import add as plus
        import it
        SMALL = (1, 2)
        assert plus(1, 2) == 3
        assert it.add(*SMALL) == 3
    """)
    assert list(found) == ["check.py:4", "check.py:5"]
    assert found["check.py:5"] == "plus = add\nSMALL = (1, 2)\nassert add(*SMALL) == 3\n"


def test_asserts_that_share_a_variable_stay_together() -> None:
    found = split("""
        from it import Stack, add
        s = Stack()
        s.push(1)
        assert s.pop() == 1
        s.push(2)
        assert s.pop() == 2
        s = Stack()
        s.push(add(1, 1))
        assert s.pop() == 2
    """)
    assert list(found) == ["check.py:4 check.py:6", "check.py:9"]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("from it import Point\nassert Point() == 1", "do"),
        ("from it import each\nassert list(each([1])) == [1]", "do"),
        ("from it import LIMIT\nassert LIMIT == 3", "do"),
        ("from it import add\nassert callable(add)", "more with add than call it"),
        ("import it\nassert vars(it)", "the module itself"),
        ("import it\nit.LIMIT = 4\nassert it.add(1, 2) == 3", "LIMIT"),
        ("import it, numpy\nassert it.add(1, 2)", "imports numpy"),
        ("from .it import add\nassert add(1, 2)", "relative"),
        ("from it import add\nadd = 3\nassert add", "add"),
        ("from it import add\nassert add(1, 2) and __file__", "__file__"),
        ("import random\nfrom it import add\nrandom.seed(1)\nassert add(1, 2)", "line 3"),
        ("from it import add\nx = []\ndef f(): x.append(1)\nassert add(1, 2)", "variable x"),
        ("import os\nassert os.sep", "does not import the file"),
        ("from it import add\nadd(1, 2)", "line 2"),
    ],
)
def test_what_values_cannot_carry_is_not_judged_by_values(script: str, why: str) -> None:
    with pytest.raises(Unsuited, match=why):
        python_values.split(script, FILE, {"it"}, "check.py")


def test_a_file_that_needs_other_modules_is_not_judged_by_values() -> None:
    script = "from it import add\nassert add(1, 2) == 3"
    with pytest.raises(Unsuited, match="requests"):
        python_values.split(script, "import requests\ndef add(a, b): return a", {"it"}, "c.py")


def test_a_javascript_scripts_lines_stay_where_they_are() -> None:
    text = "const assert = require('assert');\n\nassert(\n  true,\n);\nassert.ok(1)\n"
    rewritten, ids = javascript_tests.instrumented(text, "check.js")
    assert ids == ["check.js:3", "check.js:6"]
    assert rewritten.count("\n") == text.count("\n")


def javascript_split(script: str, file: str = "exports.x = 1;\n") -> list[str]:
    paths = (Path("/project/check.js"), Path("/project/it.js"))
    found = javascript_values.split(dedent(script).lstrip("\n"), file, *paths)
    return [" ".join(ids) for _, ids in found]


def test_a_javascript_script_comes_apart_in_the_same_way() -> None:
    script = """
        import assert from 'node:assert/strict';
        import { Stack } from './it.js';
        const limit = 3;
        const s = new Stack();
        assert.equal(s.push(limit).pop(), limit);
        assert.equal(s.size, 0);
        for (const n of [1, 2]) assert(new Stack().push(n));
        console.log('fine');
    """
    assert javascript_split(script) == ["check.js:5 check.js:6", "check.js:7"]


@pytest.mark.parametrize(
    ("script", "file", "why"),
    [
        ("const { x } = require('./it');\nassert(x)", "require('./other');", "other modules"),
        ("const { x } = require('./else');\nassert(x)", "", "needs ./else"),
        ("const x = require(name);\nassert(x)", "", "needs"),
        ("require('./it').x = 3;\nassert(1)", "", "line 1 acts"),
        ("setTimeout(() => assert(1), 1)", "", "come late"),
        ("let n = 0;\nfunction f() { n++; }\nassert(1)", "", "variable n"),
    ],
)
def test_what_values_cannot_carry_stays_with_node(script: str, file: str, why: str) -> None:
    with pytest.raises(Unsuited, match=why):
        javascript_split(script, file)


# Reading and writing text exactly


def test_a_diff_tells_of_a_missing_final_newline(tmp_path: Path) -> None:
    source = SourceFile(tmp_path / "a.py", b"x = 1", "x = 1", "python")
    assert source.diff("x = 2", tmp_path).endswith(
        "-x = 1\n\\ No newline at end of file\n+x = 2\n\\ No newline at end of file\n"
    )


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (TestResult("t", "wrong", "f(1)", "2", "3"), "t: f(1) gave 3, expected 2"),
        (TestResult("t", "wrong", "f(1)", "raises E"), "t: f(1) should give raises E"),
        (
            TestResult("t", "exception", "f(1)", "", "", "E: no", 4),
            "t: f(1) ended with E: no (line 4)",
        ),
        (TestResult("t", "timeout", "t", message="late"), "t: ended with late"),
        (TestResult("t", "crashed"), "t: ended with crashed"),
    ],
)
def test_a_failing_test_is_told_in_one_line(result: TestResult, said: str) -> None:
    assert told(result) == said


def test_a_project_that_only_root_can_read_is_copied_for_the_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, a_py="x = 1\n", test_a_py="import a\ndef test_x(): assert a.x == 1\n")
    (tmp_path / "a.py").chmod(0o600)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with project.opened(tmp_path / "a.py", tmp_path / "test_a.py") as where:
        copy = Path(where.inside(tmp_path / "a.py"))
        assert copy != tmp_path / "a.py"
        assert copy.read_text() == "x = 1\n"
        assert copy.stat().st_mode & stat.S_IROTH
    assert not copy.exists()


def test_of_a_home_folder_the_sandbox_sees_only_what_lies_beside_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, a_py="import b\n", b_py="", test_a_py="", private__key="secret\n")
    write(tmp_path, **{".netrc": "secret\n"})
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    with project.opened(tmp_path / "a.py", tmp_path / "test_a.py") as where:
        assert sorted(path.name for path in where.shown.rglob("*")) == ["a.py", "b.py", "test_a.py"]
        assert Path(where.inside(tmp_path / "a.py")).read_text() == "import b\n"


# The command


def test_the_exit_codes_of_the_command(bug: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "selfdebug", "fix", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=bug.parent)

    told = ["--backend", "fake", "--option", f"replies={bug.parents[1] / 'replies.json'}"]
    missing = run("missing.py")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr == "selfdebug: there is no file missing.py\n"
    shown = run("a.py", *told)
    assert shown.returncode == 0
    assert "1 of 1 failing tests now pass" in shown.stdout
    assert json.loads(run("a.py", *told, "--json").stdout)["outcome"] == "fixed"
    replies(bug.parent, "x = 3\n", "x = 3\n")
    assert run("a.py", *told).returncode == 1
    assert bug.read_text() == "x = 1\n"
