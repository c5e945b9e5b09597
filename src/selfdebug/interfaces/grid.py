"""LeDex's grid: several models, each writing, refining, and explaining before it refines.

Every cell is an `eval` of its own in a folder of its own, so a grid resumes and extends as they do,
and `compare` takes its folders. Both modes of a model begin with the same first programs, which
are sampled once.

    selfdebug eval world --model base=embedded --model sft=runs/sft --out runs/grid
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from selfdebug.compare import Cell, Comparison
from selfdebug.interfaces.runs import share_text
from selfdebug.types import Backend, Completion, Mode, Request, Sampling, SelfdebugError

MODES: tuple[Mode, ...] = ("refine", "explain_refine")
NAMES: Mapping[Mode, str] = {"refine": "refine", "explain_refine": "explain + refine"}
HEADS = ("model", "", "round", "tasks", "pass@1", "pass@10", "failures fixed")


def models(given: Sequence[str]) -> dict[str, str]:
    """Return models written as NAME=MODEL; the name is also the folder's."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, model = text.partition("=")
        if not (name and equals and model) or Path(name).name != name:
            raise SelfdebugError(f"--model {text}: write NAME=MODEL, such as sft=runs/sft")
        if name in found:
            raise SelfdebugError(f"--model {text}: {name} is named twice")
        found[name] = model
    return found


def check(backend: str, mode: str | None) -> None:
    """Raise SelfdebugError for options that a grid has no use for."""
    if mode is not None:
        raise SelfdebugError("--model measures both modes: leave --mode out")
    if backend not in ("search", "transformers"):  # the first is what no --backend means
        raise SelfdebugError(f"--model names models of `transformers`, not of {backend}")


def runs(out: Path, names: Iterable[str]) -> dict[Path, tuple[str, Mode]]:
    """Return each run's folder, and its model's name and mode."""
    return {out / name / mode: (name, mode) for name in names for mode in MODES}


def rows(found: Comparison, names: Iterable[tuple[str, Mode]]) -> Iterator[tuple[str, ...]]:
    """Yield the grid: for each model its first programs, then each mode after each round.

    names: model and mode of each run that was compared, in the same order.
    """
    of = dict(zip(dict.fromkeys(cell.run for cell in found.cells), names, strict=True))
    for cell in found.cells:
        model, mode = of[cell.run]
        if cell.round:
            yield model, NAMES[mode], str(cell.round), *_figures(cell), share_text(cell.fixed)
        elif mode == MODES[0]:  # the other mode's are the same
            yield model, "first program", "0", *_figures(cell), ""


def _figures(cell: Cell) -> tuple[str, ...]:
    ten = share_text(cell.pass_10) if cell.pass_10 else ""
    return str(cell.tasks), share_text(cell.pass_1), ten


@dataclass
class Remembering:
    """A backend that writes the first program of a task and seed once, for every mode."""

    backend: Backend

    def __post_init__(self) -> None:
        self.name = self.backend.name
        self._written: dict[tuple[str, int, Sampling], list[Completion]] = {}

    def sample(
        self, requests: Sequence[Request], n: int, sampling: Sampling
    ) -> list[list[Completion]]:
        """Return what the backend would say."""
        keys = [(request.task.id, n, sampling) for request in requests]
        if any(r.mode != "generate" for r in requests) or not all(k in self._written for k in keys):
            found = self.backend.sample(requests, n, sampling)
            self._written.update(
                (key, replies)
                for key, request, replies in zip(keys, requests, found, strict=True)
                if request.mode == "generate"
            )
            return found
        return [self._written[key] for key in keys]
