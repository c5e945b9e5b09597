"""What a command line says about harvesting and training: tasks, backends, data, and how it went.

selfdebug train sft runs/bugs runs/harvest --model NAME --out runs/sft
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from selfdebug import config, sft, splits
from selfdebug.attempts import judged
from selfdebug.debug import normalised
from selfdebug.harvest import Harvest, Settings, harvest
from selfdebug.interfaces.machines import Machines
from selfdebug.interfaces.tasks import tasks_to_train_on
from selfdebug.stages import STAGES, borne_out, corrupted, examples
from selfdebug.store import Store, write_text
from selfdebug.types import Example, Repair, SelfdebugError, Stage

OnCount = Callable[[int, int], None]
Kind = TypeVar("Kind")

RIGHT_PROGRAMS = 4  # of a task, that the model wrote itself: more would crowd out harder tasks


def settled(kind: type[Kind], given: Mapping[str, Any], before: Mapping[str, Any]) -> Kind:
    """Return settings: what was given, else what the folder has, else the default."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    values = {name: before[name] for name in names if name in before}
    values |= {name: given[name] for name in names if given.get(name) is not None}
    return config.settings(kind, values)


def run_harvest(
    names: Sequence[str],
    out: Path,
    machines: Machines,
    given: Mapping[str, Any],
    *,
    backend: tuple[str, Sequence[str]],
    teacher: tuple[str, Sequence[str]] | None,
    more: int,
    limit: int,
    source: str,
    at_once: int,
    on_replies: OnCount,
) -> tuple[Harvest, list[str]]:
    """Harvest from the tasks of "benchmark:split" names; return what there is, and remarks.

    more: samples a task on top of the folder's, once those are there; so the same command goes
    on after a kill. Tasks that an evaluation set holds too are left out.
    """
    before = _settings_of(out)
    defaults: dict[str, Any] = {}
    if teacher and teacher[0] == "search":
        defaults["refinements"] = 1  # it is of one mind
        teacher = "search", ["seconds=2", *teacher[1]]  # most of what it mends, it mends at once
    settings = settled(Settings, given, {**defaults, **before})
    if more and (not before or before.get("finished")):
        settings = config.settings(
            Settings, {**config.as_table(settings), "samples": settings.samples + more}
        )
    named = tasks_to_train_on(names, source)[:limit]
    writer = machines.backend(*backend)
    other = machines.backend(*teacher) if teacher else None
    index, _ = splits.evaluation_index(source)
    tasks, leaks = splits.clean(named, index)
    about = {"tasks": " ".join(names), "backend": writer.name}
    about |= {"teacher": other.name if other else writer.name}
    table = {**about, **config.as_table(settings)}
    free = ("samples", "refinements", "finished")  # these extend what is there
    wrong = [k for k in before if k not in free and before[k] != table.get(k)]
    if wrong:
        had = ", ".join(f"{key} = {before[key]!r}" for key in wrong)
        raise SelfdebugError(f"{out} was harvested with {had}: use the same, or another folder")
    _write_run(out, {**table, "finished": False})
    found = harvest(
        tasks, writer, machines.judge, out, settings, teacher=other, replies_at_once=at_once,
        calls_at_once=machines.copies, on_replies=on_replies,
    )  # fmt: skip
    _write_run(out, {**table, "finished": True})
    notes = [f"{len(leaks)} of {len(tasks) + len(leaks)} tasks are in an evaluation set: left out"]
    if found.unknown:
        notes.append(f"{found.unknown} programs could not be judged; the same command tries again")
    return found, notes


def harvest_row(found: Harvest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the heads and the one row of a table."""
    heads = ("programs", "right", "failures", "mended", "refinements", "repairs")
    values = (found.programs, found.right, found.failures, found.mended)
    return heads, (*map(str, values), str(found.refinements), str(found.repairs))


def run_sft(
    folders: Sequence[Path],
    out: Path,
    given: Mapping[str, Any],
    *,
    stages: Sequence[str],
    right_share: float,
    true_claims: float,
    corrupt: bool,
    source: str,
    on_step: OnCount,
) -> sft.Trained:
    """Train on the repairs, right programs and tasks of folders that inject and harvest made.

    true_claims: least share of an explanation's claims that must hold to be learned from. corrupt:
    the control, in which each wrong program has another task's correction.
    """
    settings = settled(sft.Settings, given, _settings_of(out))
    wanted: list[Stage] = [stage for stage in STAGES if stage in stages or not stages]
    if unknown := sorted(set(stages) - set(STAGES)):
        raise SelfdebugError(f"no stage {unknown[0]!r}: there are {', '.join(STAGES)}")
    about = {"from": " ".join(map(str, folders)), "stages": " ".join(wanted), "right": right_share}
    about |= {"true_claims": true_claims, "corrupt": corrupt}
    found = _examples(folders, wanted, right_share, true_claims, source, corrupt=corrupt)
    made = list(found)
    return sft.train(
        made, out, settings, about=about, on_step=lambda step, steps, _: on_step(step, steps)
    )


def sft_row(done: sft.Trained) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the heads and the one row of a table."""
    heads = ("examples", "held out", "too long", "loss before", "loss after", "model")
    numbers = (str(done.examples), str(done.held_out), str(done.too_long))
    losses = ["" if math.isnan(loss) else f"{loss:.4f}" for loss in (done.before, done.after)]
    return heads, (*numbers, *losses, str(done.folder))


def as_json(done: sft.Trained) -> dict[str, Any]:
    """Return the outcome as JSON values; a loss that was not measured is null."""
    table = {**asdict(done), "folder": str(done.folder)}
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in table.items()}


def _examples(
    folders: Sequence[Path],
    stages: Sequence[Stage],
    right_share: float,
    true_claims: float,
    source: str,
    *,
    corrupt: bool,
) -> Iterator[Example]:
    names: list[str] = []
    repairs: list[Repair] = []
    right: dict[str, dict[str, str]] = {}
    for folder in folders:
        if not (folder / "repairs.jsonl").is_file():
            raise SelfdebugError(f"{folder} holds no repairs.jsonl: make one with `harvest`")
        names += str(_settings_of(folder).get("tasks", "")).split()
        repairs += Store(folder / "repairs.jsonl", Repair)
        for attempt, verdict in judged(folder):
            if verdict.passed and attempt.mode == "generate":
                code = attempt.completion.code
                right.setdefault(attempt.task_id, {}).setdefault(normalised(code), code)
    # Others may be in an evaluation set, or have a reference that fails.
    known = {repair.task_id for repair in repairs} | right.keys()
    tasks = [task for task in tasks_to_train_on(names, source) if task.id in known]
    written = {name: list(programs.values())[:RIGHT_PROGRAMS] for name, programs in right.items()}
    distinct = list(borne_out(_distinct(repairs), true_claims))
    yield from examples(
        corrupted(distinct) if corrupt else distinct, tasks, stages, right_share, written
    )


def _distinct(repairs: Iterable[Repair]) -> list[Repair]:
    return list({repair.key: repair for repair in repairs}.values())


def _settings_of(folder: Path) -> dict[str, Any]:
    path = folder / "run.toml"
    return dict(config.read_run(path).get("settings", {})) if path.is_file() else {}


def _write_run(out: Path, table: Mapping[str, Any]) -> None:
    write_text(out / "run.toml", config.to_toml({"settings": table, **config.describe()}))
