"""Failures of a model and how they were mended: sample, judge, explain and refine, verify.

LeDex's recipe (Jiang et al. 2024, section 3.1): n programs a task; for each distinct wrong one,
several explanations with a refinement, by the model itself, a teacher, or a search; a refinement
becomes a repair only when it passes every test, the hidden ones too. All attempts are kept, since
reinforcement learning needs the failures. Feedback never shows a hidden test. It trains nothing.

    selfdebug harvest mbpp:train --backend transformers --option model=NAME --out runs/harvest
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from threading import Lock

from selfdebug.attempts import Judged, attempts, judged, verdict_key, verdicts
from selfdebug.debug import normalised
from selfdebug.feedback import feedback
from selfdebug.store import Store
from selfdebug.types import (
    Attempt,
    Backend,
    Judge,
    Mode,
    Origin,
    Repair,
    Request,
    Sampling,
    SelfdebugError,
    Task,
    Verdict,
    code_sha,
)

SEEDS = 10_000  # between two runs' seeds: more than the replies to one request


@dataclass(frozen=True, slots=True)
class Settings:
    """How much to harvest; the numbers and temperatures are LeDex's."""

    samples: int = 20  # programs a task
    refinements: int = 10  # for each distinct wrong program
    temperature: float = 1.0
    refine_temperature: float = 0.8
    top_p: float = 1.0
    max_tokens: int = 1024
    feedback: str = "tests"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Harvest:
    """What a folder holds: programs, right ones, distinct failures, those mended, repairs."""

    programs: int
    right: int
    failures: int
    mended: int
    refinements: int
    repairs: int
    unknown: int  # attempts that the harness could not judge; the next run tries again


OnReplies = Callable[[int, int], None]  # (replies that are there, of how many)


@dataclass(frozen=True, slots=True)
class _Ask:
    """A request, and how many of its replies there are."""

    request: Request
    parent: str
    have: int
    wanted: int


@dataclass(slots=True)
class _Run:
    """The files of a run, and what it runs on."""

    tasks: dict[str, Task]
    judge: Judge
    out: Path
    settings: Settings
    made: Store[Attempt]
    told: Store[Verdict]
    calls_at_once: int
    on_replies: OnReplies | None
    have: Counter[tuple[str, str, str]] = field(default_factory=Counter[tuple[str, str, str]])


def harvest(
    tasks: Iterable[Task],
    writer: Backend,
    judge: Judge,
    out: str | Path,
    settings: Settings | None = None,
    *,
    teacher: Backend | None = None,
    replies_at_once: int = 128,
    calls_at_once: int = 1,
    on_replies: OnReplies | None = None,
) -> Harvest:
    """Fill `out` with attempts, verdicts and repairs; go on where a stopped run was.

    teacher: who refines; the writer itself if not given. replies_at_once: of one call of a
    backend; only the replies of an unfinished call are ever asked for again. calls_at_once: of a
    backend; more than one change the order of the rows alone. More samples or refinements extend
    what is there. Raises SelfdebugError when there is nothing to harvest from.
    """
    settings, out, teacher = settings or Settings(), Path(out), teacher or writer
    by_id = {task.id: task for task in tasks if task.visible_tests}
    if not by_id:
        raise SelfdebugError("there is no task with a visible test to harvest from")
    with attempts(out) as made, verdicts(out) as told, Store(out / "repairs.jsonl", Repair) as kept:
        run = _Run(by_id, judge, out, settings, made, told, calls_at_once, on_replies)
        run.have.update((a.backend, a.task_id, a.parent) for a in made)
        _judge(run, made)  # what a killed run had not judged
        first = [_ask(run, writer, task) for task in by_id.values()]
        _collect(run, writer, first, "generate", replies_at_once)
        # In the order of the tasks, whichever of several calls was answered first.
        places = {name: place for place, name in enumerate(by_id)}
        failures = sorted(_failures(run, writer), key=lambda failure: places[failure[0].id])
        again = [_ask(run, teacher, *failure) for failure in failures]
        _collect(run, teacher, again, "explain_refine", replies_at_once)
        kept.append_many(_repairs(run, writer.name))
        return _summary(run, len(failures), kept)


def _ask(run: _Run, backend: Backend, task: Task, broken: str = "", told: str = "") -> _Ask:
    # The backend must not see what scores it, nor the answer.
    shown = replace(task, tests=task.visible_tests, reference="", broken="")
    parent = code_sha(broken) if broken else ""
    have = run.have[backend.name, task.id, parent]
    if not broken:
        return _Ask(Request(shown, "generate"), parent, have, run.settings.samples)
    request = Request(shown, "explain_refine", broken, told)
    return _Ask(request, parent, have, run.settings.refinements)


