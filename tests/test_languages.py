"""Languages tell programs from other texts, cut them into tokens, and let JS be observed."""

import pytest

from selfdebug import benchmarks
from selfdebug.languages import javascript, python
from selfdebug.sandbox import Sandbox
from selfdebug.types import SelfdebugError

PYTHON_GOOD = 'def f(x):\n    """Say \\d."""\n    return f"{x!r}" if x else None\n'
JAVASCRIPT_GOOD = (
    "const f = async ({a = 1, ...rest}) => { for await (const x of rest) yes(x?.y ?? a); };\n"
)


def test_programs_are_programs():
    assert python.check_syntax(PYTHON_GOOD) is None
    assert javascript.check_syntax(JAVASCRIPT_GOOD) is None


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("def f(x)\n    return x\n", 1),
        ("def f(x):\n    return (x\n\nprint(1)\n", 2),
        ("def f(x):\nreturn x\n", 2),
        ("x = 'open\n", 1),
        ("x = 1\0", 1),
        ("(" * 5_000, 1),
        ("x = 1\n" * 50_000, 1),
    ],
)
def test_a_python_error_is_told_with_its_line(code, line):
    found = python.check_syntax(code)
    assert found is not None
    assert found[0] == line
    assert found[1]


@pytest.mark.parametrize(
    ("code", "line"),
    [("let a = 1;\nlet b = = 2;\n", 2), ("f(1\n", 1), ("if (x) {\n  y()\n", 2)],
)
def test_a_javascript_error_is_told_with_its_line(code, line):
    found = javascript.check_syntax(code)
    assert found is not None
    assert found[0] == line


def test_nesting_is_no_danger():
    assert javascript.check_syntax("[" * 50_000) is not None
    assert javascript.tokenize("(" * 50_000)


def test_tokens_are_the_languages_own():
    assert python.tokenize("x = 'a b'  # c\ny**=2\n") == ["x", "=", "'a b'", "y", "**=", "2"]
    assert javascript.tokenize('let a = "b c"; // d\na >>>= /e f/g;') == [
        "let", "a", "=", '"b c"', ";", "a", ">>>=", "/e f/g", ";",
    ]  # fmt: skip


def test_reports_keep_every_line_at_its_number():
    code = '"use strict";\nconst f = (x) => {\n  if (x) return 1;\n  return x => x\n}\n'
    for what in ("lines", "locals"):
        made = javascript.instrument(code, what)
        assert javascript.check_syntax(made) is None
        assert made.startswith('"use strict";')
        assert len(made.splitlines()) == len(code.splitlines())
    assert javascript.instrument("f(", "lines") == "f("


@pytest.fixture(scope="module")
def javascript_tasks():
    try:
        return list(benchmarks.load("humanevalpack", "javascript"))
    except SelfdebugError as error:
        pytest.skip(str(error))


@pytest.mark.slow
def test_observed_programs_do_what_they_did(javascript_tasks):
    with Sandbox() as box:
        for task in javascript_tasks:
            for code in (task.reference, task.broken):
                plain = box.judge(task, code, tests=task.visible_tests)
                seen = box.judge(task, code, tests=task.visible_tests, observe="lines")
                assert [r.status for r in plain.results] == [r.status for r in seen.results]
                assert all(r.lines for r in seen.results if r.status in ("pass", "wrong"))
