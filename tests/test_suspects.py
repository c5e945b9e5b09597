"""Which file is at fault for a failing test: tracebacks, executed lines and imports, in this order.

Never a test file, and nothing that is not the project's own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from selfdebug.interfaces.executed import Executed
from selfdebug.interfaces.imports import imported
from selfdebug.interfaces.suspects import MOST, is_source, most_suspect_line, suspects
from selfdebug.interfaces.testrun import Ran

Make = Callable[..., list[Path]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write files of a project, and return their paths."""

    def write(**files: str) -> list[Path]:
        found: list[Path] = []
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_py", ".py").replace("_js", ".js")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))
            found.append(path)
        return found

    return write


def test_the_traceback_comes_first_its_innermost_file_before_its_caller(
    make: Make, tmp_path: Path
) -> None:
    test, cart, prices, other = make(
        tests__test_cart_py="import cart, other\n", cart_py="", prices_py="", other_py=""
    )
    ran = {prices: frozenset({1}), cart: frozenset({1}), other: frozenset({1})}
    failed = Ran("t", test, False, frames=(prices, cart, test), lines=ran)
    assert suspects(failed, [failed], tmp_path) == [prices, cart, other]


def test_a_line_that_few_passing_tests_run_is_more_suspect(make: Make, tmp_path: Path) -> None:
    test, used, rare = make(tests__test_it_py="", used_py="", rare_py="")
    failed = Ran("f", test, False, lines={used: frozenset({1, 2}), rare: frozenset({7})})
    passed = [
        Ran("p", test, True, lines={used: frozenset({1, 2})}),
        Ran("q", test, True, lines={used: frozenset({1}), rare: frozenset({9})}),
    ]
    assert suspects(failed, [failed, *passed], tmp_path) == [rare, used]
    assert most_suspect_line(failed, passed, used) == 2
    assert most_suspect_line(failed, passed, test) == 0


def test_without_either_the_imports_tell_the_file_of_the_same_name_first(
    make: Make, tmp_path: Path
) -> None:
    test, cart, tax, _ = make(
        tests__test_cart_py="from shop.tax import rate\nfrom shop import cart, nothing\n",
        src__shop__cart_py="",
        src__shop__tax_py="",
        src__shop__unrelated_py="",
    )
    (tmp_path / "src" / "shop" / "__init__.py").write_text("")
    found = suspects(Ran("t", test, False), [], tmp_path)
    assert found[:2] == [cart, tax]
    assert {path.name for path in found} == {"cart.py", "tax.py", "__init__.py"}


def test_imports_of_imports_are_found_relative_ones_too(make: Make, tmp_path: Path) -> None:
    test, one, two, three = make(
        test_a_py="import pack.one\nimport json\n",
        pack__one_py="from . import two\n",
        pack__two_py="from .three import name\nfrom os import path\n",
        pack__three_py="import (\n",
    )
    assert imported(test, tmp_path) == [one, two, three]


def test_imports_of_javascript_are_relative_paths(make: Make, tmp_path: Path) -> None:
    text = "import a from './a.js';\nconst b = require('./b');\nimport fs from 'node:fs';\n"
    test, a, b = make(x_test_js=text, a_js="export * from './a.js'", b_js="")
    assert imported(test, tmp_path) == [a, b]


def test_there_are_few_suspects(make: Make, tmp_path: Path) -> None:
    test, *files = make(test_x_py="", **{f"m{i}_py": "" for i in range(9)})
    assert suspects(Ran("t", test, False, frames=tuple(files)), [], tmp_path) == files[:MOST]


@pytest.mark.parametrize(
    "name",
    [
        "tests/helpers.py",
        "conftest.py",
        "setup.py",
        "pkg/tests/data.py",
        ".hidden/a.py",
        "lib/node_modules/x/a.js",
        "env/lib/python3/site-packages/a.py",
        "environment/a.py",
        "notes.txt",
    ],
)
def test_what_is_no_program_of_the_project_is_never_suspect(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    (tmp_path / "environment").mkdir(exist_ok=True)
    (tmp_path / "environment" / "pyvenv.cfg").write_text("")
    assert not is_source(path, tmp_path)


def test_a_file_that_holds_tests_is_no_source_whatever_its_name(tmp_path: Path) -> None:
    check = tmp_path / "check_it.py"
    check.write_text("")
    assert is_source(check, tmp_path)
    assert not is_source(check, tmp_path, [check])
    assert not is_source(check, tmp_path / "elsewhere")
    assert not is_source(tmp_path / "gone.py", tmp_path)


def test_a_test_that_passes_against_its_xfail_mark_has_no_suspect(
    make: Make, tmp_path: Path
) -> None:
    test, a = make(test_a_py="import a\n", a_py="")
    failed = Ran("t", test, False, message="[XPASS(strict)] a bug", frames=(a,))
    assert suspects(failed, [], tmp_path) == []


def test_executed_lines_are_those_of_wanted_files_between_start_and_stop(tmp_path: Path) -> None:
    name = str(tmp_path / "m.py")
    space: dict[str, Callable[[int], int]] = {}
    exec(compile("def f(x):\n    if x:\n        return 1\n    return 2\n", name, "exec"), space)
    before = sys.gettrace()
    sys.settrace(None)
    try:
        executed = Executed(lambda path: path == name)
        executed.start()
        space["f"](0)
        first, again = executed.stop(), executed.stop()
        space["f"](1)
        executed.start()
        space["f"](1)
        second = executed.stop()
    finally:
        sys.settrace(before)
    assert (first, again, second) == ({name: [2, 4]}, {}, {name: [2, 3]})


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="sys.monitoring has room for several")
def test_somebody_else_who_traces_is_not_disturbed() -> None:
    before = sys.gettrace()

    def mine(*_: object) -> None:
        return None

    sys.settrace(mine)
    try:
        executed = Executed(lambda _: True)
        executed.start()
        assert sys.gettrace() is mine
        assert executed.stop() == {}
        assert sys.gettrace() is mine
    finally:
        sys.settrace(before)
