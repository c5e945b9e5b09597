"""The card of a trained model: what it is, what it learned from, how it went, how to use it.

python -c "from selfdebug.sft.card import card; help(card)"
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from selfdebug.sft.rows import Row


def card(
    base: str, about: Mapping[str, Any], rows: Sequence[Row], losses: Sequence[Mapping[str, Any]]
) -> str:
    """Return the card as Markdown with the hub's front matter."""
    return "\n".join(_lines(base, about, rows, losses)) + "\n"


def held_out_losses(losses: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Return the loss on held-out examples before training and of the weights that were kept.

    With stages one after the other, they are the last stage's.
    """
    stage = losses[-1]["stage"] if losses else ""
    found = [line["eval_loss"] for line in losses if line["stage"] == stage and "eval_loss" in line]
    return (found[0], min(found[1:], default=found[0])) if found else (math.nan, math.nan)


def _lines(
    base: str, about: Mapping[str, Any], rows: Sequence[Row], losses: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    adapter = about["rank"] > 0
    yield from ("---", "library_name: peft" if adapter else "library_name: transformers")
    yield from (f"base_model: {about['model']}", "tags: [selfdebug, sft, code]", "---", "")
    kind = f"a LoRA adapter of rank {about['rank']}" if adapter else "every weight"
    yield f"# {about['model']}, trained to debug its own code"
    yield ""
    yield f"Made by `selfdebug train sft`: {kind}, with loss on replies alone. A reply is read by"
    yield "nobody before it runs: judge its programs in a sandbox, as `selfdebug` does."
    yield from ("", "## How it went", "")
    before, after = held_out_losses(losses)
    trained = [line for line in losses if "loss" in line]
    if trained:
        steps = sum(
            max(line["step"] for line in trained if line["stage"] == stage)
            for stage in {line["stage"] for line in trained}
        )
        first, last = trained[0]["loss"], trained[-1]["loss"]
        yield f"{steps} steps; training loss {first:.4f} at first, {last:.4f} at last."
    if math.isnan(before):
        yield "Nothing was held out."
    else:
        yield f"Loss on held-out tasks: {before:.4f} before, {after:.4f} with the weights kept."
        if after >= before:
            yield "It did not fall: training did not help on tasks that it had not seen."
    yield from ("", "The curves are in losses.jsonl.", "", "## What it learned from", "")
    yield from ("| stage | examples | tasks | tokens of replies |", "|---|---|---|---|")
    for stage, number in Counter(row.stage for row in rows).items():
        own = [row for row in rows if row.stage == stage]
        tokens = sum(label >= 0 for row in own for label in row.labels)
        yield f"| {stage} | {number:,} | {len({row.task_id for row in own}):,} | {tokens:,} |"
    yield from ("", "## Settings", "", "| | |", "|---|---|")
    yield from (f"| {name} | {value} |" for name, value in about.items())
    yield from ("", "## Use", "", "```")
    yield "selfdebug eval demo --backend transformers --option model=THIS_FOLDER --out runs/demo"
    yield "```"
