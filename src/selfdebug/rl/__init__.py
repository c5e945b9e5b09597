"""Reinforcement learning by TRL's GRPO, with each reward on its own words.

LeDex's rewards (Jiang et al. 2024, section 3.3): the code's reaches only the code's tokens, the
explanation's only the explanation's. Every reward is a file in `rewards/`. Prompts come from the
policy's own programs as it learns (`pool`). The folder is resumed after a kill by the same call;
when done it is itself a model to be loaded. It measures no programs (`evaluate` does).

    selfdebug train rl runs/harvest --model runs/sft --out runs/rl
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfdebug import config, modelfolder, plugins, ranks
from selfdebug.backends.transformers.loading import (
    SMALL,
    attach,
    base_and_adapter,
    chosen_device,
    libraries,
    load_model,
    load_tokenizer,
    trains_in_bfloat16,
)
from selfdebug.feedback import feedback
from selfdebug.rewards.explanation import Sentences, TfIdf
from selfdebug.rl.arguments import grpo_arguments
from selfdebug.rl.card import card
from selfdebug.rl.material import Material
from selfdebug.rl.pool import Pool, Shares
from selfdebug.rl.rollout import Rollout, Scored
from selfdebug.rl.sampler import Sampler
from selfdebug.rl.spans import SPANS
from selfdebug.rl.trainer import check_loss, trainer_class
from selfdebug.rl.watch import CURVES, OnStep, collapsed, follower
from selfdebug.store import write_text
from selfdebug.types import Judge, Sampling, SelfdebugError, Task, Verdict

CHECKPOINTS, ENDED = "checkpoints", "ended"  # in the folder while it is being made


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train. model: what `train sft` made; it is also what KL is measured to.

    rewards: files in `rewards/` or paths; a malformed reply's penalty is always among them.
    weights: as NAME=NUMBER; 1 if not given. similarity: of `explanation`, tfidf or a
    sentence-transformers model. replies: to each prompt, the group. prompts: of a step. write,
    keep, explain, turns, refresh: see `pool.Shares`. rank: of LoRA; 0 trains every weight.
    rows_at_once: of one forward pass; 0 goes by the model's size.
    """

    model: str
    rewards: tuple[str, ...] = ("tests", "codebleu", "checked")
    weights: tuple[str, ...] = ()
    all_pass_bonus: float = 0.0
    similarity: str = "tfidf"
    steps: int = 100
    prompts: int = 8
    replies: int = 8
    write: float = 0.25
    keep: float = 0.1
    explain: float = 0.75
    turns: int = 2
    refresh: int = 5
    temperature: float = 1.0
    max_tokens: int = 512
    feedback: str = "tests"
    learning_rate: float = 2e-5
    kl: float = 0.05
    loss: str = "grpo"
    rank: int = 16
    save_every: int = 10
    rows_at_once: int = 0
    device: str = "auto"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of it. stopped: why it ended before its last step, or ""."""

    folder: Path
    steps: int
    stopped: str


def needs_judge(names: Sequence[str]) -> bool:
    """Tell whether a reward needs programs to be run; CodeBLEU alone does not."""
    return any(getattr(plugins.load("rewards", name), "JUDGED", True) for name in names)


def train(
    material: Material,
    out: str | Path,
    settings: Settings,
    judge: Judge | None,
    *,
    about: Mapping[str, Any] | None = None,
    on_step: OnStep | None = None,
) -> Trained:
    """Train until done, from where a killed run was; a run that is done returns at once.

    judge: None runs no program (see `needs_judge`). Writes weights and tokenizer, README.md (the
    card), curves.jsonl, replies.jsonl (to be read) and run.toml. Raises SelfdebugError for
    settings or data that differ from the folder's, or nothing to learn from.
    """
    out = Path(out)
    if ranks.count() > 1:
        raise SelfdebugError("train rl runs in one process: start it without torchrun")
    if judge is None and needs_judge(settings.rewards):
        raise SelfdebugError(f"{', '.join(settings.rewards)} need programs to be run")
    if base_and_adapter(settings.model)[1] and not settings.rank:
        raise SelfdebugError(f"{settings.model} is an adapter: rank 0 trains whole models only")
    check_loss(settings.loss)
    _chosen_rewards(settings)
    made = {"data": material.fingerprint(), **(about or {})}
    modelfolder.claim(out, settings, made)
    if not modelfolder.is_done(out):
        if not (out / ENDED).is_dir():
            _train(material, out, settings, judge, on_step)
        shutil.copytree(out / ENDED, out, dirs_exist_ok=True)
        log = modelfolder.lines(out / CURVES)
        write_text(out / "README.md", card({**config.as_table(settings), **made}, log))
        for name in (ENDED, CHECKPOINTS):
            shutil.rmtree(out / name, ignore_errors=True)
    log = modelfolder.lines(out / CURVES)
    return Trained(out, max((row["step"] for row in log), default=0), collapsed(log))


def _train(
    material: Material,
    out: Path,
    settings: Settings,
    judge: Judge | None,
    on_step: OnStep | None,
) -> None:
    """Train, from the last checkpoint on, and save what came of it to `ENDED`."""
    torch, transformers = libraries("torch", "transformers")
    rollout, trainer = prepared(material, out, settings, judge)
    trainer.add_callback(follower(transformers, out, on_step))
    trainer.remove_callback(transformers.PrinterCallback)  # `on_step` says how it goes
    checkpoint = modelfolder.last_checkpoint(out / CHECKPOINTS)
    if checkpoint is not None:
        rollout.restore(checkpoint)
    try:
        trainer.train(resume_from_checkpoint=checkpoint)
    finally:
        rollout.close()
    trained, options = trainer.model, dict[str, Any]()
    if settings.rank:
        base, _ = base_and_adapter(settings.model)
        name = modelfolder.durable(settings.model, base)
        trained.peft_config["default"].base_model_name_or_path = name
        options["selected_adapters"] = ["default"]  # the other is the reference
    else:
        trained = trained.to(getattr(torch, str(trained.config.dtype)))  # as it was stored
    modelfolder.save(trained, trainer.processing_class, out / ENDED, **options)


def prepared(
    material: Material, out: Path, settings: Settings, judge: Judge | None
) -> tuple[Rollout, Any]:
    """Return the rollout and TRL's trainer around it, ready to train from the start."""
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")  # rollouts are new in TRL: it is pinned
    torch, trl, datasets = libraries("torch", "trl", "datasets")
    device = chosen_device(settings.device)
    base, adapter = base_and_adapter(settings.model)
    tokenizer = load_tokenizer(adapter or base)
    model = load_model(base)
    if model.config.is_encoder_decoder:
        raise SelfdebugError(f"{base} is an encoder-decoder model; TRL trains causal models")
    small = model.num_parameters() < SMALL
    if not settings.rank or small:
        model = model.float()  # 16 bits lose small updates; the arithmetic may still use them
    if adapter:
        model = attach(model, adapter, trainable=True)
    model = model.to(device)
    functions, scored = reward_functions(settings, material)
    rows = settings.prompts * settings.replies
    # The first batch is judged while the second is sampled; a small model's second one costs more.
    at_once = min(rows, 64) if small else 16
    sampling = Sampling(settings.temperature, max_tokens=settings.max_tokens)
    sampler = Sampler(model, tokenizer, device, sampling, at_once)
    pool = _pool(material, settings, sampler, judge)
    rollout = Rollout(
        pool, sampler, judge, scored, out, tokenizer=tokenizer, torch=torch, seed=settings.seed
    )
    new = settings.rank and not adapter
    adapting = modelfolder.lora(model, settings.rank) if new else None
    trainer = trainer_class(trl, torch, plain_logits=device == "cpu")(
        rollout=rollout,
        model=model,
        reward_funcs=functions,
        args=grpo_arguments(
            trl.GRPOConfig, settings, folder=out / CHECKPOINTS, device=device, small=small,
            bf16=trains_in_bfloat16(torch, model, device),
        ),
        # What is asked is drawn as it goes; these are the numbers of the prompts.
        train_dataset=datasets.Dataset.from_dict(
            {"prompt": [str(n) for n in range(settings.steps * settings.prompts)]}
        ),
        processing_class=tokenizer,
        peft_config=adapting,
    )  # fmt: skip
    sampler.use(trainer.model)
    return rollout, trainer


