"""Evaluations side by side as one HTML page: what they say in sentences, then grid, curves, cards.

The sentences come first and are as plain as the figures allow: a difference whose interval holds 0
is said to be none. Episodes to read are those of the last run. It draws what `compare` found, and
measures nothing.

    selfdebug compare runs/resample runs/refine --report runs/report.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from selfdebug import config
from selfdebug.compare import Cell, Comparison, Contrast
from selfdebug.report import charts
from selfdebug.report.episodes import NAMES, OUTCOMES, card, outcome
from selfdebug.report.frame import page
from selfdebug.report.text import escape, percent
from selfdebug.report.training import drawings
from selfdebug.stats import Interval
from selfdebug.store import Store, write_text
from selfdebug.summary import rows
from selfdebug.types import Episode, Task

SHOWN = 80  # episodes on the page
CLAIM = 1  # the round that the sentences are about


def write_comparison(
    found: Comparison,
    folders: Sequence[Path],
    path: Path,
    *,
    title: str = "",
    training: Sequence[Path] = (),
) -> None:
    """Write the page of a comparison.

    folders: of the runs that were compared; the last one's episodes are shown. training: folders
    of `train`, whose curves are drawn. Raises SelfdebugError where one has none.
    """
    last = folders[-1]
    tasks = {task.id: task for task in Store(last / "tasks.jsonl", Task)}
    episodes = [e for e in Store(last / "episodes.jsonl", Episode) if e.task_id in tasks]
    runs = {folder: config.read_run(folder / "run.toml") for folder in folders}
    text = page(
        "comparison.html",
        title=escape(title or "Does it debug?"),
        subtitle=escape(" · ".join(["selfdebug", *_about(runs[last]), f"{_tasks(found)} tasks"])),
        sentences="".join(f"<li>{sentence}</li>" for sentence in sentences(found)),
        grid=_grid(found.cells),
        charts=_curves(found.cells),
        training="".join(map(_training, training)),
        differences=_differences(found.contrasts),
        kinds=_kinds(tasks, episodes),
        last=escape(last.name),
        episodes="\n".join(card(tasks[e.task_id], e) for e in _first(episodes)),
        runs="".join(_run(folder, run) for folder, run in runs.items()),
    )
    write_text(path, text)


def sentences(found: Comparison) -> Iterator[str]:
    """Yield what the figures say after the first refinement, one sentence a run, as HTML."""
    cells = {cell.run: cell for cell in found.cells if cell.round == CLAIM}
    for name, cell in cells.items():
        contrasts = [c for c in found.contrasts if c.run == name and c.round == CLAIM]
        against = [
            f"{escape(c.control)} {percent(cells[c.control].fixed.value)}: {_verdict(c.fixed)}"
            for c in contrasts
            if not math.isnan(c.fixed.value)
        ]
        if against:
            yield (
                f"Of programs that fail, <b>{escape(name)}</b> mends {percent(cell.fixed.value)} "
                f"with one more try, {'; '.join(against)}."
            )
    for broken in found.broken:
        yield (
            f"Asked to mend programs that are right, {escape(broken.run)} broke "
            f"{_with_range(broken.share)} of them."
        )
    for told in found.explained:
        yield (
            f"Of what {escape(told.run)} claims in its explanations, {_with_range(told.share)} is "
            "borne out by the programs and the failing test."
        )
    yield from (_rounds_sentence(name, found.cells) for name in cells)


def _verdict(difference: Interval) -> str:
    """Say whether a difference is one."""
    if difference.low > 0:
        return f"<b>more</b>, {_points(difference)}"
    if difference.high < 0:
        return f"<b>fewer</b>, {_points(difference)}"
    return f"no difference that could be told from chance ({_points(difference)})"


def _rounds_sentence(name: str, cells: Sequence[Cell]) -> str:
    shares = [cell.pass_1.value for cell in cells if cell.run == name]
    steps = [100 * (after - before) for before, after in pairwise(shares)]
    told = ", ".join(f"{step:+.1f}" for step in steps)
    return f"{escape(name)}, points of pass@1 that each round adds: {told}."


def _points(interval: Interval) -> str:
    value, low, high = (100 * x for x in (interval.value, interval.low, interval.high))
    return f"{value:+.1f} points, 95% interval {low:+.1f} to {high:+.1f}"


def _with_range(interval: Interval) -> str:
    low, high = (f"{100 * x:.1f}" for x in (interval.low, interval.high))
    return f"{100 * interval.value:.1f}% <small>({low} to {high})</small>"


def _tasks(found: Comparison) -> int:
    return max(cell.tasks for cell in found.cells)


def _about(run: Mapping[str, Mapping[str, object]]) -> list[str]:
    settings = run.get("settings", {})
    names = [str(settings.get(name, "")) for name in ("benchmark", "split")]
    return [name for name in names if name]


def _grid(cells: Sequence[Cell]) -> str:
    """Return LeDex's grid: a row for each run and round, pass@1 and pass@10."""
    ten = any(cell.pass_10 is not None for cell in cells)
    heads = ["run", "round", "pass@1", "", *(["pass@10"] if ten else [])]
    heads += ["failures fixed", "unchanged", "tokens"]
    lines = [f"<thead><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr></thead>"]
    for cell in cells:
        row = [str(cell.round), _with_range(cell.pass_1), charts.bar(cell.pass_1)]
        if ten:
            row.append("–" if cell.pass_10 is None else _with_range(cell.pass_10))
        row.append("–" if cell.round == 0 else _with_range(cell.fixed))
        row.append("–" if math.isnan(cell.unchanged) else percent(cell.unchanged))
        row.append(f"{cell.tokens:.0f}")
        kind, name = ("language", cell.run) if cell.round == 0 else ("kind", "")
        body = "".join(f"<td>{value}</td>" for value in row)
        lines.append(f'<tr class="{kind}"><th scope="row">{escape(name)}</th>{body}</tr>')
    return f"<table>{''.join(lines)}</table>"


