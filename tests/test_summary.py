"""Rows: who is counted where, and what is left out."""

import math
from dataclasses import replace

from episodes import episode
from selfdebug.stats import wilson
from selfdebug.summary import rows
from selfdebug.types import Task

TASKS = {
    name: Task(name, language, "", "f", (), bug_kind=kind)
    for name, language, kind in (
        ("a", "python", "logic"),
        ("b", "python", "logic"),
        ("c", "python", "syntax"),
        ("d", "javascript", "logic"),
    )
}
RIGHT, VISIBLE, WRONG = "vh", "vH", "Vh"  # the visible test, the hidden one


def table(episodes, right=()):
    return {(row.language, row.kind): row for row in rows(TASKS, episodes, right)}


def test_all_then_each_language_then_its_kinds():
    found = rows(TASKS, [episode(name, RIGHT) for name in TASKS])
    assert [(row.language, row.kind, row.tasks) for row in found] == [
        (None, None, 4),
        ("javascript", None, 1),
        ("python", None, 3),
        ("python", "logic", 2),
        ("python", "syntax", 1),
    ]


def test_one_language_needs_no_row_for_all():
    found = rows(TASKS, [episode("a", RIGHT)])
    assert [(row.language, row.kind) for row in found] == [("python", None)]


def test_what_a_row_says():
    found = table(
        [
            episode("a", WRONG, WRONG, RIGHT, seconds=3.0),
            episode("b", WRONG, VISIBLE, seconds=1.0),
            episode("c", RIGHT, seconds=2.0),
        ]
    )[("python", None)]
    assert found.first == wilson(1, 3)
    assert found.visible == wilson(3, 3)
    assert found.passed == wilson(2, 3)
    assert found.iterations == 1.0  # two for a, none for c; b was not repaired
    assert found.seconds == 2.0
    assert found.broken is None


def test_a_task_with_many_samples_counts_once():
    many = [episode("a", RIGHT, seed=seed) for seed in range(8)]
    found = table([*many, episode("b", WRONG)])[("python", None)]
    assert (found.tasks, found.episodes) == (2, 9)
    assert found.passed.value == 0.5


def test_faults_of_the_harness_and_strange_tasks_are_left_out():
    strange = episode("gone", WRONG)
    found = table([episode("a", RIGHT), episode("b", WRONG, stopped="unknown"), strange])
    assert found[("python", None)].episodes == 1
    assert rows(TASKS, [strange]) == []


def test_an_episode_without_a_program_has_failed():
    found = table([episode("a", stopped="no_reply")])[("python", None)]
    assert (found.first.value, found.visible.value, found.passed.value) == (0, 0, 0)
    assert math.isnan(found.iterations)


def test_right_programs_that_were_broken_are_counted_in_their_group():
    right = [episode("a", RIGHT, WRONG), episode("b", RIGHT, VISIBLE), episode("d", RIGHT)]
    found = table([episode(name, RIGHT) for name in TASKS], right)
    assert found[(None, None)].broken == wilson(2, 3)
    assert found[("javascript", None)].broken == wilson(0, 1)
    assert found[("python", "syntax")].broken is None


def test_the_final_program_is_the_best_not_the_last():
    kept = replace(episode("a", RIGHT, WRONG), best=0)
    assert table([kept])[("python", None)].passed.value == 1.0
