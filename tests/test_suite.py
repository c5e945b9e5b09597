"""A user's own test files run beside the candidate: what each test shows, and what it cannot do."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from selfdebug import sourcefile, usertests
from selfdebug.sandbox import Sandbox, suite_judge
from selfdebug.sandbox.channel import Lost, Message
from selfdebug.types import Limits, TestResult, Verdict
from selfdebug.usertests import project
from selfdebug.usertests.project import Project

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    """A folder that the sandbox's unprivileged user can read, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="selfdebug-test-")).resolve()
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def sandbox(base: Path) -> Iterator[Sandbox]:
    """One worker for all tests here; what it may read is said by each suite."""
    where = Project(base, base)
    reads = [str(base), *project.packages(where), usertests._JS]
    if node := shutil.which("node"):
        reads.append(str(Path(node).resolve()))
    with Sandbox(workers=1, read_paths=reads, limits=Limits(cpu_seconds=0.5)) as opened:
        yield opened


class Suite:
    """A project on disk whose tests run in the sandbox."""

    def __init__(self, root: Path, sandbox: Sandbox, files: dict[str, str], tests: str) -> None:
        self.root, self.sandbox = root, sandbox
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text).lstrip("\n"))
        self.file = root / next(iter(files))
        source = sourcefile.read(self.file)
        self.asked = usertests.load(source, root / tests, "", Project(root, root))
        self.task = self.asked.listed(sandbox)

    @property
    def ids(self) -> list[str]:
        return [test.id for test in self.task.tests]

    def run(self, code: str | None = None, *, only: str = "", **options: object) -> Verdict:
        text = self.file.read_text() if code is None else dedent(code)
        tests = [test for test in self.task.tests if only in test.id] if only else None
        return self.sandbox.judge(self.task, text, tests=tests, **options)  # type: ignore[arg-type]

    def statuses(self, code: str | None = None, **options: object) -> dict[str, str]:
        found = self.run(code, **options)
        return {r.test_id.rpartition("::")[2]: r.status for r in found.results}

    def result(self, code: str | None = None, *, only: str, **options: object) -> TestResult:
        return self.run(code, only=only, **options).results[0]


MakeSuite = Callable[..., Suite]


@pytest.fixture
def suite(base: Path, sandbox: Sandbox, request: pytest.FixtureRequest) -> Iterator[MakeSuite]:
    """Make a suite of files, the first of which is the candidate's."""
    root = base / f"project{abs(hash(request.node.nodeid))}"
    root.mkdir()

    def make(tests: str, **files: str) -> Suite:
        named = {
            name.replace("__", "/").replace("_py", ".py"): text for name, text in files.items()
        }
        return Suite(root, sandbox, named, tests)

    yield make
    shutil.rmtree(root)


CALC = """
    def add(a, b):
        return a + b

    def halve(number):
        if number % 2:
            raise ValueError(f"{number} is odd")
        return number // 2
"""
TEST_CALC = """
    import pytest
    from calc import add, halve

    @pytest.mark.parametrize(("a", "b", "want"), [(1, 2, 3), (0, 0, 0)])
    def test_add(a, b, want):
        assert add(a, b) == want

    def test_halve():
        got = halve(4)
        assert 2 == got

    def test_odd():
        with pytest.raises(ValueError, match="odd"):
            halve(3)

    class TestGroup:
        def test_inside(self):
            assert add("a", "b") == "ab"
"""


@pytest.fixture
def calc(suite: MakeSuite) -> Suite:
    return suite("test_calc.py", calc_py=CALC, test_calc_py=TEST_CALC)


# pytest: what is run


def test_every_test_has_a_result_of_its_own_under_the_id_that_pytest_gives_it(calc: Suite) -> None:
    assert calc.ids == [
        "test_calc.py::test_add[1-2-3]",
        "test_calc.py::test_add[0-0-0]",
        "test_calc.py::test_halve",
        "test_calc.py::test_odd",
        "test_calc.py::TestGroup::test_inside",
    ]
    assert calc.run().passed


def test_the_verdict_says_that_it_was_reached_in_the_candidates_process(calc: Suite) -> None:
    assert calc.run().trust == "in_process"


