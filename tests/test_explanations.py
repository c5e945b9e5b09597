"""Explanations are true when they are made, and a false claim in any of them is found."""

from random import Random

import pytest

from selfdebug.explanations import changed_lines, claims, compose, score, verified
from selfdebug.types import Mutation, TestResult

FIXED = (
    "def total(xs):\n    s = 0\n    for i in range(len(xs)):\n        s += xs[i]\n    return s\n"
)
BROKEN = FIXED.replace("range(len(xs))", "range(len(xs) - 1)")
MUTATION = Mutation(
    broken=BROKEN,
    fixed=FIXED,
    kind="off_by_one",
    line=3,
    explanation="Line 3 stops one short: `range(len(xs) - 1)` should be `range(len(xs))`.",
    mutator="python_off_by_one.range_end",
)
FAILURE = TestResult("t", "wrong", call="total([1, 2])", expected="3", got="1")


def false_claims(text, failure=FAILURE):
    return [c.text for c in claims(text, BROKEN, FIXED, failure) if not c.holds]


@pytest.mark.parametrize("seed", range(8))
def test_what_is_composed_is_verified_and_shows_the_failing_call(seed):
    text = compose([MUTATION], FAILURE, Random(seed))
    assert verified(text, BROKEN, FIXED, FAILURE)
    assert all(part in text for part in ("Line 3", "`total([1, 2])`", "`1`", "`3`"))


def test_the_wording_varies_and_the_same_seed_gives_the_same_words():
    texts = [compose([MUTATION], FAILURE, Random(seed)) for seed in range(12)]
    assert len(set(texts)) > 2
    assert texts == [compose([MUTATION], FAILURE, Random(seed)) for seed in range(12)]


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (TestResult("t", "exception", call="f(1)", message="KeyError: 1", line=3), "KeyError: 1"),
        (TestResult("t", "load_error", message="SyntaxError: expected ':'"), "expected ':'"),
        (TestResult("t", "timeout", call="f(1)"), "f(1)"),
    ],
)
def test_every_kind_of_failure_is_told(status, shown):
    text = compose([MUTATION], status, Random(0))
    assert shown in text
    assert not false_claims(text, status)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("wrong", ("`1 2\\n3`", "`4\\n5`", "`4\\n6`")),
        ("exception", ("`1 2\\n3`", "`KeyError: 1`")),
        ("timeout", ("`1 2\\n3`", "still runs when its time is up")),
    ],
)
def test_a_program_that_prints_is_told_of_by_its_input_and_output(status, shown, seed):
    failure = TestResult(
        "t", status, call="stdin: 1 2\n3\n", expected="4\n6\n", got="4\n5\n", message="KeyError: 1"
    )
    text = compose([MUTATION], failure, Random(seed))
    assert all(part in text for part in shown)
    assert "\n" not in text
    assert verified(text, BROKEN, FIXED, failure)
    assert false_claims(text.replace("1 2", "1 3"), failure)


def test_several_bugs_are_told_one_after_the_other():
    text = compose([MUTATION, MUTATION, MUTATION], FAILURE, Random(0))
    assert text.count("Line 3 stops one short") == 3


def test_values_that_cannot_be_quoted_are_left_out():
    for failure in (
        TestResult("t", "wrong", call="f(`a`)", expected="1", got="2"),
        TestResult("t", "wrong", call="", expected="1", got="2"),
    ):
        assert compose([MUTATION], failure, Random(0)) == MUTATION.explanation


def test_long_values_are_cut_and_still_verified():
    failure = TestResult("t", "wrong", call=f"total({'1' * 500})", expected="3", got="1")
    text = compose([MUTATION], failure, Random(0))
    assert "…" in text
    assert len(text) < 400
    assert verified(text, BROKEN, FIXED, failure)


@pytest.mark.parametrize(
    "lie",
    [
        "The bug is on line 5. Use `range(len(xs))`.",
        "Line 3: use `range(1, len(xs))`.",
        "Line 3, `range(len(xs))`. For `total([1, 2])` it returns `2`, but `3` is expected.",
        "Line 3, `range(len(xs))`. `total([1, 2])` gives `1` where `4` is right.",
        "Line 3, `range(len(xs))`. With `total([9])` the result is `1` instead of `3`.",
        "Line 3, `range(len(xs))`. Calling `total([1, 2])` raises `KeyError: 1`.",
        "Line 3, `range(len(xs))`. `total([1, 2])` does not end in time.",
    ],
)
def test_a_false_line_code_or_value_is_found(lie):
    assert len(false_claims(lie)) == 1
    assert not verified(lie, BROKEN, FIXED, FAILURE)


LINE = "for i in range(len(xs) - 1):"


@pytest.mark.parametrize(
    "advice",
    [
        "Line 3: `NEW` should be `NEW`.",
        "It stops one short on line 3: `NEW` has to become `NEW`.",
        "The bug is on line 3. Write `NEW` instead of `NEW`.",
        "It stops one short on line 3: change `NEW` to `NEW`.",
        "Replace `NEW` by `NEW` on line 3.",
        "On line 3, `NEW` is wrong: `range` stops one short. Change it to `NEW`.",
        "Line 3 has `NEW` where it needs `NEW`: it stops one short.",
        "Look at `NEW` on line 3: it stops one short. Use `NEW`.",
        "On line 3: it stops one short. It should be: all of them. Change it to `NEW`.",
    ],
)
def test_advice_to_write_what_stands_there_already_does_not_hold(advice):
    assert false_claims(advice.replace("NEW", LINE)) == [f"`{LINE}`"]
    head, tail = advice.rsplit("NEW", 1)
    if "instead of" in advice:  # here the new text comes first
        head, tail = advice.split("NEW", 1)
    right = f"{head}for i in range(len(xs)):{tail}".replace("NEW", LINE)
    assert not false_claims(right)


def test_an_explanation_without_a_line_or_code_is_not_verified():
    assert not verified("Something is off.", BROKEN, FIXED, FAILURE)
    assert not verified("Line 3 is wrong.", BROKEN, FIXED, FAILURE)


def test_the_score_is_the_share_of_claims_that_hold():
    assert score("Line 3 and line 5.", BROKEN, FIXED, FAILURE) == 0.5
    assert score("No claim at all.", BROKEN, FIXED, FAILURE) is None


def test_the_line_of_the_error_may_be_named_too():
    failure = TestResult("t", "exception", call="f()", message="KeyError: 1", line=4)
    assert false_claims("It fails on line 4.", failure) == []


def test_changed_lines_cover_replaced_removed_and_inserted_ones():
    assert changed_lines("a\nb\nc", "a\nX\nc") == {2}
    assert changed_lines("a\nb\nc", "a\nc") == {2}
    assert changed_lines("a\nc", "a\nb\nc") == {1, 2}
    assert changed_lines("a\nb\nb\nc", "a\nb\nc") == {2, 3}
