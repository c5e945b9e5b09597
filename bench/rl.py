"""Speed of `train rl` against a bare run of TRL's GRPO: what do the judge and the credit cost?

Both train the embedded model on the same prompts with replies of the same lengths: the end token is
forbidden, so each reply is as long as it may be. What is then said is noise, so for each reply of
ours another program of its task is judged, scored and credited. The bare run has one trivial reward
and everything else as TRL has it (its own `generate`, its fused head). They take turns, a step
each, so that whatever else the machine does disturbs both alike; processor time of all processes,
the judge's too, is shown beside the clock. Bar: 0.8 of the bare run's speed.

    python bench/rl.py [rounds] [model's folder]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from selfdebug import prompts, rl
from selfdebug.backends.transformers.loading import (
    libraries,
    load_model,
    load_tokenizer,
    prompt_ids,
)
from selfdebug.benchmarks import world
from selfdebug.feedback.failing_test import failing_test
from selfdebug.models import EMBEDDED
from selfdebug.rl.arguments import grpo_arguments
from selfdebug.rl.material import Material
from selfdebug.rl.pool import Ask, Mended
from selfdebug.sandbox import Sandbox
from selfdebug.types import Completion, Request, Task, TestResult

ROUNDS = 6  # steps of each that are counted; one more warms up
PROMPTS, REPLIES, TOKENS = 4, 8, 64
TASKS = 64
MODEL = EMBEDDED


def main() -> None:
    rounds = int(sys.argv[1]) if sys.argv[1:] else ROUNDS
    model = sys.argv[2] if sys.argv[2:] else str(MODEL)
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
        material = tasks()
        settings = rl.Settings(
            model, steps=rounds + 1, prompts=PROMPTS, replies=REPLIES, max_tokens=TOKENS, rank=0,
            write=0.0, keep=0.0, explain=1.0, refresh=1, device="cpu", learning_rate=1e-6,
            save_every=10_000,
        )  # fmt: skip
        trainers = {
            "bare": steps_of(bare_trainer(material, Path(folder), settings)),
            "ours": steps_of(our_trainer(material, Path(folder), settings, sandbox)),
        }
        wall: dict[str, list[float]] = {name: [] for name in trainers}
        cpu: dict[str, list[float]] = {name: [] for name in trainers}
        for number in range(rounds + 1):
            for name, steps in trainers.items():
                seconds, used = next(steps)
                if number:
                    wall[name].append(seconds)
                    cpu[name].append(used)
    tokens = PROMPTS * REPLIES * TOKENS
    for name, all_seconds in wall.items():
        seconds, used = median(all_seconds), median(cpu[name])
        sys.stdout.write(
            f"{name}: {tokens / seconds:,.0f} tokens/s ({seconds:.2f} s a step), "
            f"{tokens / used:,.0f} tokens a CPU second\n"
        )
    ratio = median(wall["bare"]) / median(wall["ours"])
    by_cpu = median(cpu["bare"]) / median(cpu["ours"])
    sys.stdout.write(f"ratio: {ratio:.2f} by the clock, {by_cpu:.2f} by processor time\n")
    sys.exit(ratio < 0.8)


def tasks() -> Material:
    """Tasks of the world. The programs are right but for comments, so no test ends the others."""
    found = list(islice(world.load("train"), TASKS))
    failures = [ask(task) for task in found]
    mended = [Mended(task.id, ask(task).broken, task.reference) for task in found]
    return Material(found, failures, mended)


def ask(task: Task) -> Ask:
    wrong = f"{task.reference}\n# wrong\n"
    failure = TestResult(task.visible_tests[0].id, "wrong", "f(1)", expected="1", got="2")
    return Ask(task.id, "refine", "explain_refine", wrong, failing_test(task, wrong, failure),
               failure)  # fmt: skip


def asked(material: Material) -> list[list[dict[str, str]]]:
    known = {task.id: task for task in material.tasks}
    requests = [
        Request(replace(known[a.task_id], tests=known[a.task_id].visible_tests), a.mode, a.broken,
                a.feedback)
        for a in material.failures
    ]  # fmt: skip
    return [prompts.messages(request) for request in requests]


def endless(trainer: Any) -> Any:
    """Forbid the end token, for both samplers, by the model's own last layer."""
    end = trainer.processing_class.eos_token_id

    def forbid(_module: Any, _inputs: Any, logits: Any) -> Any:
        logits = logits.clone()
        logits[..., end] = -1e4
        return logits

    trainer.model.get_output_embeddings().register_forward_hook(forbid)
    return trainer