def _curves(cells: Sequence[Cell]) -> str:
    series: dict[str, list[float]] = {}
    for cell in cells:
        series.setdefault(cell.run, []).append(cell.pass_1.value)
    return _figures([("pass@1 after so many refinements", charts.curves(series))])


def _training(folder: Path) -> str:
    drawn = _figures(drawings(folder))
    return f"<section><h2>Training of {escape(folder.name)}</h2>{drawn}</section>"


def _figures(figures: Sequence[tuple[str, str]]) -> str:
    drawn = "".join(
        f"<figure><figcaption>{caption}</figcaption>{drawing}</figure>"
        for caption, drawing in figures
    )
    return f'<div class="charts">{drawn}</div>'


def _differences(contrasts: Sequence[Contrast]) -> str:
    heads = ("run", "minus", "round", "pass@1", "failures fixed", "pass@1 at equal tokens", "p")
    lines = [f"<thead><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr></thead>"]
    for one in contrasts:
        shares = [_short(i) for i in (one.pass_1, one.fixed, one.at_equal_tokens)]
        row = [escape(one.control), str(one.round), *shares, f"{one.p:.2g}"]
        kind, name = ("language", one.run) if one.round == 1 else ("kind", "")
        body = "".join(f"<td>{value}</td>" for value in row)
        lines.append(f'<tr class="{kind}"><th scope="row">{escape(name)}</th>{body}</tr>')
    return f"<table>{''.join(lines)}</table>"


def _short(interval: Interval) -> str:
    if math.isnan(interval.value):
        return "–"
    value, low, high = (100 * x for x in (interval.value, interval.low, interval.high))
    return f"{value:+.1f} <small>({low:+.1f} to {high:+.1f})</small>"


def _kinds(tasks: Mapping[str, Task], episodes: Sequence[Episode]) -> str:
    """Return the score card by language and, where the tasks have them, by kinds of bugs."""
    heads = ("", "tasks", "at first", "in the end", "")
    lines = [f"<thead><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr></thead>"]
    for row in rows(tasks, episodes):
        name = NAMES.get(row.language or "", "All")
        if row.kind is not None:
            name = (row.kind or "other").replace("_", " ")
        cells = [str(row.tasks), percent(row.first.value), _with_range(row.passed)]
        body = "".join(f"<td>{cell}</td>" for cell in [*cells, charts.bar(row.passed)])
        level = "kind" if row.kind is not None else "language"
        lines.append(f'<tr class="{level}"><th scope="row">{escape(name)}</th>{body}</tr>')
    return f"<table>{''.join(lines)}</table>"


def _first(episodes: Sequence[Episode]) -> list[Episode]:
    """Return episodes that were refined, of each outcome some, the mended ones first."""
    refined = [e for e in episodes if len(e.turns) > 1]
    groups = [[e for e in refined if outcome(e) == name] for name in OUTCOMES]
    share = SHOWN // max(1, sum(map(bool, groups)))
    return [episode for group in groups for episode in group[:share]]


def _run(folder: Path, run: Mapping[str, Mapping[str, object]]) -> str:
    settings = {name: value for name, value in run.get("settings", {}).items() if value != ""}
    listed = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in settings.items()
    )
    return f"<div><h3>{escape(folder.name)}</h3><dl>{listed}</dl></div>"
