"""Evaluation: every task once, whatever stops it, and numbers that say what happened."""

from dataclasses import replace

import pytest

from selfdebug import config
from selfdebug.backends.fake import Fake
from selfdebug.evaluate import Settings, evaluate
from selfdebug.sandbox import Sandbox
from selfdebug.store import Store
from selfdebug.types import Episode, SelfdebugError, Task, Test, Verdict

OPERATORS = {"add": "+", "sub": "-", "mul": "*", "pow": "**"}


def program(operator):
    return f"def f(a, b):\n    return a {operator} b\n"


def task(name, operator, **fields):
    expected = {"+": 7, "-": 3, "*": 10, "**": 25}[operator]
    hidden = {"+": 3, "-": 1, "*": 2, "**": 2}[operator]
    tests = (
        Test("v", "program", f"assert f(5, 2) == {expected}"),
        Test("h", "program", f"assert f(2, 1) == {hidden}", hidden=True),
    )
    base = Task(name, "python", f"Write f for {name}.", "f", tests, bug_kind="operator")
    return replace(base, reference=program(operator), broken=program("%"), **fields)


TASKS = [task(name, operator) for name, operator in OPERATORS.items()]


def reply(text):
    return f"It is the wrong operator.\n```python\n{text}```"


def knows_all_but_pow(request, rng):
    operator = OPERATORS[request.task.id]
    return reply(program("//" if operator == "**" else operator))


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(workers=2) as sandbox:
        yield sandbox


def episodes(folder, name="episodes"):
    return {(e.task_id, e.seed): e for e in Store(folder / f"{name}.jsonl", Episode)}


def test_bugs_are_mended_and_counted(sandbox, tmp_path):
    seen = []
    done = evaluate(
        TASKS,
        Fake(knows_all_but_pow),
        sandbox,
        tmp_path,
        on_episode=lambda episode, done, todo: seen.append((episode.task_id, done, todo)),
    )
    (row,) = done.rows
    assert (row.language, row.tasks, row.episodes, done.unknown) == ("python", 4, 4, [])
    assert (row.first.value, row.visible.value, row.passed.value) == (0.0, 0.75, 0.75)
    assert (row.iterations, row.broken) == (1.0, None)
    assert [number for _, number, _ in seen] == [1, 2, 3, 4]
    assert {total for *_, total in seen} == {4}
    found = episodes(tmp_path)
    assert [t.completion.code for t in found["add", 0].turns] == [program("%"), program("+")]
    assert (found["add", 0].stopped, found["pow", 0].stopped) == ("passed", "repeated")


def test_the_folder_says_how_it_was_made_and_holds_no_answer(sandbox, tmp_path):
    evaluate(TASKS, Fake(knows_all_but_pow), sandbox, tmp_path, about={"benchmark": "ops"})
    run = config.read_run(tmp_path / "run.toml")
    assert run["settings"]["benchmark"] == "ops"
    assert run["settings"]["backend"] == "fake"
    assert run["settings"]["mode"] == "explain_refine"
    assert run["versions"]["selfdebug"]
    kept = list(Store(tmp_path / "tasks.jsonl", Task))
    assert [t.id for t in kept] == list(OPERATORS)
    assert {test.id for t in kept for test in t.tests} == {"v"}
    assert {t.reference for t in kept} == {""}


def test_the_same_call_again_asks_nothing(sandbox, tmp_path):
    first = evaluate(TASKS, Fake(knows_all_but_pow), sandbox, tmp_path)
    again = evaluate(TASKS, Fake([]), sandbox, tmp_path)
    assert again == first


def test_stopped_at_any_moment_it_goes_on_where_it_was(sandbox, tmp_path):
    whole = evaluate(TASKS, Fake(knows_all_but_pow), sandbox, tmp_path / "whole")
    for replies in range(4):
        script = [reply(program(operator)) for operator in OPERATORS.values()][:replies]
        with pytest.raises(SelfdebugError, match="script is at its end"):
            evaluate(TASKS, Fake(script), sandbox, tmp_path / str(replies))
        rest = Fake(knows_all_but_pow)
        resumed = evaluate(TASKS, rest, sandbox, tmp_path / str(replies))
        assert len(resumed.rows) == 1
        assert replace(resumed.rows[0], seconds=0) == replace(whole.rows[0], seconds=0)
        assert {r.task.id for r in rest.requests}.isdisjoint([*OPERATORS][: max(0, replies - 1)])


def test_more_samples_extend_it_and_a_task_still_counts_once(sandbox, tmp_path):
    evaluate(TASKS, Fake(knows_all_but_pow), sandbox, tmp_path)
    more = Fake(knows_all_but_pow)
    done = evaluate(TASKS, more, sandbox, tmp_path, Settings(samples=3))
    assert (done.rows[0].tasks, done.rows[0].episodes) == (4, 12)
    assert {seed for _, seed in episodes(tmp_path)} == {0, 1, 2}
    assert len(more.requests) == 2 * (3 + 2)  # pow is asked for again, and comes again


