"""Mutation search: mend a program without a model, and say what was changed and why.

The mutators of the program's language are applied in reverse (`ranking` orders what they offer)
and every candidate is judged by the visible tests alone, within a budget. When no single change
passes, the changes that let more tests pass are starting points for another one. A program that
passes already comes back as it is, and so does one that cannot be mended. It is deterministic as
long as the budget of candidates ends a search before that of seconds does.

    selfdebug eval humanevalpack --split javascript --backend search
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from time import monotonic

from selfdebug import config, prompts
from selfdebug.backends.search.ranking import ranked
from selfdebug.types import (
    Completion,
    Judge,
    Limits,
    Mutation,
    Request,
    Sampling,
    SelfdebugError,
    Task,
    TestResult,
    Verdict,
)

NAME = "search"
_ROOTS = 8  # half-mended programs that a further change starts from
_MORE = 24  # candidates that are still judged after the first that passes
_STUCK = 4  # candidates of one operator and line that run into the limit before the others wait
_SHORTEST_LIMIT = 0.05  # seconds a test; most take a hundredth of that
_FIRST_SHARE = 0.6  # of the budget that single changes may use


@dataclass(frozen=True)
class Options:
    """What `--option NAME=VALUE` sets: the budget for one program."""

    seconds: float = 8.0
    candidates: int = 6000
    depth: int = 2  # changes that a repair may consist of


def create(judge: Judge, **options: str) -> Search:
    """Open the backend."""
    return Search(judge, config.settings(Options, options, "search backend"))


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A program, the changes that led to it, and what the visible tests said."""

    code: str
    changes: tuple[Mutation, ...]
    verdict: Verdict


class Search:
    """The backend; see `Options`."""

    name = NAME

    def __init__(self, judge: Judge, options: Options | None = None) -> None:
        """Take the judge that verifies candidates."""
        self._judge = judge
        self._options = options or Options()

    def sample(
        self, requests: Sequence[Request], n: int, sampling: Sampling
    ) -> list[list[Completion]]:
        """Return n completions for each request: different repairs where there are enough."""
        del sampling  # nothing is drawn at random
        return [self._mend(request, n) for request in requests]

    def _mend(self, request: Request, n: int) -> list[Completion]:
        task, code = request.task, request.broken
        if not code:
            raise SelfdebugError("search backend: it mends programs and cannot write one")
        task = replace(task, tests=task.visible_tests)
        limits = Limits(max_timeouts=1)
        verdict = self._judge.judge(task, code, observe="lines", limits=limits)
        start = _Candidate(code, (), verdict)
        unchanged = Completion(code, code, spans={"code": (0, len(code))})
        if start.verdict.visible_passed or start.verdict.unknown:
            return [unchanged] * n
        found = self._repairs(task, start, n)
        completions = [_completion(task, start.verdict, repair) for repair in found]
        return completions + (completions[:1] or [unchanged]) * (n - len(completions))

    def _repairs(self, task: Task, start: _Candidate, n: int) -> list[_Candidate]:
        """Return up to n programs that pass every visible test, the most plausible first."""
        status = {result.test_id: result.status for result in start.verdict.results}
        # Failing tests first; those that loop last of all, because a time-out ends the run.
        order = sorted(
            task.tests, key=lambda test: (status[test.id] == "timeout", status[test.id] == "pass")
        )
        task = replace(task, tests=tuple(order))
        limits = _limits(start.verdict.results)
        deadline = monotonic() + self._options.seconds
        left, roots = self._options.candidates, [start]
        for depth in range(self._options.depth):
            last = depth == self._options.depth - 1
            share = 1.0 if last else _FIRST_SHARE
            until = deadline - (1 - share) * self._options.seconds
            budget = _Budget(until, left if last else int(left * share))
            before = budget.candidates
            passing, better = self._tried(task, roots, limits, budget, n)
            left -= before - budget.candidates
            if passing:
                return passing[:n]
            better.sort(key=lambda candidate: -candidate.verdict.share_passed)
            roots = [self._observed(task, candidate, limits) for candidate in better[:_ROOTS]]
        return []

    def _observed(self, task: Task, candidate: _Candidate, limits: Limits) -> _Candidate:
        verdict = self._judge.judge(task, candidate.code, observe="lines", limits=limits)
        return replace(candidate, verdict=verdict)

    def _tried(
        self, task: Task, roots: Sequence[_Candidate], limits: Limits, budget: _Budget, n: int
    ) -> tuple[list[_Candidate], list[_Candidate]]:
        """Change each root once: (those that pass every test, those that pass more than it)."""
        tried: list[tuple[_Candidate, Mutation]] = []
        looping: Counter[tuple[str, int]] = Counter()

        def jobs() -> Iterator[tuple[Task, str]]:
            for root, mutation in _loops_last(_in_turn(task, roots), looping):
                if not budget.take():
                    return
                tried.append((root, mutation))
                yield task, mutation.fixed

        passing: list[_Candidate] = []
        better: list[_Candidate] = []
        for at, verdict in enumerate(self._judge.judge_many(jobs(), limits=limits)):
            root, mutation = tried[at]
            candidate = _Candidate(mutation.fixed, (*root.changes, mutation), verdict)
            if verdict.visible_passed:
                passing.append(candidate)
                if len(passing) == 1:
                    budget.candidates = min(budget.candidates, _MORE * n)
            elif _progress(verdict) > _progress(root.verdict):
                better.append(candidate)
            looping[_place(mutation)] += any(r.status == "timeout" for r in verdict.results)
        return passing, better


