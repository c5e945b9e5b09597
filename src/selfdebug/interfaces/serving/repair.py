"""`/repair`: a task in the form of docs/tasks.md and a program, mended by the loop.

The request's own limits are added to those of the sandbox: when its time is up, or its client has
left, no further program is judged and no further token drawn. It reads and writes no file.

    python -m pytest tests/test_serving.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import unified_diff
from typing import Any

from selfdebug import config
from selfdebug.backends.search import NAME as SEARCH
from selfdebug.backends.transformers import TooLong
from selfdebug.benchmarks import jsonl
from selfdebug.debug import debug
from selfdebug.feedback import KINDS
from selfdebug.interfaces import verdicts
from selfdebug.interfaces.serving.places import OutOfTimeError, Wanted
from selfdebug.interfaces.serving.wrong import RequestError
from selfdebug.types import (
    Backend,
    Episode,
    Judge,
    Limits,
    Mode,
    Sampling,
    SelfdebugError,
    Task,
    Verdict,
)

MAX_TESTS = 200
MAX_ITERATIONS = 10
FEEDBACK = tuple(kind for kind in KINDS if kind not in ("retrieved", "shuffled"))

Open = Callable[[str, Judge, Wanted], Backend]


@dataclass(frozen=True)
class Options:
    """What a request may say besides its task. backend: "" is the server's own."""

    backend: str = ""
    mode: Mode = "explain_refine"
    feedback: str = "tests"
    max_iterations: int = 3
    seed: int = 0
    temperature: float = 0.8
    top_p: float = 1.0
    max_tokens: int = 1024


@dataclass(frozen=True, slots=True)
class Repair:
    """What a request asks for."""

    task: Task
    options: Options


def read(body: Mapping[str, Any], offered: Sequence[str]) -> Repair:
    """Read a request's body. Raises RequestError.

    `code` is the program to mend, as `broken` is in a file of tasks; a task may also stand by
    itself in `task`. offered: names of backends, the server's own first.
    """
    given = dict(body)
    names = Options.__dataclass_fields__.keys() & given.keys()
    chosen = {name: given.pop(name) for name in names}
    inner = given.pop("task", {})
    if not isinstance(inner, dict):
        raise RequestError("task must be an object as in docs/tasks.md", param="task")
    fields: dict[str, Any] = {"id": "task", **inner, **given}  # pyright: ignore[reportUnknownVariableType]
    if "code" in fields:
        fields["broken"] = fields.pop("code")
    if isinstance(fields.get("tests"), str):
        fields["tests"] = [fields["tests"]]
    try:
        asked = Repair(jsonl.task_of(fields), config.settings(Options, chosen))
    except (SelfdebugError, TypeError) as error:
        raise RequestError(str(error)) from None
    _check(asked, offered)
    name = asked.options.backend or offered[0]
    return replace(asked, options=replace(asked.options, backend=name))


def run(asked: Repair, open_backend: Open, judge: Judge, wanted: Wanted) -> dict[str, Any]:
    """Mend, and return the answer. Raises RequestError, and OutOfTimeError when it is unwanted."""
    chosen = asked.options
    judging = _WhileWanted(judge, wanted)
    try:
        episode = debug(
            asked.task,
            open_backend(chosen.backend, judging, wanted),
            judge=judging,
            max_iterations=chosen.max_iterations,
            mode=chosen.mode,
            feedback=chosen.feedback,
            code=asked.task.broken or None,
            sampling=Sampling(chosen.temperature, chosen.top_p, chosen.max_tokens, chosen.seed),
        )
    except TooLong as error:
        raise RequestError(str(error), code="context_length_exceeded") from None
    except SelfdebugError as error:
        raise RequestError(str(error), 502) from None
    if not wanted():  # a reply or a verdict was cut short
        raise OutOfTimeError
    return answer(asked.task, episode)


