"""Speed of `train sft` and `train rl` against TRL's trainers with their defaults, step by step.

3M, 30M: the trainer of `selfdebug train sft` and TRL's SFTTrainer take steps of as many rows by
turns: TRL once on the same rows in the same order, when each step's loss must be the same, and once
in its own order, when the losses on held-out rows must be alike after as many rows. rl: see
bench/rl.py, here against TRL's GRPOTrainer as it comes, for which nobody judges. TRL's defaults are
kept but for the learning rate, the rows of a step and, where the processor has no instructions for
it, bfloat16, in which it would take some 200 times as long. Speed is in tokens, padding left out,
for each second of the processor, of all its cores. Bars, against TRL in its own order: 1.6 x with 3
million parameters, 1.3 x with 30 million; 1.6 x for RL.

    python bench/trainers.py --races 3M
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, NamedTuple

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
import transformers
import trl
from bench import machine
from bench import rl as reinforced
from recipes.embedded import network, vocabulary

from selfdebug import plugins, rl, sft
from selfdebug.backends.transformers.loading import has_bfloat16, load_tokenizer
from selfdebug.benchmarks import world
from selfdebug.feedback.failing_test import failing_test
from selfdebug.models import EMBEDDED
from selfdebug.sandbox import Sandbox
from selfdebug.sft.rows import Row, encode, schedule
from selfdebug.stages import examples
from selfdebug.types import Example, Repair, TestResult

BARS = {"3M": 1.6, "30M": 1.3, "rl": 1.6}
START = EMBEDDED  # its tokenizer
BATCH = 32  # rows of a step
RATE = 1e-4
EQUAL = 1e-3  # how far the losses of the same step may lie apart
ENOUGH_TASKS = 400


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of training against TRL's trainers.")
    parser.add_argument("--races", nargs="+", choices=list(BARS), default=list(BARS))
    parser.add_argument("--steps", type=int, default=6, help="4 or more; the first warms up")
    parser.add_argument("--batch", type=int, default=BATCH, help="rows of a step of train sft")
    options = parser.parse_args()
    missed: list[bool] = []
    for name in options.races:
        with tempfile.TemporaryDirectory() as folder:
            if name == "rl":
                ratio = race_rl(Path(folder), options.steps)
            else:
                ratio = race_sft(Path(folder), name, options.steps, options.batch)
        missed.append(ratio < BARS[name])
    sys.exit(any(missed))


def race_sft(folder: Path, size: str, steps: int, batch: int) -> float:
    """Print two rows of the table; return how many times as fast ours is as TRL as it comes."""
    tokenizer = load_tokenizer(str(START))
    model = folder / "model"
    shape(size).save_pretrained(model)
    tokenizer.save_pretrained(model)
    rows, _ = encode(tokenizer, conversations(), 1_024)
    rows = Random(0).sample(rows, (steps + 1) * batch)
    rows, held_out = rows[batch:], rows[:batch]
    settings = sft.Settings(
        str(model), rank=0, epochs=1, batch_size=batch, learning_rate=RATE, device="cpu"
    )
    order = schedule([len(row.input_ids) for row in rows], 1, batch, settings.seed)
    part = sft.Part("mixture", rows, [], folder, folder / "ended")
    ours, _ = sft.prepared(part, str(model), tokenizer, settings)
    same = {"shuffle_dataset": False, "train_sampling_strategy": "sequential"}
    trainers = {
        "ours": ours,
        "same order": bare_sft(folder, model, [rows[place] for place in order], batch, **same),
        "own order": bare_sft(folder, model, rows, batch),
    }
    speed: dict[str, list[float]] = {who: [] for who in trainers}
    takes = zip(*map(steps_of, trainers.values()), strict=True)
    for number, found in enumerate(takes):
        if abs(found[0].loss - found[1].loss) > EQUAL:
            raise AssertionError(f"losses {found[0].loss:.5f} and {found[1].loss:.5f}")
        for who, step in zip(speed, found, strict=True):
            if number:  # the first touch of the weights is nobody's
                speed[who].append(step.tokens / step.seconds)
    losses = [loss_of(ours, trainer.model, held_out) for trainer in trainers.values()]
    mine = median(speed["ours"])
    for who, loss in zip(("same order", "own order"), losses[1:], strict=True):
        other = median(speed[who])
        equal = f"{steps} steps; held-out loss {losses[0]:.4f} and {loss:.4f}"
        figures = f"{mine:,.0f} and {other:,.0f} tokens a CPU second; {equal}"
        machine.say(f"train sft, {size}", f"TRL's SFTTrainer, {who}", mine / other, figures)
    return mine / median(speed["own order"])


def shape(size: str) -> Any:
    """Return the embedded model's shape with random weights, or the same ten times as large."""
    if size == "3M":
        return network.build(vocabulary.SIZE, induction=False)
    torch.manual_seed(0)
    config = transformers.LlamaConfig.from_pretrained(START)
    larger = {"hidden_size": 512, "intermediate_size": 1_408, "num_hidden_layers": 9}
    heads = {"num_attention_heads": 8, "num_key_value_heads": 8, "head_dim": 64}
    config.update({**larger, **heads, "dtype": "float32"})
    return transformers.LlamaForCausalLM(config)


