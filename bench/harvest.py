"""10,000 harvested attempts: is memory flat, and does judging hide behind sampling?

`harvest` as users run it, with LeDex's numbers, on the task world and in the real sandbox. The
model is a stand-in that costs next to nothing: right programs and mutated ones, no text twice, so
that each is judged. Memory is what this process holds at each thousand attempts, and at most, for
the repairs are picked out when all attempts are there; --known, for busy machines, judges programs
that differ in their last comment alone once, ahead. For the overlap the stand-in also waits, as
one does for a GPU or a server, in all as long as judging takes, which is the hardest case: judging
alone is the run that does not wait, sampling alone the one whose judge knows its verdicts. Bars:
10% between the first thousand attempts and the most; 1.15 x the longer of the two.

    python bench/harvest.py
    python bench/harvest.py memory --known
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.ray_judging import processor_seconds

from selfdebug import plugins, prompts
from selfdebug.attempts import verdict_key, verdicts
from selfdebug.benchmarks import world
from selfdebug.harvest import Harvest, harvest
from selfdebug.sandbox import Sandbox
from selfdebug.types import Completion, Judge, Request, Sampling, Task, Verdict, code_sha

GROWTH, OVERLAP = 1.10, 1.15
TASKS = {"memory": 95, "overlap": 15}  # attempts: some 110 a task
AT_ONCE = (
    32  # replies of a call: nothing overlaps the first call's sampling, the last one's judging
)
WRONG = 0.5
MUTANTS = 4  # of a task
MARK = "\n# "  # before the comment that makes a text another


def main() -> None:
    parser = argparse.ArgumentParser(description="Memory and overlap of harvest.")
    parser.add_argument("what", nargs="*", default=["memory", "overlap"])
    parser.add_argument("--tasks", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3, help="of the overlap")
    parser.add_argument("--known", action="store_true", help="judge each program once, ahead")
    options = parser.parse_args()
    missed = False
    with Sandbox() as sandbox:
        for what in options.what:
            tasks = list(islice(python_tasks(), options.tasks or TASKS[what]))
            model = StandIn(tasks)
            if what == "memory":
                judge = known(model, tasks, sandbox) if options.known else sandbox
                missed |= memory(tasks, model, judge)
            else:
                missed |= overlap(tasks, model, sandbox, options.rounds)
    from bench import machine  # not before: torch's own memory would hide the growth

    print(machine.described())
    sys.exit(missed)


def memory(tasks: Sequence[Task], model: StandIn, judge: Judge) -> bool:
    """Print what is held at each thousand attempts; return whether the bar was missed."""
    held: dict[int, float] = {}
    before = 0

    def on_replies(done: int, total: int) -> None:
        nonlocal before
        if done == total:  # programs; refinements are counted anew
            before, done = before + done, 0
        thousands = (before + done) // 1000
        if thousands and thousands not in held:
            held[thousands] = resident()

    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        found = harvest(tasks, model, judge, folder, on_replies=on_replies)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    ratio = max(most, *held.values()) / held[1]
    print(f"{attempts(found)} attempts in {time.perf_counter() - start:.0f} s: {found}")
    print(" ".join(f"{thousands}k: {size:.1f}" for thousands, size in held.items()), "MB")
    print(f"at most {most:.1f} MB: {ratio:.2f} x the first thousand's (bar {GROWTH})", flush=True)
    return ratio > GROWTH


def overlap(tasks: Sequence[Task], model: StandIn, judge: Judge, rounds: int) -> bool:
    """Print seconds of sampling, of judging and of both; return whether the bar was missed."""
    with tempfile.TemporaryDirectory() as folder:  # warms the workers up, too
        found = harvest(tasks, model, judge, folder, replies_at_once=AT_ONCE)
        table = Known(verdicts(folder))
    took: dict[str, list[float]] = {"judging": [], "sampling": [], "both": []}
    used: dict[str, list[float]] = {who: [] for who in took}
    for _ in range(rounds):
        for who, by in {"judging": judge, "sampling": table, "both": judge}.items():
            model.pause = 0.0 if who == "judging" else took["judging"][-1] / attempts(found)
            with tempfile.TemporaryDirectory() as folder:
                start, cpu = time.perf_counter(), processor_seconds()
                harvest(tasks, model, by, folder, replies_at_once=AT_ONCE)
                took[who].append(time.perf_counter() - start)
                used[who].append(processor_seconds() - cpu)
        print({who: f"{seconds[-1]:.1f} s" for who, seconds in took.items()}, flush=True)
    ratios = [b / max(j, s) for j, s, b in zip(*took.values(), strict=True)]
    for who, seconds in took.items():
        print(f"{who}: {median(seconds):.1f} s, of the processor {median(used[who]):.1f}")
    print(
        f"{attempts(found)} attempts, {rounds} rounds: both take {median(ratios):.2f} x the longer "
        f"one (bar {OVERLAP})",
        flush=True,
    )
    return median(ratios) > OVERLAP


def known(model: StandIn, tasks: Sequence[Task], sandbox: Sandbox) -> Known:
    """Judge the programs that the stand-in knows, and take all that it writes for them."""
    jobs = ((task, code) for task in tasks for code in model.programs[task.id])
    return Known(sandbox.judge_many(jobs), lambda code: code.rpartition(MARK)[0])


def python_tasks() -> Iterator[Task]:
    return (task for task in world.load("test") if task.language == "python")


def attempts(found: Harvest) -> int:
    return found.programs + found.refinements + found.unknown


def resident() -> float:
    """Return the megabytes that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


