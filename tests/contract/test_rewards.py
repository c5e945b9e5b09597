"""What every reward promises: its span, a bound, None where it cannot say, and the right order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from selfdebug import plugins, prompts
from selfdebug.rewards.explanation import ledex
from selfdebug.sandbox import Sandbox
from selfdebug.types import Request, Task, Test, TestResult, Verdict

RIGHT = "def area(a, b):\n    return a * b\n"
WRONG = "def area(a, b):\n    return a + b\n"
TASK = Task(
    "area",
    "python",
    "Return the area of a rectangle.",
    "area",
    (
        Test("one", "program", "assert area(2, 2) == 4"),
        Test("two", "program", "assert area(2, 3) == 6"),
    ),
    reference=RIGHT,
)
FAILURE = TestResult("two", "wrong", "area(2, 3)", expected="6", got="5")
TRUE = (
    "Line 2 is wrong: `return a + b` should be `return a * b`. "
    "For `area(2, 3)` it returns `5`, but `6` is expected."
)
FALSE = "Line 7 is wrong: `range(n)` should be `range(n + 1)`."
NAMES = ("verdict", "request", "reply", "failure", "fixed", "explanations")


@pytest.fixture(params=plugins.names("rewards"), scope="module")
def name(request):
    return request.param


@pytest.fixture(scope="module")
def reward(name):
    return plugins.load("rewards", name)


@pytest.fixture(scope="module")
def verdicts():
    with Sandbox(workers=1) as sandbox:
        return {code: sandbox.judge(TASK, code) for code in (RIGHT, WRONG)}


def columns(said, code, verdicts):
    """One row as a rollout makes it."""
    text = f"{said}\n\n{prompts.fenced('python', code)}" if code else said
    return {
        "request": Request(TASK, "explain_refine", WRONG, "The program returns a wrong value."),
        "reply": prompts.parse("python", text, entry_point="area"),
        "verdict": verdicts.get(code),
        "failure": FAILURE,
        "fixed": [RIGHT],
        "explanations": [TRUE],
        "ask": "a column that a reward has no use for",
    }


def scores(reward, *rows):
    """Called as TRL calls it: lists, by name, and more of them than it needs."""
    table = {name: [row[name] for row in rows] for name in rows[0]}
    return reward.reward(completions=[row["reply"].text for row in rows], **table)


def test_it_says_which_words_it_is_about_and_whether_programs_must_run(reward):
    assert reward.SPAN in ("code", "explanation", "reply")
    assert reward.JUDGED in (True, False)


def test_the_reference_with_a_true_explanation_earns_at_least_what_the_wrong_program_does(
    reward, name, verdicts
):
    good, bad = scores(reward, columns(TRUE, RIGHT, verdicts), columns(FALSE, WRONG, verdicts))
    assert -5 <= bad <= good <= 5
    if name != "form":  # both are well formed
        assert bad < good


def test_it_is_unscorable_where_there_is_nothing_to_score(reward, name, verdicts):
    """No program, no explanation, no verdict, nothing to compare with: None, and never a fault."""
    bare = {**columns("", "", verdicts), "failure": None, "fixed": [], "explanations": []}
    (score,) = scores(reward, bare)
    assert score == (-5 if name == "form" else None)


def test_a_fault_of_the_harness_is_no_reward(name, reward, verdicts):
    broken = Verdict(TASK.id, "", (TestResult("one", "unknown"),), "A")
    row = {**columns(TRUE, RIGHT, verdicts), "verdict": broken}
    (score,) = scores(reward, row)
    assert score is None or name != "tests"


def test_a_reply_is_scored_by_itself(reward, verdicts):
    rows = [columns(TRUE, RIGHT, verdicts), columns(FALSE, WRONG, verdicts)]
    together = scores(reward, *rows)
    assert together == [scores(reward, row)[0] for row in rows]


def test_ledexs_formulas_and_ranges(verdicts):
    """R(refinement) = 5 (S_cb + S_ut) - 5; R(explanation) = (50 S_ex - 35) / 3 within [-5, 5]."""
    tests, likeness = (plugins.load("rewards", name) for name in ("tests", "codebleu"))
    for code, share in ((RIGHT, 1.0), (WRONG, 0.5)):
        row = columns(TRUE, code, verdicts)
        total = scores(tests, row)[0] + scores(likeness, row)[0]
        s_cb = likeness.score("python", row["reply"].code, [RIGHT])
        assert total == pytest.approx(5 * (s_cb + share) - 5)
    assert scores(tests, columns("", RIGHT, verdicts))[0] == 2.5
    assert scores(likeness, columns("", RIGHT, verdicts))[0] == 2.5
    assert (ledex(0.7), ledex(1.0), ledex(0.4)) == (0, 5, -5)
    assert (ledex(0.1), ledex(0.85)) == (-5, pytest.approx(2.5))


def test_the_bonus_is_for_all_tests_alone(verdicts):
    tests = plugins.load("rewards", "tests")
    rows = [columns("", code, verdicts) for code in (RIGHT, WRONG)]
    verdict = [row["verdict"] for row in rows]
    assert tests.reward([], verdict=verdict, all_pass_bonus=1.0) == [3.5, 0.0]


def test_an_explanation_earns_by_the_claims_that_hold(verdicts):
    checked = plugins.load("rewards", "checked")
    half = f"{TRUE} For `area(2, 3)` it returns `7`, but `6` is expected. Line 9 too."
    said = [TRUE, half, FALSE, "It is wrong.", ""]
    found = scores(checked, *(columns(text, WRONG, verdicts) for text in said))
    assert found[0] == 5
    assert found[0] > found[1] > found[2]
    assert found[3] == -5  # to claim nothing is not a way out
    assert found[4] is None
    right = {**columns(TRUE, RIGHT, verdicts), "failure": None}  # nothing to be explained
    assert scores(checked, right) == [None]


def test_tf_idf_knows_like_words_from_unlike_and_a_rare_word_counts_more():
    similarity = plugins.load("rewards", "explanation").TfIdf([TRUE, FALSE, "is wrong", "is so"])
    assert similarity.cosine(TRUE, TRUE) == pytest.approx(1)
    assert similarity.cosine(TRUE, FALSE) > similarity.cosine(TRUE, "nothing") == 0
    assert similarity.cosine("range x", "range y") > similarity.cosine("is x", "is y")
    assert similarity.cosine("", TRUE) == 0


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, False),
        ({"finish_reason": "length"}, True),
        ({"code": " "}, True),
        ({"explanation": ""}, True),
    ],
)
def test_a_malformed_reply_is_cut_off_or_lacks_what_was_asked_for(verdicts, change, wrong):
    form = plugins.load("rewards", "form")
    row = columns(TRUE, RIGHT, verdicts)
    assert scores(form, {**row, "reply": replace(row["reply"], **change)}) == [-5.0 * wrong]
