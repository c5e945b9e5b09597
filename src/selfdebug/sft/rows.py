"""Examples as token rows whose loss is on the reply alone, and the part that is held out.

The prompt's tokens are those that the model reads when it is asked (`loading.prompt_ids`), and the
reply's are tokenised by themselves, as the model will write them: nothing merges across the two.

    python -c "from selfdebug.sft.rows import encode; help(encode)"
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from selfdebug.backends.transformers.loading import prompt_ids
from selfdebug.types import Example, Stage

IGNORED = -100  # the label of a token without loss
WINDOW = 8  # batches, within which rows are sorted by length


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation as tokens. labels: the reply's tokens, IGNORED for those of the prompt."""

    stage: Stage
    task_id: str
    input_ids: list[int]
    labels: list[int]


def encode(tokenizer: Any, examples: Iterable[Example], max_length: int) -> tuple[list[Row], int]:
    """Return the rows, and how many examples were longer than max_length tokens.

    Those are left out: a program that is cut off would teach to cut programs off.
    """
    rows = [_row(tokenizer, example) for example in examples]
    short = [row for row in rows if len(row.input_ids) <= max_length]
    return short, len(rows) - len(short)


def held_out(rows: Sequence[Row], share: float, seed: int) -> tuple[list[Row], list[Row]]:
    """Return (rows to learn from, rows held out): whole tasks, so that none is in both.

    With a single task, single rows are held out instead.
    """
    apart = len({row.task_id for row in rows}) > 1
    groups: dict[str, list[Row]] = {}
    for number, row in enumerate(rows):
        groups.setdefault(row.task_id if apart else str(number), []).append(row)
    order = sorted(groups, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())
    wanted = min(max(1, round(share * len(rows))), len(rows) - 1) if share else 0
    chosen: set[str] = set()
    count = 0
    for name in order:
        # A large task must not take more than half of what there is to learn from.
        if count < wanted and count + len(groups[name]) <= max(1, len(rows) // 2):
            chosen.add(name)
            count += len(groups[name])
    kept = [row for name, group in groups.items() if name not in chosen for row in group]
    return kept, [row for name in order if name in chosen for row in groups[name]]


def parts(rows: Sequence[Row], order: str, seed: int) -> Iterator[tuple[str, list[Row]]]:
    """Yield what is learned one after the other: every stage, or one mixture, each shuffled."""
    stages = list(dict.fromkeys(row.stage for row in rows)) if order == "stages" else ["mixture"]
    for stage in stages:
        chosen = [row for row in rows if stage in ("mixture", row.stage)]
        Random(seed).shuffle(chosen)
        yield stage, chosen


def schedule(lengths: Sequence[int], epochs: float, batch_size: int, seed: int) -> list[int]:
    """Return the order in which rows are learned, all epochs one after the other.

    Each epoch is shuffled anew, and a batch holds rows of like length, which saves padding. A
    trainer that draws its own order finds another one when it resumes.
    """
    order: list[int] = []
    for epoch in range(math.ceil(epochs)):
        rng = Random(f"{seed} {epoch}")
        shuffled = rng.sample(range(len(lengths)), len(lengths))
        window = WINDOW * batch_size
        near = [
            sorted(shuffled[start : start + window], key=lambda index: lengths[index])
            for start in range(0, len(shuffled), window)
        ]
        batches = [
            part[start : start + batch_size]
            for part in near
            for start in range(0, len(part), batch_size)
        ]
        rng.shuffle(batches)
        batches.sort(key=lambda batch: len(batch) < batch_size)  # the rest goes last
        order += [index for batch in batches for index in batch]
    return order[: round(epochs * len(lengths))]


def fingerprint(rows: Sequence[Row]) -> str:
    """Return what tells one set of rows from another."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr((row.stage, row.input_ids, row.labels)).encode())
    return digest.hexdigest()[:16]


def _row(tokenizer: Any, example: Example) -> Row:
    asked = prompt_ids(tokenizer, example.prompt)
    text = "".join(message["content"] for message in example.completion)
    said: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    said = [*said, tokenizer.eos_token_id]
    return Row(example.stage, example.task_id, asked + said, [IGNORED] * len(asked) + said)
