"""The pre-training loop: plain torch, resumable at any step, its learning rate tied to a budget.

Every step draws its documents from its own number, so a run that was killed goes on exactly where
its last checkpoint was. The rate warms up, stays, and falls linearly over the last half (WSD: Hu
et al. 2024, arXiv 2404.06395) of so many steps, or of the time until a moment that may be moved
with each start. Muon (Jordan et al. 2024) moves the matrices, AdamW the rest. It builds no model.

    python -m recipes.pretrain_embedded train --out runs/embedded --until 18:25
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from recipes.embedded import parallel
from selfdebug import ranks
from selfdebug.backends.transformers.loading import has_bfloat16

CHECKPOINT = "checkpoint.pt"
# Of the layers above the circuit, of the circuit's two layers, of embeddings, norms and biases. At
# 5e-3 everywhere the circuit was worn away within 300 steps: its singular values are below 1.
RATES = (4e-3, 2e-4, 5e-4)
WARM_UP = 50  # steps
DECAY = 0.5  # share of the budget over which the rate falls
STEP_TOKENS, ROW_TOKENS = 4_096, 1_024  # of a step, and of each of the parts it is computed in
MAX_LENGTH = 512  # longer documents are left out

CIRCUIT = re.compile(r"layers\.[01]\.")

Ids = tuple[list[int], int]  # a document's tokens, and how many of them are the prompt


@dataclass
class State:
    """How far a run has come. seconds: spent in training."""

    step: int = 0
    tokens: int = 0
    learned: int = 0  # tokens that carried a loss
    seconds: float = 0.0


@dataclass(frozen=True)
class Budget:
    """When the run ends: after `steps`, or at the moment `until` (seconds since the epoch)."""

    steps: int = 0
    until: float = 0.0

    def progress(self, state: State) -> float:
        """Return the share of the budget that is used, in [0, 1]."""
        if self.steps:
            return min(1.0, state.step / self.steps)
        left = max(0.0, self.until - time.time())
        return state.seconds / (state.seconds + left) if state.seconds + left else 1.0


def rate_at(step: int, progress: float) -> float:
    """Return the factor of the learning rates, in [0, 1]; progress: of the budget."""
    return min(1.0, (step + 1) / WARM_UP) * min(1.0, (1 - progress) / DECAY)


def train(
    model: Any,
    draw: Callable[[Random], Ids],
    folder: Path,
    budget: Budget,
    probe: Callable[[Any], dict[str, float]],
    *,
    device: str = "cpu",
    save_every: float = 300.0,
    probe_every: float = 300.0,
    on_log: Callable[[dict[str, float]], None] = lambda _: None,
) -> State:
    """Train until the budget is used; write checkpoints and log.jsonl to `folder`."""
    model.to(device).train()
    if device == "cpu":  # short rows: plain products are 1.2 times as fast as the fused attention
        model.set_attn_implementation("eager")
    optimizers = _optimizers(model)
    path = folder / CHECKPOINT
    state = restore(model, folder, optimizers) if path.exists() else State()
    last_save = last_probe = time.monotonic()
    losses: list[float] = []
    mark = (state.tokens, state.seconds)
    first = ranks.is_first()
    while (progress := parallel.agreed(budget.progress(state))) < 1:
        begun = time.monotonic()
        rate = rate_at(state.step, progress)
        documents = _documents(draw, Random(f"step {state.step}"))
        losses.append(_step(model, optimizers, rate, state, documents))
        state.seconds += time.monotonic() - begun
        now = time.monotonic()
        if first and state.step % 20 == 0:
            speed = (state.tokens - mark[0]) / max(1e-9, state.seconds - mark[1])
            mark = (state.tokens, state.seconds)
            row = {**asdict(state), "loss": sum(losses) / len(losses), "rate": rate}
            row["tokens_per_second"] = speed
            losses = []
            if now - last_probe > probe_every or state.step == 20:
                row |= probe(model)
                model.train()
                last_probe = time.monotonic()
            _log(folder, row)
            on_log(row)
        if first and now - last_save > save_every:
            _save(path, model, optimizers, state)
            last_save = now
    if first:
        _save(path, model, optimizers, state)
        row = {**asdict(state), **probe(model)}
        _log(folder, row)
        on_log(row)
    return state


def restore(model: Any, folder: Path, optimizers: Sequence[Any] = ()) -> State:
    """Load a run's last checkpoint into the model and the optimizers."""
    import torch

    saved = torch.load(folder / CHECKPOINT, map_location=model.device, weights_only=True)
    model.load_state_dict(saved["model"])
    for optimizer, values in zip(optimizers, saved["optimizers"], strict=False):
        optimizer.load_state_dict(values)
    return State(**saved["state"])


