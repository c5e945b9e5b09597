"""How much of what explanations claim is true, over the episodes of evaluations.

The score is the checker's (`rewards.checked`): the share of an explanation's claims about lines,
code and values that the failing test and a right program bear out. A run's folder holds no answer,
so the right programs are those that passed every test in any of the runs. It runs nothing.

    python -c "from selfdebug.explained import explained; help(explained)"
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from selfdebug.rewards.checked import score
from selfdebug.stats import Interval, bootstrap
from selfdebug.types import Episode, Request, Task

Right = Mapping[str, Sequence[str]]  # task id -> right programs


def right_programs(episodes: Iterable[Episode]) -> dict[str, list[str]]:
    """Return the programs that passed every test, by task, each once and in their order."""
    found: dict[str, list[str]] = {}
    for episode in episodes:
        known = found.setdefault(episode.task_id, [])
        codes = (turn.completion.code for turn in episode.turns if turn.verdict.passed)
        known += [code for code in dict.fromkeys(codes) if code not in known]
    return found


def explained(
    tasks: Mapping[str, Task], episodes: Iterable[Episode], right: Right
) -> Interval | None:
    """Return the mean share of claims that hold, clustered by task; None where nothing explains.

    Explanations on tasks without a right program are left out.
    """
    clusters: dict[str, list[float]] = {}
    for episode in episodes:
        shares = list(_shares(tasks[episode.task_id], episode, right.get(episode.task_id, ())))
        if shares:
            clusters.setdefault(episode.task_id, []).extend(shares)
    return bootstrap(clusters) if clusters else None


def _shares(task: Task, episode: Episode, right: Sequence[str]) -> Iterator[float]:
    """Yield the score of each explanation that there is something to compare with."""
    for before, after in pairwise(episode.turns):
        request = Request(task, episode.mode, before.completion.code, after.feedback)
        failure = before.verdict.first_failure
        found = score(request, after.completion, after.verdict, failure, right)
        if found is not None:
            yield found