def test_other_settings_need_another_folder(sandbox, tmp_path):
    evaluate(TASKS, Fake(knows_all_but_pow), sandbox, tmp_path)
    with pytest.raises(SelfdebugError, match="feedback = 'tests', not 'trace': choose another"):
        evaluate(TASKS, Fake([]), sandbox, tmp_path, Settings(feedback="trace"))


def test_starting_from_generation(sandbox, tmp_path):
    settings = Settings(start="generate", mode="refine")
    done = evaluate(TASKS, Fake(knows_all_but_pow), sandbox, tmp_path, settings)
    assert (done.rows[0].first.value, done.rows[0].iterations) == (0.75, 0.0)
    sound = [replace(t, broken="") for t in TASKS]
    evaluate(sound, Fake(knows_all_but_pow), sandbox, tmp_path / "auto")
    assert len(episodes(tmp_path / "auto")["add", 0].turns) == 1
    with pytest.raises(SelfdebugError, match="task add has no known bug to start from"):
        evaluate(sound, Fake([]), sandbox, tmp_path / "no", Settings(start="broken"))


def test_resampling_is_the_control(sandbox, tmp_path):
    backend = Fake(lambda request, rng: reply(program(rng.choice("+-*%"))))
    done = evaluate(TASKS[:3], backend, sandbox, tmp_path, Settings(mode="generate"))
    assert {request.feedback for request in backend.requests} == {""}
    assert all(len(e.turns) <= 4 for e in episodes(tmp_path).values())
    assert 0 < done.rows[0].passed.value <= 1


def test_right_programs_are_shown_to_the_backend_when_asked(sandbox, tmp_path):
    """`sub` it breaks, `mul` it rewrites but keeps right, and to the others it says nothing."""
    touches = {"sub": program("+"), "mul": "def f(a, b):\n    return b * a\n"}

    def meddles(request, rng):
        if request.feedback != "No visible test fails.":
            return knows_all_but_pow(request, rng)
        text = touches.get(request.task.id)
        return reply(text) if text else "It is right."

    done = evaluate(TASKS, Fake(meddles), sandbox, tmp_path, Settings(check_right=True))
    assert done.rows[0].broken is not None
    assert done.rows[0].broken.value == 0.25
    right = episodes(tmp_path, "right")
    assert [len(right[name, 0].turns) for name in OPERATORS] == [1, 2, 2, 1]
    assert len(episodes(tmp_path)) == 4  # they are no repairs
    assert evaluate(TASKS, Fake([]), sandbox, tmp_path, Settings(check_right=True)) == done


class Faulty:
    """A sandbox whose harness fails on one task, until it is mended."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.broken = True

    def judge(self, task, code, **options):
        verdict = self.sandbox.judge(task, code, **options)
        if task.id == "mul" and self.broken:
            results = tuple(replace(r, status="unknown") for r in verdict.results)
            return Verdict(task.id, verdict.code_sha, results, verdict.tier)
        return verdict


def test_what_the_harness_failed_on_is_named_not_counted_and_tried_again(sandbox, tmp_path):
    judge = Faulty(sandbox)
    done = evaluate(TASKS, Fake(knows_all_but_pow), judge, tmp_path)
    assert (done.unknown, done.rows[0].tasks) == (["mul"], 3)
    judge.broken = False
    done = evaluate(TASKS, Fake(knows_all_but_pow), judge, tmp_path)
    assert (done.unknown, done.rows[0].tasks, done.rows[0].passed.value) == ([], 4, 0.75)


def test_several_at_a_time_come_to_the_same(sandbox, tmp_path):
    one = evaluate(TASKS, Fake(knows_all_but_pow), sandbox, tmp_path / "1", Settings(samples=3))
    four = evaluate(
        TASKS, Fake(knows_all_but_pow), sandbox, tmp_path / "4", Settings(samples=3), jobs=4
    )
    assert replace(one.rows[0], seconds=0) == replace(four.rows[0], seconds=0)
    assert episodes(tmp_path / "1").keys() == episodes(tmp_path / "4").keys()


def test_tasks_that_cannot_be_told_apart_or_are_missing(sandbox, tmp_path):
    with pytest.raises(SelfdebugError, match="two tasks have the id add"):
        evaluate([TASKS[0], TASKS[0]], Fake([]), sandbox, tmp_path)
    with pytest.raises(SelfdebugError, match="there are no tasks"):
        evaluate([], Fake([]), sandbox, tmp_path)
