"""What episodes came to: a row for everything, for each language and for each kind of bug.

`evaluate` returns these rows, `report` draws them. It runs nothing and reads no file.

    python -c "from selfdebug.summary import rows; help(rows)"
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean, median

from selfdebug.stats import Interval, share
from selfdebug.types import Episode, Language, Task


@dataclass(frozen=True, slots=True)
class Row:
    """One group of tasks. Shares are of tasks (a task with several samples counts once)."""

    language: Language | None  # None: all
    kind: str | None  # the benchmark's name for the bug; None: all
    tasks: int
    episodes: int
    first: Interval  # share of first programs that pass every test
    visible: Interval  # share of final programs that pass the visible tests
    passed: Interval  # share of final programs that pass every test, the hidden ones too
    iterations: float  # mean programs after the first, where the final one passes; nan: never
    seconds: float  # median
    broken: Interval | None  # share of right programs that the backend broke, where measured


def rows(
    tasks: Mapping[str, Task], episodes: Iterable[Episode], right: Iterable[Episode] = ()
) -> list[Row]:
    """Return the rows, the widest group first; a group that another equals is left out.

    right: episodes that began with a right program, to see whether it was broken. Episodes that
    the harness failed on, and those of tasks that are not among `tasks`, are left out.
    """

    def grouped(found: Iterable[Episode]) -> dict[tuple[Language, str], list[Episode]]:
        groups: dict[tuple[Language, str], list[Episode]] = {}
        for episode in found:
            task = tasks.get(episode.task_id)
            if task is not None and episode.stopped != "unknown":
                groups.setdefault((task.language, task.bug_kind), []).append(episode)
        return groups

    ended, checked = grouped(episodes), grouped(right)

    def row(language: Language | None = None, kind: str | None = None) -> Row:
        def of(groups: dict[tuple[Language, str], list[Episode]]) -> list[Episode]:
            return [
                episode
                for (own_language, own_kind), group in groups.items()
                if language in (None, own_language) and kind in (None, own_kind)
                for episode in group
            ]

        return _row(language, kind, of(ended), of(checked))

    languages: list[Language] = sorted({language for language, _ in ended})
    found = [row()] if len(languages) > 1 else []
    for language in languages:
        kinds = sorted(kind for own, kind in ended if own == language)
        found.append(row(language))
        found += [row(language, kind) for kind in kinds if len(kinds) > 1]
    return found


def passed(episode: Episode) -> bool:
    """Return whether the final program passes every test."""
    return episode.verdict is not None and episode.verdict.passed


def _row(
    language: Language | None, kind: str | None, episodes: list[Episode], right: list[Episode]
) -> Row:
    programs = [len(e.turns) - 1 for e in episodes if passed(e)]
    return Row(
        language,
        kind,
        tasks=len({e.task_id for e in episodes}),
        episodes=len(episodes),
        first=_share(episodes, lambda e: bool(e.turns) and e.turns[0].verdict.passed),
        visible=_share(episodes, lambda e: e.verdict is not None and e.verdict.visible_passed),
        passed=_share(episodes, passed),
        iterations=fmean(programs) if programs else math.nan,
        seconds=median(e.seconds for e in episodes) if episodes else math.nan,
        broken=_share(right, lambda e: not passed(e)) if right else None,
    )


def _share(episodes: list[Episode], outcome: Callable[[Episode], bool]) -> Interval:
    clusters: dict[str, list[float]] = {}
    for episode in episodes:
        clusters.setdefault(episode.task_id, []).append(float(outcome(episode)))
    return share(clusters)
