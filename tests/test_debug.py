"""The loop: when it stops, what it keeps, and what it never shows or touches."""

from dataclasses import replace

import pytest

from selfdebug.backends.fake import Fake
from selfdebug.debug import debug, normalised
from selfdebug.sandbox import Sandbox
from selfdebug.types import Sampling, SelfdebugError, Task, Test, TestResult, Verdict, code_sha

PROGRAMS = {
    "right": "def add(a, b):\n    return a + b\n",
    "half": "def add(a, b):\n    return abs(a) + b\n",  # wrong for negative a
    "visible": "def add(a, b):\n    return a + b if a < 5 else 0\n",  # wrong for hidden tests only
    "wrong": "def add(a, b):\n    return a - b\n",
    "worse": "def add(a, b):\n    return None.x\n",
}
TESTS = (
    Test("v0", "program", "assert add(1, 2) == 3"),
    Test("h0", "program", "assert add(9, 2) == 11", hidden=True),
    Test("v1", "program", "assert add(-1, 2) == 1"),
    Test("v2", "program", "assert add(0, 2) == 2"),
)
TASK = Task("add", "python", "Add.", "add", TESTS, reference=PROGRAMS["right"], broken="the bug")


class TrustingJudge:
    """Runs the programs of this file, which can be trusted, and remembers what it was asked."""

    def __init__(self, status="wrong"):
        self.status = status
        self.runs = []  # (name of the program, ids of the tests)

    def judge(self, task, code, *, tests=None, stop_early=False, observe="", limits=None):
        tests = task.tests if tests is None else tests
        self.runs.append((name_of(code), [test.id for test in tests]))
        results = tuple(self.result(code, test) for test in tests)
        return Verdict(task.id, code_sha(code), results, "in the test's own process")

    def result(self, code, test):
        try:
            exec(code + test.body, {})
        except Exception as error:
            return TestResult(test.id, self.status, message=repr(error), hidden=test.hidden)
        return TestResult(test.id, "pass", hidden=test.hidden)

    def judge_many(self, jobs, **options):
        raise NotImplementedError


def name_of(code):
    same = {normalised(c): name for name, c in PROGRAMS.items()}
    return same.get(normalised(code), code)


def play(*names, task=TASK, judge=None, script=None, **options):
    """Run the loop with a model that writes these programs one after another."""
    backend = Fake(script or [f"Because.\n```python\n{PROGRAMS.get(n, n)}```" for n in names])
    judge = judge or TrustingJudge()
    return debug(task, backend, judge=judge, **options), backend, judge


def programs(episode):
    return [name_of(turn.completion.code) for turn in episode.turns]


def test_it_stops_when_the_visible_tests_pass():
    episode, *_ = play("wrong", "half", "right", "wrong")
    assert (programs(episode), episode.stopped) == (["wrong", "half", "right"], "passed")
    assert episode.best == 2
    assert episode.verdict is not None
    assert episode.verdict.passed
    assert (episode.task_id, episode.mode, episode.backend) == ("add", "explain_refine", "fake")
    assert episode.seconds > 0


def test_a_right_first_program_is_left_alone():
    episode, backend, _ = play("right")
    assert (programs(episode), len(backend.requests)) == (["right"], 1)


def test_it_starts_from_given_code_without_asking_for_any():
    episode, backend, _ = play("right", code=PROGRAMS["wrong"])
    assert (programs(episode), episode.stopped) == (["wrong", "right"], "passed")
    assert [r.mode for r in backend.requests] == ["explain_refine"]
    given = episode.turns[0].completion
    assert given.text[slice(*given.spans["code"])] == given.code == PROGRAMS["wrong"]
    assert given.completion_tokens == 0


def test_right_code_that_is_given_is_not_sent_to_the_backend():
    episode, backend, _ = play(code=PROGRAMS["right"])
    assert (programs(episode), episode.stopped, backend.requests) == (["right"], "passed", [])


def test_it_stops_after_max_iterations_more_programs():
    episode, *_ = play("wrong", "half", "worse", "right", max_iterations=2)
    assert (programs(episode), episode.stopped) == (["wrong", "half", "worse"], "exhausted")
    episode, *_ = play("wrong", max_iterations=0)
    assert (programs(episode), episode.stopped) == (["wrong"], "exhausted")


