"""What a model is told about a wrong program, and what it is never told."""

import importlib
import json
import shutil
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfdebug.feedback import KINDS, Repairs, feedback
from selfdebug.feedback.failing_test import WHAT, cap
from selfdebug.feedback.shuffled import shuffled
from selfdebug.types import Repair, SelfdebugError, Task, Test, TestResult, TraceStep, Verdict

static_module = importlib.import_module("selfdebug.feedback.static")

CODE = "def last(xs):\n    n = len(xs)\n    return xs[n]\n"
TASK = Task(
    "t",
    "python",
    "Return the last item.",
    "last",
    (
        Test("v0", "program", "assert last([1]) == 1"),
        Test("v1", "program", "assert last([2]) == 2"),
    ),
)
ERROR = TestResult(
    "v1", "exception", "last([2])", "2", message="IndexError: list index out of range", line=3
)


def verdict(*results: TestResult) -> Verdict:
    return Verdict("t", "sha", results, "A")


def say(kind, *results, code=CODE, task=TASK, **options):
    return feedback(kind, task, code, verdict(*results), **options)


def test_a_wrong_value_is_input_expected_got():
    passed = TestResult("v0", "pass", "last([1])", "1", "1")
    failed = TestResult("v1", "wrong", "last([2])", "2", "None")
    assert say("tests", passed, failed, replace(failed, call="last([3])")) == (
        "The program returns a wrong value.\nInput:    last([2])\nExpected: 2\nGot:      None"
    )


def test_what_the_test_checked_is_said_of_a_wrong_value():
    failed = TestResult("v0", "wrong", "last([2])", "True", "2", "does not hold: last([2]) > 3")
    assert say("tests", failed).endswith("Got:      2\nCheck:    does not hold: last([2]) > 3")


def test_an_error_quotes_the_programs_own_line():
    assert say("tests", ERROR) == (
        "The program raises an error.\n"
        "Input:    last([2])\n"
        "Expected: 2\n"
        "Error:    IndexError: list index out of range\n"
        "Line 3:   return xs[n]"
    )


def test_a_program_that_does_not_load_has_no_input():
    failed = TestResult("v0", "load_error", message="SyntaxError: expected ':'", line=1)
    assert say("tests", failed) == (
        "The program does not load.\nError:    SyntaxError: expected ':'\nLine 1:   def last(xs):"
    )


def test_a_test_without_a_call_is_shown_itself():
    failed = TestResult("v1", "wrong")
    assert "Test:     assert last([2]) == 2" in say("tests", failed)


def test_values_of_several_lines_are_set_off():
    failed = TestResult("v0", "wrong", "stdin: 1 2\n3\n", "6\n", "3\n\n  3\n")
    assert say("tests", failed) == (
        "The program returns a wrong value.\n"
        "Input:\n    stdin: 1 2\n    3\n"
        "Expected: 6\n"
        "Got:\n    3\n    \n      3"
    )


@pytest.mark.parametrize("status", WHAT)
def test_every_way_to_fail_is_said_in_words(status):
    assert say("tests", TestResult("v0", status)).startswith(WHAT[status])


def test_long_values_keep_both_ends():
    failed = TestResult("v0", "wrong", "last([2])", "1" * 5000 + "END", "x")
    told = say("tests", failed)
    assert "END" in told
    assert len(told) < 500
    assert cap("x" * 300) == "x" * 300


def test_kinds_can_be_joined_and_an_unknown_one_names_the_others():
    told = say("tests+trace+static", ERROR, judge=TraceJudge())
    assert told.startswith("The program raises an error.")
    assert "Trace:" in told
    assert "Static analysis" in told
    with pytest.raises(SelfdebugError, match="no feedback 'test': there are tests, static, trace"):
        say("test", ERROR)


class TraceJudge:
    """Answers every run with one fixed trace, and remembers which tests it was asked to run."""

    def __init__(self, steps=3):
        self.asked = []
        values = [{"xs": "[2]"}, {"xs": "[2]", "n": "1"}, {"xs": "[2]", "n": "1"}]
        self.trace = tuple(TraceStep(i % 3 + 1, values[i % 3]) for i in range(steps))

    def judge(self, task, code, *, tests=None, stop_early=False, observe="", limits=None):
        assert observe == "locals"
        self.asked += tests
        return verdict(replace(ERROR, trace=self.trace))


