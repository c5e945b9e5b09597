"""Mutation search: it mends what one or two changes mend, and touches nothing that is right.

pytest tests/test_search.py
"""

from dataclasses import replace

import pytest

from selfdebug.backends.search import Options, Search, create
from selfdebug.backends.search.localise import ochiai, suspicion
from selfdebug.backends.search.ranking import ranked
from selfdebug.sandbox import Sandbox
from selfdebug.types import Request, Sampling, SelfdebugError, Task, Test, TestResult


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(workers=1) as sandbox:
        yield sandbox


class Spy:
    """The real sandbox, with a note of all that it was asked."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.judged = []

    def judge(self, task, code, **options):
        self.judged.append((task, code))
        return self.sandbox.judge(task, code, **options)

    def judge_many(self, jobs, **options):
        def noted():
            for job in jobs:
                self.judged.append(job)
                yield job

        return self.sandbox.judge_many(noted(), **options)


def javascript(name, *checks, prompt=""):
    tests = [Test(f"t{n}", "program", f"console.assert({c});") for n, c in enumerate(checks)]
    return Task(name, "javascript", prompt, name, tuple(tests))


def python(name, *checks):
    tests = [Test(f"t{n}", "program", f"assert {c}") for n, c in enumerate(checks)]
    return Task(name, "python", "", name, tuple(tests))


LARGEST = javascript("largest", "largest([1, 5, 2]) === 5", "largest([-3, -2]) === -2")
LARGEST_RIGHT = """\
function largest(xs) {
  let best = -Infinity;
  for (const x of xs) {
    if (x > best) best = x;
  }
  return best;
}
"""
EVENS = python("evens", "evens([1, 2, 3, 4]) == [2, 4]", "evens([]) == []", "evens([5]) == []")
EVENS_RIGHT = """\
def evens(xs):
    return [x for x in xs if x % 2 == 0]
"""


def mend(sandbox, task, code, n=1, **options):
    search = Search(sandbox, Options(**{"seconds": 60.0, **options}))
    return search.sample([Request(task, "explain_refine", code)], n, Sampling())[0]


@pytest.mark.parametrize(
    ("task", "right", "wrong"),
    [
        (LARGEST, LARGEST_RIGHT, LARGEST_RIGHT.replace("-Infinity", "0")),
        (LARGEST, LARGEST_RIGHT, LARGEST_RIGHT.replace("x > best", "x < best")),
        (LARGEST, LARGEST_RIGHT, LARGEST_RIGHT.replace("best = x;", "xs = x;")),
        (LARGEST, LARGEST_RIGHT, LARGEST_RIGHT.replace(" of ", " in ")),
        (LARGEST, LARGEST_RIGHT, LARGEST_RIGHT.replace("of xs)", "of xs")),
        (LARGEST, LARGEST_RIGHT, LARGEST_RIGHT.replace("return best;", "best;")),
        (EVENS, EVENS_RIGHT, EVENS_RIGHT.replace("== 0", "== 1")),
        (EVENS, EVENS_RIGHT, EVENS_RIGHT.replace("2 ==", "3 ==")),
        (EVENS, EVENS_RIGHT, EVENS_RIGHT.replace("]\n", "\n")),
    ],
)
def test_a_bug_of_one_change_is_mended(sandbox, task, right, wrong):
    assert right != wrong
    (done,) = mend(sandbox, task, wrong)
    assert done.code != wrong
    assert sandbox.judge(task, done.code).passed


def test_a_bug_of_two_changes_is_mended(sandbox):
    wrong = LARGEST_RIGHT.replace("-Infinity", "0").replace("x > best", "x < best")
    (done,) = mend(sandbox, LARGEST, wrong)
    assert sandbox.judge(LARGEST, done.code).passed
    assert "In the program changed so far" in done.explanation
    (done,) = mend(sandbox, LARGEST, wrong, depth=1)
    assert done.code == wrong


@pytest.mark.parametrize(("task", "code"), [(LARGEST, LARGEST_RIGHT), (EVENS, EVENS_RIGHT)])
def test_a_right_program_is_left_as_it_is(sandbox, task, code):
    spy = Spy(sandbox)
    (done,) = mend(spy, task, code)
    assert (done.code, done.explanation) == (code, "")
    assert len(spy.judged) == 1


def test_a_program_that_cannot_be_mended_is_left_as_it_is(sandbox):
    code = "function largest(xs) { return 'no idea'; }"
    task = javascript("largest", "largest([3]) === 3", "largest([1, 4]) === 4 && largest([]) === 9")
    (done,) = mend(sandbox, task, code, candidates=300)
    assert (done.code, done.explanation) == (code, "")


def test_only_visible_tests_decide(sandbox):
    hidden = Test("h", "program", "console.assert(largest([]) === -Infinity);", hidden=True)
    spy = Spy(sandbox)
    task = replace(LARGEST, tests=(*LARGEST.tests, hidden))
    mend(spy, task, LARGEST_RIGHT.replace("x > best", "x < best"))
    assert len(spy.judged) > 1
    assert all(not test.hidden for task, _ in spy.judged for test in task.tests)


def test_the_explanation_says_what_was_wrong_and_how_it_showed(sandbox):
    (done,) = mend(sandbox, LARGEST, LARGEST_RIGHT.replace("x > best", "x < best"))
    assert "line 4" in done.explanation.lower()
    assert "`x < best`" in done.explanation
    assert "`x > best`" in done.explanation
    assert done.explanation.endswith("Before, largest([ 1, 5, 2 ]) gave -Infinity.")


def test_the_explanation_says_what_was_expected_where_a_test_tells(sandbox):
    call = Test("c", "call", '{"args": [[1, 5, 2]], "expected": 5}')
    task = replace(LARGEST, tests=(call, *LARGEST.tests))
    (done,) = mend(sandbox, task, LARGEST_RIGHT.replace("x > best", "x < best"))
    assert done.explanation.endswith("Before, largest([ 1, 5, 2 ]) gave -Infinity instead of 5.")


def test_spans_are_exact(sandbox):
    (done,) = mend(sandbox, LARGEST, LARGEST_RIGHT.replace("x > best", "x < best"))
    start, end = done.spans["code"]
    assert done.text[start:end] == done.code
    start, end = done.spans["explanation"]
    assert done.text[start:end] == done.explanation


def test_several_repairs_differ(sandbox):
    done = mend(sandbox, LARGEST, LARGEST_RIGHT.replace("x > best", "x < best"), n=2)
    assert len({completion.code for completion in done}) == 2
    assert all(sandbox.judge(LARGEST, completion.code).passed for completion in done)


def test_the_same_program_is_mended_the_same_way(sandbox):
    wrong = LARGEST_RIGHT.replace("-Infinity", "0")
    assert mend(sandbox, LARGEST, wrong) == mend(sandbox, LARGEST, wrong)


@pytest.mark.slow
def test_candidates_that_loop_do_not_eat_the_budget(sandbox):
    task = javascript("half", "half(8) === 4", "half(3) === 1", "half(0) === 0")
    code = """\