def answer(task: Task, episode: Episode) -> dict[str, Any]:
    """Return an episode as JSON values: what came of it, why, and every turn."""
    before, after = (episode.turns[0].verdict, episode.verdict) if episode.turns else (None, None)
    best = episode.turns[episode.best].completion if episode.turns else None
    start = task.broken or (episode.turns[0].completion.code if episode.turns else "")
    diff = unified_diff(_lines(start), _lines(episode.code), "before", "after")
    return {
        "outcome": _outcome(task, before, after),
        "explanation": best.explanation if best and episode.best else "",
        "code": episode.code,
        "diff": "".join(diff),
        "backend": episode.backend,
        "seed": episode.seed,
        "stopped": episode.stopped,
        "seconds": episode.seconds,
        "turns": [
            {
                "code": turn.completion.code,
                "explanation": turn.completion.explanation if number or not task.broken else "",
                "feedback": turn.feedback,
                "verdict": verdicts.as_json(turn.verdict),
            }
            for number, turn in enumerate(episode.turns)
        ],
    }


def _outcome(task: Task, before: Verdict | None, after: Verdict | None) -> str:
    if before is None or after is None:
        return "not_fixed"
    if before.unknown or after.unknown:
        return "unknown"
    if not after.passed:
        return "not_fixed"
    return "already_right" if task.broken and before.passed else "fixed"


def _check(asked: Repair, offered: Sequence[str]) -> None:
    chosen = asked.options
    limits = {
        "max_iterations": (chosen.max_iterations, 0, MAX_ITERATIONS),
        "temperature": (chosen.temperature, 0, 2),
        "top_p": (chosen.top_p, 0, 1),
        "max_tokens": (chosen.max_tokens, 1, 1 << 15),
    }
    for name, (value, low, high) in limits.items():
        if not low <= value <= high:
            raise RequestError(f"{name} must be {low} to {high}", param=name)
    if chosen.backend and chosen.backend not in offered:
        known = ", ".join(offered)
        raise RequestError(f"no backend {chosen.backend!r} here: {known}", param="backend")
    if not set(chosen.feedback.split("+")) <= set(FEEDBACK):
        known = ", ".join(FEEDBACK)
        raise RequestError(f"feedback must be one of {known}", param="feedback")
    if (chosen.backend or offered[0]) == SEARCH:
        if not asked.task.broken.strip():
            raise RequestError("the search backend mends programs: give it one", param="code")
        if chosen.mode == "generate":
            raise RequestError("the search backend cannot write a program", param="mode")
    if not asked.task.visible_tests:
        raise RequestError("every test is hidden: the loop has nothing to run", param="tests")
    if len(asked.task.tests) > MAX_TESTS:
        raise RequestError(f"more than {MAX_TESTS} tests", param="tests")


def _lines(code: str) -> list[str]:
    return [f"{line}\n" for line in code.rstrip("\n").split("\n")]


class _WhileWanted:
    """A judge that judges nothing more once nobody waits for it."""

    def __init__(self, judge: Judge, wanted: Wanted) -> None:
        self._judge = judge
        self._wanted = wanted

    def judge(
        self, task: Task, code: str, *, limits: Limits | None = None, **options: Any
    ) -> Verdict:
        return self._judge.judge(task, code, limits=self._within(limits), **options)

    def judge_many(
        self, jobs: Iterable[tuple[Task, str]], *, limits: Limits | None = None, **options: Any
    ) -> Iterator[Verdict]:
        def while_wanted() -> Iterator[tuple[Task, str]]:
            for job in jobs:
                self._check()
                yield job

        return self._judge.judge_many(while_wanted(), limits=self._within(limits), **options)

    def _within(self, limits: Limits | None) -> Limits:
        self._check()
        return replace(limits or Limits(), total_seconds=max(self._wanted.left, 0.01))

    def _check(self) -> None:
        if not self._wanted():
            raise OutOfTimeError
