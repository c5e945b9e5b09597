"""Harvest: what passes every test is kept, failures too, nothing is paid for twice or leaked."""

import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections import Counter
from dataclasses import replace

import pytest

from selfdebug.attempts import attempts, judged, verdicts
from selfdebug.backends.fake import Fake
from selfdebug.backends.search import Search
from selfdebug.harvest import Settings, harvest
from selfdebug.sandbox import Sandbox
from selfdebug.store import Store
from selfdebug.types import Repair, SelfdebugError, Task, Test, TestResult, Verdict, code_sha

OPERATORS = {"add": "+", "sub": "-", "mul": "*"}
FEW = Settings(samples=6, refinements=4)


def program(operator):
    return f"def f(a, b):\n    return a {operator} b\n"


def task(name, operator):
    results = {"+": (7, 8881), "-": (3, 8879), "*": (10, 8880)}[operator]
    tests = (
        Test("v", "program", f"assert f(5, 2) == {results[0]}"),
        Test("h", "program", f"assert f(8880, 1) == {results[1]}", hidden=True),
    )
    return Task(name, "python", f"Write f for {name}.", "f", tests, reference=program(operator))


TASKS = [task(name, operator) for name, operator in OPERATORS.items()]


def guesses(request, rng):
    """A model: it guesses the operator, and explains itself when asked to refine."""
    code = f"```python\n{program(rng.choice('+-*'))}```"
    return code if request.mode == "generate" else f"Operator {rng.random()}.\n\n{code}"


class Counting(Fake):
    """Counts what is asked for, and may stop after some calls."""

    def __init__(self, script=guesses, name="fake", stop_after=10**9):
        super().__init__(script)
        self.name, self.replies, self.left = name, 0, stop_after

    def sample(self, requests, n, sampling):
        self.left -= 1
        if self.left < 0:
            raise SelfdebugError("the server is gone")
        self.replies += n * len(requests)
        return super().sample(requests, n, sampling)


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(workers=2) as box:
        yield box


def repairs(folder):
    return list(Store(folder / "repairs.jsonl", Repair))


def test_every_distinct_failure_is_refined_and_only_what_passes_is_a_repair(sandbox, tmp_path):
    model = Counting()
    found = harvest(TASKS, model, sandbox, tmp_path, FEW)
    assert found.programs == 18
    assert found.refinements == 4 * found.failures
    assert model.replies == 18 + 4 * found.failures
    broken = {(a.task_id, a.completion.code) for a, v in judged(tmp_path) if not v.passed}
    assert 2 <= found.failures <= len(broken)
    assert found.repairs == len(repairs(tmp_path)) > 0
    for repair in repairs(tmp_path):
        operator = OPERATORS[repair.task_id]
        assert repair.fixed == program(operator)
        assert repair.broken != repair.fixed
        assert repair.explanation.startswith("Operator 0.")
        assert (repair.origin, repair.kind) == ("harvested", "wrong")


def test_a_repair_carries_the_share_of_its_explanation_that_is_true(sandbox, tmp_path):
    right = program("-")

    def says(request, rng):
        if request.mode == "generate":
            return f"```python\n{program('+')}```"
        line = rng.choice(["`return a - b`", "`return a * b`"])
        return f"Change line 2 to {line}: 3 is expected, not 7.\n\n```python\n{right}```"

    harvest([task("sub", "-")], Counting(says), sandbox, tmp_path, FEW)
    shares = {"a - b" in r.explanation: r.details["true_claims"] for r in repairs(tmp_path)}
    assert shares.keys() == {True, False}
    assert 0 < shares[False] < shares[True]


def test_failures_are_kept_and_marked_with_what_was_read_and_said(sandbox, tmp_path):
    harvest(TASKS, Counting(), sandbox, tmp_path, FEW)
    failed = [found for found in judged(tmp_path) if not found.verdict.passed]
    assert {found.attempt.mode for found in failed} == {"generate", "explain_refine"}
    for attempt, verdict in failed:
        assert 0 <= verdict.share_passed < 1
        if attempt.parent:
            assert attempt.feedback.startswith("The program returns a wrong value.")
            assert attempt.broken.startswith("def f(a, b):")
            assert attempt.completion.spans.keys() == {"explanation", "code"}


