"""What the embedded model reads: conversations about the world's tasks, in selfdebug's own format.

`prepare` makes the tasks and their repairs once: wrong readings are judged in the sandbox, so each
carries the feedback that the loop would give. `document` then turns them into conversations, fresh
ones for every step. As in text that people wrote, not every reply is a good one: some keep the
wrong program and some try another guess, so that a base model comes out of it, which can use
feedback and often does not. It trains nothing.

    python -m recipes.pretrain_embedded prepare --out runs/embedded --tasks 2000
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from random import Random

from selfdebug import prompts, stages
from selfdebug.benchmarks import world
from selfdebug.benchmarks.world.programs import Reading, meaning
from selfdebug.explanations import CORRECT, compose
from selfdebug.feedback.failing_test import failing_test
from selfdebug.sandbox import Sandbox
from selfdebug.store import Store
from selfdebug.types import Example, Judge, Mode, Mutation, Repair, Request, Task

# Shares of the conversations; the others are corrections.
GENERATE, RECOGNISE, STAYS_RIGHT = 0.12, 0.12, 0.12
UNCHANGED, OTHER = 0.05, 0.05  # of the corrections: keep the program; try another wrong reading
WRONG_READINGS = 2  # of each task
SEED = 1  # of the training tasks; those of `world.load("train")` are left to fine-tuning


@dataclass(frozen=True, slots=True)
class Corpus:
    """Tasks, and the repairs that belong to them."""

    tasks: tuple[Task, ...]
    repairs: tuple[tuple[Task, Repair], ...]


def prepare(folder: Path, split: str, count: int, workers: int) -> None:
    """Write `count` tasks of a split and their repairs to `folder`; what is there is kept."""
    tasks = Store(folder / f"{split}-tasks.jsonl", Task)
    repairs = Store(folder / f"{split}-repairs.jsonl", Repair)
    if len(tasks) >= count:
        return
    made = islice(world.ideas(split, SEED if split == "train" else 0), count)
    with tasks, repairs, Sandbox(workers=workers) as sandbox:
        # A batch's repairs are written before its tasks: a batch that was cut off is made again.
        while batch := list(islice(made, 500)):
            if batch[-1][1].id in tasks:
                continue
            repairs.append_many(_repairs(batch, sandbox))
            tasks.append_many(task for _, task in batch)


def read(folder: Path, split: str, bugs: Path | None = None) -> Corpus:
    """Read what `prepare` wrote, and the repairs of a run of `selfdebug inject`."""
    tasks = tuple(Store(folder / f"{split}-tasks.jsonl", Task))
    known = {task.id: task for task in tasks}
    repairs = list(Store(folder / f"{split}-repairs.jsonl", Repair))
    if bugs is not None:
        known |= {task.id: task for task in world.load("train")}
        repairs += Store(bugs / "repairs.jsonl", Repair)
    return Corpus(tasks, tuple((known[repair.task_id], repair) for repair in repairs))


def texts(folder: Path) -> Iterator[str]:
    """Yield texts of the training tasks to train a tokenizer on."""
    for task in islice(Store(folder / "train-tasks.jsonl", Task), 4_000):
        yield f"{task.prompt}\n\n{prompts.fenced(task.language, task.reference)}"
    for repair in islice(Store(folder / "train-repairs.jsonl", Repair), 8_000):
        yield f"{repair.feedback}\n\n{repair.explanation}"


def document(corpus: Corpus, rng: Random, unchanged: float = UNCHANGED) -> Example:
    """Return one conversation; only its completion is learned from.

    unchanged: share of the corrections that give the wrong program again.
    """
    kind = rng.random()
    if kind < GENERATE:
        return generation(rng.choice(corpus.tasks))
    mode: Mode = rng.choice(("refine", "explain_refine"))
    if kind < GENERATE + STAYS_RIGHT:
        return written_and_kept(rng.choice(corpus.tasks), rng, mode)
    task, repair = rng.choice(corpus.repairs)
    if kind < GENERATE + STAYS_RIGHT + RECOGNISE:
        return _example(task, _recognise(task, repair), repair.explanation)
    return correction(task, repair, mode, _outcome(repair, rng, unchanged))


def generation(task: Task) -> Example:
    """Return a task and its program."""
    said = prompts.fenced(task.language, task.reference)
    return _example(task, prompts.messages(Request(task, "generate")), said)


def stays_right(task: Task, rng: Random, mode: Mode) -> Example:
    """Return a right program that is to be repeated."""
    feedback = failing_test(task, task.reference, None)
    request = Request(task, mode, task.reference, feedback)
    said = prompts.fenced(task.language, task.reference)
    if mode == "explain_refine":
        said = f"{rng.choice(CORRECT)}\n\n{said}"
    return _example(task, prompts.messages(request), said)


def written_and_kept(task: Task, rng: Random, mode: Mode) -> Example:
    """Return the same, but learn from the program's first writing too: it costs nothing."""
    example = stays_right(task, rng, mode)
    answers = (*example.prompt[1:], *example.completion)
    return replace(example, prompt=example.prompt[:1], completion=answers)