def test_trace_shows_the_values_that_change():
    judge = TraceJudge()
    assert say("trace", ERROR, judge=judge).endswith(
        "Trace:\n"
        "  1 | def last(xs):    # xs = [2]\n"
        "  2 |     n = len(xs)    # n = 1\n"
        "  3 |     return xs[n]"
    )
    assert judge.asked == [TASK.tests[1]]


def test_a_long_trace_keeps_both_ends():
    told = say("trace", ERROR, judge=TraceJudge(steps=1000))
    assert "... 976 steps left out ..." in told
    assert len(told.splitlines()) < 32


def test_trace_needs_a_judge():
    with pytest.raises(SelfdebugError, match="needs a judge"):
        say("trace", ERROR)


MISTAKES = "def last(xs):\n    if xs is 3:\n        return undefined\n    return xs[-1]\n"


def test_static_analysis_names_line_and_mistake():
    told = say("static", ERROR, code=MISTAKES)
    assert told.startswith("Static analysis (ruff) says:")
    assert "Line 3: F821 Undefined name `undefined`\n    return undefined" in told


def test_static_analysis_counts_lines_without_the_prelude():
    task = replace(TASK, prelude="from typing import List\nimport os\n")
    code = MISTAKES.replace("(xs)", "(xs: List[int])")
    assert "Line 3: F821" in say("static", ERROR, code=code, task=task)
    assert "List" not in say("static", ERROR, code=code, task=task).replace("List[int]", "")


def test_static_analysis_of_broken_syntax_and_of_clean_code():
    assert "Line 1: invalid-syntax" in say("static", ERROR, code="def last(xs)\n    return 1\n")
    clean = "def last(xs):\n    return xs[-1]\n"
    assert say("static", ERROR, code=clean) == "Static analysis (ruff) finds no mistake."


def test_static_analysis_survives_any_text():
    for code in ("\0", "(" * 3000, "x = '\udc80'", ""):
        assert say("static", ERROR, code=code).startswith("Static analysis (ruff)")


JS_TASK = replace(TASK, language="javascript")


@pytest.fixture
def only(monkeypatch):
    """Pretend that one tool alone is installed."""

    def choose(name, path=None):
        real = shutil.which

        def which(asked, path=None):
            return real(asked, path=path) if asked == name else None

        monkeypatch.setattr(static_module.shutil, "which", which)
        static_module._tool.cache_clear()

    yield choose
    monkeypatch.undo()
    static_module._tool.cache_clear()


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_node_checks_the_syntax_of_javascript(only):
    only("node")
    told = say("static", ERROR, code="function f(x) {\n  return x +;\n}\n", task=JS_TASK)
    assert told == (
        "Static analysis (node) says:\nLine 2: SyntaxError: Unexpected token ';'\n    return x +;"
    )
    right = "function f(x) {\n  return x + 1;\n}\n"
    assert say("static", ERROR, code=right, task=JS_TASK).endswith("(node) finds no syntax error.")


@pytest.mark.skipif(not shutil.which("eslint"), reason="eslint is not installed")
def test_eslint_finds_undefined_names(only):
    only("eslint")
    told = say("static", ERROR, code="function f(x) {\n  return y;\n}\n", task=JS_TASK)
    assert told == "Static analysis (eslint) says:\nLine 2: 'y' is not defined.\n    return y;"


@pytest.mark.skipif(not shutil.which("pylint"), reason="pylint is not installed")
def test_pylint_stands_in_for_ruff(only):
    only("pylint")
    assert "Line 3: Undefined variable 'undefined'" in say("static", ERROR, code=MISTAKES)


def test_what_the_tools_print_is_understood():
    """The words of tools that may be missing here, as the versions we know print them."""
    eslint = [{"messages": [{"line": 3, "message": "'zz' is not defined."}]}]
    assert list(static_module._read_eslint(json.dumps(eslint))) == [(3, "'zz' is not defined.")]
    pylint = "************* Module candidate\n5: Undefined variable 'j'\n"
    assert list(static_module._read_lines(pylint)) == [(5, "Undefined variable 'j'")]


def test_an_analyser_that_fails_is_not_praise(monkeypatch):
    _, ruff = static_module._tool("python")
    tool = static_module.Tool("ruff", "check --no-such-option", static_module._read_lines)
    monkeypatch.setattr(static_module, "_tool", lambda _: (tool, ruff))
    assert "(ruff) fails: error: unexpected argument '--no-such-option'" in say("static", ERROR)