def test_the_candidates_text_is_judged_and_not_the_file(calc: Suite) -> None:
    assert calc.statuses("add = lambda a, b: 0\ndef halve(n): return 2") == {
        "test_add[1-2-3]": "wrong",
        "test_add[0-0-0]": "pass",
        "test_halve": "pass",
        "test_odd": "wrong",
        "test_inside": "wrong",
    }


def test_only_the_tests_that_were_asked_for_run(calc: Suite) -> None:
    assert [r.test_id for r in calc.run(only="test_odd").results] == ["test_calc.py::test_odd"]


def test_stop_early_leaves_the_rest_unrun(calc: Suite) -> None:
    found = calc.run("def add(a, b): return 7\ndef halve(n): return 7", stop_early=True)
    assert [r.status for r in found.results] == ["wrong", *["not_run"] * 4]


def test_packages_relative_imports_conftest_fixtures_and_temporary_folders(
    suite: MakeSuite,
) -> None:
    found = suite(
        "tests/test_cart.py",
        src__shop__cart_py="from .prices import vat\ndef total(net): return net + vat(net)\n",
        src__shop____init___py="",
        src__shop__prices_py="def vat(net):\n    return net // 5\n",
        tests__conftest_py="import pytest\n\n@pytest.fixture\ndef net():\n    return 100\n",
        tests__test_cart_py="""
            from shop import cart

            def test_total(net, tmp_path):
                (tmp_path / "receipt").write_text(str(cart.total(net)))
                assert (tmp_path / "receipt").read_text() == "120"
        """,
    )
    assert found.statuses() == {"test_total": "pass"}
    assert found.statuses("def total(net): return 1") == {"test_total": "wrong"}


def test_a_module_that_tests_load_by_its_path_is_the_candidate_too(suite: MakeSuite) -> None:
    found = suite(
        "test_tool.py",
        tool_py="ANSWER = 41\n",
        test_tool_py="""
            import importlib.util, pathlib

            def test_answer():
                path = pathlib.Path(__file__).parent / "tool.py"
                spec = importlib.util.spec_from_file_location("anything", path)
                module = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
                assert module.ANSWER == 42
        """,
    )
    assert found.statuses() == {"test_answer": "wrong"}
    assert found.statuses("ANSWER = 42\n") == {"test_answer": "pass"}


def test_a_users_own_module_wins_over_one_of_the_same_name_that_is_loaded_already(
    suite: MakeSuite,
) -> None:
    found = suite(
        "test_statistics.py",
        statistics_py="def mean(xs):\n    return 'mine'\n",
        test_statistics_py="""
            import statistics

            def test():
                assert statistics.mean([]) == "mine"
        """,
    )
    assert found.statuses() == {"test": "pass"}


def test_skipped_tests_are_neither_passed_nor_failed(suite: MakeSuite) -> None:
    found = suite(
        "test_it.py",
        it_py="x = 1\n",
        test_it_py="""
            import it, pytest

            @pytest.mark.skip(reason="too slow")
            def test_skipped(): assert False

            @pytest.mark.xfail
            def test_expected_to_fail(): assert it.x == 2

            def test_runs(): assert it.x == 1
        """,
    ).run()
    assert [(r.status, r.message) for r in found.results] == [
        ("not_run", "skipped: too slow"),
        ("not_run", "skipped: it is expected to fail"),
        ("pass", ""),
    ]


def test_settings_of_the_project_hold_but_options_that_need_plugins_are_left_out(
    suite: MakeSuite,
) -> None:
    found = suite(
        "test_it.py",
        it_py="x = 1\n",
        test_it_py="def test_path():\n    import it, elsewhere\n    assert it.x == elsewhere.x\n",
        lib__elsewhere_py="x = 1\n",
        **{
            "pytest.ini": "[pytest]\naddopts = --cov -n auto\npythonpath = lib\n"
            "filterwarnings = error\ntimeout = 3\n"
        },
    )
    assert found.statuses() == {"test_path": "pass"}


# pytest: what a result says


