"""Judging on one and on two Ray workers, and in one process, interleaved on one local cluster.

Every contestant gets the same programs in the same groups by turns. Processor time is shown beside
the speed, with the machine's load: workers cannot run side by side on cores that others use. The
programs are the references of the task world, which needs no data. Bar: two workers at 1.7 x one.

    python bench/ray_judging.py [rounds [programs]]
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from pathlib import Path
from statistics import median

from selfdebug.benchmarks import world
from selfdebug.cluster import cluster
from selfdebug.sandbox import Sandbox
from selfdebug.types import Judge, Task

BAR = 1.7
PROGRAMS, GROUP = 192, 64  # a group is calls of 16 programs, as many for each worker
ONE = "one Ray worker"


def main() -> None:
    rounds, programs = (*map(int, sys.argv[1:]), *(5, PROGRAMS)[len(sys.argv) - 1 :])
    tasks = list(islice((t for t in world.load("test") if t.language == "python"), programs))
    groups = [tasks[at : at + GROUP] for at in range(0, len(tasks), GROUP)]
    with cluster("local") as found, Sandbox(workers=1) as one, Sandbox(workers=2) as two:
        contestants: dict[str, Judge] = {
            ONE: found.judges(1),
            "two Ray workers": found.judges(2),
            "one process, one worker": one,
            "one process, two workers": two,
        }
        seconds, processor = race(contestants, groups, rounds)
    load = os.getloadavg()[0]
    sys.stdout.write(f"\n{len(tasks)} programs, {rounds} rounds, load {load:.1f} at the end\n")
    sys.stdout.write(f"{'':28}{'programs/s':>12}{'of one Ray worker':>20}{'CPU ms':>10}\n")
    ratios = {name: ratio(seconds[ONE], times) for name, times in seconds.items()}
    for name, times in seconds.items():
        speed, cost = len(tasks) / median(times), processor[name] / rounds / len(tasks) * 1e3
        sys.stdout.write(f"{name:28}{speed:12.0f}{ratios[name]:18.2f} x{cost:10.1f}\n")
    sys.stdout.write(f"bar: two Ray workers at {BAR} x one\n")
    sys.exit(ratios["two Ray workers"] < BAR)


def race(
    contestants: dict[str, Judge], groups: list[list[Task]], rounds: int
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Return each one's wall-clock seconds round by round, and its processor seconds in all."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    processor = dict.fromkeys(contestants, 0.0)
    for judge in contestants.values():
        for group in groups:  # processes start, and tasks are compiled, before anything is timed
            judged(judge, group)
    for _ in range(rounds):
        for times in seconds.values():
            times.append(0.0)
        for group in groups:
            for name, judge in contestants.items():
                used, start = processor_seconds(), time.perf_counter()
                judged(judge, group)
                seconds[name][-1] += time.perf_counter() - start
                processor[name] += processor_seconds() - used
    return seconds, processor


def judged(judge: Judge, group: Iterable[Task]) -> None:
    jobs = ((task, task.reference) for task in group)
    wrong = [verdict.task_id for verdict in judge.judge_many(jobs) if not verdict.passed]
    if wrong:
        sys.stderr.write(f"right programs fail: {wrong}\n")


def processor_seconds() -> float:
    """Processor time of this process and all it has started, living or reaped."""
    total, waiting = 0.0, [os.getpid()]
    while waiting:
        process = Path(f"/proc/{waiting.pop()}")
        with suppress(OSError):
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
            for children in process.glob("task/*/children"):
                waiting += map(int, children.read_text().split())
    return total


def ratio(slow: list[float], fast: list[float]) -> float:
    """Return how many times as fast: round by round, since within one the load is the same."""
    return median(a / b for a, b in zip(slow, fast, strict=True))


if __name__ == "__main__":
    main()
