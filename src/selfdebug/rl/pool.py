"""What the policy is asked next: to write, to mend a wrong program, or to leave a right one alone.

Wrong programs are the policy's own of the last few steps, so a program goes on from write to
refine to refine as the policy itself would go on; those from folders fill in where there are none.
It runs no model and no program, and its state is a few lists that a checkpoint holds.

    python -c "from selfdebug.rl.pool import Pool; help(Pool)"
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Literal, NamedTuple

from selfdebug.debug import normalised
from selfdebug.store import decode, encode
from selfdebug.types import (
    Completion,
    Mode,
    Request,
    SelfdebugError,
    Task,
    TestResult,
    Verdict,
)

Kind = Literal["write", "refine", "keep"]

A_GROUP = 2  # wrong programs of one group that are asked about again
RIGHT = 256  # right programs that are remembered
MENDED = 4  # repairs of one program that are remembered
TRIES = 100  # to find a request that leaves room for a reply


@dataclass(frozen=True, slots=True)
class Ask:
    """One prompt. keep: `broken` is right, and should come back as it is.

    failure: what the first failing visible test showed, if it is known. turn: refinements before
    this one, of a program that the policy wrote in step `born` (-1: it is from a folder).
    """

    task_id: str
    kind: Kind
    mode: Mode
    broken: str = ""
    feedback: str = ""
    failure: TestResult | None = None
    turn: int = 0
    born: int = -1


class Answer(NamedTuple):
    """One reply to an ask; no verdict without a program, or where nothing is judged."""

    reply: Completion
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Mended:
    """A verified repair of a wrong program."""

    task_id: str
    broken: str
    fixed: str
    explanation: str = ""


Group = tuple[Ask, Sequence[Answer]]
Tell = Callable[[Task, str, Verdict], str]  # the feedback on a wrong program


@dataclass(frozen=True, slots=True)
class Shares:
    """write, keep: of the prompts; the others refine. explain: of the latter two, that explain.

    turns: refinements of one program one after the other. refresh: steps after which the policy
    that wrote a program is no longer the current one.
    """

    write: float
    keep: float
    explain: float
    turns: int
    refresh: int


@dataclass(slots=True)
class _State:
    own: list[Ask]
    right: list[Ask]
    mended: list[Mended]


class Pool:
    """Draws the prompts of each step from the step's number and what the policy has written."""

    def __init__(
        self,
        tasks: Iterable[Task],
        failures: Sequence[Ask],
        mended: Iterable[Mended],
        shares: Shares,
        *,
        fits: Callable[[Request], bool],
        tell: Tell,
        seed: int = 0,
    ) -> None:
        """failures: asks from folders. fits: whether a request leaves room for a reply."""
        self.tasks = {task.id: task for task in tasks}
        self._failures = list(failures)
        self._shares, self._fits, self._tell, self._seed = shares, fits, tell, seed
        self._given = _by_program(mended)
        self._state = _State([], [], [])
        self._found = _by_program(())

    def request(self, ask: Ask) -> Request:
        """Return what the policy reads: neither hidden tests nor the answer."""
        task = self.tasks[ask.task_id]
        shown = replace(task, tests=task.visible_tests, reference="", broken="")
        return Request(shown, ask.mode, ask.broken, ask.feedback)

    def mended(self, ask: Ask) -> list[Mended]:
        """Return the known repairs of the ask's program, else the task's reference, if any.

        A right program needs none: what it should be is what it is.
        """
        if ask.kind == "keep":
            return [Mended(ask.task_id, ask.broken, ask.broken)]
        key = ask.task_id, normalised(ask.broken)
        known = [*self._given.get(key, ()), *self._found.get(key, ())][:MENDED]
        reference = self.tasks[ask.task_id].reference
        return known or ([Mended(ask.task_id, ask.broken, reference)] if reference else [])

    def next(self, step: int, count: int) -> list[Ask]:
        """Return the prompts of a step; wrong programs of the policy's are asked about once."""
        rng = Random(f"{self._seed} prompts {step}")
        fresh = [ask for ask in self._state.own if step - ask.born <= self._shares.refresh]
        self._state.own = fresh
        return [self._draw(rng) for _ in range(count)]

    def _draw(self, rng: Random) -> Ask:
        for _ in range(TRIES):
            ask = self._candidate(rng)
            if self._fits(self.request(ask)):
                return ask
        raise SelfdebugError(f"{TRIES} prompts left no room for a reply: lower --max-tokens")

    def _candidate(self, rng: Random) -> Ask:
        luck, shares = rng.random(), self._shares
        explains = rng.random() < shares.explain
        mode: Mode = "explain_refine" if explains else "refine"
        if shares.write <= luck < shares.write + shares.keep and self._state.right:
            return replace(rng.choice(self._state.right), mode=mode)
        if luck >= shares.write + shares.keep and self._state.own:
            own = self._state.own
            return replace(own.pop(rng.randrange(len(own))), mode=mode)
        if luck >= shares.write and self._failures:
            return replace(rng.choice(self._failures), mode=mode)
        return Ask(rng.choice(list(self.tasks)), "write", "generate")

    def learn(self, step: int, groups: Iterable[Group]) -> None:
        """Remember what the policy wrote in this step."""
        rng = Random(f"{self._seed} learn {step}")
        for ask, answers in groups:
            wrong: dict[str, Ask] = {}
            for reply, verdict in answers:
                if verdict is None or verdict.unknown:
                    continue
                if verdict.passed:
                    self._passed(ask, reply)
                elif verdict.first_failure and ask.turn < self._shares.turns:
                    found = self._failed(ask, reply, verdict, step)
                    wrong.setdefault(normalised(reply.code), found)
            wrong.pop(normalised(ask.broken), None)  # it was asked about already
            self._state.own += rng.sample(list(wrong.values()), min(A_GROUP, len(wrong)))

    def _passed(self, ask: Ask, reply: Completion) -> None:
        task = self.tasks[ask.task_id]
        if ask.kind == "refine":
            mended = Mended(ask.task_id, ask.broken, reply.code, reply.explanation)
            known = self._found.setdefault((ask.task_id, normalised(ask.broken)), [])
            if mended not in known and len(known) < MENDED:
                known.append(mended)
                self._state.mended.append(mended)
        passing = Verdict(task.id, "", (), "")  # of which nothing is shown
        told = self._tell(task, reply.code, passing)
        self._state.right.append(Ask(task.id, "keep", "refine", reply.code, told))
        del self._state.right[:-RIGHT]

    def _failed(self, ask: Ask, reply: Completion, verdict: Verdict, step: int) -> Ask:
        told = self._tell(self.tasks[ask.task_id], reply.code, verdict)
        return Ask(
            ask.task_id, "refine", "refine", reply.code, told, verdict.first_failure, ask.turn + 1,
            step,
        )  # fmt: skip

    def state(self) -> dict[str, Any]:
        """Return everything that `restore` needs, as JSON values."""
        return {name: encode(getattr(self._state, name)) for name in ("own", "right", "mended")}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where a checkpoint was."""
        self._state = _State(
            list(decode(tuple[Ask, ...], state["own"])),
            list(decode(tuple[Ask, ...], state["right"])),
            list(decode(tuple[Mended, ...], state["mended"])),
        )
        self._found = _by_program(self._state.mended)


def _by_program(mended: Iterable[Mended]) -> dict[tuple[str, str], list[Mended]]:
    found: dict[tuple[str, str], list[Mended]] = {}
    for one in mended:
        found.setdefault((one.task_id, normalised(one.broken)), []).append(one)
    return found