def test_a_wrong_value_is_told_as_call_expected_and_got(calc: Suite) -> None:
    wrong = "def add(a, b): return a - b\ndef halve(n): return 5"
    first = calc.result(wrong, only="1-2-3")
    assert (first.call, first.got, first.expected) == ("add(1, 2)", "-1", "3")
    assert first.message.startswith("assert -1 == 3")
    # The value may have a name, and stand on either side.
    second = calc.result(wrong, only="test_halve")
    assert (second.call, second.got, second.expected) == ("halve(4)", "5", "2")


def test_a_wrong_truth_value_is_told_too(suite: MakeSuite) -> None:
    found = suite(
        "test_it.py",
        it_py="def even(n):\n    return n % 2\n",
        test_it_py="""
            from it import even

            def test_even():
                assert even(4), "four is even"

            def test_odd():
                assert not even(3)
        """,
    )
    told = [(r.call, r.got, r.expected) for r in found.run().results]
    assert told == [("even(4)", "0", "True"), ("even(3)", "1", "False")]


def test_an_exception_is_told_with_the_candidates_own_line(calc: Suite) -> None:
    found = calc.result("def add(a, b):\n    c = a\n    return c.b\n\nhalve = add", only="1-2-3")
    assert found.status == "exception"
    assert found.line == 3
    assert found.message == "AttributeError: 'int' object has no attribute 'b'"
    assert found.call == "add(1, 2)"


def test_an_error_that_does_not_come_is_told_as_expected(calc: Suite) -> None:
    found = calc.result("def halve(n): return n // 2\nadd = halve", only="test_odd")
    assert (found.call, found.expected) == ("halve(3)", "raises ValueError")


def test_a_test_that_stumbles_over_the_value_says_that_the_value_is_wrong(calc: Suite) -> None:
    found = calc.result("def add(a, b): return None\nhalve = None", only="test_odd")
    assert found.status == "wrong"
    assert found.message == "TypeError: 'NoneType' object is not callable"


def test_unittest_classes_are_told_in_the_same_way(suite: MakeSuite) -> None:
    found = suite(
        "test_it.py",
        it_py="def double(x):\n    return x\n",
        test_it_py="""
            import unittest
            from it import double

            class Case(unittest.TestCase):
                def test_double(self):
                    self.assertEqual(double(4), 8)
        """,
    ).run()
    assert [(r.status, r.call) for r in found.results] == [("wrong", "double(4)")]
    assert found.results[0].expected == "8"


def test_executed_lines_are_of_the_candidate_and_of_each_test_alone(calc: Suite) -> None:
    found = {r.test_id: r.lines for r in calc.run(observe="lines").results}
    assert found["test_calc.py::test_add[1-2-3]"] == (2,)
    assert found["test_calc.py::test_halve"] == (5, 7)
    assert found["test_calc.py::test_odd"] == (5, 6)


def test_statements_that_compute_at_import_belong_to_every_test(suite: MakeSuite) -> None:
    found = suite(
        "test_it.py",
        it_py='"""Doc."""\nimport os\n\nTABLE = [1,\n  2]\n\n\ndef at(i):\n    return TABLE[i]\n',
        test_it_py="from it import at\n\ndef test_at():\n    assert at(0) == 1\n",
    )
    assert found.result(only="test_at", observe="lines").lines == (4, 5, 9)


def test_messages_are_the_same_in_every_run(suite: MakeSuite) -> None:
    found = suite(
        "test_it.py",
        it_py="class Thing:\n    pass\n",
        test_it_py="from it import Thing\n\ndef test_it():\n    assert Thing() == 3\n",
    )
    assert found.run().results[0].got == "<it.Thing object>"


# Candidates that do not load, hang, die or cheat


@pytest.mark.parametrize(
    ("code", "status", "message"),
    [
        ("def add(:", "load_error", "SyntaxError: invalid syntax"),
        ("def add(a, b): return 1", "load_error", "cannot import name 'halve'"),
        ("1 / 0", "load_error", "ZeroDivisionError: division by zero"),
        ("import sys; sys.exit(0)", "exited_early", "SystemExit: 0"),
        ("import os; os._exit(0)", "exited_early", "exit code 0"),
    ],
)
def test_a_program_that_does_not_load_fails_every_test(
    calc: Suite, code: str, status: str, message: str
) -> None:
    for result in calc.run(code).results:
        assert result.status == status
        assert message in result.message


