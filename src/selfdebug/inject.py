"""Bugs put in on purpose: tasks x mutators -> verified repairs.

Working programs get one, two or three bugs; the sandbox proves that each loads as promised and
fails a visible test; the explanation is checked against the diff and the failing test. What is
written is the same to the byte for the same tasks and seed, however often the run was killed.

    selfdebug inject mbpp:train demo:references --out runs/bugs --total 10000
"""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, cast

from selfdebug import plugins
from selfdebug.explanations import compose, verified
from selfdebug.feedback import feedback
from selfdebug.store import Store
from selfdebug.types import (
    Judge,
    Kind,
    Language,
    Limits,
    Mutation,
    Mutator,
    Repair,
    SelfdebugError,
    Task,
    TestResult,
    Verdict,
    Visit,
    code_sha,
)

KINDS: tuple[Kind, ...] = ("syntax", "logic", "api_misuse", "off_by_one")
# How often each task is visited, and how many programs of each kind a visit tries: few at first,
# so that a small total takes something of every task, then twice as many, so that a large one does
# not mutate a task anew for every few bugs. Bugs on top of bugs (True) come after single ones, and
# fewer of them: half of these hide each other, so that one kept costs five times as much.
TURNS = (
    *((False, 3), (False, 6), (False, 12), (False, 24), (True, 3)),
    *((False, 48), (True, 12), (False, 96), (True, 24), (True, 96)),
)
KEPT = 2 / 3  # of the programs tried of a kind, that a visit may add: the harder bugs are chosen
MOST = 1.8  # times as many as of a language's rarest kind: that has 1 / (1 + 3 x 1.8) = 15.6%
ALL_FAIL_SHARE = 0.65  # of a kind, for bugs that fail every test: the easy ones to find
SLACK = 12  # repairs of a kind before any balance is kept
AHEAD = 64  # references that are judged together, before their tasks get bugs
# Tasks whose single bugs are remembered from turn to turn, some 300 kB each: to list them anew is
# half of what a bug costs. A longer round than that lists them again.
REMEMBERED = 1_000
LIMITS = Limits(cpu_seconds=0.3, memory_bytes=384 << 20, max_timeouts=1)
_CHANCE = re.compile(r"0x[0-9a-f]{6,}|out of memory|MemoryError")
# How a value shows that it is no number or sequence, of which one too many could be taken.
_TYPE_ERROR = re.compile(
    r"object is not subscriptable|type: 'slice'|unsupported operand|can only concatenate"
    r"|must be str|not a function"
)


@dataclass(frozen=True, slots=True)
class Bug:
    """A broken program that waits for its verdict."""

    kind: Kind
    broken: str
    mutations: tuple[Mutation, ...]


@dataclass(slots=True)
class _Balance:
    """What a run may still add, as far as the repairs written so far decide it."""

    total: int
    kinds: Sequence[Kind]
    counts: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    all_fail: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    keys: set[str] = field(default_factory=set[str])

    @property
    def full(self) -> bool:
        """Whether there are as many repairs as were asked for."""
        return len(self.keys) >= self.total

    def count(self, repair: Repair) -> None:
        """Take note of a repair that was added."""
        place = repair.language, repair.kind
        self.keys.add(repair.key)
        self.counts[place] += 1
        self.all_fail[place] += bool(repair.details["all_fail"])

    def wants(self, repair: Repair) -> bool:
        """Tell whether the repair is new and keeps the balance of kinds and of difficulty."""
        place = repair.language, repair.kind
        there, rarest = self.counts[place], min(self.counts[place[0], k] for k in self.kinds)
        too_easy = (
            repair.kind != "syntax"
            and bool(repair.details["all_fail"])
            and self.all_fail[place] >= SLACK + ALL_FAIL_SHARE * there
        )
        new = repair.key not in self.keys and not self.full
        return new and there < SLACK + MOST * rarest and not too_easy


def inject(
    tasks: Sequence[Task],
    judge: Judge,
    out: Path,
    *,
    total: int,
    seed: int = 0,
    kinds: Sequence[Kind] = KINDS,
    on_visit: Callable[[Visit, int, int], None] | None = None,
) -> Store[Repair]:
    """Write up to `total` repairs to out/repairs.jsonl, going on where a killed run stopped.

    A larger `total` extends what is there. on_visit sees each visit, the number of
    repairs and the total.
    Raises SelfdebugError when no task has a reference and a visible test.
    """
    order = [_breakable(task) for task in tasks if task.reference and task.visible_tests]
    if not order:
        raise SelfdebugError("no task has both a reference program and a visible test")
    _random(seed, "order").shuffle(order)
    repairs = Store(out / "repairs.jsonl", Repair)
    visits = Store(out / "visits.jsonl", Visit, key=lambda visit: str(visit.number))
    with repairs, visits:
        begun = 1 + max((visit.number for visit in visits), default=-1)
        balance = _replayed(_Balance(total, kinds), repairs, begun)
        planned = _planned(order, begun, kinds, judge, seed)
        for number, task, judged in _judged(planned, judge):
            if balance.full:
                break
            found = [(bug, *_repair(number, task, bug, steps, seed)) for bug, steps in judged]
            visit = _add(number, task, found, balance, repairs)
            if not balance.full:  # a visit that the total cut short is made again by a larger one
                visits.append(visit)
            if on_visit is not None:
                on_visit(visit, len(balance.keys), total)
    return repairs


