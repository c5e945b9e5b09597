"""Supervised fine-tuning on repairs, by TRL: LoRA, or every weight, on a CPU or a GPU.

Loss is on what the model should say and never on a wrong program. A part of the tasks is held
out: training stops when it no longer gains on them, and the best weights are kept. The folder can
be resumed after a kill by the same call; when done it is itself a model to be loaded. Several
processes share each batch (`ranks`), and the first one writes. It makes no examples (`stages` does)
and measures no programs (`evaluate` does).

    selfdebug train sft runs/bugs runs/harvest --model NAME --out runs/sft
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from selfdebug import config, modelfolder, ranks
from selfdebug.backends.transformers.loading import (
    SMALL,
    attach,
    base_and_adapter,
    chosen_device,
    has_bfloat16,
    libraries,
    load_model,
    load_tokenizer,
    trains_in_bfloat16,
)
from selfdebug.sft.card import card, held_out_losses
from selfdebug.sft.rows import Row, encode, fingerprint, held_out, parts, schedule
from selfdebug.sft.trainer import trainer_class, training_arguments
from selfdebug.store import write_lines, write_text
from selfdebug.types import Example, SelfdebugError

LOSSES = "losses.jsonl"
# Tokens of a forward pass whose activations are all kept, as checkpointing costs two fifths of the
# time. A 0.8B model's 350 tokens need 1.6 GB more so.
BARE = {"cpu": 512}
FEWEST_STEPS = 4  # of an epoch: a dozen examples get smaller batches than were asked for

OnStep = Callable[[int, int, float], None]  # (step, of how many, loss)


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train. rank: of LoRA; 0 trains every weight. targets: the layers that get an adapter.

    order "stages": write, then recognise, then correct; "mixture": all at once. batch_size: the
    largest; few examples get smaller ones. held_out: share of the examples. patience: evaluations
    without a gain on them before training stops, of about ten. rows_at_once: of one forward pass;
    0 goes by the model's size.
    """

    model: str
    rank: int = 16
    targets: str = modelfolder.EVERY_LINEAR
    learning_rate: float = 2e-4
    epochs: float = 3.0
    batch_size: int = 32
    max_length: int = 2048
    order: Literal["mixture", "stages"] = "mixture"
    held_out: float = 0.1
    patience: int = 3
    rows_at_once: int = 0
    device: str = "auto"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of it. before and after: the loss on held-out examples, nan without any."""

    folder: Path
    examples: int
    held_out: int
    too_long: int
    before: float
    after: float


def train(
    examples: Iterable[Example],
    out: str | Path,
    settings: Settings,
    *,
    about: Mapping[str, Any] | None = None,
    on_step: OnStep | None = None,
) -> Trained:
    """Train until done, from where a killed run was; a run that is done returns at once.

    about: what else run.toml and the card should say, such as where the examples come from.
    Writes weights and tokenizer, README.md (the card), losses.jsonl (the curves) and run.toml.
    Raises SelfdebugError for settings or data that differ from the folder's, or no data.
    """
    out = Path(out)
    base, adapter = base_and_adapter(settings.model)
    if adapter and not settings.rank:
        raise SelfdebugError(f"{settings.model} is an adapter: rank 0 trains whole models only")
    tokenizer = load_tokenizer(adapter or base)
    rows, too_long = encode(tokenizer, examples, settings.max_length)
    if not rows:
        raise SelfdebugError(f"there is nothing to learn from ({too_long} examples are too long)")
    learn, check = held_out(rows, settings.held_out, settings.seed)
    cpu = chosen_device(settings.device) == "cpu"
    if not ranks.is_first():
        ranks.wait(cpu=cpu)  # for the folder to be claimed
    modelfolder.claim(out, settings, {"data": fingerprint(rows), **(about or {})})
    if ranks.is_first():
        ranks.wait(cpu=cpu)
    start = adapter or base
    if not modelfolder.is_done(out):
        checked = dict(parts(check, settings.order, settings.seed))
        for number, (stage, chosen) in enumerate(parts(learn, settings.order, settings.seed), 1):
            ended = out / "stages" / f"{number}-{stage}"
            if not ended.is_dir():
                part = Part(stage, chosen, checked.get(stage, []), out, ended)
                _train_part(part, start, tokenizer, settings, on_step)
            start = str(ended)
        ranks.wait(cpu=cpu)  # until nobody looks at the stages any more
        if ranks.is_first():
            counts = {"examples": len(learn), "held out": len(check), "too long": too_long}
            told = {**config.as_table(settings), **counts, **(about or {})}
            _finish(out, start, card(base, told, learn, modelfolder.lines(out / LOSSES)))
    before, after = held_out_losses(modelfolder.lines(out / LOSSES))
    return Trained(out, len(learn), len(check), too_long, before, after)


def _finish(out: Path, start: str, text: str) -> None:
    """Make the folder a model: the last part's weights, then the card, which says that it is."""
    shutil.copytree(start, out, dirs_exist_ok=True)
    write_text(out / "README.md", text)
    for name in ("stages", "checkpoints"):
        shutil.rmtree(out / name, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Part:
    """One stage, or the mixture. ended: the folder that is there once it is done."""

    stage: str
    learn: Sequence[Row]
    check: Sequence[Row]
    out: Path
    ended: Path

    @property
    def checkpoints(self) -> Path:
        """The folder of its checkpoints."""
        return self.out / "checkpoints" / self.ended.name


def _train_part(
    part: Part, start: str, tokenizer: Any, settings: Settings, on_step: OnStep | None
) -> None:
    """Train from the model at `start` on one part and save what came of it."""
    (transformers,) = libraries("transformers")
    trainer, stored = prepared(part, start, tokenizer, settings)
    trainer.add_callback(_curve(transformers, part, on_step))
    if part.check:
        trainer.add_callback(transformers.EarlyStoppingCallback(settings.patience))
    trainer.remove_callback(transformers.PrinterCallback)  # `on_step` says how it goes
    trainer.train(resume_from_checkpoint=modelfolder.last_checkpoint(part.checkpoints))
    trained, (base, _) = trainer.model, base_and_adapter(start)
    if settings.rank:
        trained.peft_config["default"].base_model_name_or_path = modelfolder.durable(
            settings.model, base
        )
    else:
        trained = trained.to(stored)
    # All take part in it: with FSDP each process holds a piece of the weights.
    weights = trainer.accelerator.get_state_dict(trained)
    if ranks.is_first():
        modelfolder.save(trained, tokenizer, part.ended, state_dict=weights)
    ranks.wait(cpu=chosen_device(settings.device) == "cpu")


def prepared(part: Part, start: str, tokenizer: Any, settings: Settings) -> tuple[Any, Any]:
    """Return TRL's trainer of the model at `start`, and in which type its weights are stored."""
    torch, trl = libraries("torch", "trl")
    device = chosen_device(settings.device)
    base, adapter = base_and_adapter(start)
    emulated = device == "cpu" and not has_bfloat16(torch, device)
    # A second copy of the weights, in 32 bits, would be the peak of memory.
    model = load_model(base, "float32" if settings.rank and emulated else "auto")
    if model.config.is_encoder_decoder:
        raise SelfdebugError(f"{base} is an encoder-decoder model; TRL trains causal models")
    stored = model.dtype
    small = model.num_parameters() < SMALL
    if not settings.rank or small:
        model = model.float()  # 16 bits lose small updates; the arithmetic may still use them
    if adapter:
        model = attach(model, adapter, trainable=True)
    # Rows of like length in small groups: a CPU has enough to do with them, and less padding.
    fitting = {"cpu": (16, 1)}.get(device, (32, 4))
    rows_at_once = settings.rows_at_once or fitting[0 if small else 1]
    batch_size = min(settings.batch_size, max(1, len(part.learn) // FEWEST_STEPS))
    batch_size = ranks.count() * math.ceil(batch_size / ranks.count())
    lengths = [len(row.input_ids) for row in part.learn]
    longest = rows_at_once * max(lengths)
    order = schedule(lengths, settings.epochs, batch_size, settings.seed)
    arguments = training_arguments(
        trl.SFTConfig,
        folder=part.checkpoints,
        device=device,
        steps=math.ceil(len(order) / batch_size),
        rows_at_once=min(rows_at_once, batch_size // ranks.count()),
        batch_size=batch_size,
        processes=ranks.count(),
        learning_rate=settings.learning_rate,
        seed=settings.seed,
        checks=bool(part.check),
        resumes=modelfolder.last_checkpoint(part.checkpoints) is not None,
        checkpointing=not small and longest > BARE.get(device, 0),
        bf16=trains_in_bfloat16(torch, model, device),
    )
    new = settings.rank and not adapter
    adapting = modelfolder.lora(model, settings.rank, settings.targets) if new else None
    trainer = trainer_class(trl, torch, on_cpu=device == "cpu")(
        model=model,
        args=arguments,
        train_dataset=_dataset(part.learn).select(order),
        eval_dataset=_dataset(part.check) if part.check else None,
        processing_class=tokenizer,
        peft_config=adapting,
    )
    return trainer, stored


def _curve(transformers: Any, part: Part, on_step: OnStep | None) -> Any:
    """Return a callback that writes losses.jsonl anew at each point, so that a resumed run fits."""
    path = part.out / LOSSES
    before = [line for line in modelfolder.lines(path) if line["stage"] != part.stage]

    class Curve(transformers.TrainerCallback):
        """Follows the trainer's own log, which it saves and restores with its checkpoints."""

        def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            """Write the curve."""
            del args, control
            if not ranks.is_first():
                return
            lines = [*before, *({"stage": part.stage, **line} for line in state.log_history)]
            write_lines(path, map(json.dumps, lines))
            loss = state.log_history[-1].get("loss")
            if on_step is not None and loss is not None:
                on_step(state.global_step, state.max_steps, loss)

    return Curve()


def _dataset(rows: Sequence[Row]) -> Any:
    (datasets,) = libraries("datasets")
    return datasets.Dataset.from_dict(
        {
            "input_ids": [row.input_ids for row in rows],
            "labels": [row.labels for row in rows],
        }
    )