def test_nothing_of_a_hidden_test_or_the_reference_is_shown_to_a_model(sandbox, tmp_path):
    model, teacher = Counting(), Counting(name="teacher")
    harvest(TASKS, model, sandbox, tmp_path, FEW, teacher=teacher)
    asked = model.requests + teacher.requests
    assert {request.mode for request in asked} == {"generate", "explain_refine"}
    for request in asked:
        assert "888" not in request.feedback
        assert request.task.tests == request.task.visible_tests
        assert request.task.reference == request.task.broken == ""
    assert "888" not in (tmp_path / "repairs.jsonl").read_text()


def test_a_program_that_only_hidden_tests_fail_is_not_refined(sandbox, tmp_path):
    only_seven = "```python\ndef f(a, b):\n    return 7\n```"
    model = Counting(lambda request, rng: only_seven)
    found = harvest(TASKS[:1], model, sandbox, tmp_path, FEW)
    assert (found.right, found.failures, found.refinements) == (0, 0, 0)


def test_a_refinement_that_a_hidden_test_fails_is_no_repair(sandbox, tmp_path):
    def model(request, rng):
        body = "return 0" if request.mode == "generate" else "return 7"
        return f"```python\ndef f(a, b):\n    {body}\n```"

    found = harvest(TASKS[:1], Counting(model), sandbox, tmp_path, FEW)
    assert (found.failures, found.refinements, found.repairs) == (1, 4, 0)


def test_the_same_call_again_asks_for_nothing_and_changes_nothing(sandbox, tmp_path):
    first = harvest(TASKS, Counting(), sandbox, tmp_path, FEW)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    model = Counting()
    assert harvest(TASKS, model, sandbox, tmp_path, FEW) == first
    assert model.replies == 0
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_more_samples_extend_what_is_there_with_new_numbers(sandbox, tmp_path):
    harvest(TASKS, Counting(), sandbox, tmp_path, FEW)
    before = (tmp_path / "attempts.jsonl").read_text()
    model = Counting()
    found = harvest(TASKS, model, sandbox, tmp_path, replace(FEW, samples=10))
    assert found.programs == 30
    assert (tmp_path / "attempts.jsonl").read_text().startswith(before)
    fresh = [request for request in model.requests if request.mode == "generate"]
    assert len(fresh) == 3
    numbers = Counter((a.task_id, a.parent) for a in attempts(tmp_path))
    assert {numbers[name, ""] for name in OPERATORS} == {10}


def test_a_backend_that_fails_loses_nothing_that_was_paid_for(sandbox, tmp_path):
    whole = harvest(TASKS, Counting(), sandbox, tmp_path / "whole", FEW, replies_at_once=6)
    torn, paid = tmp_path / "torn", 0
    for _ in range(50):
        model = Counting(stop_after=2)
        try:
            found = harvest(TASKS, model, sandbox, torn, FEW, replies_at_once=6)
            break
        except SelfdebugError:
            paid += model.replies
            assert len(attempts(torn)) == paid
    assert found.programs == whole.programs == 18
    assert found.refinements == 4 * found.failures


def test_a_fault_of_the_harness_is_no_verdict_and_tried_again(sandbox, tmp_path):
    class Faulty:
        """Every second program meets a fault of the harness."""

        def judge_many(self, jobs, **options):
            for number, verdict in enumerate(sandbox.judge_many(jobs, **options)):
                results = tuple(replace(r, status="unknown") for r in verdict.results)
                yield replace(verdict, results=results) if number % 2 else verdict

    first = harvest(TASKS, Counting(), Faulty(), tmp_path, FEW)
    assert first.unknown > 0
    assert not any(verdict.unknown for verdict in verdicts(tmp_path))
    model = Counting()
    again = harvest(TASKS, model, sandbox, tmp_path, FEW)
    assert again.unknown == 0
    assert again.programs == 18


def test_sampling_and_judging_overlap(tmp_path):
    sampling, seen = threading.Event(), []

    class Model(Counting):
        def sample(self, requests, n, sampling_):
            sampling.set()
            time.sleep(0.2)
            sampling.clear()
            return super().sample(requests, n, sampling_)

    class Slow(Sandbox):
        def judge(self, *args, **options):
            seen.append(sampling.is_set())
            return super().judge(*args, **options)

    with Slow(workers=1) as box:
        harvest(TASKS, Model(), box, tmp_path, replace(FEW, refinements=0), replies_at_once=6)
    assert any(seen)


