"""What the policy is asked: its own latest failures first, each for a few turns, nothing secret."""

from collections import Counter
from dataclasses import replace

import pytest

from selfdebug.feedback.failing_test import PASSING, failing_test
from selfdebug.rl.pool import Answer, Ask, Mended, Pool, Shares
from selfdebug.types import Completion, SelfdebugError, Task, Test, TestResult, Verdict

TASK = Task(
    "double",
    "python",
    "Write double.",
    "double",
    (
        Test("seen", "program", "assert double(2) == 4"),
        Test("secret", "program", "assert double(5) == 10", hidden=True),
    ),
    reference="def double(x):\n    return 2 * x",
)
FAILED = TestResult("seen", "wrong", "double(2)", "4", "5")
HARVESTED = Ask("double", "refine", "refine", "def double(x): harvested", "It is wrong.", FAILED)
SHARES = Shares(write=0.3, keep=0.2, explain=0.5, turns=2, refresh=3)


def pool(shares=SHARES, failures=(HARVESTED,), fits=lambda request: True, task=TASK):
    return Pool(
        [task], failures, [], shares, fits=fits,
        tell=lambda task, code, verdict: failing_test(task, code, verdict.first_failure),
    )  # fmt: skip


def answer(code, status="wrong", hidden=False):
    result = replace(FAILED, status=status, hidden=hidden)
    return Answer(Completion(code, code), Verdict("double", "", (result,), "A"))


def refining(step, drawn, count=8):
    return [a for a in drawn.next(step, count) if a.kind == "refine"]


ONLY_REFINE = replace(SHARES, write=0.0, keep=0.0)


def test_the_shares_are_kept_and_a_step_has_the_same_prompts_whenever_it_is_drawn():
    drawn = pool()
    drawn.learn(0, [(HARVESTED, [answer("def double(x): right", "pass")])])
    kinds = Counter(ask.kind for ask in drawn.next(1, 2000))
    assert 0.26 < kinds["write"] / 2000 < 0.34
    assert 0.16 < kinds["keep"] / 2000 < 0.24
    modes = Counter(ask.mode for ask in drawn.next(2, 2000) if ask.kind == "refine")
    assert 0.4 < modes["explain_refine"] / modes.total() < 0.6
    assert drawn.next(3, 20) == drawn.next(3, 20) != drawn.next(4, 20)


def test_the_policys_own_failures_go_before_those_of_folders_and_are_asked_about_once():
    drawn = pool(ONLY_REFINE)
    wrote = Ask("double", "write", "generate")
    drawn.learn(0, [(wrote, [answer("def double(x): a"), answer("def double(x): b")])])
    asks = refining(1, drawn)
    own = {ask.broken for ask in asks if ask.born == 0}
    assert own == {"def double(x): a", "def double(x): b"}
    assert Counter(ask.broken for ask in asks)[HARVESTED.broken] == 6
    assert {ask.born for ask in refining(2, drawn)} == {-1}


def test_own_programs_are_dropped_when_the_policy_has_moved_on():
    for step, known in ((3, True), (4, False)):
        drawn = pool(ONLY_REFINE)
        drawn.learn(0, [(Ask("double", "write", "generate"), [answer("def double(x): a")])])
        assert any(ask.born == 0 for ask in refining(step, drawn)) == known


def test_a_program_is_refined_for_so_many_turns_with_feedback_on_each():
    drawn = pool(ONLY_REFINE, failures=())
    ask, seen = Ask("double", "write", "generate"), []
    for step in range(4):
        drawn.learn(step, [(ask, [answer(f"def double(x): {step}")])])
        found = [a for a in drawn.next(step + 1, 4) if a.kind == "refine"]
        if not found:
            break
        (ask,) = found
        seen.append((ask.turn, ask.broken))
        assert "double(2)" in ask.feedback
    assert seen == [(1, "def double(x): 0"), (2, "def double(x): 1")]


def test_what_only_a_hidden_test_fails_or_the_harness_does_is_not_asked_about():
    drawn = pool(ONLY_REFINE, failures=())
    wrote = Ask("double", "write", "generate")
    replies = [answer("a", hidden=True), answer("b", "unknown"), Answer(Completion("", ""), None)]
    drawn.learn(0, [(wrote, replies)])
    assert {ask.kind for ask in drawn.next(1, 8)} == {"write"}


def test_a_program_that_came_back_unchanged_is_not_asked_about_again():
    drawn = pool(ONLY_REFINE, failures=())
    asked = replace(HARVESTED, turn=1)
    drawn.learn(0, [(asked, [answer(f"{HARVESTED.broken}\n\n"), answer("def double(x): new")])])
    assert [a.broken for a in refining(1, drawn)] == ["def double(x): new"]


def test_a_right_program_is_shown_with_the_news_that_nothing_fails():
    drawn = pool(replace(SHARES, write=0.0, keep=1.0))
    assert drawn.next(0, 1)[0].kind != "keep"  # there is none yet
    drawn.learn(0, [(Ask("double", "write", "generate"), [answer("def right", "pass")])])
    (ask,) = drawn.next(1, 1)
    assert (ask.kind, ask.broken, ask.feedback) == ("keep", "def right", PASSING)


def test_no_request_holds_a_hidden_test_or_the_answer():
    drawn = pool()
    for ask in drawn.next(0, 20):
        task = drawn.request(ask).task
        assert [test.id for test in task.tests] == ["seen"]
        assert task.reference == task.broken == ""


def test_repairs_are_those_of_the_very_program_else_the_tasks_reference():
    drawn = pool()
    other = replace(HARVESTED, broken="def double(x): other")
    assert [m.fixed for m in drawn.mended(HARVESTED)] == [TASK.reference]
    drawn.learn(0, [(HARVESTED, [answer("def mended", "pass")])])
    assert [m.fixed for m in drawn.mended(HARVESTED)] == ["def mended"]
    assert [m.fixed for m in drawn.mended(other)] == [TASK.reference]
    assert pool(task=replace(TASK, reference="")).mended(HARVESTED) == []
    given = Pool([TASK], [], [Mended("double", f"{HARVESTED.broken}  \n", "def given")], SHARES,
                 fits=lambda request: True, tell=lambda *_: "")  # fmt: skip
    assert [m.fixed for m in given.mended(HARVESTED)] == ["def given"]


def test_a_right_program_is_compared_with_itself_not_with_another_right_one():
    keep = Ask("double", "keep", "refine", "def double(x): return x + x")
    assert [m.fixed for m in pool().mended(keep)] == [keep.broken] != [TASK.reference]


def test_a_restored_pool_goes_on_as_the_first_one_would():
    first = pool()
    first.learn(0, [(HARVESTED, [answer("def a"), answer("def b", "pass"), answer("def c")])])
    second = pool()
    second.restore(first.state())
    assert second.state() == first.state()
    assert [first.next(n, 8) for n in (1, 2, 3)] == [second.next(n, 8) for n in (1, 2, 3)]
    assert second.mended(HARVESTED) == first.mended(HARVESTED)


def test_prompts_without_room_for_a_reply_are_passed_over():
    drawn = pool(ONLY_REFINE, fits=lambda request: request.mode == "refine")
    assert {ask.mode for ask in drawn.next(0, 20)} == {"refine"}
    with pytest.raises(SelfdebugError, match="--max-tokens"):
        pool(fits=lambda request: False).next(0, 1)