def test_it_keeps_the_best_by_visible_tests_and_of_equals_the_earliest():
    episode, *_ = play("wrong", "half", "worse", "visible", max_iterations=2)
    assert (programs(episode)[episode.best], episode.best) == ("half", 1)
    assert name_of(episode.code) == "half"
    # Both fail every visible test but add(0, 2), so the first is kept.
    twin = "def add(a, b):\n    return b - a\n"
    episode, *_ = play(twin, "def add(a, b):\n    return b - a - 0\n", max_iterations=1)
    assert episode.best == 0


@pytest.mark.parametrize("again", ["wrong", "\n\n" + PROGRAMS["wrong"].replace("\n", "   \n\n")])
def test_it_stops_when_a_program_comes_again_and_does_not_run_it_again(again):
    episode, _, judge = play("wrong", "half", again, "right")
    assert (programs(episode), episode.stopped) == (["wrong", "half", "wrong"], "repeated")
    visible_runs = [name for name, tests in judge.runs if "v0" in tests]
    assert visible_runs == ["wrong", "half"]
    assert episode.turns[2].verdict.visible == episode.turns[0].verdict.visible


def test_it_stops_when_there_is_no_program_in_the_reply():
    episode, *_ = play(script=["I would rather not."])
    assert (episode.turns, episode.stopped, episode.code) == ((), "no_reply", "")
    assert episode.verdict is None
    episode, *_ = play(script=["Nothing found."], code=PROGRAMS["wrong"])
    assert (programs(episode), episode.stopped) == (["wrong"], "no_reply")


def test_a_fault_of_the_harness_stops_it_and_is_not_a_failure():
    episode, _, judge = play("wrong", "right", judge=TrustingJudge(status="unknown"))
    assert (programs(episode), episode.stopped) == (["wrong"], "unknown")
    assert episode.turns[0].verdict.unknown
    assert judge.runs == [("wrong", ["v0", "v1", "v2"])]


def test_feedback_of_the_last_program_comes_with_it():
    episode, backend, _ = play("wrong", "half", "right")
    first, second, third = backend.requests
    assert (first.mode, first.broken, first.feedback) == ("generate", "", "")
    assert second.broken == PROGRAMS["wrong"]
    assert "assert add(1, 2) == 3" in second.feedback
    assert third.broken == PROGRAMS["half"]
    assert "assert add(-1, 2) == 1" in third.feedback
    assert [t.feedback for t in episode.turns] == [r.feedback for r in backend.requests]


def test_the_mode_and_the_kind_of_feedback_are_the_callers():
    _, backend, _ = play("wrong", "right", mode="refine", feedback="static")
    assert backend.requests[1].mode == "refine"
    assert backend.requests[1].feedback.startswith("Static analysis")
    with pytest.raises(SelfdebugError, match="no feedback 'guess'"):
        play("wrong", "right", feedback="guess")


def test_resampling_asks_afresh_without_feedback_and_may_repeat_itself():
    episode, backend, _ = play("wrong", "wrong", "right", mode="generate")
    assert (programs(episode), episode.stopped) == (["wrong", "wrong", "right"], "passed")
    assert {(r.mode, r.broken, r.feedback) for r in backend.requests} == {("generate", "", "")}


def test_the_backend_sees_no_hidden_test_no_reference_and_no_known_bug():
    _, backend, _ = play("wrong", "half", "right")
    for request in backend.requests:
        assert [test.id for test in request.task.tests] == ["v0", "v1", "v2"]
        assert (request.task.reference, request.task.broken) == ("", "")
        assert "h0" not in request.feedback


def test_hidden_tests_score_every_program_only_after_the_last_decision():
    episode, _, judge = play("wrong", "visible", "right")
    # "visible" passes what may be seen, so the loop ends there, whatever the hidden test says.
    assert (programs(episode), episode.stopped) == (["wrong", "visible"], "passed")
    visible = ["v0", "v1", "v2"]
    assert judge.runs == [
        ("wrong", visible),
        ("visible", visible),
        ("wrong", ["h0"]),
        ("visible", ["h0"]),
    ]
    assert episode.verdict is not None
    assert (episode.verdict.visible_passed, episode.verdict.passed) == (True, False)


