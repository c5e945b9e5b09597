"""Episodes as one HTML page that needs nothing else: tables, charts, and every episode to read.

The page loads nothing from anywhere, follows the reader's light or dark theme and fits a phone.
All that a model or a data set wrote is escaped, and the page's own policy forbids any script but
its own. It reads what `evaluate` left in a folder, and measures nothing itself.

    selfdebug report runs/demo
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from selfdebug import config
from selfdebug.report import charts
from selfdebug.report.episodes import NAMES, OUTCOMES, card, outcome
from selfdebug.report.frame import page
from selfdebug.report.text import escape, percent, plural, seconds
from selfdebug.store import Store, write_text
from selfdebug.summary import Row, passed, rows
from selfdebug.types import Episode, SelfdebugError, Task


def write(folder: str | Path) -> Path:
    """Write `report.html` into a folder that `evaluate` made, and return its path."""
    folder = Path(folder)
    if not (folder / "episodes.jsonl").is_file():
        raise SelfdebugError(f"{folder} holds no episodes.jsonl: is it the folder of an `eval`?")
    text = render(
        {task.id: task for task in Store(folder / "tasks.jsonl", Task)},
        list(Store(folder / "episodes.jsonl", Episode)),
        list(Store(folder / "right.jsonl", Episode)),
        config.read_run(folder / "run.toml"),
    )
    write_text(folder / "report.html", text)
    return folder / "report.html"


def render(
    tasks: Mapping[str, Task],
    episodes: Sequence[Episode],
    right: Sequence[Episode],
    run: Mapping[str, Mapping[str, Any]],
) -> str:
    """Return the page. run: the tables of run.toml."""
    known = [e for e in episodes if e.task_id in tasks]
    if not known:
        raise SelfdebugError("there is no episode to report on")
    table = rows(tasks, known, right)
    about = run.get("settings", {})
    mended = any(tasks[e.task_id].broken for e in known)
    order = sorted(known, key=lambda e: (OUTCOMES.index(outcome(e)), e.task_id, e.seed))
    return page(
        "page.html",
        title=escape(str(about.get("benchmark") or "selfdebug")),
        subtitle=_subtitle(about, run),
        headline=_headline(table[0], mended),
        table=_table(table, mended),
        charts=_charts(tasks, known, mended),
        notes=_notes(known),
        filters=_filters(tasks, known),
        episodes="\n".join(card(tasks[e.task_id], e) for e in order),
        broken=_broken(tasks, right),
        run=_run(run),
    )


def _subtitle(about: Mapping[str, Any], run: Mapping[str, Mapping[str, Any]]) -> str:
    mode = str(about.get("mode", "")).replace("_", " and ")
    day = str(run.get("run", {}).get("started", ""))[:10]
    parts = ["selfdebug", about.get("backend", ""), mode, day]
    return " · ".join(escape(str(part)) for part in parts if part)


def _headline(row: Row, mended: bool) -> str:
    share, median = row.passed, seconds(row.seconds)
    solved = round(share.value * row.tasks)
    figures = [
        (
            f"{solved}<small> of {row.tasks}</small>",
            "bugs repaired" if mended else "tasks solved",
            f"{percent(share.value)}, 95% interval {_range(share.low, share.high)}",
        ),
        (median, "median time", f"{plural(row.episodes, 'episode')}"),
    ]
    if not math.isnan(row.iterations):
        what = "refinements until repaired" if mended else "refinements until solved"
        figures.append((f"{row.iterations:.1f}", what, "mean of those that succeeded"))
    if row.broken is not None:
        says = f"95% interval {_range(row.broken.low, row.broken.high)}"
        figures.append((percent(row.broken.value), "of right programs broken", says))
    return "".join(
        f'<div class="figure"><b>{value}</b><span>{name}</span><small>{says}</small></div>'
        for value, name, says in figures
    )


def _table(table: Sequence[Row], mended: bool) -> str:
    """Return the headline table; a column that says nothing here is left out."""
    first = any(row.first.value > 0 for row in table)
    visible = any(row.visible.value != row.passed.value for row in table)
    broken = any(row.broken is not None for row in table)
    heads = ["Bugs" if mended else "Tasks", "Repaired" if mended else "Solved", ""]
    heads += ["At first"] * first + ["Visible tests"] * visible
    heads += ["Refinements", "Median time"] + ["Right broken"] * broken
    lines = [f"<thead><tr>{''.join(f'<th>{h}</th>' for h in ['', *heads])}</tr></thead>"]
    for row in table:
        language = NAMES.get(row.language or "", "All")
        # The benchmark's own name of the kind of bug.
        name = (row.kind or "other").replace("_", " ") if row.kind is not None else language
        cells = [str(row.tasks), _share(row), charts.bar(row.passed)]
        cells += [percent(row.first.value)] * first + [percent(row.visible.value)] * visible
        cells.append("–" if math.isnan(row.iterations) else f"{row.iterations:.1f}")
        cells.append(seconds(row.seconds))
        if broken:
            cells.append("–" if row.broken is None else percent(row.broken.value))
        level = "kind" if row.kind is not None else "language"
        body = "".join(f"<td>{cell}</td>" for cell in cells)
        lines.append(f'<tr class="{level}"><th scope="row">{escape(name)}</th>{body}</tr>')
    return f"<table>{''.join(lines)}</table>"


def _share(row: Row) -> str:
    share = row.passed
    return f"<b>{percent(share.value)}</b> <small>{_range(share.low, share.high)}</small>"


def _range(low: float, high: float) -> str:
    return f"{100 * low:.0f}–{percent(high)}"


def _charts(tasks: Mapping[str, Task], episodes: Sequence[Episode], mended: bool) -> str:
    done = "repaired" if mended else "solved"
    series: dict[str, list[float]] = {}
    for episode in episodes:
        language = NAMES[tasks[episode.task_id].language]
        series.setdefault(language, []).append(episode.seconds if passed(episode) else math.inf)
    figures = [(f"Share {done} within so many seconds", charts.cumulative(series))]
    if max(len(e.turns) for e in episodes) > 2:
        figures.append(
            (f"Share {done} after so many refinements", charts.steps(_by_turn(episodes)))
        )
    return "".join(
        f"<figure><figcaption>{caption}</figcaption>{drawing}</figure>"
        for caption, drawing in figures
        if drawing
    )


def _by_turn(episodes: Sequence[Episode]) -> list[float]:
    """Return the share that would pass every test, had the loop ended after each turn."""

    def right_after(episode: Episode, turns: int) -> bool:
        verdicts = [turn.verdict for turn in episode.turns[:turns]]

        def visible(verdict: Any) -> float:
            return sum(r.status == "pass" for r in verdict.visible) / max(1, len(verdict.visible))

        return bool(verdicts) and max(verdicts, key=visible).passed

    longest = max(len(e.turns) for e in episodes)
    return [
        sum(right_after(e, turns) for e in episodes) / len(episodes)
        for turns in range(1, longest + 1)
    ]


def _notes(episodes: Sequence[Episode]) -> str:
    """Say how far the figures can be trusted: hidden tests, sandbox, unknown outcomes."""
    verdicts = [turn.verdict for episode in episodes for turn in episode.turns]
    hidden = any(result.hidden for verdict in verdicts for result in verdict.results)
    notes = [
        "Scored by hidden tests too, which no model and no search ever saw."
        if hidden
        else "This benchmark has no hidden tests: the visible ones score."
    ]
    tiers = sorted({verdict.tier for verdict in verdicts})
    notes.append(f"Judged in the sandbox, tier {', '.join(map(escape, tiers))}.")
    if any(verdict.trust == "in_process" for verdict in verdicts):
        notes.append("Some tests ran beside the program that they test, which could fool them.")
    if unknown := sum(e.stopped == "unknown" for e in episodes):
        notes.append(f"{plural(unknown, 'episode')} left out: the harness failed.")
    notes.append("Intervals are over tasks (Wilson, or a bootstrap where a task has samples).")
    return " ".join(notes)


def _broken(tasks: Mapping[str, Task], right: Sequence[Episode]) -> str:
    found = [e for e in right if e.task_id in tasks and outcome(e) in OUTCOMES[1:3]]
    if not found:
        return ""
    cards = "\n".join(card(tasks[e.task_id], e, "broken") for e in found)
    return f"<section><h2>Right programs that were broken</h2>{cards}</section>"


def _filters(tasks: Mapping[str, Task], episodes: Sequence[Episode]) -> str:
    about = [tasks[e.task_id] for e in episodes]
    languages = sorted({NAMES[task.language] for task in about})
    kinds = sorted({task.bug_kind for task in about if task.bug_kind})
    outcomes = [name for name in OUTCOMES if any(outcome(e) == name for e in episodes)]

    def menu(name: str, options: Sequence[str]) -> str:
        if len(options) < 2:
            return ""
        listed = "".join(f"<option>{escape(option)}</option>" for option in options)
        return f'<select name="{name}"><option value="">every {name}</option>{listed}</select>'

    menus = [menu("outcome", outcomes), menu("language", languages), menu("kind", kinds)]
    return '<input type="search" name="words" placeholder="Search">' + "".join(menus)


def _run(run: Mapping[str, Mapping[str, Any]]) -> str:
    def text(value: Any) -> str:
        return escape(", ".join(map(str, value)) if isinstance(value, list) else str(value))  # type: ignore

    return "".join(
        f"<div><h3>{escape(name.capitalize())}</h3><dl>"
        + "".join(f"<dt>{escape(k)}</dt><dd>{text(v) or '–'}</dd>" for k, v in table.items())
        + "</dl></div>"
        for name, table in run.items()
    )
