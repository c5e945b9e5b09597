"""Bugs put in on purpose: tasks x mutators -> verified repairs.

Working programs get one, two or three bugs; the sandbox proves that each loads as promised and
fails a visible test; the explanation is checked against the diff and the failing test. What is
written is the same to the byte for the same tasks and seed, however often the run was killed.

    selfdebug inject mbpp:train demo:references --out runs/bugs --total 10000
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from selfdebug.balance import Balance
from selfdebug.explanations import compose, verified
from selfdebug.feedback import feedback
from selfdebug.planting import Bug, Planner, seeded
from selfdebug.store import Store
from selfdebug.types import (
    Judge,
    Kind,
    Repair,
    SelfdebugError,
    Task,
    TestResult,
    Verdict,
    Visit,
    code_sha,
)

KINDS: tuple[Kind, ...] = ("syntax", "logic", "api_misuse", "off_by_one")
# Of the programs tried of a kind, what a visit may add: the harder bugs are chosen. Of a language's
# rarest kind it may add all: every bug of it that is left out keeps five of other kinds out.
KEPT = 2 / 3
_CHANCE = re.compile(r"0x[0-9a-f]{6,}|out of memory|MemoryError")
# How a value shows that it is no number or sequence, of which one too many could be taken.
_TYPE_ERROR = re.compile(
    r"object is not subscriptable|type: 'slice'|unsupported operand|can only concatenate"
    r"|must be str|not a function"
)


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
    seeded(seed, "order").shuffle(order)
    repairs = Store(out / "repairs.jsonl", Repair)
    visits = Store(out / "visits.jsonl", Visit, key=lambda visit: str(visit.number))
    with repairs, visits:
        begun = 1 + max((visit.number for visit in visits), default=-1)
        balance = _replayed(Balance(total, kinds), repairs, begun)

        def as_of(number: int) -> Balance:
            return balance if number >= begun else _replayed(Balance(total, kinds), repairs, number)

        for number, task, judged in Planner(order, kinds, judge, seed).visits(begun, as_of):
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


def _replayed(balance: Balance, repairs: Store[Repair], begun: int) -> Balance:
    """Restore the balance as it stood when the first unfinished visit began."""
    for repair in repairs:
        if repair.details["visit"] < begun:
            balance.count(repair)
    return balance


_Found = tuple[Bug, str, Repair | None]  # a bug, what became of it, its repair


def _add(
    number: int, task: Task, found: list[_Found], balance: Balance, repairs: Store[Repair]
) -> Visit:
    """Keep of a visit what is verified and keeps the balance, the harder bugs first."""
    outcomes: Counter[str] = Counter()
    by_kind: Counter[str] = Counter()
    chosen: list[Repair] = []
    most = {kind: KEPT * n for kind, n in Counter(bug.kind for bug, _, _ in found).items()}
    for bug, outcome, repair in sorted(found, key=_share_failed):
        if repair is None:
            outcomes[f"{bug.kind} {outcome}"] += 1
            continue
        few = by_kind[bug.kind] < most[bug.kind] or balance.is_rarest(task.language, bug.kind)
        if few and balance.wants(repair):
            outcomes[f"{bug.kind} added"] += 1
            by_kind[bug.kind] += 1
            balance.count(repair)
            chosen.append(repair)
        else:
            outcomes[f"{bug.kind} surplus"] += 1
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
    text = compose(bug.mutations, failure, seeded(seed, task.id, bug.broken))
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
