"""Failures of a model and how they were mended: sample, judge, explain and refine, verify.

LeDex's recipe (Jiang et al. 2024, section 3.1): n programs a task; for each distinct wrong one,
several explanations with a refinement, by the model itself, a teacher, or a search; a refinement
becomes a repair only when it passes every test, the hidden ones too, and carries the share of its
explanation's claims that are true. All attempts are kept, since reinforcement learning needs the
failures. Feedback never shows a hidden test. It trains nothing.

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
from typing import Any

from selfdebug import explanations
from selfdebug.attempts import Judged, attempt_key, attempts, paired, verdict_key, verdicts
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
    """What to ask for, and how many of its replies there are.

    wrong: key of the attempt to refine; "" for a first program. Its text is read when it is asked.
    """

    task: Task
    have: int
    wanted: int
    wrong: str = ""


@dataclass(slots=True)
class _Run:
    """The files of a run, and what it runs on."""

    tasks: dict[str, Task]
    judge: Judge
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
        run = _Run(by_id, judge, settings, made, told, calls_at_once, on_replies)
        run.have.update((a.backend, a.task_id, a.parent) for a in made)
        _judge(run, made)  # what a killed run had not judged
        first = [
            _Ask(task, run.have[writer.name, task.id, ""], run.settings.samples)
            for task in by_id.values()
        ]
        _collect(run, writer, first, "generate", replies_at_once)
        # In the order of the tasks, whichever of several calls was answered first.
        places = {name: place for place, name in enumerate(by_id)}
        again = sorted(_failures(run, writer, teacher), key=lambda ask: places[ask.task.id])
        _collect(run, teacher, again, "explain_refine", replies_at_once)
        kept.append_many(_repairs(run, writer.name))
        return _summary(run, len(again), kept)


def _request(run: _Run, ask: _Ask) -> Request:
    # The backend must not see what scores it, nor the answer.
    shown = replace(ask.task, tests=ask.task.visible_tests, reference="", broken="")
    if not ask.wrong:
        return Request(shown, "generate")
    code = run.made[ask.wrong].completion.code
    verdict = run.told[verdict_key(shown.id, code_sha(code))]
    said = feedback(run.settings.feedback, shown, code, verdict, judge=run.judge)
    return Request(shown, "explain_refine", code, said)


def _collect(run: _Run, backend: Backend, asks: Sequence[_Ask], mode: Mode, at_once: int) -> None:
    """Get the replies that are missing; those of one call are judged while the next samples."""
    total = sum(max(ask.wanted, ask.have) for ask in asks)
    done = sum(ask.have for ask in asks)

    writing = Lock()

    def sampled(batch: list[_Ask]) -> list[Attempt]:
        replies = _sampled(run, backend, batch, mode)
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


def _sampled(run: _Run, backend: Backend, batch: Sequence[_Ask], mode: Mode) -> list[Attempt]:
    settings, have, wanted = run.settings, batch[0].have, batch[0].wanted
    first = mode == "generate"
    sampling = Sampling(
        settings.temperature if first else settings.refine_temperature,
        settings.top_p,
        settings.max_tokens,
        # New numbers for what is added to the replies that are there.
        seed=settings.seed * SEEDS + have,
    )
    requests = [_request(run, ask) for ask in batch]
    replies = backend.sample(requests, wanted - have, sampling)
    return [
        Attempt(
            task_id=request.task.id,
            mode=mode,
            backend=backend.name,
            number=have + number,
            completion=completion,
            parent=code_sha(request.broken) if request.broken else "",
            broken=request.broken,
            feedback=request.feedback,
        )
        for request, row in zip(requests, replies, strict=True)
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


def _failures(run: _Run, writer: Backend, teacher: Backend) -> Iterator[_Ask]:
    """Yield the wrong programs to refine, each once, in the order of the attempts.

    A program that only hidden tests fail is left out: there is nothing that may be said about it.
    """
    seen: set[tuple[str, str]] = set()
    for attempt, verdict in _of_the_tasks(run):
        task, code = run.tasks[attempt.task_id], attempt.completion.code
        same = task.id, code_sha(normalised(code))
        first = attempt.mode == "generate" and attempt.backend == writer.name
        if not first or verdict.first_failure is None or same in seen:
            continue
        seen.add(same)
        have = run.have[teacher.name, task.id, code_sha(code)]
        yield _Ask(task, have, run.settings.refinements, attempt_key(attempt))


def _of_the_tasks(run: _Run) -> Iterator[Judged]:
    pairs = paired(run.made, run.told)
    return (found for found in pairs if found.attempt.task_id in run.tasks)


def _repairs(run: _Run, writer: str) -> Iterator[Repair]:
    """Yield the refinements that pass every test."""
    origins: dict[str, Origin] = {writer: "harvested", "search": "search"}
    for attempt, verdict in _of_the_tasks(run):
        if not attempt.parent or not verdict.passed:
            continue
        task, done = run.tasks[attempt.task_id], attempt.completion
        failure = run.told[verdict_key(task.id, attempt.parent)].first_failure
        true = explanations.score(done.explanation, attempt.broken, done.code, failure)
        details: dict[str, Any] = {
            "backend": attempt.backend,
            "source": task.source,
            "license": task.license,
        }
        if true is not None:
            details[explanations.TRUE_CLAIMS] = true
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
            details=details,
        )


def _summary(run: _Run, failures: int, kept: Store[Repair]) -> Harvest:
    found = Counter((a.mode, v.passed) for a, v in _of_the_tasks(run))
    programs = found["generate", True] + found["generate", False]
    written = sum(bool(a.completion.code.strip()) and a.task_id in run.tasks for a in run.made)
    return Harvest(
        programs=programs,
        right=found["generate", True],
        failures=failures,
        mended=len({(r.task_id, code_sha(r.broken)) for r in kept}),
        refinements=found.total() - programs,
        repairs=len(kept),
        unknown=written - found.total(),
    )