def test_a_syntax_error_has_its_line(calc: Suite) -> None:
    assert calc.run("x = 1\n\ndef add(:\n").results[0].line == 3


def test_a_test_that_hangs_is_a_timeout_and_the_others_still_run(calc: Suite) -> None:
    code = (
        "def add(a, b):\n    return a + b\n\ndef halve(n):\n    while n == 4: pass\n    return n\n"
    )
    found = calc.run(code)
    assert [r.status for r in found.results] == ["pass", "pass", "timeout", "wrong", "pass"]
    assert found.results[2].line == 5
    assert found.results[2].message == "still running after 0.5 s of CPU time"


def test_a_program_that_catches_its_own_timeout_is_killed(calc: Suite) -> None:
    code = """
        def halve(n):
            while True:
                try:
                    while True: pass
                except BaseException:
                    pass
        def add(a, b): return a + b
    """
    limits = Limits(cpu_seconds=0.3, max_timeouts=1)
    found = calc.run(code, limits=limits)
    assert [r.status for r in found.results] == ["pass", "pass", "timeout", "not_run", "not_run"]


def test_a_program_that_hangs_as_it_loads_is_a_timeout(calc: Suite) -> None:
    assert {r.status for r in calc.run("while True: pass").results} == {"timeout"}


def test_a_death_costs_the_test_that_was_running(calc: Suite) -> None:
    code = (
        "import os\nadd = lambda a, b: a + b\ndef halve(n):\n    os._exit(0) if n == 4 else 1 / 0"
    )
    found = calc.statuses(code)
    assert found["test_halve"] == "exited_early"
    assert [found["test_odd"], found["test_inside"]] == ["exception", "pass"]


def test_a_program_cannot_gain_by_skipping(calc: Suite) -> None:
    found = calc.run("import pytest\npytest.skip(allow_module_level=True)")
    assert not found.passed
    assert "pass" not in {r.status for r in found.results}


HOSTILE = {
    "write beside the tests": "open({root!r} + '/test_calc.py', 'w').write('')",
    "make a file": "open({root!r} + '/new', 'w')",
    "delete the tests": "os.unlink({root!r} + '/test_calc.py')",
    "rename itself": "os.rename({root!r} + '/calc.py', {root!r} + '/gone.py')",
    "truncate": "os.truncate({root!r} + '/calc.py', 0)",
    "change modes": "os.chmod({root!r} + '/calc.py', 0)",
    "compiled files": "os.makedirs({root!r} + '/__pycache__')",
    "link": "os.symlink('/etc/passwd', {root!r} + '/link')",
}


@pytest.mark.parametrize("deed", HOSTILE)
def test_hostile_code_cannot_change_the_project(calc: Suite, deed: str) -> None:
    before = {p: (p.read_bytes(), p.stat().st_mode) for p in calc.root.rglob("*") if p.is_file()}
    statement = HOSTILE[deed].format(root=str(calc.root))
    tried = (
        f"import os\nadd = lambda a, b: a + b\ndef halve(n):\n    {statement}\n    return n // 2\n"
    )
    found = calc.result(tried, only="test_halve")
    assert found.status == "exception"
    assert "Error: [Errno" in found.message
    after = {p: (p.read_bytes(), p.stat().st_mode) for p in calc.root.rglob("*") if p.is_file()}
    assert after == before


@pytest.mark.parametrize(
    "statement",
    [
        "__import__('socket').create_connection(('127.0.0.1', 9))",
        "__import__('subprocess').run(['/bin/true'])",
        "os.fork()",
        "open('/etc/passwd')",
    ],
)
def test_hostile_code_cannot_reach_out(calc: Suite, statement: str) -> None:
    tried = f"import os\nadd = max\ndef halve(n):\n    {statement}\n    return n // 2\n"
    found = calc.result(tried, only="test_halve")
    assert found.status == "exception"
    assert "Error" in found.message


def test_nothing_is_left_in_the_project_by_an_ordinary_run(calc: Suite) -> None:
    calc.run()
    assert {path.name for path in calc.root.iterdir()} == {"calc.py", "test_calc.py"}


# Doctests and scripts