def reward_functions(
    settings: Settings, material: Material
) -> tuple[list[Callable[..., list[float | None]]], list[Scored]]:
    """Return the rewards as TRL calls them, and what each is credited to."""
    functions: list[Callable[..., list[float | None]]] = []
    scored: list[Scored] = []
    for name, (module, weight) in _chosen_rewards(settings).items():
        options: dict[str, Any] = {}
        if name == "tests":
            options["all_pass_bonus"] = settings.all_pass_bonus
        elif name == "explanation" and settings.similarity == "tfidf":
            options["similarity"] = TfIdf([m.explanation for m in material.mended])
        elif name == "explanation":
            options["similarity"] = Sentences(settings.similarity)
        functions.append(_named(name, module.reward, options))
        scored.append(Scored(name, module.SPAN, weight))
    return functions, scored


def _chosen_rewards(settings: Settings) -> dict[str, tuple[Any, float]]:
    """Return the module and the weight of each reward; SelfdebugError for one that is none."""
    chosen: dict[str, tuple[Any, float]] = {}
    for name in dict.fromkeys(("form", *settings.rewards)):
        module = plugins.load("rewards", name)
        if getattr(module, "SPAN", "") not in SPANS or not hasattr(module, "reward"):
            raise SelfdebugError(
                f"reward {name} needs a function `reward` and SPAN, one of {', '.join(SPANS)}"
            )
        chosen[name] = module, 1.0
    for text in settings.weights:
        name, _, number = text.rpartition("=")
        if name not in chosen:
            raise SelfdebugError(
                f"weight {text!r}: write NAME=NUMBER; the rewards are {', '.join(chosen)}"
            )
        try:
            chosen[name] = chosen[name][0], float(number)
        except ValueError:
            raise SelfdebugError(f"weight {text!r}: {number!r} is not a number") from None
    return chosen


def _named(
    name: str, reward: Callable[..., list[float | None]], options: Mapping[str, Any]
) -> Callable[..., list[float | None]]:
    """Return a reward under the name by which it is logged."""

    def call(prompts: Any, completions: Any, **columns: Any) -> list[float | None]:
        del prompts  # numbers: the request says what was asked
        return reward(completions, **columns, **options)

    call.__name__ = Path(name).stem
    return call


def _pool(material: Material, settings: Settings, sampler: Sampler, judge: Judge | None) -> Pool:
    def tell(task: Task, code: str, verdict: Verdict) -> str:
        shown = Task(
            task.id, task.language, task.prompt, task.entry_point, task.visible_tests, task.prelude
        )
        return feedback(settings.feedback, shown, code, verdict, judge=judge)

    shares = Shares(
        settings.write, settings.keep, settings.explain, settings.turns, settings.refresh
    )
    return Pool(
        material.tasks, material.failures, material.mended, shares,
        fits=sampler.fits, tell=tell, seed=settings.seed,
    )  # fmt: skip