def our_trainer(material: Material, folder: Path, settings: rl.Settings, sandbox: Sandbox) -> Any:
    rollout, trainer = rl.prepared(material, folder / "ours", settings, sandbox)
    sampler: Any = rollout.sampler
    rollout.sampler = Programs(sampler)
    return endless(trainer)


class Programs:
    """A sampler whose replies hold a program each: no two alike, so each is judged."""

    def __init__(self, sampler: Any) -> None:
        self.sampler, self.made = sampler, 0

    def replies(self, requests: Sequence[Request], n: int, seed: str) -> Iterator[Any]:
        for reply in self.sampler.replies(requests, n, seed):
            self.made += 1
            code = f"{requests[reply.prompt].broken}# {self.made}\n"
            half, end = len(reply.completion.text) // 2, len(reply.completion.text)
            said = Completion(
                reply.completion.text, code, "Line 2 is wrong: `x` should be `y`.",
                {"explanation": (0, half), "code": (half, end)},
            )  # fmt: skip
            yield replace(reply, completion=said)


def bare_trainer(
    material: Material, folder: Path, settings: rl.Settings, *, bf16: bool = False, **changes: Any
) -> Any:
    """TRL as it is; its prompts are cut like ours, by the same template. changes: of settings.

    bf16: ours trains a model of this size in float32, and so does this one unless told otherwise.
    """
    trl, datasets = libraries("trl", "datasets")
    tokenizer = load_tokenizer(settings.model)
    texts = [tokenizer.decode(prompt_ids(tokenizer, messages)) for messages in asked(material)]
    arguments = grpo_arguments(
        trl.GRPOConfig,
        settings,
        folder=folder / "bare",
        device="cpu",
        small=True,
        bf16=bf16,
    )
    for name, value in changes.items():
        setattr(arguments, name, value)
    rows = islice((text for _ in iter(int, 1) for text in texts), settings.steps * PROMPTS)
    return endless(
        trl.GRPOTrainer(
            model=load_model(settings.model).float(),
            reward_funcs=[trivial],
            args=arguments,
            train_dataset=datasets.Dataset.from_dict({"prompt": list(rows)}),
            processing_class=tokenizer,
        )
    )


def trivial(completions: list[Any], **_: Any) -> list[float]:
    return [float(number % 2) for number in range(len(completions))]


def steps_of(trainer: Any) -> Iterator[tuple[float, float]]:
    """Yield (seconds, CPU seconds) of each step, as it is taken: generation, loss, optimiser.

    The loop of transformers' Trainer, written out, so that two trainers can take turns.
    """
    (torch,) = libraries("torch")
    trainer.create_optimizer_and_scheduler(trainer.args.max_steps)
    trainer.model.train()
    if trainer.args.gradient_checkpointing:
        trainer.model.gradient_checkpointing_enable(trainer.args.gradient_checkpointing_kwargs)
    parts = trainer.args.gradient_accumulation_steps
    trainer.current_gradient_accumulation_steps = parts
    for batch in trainer.get_train_dataloader():
        begun, used = time.perf_counter(), spent()
        for _ in range(parts):
            trainer.training_step(trainer.model, batch, None)
        torch.nn.utils.clip_grad_norm_(trainer.model.parameters(), 1.0)
        trainer.optimizer.step()
        trainer.optimizer.zero_grad()
        trainer.state.global_step += 1
        yield time.perf_counter() - begun, spent() - used


def spent() -> float:
    """CPU seconds of this process and of all that it started, the judge's workers too."""
    total = 0.0
    waiting = [os.getpid()]
    while waiting:
        pid = waiting.pop()
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            waiting += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        except OSError:
            continue  # it has just ended
        total += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return total


if __name__ == "__main__":
    main()