def test_each_docstring_is_a_test(suite: MakeSuite) -> None:
    found = suite(
        "it.py",
        it_py='''
            """Doubles.

            >>> double(2)
            4
            """

            def double(x):
                """
                >>> double(3)
                6
                >>> double("a")
                'aa'
                """
                return x + x

            class Box:
                def open(self):
                    """
                    >>> Box().open()
                    Traceback (most recent call last):
                    ValueError: empty
                    """
                    raise ValueError("empty")

            def plain():
                """No example."""
        ''',
    )
    assert found.ids == ["it", "it.double", "it.Box.open"]
    assert found.run().passed
    wrong = found.run("def double(x): return 2 * x + 0\nclass Box:\n    def open(self): pass")
    assert [r.status for r in wrong.results] == ["pass", "exception", "wrong"]
    assert wrong.results[1].call == 'double("a")'
    assert wrong.results[1].line == 1
    assert wrong.results[2].expected.startswith("Traceback")


def test_doctests_are_those_of_the_file_and_not_of_the_candidate(suite: MakeSuite) -> None:
    found = suite("it.py", it_py='def f():\n    """\n    >>> f()\n    1\n    """\n    return 1\n')
    cheat = 'def f():\n    """\n    >>> f()\n    2\n    """\n    return 2\n'
    assert found.result(cheat, only="it.f").got == "2"
    assert found.result(cheat, only="it.f").expected == "1"


def test_the_examples_of_a_text_share_their_names(suite: MakeSuite) -> None:
    found = suite(
        "guide.md",
        it_py="def double(x):\n    return 2 * x\n",
        **{
            "guide.md": "# Guide\n\n>>> from it import double\n>>> four = double(2)\n\n"
            "Then:\n\n>>> four\n4\n\nAnd:\n\n>>> double(four)\n8\n"
        },
    )
    assert found.ids == ["guide.md:3", "guide.md:8", "guide.md:13"]
    assert found.run().passed
    assert list(found.statuses("double = lambda x: 5 - x").values()) == ["pass", "wrong", "wrong"]
    # A later example still has what the earlier ones made, when it alone is asked for.
    assert found.statuses(only="guide.md:13") == {"guide.md:13": "pass"}


def test_each_assert_of_a_script_is_a_test_and_a_failing_one_does_not_hide_the_next(
    suite: MakeSuite,
) -> None:
    found = suite(
        "check.py",
        it_py="def double(x):\n    return 2 * x\n",
        check_py="""
            import it

            box = [it.double(1)]
            assert box == [2]
            box.append(it.double(2))
            assert box == [2, 4], "two"
            for x in range(3):
                assert it.double(x) == x + x
            print("fine", it)
        """,
    )
    assert found.ids == ["check.py:4", "check.py:6", "check.py:7"]
    assert found.run().passed
    wrong = found.run("def double(x):\n    return 2 if x == 1 else 5\n", observe="lines")
    assert [r.status for r in wrong.results] == ["pass", "wrong", "wrong"]
    assert wrong.results[1].got == "[2, 5]"
    assert wrong.results[1].expected == "[2, 4]"
    assert wrong.results[2].call == "it.double(0)"
    assert wrong.results[2].lines == (2,)


# node


NODE_CALC = """
    'use strict';
    function add(a, b) {
      return a + b;
    }
    function halve(n) {
      if (n % 2) {
        throw new RangeError(`${n} is odd`);
      }
      return n / 2;
    }
    module.exports = { add, halve };
"""
NODE_TEST = """
    const { describe, it } = require('node:test');
    const assert = require('node:assert');
    const { add, halve } = require('./calc');

    describe('add', () => {
      it('adds', () => assert.strictEqual(add(1, 2), 3));
      it('joins', async () => { assert.deepStrictEqual([add('a', 'b')], ['ab']); });
    });
    it('halves', () => { assert.equal(halve(4), 2); });
    it('refuses', () => { assert.throws(() => halve(3), RangeError); });
    it('waits', { skip: 'not yet' }, () => {});
"""


@pytest.fixture
def node_calc(suite: MakeSuite) -> Suite:
    return suite("calc.test.js", **{"calc.js": NODE_CALC, "calc.test.js": NODE_TEST})


