"""The embedded world: the same tasks each time, no leak between its splits, and a failing test that
tells what the words leave open.

    pytest tests/test_world.py
"""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice

import pytest

from selfdebug import prompts
from selfdebug.benchmarks import world
from selfdebug.benchmarks.world.operations import OPERATIONS
from selfdebug.benchmarks.world.programs import STYLES, description, program
from selfdebug.benchmarks.world.tests import function
from selfdebug.feedback.failing_test import failing_test
from selfdebug.sandbox import Sandbox
from selfdebug.types import Request, SelfdebugError, Task

SAMPLE = 40


@pytest.fixture(scope="module")
def held_out() -> list[tuple[world.Idea, Task]]:
    return list(islice(world.ideas("test"), world.SIZES["test"]))


@pytest.fixture(scope="module")
def trained() -> list[tuple[world.Idea, Task]]:
    return list(islice(world.ideas("train"), 400))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(workers=2) as sandbox:
        yield sandbox


def inputs(task: Task) -> list[list[object]]:
    return [json.loads(test.body)["args"][0] for test in task.visible_tests]


def test_the_same_split_gives_the_same_tasks() -> None:
    assert list(world.load("demo")) == list(world.load("demo"))
    assert [task for _, task in islice(world.ideas("train", seed=3), 5)] != [
        task for _, task in islice(world.ideas("train", seed=4), 5)
    ]


def test_an_unknown_split_is_refused_in_one_line() -> None:
    with pytest.raises(SelfdebugError, match=r"^[^\n]*validation[^\n]*$"):
        next(world.load("validation"))


def test_held_out_tasks_are_many_in_both_languages(
    held_out: list[tuple[world.Idea, Task]],
) -> None:
    languages = Counter(task.language for _, task in held_out)
    assert min(languages["python"], languages["javascript"]) >= 200


def test_no_composition_is_in_both_splits(
    held_out: list[tuple[world.Idea, Task]], trained: list[tuple[world.Idea, Task]]
) -> None:
    assert all(world.held_out(idea.chain) for idea, _ in held_out)
    assert not any(world.held_out(idea.chain) for idea, _ in trained)
    # What is new are combinations: almost every operation is met within 400 tasks of training.
    met = {step.operation.name for idea, _ in trained for step in idea.chain.steps}
    assert len(met) >= len(OPERATIONS) - 3


@pytest.mark.slow
def test_no_program_of_an_evaluation_task_is_in_training(
    held_out: list[tuple[world.Idea, Task]],
) -> None:
    texts = {
        program(idea.chain, reading, idea.language, style)
        for idea, _ in held_out
        for reading in idea.chain.readings()
        for style in STYLES
    }
    assert not [task.id for task in world.load("train") if task.reference in texts]
    other = (task for _, task in islice(world.ideas("train", seed=1), 4_000))
    assert not [task.id for task in other if task.reference in texts]


def test_no_program_is_there_twice_in_the_held_out_split(
    held_out: list[tuple[world.Idea, Task]],
) -> None:
    assert len({task.reference for _, task in held_out}) == len(held_out)


def test_programs_are_short_and_descriptions_do_not_tell_the_reading(
    trained: list[tuple[world.Idea, Task]],
) -> None:
    for idea, task in trained:
        assert len(task.reference) < 600
        assert task.prompt == description(idea.chain, idea.wording)
        assert task.entry_point in task.prompt
        assert "must define" not in prompts.messages(Request(task, "generate"))[0]["content"]


def test_every_task_leaves_something_open_and_guessing_has_its_odds(
    held_out: list[tuple[world.Idea, Task]],
) -> None:
    """The odds of the most likely reading bound what a base model's greedy guess can reach."""
    most_likely = 0
    for idea, _ in held_out:
        choices = [step.operation.choices for step in idea.chain.steps]
        assert sum(len(some) > 1 for some in choices) in (1, 2)
        weights = [[choice.weight for choice in some] for some in choices]
        most_likely += all(
            some[index] == max(some) for some, index in zip(weights, idea.reading, strict=True)
        )
    assert 0.45 < most_likely / len(held_out) < 0.65


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_choices_are_skewed_and_differ_in_words_and_in_code(operation: object) -> None:
    choices = next(one for one in OPERATIONS if one is operation).choices
    if len(choices) == 1:
        return
    weights = [choice.weight for choice in choices]
    assert 3 <= len(choices) <= 6
    assert weights == sorted(weights, reverse=True)
    assert 0.5 <= weights[0] / sum(weights) <= 0.65
    for texts in zip(*((c.means, c.python, c.javascript) for c in choices), strict=True):
        assert len(set(texts)) == len(choices)


def test_the_visible_tests_tell_every_wrong_reading_from_the_right_one(
    held_out: list[tuple[world.Idea, Task]],
) -> None:
    for idea, task in held_out[:200]:
        right = function(program(idea.chain, idea.reading, "python", "expressions"))
        for reading in idea.chain.readings():
            if reading == idea.reading:
                continue
            wrong = function(program(idea.chain, reading, "python", "expressions"))
            assert any(right([*given]) != wrong([*given]) for given in inputs(task)), task.id


def test_the_first_visible_test_alone_mostly_tells_all_readings_apart(
    held_out: list[tuple[world.Idea, Task]],
) -> None:
    told = 0
    for idea, task in held_out[:200]:
        given = inputs(task)[0]
        values = [
            json.dumps(function(program(idea.chain, r, "python", "expressions"))([*given]))
            for r in idea.chain.readings()
        ]
        told += len(set(values)) == len(values)
    assert told / 200 > 0.6


def test_references_pass_in_both_styles_and_languages(
    held_out: list[tuple[world.Idea, Task]], sandbox: Sandbox
) -> None:
    """The expected values are Python's: a JavaScript program that passes agrees with it."""
    jobs = [
        (task, program(idea.chain, idea.reading, task.language, style))
        for idea, task in held_out[:SAMPLE]
        for style in STYLES
    ]
    verdicts = list(sandbox.judge_many(iter(jobs)))
    assert [task.id for (task, _), v in zip(jobs, verdicts, strict=True) if not v.passed] == []


def test_wrong_readings_fail_and_the_feedback_shows_input_expected_and_got(
    held_out: list[tuple[world.Idea, Task]], sandbox: Sandbox
) -> None:
    jobs = [
        (task, idea.code(reading))
        for idea, task in held_out[:SAMPLE]
        for reading in idea.chain.readings()
        if reading != idea.reading
    ]
    for (task, code), verdict in zip(jobs, sandbox.judge_many(iter(jobs)), strict=True):
        failure = verdict.first_failure
        assert failure is not None
        assert failure.status == "wrong"
        told = failing_test(task, code, failure)
        assert all(f"{field}:" in told for field in ("Input", "Expected", "Got"))