def _collect(run: _Run, backend: Backend, asks: Sequence[_Ask], mode: Mode, at_once: int) -> None:
    """Get the replies that are missing; those of one call are judged while the next samples."""
    total = sum(max(ask.wanted, ask.have) for ask in asks)
    done = sum(ask.have for ask in asks)

    writing = Lock()

    def sampled(batch: list[_Ask]) -> list[Attempt]:
        replies = _sampled(backend, batch, mode, run.settings)
        with writing:  # at once: a reply that has come is never asked for again
            run.made.append_many(replies)
        return replies

    with ThreadPoolExecutor(run.calls_at_once, thread_name_prefix="sampling") as pool:
        running: list[Future[list[Attempt]]] = []
        batches = _batches(asks, at_once)
        try:
            while True:
                ahead = 2 * run.calls_at_once - len(running)
                running += (pool.submit(sampled, batch) for batch in islice(batches, ahead))
                if not running:
                    return
                wait(running, return_when=FIRST_COMPLETED)
                ended = [future for future in running if future.done()]
                running = [future for future in running if future not in ended]
                replies = [attempt for future in ended for attempt in future.result()]
                _judge(run, replies)
                done += len(replies)
                if run.on_replies is not None:
                    run.on_replies(done, total)
        finally:  # stopped by an error or by the user: ask for nothing more
            for future in running:
                future.cancel()


def _batches(asks: Sequence[_Ask], at_once: int) -> Iterator[list[_Ask]]:
    """Yield the unfinished requests, those together that lack the same replies."""
    groups: dict[tuple[int, int], list[_Ask]] = {}
    for ask in asks:
        if ask.have < ask.wanted:
            groups.setdefault((ask.have, ask.wanted), []).append(ask)
    for (have, wanted), group in groups.items():
        size = max(1, at_once // (wanted - have))
        yield from (group[start : start + size] for start in range(0, len(group), size))


def _sampled(
    backend: Backend, batch: Sequence[_Ask], mode: Mode, settings: Settings
) -> list[Attempt]:
    have, wanted = batch[0].have, batch[0].wanted
    first = mode == "generate"
    sampling = Sampling(
        settings.temperature if first else settings.refine_temperature,
        settings.top_p,
        settings.max_tokens,
        # New numbers for what is added to the replies that are there.
        seed=settings.seed * SEEDS + have,
    )
    replies = backend.sample([ask.request for ask in batch], wanted - have, sampling)
    return [
        Attempt(
            task_id=ask.request.task.id,
            mode=mode,
            backend=backend.name,
            number=have + number,
            completion=completion,
            parent=ask.parent,
            broken=ask.request.broken,
            feedback=ask.request.feedback,
        )
        for ask, row in zip(batch, replies, strict=True)
        for number, completion in enumerate(row)
    ]


def _judge(run: _Run, made: Iterable[Attempt]) -> None:
    """Judge the distinct programs that have no verdict; a fault of the harness gives none."""

    def jobs() -> Iterator[tuple[Task, str]]:
        seen: set[str] = set()
        for attempt in made:
            task, code = run.tasks.get(attempt.task_id), attempt.completion.code
            key = verdict_key(attempt.task_id, code_sha(code))
            if task is not None and code.strip() and key not in run.told and key not in seen:
                seen.add(key)
                yield task, code

    run.told.append_many(v for v in run.judge.judge_many(jobs()) if not v.unknown)


def _failures(run: _Run, writer: Backend) -> Iterator[tuple[Task, str, str]]:
    """Yield (task, wrong program, feedback), each program once, in the order of the attempts.

    A program that only hidden tests fail is left out: there is nothing that may be said about it.
    """
    seen: set[tuple[str, str]] = set()
    for attempt, verdict in _of_the_tasks(run):
        code = attempt.completion.code
        same = attempt.task_id, normalised(code)
        first = attempt.mode == "generate" and attempt.backend == writer.name
        if not first or verdict.first_failure is None or same in seen:
            continue
        seen.add(same)
        task = run.tasks[attempt.task_id]
        shown = replace(task, tests=task.visible_tests)
        yield task, code, feedback(run.settings.feedback, shown, code, verdict, judge=run.judge)


def _of_the_tasks(run: _Run) -> Iterator[Judged]:
    return (found for found in judged(run.out) if found.attempt.task_id in run.tasks)


def _repairs(run: _Run, writer: str) -> Iterator[Repair]:
    """Yield the refinements that pass every test."""
    origins: dict[str, Origin] = {writer: "harvested", "search": "search"}
    before = {verdict_key(v.task_id, v.code_sha): v for v in run.told}
    for attempt, verdict in _of_the_tasks(run):
        if not attempt.parent or not verdict.passed:
            continue
        task, done = run.tasks[attempt.task_id], attempt.completion
        failure = before[verdict_key(task.id, attempt.parent)].first_failure
        yield Repair(
            key=code_sha(f"{task.id}\n{attempt.broken}\n{done.code}\n{done.explanation}"),
            task_id=task.id,
            language=task.language,
            broken=attempt.broken,
            feedback=attempt.feedback,
            explanation=done.explanation,
            fixed=done.code,
            origin=origins.get(attempt.backend, "teacher"),
            tier=verdict.tier,
            kind=failure.status if failure else "",
            details={"backend": attempt.backend, "source": task.source, "license": task.license},
        )


def _summary(run: _Run, failures: int, kept: Store[Repair]) -> Harvest:
    found = list(_of_the_tasks(run))
    first = [f for f in found if f.attempt.mode == "generate"]
    written = [a for a in run.made if a.completion.code.strip() and a.task_id in run.tasks]
    return Harvest(
        programs=len(first),
        right=sum(f.verdict.passed for f in first),
        failures=failures,
        mended=len({(r.task_id, r.broken) for r in kept}),
        refinements=len(found) - len(first),
        repairs=len(kept),
        unknown=len(written) - len(found),
    )