def _step(
    model: Any,
    optimizers: Sequence[Any],
    rate: float,
    state: State,
    documents: Sequence[Ids],
) -> float:
    """Take one step on its documents; return the mean loss of a learned token."""
    import torch
    from torch.nn.functional import cross_entropy

    device = model.device.type
    learned = sum(len(ids) - prompt for ids, prompt in documents)
    total = 0.0
    for part in _parts(_own(documents)):
        ids, targets = (tensor.to(device) for tensor in padded(part))
        with mixed(device):
            hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state
            places = targets >= 0
            logits = model.lm_head(hidden[places])
        loss = cross_entropy(logits.float(), targets[places], reduction="sum") / learned
        loss.backward()
        total += float(loss.detach())
    total = parallel.summed(model, total)
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer, highest in zip(optimizers, RATES, strict=True):
        optimizer.param_groups[0]["lr"] = highest * rate
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    state.step += 1
    state.tokens += sum(len(ids) for ids, _ in documents)
    state.learned += learned
    return total


def mixed(device: str) -> Any:
    """Return autocast to bfloat16, or nothing where the processor would have to emulate it."""
    import torch

    return torch.autocast(device, torch.bfloat16, enabled=has_bfloat16(torch, device))


def _documents(draw: Callable[[Random], Ids], rng: Random) -> list[Ids]:
    found: list[Ids] = []
    size = 0
    while size < STEP_TOKENS:
        ids, prompt = draw(rng)
        if len(ids) <= MAX_LENGTH:
            found.append((ids, prompt))
            size += len(ids)
    return found


def _own(documents: Sequence[Ids]) -> list[Ids]:
    """Return this process's share of the documents, in the order of their length."""
    return sorted(documents, key=lambda d: len(d[0]))[ranks.rank() :: ranks.count()]


def _parts(documents: Sequence[Ids]) -> Iterator[list[Ids]]:
    """Yield documents that are in the order of their length in parts of ROW_TOKENS."""
    part: list[Ids] = []
    for document in documents:
        if part and len(document[0]) * (len(part) + 1) > ROW_TOKENS:
            yield part
            part = []
        part.append(document)
    yield part


def padded(part: Sequence[Ids]) -> tuple[Any, Any]:
    """Return token ids and, for each place, the token to predict there, -1 where none is learned.

    Padding stands on the right, where causal attention keeps it from every real token.
    """
    import torch

    width = max(len(ids) for ids, _ in part)
    inputs = torch.zeros(len(part), width, dtype=torch.long)
    targets = torch.full((len(part), width), -1)
    for row, (ids, prompt) in enumerate(part):
        inputs[row, : len(ids)] = torch.tensor(ids)
        targets[row, prompt - 1 : len(ids) - 1] = torch.tensor(ids[prompt:])
    return inputs, targets


def _optimizers(model: Any) -> list[Any]:
    """Return Muon for the upper layers' matrices, AdamW for the circuit's and for all the rest."""
    import torch

    from recipes.embedded.muon import Muon

    upper: list[Any] = []
    circuit: list[Any] = []
    others: list[Any] = []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        if parameter.ndim != 2 or "embed" in name:
            others.append(parameter)
        else:
            (circuit if CIRCUIT.search(name) else upper).append(parameter)
    muon = Muon(upper)
    gentle = [torch.optim.AdamW(p, betas=(0.9, 0.95), weight_decay=0.0) for p in (circuit, others)]
    return [muon, *gentle]


def _save(path: Path, model: Any, optimizers: Sequence[Any], state: State) -> None:
    import torch

    whole = {
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "state": asdict(state),
    }
    torch.save(whole, path.with_suffix(".new"))
    os.replace(path.with_suffix(".new"), path)


def _log(folder: Path, row: dict[str, float]) -> None:
    with (folder / "log.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")