@needs_node
def test_node_tests_are_named_by_their_path(node_calc: Suite) -> None:
    assert node_calc.ids == [
        f"calc.test.js::{name}"
        for name in ("add::adds", "add::joins", "halves", "refuses", "waits")
    ]
    assert [r.status for r in node_calc.run().results] == ["pass"] * 4 + ["not_run"]


@needs_node
def test_node_results_say_call_expected_and_got(node_calc: Suite) -> None:
    found = node_calc.run(NODE_CALC.replace("a + b", "a * b").replace("n % 2", "n === 4"))
    results = {r.test_id.rpartition("::")[2]: r for r in found.results}
    adds, halves, refuses = (results[name] for name in ("adds", "halves", "refuses"))
    assert (adds.status, adds.call, adds.got, adds.expected) == ("wrong", "add(1, 2)", "2", "3")
    assert (halves.status, halves.call) == ("exception", "halve(4)")
    assert (halves.line, halves.message) == (8, "RangeError: 4 is odd")
    assert (refuses.call, refuses.expected) == ("halve(3)", "throws RangeError")


@needs_node
def test_node_tells_the_lines_of_each_test(node_calc: Suite) -> None:
    found = {r.test_id: r.lines for r in node_calc.run(observe="lines").results}
    assert found["calc.test.js::add::adds"] == (2, 3)
    assert found["calc.test.js::halves"] == (5, 6, 9)
    assert found["calc.test.js::refuses"] == (5, 6, 7)


@needs_node
@pytest.mark.parametrize(
    ("code", "status", "line"),
    [
        ("\nfunction add( {", "load_error", 2),
        ("process.exit(0)", "exited_early", 0),
        ("throw new Error('no')", "load_error", 1),
        ("for (;;);", "timeout", 0),
    ],
)
def test_a_javascript_program_that_does_not_load_fails_every_test(
    node_calc: Suite, code: str, status: str, line: int
) -> None:
    found = node_calc.run(code)
    assert {(r.status, r.line) for r in found.results} == {(status, line)}


@needs_node
def test_what_came_before_a_javascript_test_that_hangs_is_kept(node_calc: Suite) -> None:
    found = node_calc.statuses(NODE_CALC.replace("return n / 2", "for (;;);"))
    assert found == {
        "adds": "pass",
        "joins": "pass",
        "halves": "timeout",
        "refuses": "not_run",
        "waits": "not_run",
    }


@needs_node
def test_a_javascript_program_that_ends_the_process_does_not_pass(node_calc: Suite) -> None:
    found = node_calc.statuses(NODE_CALC.replace("return a + b", "process.exit(0)"))
    assert found["adds"] == "exited_early"
    assert "pass" not in found.values()


@needs_node
def test_a_promise_that_never_settles_is_told(suite: MakeSuite) -> None:
    found = suite(
        "it.test.mjs",
        **{
            "it.mjs": "export const wait = async () => 1;\n",
            "it.test.mjs": "import test from 'node:test';\nimport assert from 'node:assert';\n"
            "import { wait } from './it.mjs';\n"
            "test('waits', async () => assert.equal(await wait(), 1));\n",
        },
    )
    assert found.run().passed
    never = found.run("export const wait = () => new Promise(() => {});\n")
    assert [r.status for r in never.results] == ["timeout"]
    assert "pending" in never.results[0].message


@needs_node
def test_modules_are_replaced_too_and_their_syntax_errors_have_a_line(suite: MakeSuite) -> None:
    found = suite(
        "test/it.test.js",
        **{
            "it.js": "import { one } from './one.js';\nexport const two = one + one;\n",
            "one.js": "export const one = 1;\n",
            "package.json": '{"type": "module"}',
            "test/it.test.js": "import test from 'node:test';\nimport assert from 'node:assert';\n"
            "import { two } from '../it.js';\ntest('two', () => assert.equal(two, 2));\n",
        },
    )
    assert found.run().passed
    assert found.result("export const two = 3;\n", only="two").got == "3"
    broken = found.result("export const two = 2;\nexport const three = (;\n", only="two")
    assert (broken.status, broken.line) == ("load_error", 2)


