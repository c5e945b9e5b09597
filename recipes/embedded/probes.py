"""What is watched while the embedded model trains: does it copy, write, and use feedback?

Every figure is read from one pass over known text, without sampling: a completion is copied
exactly when each of its tokens is the most likely one after those before it, which is when greedy
decoding would give it; the mean probability of a right program is how often sampling at
temperature 1 would give that very text. Nothing is executed.

    python -m recipes.pretrain_embedded probe --out runs/embedded
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

from recipes.embedded.documents import Corpus, correction, generation, stays_right
from recipes.embedded.tokens import Reader
from recipes.embedded.training import Ids, mixed, padded
from selfdebug.benchmarks import demo

COPIED = (50, 75)  # tokens of the programs that must be copied: about 60
COUNT = 100  # documents of each probe that are watched


def sets(reader: Reader, corpus: Corpus, count: int = COUNT) -> dict[str, list[Ids]]:
    """Return at most `count` documents of each probe, made of held-out tasks."""
    rng = Random("probes")
    lengths = range(*COPIED)
    copies = [reader.ids(stays_right(task, rng, "refine")) for task in corpus.tasks]
    foreign = [
        reader.ids(stays_right(replace(task, prompt="Tidy up."), rng, "refine"))
        for task in demo.load("references")
    ]
    repairs = [found for found in corpus.repairs if found[1].details.get("other")][::2]
    strangers = [
        (task, replace(repair, feedback=other.feedback))
        for (task, repair), (_, other) in pairwise(repairs)
        if repair.language == other.language
    ]
    found = {
        "copy": [one for one in copies if len(one[0]) - one[1] in lengths],
        "copy_foreign": [one for one in foreign if len(one[0]) <= 500],
        "copy_random": [reader.noise(60, rng) for _ in range(COUNT)],
        "write": [reader.ids(generation(task)) for task in corpus.tasks],
        "refine": [reader.ids(correction(*found, "refine")) for found in repairs],
        "refine_shuffled": [reader.ids(correction(*found, "refine")) for found in strangers],
    }
    return {name: documents[:count] for name, documents in found.items()}


def measure(model: Any, documents: dict[str, list[Ids]], device: str = "cpu") -> dict[str, float]:
    """Return for each probe the share of exact completions, and their mean probability."""
    figures: dict[str, float] = {}
    for name, found in documents.items():
        exact, probability = _scored(model, found, device)
        figures[f"{name}_exact"] = exact
        figures[f"{name}_p"] = probability
    return figures


def _scored(model: Any, documents: Sequence[Ids], device: str) -> tuple[float, float]:
    import torch

    model.eval()
    ordered = sorted(documents, key=lambda document: len(document[0]))
    exact = probability = 0.0
    for start in range(0, len(ordered), 10):
        ids, targets = (tensor.to(device) for tensor in padded(ordered[start : start + 10]))
        with torch.no_grad(), mixed(device):
            logits = model(input_ids=ids).logits.float()
        wanted = targets >= 0
        right = (logits.argmax(-1) == targets) | ~wanted
        chosen = logits.log_softmax(-1).gather(-1, targets.clamp(min=0)[..., None])[..., 0]
        exact += float(right.all(-1).sum())
        probability += float((chosen * wanted).sum(-1).exp().sum())
    return exact / len(ordered), probability / len(ordered)