@pytest.mark.parametrize("language", ["python", "javascript"])
def test_without_an_analyser_the_error_says_what_to_install(only, language):
    only("nothing")
    with pytest.raises(SelfdebugError, match="needs an analyser: "):
        say("static", ERROR, task=replace(TASK, language=language))


def repair(task_id, broken, fixed, explanation, language="python"):
    return Repair(task_id, task_id, language, broken, "", explanation, fixed, "injected", "A")


BANK = [
    repair("t", CODE, "the answer itself", "of the same task"),
    repair("a", "def f(xs):\n    return xs[n]\n", "def f(xs):\n    return xs[n - 1]\n", "too far"),
    repair("b", "print('hello')\n", "print('bye')\n", "wrong word"),
    repair("c", CODE, "never shown", "another language", language="javascript"),
]


def test_a_like_repair_is_shown_with_its_explanation_and_change():
    told = say("retrieved", ERROR, repairs=Repairs(BANK))
    assert told == (
        "A like program was repaired before.\ntoo far\n"
        "@@ -1,2 +1,2 @@\n def f(xs):\n-    return xs[n]\n+    return xs[n - 1]"
    )


def test_a_repair_of_the_same_task_is_never_shown():
    told = say("retrieved", ERROR, repairs=Repairs(BANK[:1]))
    assert told == "No like program was repaired before."


def test_retrieval_of_another_language_or_of_nothing_like_it():
    nothing = "No like program was repaired before."
    assert say("retrieved", ERROR, repairs=Repairs([]), task=JS_TASK) == nothing
    for strange in (repair("z", "ξ", "ζ", ""), repair("z", "", "ζ", "")):
        assert say("retrieved", ERROR, repairs=Repairs([strange])) == nothing
    assert Repairs(BANK).like(TASK, " ") is None


def test_retrieval_says_what_it_needs(monkeypatch):
    with pytest.raises(SelfdebugError, match="needs a store of repairs"):
        say("retrieved", ERROR)
    monkeypatch.setitem(sys.modules, "bm25s", None)
    with pytest.raises(SelfdebugError, match=r"pip install 'selfdebug\[retrieval\]'"):
        say("retrieved", ERROR, repairs=Repairs(BANK))


def test_shuffled_feedback_is_of_another_task_in_the_language_and_always_the_same():
    bank = [replace(r, feedback=f"About {r.task_id}.") for r in BANK]
    told = {say("shuffled", ERROR, repairs=Repairs(bank)) for _ in range(3)}
    assert len(told) == 1
    assert told <= {"About a.", "About b."}
    words = {shuffled(TASK, f"program {n}", Repairs(bank)) for n in range(30)}
    assert words == {"About a.", "About b."}


def test_shuffled_feedback_says_what_it_needs():
    with pytest.raises(SelfdebugError, match="--repairs FILE"):
        say("shuffled", ERROR)
    with pytest.raises(SelfdebugError, match="no repair of another python task"):
        say("shuffled", ERROR, repairs=Repairs(BANK[:1]))


SECRET = "s3cr3t"
STATUSES = st.sampled_from([*WHAT, "pass", "not_run"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(STATUSES, st.booleans()), min_size=1, max_size=5), st.booleans())
def test_nothing_of_a_hidden_test_is_ever_told(outcomes, has_call):
    def word(hidden):
        return SECRET if hidden else "shown"

    tests = tuple(
        Test(f"t{i}", "program", f"assert last(['{word(hidden)}'])", hidden)
        for i, (_, hidden) in enumerate(outcomes)
    )
    results = [
        TestResult(
            f"t{i}",
            status,
            f"last(['{word(hidden)}'])" if has_call else "",
            word(hidden),
            word(hidden),
            word(hidden),
            hidden=hidden,
        )
        for i, (status, hidden) in enumerate(outcomes)
    ]
    judge = TraceJudge()
    task = replace(TASK, tests=tests, reference=SECRET)
    # A program may print its input; that includes the input of a hidden test.
    judged = replace(verdict(*results), stdout=SECRET)
    told = feedback("+".join(KINDS), task, CODE, judged, judge=judge, repairs=Repairs(BANK))
    assert SECRET not in told
    assert not any(test.hidden for test in judge.asked)