def correction(task: Task, repair: Repair, mode: Mode, outcome: str = "heeded") -> Example:
    """Return a wrong program, its feedback, and the reply: "heeded", "unchanged" or "other"."""
    code, explanation = repair.fixed, repair.explanation
    if outcome == "unchanged":
        code, explanation = repair.broken, ""
    elif outcome == "other":
        code, explanation = repair.details["other"], repair.details["other_explanation"]
    said = prompts.fenced(task.language, code)
    if mode == "explain_refine" and explanation:
        said = f"{explanation}\n\n{said}"
    request = Request(task, mode, repair.broken, repair.feedback)
    return _example(task, prompts.messages(request), said)


def _outcome(repair: Repair, rng: Random, unchanged: float) -> str:
    luck = rng.random()
    if luck < unchanged:
        return "unchanged"
    return "other" if luck > 1 - OTHER and repair.details.get("other") else "heeded"


def _recognise(task: Task, repair: Repair) -> list[dict[str, str]]:
    *before, _ = prompts.messages(Request(task, "refine", repair.broken, repair.feedback))
    return [*before, {"role": "user", "content": f"{repair.feedback}\n\n{stages.RECOGNISE}"}]


def _example(task: Task, prompt: Sequence[dict[str, str]], said: str) -> Example:
    answer = {"role": "assistant", "content": said}
    return Example("correct", task.id, task.language, "", tuple(prompt), (answer,))


def _repairs(batch: Sequence[tuple[world.Idea, Task]], judge: Judge) -> Iterator[Repair]:
    """Yield repairs of wrong readings that the first visible tests show to be wrong."""
    planned = [
        (idea, task, reading)
        for idea, task in batch
        for reading in _wrong_readings(idea, Random(f"wrong {task.id}"))
    ]
    jobs = ((task, idea.code(reading)) for idea, task, reading in planned)
    verdicts = judge.judge_many(jobs, stop_early=True)
    for (idea, task, reading), verdict in zip(planned, verdicts, strict=True):
        failure = verdict.first_failure
        if failure is None or verdict.unknown:
            continue
        rng = Random(f"{task.id} {reading}")
        broken = idea.code(reading)
        details: dict[str, str] = {}
        others = [r for r in _wrong_readings(idea, rng, 4) if r != reading]
        if others:
            details["other"] = idea.code(others[0])
            changes = explained(idea, reading, others[0])
            details["other_explanation"] = compose(changes, failure, rng)
        key = hashlib.sha256(f"{task.id}\0{broken}".encode()).hexdigest()[:16]
        changes = explained(idea, reading, idea.reading)
        yield Repair(
            key=key,
            task_id=task.id,
            language=task.language,
            broken=broken,
            feedback=failing_test(task, broken, failure),
            explanation=compose(changes, failure, rng),
            fixed=task.reference,
            origin="injected",
            tier=verdict.tier,
            kind="logic",
            mutator="world.reading",
            details=details,
        )


def _wrong_readings(idea: world.Idea, rng: Random, count: int = WRONG_READINGS) -> list[Reading]:
    """Return readings other than the right one, drawn by their weights, each once."""
    found: list[Reading] = []
    for _ in range(count * 4):
        reading = tuple(
            rng.choices(
                range(len(step.operation.choices)), [c.weight for c in step.operation.choices]
            )[0]
            for step in idea.chain.steps
        )
        if reading != idea.reading and reading not in found and len(found) < count:
            found.append(reading)
    return found


def explained(idea: world.Idea, wrong: Reading, right: Reading) -> list[Mutation]:
    """Return what turns one reading into another: a line each, what it means and what it should.

    The first is read off the line; whoever has said it can tell what else it should be.
    """
    broken, fixed = idea.code(wrong), idea.code(right)
    lines = list(zip(broken.splitlines(), fixed.splitlines(), strict=True))
    changed = [(n, new.strip()) for n, (old, new) in enumerate(lines, 1) if old != new]
    meanings = [
        (meaning(step, w), meaning(step, r))
        for step, w, r in zip(idea.chain.steps, wrong, right, strict=True)
        if w != r
    ]
    return [
        Mutation(
            broken,
            fixed,
            "logic",
            number,
            f"On line {number}: {means}. It should be: {meant}. Change it to `{new}`.",
            "world.reading",
        )
        for (number, new), (means, meant) in zip(changed, meanings, strict=True)
    ]
