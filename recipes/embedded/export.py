"""A trained run as a model's folder: config, weights in bf16, tokenizer, and a card.

python -m recipes.pretrain_embedded export --out runs/embedded
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recipes.embedded import documents, network
from recipes.embedded.training import State

CARD = """---
license: apache-2.0
library_name: transformers
pipeline_tag: text-generation
tags: [code, self-debugging, tiny]
---
# selfdebug's embedded base model

A Llama-shaped model of {parameters:,} parameters ({layers} layers, width {width}) that writes short
Python and JavaScript programs for the tasks of `selfdebug.benchmarks.world`, and mends them. It is
the base model of `make demo`: it fails often, and it is meant to be trained further. It knows
nothing but that world.

## Training
{tokens:,} tokens ({learned:,} of them learned from: the replies), {steps:,} steps, by
`recipes/pretrain_embedded.py`. Its first two layers began as an induction circuit, written into
their initial weights (Trockman & Kolter 2023; Olsson et al. 2022).

Data: conversations about generated tasks, none of them of the world's held-out compositions; wrong
programs are other readings of the description, and bugs injected by `selfdebug inject`. Of the
replies to a failing test that it read last, {heeded:.0%} are right, {unchanged:.0%} repeat the
wrong program and the others try another wrong guess: a base model of mixed text, not one that has
been tuned to debug.

## Figures, on held-out tasks
{figures}

"exact": share of replies of which every token is the most likely one, given those before it. "p":
mean probability of the reply, so how often sampling at temperature 1 gives that very text. copy: a
right world program of {low} to {high} tokens; copy_foreign: programs that are not of this
world; copy_random: 60 random tokens; write: the reference, after the task; refine: the mended
program, after the failing test; refine_shuffled: the same after another task's failing test.
"""


def export(
    model: Any,
    tokenizer: Any,
    state: State,
    figures: Mapping[str, float],
    folder: Path,
    *,
    unchanged: float,
) -> None:
    """Write the model's folder; unchanged: of the last documents that it read."""
    import torch
    from transformers import GenerationConfig

    from recipes.embedded.probes import COPIED

    model.to(torch.bfloat16)
    model.generation_config = GenerationConfig(
        do_sample=True,
        temperature=0.8,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        max_new_tokens=256,
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _plain_settings(folder)
    card = CARD.format(
        parameters=model.num_parameters(),
        layers=network.LAYERS,
        width=network.WIDTH,
        tokens=state.tokens,
        learned=state.learned,
        steps=state.step,
        heeded=1 - unchanged - documents.OTHER,
        unchanged=unchanged,
        low=COPIED[0],
        high=COPIED[1],
        figures="\n".join(f"- {name}: {value:.3f}" for name, value in figures.items()),
    )
    (folder / "README.md").write_text(card)


def _plain_settings(folder: Path) -> None:
    """Write settings as every version of transformers and other engines read them."""
    path = folder / "config.json"
    config: dict[str, Any] = json.loads(path.read_text())
    config |= {"rope_theta": network.ROPE_THETA, "torch_dtype": "bfloat16"}
    path.write_text(json.dumps(config, indent=2) + "\n")
    path = folder / "tokenizer_config.json"
    settings: dict[str, Any] = json.loads(path.read_text())
    for name in ("backend", "is_local", "local_files_only"):  # of the machine, not of the model
        settings.pop(name, None)
    path.write_text(json.dumps(settings, indent=2) + "\n")
    (folder / "model.safetensors").chmod(0o644)