def _breakable(task: Task) -> Task:
    """Return a task with what may be shown alone, and with newlines that all programs count."""
    reference = re.sub(r"\r\n?", "\n", task.reference)
    return replace(task, reference=reference, tests=task.visible_tests)


def _replayed(balance: _Balance, repairs: Store[Repair], begun: int) -> _Balance:
    """Restore the balance as it stood when the first unfinished visit began."""
    for repair in repairs:
        if repair.details["visit"] < begun:
            balance.count(repair)
    return balance


_Planned = tuple[int, Task, list[Bug]]
_Judged = list[tuple[Bug, list[Verdict]]]  # of each step: with the first mutation, with two, ...


def _planned(
    order: Sequence[Task], begun: int, kinds: Sequence[Kind], judge: Judge, seed: int
) -> Iterator[_Planned]:
    """Yield the visits that make bugs, each with its bugs."""
    mutators = {task.language: _mutators(task.language, kinds) for task in order}
    listed = lru_cache(REMEMBERED * len(kinds))(_singles)
    sound: dict[str, bool] = {}
    for number in range(begun, len(TURNS) * len(order)):
        turn, index = divmod(number, len(order))
        task = order[index]
        if task.id not in sound:
            some = [other for other in order[index : index + AHEAD] if other.id not in sound]
            verdicts = judge.judge_many((other, other.reference) for other in some)
            sound |= {
                other.id: verdict.passed for other, verdict in zip(some, verdicts, strict=True)
            }
        if not sound[task.id]:
            continue
        singles = {
            m.KIND: listed(m, task.id, task.reference, seed) for m in mutators[task.language]
        }
        bugs = _bugs(task, turn, mutators[task.language], singles, seed)
        if bugs:
            yield number, task, bugs


def _mutators(language: Language, kinds: Sequence[Kind]) -> list[Mutator]:
    found = [cast("Mutator", plugins.load("mutators", name)) for name in plugins.names("mutators")]
    return [m for m in found if language == m.LANGUAGE and m.KIND in kinds]


def _judged(planned: Iterator[_Planned], judge: Judge) -> Iterator[tuple[int, Task, _Judged]]:
    """Yield each visit with its bugs judged; later bugs are made while earlier ones run."""
    waiting: deque[tuple[_Planned, list[str]]] = deque()

    def jobs() -> Iterator[tuple[Task, str]]:
        for visit in planned:
            _, task, bugs = visit
            programs = list(dict.fromkeys(step.broken for bug in bugs for step in bug.mutations))
            waiting.append((visit, programs))
            yield from ((task, program) for program in programs)

    verdicts = judge.judge_many(jobs(), limits=LIMITS)
    for verdict in verdicts:
        (number, task, bugs), programs = waiting.popleft()
        rest = islice(verdicts, len(programs) - 1)
        known = dict(zip(programs, (verdict, *rest), strict=True))
        yield number, task, [(b, [known[step.broken] for step in b.mutations]) for b in bugs]


def _bugs(
    task: Task,
    turn: int,
    mutators: Sequence[Mutator],
    singles: Mapping[Kind, list[Bug]],
    seed: int,
) -> list[Bug]:
    """Return the bugs of one visit: of each kind the next slice of this task's list."""
    compound, tried = TURNS[turn]
    if compound:
        rng = _random(seed, task.id, turn)
        chosen = (_compounds(mutator, singles, tried, rng) for mutator in mutators)
    else:
        first = sum(size for other, size in TURNS[:turn] if not other)
        chosen = (bugs[first : first + tried] for bugs in singles.values())
    distinct = {bug.broken: bug for bugs in chosen for bug in bugs}
    return list(distinct.values())


def _singles(mutator: Mutator, task_id: str, code: str, seed: int) -> list[Bug]:
    """Return distinct bugs, one operator after the other so that each gets its turn."""
    rng = _random(seed, task_id, mutator.KIND)
    by_operator: dict[str, dict[str, Bug]] = {}
    for mutation in mutator.mutate(code, rng):
        bug = Bug(mutation.kind, mutation.broken, (mutation,))
        by_operator.setdefault(mutation.mutator, {}).setdefault(bug.broken, bug)
    lists = [rng.sample(list(bugs.values()), len(bugs)) for _, bugs in sorted(by_operator.items())]
    rng.shuffle(lists)
    longest = max(map(len, lists), default=0)
    return [bugs[i] for i in range(longest) for bugs in lists if i < len(bugs)]


