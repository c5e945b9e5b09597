"""How long one repair takes: judge, explain, refine, judge again, by the embedded model or another.

Each task of the world's test split gets a bug that its visible tests show, and one round of
`debug.debug` on it, one after the other, as `fix` runs it. Whether the program is mended does not
matter here. Seconds are by the clock, from the broken program to the verdict on the next one; the
processor's, of all processes, stand beside them. Bar: a median of 0.3 s.

    python bench/cycle.py [tasks [model]]
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median, quantiles
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import machine
from bench.rl import spent

from selfdebug import plugins
from selfdebug.backends import transformers
from selfdebug.benchmarks import world
from selfdebug.debug import debug
from selfdebug.models import EMBEDDED
from selfdebug.sandbox import Sandbox
from selfdebug.types import Sampling, Task

TASKS = 50
BAR = 0.3


def main() -> None:
    count = int(sys.argv[1]) if sys.argv[1:] else TASKS
    model = sys.argv[2] if sys.argv[2:] else str(EMBEDDED)
    with Sandbox() as sandbox:
        judge = Timed(sandbox.judge)
        backend = transformers.create(sandbox, model=model)
        sampler = Timed(backend.sample)
        took: list[tuple[float, float, float, float, int]] = []
        for number, (task, broken) in enumerate(islice(bugs(sandbox), count + 1)):
            judge.seconds = sampler.seconds = 0.0
            start, used = time.perf_counter(), spent()
            episode = debug(
                task, SimpleNamespace(name="embedded", sample=sampler),
                judge=SimpleNamespace(judge=judge), code=broken, max_iterations=1,
                sampling=Sampling(0.8, max_tokens=256, seed=number),
            )  # fmt: skip
            seconds, used = time.perf_counter() - start, spent() - used
            tokens = episode.turns[-1].completion.completion_tokens
            if number:  # the first touch of the weights is nobody's
                took.append((seconds, used, sampler.seconds, judge.seconds, tokens))
    seconds, used, sampling, judging, tokens = map(list, zip(*took, strict=True))
    print(f"{len(seconds)} cycles, {median(tokens):.0f} tokens a reply (median)")
    for name, values in {
        "all, by the clock": seconds, "sampling": sampling, "judging, twice": judging,
        "all, of the processor": used,
    }.items():  # fmt: skip
        print(f"{name}: median {median(values):.3f} s, p90 {quantiles(values, n=10)[8]:.3f} s")
    print(machine.described())
    sys.exit(median(seconds) > BAR)


def bugs(sandbox: Sandbox) -> Iterator[tuple[Task, str]]:
    """Yield tasks with a wrong program that a visible test shows to be wrong."""
    mutator = plugins.load("mutators", "python_logic")
    for task in world.load("test"):
        for mutation in islice(mutator.mutate(task.reference, Random(0)), 3):
            verdict = sandbox.judge(task, mutation.broken, tests=task.visible_tests)
            if not verdict.visible_passed:
                yield task, mutation.broken
                break


class Timed:
    """A function that adds up the seconds spent in it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function, self.seconds = function, 0.0

    def __call__(self, *args: Any, **settings: Any) -> Any:
        start = time.perf_counter()
        try:
            return self._function(*args, **settings)
        finally:
            self.seconds += time.perf_counter() - start


if __name__ == "__main__":
    main()
