"""Which bugs a run of `inject` tries, in which order, and their verdicts.

Every task is visited in turns; each visit takes the next few bugs of each kind from its list.
The order depends on the tasks, the seed and what was kept so far, never on how fast anything was.
It keeps nothing: `inject` decides what becomes a repair.

    python -m pytest tests/test_inject.py
"""

from __future__ import annotations

import hashlib
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice
from typing import cast

from selfdebug import plugins
from selfdebug.balance import Balance
from selfdebug.types import Judge, Kind, Language, Limits, Mutation, Mutator, Task, Verdict

# How often each task is visited, and how many programs of each kind a visit tries: few at first,
# so that a small total takes something of every task, then twice as many, so that a large one does
# not mutate a task anew for every few bugs. Bugs on top of bugs (True) come after single ones, and
# fewer of them: half of these hide each other, so that one kept costs five times as much.
TURNS = (
    *((False, 3), (False, 6), (False, 12), (False, 24), (True, 3)),
    *((False, 48), (True, 12), (False, 96), (True, 24), (True, 96)),
)
# Visits that are planned together: kinds that already have their share when a batch begins get no
# bugs in it. A later look would save more, but the result would then depend on the workers' speed.
BATCH = 128
# Tasks whose single bugs are remembered from turn to turn, some 300 kB each: to list them anew is
# half of what a bug costs. A longer round than that lists them again.
REMEMBERED = 1_000
# Processor time decides, and the wall clock ends only what sleeps: on a busy machine, where a
# program waits for its turn, four times as much was too little and the same seed gave other bytes.
LIMITS = Limits(cpu_seconds=0.3, wall_factor=10, memory_bytes=384 << 20, max_timeouts=1)


@dataclass(frozen=True, slots=True)
class Bug:
    """A broken program that waits for its verdict."""

    kind: Kind
    broken: str
    mutations: tuple[Mutation, ...]


Planned = tuple[int, Task, list[Bug]]  # number of the visit, its task, what it tries
# The same with the verdicts of each step: with the first mutation, with two, ...
Judged = tuple[int, Task, list[tuple[Bug, list[Verdict]]]]


