"""Injected bugs are verified, balanced, and the same to the byte however often a run is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from selfdebug import benchmarks, planting
from selfdebug.balance import MOST, SLACK, Balance
from selfdebug.explanations import verified
from selfdebug.inject import KINDS, inject
from selfdebug.planting import Planner
from selfdebug.sandbox import Sandbox
from selfdebug.types import SelfdebugError, Task, Test

RUN = """
import sys
from pathlib import Path
from selfdebug import benchmarks
from selfdebug.inject import inject
from selfdebug.sandbox import Sandbox

tasks = [task for task in benchmarks.load("demo", "references") if task.language == "python"][:8]
with Sandbox(workers=2) as box:
    inject(tasks, box, Path(sys.argv[1]), total=int(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(workers=2) as box:
        yield box


@pytest.fixture(scope="module")
def tasks():
    found = [t for t in benchmarks.load("demo", "references") if t.language == "python"]
    return found[:8]


def lines(folder: Path) -> list[str]:
    return (folder / "repairs.jsonl").read_text().splitlines()


def test_every_repair_is_a_bug_that_its_correction_mends(tasks, sandbox, tmp_path):
    repairs = list(inject(tasks, sandbox, tmp_path, total=80))
    known = {task.id: task for task in tasks}
    assert len(repairs) == 80
    assert len({(r.task_id, r.broken) for r in repairs}) == 80
    for repair in repairs:
        task = known[repair.task_id]
        broken = sandbox.judge(task, repair.broken, tests=task.visible_tests)
        assert not broken.visible_passed
        assert (broken.results[0].status == "load_error") == (repair.kind == "syntax")
        assert repair.fixed == task.reference
        assert repair.feedback.startswith("The program")
        assert verified(repair.explanation, repair.broken, repair.fixed, broken.first_failure)


def test_classes_and_difficulty_are_balanced(tasks, sandbox, tmp_path):
    repairs = list(inject(tasks, sandbox, tmp_path, total=200))
    kinds = Counter(repair.kind for repair in repairs)
    assert len(kinds) == 4
    assert min(kinds.values()) >= 30
    assert any(not repair.details["all_fail"] for repair in repairs)


def test_each_language_is_balanced_by_itself(sandbox, tmp_path):
    found = list(benchmarks.load("demo", "references"))
    some = [next(t for t in found[i:] if t.language == "javascript") for i in (0, 80)]
    some += [t for t in found if t.language == "python"][:5]
    repairs = list(inject(some, sandbox, tmp_path, total=160))
    for language in ("python", "javascript"):
        kinds = Counter(repair.kind for repair in repairs if repair.language == language)
        assert len(kinds) == 4
        # MOST times the rarest, and the SLACK that a beginning needs.
        assert max(kinds.values()) <= MOST * min(kinds.values()) + SLACK + 1


def test_no_kind_has_less_than_15_percent_however_greedy_the_others_are():
    balance = Balance(total=10_000, kinds=KINDS)
    counts = balance.counts
    while (number := sum(counts.values())) < 10_000:
        more = [kind for kind in KINDS[1:] if not balance.has_its_share("python", kind)]
        for kind in more or KINDS[:1]:
            counts["python", kind] += 1
        if number > 2_300:
            assert min(counts.values()) >= 0.15 * sum(counts.values())


def test_of_the_rarest_kind_every_bug_is_kept(tasks, sandbox, tmp_path):
    """Of the others a visit keeps two thirds, the harder ones."""
    inject(tasks[:1], sandbox, tmp_path, total=120)
    visits = [json.loads(line) for line in (tmp_path / "visits.jsonl").read_text().splitlines()]
    surplus = Counter()
    for outcomes in (visit["outcomes"] for visit in visits):
        for kind in KINDS:
            surplus[kind] += outcomes.get(f"{kind} surplus", 0)
    assert surplus["off_by_one"] < surplus["syntax"]


def test_of_several_bugs_each_changes_what_the_tests_show(tasks, sandbox, tmp_path):
    """Without the last of them the tests show something else; so an explanation may tell of it."""
    repairs = list(inject(tasks[:1], sandbox, tmp_path, total=110))
    several = [repair for repair in repairs if repair.details["bugs"] > 1]
    assert len(several) > 5
    for repair in several:
        assert len(repair.mutator.split("+")) == repair.details["bugs"] > 1
        assert repair.details["lines"] == sorted(set(repair.details["lines"]))
    card = Counter()
    for line in (tmp_path / "visits.jsonl").read_text().splitlines():
        card.update(json.loads(line).get("outcomes", {}))
    refused = [name for name in card if name.endswith("one of several bugs does not show")]
    assert refused


def test_an_empty_list_without_its_first_element_is_no_second_bug(sandbox, tmp_path):
    """`list(found)[1:]` of nothing changes nothing: never told as a bug beside another."""
    task = Task(
        "always_empty", "python", "Nothing.", "nothing",
        tests=(Test("t", "program", "assert nothing(3) == 4"),),
        reference="def nothing(x):\n    y = x + 1\n    z = list(())\n    return y + len(z)\n",
    )  # fmt: skip
    repairs = list(inject([task], sandbox, tmp_path, total=60))
    assert repairs
    assert not [r for r in repairs if "list(())[" in r.broken]


def test_bytes_do_not_depend_on_the_total(tasks, sandbox, tmp_path):
    inject(tasks, sandbox, tmp_path / "few", total=35)
    inject(tasks, sandbox, tmp_path / "many", total=90)
    assert lines(tmp_path / "few") == lines(tmp_path / "many")[:35]


def test_line_ends_of_other_systems_are_read_as_newlines(tasks, sandbox, tmp_path):
    for name, end in (("unix", "\n"), ("windows", "\r\n"), ("old", "\r")):
        task = replace(tasks[0], reference=tasks[0].reference.replace("\n", end))
        inject([task], sandbox, tmp_path / name, total=12)
    assert lines(tmp_path / "unix") == lines(tmp_path / "windows") == lines(tmp_path / "old")


def test_feedback_and_repairs_never_show_a_hidden_test(tasks, sandbox, tmp_path):
    task = Task(
        "secretive", "python", "Add.", "add",
        tests=(
            Test("seen", "program", "assert add(1, 2) == 3"),
            Test("unseen", "program", "assert add(7771, 1) == 7772", hidden=True),
        ),
        reference="def add(a, b):\n    total = a + b\n    return total\n",
        source="here", license="CC0",
    )  # fmt: skip
    inject([task], sandbox, tmp_path, total=30)
    text = (tmp_path / "repairs.jsonl").read_text()
    assert "add(1, 2)" in text
    assert "777" not in text


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tasks, sandbox, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        inject(tasks, sandbox, tmp_path / name, total=40, seed=seed)
    assert lines(tmp_path / "a") == lines(tmp_path / "b")
    assert lines(tmp_path / "a") != lines(tmp_path / "c")


def test_a_larger_total_extends_what_is_there(tasks, sandbox, tmp_path):
    inject(tasks, sandbox, tmp_path, total=30)
    before = lines(tmp_path)
    inject(tasks, sandbox, tmp_path, total=30)
    assert lines(tmp_path) == before
    inject(tasks, sandbox, tmp_path, total=60)
    assert lines(tmp_path)[:30] == before
    assert len(lines(tmp_path)) == 60


def test_a_kind_that_has_its_share_is_not_tried(tasks, sandbox):
    balance = Balance(total=100, kinds=KINDS)
    planner = Planner(tasks[:1], KINDS, sandbox, seed=0)
    for syntax_errors, tried in ((0, set(KINDS)), (50, {*KINDS} - {"syntax"})):
        balance.counts["python", "syntax"] = syntax_errors
        _, _, bugs = next(planner.visits(0, lambda _: balance))
        assert {bug.kind for bug, _ in bugs} == tried


def test_stopped_within_a_batch_it_plans_the_rest_as_it_was_planned(
    tasks, sandbox, tmp_path, monkeypatch
):
    monkeypatch.setattr(planting, "BATCH", 3)
    inject(tasks[:1], sandbox, tmp_path / "whole", total=75)
    for total in (9, 23, 24, 61, 75):
        inject(tasks[:1], sandbox, tmp_path / "torn", total=total)
    for name in ("repairs.jsonl", "visits.jsonl"):
        assert (tmp_path / "whole" / name).read_text() == (tmp_path / "torn" / name).read_text()


def test_a_task_whose_reference_fails_is_left_out(sandbox, tmp_path, tasks):
    wrong = Task("wrong", "python", "", "f", (Test("t", "program", "assert f() == 1"),),
                 reference="def f():\n    return 2\n")  # fmt: skip
    repairs = list(inject([wrong, tasks[0]], sandbox, tmp_path, total=10))
    assert {repair.task_id for repair in repairs} == {tasks[0].id}


def test_without_a_task_to_break_it_says_so(sandbox, tmp_path):
    with pytest.raises(SelfdebugError, match="reference"):
        inject([], sandbox, tmp_path, total=1)


@pytest.mark.slow
def test_killed_ten_times_and_resumed_it_equals_an_uninterrupted_run(tmp_path):
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    command = [sys.executable, "-c", RUN]
    began = time.monotonic()
    subprocess.run([*command, str(whole), "250"], check=True)
    needed = time.monotonic() - began
    for kill in range(10):
        process = subprocess.Popen([*command, str(torn), "250"], start_new_session=True)
        started = time.monotonic()
        while process.poll() is None and time.monotonic() - started < needed * (0.1 + 0.05 * kill):
            time.sleep(0.01)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    subprocess.run([*command, str(torn), "250"], check=True)
    assert lines(torn) == lines(whole)
    assert (torn / "visits.jsonl").read_text() == (whole / "visits.jsonl").read_text()
    assert len([json.loads(line) for line in lines(torn)]) == 250