function half(n) {
  let count = 0;
  while (n > 1) {
    n = n + 2;
    count++;
  }
  return count;
}
"""
    (done,) = mend(sandbox, task, code)
    assert sandbox.judge(task, done.code).passed
    assert "n = n - 2" in done.code


def test_the_budget_is_kept(sandbox):
    spy = Spy(sandbox)
    task = javascript("largest", "largest([3]) === 'x'", "largest([1, 4]) === 'y'")
    mend(spy, task, LARGEST_RIGHT, candidates=50)
    assert 25 <= len(spy.judged) <= 51 + 1


def test_lines_that_the_task_gives_are_not_changed(sandbox):
    helper = "const twice = (n) => n * 2;"
    prompt = f"{helper}\n// Four times n.\nconst fourfold = (n) => {{"
    task = javascript("fourfold", "fourfold(3) === 12", "fourfold(1) === 4", prompt=prompt)
    code = f"{helper}\nconst fourfold = (n) => {{\n  return twice(n) + 1;\n}};\n"
    result = sandbox.judge(task, code, observe="lines").results
    assert {mutation.line for mutation in ranked(task, code, result)} == {3}
    whole = replace(task, prompt=code)
    assert {mutation.line for mutation in ranked(whole, code, result)} == {1, 2, 3}


def test_it_mends_and_does_not_write(sandbox):
    with pytest.raises(SelfdebugError, match="cannot write one"):
        Search(sandbox).sample([Request(LARGEST, "generate")], 1, Sampling())


def test_options_come_as_text(sandbox):
    search = create(sandbox, seconds="1.5", candidates="10")
    assert search.name == "search"
    with pytest.raises(SelfdebugError, match="seconds"):
        create(sandbox, secnds="1")


def seen(status, *lines, line=0):
    return TestResult("t", status, lines=lines, line=line)


class TestLocalisation:
    def test_a_line_that_only_failing_tests_run_is_certain(self):
        scores = ochiai([seen("wrong", 1, 2, 4), seen("pass", 1, 3, 4)])
        assert scores[2] == 1
        assert scores[1] == scores[4] == pytest.approx(0.5**0.5)
        assert scores[3] == 0

    def test_it_is_ochiais_measure(self):
        results = [seen("wrong", 1), seen("exception", 2), *[seen("pass", 1)] * 3]
        assert ochiai(results)[1] == pytest.approx(1 / (2 * 4) ** 0.5)

    def test_a_line_between_takes_after_the_one_before(self):
        of = suspicion([seen("wrong", 2, 5), seen("pass", 2)])
        assert of(5) == 1
        assert of(6) == pytest.approx(0.9)
        assert 0 < of(3) < of(2) < of(5)

    def test_nothing_is_ruled_out(self):
        of = suspicion([seen("wrong", 1), seen("pass", 2)])
        assert of(2) > 0

    def test_where_nothing_runs_the_error_tells(self):
        of = suspicion([seen("load_error", line=4)])
        assert of(4) > of(5) > of(9) > 0
        assert suspicion([seen("wrong")])(3) == 1

    def test_it_leads_to_the_line(self, sandbox):
        task = javascript("f", "f(1) === 1", "f(2) === 4", "f(-1) === 1")
        code = "function f(x) {\n  if (x > 1) {\n    return x + x + 1;\n  }\n  return x * x;\n}\n"
        results = sandbox.judge(task, code, observe="lines").results
        assert max(range(1, 7), key=suspicion(results)) == 3