def conversations() -> Iterator[Example]:
    """Yield what `train sft` makes of repairs of the world's programs, in all stages."""
    mutator = plugins.load("mutators", "python_logic")
    tasks = list(islice(world.load("train"), ENOUGH_TASKS))
    repairs: list[Repair] = []
    for task in tasks:
        for mutation in islice(mutator.mutate(task.reference, Random(0)), 2):
            failure = TestResult(task.visible_tests[0].id, "wrong", "f([1, 2, 3])", "6", "5")
            repairs.append(
                Repair(
                    f"{task.id} {len(repairs)}", task.id, "python", mutation.broken,
                    failing_test(task, mutation.broken, failure), mutation.explanation,
                    mutation.fixed, "injected", "A", kind="logic",
                )
            )  # fmt: skip
    yield from examples(repairs, tasks)


def bare_sft(folder: Path, model: Path, rows: list[Row], batch: int, **changes: Any) -> Any:
    """Return TRL's trainer as it comes, but for the changes."""
    from datasets import Dataset

    arguments = trl.SFTConfig(
        output_dir=str(folder / "trl"),
        use_cpu=True,  # or TRL takes bfloat16 for a GPU's
        bf16=has_bfloat16(torch, "cpu"),
        gradient_accumulation_steps=batch // 8,  # of 8 rows each, as TRL has it
        learning_rate=RATE,
        lr_scheduler_type="cosine",
        warmup_steps=1,
        dataloader_pin_memory=False,  # it only warns on a CPU
        report_to="none",
        **changes,
    )
    columns = {
        "input_ids": [row.input_ids for row in rows],
        "labels": [row.labels for row in rows],
    }
    return trl.SFTTrainer(
        model=transformers.AutoModelForCausalLM.from_pretrained(model, dtype="float32"),
        args=arguments,
        train_dataset=Dataset.from_dict(columns),
        processing_class=load_tokenizer(str(model)),
    )


class Step(NamedTuple):
    """One step: tokens without padding, the processor's seconds, and the loss before it."""

    tokens: int
    seconds: float
    loss: float


def steps_of(trainer: Any) -> Iterator[Step]:
    """Yield each step as it is taken.

    The loop of transformers' Trainer, written out, so that trainers can take turns.
    """
    batches = trainer.get_train_dataloader()
    parts = trainer.args.gradient_accumulation_steps
    steps = len(batches) // parts
    trainer.create_optimizer_and_scheduler(steps)
    trainer.model.train()
    if trainer.args.gradient_checkpointing:
        trainer.model.gradient_checkpointing_enable(trainer.args.gradient_checkpointing_kwargs)
    trainer.current_gradient_accumulation_steps = parts
    waiting = iter(batches)
    for _ in range(steps):
        used = time.process_time()
        several, count = trainer.get_batch_samples(waiting, parts, trainer.args.device)
        loss = sum(float(trainer.training_step(trainer.model, one, count)) for one in several)
        torch.nn.utils.clip_grad_norm_(trainer.model.parameters(), trainer.args.max_grad_norm)
        trainer.optimizer.step()
        trainer.lr_scheduler.step()
        trainer.optimizer.zero_grad()
        seconds = time.process_time() - used
        yield Step(sum(int(one["attention_mask"].sum()) for one in several), seconds, loss)


def loss_of(ours: Any, model: Any, rows: list[Row]) -> float:
    """Return a model's loss on rows."""
    columns = [{"input_ids": row.input_ids, "labels": row.labels} for row in rows]
    with torch.no_grad():
        return float(ours.compute_loss(model.eval(), ours.data_collator(columns)))


def race_rl(folder: Path, steps: int) -> float:
    """Print a row of the table; return how many times as fast ours is."""
    with Sandbox() as sandbox:
        material = reinforced.tasks()
        model = str(reinforced.MODEL)
        settings = rl.Settings(
            str(model), steps=steps, prompts=4, replies=8, max_tokens=128, rank=0, write=0.0,
            keep=0.0, explain=1.0, refresh=1, device="cpu", learning_rate=1e-6, save_every=10_000,
        )  # fmt: skip
        ours = reinforced.our_trainer(material, folder, settings, sandbox)
        theirs = reinforced.bare_trainer(
            material, folder, settings,
            gradient_checkpointing=True, bf16=has_bfloat16(torch, "cpu"),
        )  # fmt: skip
        ours_taken, theirs_taken = [], []  # (seconds, CPU seconds) of each step
        pairs = zip(reinforced.steps_of(ours), reinforced.steps_of(theirs), strict=True)
        for number, (mine, other) in enumerate(pairs):
            if number:  # the first step makes the kernels
                ours_taken.append(mine)
                theirs_taken.append(other)
    ours_clock, ours_used = (median(column) for column in zip(*ours_taken, strict=True))
    clock, used = (median(column) for column in zip(*theirs_taken, strict=True))
    ratio = used / ours_used
    figures = (
        f"{ours_used:.2f} and {used:.2f} CPU seconds a step; {clock / ours_clock:.2f} x by the "
        f"clock, {ours_clock:.2f} and {clock:.2f} s"
    )
    machine.say("train rl, 3M, judge included", "TRL's GRPOTrainer", ratio, figures)
    return ratio


if __name__ == "__main__":
    main()
