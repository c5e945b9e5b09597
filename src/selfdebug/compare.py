"""Evaluations side by side: LeDex's grid over rounds, and paired differences with their intervals.

Each folder is one `eval`: a model, a mode, a kind of feedback. Only tasks and seeds that all of
them have are compared. Where the folders' first programs are the same (one model, one seed), what
is left of a difference is what was said between the programs. It runs no model and no program.

    selfdebug compare runs/resample runs/refine runs/explain --rounds 4
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from selfdebug.debug import normalised
from selfdebug.explained import explained, right_programs
from selfdebug.stats import Interval, bootstrap, mcnemar, paired_difference, pass_at_k, share
from selfdebug.store import Store
from selfdebug.types import Episode, SelfdebugError, Task, Verdict

K = 10  # of pass@10, where there are so many samples a task

Key = tuple[str, int]  # task id and seed
Clusters = dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Cell:
    """One run after one round (0: the first programs). Shares are over tasks, seeds within them.

    fixed: share of the first programs that failed and whose episode passes by now. unchanged: of
    the refinements, those that gave a program back that the episode had already. tokens: mean
    completion tokens of an episode so far.
    """

    run: str
    round: int
    tasks: int
    pass_1: Interval
    pass_10: Interval | None
    fixed: Interval
    unchanged: float
    tokens: float


@dataclass(frozen=True, slots=True)
class Contrast:
    """`run` minus `control` after one round, over the tasks that both have.

    pass_1 and fixed: paired bootstrap over tasks; `fixed` only where both began with a program
    that fails. p: exact McNemar test on the first seed's outcomes, one pair a task.
    at_equal_tokens: pass_1 with each control episode cut once it has spent what the run's episode
    spent (a resampler is given as many tokens, not as many tries).
    """

    run: str
    control: str
    round: int
    pass_1: Interval
    fixed: Interval
    at_equal_tokens: Interval
    p: float


@dataclass(frozen=True, slots=True)
class Broken:
    """Share of right programs that a run broke when asked to mend them."""

    run: str
    share: Interval


@dataclass(frozen=True, slots=True)
class Explained:
    """Mean share of the claims of a run's explanations that the programs and the tests bear out."""

    run: str
    share: Interval


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that `compare` found."""

    cells: list[Cell]
    contrasts: list[Contrast]
    broken: list[Broken]
    explained: list[Explained]


@dataclass(frozen=True, slots=True)
class _Path:
    """An episode as numbers. passed[r], tokens[r]: after r rounds, for as long as it went on.

    last: whether the last program passes, chosen or not.
    """

    passed: tuple[bool, ...]
    tokens: tuple[int, ...]
    repeats: int
    last: bool

    def after(self, rounds: int) -> bool:
        """Tell whether the best program by then passes every test."""
        return bool(self.passed) and self.passed[min(rounds, len(self.passed) - 1)]

    def spent(self, rounds: int) -> int:
        """Return the completion tokens by then."""
        return self.tokens[min(rounds, len(self.tokens) - 1)] if self.tokens else 0

    def within(self, tokens: int) -> bool:
        """Tell whether it passes when cut before it spends more than so many tokens."""
        affordable = sum(spent <= tokens for spent in self.tokens)
        # The first program is free: both runs have it.
        return bool(self.passed) and self.passed[max(affordable, 1) - 1]


_Run = dict[Key, _Path]


def compare(
    folders: Sequence[str | Path],
    *,
    rounds: int = 4,
    controls: Sequence[str] = (),
    kind: str = "",
) -> Comparison:
    """Compare evaluations; each with each control, a folder's name (the first if none is given).

    kind: only tasks with a bug of that kind. Raises SelfdebugError when there is nothing that all
    folders have.
    """
    names = _names([Path(folder) for folder in folders])
    controls = controls or list(names)[:1]
    for control in controls:
        if control not in names:
            raise SelfdebugError(f"no run {control!r} among {', '.join(names)}")
    runs = _shared({name: _read(path, "episodes", kind) for name, path in names.items()})
    cells = [_cell(name, run, r) for name, run in runs.items() for r in range(rounds + 1)]
    contrasts = [
        _contrast(name, control, r, run, runs[control])
        for control in controls
        for name, run in runs.items()
        if name not in controls
        for r in range(1, rounds + 1)
    ]
    broken = [
        Broken(name, share(_clusters(found, lambda path: not path.last)))
        for name, path in names.items()
        if (found := _read(path, "right", kind))
    ]
    return Comparison(cells, contrasts, broken, list(_explained(names, kind)))


def _explained(names: Mapping[str, Path], kind: str) -> Iterator[Explained]:
    everything = (e for path in names.values() for e in _episodes(path, "episodes", kind))
    right = right_programs(everything)
    for name, path in names.items():
        found = explained(_tasks(path), _episodes(path, "episodes", kind), right)
        if found is not None:
            yield Explained(name, found)


def _names(folders: Sequence[Path]) -> dict[str, Path]:
    """Return the shortest endings of the paths that tell them apart."""
    for folder in folders:
        if not (folder / "episodes.jsonl").is_file():
            raise SelfdebugError(
                f"{folder} holds no episodes.jsonl: is it the folder of an `eval`?"
            )
    for depth in range(1, max((len(folder.parts) for folder in folders), default=0) + 1):
        names = {"/".join(folder.parts[-depth:]): folder for folder in folders}
        if len(names) == len(folders):
            return names
    raise SelfdebugError("name at least one run, and each only once")


def _read(folder: Path, name: str, kind: str) -> _Run:
    episodes = _episodes(folder, name, kind)
    return {(episode.task_id, episode.seed): _path(episode) for episode in episodes}


def _tasks(folder: Path) -> dict[str, Task]:
    return {task.id: task for task in Store(folder / "tasks.jsonl", Task)}


def _episodes(folder: Path, name: str, kind: str) -> Iterator[Episode]:
    tasks = _tasks(folder)
    for episode in Store(folder / f"{name}.jsonl", Episode):
        if episode.stopped != "unknown" and kind in ("", tasks[episode.task_id].bug_kind):
            yield episode


def _path(episode: Episode) -> _Path:
    turns = episode.turns
    best = 0
    passed: list[bool] = []
    tokens: list[int] = []
    seen: set[str] = set()
    repeats = 0
    for number, turn in enumerate(turns):
        if _visible(turn.verdict) > _visible(turns[best].verdict):
            best = number
        passed.append(turns[best].verdict.passed)
        tokens.append((tokens[-1] if tokens else 0) + turn.completion.completion_tokens)
        code = normalised(turn.completion.code)
        repeats += code in seen
        seen.add(code)
    return _Path(
        tuple(passed), tuple(tokens), repeats, last=bool(turns) and turns[-1].verdict.passed
    )


def _visible(verdict: Verdict) -> float:
    """The loop chooses by visible tests alone."""
    return sum(r.status == "pass" for r in verdict.visible) / max(1, len(verdict.visible))


def _shared(runs: Mapping[str, _Run]) -> dict[str, _Run]:
    keys = set[Key].intersection(*(set(run) for run in runs.values()))
    if not keys:
        raise SelfdebugError("the runs have no task and seed in common")
    return {name: {key: run[key] for key in sorted(keys)} for name, run in runs.items()}


def _clusters(
    run: _Run, outcome: Callable[[_Path], float], keys: Iterable[Key] | None = None
) -> Clusters:
    found: Clusters = {}
    for key in run if keys is None else keys:
        found.setdefault(key[0], []).append(float(outcome(run[key])))
    return found


def _cell(name: str, run: _Run, rounds: int) -> Cell:
    outcomes = _clusters(run, lambda path: path.after(rounds))
    failed = _failed(run)
    refined = sum(len(path.passed) - 1 for path in run.values() if path.passed)
    return Cell(
        name,
        rounds,
        tasks=len(outcomes),
        pass_1=share(outcomes),
        pass_10=_pass_at(outcomes, K),
        fixed=share(_clusters(run, lambda path: path.after(rounds), failed)),
        unchanged=sum(p.repeats for p in run.values()) / refined if refined else math.nan,
        tokens=fmean(path.spent(rounds) for path in run.values()),
    )


def _failed(run: _Run) -> list[Key]:
    """Return the episodes whose first program fails."""
    return [key for key, path in run.items() if not path.after(0)]


def _pass_at(outcomes: Clusters, k: int) -> Interval | None:
    """Return pass@k over the tasks with its interval, where every task has k samples."""
    if min(map(len, outcomes.values())) < k:
        return None
    return bootstrap({task: [pass_at_k(len(o), round(sum(o)), k)] for task, o in outcomes.items()})


def _contrast(name: str, control: str, rounds: int, run: _Run, other: _Run) -> Contrast:
    both_failed = [key for key in _failed(run) if not other[key].after(0)]

    def difference(keys: Iterable[Key] | None = None) -> Interval:
        return paired_difference(
            _clusters(other, lambda path: path.after(rounds), keys),
            _clusters(run, lambda path: path.after(rounds), keys),
        )

    cut: Clusters = {}
    for key, path in run.items():
        cut.setdefault(key[0], []).append(float(other[key].within(path.spent(rounds))))
    return Contrast(
        name,
        control,
        rounds,
        pass_1=difference(),
        fixed=difference(both_failed),
        at_equal_tokens=paired_difference(cut, _clusters(run, lambda path: path.after(rounds))),
        p=mcnemar(*_discordant(run, other, rounds)),
    )


def _discordant(run: _Run, other: _Run, rounds: int) -> tuple[int, int]:
    """Return on how many tasks only the control, and only the run, passes with its first seed."""
    first: dict[str, Key] = {}
    for key in run:
        first.setdefault(key[0], key)
    pairs = [(other[key].after(rounds), run[key].after(rounds)) for key in first.values()]
    return sum(a and not b for a, b in pairs), sum(b and not a for a, b in pairs)