def _loops_last(
    stream: Iterator[tuple[_Candidate, Mutation]], looping: Counter[tuple[str, int]]
) -> Iterator[tuple[_Candidate, Mutation]]:
    """Let the changes wait whose like have run into the time limit: each costs fifty others."""
    waiting: list[tuple[_Candidate, Mutation]] = []
    for root, mutation in stream:
        if looping[_place(mutation)] < _STUCK:
            yield root, mutation
        else:
            waiting.append((root, mutation))
    yield from waiting


def _place(mutation: Mutation) -> tuple[str, int]:
    return mutation.mutator, mutation.line


@dataclass(slots=True)
class _Budget:
    deadline: float
    candidates: int

    def take(self) -> bool:
        """Say whether one more candidate may be tried, and count it."""
        self.candidates -= 1
        return self.candidates >= 0 and monotonic() < self.deadline


def _in_turn(task: Task, roots: Sequence[_Candidate]) -> Iterator[tuple[_Candidate, Mutation]]:
    """Yield the changes of each root, the most probable first, the roots taking turns."""
    seen = {root.code for root in roots}
    streams = [ranked(task, root.code, root.verdict.results) for root in roots]
    for row in zip_longest(*streams):
        for root, mutation in zip(roots, row, strict=True):
            if mutation is not None and mutation.fixed not in seen:
                seen.add(mutation.fixed)
                yield root, mutation


def _progress(verdict: Verdict) -> tuple[bool, float]:
    loads = any(result.status != "load_error" for result in verdict.results)
    return loads, verdict.share_passed


def _limits(results: Sequence[TestResult]) -> Limits:
    """Return limits under which a candidate that loops costs little of the budget."""
    slowest = max((r.seconds for r in results if r.status == "pass"), default=0.0)
    return Limits(cpu_seconds=max(_SHORTEST_LIMIT, 2 * slowest), max_timeouts=1)


def _completion(task: Task, before: Verdict, repair: _Candidate) -> Completion:
    """Write a reply as a model would: what was wrong, then the program in a fence."""
    parts = [change.explanation for change in repair.changes]
    why = " In the program changed so far: ".join(parts)
    explanation = f"{why} {_failure(before.first_failure)}".strip()
    block = prompts.fenced(task.language, repair.code)
    code = repair.code.rstrip()
    text = f"{explanation}\n\n{block}\n"
    start = len(explanation) + 2 + block.index("\n") + 1
    spans = {"explanation": (0, len(explanation)), "code": (start, start + len(code))}
    return Completion(text, code, explanation, spans)


def _failure(result: TestResult | None) -> str:
    """Say what the first failing test showed before the change."""
    if result is None or not result.call:
        return ""
    if result.status == "wrong":
        instead = f" instead of {result.expected}" if result.expected else ""
        return f"Before, {result.call} gave {result.got}{instead}."
    return f"Before, {result.call} ended so: {result.message or result.status}."
