"""What a command line says about reinforcement learning: folders, tasks, and how it went.

selfdebug train rl runs/harvest --model runs/sft --out runs/rl
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from selfdebug import config, modelfolder, rl
from selfdebug.interfaces.tasks import tasks_to_train_on
from selfdebug.interfaces.training import OnCount, settled
from selfdebug.rl.material import read
from selfdebug.types import Judge

HEADS = ("steps", "reward", "refinements that pass", "KL", "model")


def rl_settings(out: Path, given: Mapping[str, Any]) -> rl.Settings:
    """Return the settings: what was given, else what the folder was made with, else the default.

    Names of rewards are checked here, before anything is loaded.
    """
    lists = {"rewards": given.get("reward"), "weights": given.get("weight")}
    lists = {name: tuple(values) for name, values in lists.items() if values}
    settings = settled(rl.Settings, {**given, **lists}, _settings_of(out))
    rl.needs_judge(settings.rewards)
    return settings


def run_rl(
    folders: Sequence[Path],
    out: Path,
    settings: rl.Settings,
    judge: Judge | None,
    *,
    source: str,
    on_step: OnCount,
) -> rl.Trained:
    """Train on the tasks, failures and repairs of folders that inject and harvest made."""
    names = [n for folder in folders for n in str(_settings_of(folder).get("tasks", "")).split()]
    tasks = tasks_to_train_on(names, source) if names else []
    material = read(folders, tasks, settings.feedback, judge)
    about = {"from": " ".join(map(str, folders))}
    return rl.train(material, out, settings, judge, about=about, on_step=on_step)


def rl_row(done: rl.Trained) -> tuple[str, ...]:
    """Return the one row of a table."""
    log = [row for row in modelfolder.lines(done.folder / rl.CURVES) if "loss" in row]
    last = log[-1] if log else {}
    figures = (last.get(name) for name in ("reward", "replies/refine", "kl"))
    return str(done.steps), *("" if f is None else f"{f:.3f}" for f in figures), str(done.folder)


def as_json(done: rl.Trained) -> dict[str, Any]:
    """Return the outcome as JSON values."""
    return {"folder": str(done.folder), "steps": done.steps, "stopped": done.stopped}


def _settings_of(folder: Path) -> dict[str, Any]:
    path = folder / "run.toml"
    return dict(config.read_run(path).get("settings", {})) if path.is_file() else {}
