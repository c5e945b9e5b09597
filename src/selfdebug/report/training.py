"""The curves of a training run as charts: what `train sft` and `train rl` left in their folders.

Steps of reinforcement learning are noisy, so each point of theirs is a mean over a twentieth of the
run. It reads what was logged and judges nothing.

    selfdebug compare runs/before runs/after --training runs/rl --report runs/report.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from selfdebug.report import charts
from selfdebug.report.text import plural
from selfdebug.types import SelfdebugError

Point = tuple[float, float]  # (step, value)

POINTS = 20  # means of the last steps that a noisy curve is drawn of
LOSSES = {"training": "loss", "held out": "eval_loss"}
REWARDS = {"program": "spans/code", "explanation": "spans/explanation", "form": "spans/reply"}
SHARES = {
    "writes right": "replies/write",
    "mends": "replies/refine",
    "changes nothing": "replies/unchanged",
    "breaks right ones": "replies/breaking",
    "malformed": "replies/malformed",
}


def drawings(folder: Path) -> list[tuple[str, str]]:
    """Return (caption, drawing) of each chart, as HTML.

    Raises SelfdebugError for a folder without curves.
    """
    for name, drawn in (("losses.jsonl", _fine_tuning), ("curves.jsonl", _reinforcement)):
        if (path := folder / name).is_file():
            rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            return [(caption, drawing) for caption, drawing in drawn(rows) if drawing]
    raise SelfdebugError(
        f"{folder} holds neither losses.jsonl nor curves.jsonl: is it the folder of a `train`?"
    )


def _fine_tuning(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    yield "Loss", charts.lines(_series(rows, LOSSES))


def _reinforcement(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    steps = [row for row in rows if "loss" in row]
    width = max(1, len(steps) // POINTS)
    each = f" <small>means of {plural(width, 'step')}</small>" if width > 1 else ""

    def smooth(names: Mapping[str, str]) -> dict[str, list[Point]]:
        return {name: _means(found, width) for name, found in _series(steps, names).items()}

    yield f"Reward, by the words that earn it{each}", charts.lines(smooth(REWARDS))
    yield f"Shares of the replies{each}", charts.lines(smooth(SHARES), shares=True)
    yield f"KL to the model it began as{each}", charts.lines(smooth({"KL": "kl"}))
    lengths = {"mean": "completions/mean_length", "longest": "completions/max_length"}
    yield f"Tokens of a reply{each}", charts.lines(smooth(lengths))


def _series(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> dict[str, list[Point]]:
    """Return the points of each line; a row need not have them all."""
    found = {
        name: [(float(row["step"]), float(row[key])) for row in rows if row.get(key) is not None]
        for name, key in names.items()
    }
    return {name: points for name, points in found.items() if points}


def _means(points: Sequence[Point], width: int) -> list[Point]:
    """Return at each point the mean of it and of those before it, `width` in all."""
    values = [value for _, value in points]
    return [
        (step, fmean(values[max(0, i + 1 - width) : i + 1])) for i, (step, _) in enumerate(points)
    ]