def _compounds(
    mutator: Mutator, singles: Mapping[Kind, list[Bug]], tried: int, rng: random.Random
) -> Iterator[Bug]:
    """Yield bugs of one kind on top of one or two others; each stands below those before it.

    So a bug never moves the line that an earlier bug's explanation names.
    """
    bases = [bug for kind, bugs in singles.items() if kind != "syntax" for bug in bugs]
    for base in rng.sample(bases, min(len(bases), tried)):
        bug = base
        for _ in range(rng.choice((1, 1, 2))):
            lowest = max(mutation.line for mutation in bug.mutations)
            # A mutator offers its operators in random turns, so the first will do; all cost 20 ms.
            below = (m for m in mutator.mutate(bug.broken, rng) if m.line > lowest)
            worse = next(below, None)
            if worse is None:
                break
            bug = Bug(worse.kind, worse.broken, (*bug.mutations, worse))
            if worse.kind == "syntax":  # a program that does not parse takes no further bug
                break
        if bug is not base:
            yield bug


_Found = tuple[Bug, str, Repair | None]  # a bug, what became of it, its repair


def _add(
    number: int, task: Task, found: list[_Found], balance: _Balance, repairs: Store[Repair]
) -> Visit:
    """Keep of a visit what is verified and keeps the balance, the harder bugs first."""
    outcomes: Counter[str] = Counter()
    by_kind: Counter[str] = Counter()
    chosen: list[Repair] = []
    tried = Counter(bug.kind for bug, _, _ in found)
    for bug, outcome, repair in sorted(found, key=_share_failed):
        if repair is None:
            outcomes[f"{bug.kind} {outcome}"] += 1
        elif by_kind[bug.kind] >= KEPT * tried[bug.kind] or not balance.wants(repair):
            outcomes[f"{bug.kind} surplus"] += 1
        else:
            outcomes[f"{bug.kind} added"] += 1
            by_kind[bug.kind] += 1
            balance.count(repair)
            chosen.append(repair)
    repairs.append_many(chosen)
    return Visit(number, task.id, len(found), len(chosen), dict(sorted(outcomes.items())))


def _share_failed(found: _Found) -> float:
    repair = found[2]
    return repair.details["failed"] / repair.details["tests"] if repair is not None else 1.0


def _repair(
    number: int, task: Task, bug: Bug, steps: Sequence[Verdict], seed: int
) -> tuple[str, Repair | None]:
    """Return what became of a bug, and its repair when it is "added"."""
    steps = [replace(step, results=tuple(map(_repeatable, step.results))) for step in steps]
    verdict = steps[-1]
    failure = verdict.first_failure
    if failure is None:
        return "equivalent", None
    refusal = _refusal(bug, steps, failure)
    if refusal:
        return refusal, None
    text = compose(bug.mutations, failure, _random(seed, task.id, bug.broken))
    if not verified(text, bug.broken, task.reference, failure):
        return "explanation not borne out", None
    return "added", Repair(
        key=code_sha(f"{task.id}\n{bug.broken}"),
        task_id=task.id,
        language=task.language,
        broken=bug.broken,
        feedback=feedback("tests", task, bug.broken, verdict),
        explanation=text,
        fixed=task.reference,
        origin="injected",
        tier=verdict.tier,
        kind=bug.kind,
        mutator="+".join(mutation.mutator for mutation in bug.mutations),
        details=_details(number, task, bug, verdict.results),
    )


def _refusal(bug: Bug, steps: Sequence[Verdict], failure: TestResult) -> str:
    """Return why a bug that fails a test is not kept; "" when it is."""
    seen = [[(r.status, r.got, r.message) for r in step.results] for step in steps]
    reason = ""
    if any(step.unknown for step in steps):
        reason = "unknown"
    elif steps[0].passed or any(one == other for one, other in pairwise(seen)):
        reason = "one of several bugs does not show"
    elif (failure.status == "load_error") != (bug.kind == "syntax"):
        reason = "loads otherwise than promised"
    elif failure.status == "memory" or _CHANCE.search(failure.got + failure.message + failure.call):
        reason = "differs from run to run"
    elif bug.kind == "off_by_one" and _TYPE_ERROR.search(failure.message):
        reason = "fails by its type, not by one"
    return reason


def _repeatable(result: TestResult) -> TestResult:
    """Leave out of a time-out which line was running and which clock noticed: that is chance."""
    return replace(result, line=0, message="") if result.status == "timeout" else result


def _details(number: int, task: Task, bug: Bug, results: Sequence[TestResult]) -> Mapping[str, Any]:
    failed = sum(result.status != "pass" for result in results)
    return {
        "visit": number,
        "bugs": len(bug.mutations),
        "lines": [mutation.line for mutation in bug.mutations],
        "failed": failed,
        "tests": len(results),
        "all_fail": failed == len(results),
        "source": task.source,
        "license": task.license,
    }


def _random(*parts: object) -> random.Random:
    digest = hashlib.sha256("\n".join(map(str, parts)).encode("utf-8", "surrogatepass")).digest()
    return random.Random(digest)
