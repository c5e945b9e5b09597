"""What a command line says about injected bugs: which tasks, how many, and where they go.

selfdebug inject mbpp:train demo:references --out runs/bugs --total 10000
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from selfdebug import config, splits
from selfdebug.dataset import export, rows, write_card
from selfdebug.inject import KINDS, inject
from selfdebug.interfaces.tasks import tasks_to_train_on
from selfdebug.stages import STAGES, examples
from selfdebug.store import Store, write_text
from selfdebug.types import Judge, Kind, Repair, SelfdebugError, Stage, Visit

OnVisit = Callable[[Visit, int, int], None]


def make(
    names: Sequence[str],
    judge: Judge,
    out: Path,
    *,
    total: int | None,
    more: int,
    seed: int,
    kinds: Sequence[str],
    source: str,
    on_visit: OnVisit,
) -> tuple[int, list[str]]:
    """Inject bugs into the tasks of "benchmark:split" names; return how many, and what was left.

    total None: as many as before, or 1,000. more: so many on top, once what was asked for before
    is there; so the same command goes on after a kill. A folder keeps its tasks, kinds and seed.
    """
    settings = {"tasks": " ".join(names), "kinds": " ".join(_kinds(kinds)), "seed": seed}
    before = _before(out)
    wrong = [key for key in settings if key in before and before[key] != settings[key]]
    if wrong:
        had = ", ".join(f"{key} {before[key]!r}" for key in wrong)
        raise SelfdebugError(f"{out} was made with {had}: use the same, or another folder")
    asked = total or int(before.get("total", 1_000))
    there = len(Store(out / "repairs.jsonl", Repair))
    wanted = asked + more if there >= asked or not before else asked
    index, sets = splits.evaluation_index(source)
    tasks, leaks = splits.clean(tasks_to_train_on(names, source), index)
    if leaks and not tasks:
        first = f"{leaks[0].task_id} in {leaks[0].evaluation_id}"
        raise SelfdebugError(f"all {len(leaks)} tasks are in an evaluation set ({first})")
    run = {"settings": {**settings, "total": wanted}, **config.describe()}
    write_text(out / "run.toml", config.to_toml(run))
    found = inject(
        tasks, judge, out, total=wanted, seed=seed, kinds=_kinds(kinds), on_visit=on_visit
    )
    about = {**settings, "total": wanted, "compared with": " ".join(sets), "left out": len(leaks)}
    card = write_card(out, about)
    notes = [f"{len(leaks)} of {len(tasks) + len(leaks)} tasks are in an evaluation set: left out"]
    if len(found) < wanted:
        notes.append(f"the tasks hold no more: {len(found)} of {wanted}; add tasks")
    return len(found), [*notes, f"card: {card}"]


def write_export(folder: Path, form: str, to: Path, stages: Sequence[str], source: str) -> int:
    """Export a folder's repairs; return the number of rows."""
    path = folder / "repairs.jsonl"
    if not path.is_file():
        raise SelfdebugError(f"{folder} holds no repairs.jsonl: make one with `selfdebug inject`")
    repairs = Store(path, Repair)
    names = str(_before(folder).get("tasks", "")).split()
    # Others may be in an evaluation set, or have a reference that fails.
    broken = {repair.task_id for repair in repairs}
    tasks = tasks_to_train_on(names, source) if form != "repairs" else []
    tasks = [task for task in tasks if task.id in broken]
    return export(rows(form, repairs, examples(repairs, tasks, _stages(stages))), to)


def _before(folder: Path) -> dict[str, Any]:
    path = folder / "run.toml"
    return dict(config.read_run(path).get("settings", {})) if path.is_file() else {}


def _kinds(names: Sequence[str]) -> tuple[Kind, ...]:
    return tuple(kind for kind in KINDS if kind in _known(names, KINDS)) or KINDS


def _stages(names: Sequence[str]) -> tuple[Stage, ...]:
    return tuple(stage for stage in STAGES if stage in _known(names, STAGES)) or STAGES


def _known(names: Sequence[str], there: Sequence[str]) -> Sequence[str]:
    for name in names:
        if name not in there:
            raise SelfdebugError(f"no {name!r}: there are {', '.join(there)}")
    return names