def test_hidden_tests_do_not_choose_the_best():
    hidden_only = Test("h1", "program", "assert add(-1, 2) == 3", hidden=True)  # "half" passes it
    task = replace(TASK, tests=(*TESTS[:1], TESTS[3], *[hidden_only] * 5, TESTS[2]))
    episode, *_ = play("half", "visible", task=task)
    assert programs(episode)[episode.best] == "visible"


def test_the_tests_are_never_edited():
    episode, _, judge = play("wrong", "half", "right")
    assert {tuple(tests) for _, tests in judge.runs} == {("v0", "v1", "v2"), ("h0",)}
    assert {r.test_id for t in episode.turns for r in t.verdict.results} == {t.id for t in TESTS}


def test_each_turn_is_announced_as_it_comes_without_hidden_results():
    seen = []
    play("wrong", "right", on_turn=seen.append)
    assert [name_of(turn.completion.code) for turn in seen] == ["wrong", "right"]
    assert not any(r.hidden for turn in seen for r in turn.verdict.results)


def test_a_task_without_a_visible_test_is_refused():
    with pytest.raises(SelfdebugError, match="task add has no visible test"):
        play("right", task=replace(TASK, tests=TESTS[1:2]))


def test_the_seed_decides_and_no_two_draws_share_one():
    drawn = {}

    def script(request, rng):
        drawn.setdefault(seed, []).append(rng.random())
        return f"```python\n{PROGRAMS['wrong']}# {rng.random()}\n```"

    for seed in (1, 2, 1):
        play(script=script, sampling=Sampling(seed=seed), max_iterations=3)
    assert drawn[1][:4] == drawn[1][4:]
    assert len({*drawn[1], *drawn[2]}) == 8


class Thermometer(Fake):
    """Notes at what temperature each program is asked for."""

    def __init__(self, *names):
        super().__init__([f"```python\n{PROGRAMS[name]}```" for name in names])
        self.drawn = []

    def sample(self, requests, n, sampling):
        self.drawn.append(sampling.temperature)
        return super().sample(requests, n, sampling)


@pytest.mark.parametrize(("later", "drawn"), [(None, [0.8, 0.8, 0.8]), (0.0, [0.8, 0.0, 0.0])])
def test_programs_after_the_first_may_have_a_temperature_of_their_own(later, drawn):
    backend = Thermometer("wrong", "worse", "half")
    debug(TASK, backend, judge=TrustingJudge(), max_iterations=2, refine_temperature=later)
    assert backend.drawn == drawn


def test_a_cool_program_that_comes_again_is_followed_by_warm_ones():
    """There is still something else to be drawn, so the loop goes on, and runs nothing twice."""
    backend, judge = Thermometer("wrong", "wrong", "wrong", "visible"), TrustingJudge()
    episode = debug(TASK, backend, judge=judge, max_iterations=3, refine_temperature=0.3)
    assert backend.drawn == [0.8, 0.3, 0.8, 0.8]
    assert (programs(episode), episode.stopped) == (["wrong"] * 3 + ["visible"], "passed")
    assert [name for name, tests in judge.runs if "v0" in tests] == ["wrong", "visible"]


def test_with_the_real_sandbox_and_a_trace():
    with Sandbox(workers=1) as sandbox:
        episode, backend, _ = play(
            "worse", "half", "visible", judge=sandbox, feedback="trace", sampling=Sampling(seed=5)
        )
    assert (programs(episode), episode.stopped) == (["worse", "half", "visible"], "passed")
    assert [r.test_id for r in episode.turns[0].verdict.results] == ["v0", "v1", "v2", "h0"]
    assert [r.hidden for r in episode.turns[2].verdict.results] == [False, False, False, True]
    assert [t.verdict.passed for t in episode.turns] == [False, False, False]
    crash, value = (request.feedback for request in backend.requests[1:])
    assert "Input:    add(1, 2)\nExpected: 3\nError:    AttributeError" in crash
    assert "Line 2:   return None.x" in crash
    assert "Input:    add(-1, 2)\nExpected: 1\nGot:      3\nTrace:\n" in value
    assert "  2 |     return abs(a) + b    # a = -1, b = 2" in value