class StandIn:
    """A model of which half of the programs are wrong, and no text comes twice.

    pause: seconds that it waits for each reply.
    """

    name = "stand-in"

    def __init__(self, tasks: Sequence[Task]) -> None:
        mutator = plugins.load("mutators", "python_logic")
        self.programs: dict[str, list[str]] = {}  # of each task, the right one first
        for task in tasks:
            mutations = mutator.mutate(task.reference, Random(0))
            # A loop that never ends takes its time limit, as often as its text is another.
            wrong = (found.broken for found in mutations if "while" not in found.broken)
            texts = [task.reference, *islice(wrong, MUTANTS)]
            self.programs[task.id] = [text.rstrip() for text in texts]
        self.pause = 0.0

    def sample(
        self, requests: Sequence[Request], n: int, sampling: Sampling
    ) -> list[list[Completion]]:
        time.sleep(self.pause * n * len(requests))
        return [
            [self._reply(request, f"{sampling.seed + number}") for number in range(n)]
            for request in requests
        ]

    def _reply(self, request: Request, number: str) -> Completion:
        task = request.task
        rng = Random(f"{task.id} {number} {request.broken}")
        right, *wrong = self.programs[task.id]
        code = rng.choice(wrong) if rng.random() < WRONG else right
        code = prompts.fenced("python", f"{code}{MARK}{rng.getrandbits(64):x}\n")
        text = code if request.mode == "generate" else f"A line is wrong: try {number}.\n\n{code}"
        return prompts.parse("python", text, entry_point=task.entry_point)


class Known:
    """A judge that has seen every program before."""

    def __init__(self, seen: Iterable[Verdict], plain: Callable[[str], str] = str) -> None:
        """Take verdicts on programs; plain: what of a program they are on."""
        self._verdicts = {verdict_key(v.task_id, v.code_sha): v for v in seen}
        self._plain = plain

    def judge_many(self, jobs: Iterator[tuple[Task, str]], **_: Any) -> Iterator[Verdict]:
        for task, code in jobs:
            seen = self._verdicts[verdict_key(task.id, code_sha(self._plain(code)))]
            yield replace(seen, code_sha=code_sha(code))


if __name__ == "__main__":
    main()