def test_memory_holds_neither_replies_nor_verdicts(tmp_path):
    """Ten thousand attempts must fit where a hundred do."""

    class Model(Fake):
        def sample(self, requests, n, sampling):
            replies = super().sample(requests, n, sampling)
            self.requests.clear()
            return replies

    class Wrong:
        def judge_many(self, jobs):
            long = TestResult("v", "wrong", "f(5, 2)", expected="7", message="x" * 5000)
            return (Verdict(task.id, code_sha(code), (long,), "A") for task, code in jobs)

    def peak(count):
        model = Model(lambda _, rng: f"```python\n{program('+')}# {rng.random()}\n```")
        tasks = [replace(TASKS[0], id=f"{number}") for number in range(count)]
        few = Settings(samples=4, refinements=1)
        tracemalloc.start()
        found = harvest(tasks, model, Wrong(), tmp_path / f"{count}", few, replies_at_once=8)
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found.programs == found.failures == found.refinements == 4 * count
        return held

    peak(2)  # imports and caches
    assert (peak(40) - peak(10)) / (30 * 8) < 1000  # bytes an attempt


def test_search_is_a_teacher_that_needs_no_model(sandbox, tmp_path):
    settings = replace(FEW, refinements=1)
    found = harvest(TASKS, Counting(), sandbox, tmp_path, settings, teacher=Search(sandbox))
    # Where the visible test allows another change, a hidden one may refuse it.
    assert found.failures - 1 <= found.mended == found.repairs
    assert {repair.origin for repair in repairs(tmp_path)} == {"search"}
    assert all(repair.explanation for repair in repairs(tmp_path))


def test_a_teachers_repairs_say_so(sandbox, tmp_path):
    harvest(TASKS, Counting(), sandbox, tmp_path, FEW, teacher=Counting(name="large"))
    assert {repair.origin for repair in repairs(tmp_path)} == {"teacher"}


def test_without_tasks_it_says_so(sandbox, tmp_path):
    with pytest.raises(SelfdebugError, match="visible test"):
        harvest([], Counting(), sandbox, tmp_path)


RUN = """
import sys, time
from dataclasses import replace
from pathlib import Path
from selfdebug.backends.fake import Fake
from selfdebug.harvest import Settings, harvest
from selfdebug.sandbox import Sandbox
sys.path.insert(0, sys.argv[2])
from test_harvest import TASKS, guesses

class Paid(Fake):
    def sample(self, requests, n, sampling):
        time.sleep(0.02)
        with open(sys.argv[3], "a") as bill:
            bill.write(f"{n * len(requests)}\\n")
        return super().sample(requests, n, sampling)

tasks = [replace(task, id=f"{task.id}{number}") for task in TASKS for number in range(12)]
with Sandbox(workers=2) as box:
    harvest(tasks, Paid(guesses), box, Path(sys.argv[1]), Settings(samples=5, refinements=4),
            replies_at_once=10)
"""


@pytest.mark.slow
def test_killed_at_any_moment_the_same_command_goes_on(tmp_path):
    """Each kill costs at most the one call that was under way."""
    bill = tmp_path / "bill"
    folder = str(tmp_path / "run")
    command = [sys.executable, "-c", RUN, folder, os.path.dirname(__file__), str(bill)]
    kills = 0
    for number in range(8):
        process = subprocess.Popen(command, start_new_session=True)
        lines, until = bill.read_text().count("\n") if bill.exists() else 0, time.monotonic() + 60
        while process.poll() is None and time.monotonic() < until:
            if bill.exists() and bill.read_text().count("\n") >= lines + 2 + number % 3:
                os.killpg(process.pid, signal.SIGKILL)
                kills += 1
                break
            time.sleep(0.003)
        process.wait()
    subprocess.run(command, check=True)
    paid = sum(map(int, bill.read_text().split()))
    kept = len(attempts(folder))
    assert kills >= 4
    assert paid - kept <= kills * 10
    numbers = Counter((a.task_id, a.parent) for a in attempts(folder))
    assert {count for (_, parent), count in numbers.items() if not parent} == {5}
    assert {count for (_, parent), count in numbers.items() if parent} == {4}
