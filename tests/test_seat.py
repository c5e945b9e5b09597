"""A judge and its candidate share a CPU while a job lasts, and are free between jobs."""

import os

import pytest

from selfdebug.sandbox import Sandbox, seat
from selfdebug.types import Task, Test

CPUS = os.sched_getaffinity(0)


@pytest.fixture
def free():
    yield
    os.sched_setaffinity(0, CPUS)


def judged(body, check):
    task = Task("t", "python", "", "f", (Test("t/0", "program", check),))
    with Sandbox(workers=1) as sandbox:
        return sandbox.judge(task, f"import os\ndef f():\n    {body}\n")


@pytest.mark.skipif(len(CPUS) == 1, reason="with one CPU there is no seat to take")
def test_a_taken_seat_is_the_cpu_that_one_is_on_and_is_left_again(free):
    mine = seat.Seat()
    cpu = mine.take()
    assert os.sched_getaffinity(0) == {cpu}
    assert cpu in CPUS
    mine.leave()
    assert os.sched_getaffinity(0) == CPUS


def test_with_one_cpu_there_is_nothing_to_choose(free):
    (cpu, *_) = CPUS
    os.sched_setaffinity(0, {cpu})
    assert seat.Seat().take() == seat.ANY


def test_a_cpu_that_is_none_leaves_all_as_it_was(free):
    assert not seat.move({1 << 14})
    assert os.sched_getaffinity(0) == CPUS


def test_a_candidate_runs_on_one_cpu():
    assert judged("return len(os.sched_getaffinity(0))", "assert f() == 1").passed


def test_a_candidate_cannot_take_another_seat():
    verdict = judged("os.sched_setaffinity(0, range(64))", "f()")
    assert "PermissionError" in verdict.results[0].message