class Planner:
    """Makes the bugs of one visit after the other, and has them judged."""

    def __init__(
        self, order: Sequence[Task], kinds: Sequence[Kind], judge: Judge, seed: int
    ) -> None:
        self._order = order
        self._kinds = kinds
        self._judge = judge
        self._seed = seed
        self._singles = lru_cache(REMEMBERED * len(kinds))(_singles)
        self._sound: dict[str, bool] = {}  # task id: whether its reference passes

    def visits(self, begun: int, balance: Callable[[int], Balance]) -> Iterator[Judged]:
        """Yield the visits from number `begun` on that make bugs, judged, a batch at a time.

        balance: what the run held when the visit of that number began.
        """
        last = len(TURNS) * len(self._order)
        # A batch that was interrupted is planned as it was then.
        for start in range(begun - begun % BATCH, last, BATCH):
            there, batch = balance(start), range(start, min(start + BATCH, last))
            self._check(self._task(number) for number in batch)
            wanted: dict[Language, list[Mutator]] = {
                language: [m for m in mutators if not there.has_its_share(language, m.KIND)]
                for language, mutators in self._mutators.items()
            }
            planned = self._planned(range(max(start, begun), batch.stop), wanted)
            yield from _judged(planned, self._judge)

    @cached_property
    def _mutators(self) -> dict[Language, list[Mutator]]:
        languages: set[Language] = {task.language for task in self._order}
        return {language: _mutators(language, self._kinds) for language in languages}

    def _task(self, number: int) -> Task:
        return self._order[number % len(self._order)]

    def _check(self, tasks: Iterable[Task]) -> None:
        new = {task.id: task for task in tasks if task.id not in self._sound}
        verdicts = self._judge.judge_many((task, task.reference) for task in new.values())
        self._sound |= {name: found.passed for name, found in zip(new, verdicts, strict=True)}

    def _planned(
        self, numbers: Iterable[int], wanted: Mapping[Language, Sequence[Mutator]]
    ) -> Iterator[Planned]:
        for number in numbers:
            task = self._task(number)
            if self._sound[task.id]:
                bugs = self._bugs(task, number // len(self._order), wanted[task.language])
                if bugs:
                    yield number, task, bugs

    def _bugs(self, task: Task, turn: int, mutators: Sequence[Mutator]) -> list[Bug]:
        """Return the bugs of one visit: of each kind the next slice of this task's list."""
        compound, tried = TURNS[turn]
        if compound:
            rng = seeded(self._seed, task.id, turn)
            below = [m for m in self._mutators[task.language] if m.KIND != "syntax"]
            bases = [bug for mutator in below for bug in self._listed(mutator, task)]
            chosen = (_compounds(mutator, bases, tried, rng) for mutator in mutators)
        else:
            first = sum(size for other, size in TURNS[:turn] if not other)
            chosen = (self._listed(m, task)[first : first + tried] for m in mutators)
        distinct = {bug.broken: bug for bugs in chosen for bug in bugs}
        return list(distinct.values())

    def _listed(self, mutator: Mutator, task: Task) -> list[Bug]:
        return self._singles(mutator, task.id, task.reference, self._seed)


def _mutators(language: Language, kinds: Sequence[Kind]) -> list[Mutator]:
    found = [cast("Mutator", plugins.load("mutators", name)) for name in plugins.names("mutators")]
    return [m for m in found if language == m.LANGUAGE and m.KIND in kinds]


def _judged(planned: Iterator[Planned], judge: Judge) -> Iterator[Judged]:
    """Yield each visit with its bugs judged; later bugs are made while earlier ones run."""
    waiting: deque[tuple[Planned, list[str]]] = deque()

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


def _singles(mutator: Mutator, task_id: str, code: str, seed: int) -> list[Bug]:
    """Return distinct bugs, one operator after the other so that each gets its turn."""
    rng = seeded(seed, task_id, mutator.KIND)
    by_operator: dict[str, dict[str, Bug]] = {}
    for mutation in mutator.mutate(code, rng):
        bug = Bug(mutation.kind, mutation.broken, (mutation,))
        by_operator.setdefault(mutation.mutator, {}).setdefault(bug.broken, bug)
    lists = [rng.sample(list(bugs.values()), len(bugs)) for _, bugs in sorted(by_operator.items())]
    rng.shuffle(lists)
    longest = max(map(len, lists), default=0)
    return [bugs[i] for i in range(longest) for bugs in lists if i < len(bugs)]


def _compounds(
    mutator: Mutator, bases: Sequence[Bug], tried: int, rng: random.Random
) -> Iterator[Bug]:
    """Yield bugs of one kind on top of one or two others; each stands below those before it.

    So a bug never moves the line that an earlier bug's explanation names.
    """
    for base in rng.sample(bases, min(len(bases), tried)):
        bug = base
        for _ in range(rng.choice((1, 1, 2))):
            lowest = max(mutation.line for mutation in bug.mutations)
            # A mutator offers its operators in random turns, so the first will do: it costs 1 ms,
            # all of them 20 ms.
            below = (m for m in mutator.mutate(bug.broken, rng) if m.line > lowest)
            worse = next(below, None)
            if worse is None:
                break
            bug = Bug(worse.kind, worse.broken, (*bug.mutations, worse))
            if worse.kind == "syntax":  # a program that does not parse takes no further bug
                break
        if bug is not base:
            yield bug


def seeded(*parts: object) -> random.Random:
    """Return random numbers that the parts decide."""
    digest = hashlib.sha256("\n".join(map(str, parts)).encode("utf-8", "surrogatepass")).digest()
    return random.Random(digest)
