"""What every benchmark must keep: its references pass, nothing passes for nothing, licences stand.

Each file of `benchmarks/` is tested on the day it lands. Without its data a benchmark is skipped.
The quick run judges a sample of each split; `-m slow` judges all of them, broken programs too.

    pytest tests/contract/test_benchmarks.py
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import cast

import pytest

from selfdebug import plugins
from selfdebug.benchmarks import Benchmark
from selfdebug.formats.data import present
from selfdebug.sandbox import Sandbox
from selfdebug.types import Task, Verdict

NAMES = [name for name in plugins.names("benchmarks") if name != "jsonl"]
SAMPLE = 12  # tasks of each split in the quick run
# What the data sets are known to hold: tasks, references, known broken programs.
SIZES = {
    "humaneval:test": (164, 164, 0),
    "humanevalplus:test": (164, 164, 0),
    "mbpp:all": (974, 974, 0),
    "mbpp:test": (500, 500, 0),
    "mbpp:train": (374, 374, 0),
    "mbpp:sanitized-all": (427, 427, 0),
    "mbppplus:all": (378, 378, 0),
    "mbppplus:test": (224, 224, 0),
    "humanevalpack:python": (164, 164, 164),
    "humanevalpack:javascript": (164, 164, 164),
    "mbxp:all": (966, 796, 0),
    "debugbench:test": (1124, 1124, 1124),
}
# Splits that hold all tasks of their benchmark.
WHOLE = [
    *(name for name in SIZES if name not in ("mbpp:test", "mbpp:train", "mbppplus:test")),
    "demo:bugs",
    "demo:references",
    "world:demo",
]


def benchmark(name: str) -> Benchmark:
    return cast("Benchmark", plugins.load("benchmarks", name))


@cache
def load(which: str) -> list[Task]:
    """The tasks of a split, read once for all tests: the programs of some are megabytes."""
    name, _, split = which.partition(":")
    found = benchmark(name)
    if absent := [data.file for data in found.DATA if not present(data)]:
        pytest.skip(f"no {absent[0]} on this machine")
    return list(found.load(split))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(workers=2) as sandbox:
        yield sandbox


def stub(task: Task) -> str:
    """A program that has the entry point and does nothing."""
    owner, _, method = task.entry_point.partition(".")
    if task.language == "javascript":
        return f"function {owner or 'main'}() {{}}\n"
    if method:
        return f"class {owner}:\n    def {method}(self, *args):\n        pass\n"
    return f"def {owner or 'main'}(*args):\n    pass\n"


def judged(sandbox: Sandbox, jobs: list[tuple[Task, str]], stop: bool) -> dict[str, Verdict]:
    verdicts = sandbox.judge_many(iter(jobs), stop_early=stop)
    found = {task.id: verdict for (task, _), verdict in zip(jobs, verdicts, strict=True)}
    assert not [f"{v.task_id}: {v.results[0].message}" for v in found.values() if v.unknown]
    return found


def failed(sandbox: Sandbox, tasks: list[Task]) -> list[str]:
    """The tasks whose reference does not pass, with the reason."""
    verdicts = judged(sandbox, [(t, t.reference) for t in tasks if t.reference], stop=True)
    worst = {
        i: next((r for r in v.results if r.status != "pass"), None) for i, v in verdicts.items()
    }
    return [f"{i}: {r.test_id} {r.status} {r.call} {r.message}" for i, r in worst.items() if r]


def passed(sandbox: Sandbox, jobs: list[tuple[Task, str]]) -> list[str]:
    """The tasks that a program passes which must not."""
    return [i for i, v in judged(sandbox, jobs, stop=True).items() if v.passed]


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_says_its_licence_and_its_splits(name: str) -> None:
    found = benchmark(name)
    assert re.fullmatch(r"MIT|Apache-2\.0|CC-BY-4\.0", found.LICENSE)
    assert found.SPLITS
    assert set(found.EVALUATION_ONLY) <= set(found.SPLITS)
    for data in found.DATA:
        assert data.url.startswith("https://")
        assert data.columns


@pytest.mark.parametrize("which", WHOLE)
def test_tasks_are_complete_and_their_ids_unique(which: str) -> None:
    tasks = load(which)
    name = which.partition(":")[0]
    assert len({task.id for task in tasks}) == len(tasks)
    for task in tasks:
        assert task.source == name
        assert task.license == benchmark(name).LICENSE
        assert task.prompt.strip()
        assert task.tests
        assert len({test.id for test in task.tests}) == len(task.tests), task.id
        assert task.entry_point or {test.kind for test in task.tests} == {"stdio"}
        assert task.broken != task.reference or not task.broken
        programs = [test.body for test in task.tests if test.kind == "program"]
        assert not programs or any(task.entry_point in body for body in programs)


@pytest.mark.parametrize(("which", "size"), SIZES.items())
def test_a_split_holds_what_its_authors_published(which: str, size: tuple[int, int, int]) -> None:
    tasks = load(which)
    assert (
        len(tasks),
        sum(bool(t.reference) for t in tasks),
        sum(bool(t.broken) for t in tasks),
    ) == size


@pytest.mark.parametrize("which", WHOLE)
def test_a_sample_of_references_passes_and_of_stubs_and_broken_programs_fails(
    which: str, sandbox: Sandbox
) -> None:
    tasks = load(which)
    tasks = tasks[:: len(tasks) // SAMPLE]
    assert not failed(sandbox, tasks)
    assert not passed(sandbox, [(task, stub(task)) for task in tasks])
    quick = [task for task in tasks if task.broken and "while" not in task.broken]
    assert not passed(sandbox, [(task, task.broken) for task in quick])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("which", WHOLE)
def test_every_reference_passes(which: str, sandbox: Sandbox) -> None:
    assert not failed(sandbox, load(which))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("which", WHOLE)
def test_no_empty_stub_passes(which: str, sandbox: Sandbox) -> None:
    assert not passed(sandbox, [(task, stub(task)) for task in load(which)])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("which", ["demo:bugs", *(w for w, size in SIZES.items() if size[2])])
def test_every_broken_program_fails(which: str, sandbox: Sandbox) -> None:
    assert not passed(sandbox, [(task, task.broken) for task in load(which) if task.broken])


def test_every_bug_of_the_demo_shows_in_a_visible_test(sandbox: Sandbox) -> None:
    tasks = load("demo:bugs")
    verdicts = judged(sandbox, [(task, task.broken) for task in tasks], stop=False)
    assert not [i for i, verdict in verdicts.items() if verdict.first_failure is None]