@needs_node
def test_each_assert_of_a_javascript_script_is_a_test(suite: MakeSuite) -> None:
    script = """
        const assert = require('assert');
        const { add } = require('./calc');
        const box = [add(1, 1)];
        assert.deepStrictEqual(box, [2]);
        box.push(add(2, 2));
        assert.deepStrictEqual(box, [2, 4]);
        for (const n of [1, 2]) {
          assert(add(n, 0) === n);
        }
    """
    found = suite("check.js", **{"calc.js": NODE_CALC, "check.js": script})
    assert found.ids == ["check.js:4", "check.js:6", "check.js:7"]
    assert found.run().passed
    wrong = found.run(NODE_CALC.replace("a + b", "a * b + 1")).results
    assert [r.status for r in wrong] == ["pass", "wrong", "wrong"]
    assert (wrong[1].call, wrong[1].got, wrong[1].expected) == ("box", "[ 2, 5 ]", "[ 2, 4 ]")


@needs_node
def test_a_script_whose_asserts_come_late_is_one_test(suite: MakeSuite) -> None:
    script = """
        const assert = require('assert');
        const { add } = require('./calc');
        setTimeout(() => assert.equal(add(1, 2), 3), 5);
    """
    found = suite("check.js", **{"calc.js": NODE_CALC, "check.js": script})
    assert found.ids == ["check.js"]
    assert found.run().passed
    wrong = found.run(NODE_CALC.replace("a + b", "a - b")).results[0]
    assert (wrong.status, wrong.got, wrong.expected) == ("wrong", "-1", "3")
    assert not found.run("process.exit(0)").passed


@needs_node
def test_hostile_javascript_cannot_change_the_project(node_calc: Suite) -> None:
    path = json.dumps(str(node_calc.root / "calc.test.js"))
    deed = f"require('fs').writeFileSync({path}, '')"
    before = (node_calc.root / "calc.test.js").read_bytes()
    found = node_calc.statuses(NODE_CALC.replace("return a + b", deed))
    assert found["adds"] == "exception"
    assert (node_calc.root / "calc.test.js").read_bytes() == before


# The judge's side reads what the child says as data


class Script:
    """A child that says what it is told to; the real one would not say such things."""

    engine = ""

    def __init__(self, *news: Message) -> None:
        self.news = list(news)

    def start(self) -> None: ...
    def begin_test(self) -> None: ...

    def request(self, message: Message, on_callback: Callable[[Message], Message]) -> Message:
        for each in self.news:
            on_callback(each)
        return {"done": True}


def judged(*news: Message) -> list[Message]:
    limits = {"cpu_seconds": 1.0, "wall_factor": 4.0, "max_timeouts": 2}
    job = {
        "cpu_backstop": 4,
        "tests": [{"id": "a", "body": json.dumps({"runner": "pytest", "read": [], "file_id": ""})}],
        "code": "",
        "observe": "",
        "stop_early": False,
        "limits": limits,
    }
    found: list[Message] = []
    suite_judge.run_suite(job, Script(*news), lambda lost: {"status": "crashed"}, found.append)
    return found


@pytest.mark.parametrize(
    "said",
    [
        {"test_id": "a", "status": "excellent"},
        {"test_id": "a", "status": "pass "},
        {"test_id": "a"},
        {"test_id": "b", "status": "pass"},
        {"status": "pass"},
    ],
)
def test_a_result_that_is_none_is_no_pass(said: Message) -> None:
    assert [r["status"] for r in judged({"result": said})] != ["pass"]


def test_the_first_word_on_a_test_counts() -> None:
    wrong, right = ({"result": {"test_id": "a", "status": s}} for s in ("wrong", "pass"))
    assert judged(wrong, right)[0]["status"] == "wrong"


def test_what_a_child_says_is_capped() -> None:
    said = {"test_id": "a", "status": "wrong", "got": "x" * 10**6, "line": "7", "lines": [1, "2"]}
    found = judged({"result": said})[0]
    assert len(found["got"]) < 10_000
    assert (found["line"], found["lines"]) == (0, [0, 1])


def test_nonsense_ends_the_conversation() -> None:
    assert judged({"surprise": 1})[0]["status"] == "crashed"
    assert issubclass(Lost, Exception)
