"""The checked reward of explanations: what one gains by saying more that is true, or less.

pytest tests/test_checked.py
"""

import pytest

from selfdebug import prompts
from selfdebug.rewards.checked import reward, score
from selfdebug.types import Completion, Request, Task, TestResult

WRONG = "def double(x):\n    return x + 1\n"
RIGHT = "def double(x):\n    return x * 2\n"
TASK = Task("t", "python", "Double x.", "double", ())
ASKED = Request(TASK, "explain_refine", WRONG, "It returns 4.")
FAILURE = TestResult("v", "wrong", "double(3)", expected="6", got="4")

LINE = "On line 2 it should be a product. "
CODE = "Change `x + 1` to `x * 2`. "
VALUE = "For `double(3)` it returns `4`, but `6` is expected."


def of(explanation: str, fixed: tuple[str, ...] = (RIGHT,)) -> float | None:
    reply = Completion("", RIGHT, explanation)
    return score(ASKED, reply, None, FAILURE, fixed)


def test_an_explanation_that_is_true_in_every_kind_of_claim_is_the_best():
    assert of(LINE + CODE + VALUE) == 1


@pytest.mark.parametrize(
    ("explanation", "worth"),
    [
        (CODE.replace("x + 1", "x - 7") + LINE + VALUE, 3 / 4),
        (LINE.replace("2", "1") + CODE + VALUE, 3 / 4),
        (LINE + CODE + VALUE.replace("4", "5"), 3 / 4),
    ],
)
def test_each_false_claim_costs_its_share(explanation, worth):
    assert of(explanation) == worth


def test_saying_little_that_is_safe_is_worth_less_than_saying_all():
    """One quotation from the program in front of it would else be a perfect explanation."""
    assert of("`x + 1`") == 1 / 3
    assert of(LINE + VALUE) == 2 / 3
    assert of("It is wrong.") == 0


def test_the_right_program_that_it_fits_best_counts():
    other = "def double(x):\n    y = 2 * x\n    return y\n"
    assert of(LINE + CODE + VALUE, (other, RIGHT)) == 1


def test_nothing_is_scored_where_there_is_nothing_to_explain_or_to_compare_with():
    assert of("") is None
    assert of(LINE, ()) is None
    assert score(ASKED, Completion("", RIGHT, LINE), None, None, (RIGHT,)) is None


def test_as_a_reward_it_has_the_range_of_ledex():
    """R(explanation) in [-5, 5] (Jiang et al. 2024, section 3.3)."""
    replies = [
        prompts.parse("python", said + prompts.fenced("python", RIGHT), entry_point="double")
        for said in (LINE + CODE + VALUE + "\n\n", "No.\n\n")
    ]
    n = len(replies)
    assert reward(
        replies, request=[ASKED] * n, reply=replies, verdict=[None] * n, failure=[FAILURE] * n,
        fixed=[[RIGHT]] * n,
    ) == [5, -5]  # fmt: skip
