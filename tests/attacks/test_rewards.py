"""No hostile program is worth more to a policy than an honest wrong answer."""

from __future__ import annotations

import pytest
from aftermath import LIMITS
from python_attacks import RIGHT, TASK, verdict_attacks

from selfdebug import plugins, prompts
from selfdebug.sandbox import Sandbox
from selfdebug.types import Request, TestResult

HONEST = RIGHT.replace("sum(values) * factor", "sum(values) + factor")  # fails every test
FAILURE = TestResult("ints", "wrong", "weigh([1, 2, 3], 2)", expected="12", got="8")
SAID = "Line 2 is wrong: `sum(values) + factor` should be `sum(values) * factor`."
ATTACKS = list(verdict_attacks().values())
FEW = 12  # of the attacks, in the quick test


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(workers=2, limits=LIMITS) as box:
        yield box


def rewards_of(codes, verdicts):
    """The sum of what the default rewards give each program, all with the same explanation."""
    asked = Request(TASK, "explain_refine", HONEST, "The program returns a wrong value.")
    replies = [
        prompts.parse("python", f"{SAID}\n\n{prompts.fenced('python', code)}", entry_point="weigh")
        for code in codes
    ]
    columns = {
        "request": [asked] * len(codes), "reply": replies, "verdict": verdicts,
        "failure": [FAILURE] * len(codes), "fixed": [[RIGHT]] * len(codes),
        "explanations": [[SAID]] * len(codes),
    }  # fmt: skip
    found = [
        plugins.load("rewards", name).reward([reply.text for reply in replies], **columns)
        for name in ("form", "tests", "codebleu", "checked")
    ]
    return [sum(value or 0.0 for value in row) for row in zip(*found, strict=True)]


def assert_worth_no_more_than_honest_failure(sandbox, codes):
    verdicts = list(sandbox.judge_many((TASK, code) for code in [HONEST, *codes]))
    assert verdicts[0].share_passed == 0
    assert not any(verdict.unknown for verdict in verdicts)
    honest, *hostile = rewards_of([HONEST, *codes], verdicts)
    assert [code for code, value in zip(codes, hostile, strict=True) if value > honest] == []
    assert rewards_of([RIGHT], [sandbox.judge(TASK, RIGHT)])[0] > honest


def test_some_attacks_earn_no_more_than_an_honest_wrong_answer(sandbox):
    assert_worth_no_more_than_honest_failure(sandbox, ATTACKS[:: len(ATTACKS) // FEW])


@pytest.mark.slow
def test_all_attacks_earn_no_more_than_an_honest_wrong_answer(sandbox):
    assert_worth_no_more_than_honest_failure(sandbox, ATTACKS)


def test_in_a_group_of_wrong_answers_no_attack_is_pushed_up(sandbox):
    """What a policy learns from is the difference to its own other replies."""
    torch = pytest.importorskip("torch")
    from selfdebug.rl.credit import centred

    codes = [HONEST, *ATTACKS[:3]]
    verdicts = list(sandbox.judge_many((TASK, code) for code in codes))
    rewards_NK = torch.tensor(rewards_of(codes, verdicts))[:, None]
    honest, *hostile = centred(rewards_NK, 4)[:, 0].tolist()
    assert honest > 0 > max(hostile)
