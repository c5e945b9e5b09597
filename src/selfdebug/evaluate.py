"""Measure a backend: the loop on every task of a benchmark, into a folder that can be resumed.

The folder holds run.toml (settings, versions, hardware), tasks.jsonl, episodes.jsonl and, when it
is checked whether right programs are left right, right.jsonl. Stopped at any moment, the same call
goes on where it was; with more samples it extends. It trains nothing and prints nothing.

    selfdebug eval humanevalpack --backend search --out runs/search
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from selfdebug import config, summary
from selfdebug.debug import debug
from selfdebug.feedback import Repairs, feedback
from selfdebug.store import Store, episode_key, write_text
from selfdebug.types import (
    Backend,
    Completion,
    Episode,
    Judge,
    Mode,
    Request,
    Sampling,
    SelfdebugError,
    Task,
    Turn,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """How to measure. mode "generate" resamples without feedback: the control of the others.

    start: from the task's known bug ("broken"), from a program that the backend writes
    ("generate"), or from the bug where the benchmark has one ("auto"). refine_temperature: of the
    programs after the first; None: the same.
    """

    mode: Mode = "explain_refine"
    feedback: str = "tests"
    max_iterations: int = 3
    samples: int = 1
    start: Literal["auto", "broken", "generate"] = "auto"
    check_right: bool = False
    temperature: float = 0.8
    refine_temperature: float | None = None
    top_p: float = 1.0
    max_tokens: int = 1024
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome: a row for each group of tasks, and the tasks that the harness failed on."""

    rows: list[summary.Row]
    unknown: list[str]


OnEpisode = Callable[[Episode, int, int], None]  # (episode, how many are done, of how many)
Job = tuple[Store[Episode], Callable[[], Episode]]  # where the episode goes, and how to make it


def evaluate(
    tasks: Iterable[Task],
    backend: Backend,
    judge: Judge,
    folder: str | Path,
    settings: Settings | None = None,
    *,
    jobs: int = 1,
    about: Mapping[str, Any] | None = None,
    repairs: Repairs | None = None,
    on_episode: OnEpisode | None = None,
) -> Evaluation:
    """Run what is missing in `folder` and return what all of it came to.

    jobs: how many tasks at a time. about: what else run.toml should say, such as the benchmark's
    name. Episodes that the harness failed on are not stored, so that the next call tries again.
    """
    folder, settings = Path(folder), settings or Settings()
    by_id = _by_id(tasks, settings)
    _claim(folder, settings, {"backend": backend.name, **(about or {})})

    def run(task: Task, seed: int) -> Episode:
        return debug(
            task,
            backend,
            judge=judge,
            max_iterations=settings.max_iterations,
            mode=settings.mode,
            feedback=settings.feedback,
            code=(task.broken or None) if settings.start != "generate" else None,
            sampling=_sampling(settings, seed),
            refine_temperature=settings.refine_temperature,
            repairs=repairs,
        )

    def check(task: Task, seed: int) -> Episode:
        sampling = _sampling(settings, seed)
        if settings.refine_temperature is not None:
            sampling = replace(sampling, temperature=settings.refine_temperature)
        return _leave_right(task, backend, judge, settings.mode, sampling)

    with (
        Store(folder / "tasks.jsonl", Task) as kept,
        Store(folder / "episodes.jsonl", Episode) as episodes,
        Store(folder / "right.jsonl", Episode) as right,
    ):
        # Enough to report on without the benchmark, and small: hidden sets are large.
        kept.append_many(replace(t, tests=t.visible_tests, reference="") for t in by_id.values())
        todo: list[Job] = []
        for seed in range(settings.seed, settings.seed + settings.samples):
            for task in by_id.values():
                key = episode_key(task.id, settings.mode, backend.name, seed)
                if key not in episodes:
                    todo.append((episodes, partial(run, task, seed)))
                if settings.check_right and task.reference and key not in right:
                    todo.append((right, partial(check, task, seed)))
        unknown: list[str] = []
        for done, (store, episode) in enumerate(_at_a_time(todo, jobs), start=1):
            if episode.stopped == "unknown":
                unknown.append(episode.task_id)
            else:
                store.append(episode)
            if on_episode is not None:
                on_episode(episode, done, len(todo))
        return Evaluation(summary.rows(by_id, episodes, right), list(dict.fromkeys(unknown)))


def _by_id(tasks: Iterable[Task], settings: Settings) -> dict[str, Task]:
    found: dict[str, Task] = {}
    for task in tasks:
        if task.id in found:
            raise SelfdebugError(f"two tasks have the id {task.id}")
        if settings.start == "broken" and not task.broken:
            raise SelfdebugError(f"task {task.id} has no known bug to start from")
        found[task.id] = task
    if not found:
        raise SelfdebugError("there are no tasks to evaluate on")
    return found


def _claim(folder: Path, settings: Settings, about: Mapping[str, Any]) -> None:
    """Write run.toml, or refuse a folder that was made with other settings."""
    path = folder / "run.toml"
    table = {**about, **config.as_table(settings)}
    if not path.exists():
        write_text(path, config.to_toml({"settings": table, **config.describe()}))
        return
    before = config.read_run(path).get("settings", {})
    for name in table.keys() | before.keys():
        # More samples extend a run, and checking right programs adds to it.
        if name not in ("samples", "check_right") and table.get(name) != before.get(name):
            raise SelfdebugError(
                f"{folder} was made with {name} = {before.get(name)!r}, not {table.get(name)!r}: "
                "choose another folder"
            )


def _sampling(settings: Settings, seed: int) -> Sampling:
    return Sampling(settings.temperature, settings.top_p, settings.max_tokens, seed)


def _leave_right(
    task: Task, backend: Backend, judge: Judge, mode: Mode, sampling: Sampling
) -> Episode:
    """Ask the backend to mend a right program; what it answers is taken as its final one.

    The loop itself would not ask, since the tests pass. A user whose tests miss the bug does.
    """
    code = task.reference
    shown = replace(task, tests=task.visible_tests, reference="", broken="")
    before = Turn(Completion(code, code, spans={"code": (0, len(code))}), judge.judge(task, code))
    told = feedback("tests", shown, code, before.verdict)
    request = Request(shown, "refine" if mode == "generate" else mode, code, told)
    started = time.perf_counter()
    (completion,) = backend.sample([request], 1, sampling)[0]
    seconds = time.perf_counter() - started
    turns = [before]
    if completion.code.strip():  # else there is nothing to take, and the program stays
        turns.append(Turn(completion, judge.judge(task, completion.code), told))
    unknown = any(turn.verdict.unknown for turn in turns)
    return Episode(
        task_id=task.id,
        mode=mode,
        seed=sampling.seed,
        backend=backend.name,
        turns=tuple(turns),
        seconds=seconds,
        stopped="unknown" if unknown else "passed" if turns[-1].verdict.passed else "exhausted",
        best=len(turns) - 1,
    )


def _at_a_time(todo: list[Job], jobs: int) -> Iterator[tuple[Store[Episode], Episode]]:
    """Yield each job's store and episode as it comes, `jobs` of them in the making."""
    pool = ThreadPoolExecutor(jobs)
    waiting = iter(todo)
    running: dict[Future[Episode], Store[Episode]] = {}
    try:
        while True:
            for store, work in islice(waiting, 2 * jobs - len(running)):
                running[pool.submit(work)] = store
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()
    finally:  # stopped by an error or by the user: begin no other
        pool.shutdown(wait=False, cancel_futures=True)
