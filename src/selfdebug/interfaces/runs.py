"""What a command line says about a run: its settings, tasks and backend; and its figures as rows.

selfdebug eval demo --backend search --out runs/demo
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from itertools import islice
from pathlib import Path
from typing import Any, cast

from selfdebug import benchmarks, plugins, splits
from selfdebug import config as configuration
from selfdebug.compare import Comparison
from selfdebug.evaluate import Evaluation, Settings
from selfdebug.feedback import Repairs
from selfdebug.report import write
from selfdebug.stats import Interval
from selfdebug.store import Store
from selfdebug.summary import Row
from selfdebug.types import Backend, Judge, Repair, SelfdebugError, Task

HEADS = ("language", "kind of bug", "tasks", "before", "visible", "pass", "right broken", "s")


def settings(given: Mapping[str, Any], config: Path | None) -> Settings:
    """Return the settings that were given; those that were not are the file's or the default."""
    names = [field.name for field in fields(Settings)]
    before = configuration.read_run(config).get("settings", {}) if config else {}
    values = {name: before[name] for name in names if name in before}
    values |= {name: given[name] for name in names if given.get(name) is not None}
    return configuration.settings(Settings, values)


def tasks(
    benchmark: str, split: str, source: str, limit: int, trained_on: Sequence[Path] = ()
) -> list[Task]:
    """Return the tasks that a command line names.

    trained_on: files or folders of repairs. Raises SelfdebugError when one was made from a task
    that is named here.
    """
    found = list(islice(benchmarks.load(benchmark, split, source), limit))
    for path in trained_on:
        splits.refuse_trained(found, _repairs_in(path))
    return found


def backend(name: str, judge: Judge, options: Sequence[str]) -> Backend:
    """Open a backend with options written as NAME=VALUE."""
    opened: Backend = plugins.load("backends", name).create(judge, **pairs(options))
    return opened


def pairs(options: Sequence[str]) -> dict[str, str]:
    """Return options written as NAME=VALUE by their names."""
    split = [option.partition("=") for option in options]
    for key, equals, value in split:
        if not (key and equals):
            raise SelfdebugError(f"--option {key}{equals}{value}: write NAME=VALUE")
    return {key: value for key, _, value in split}


def repairs(path: Path | None) -> Repairs | None:
    """Index a file of repairs for --feedback retrieved."""
    return None if path is None else Repairs(_repairs_in(path))


def _repairs_in(path: Path) -> Store[Repair]:
    """Open a file of repairs, or the one in a folder that `inject` filled."""
    file = path / "repairs.jsonl" if path.is_dir() else path
    if not file.is_file():
        raise SelfdebugError(f"cannot read {file}: no such file")
    return Store(file, Repair)


def write_report(folder: Path, found: Evaluation) -> str:
    """Write the report of a run, and say where it is."""
    return f"report: {write(folder)}" if found.rows else "no report: every outcome is unknown"


def figures(rows: Iterable[Row]) -> Iterator[tuple[str, ...]]:
    """Yield one row of a table for each group of tasks."""
    for row in rows:
        yield (
            row.language or "all",
            row.kind or "all",
            str(row.tasks),
            share_text(row.first),
            share_text(row.visible),
            share_text(row.passed),
            share_text(row.broken) if row.broken else "",
            f"{row.seconds:.2f}",
        )


def as_json(rows: Iterable[Row], unknown: Sequence[str]) -> dict[str, Any]:
    """Return the figures as JSON values; what is not a number is null."""
    return {"rows": [_plain(asdict(row)) for row in rows], "unknown": list(unknown)}


GRID = ("run", "round", "tasks", "pass@1", "pass@10", "failures fixed", "unchanged", "tokens")
DIFFERENCES = ("run", "minus", "round", "pass@1", "fixed", "at equal tokens", "p")


def grid(found: Comparison) -> Iterator[tuple[str, ...]]:
    """Yield one row for each run and round."""
    for cell in found.cells:
        ten = share_text(cell.pass_10) if cell.pass_10 else ""
        unchanged = "" if math.isnan(cell.unchanged) else f"{cell.unchanged:.1%}"
        names = (cell.run, str(cell.round), str(cell.tasks))
        yield (
            *names,
            share_text(cell.pass_1),
            ten,
            share_text(cell.fixed),
            unchanged,
            f"{cell.tokens:.0f}",
        )


def differences(found: Comparison) -> Iterator[tuple[str, ...]]:
    """Yield one row for each run, round and control, in points."""
    for c in found.contrasts:
        shares = (_points(i) for i in (c.pass_1, c.fixed, c.at_equal_tokens))
        yield c.run, c.control, str(c.round), *shares, f"{c.p:.2g}"


def sentences(found: Comparison) -> Iterator[str]:
    """Yield a sentence for each run that was asked to mend right programs, or that explains."""
    for run in found.broken:
        yield f"{run.run} broke {share_text(run.share)} of the right programs"
    for run in found.explained:
        yield f"{share_text(run.share)} of what {run.run} claims in its explanations is true"


def comparison_json(found: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON values; what is not a number is null."""
    return {name: [_plain(row) for row in rows] for name, rows in asdict(found).items()}


def _points(interval: Interval) -> str:
    value, low, high = (100 * x for x in (interval.value, interval.low, interval.high))
    return "" if math.isnan(value) else f"{value:+.1f} ({low:+.1f} to {high:+.1f})"


def share_text(interval: Interval) -> str:
    """Return a share and its interval as text."""
    return f"{interval.value:.1%} ({interval.low:.1%} to {interval.high:.1%})"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in cast("dict[str, Any]", value).items()}
    return None if isinstance(value, float) and math.isnan(value) else value
