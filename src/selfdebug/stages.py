"""Repairs as what a model learns from, in three stages: write, recognise, correct.

generate: a task, its program. recognise: a task, a program and what its tests showed, the
explanation, or "correct". correct: the same, the mended program, with the explanation before it
or without. Right programs that stay right are mixed in, so that a model does not learn to break
what works. It makes examples; it trains nothing and writes nothing.

    selfdebug export runs/bugs --format messages
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random

from selfdebug import prompts
from selfdebug.explanations import CORRECT, TRUE_CLAIMS
from selfdebug.feedback.failing_test import PASSING
from selfdebug.types import Example, Repair, Request, Stage, Task

STAGES: tuple[Stage, ...] = ("generate", "recognise", "correct")
RIGHT_SHARE = 0.2  # of the examples of recognise and correct, that show a right program
RECOGNISE = (
    "Say in a few sentences what is wrong with the program, where and why. If nothing is wrong, "
    "say that it is correct. Do not write a program."
)


def examples(
    repairs: Iterable[Repair],
    tasks: Sequence[Task],
    stages: Sequence[Stage] = STAGES,
    right_share: float = RIGHT_SHARE,
    written: Mapping[str, Sequence[str]] | None = None,
) -> Iterator[Example]:
    """Yield the examples of each stage in turn, in the order of the repairs.

    repairs is read once a stage. A repair whose task is not among `tasks` is left out: without
    the task there is no conversation. written: right programs by task id that the model to be
    trained wrote itself; they are learned from beside the task's reference.
    """
    known = {task.id: task for task in tasks}
    right = {task.id: _right(task, (written or {}).get(task.id, ())) for task in tasks}
    for stage in stages:
        if stage == "generate":
            yield from (_written(task, code) for task in tasks for code in right[task.id])
            continue
        for repair in repairs:
            task = known.get(repair.task_id)
            if task is None:
                continue
            rng = Random(hashlib.sha256(f"{stage}{repair.key}".encode()).digest())
            if stage == "recognise":
                if repair.explanation:  # a model may have mended it without a word
                    yield _recognised(task, repair)
            else:
                yield _corrected(task, repair, rng)
            # One right program for so many wrong ones gives it its share of all.
            if right[task.id] and rng.random() < right_share / (1 - right_share):
                yield _stays_right(task, rng.choice(right[task.id]), stage, rng)


def borne_out(repairs: Iterable[Repair], least: float) -> Iterator[Repair]:
    """Yield the repairs, without explanations of whose claims a smaller share than `least` holds.

    That a program passes does not prove what was said before it, and of what a small model says
    much is not what it then does. Explanations that claim nothing, or were never checked, are kept.
    """
    for repair in repairs:
        true = repair.details.get(TRUE_CLAIMS, 1.0) >= least
        yield repair if true else replace(repair, explanation="")


def corrupted(repairs: Sequence[Repair], seed: int = 0) -> list[Repair]:
    """Return a control: each wrong program with the explanation and correction of another task.

    What a model learns from these is form alone. Repairs without a partner in their language are
    left out.
    """
    made: list[Repair] = []
    for language in dict.fromkeys(repair.language for repair in repairs):
        group = [repair for repair in repairs if repair.language == language]
        partners = Random(seed).sample(group, len(group))
        for place, repair in enumerate(group):
            later = (partners[(place + step) % len(group)] for step in range(len(group)))
            other = next((r for r in later if r.task_id != repair.task_id), None)
            if other is not None:
                made.append(replace(repair, explanation=other.explanation, fixed=other.fixed))
    return made


def _right(task: Task, written: Sequence[str]) -> list[str]:
    return [*([task.reference] if task.reference else []), *written]


def _written(task: Task, code: str) -> Example:
    prompt = prompts.messages(Request(task, "generate"))
    return _example("generate", task, "", prompt, prompts.fenced(task.language, code))


def _recognised(task: Task, repair: Repair) -> Example:
    prompt = _asked_to_recognise(task, repair.broken, repair.feedback)
    return _example("recognise", task, repair.kind, prompt, repair.explanation)


def _corrected(task: Task, repair: Repair, rng: Random) -> Example:
    fixed = prompts.fenced(task.language, repair.fixed)
    # LeDex: both forms, the refinement alone and the explanation before it.
    explained = rng.random() < 0.5 and bool(repair.explanation)
    mode = "explain_refine" if explained else "refine"
    prompt = prompts.messages(Request(task, mode, repair.broken, repair.feedback))
    said = f"{repair.explanation}\n\n{fixed}" if explained else fixed
    return _example("correct", task, repair.kind, prompt, said)


def _stays_right(task: Task, code: str, stage: Stage, rng: Random) -> Example:
    verdict = rng.choice(CORRECT)
    if stage == "recognise":
        prompt = _asked_to_recognise(task, code, PASSING)
        return _example(stage, task, "", prompt, verdict)
    same = prompts.fenced(task.language, code)
    explained = rng.random() < 0.5
    mode = "explain_refine" if explained else "refine"
    prompt = prompts.messages(Request(task, mode, code, PASSING))
    return _example(stage, task, "", prompt, f"{verdict}\n\n{same}" if explained else same)


def _asked_to_recognise(task: Task, code: str, feedback: str) -> list[dict[str, str]]:
    *before, _ = prompts.messages(Request(task, "refine", code, feedback))
    return [*before, {"role": "user", "content": f"{feedback.strip()}\n\n{RECOGNISE}"}]


def _example(
    stage: Stage, task: Task, kind: str, prompt: Sequence[Mapping[str, str]], said: str
) -> Example:
    answer = {"role": "assistant", "content": said}
    return Example(stage, task.id, task.language, kind, tuple(prompt), (answer,))
