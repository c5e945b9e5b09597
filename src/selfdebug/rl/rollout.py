"""One step's replies: sampled, judged while others are sampled, described, remembered.

TRL calls `Rollout` for the replies and hands the rest, as columns, to the rewards. The verdicts are
awaited only when the rewards are due; until then the sandbox works beside the model. It scores
nothing and trains nothing.

    python -c "from selfdebug.rl.rollout import Rollout; help(Rollout)"
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any, cast

from selfdebug.debug import normalised
from selfdebug.rewards import checked
from selfdebug.rewards.form import malformed
from selfdebug.rl.pool import Answer, Ask, Pool
from selfdebug.rl.sampler import Sampler
from selfdebug.rl.spans import REPLY, token_ends, token_mask
from selfdebug.store import Store, write_text
from selfdebug.types import Judge, Mode, SelfdebugError, Verdict, code_sha

STATE = "pool.json"  # in a checkpoint
SHOWN_EVERY, SHOWN = (
    10,
    2,
)  # steps between those whose replies are kept to be read; of how many asks
EVEN = 1e-6  # rewards that differ by less are equal


@dataclass(frozen=True, slots=True)
class Shown:
    """A reply that is kept to be read. rewards: by name; null where one does not apply."""

    step: int
    place: int
    task_id: str
    kind: str
    mode: str
    turn: int
    text: str
    status: str
    rewards: Mapping[str, Any] = field(default_factory=dict[str, Any])
    broken: str = ""
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class Scored:
    """A reward: its name, the span that it is credited to, and what it counts."""

    name: str
    span: str
    weight: float


Row = dict[str, Any]  # the columns of one reply


class Rollout:
    """Makes the columns that rewards read: request, reply, verdict, failure, fixed, explanations.

    judge: None where no program is run. rewards: in the order of the trainer's.
    """

    def __init__(
        self,
        pool: Pool,
        sampler: Sampler,
        judge: Judge | None,
        rewards: Sequence[Scored],
        out: Path,
        *,
        tokenizer: Any,
        torch: Any,
        seed: int,
    ) -> None:
        self._pool, self.sampler, self._judge, self._rewards = pool, sampler, judge, rewards
        self._tokenizer, self._torch, self._seed = tokenizer, torch, seed
        self._threads = ThreadPoolExecutor(
            len(os.sched_getaffinity(0)), thread_name_prefix="judging"
        )
        self._known: dict[tuple[str, str], Future[Verdict]] = {}
        self._shown = Store(out / "replies.jsonl", Shown, key=lambda s: f"{s.step} {s.place}")
        self.weights = torch.tensor([reward.weight for reward in rewards])

    def __call__(self, prompts: Sequence[str], trainer: Any) -> dict[str, Any]:
        """Return the replies to as many asks as there are groups, in the order of the groups."""
        if trainer.accelerator.num_processes > 1:
            raise SelfdebugError("train rl runs in one process: start it without a launcher")
        step, group = trainer.state.global_step, trainer.num_generations
        # Neighbours are trained on together: of like lengths they need little padding.
        asks = sorted(self._pool.next(step, len(prompts) // group), key=_length)
        requests = [self._pool.request(ask) for ask in asks]
        rows: list[Row] = [{} for _ in prompts]
        self._known.clear()  # a verdict is of use within a step alone
        for reply in self.sampler.replies(requests, group, f"{self._seed} replies {step}"):
            ask = asks[reply.prompt]
            rows[reply.prompt * group + reply.number] = {
                "prompt_ids": reply.prompt_ids,
                "completion_ids": reply.ids,
                "ids": reply.ids,  # TRL keeps the above to itself
                "ask": ask,
                "request": requests[reply.prompt],
                "reply": reply.completion,
                "verdict": self._judged(ask, reply.completion.code),
                "failure": self._judged(ask, ask.broken) if not ask.failure else ask.failure,
                "fixed": [mended.fixed for mended in self._pool.mended(ask)],
                "explanations": [m.explanation for m in self._pool.mended(ask) if m.explanation],
            }
        columns: dict[str, Any] = {name: [row[name] for row in rows] for name in rows[0]}
        return {**columns, "logprobs": None}

    def _judged(self, ask: Ask, code: str) -> Future[Verdict] | None:
        """Have a program judged, once a step; None where there is nothing to judge."""
        if self._judge is None or not code.strip():
            return None
        key = ask.task_id, code_sha(code)
        if key not in self._known:
            task = self._pool.tasks[ask.task_id]
            self._known[key] = self._threads.submit(self._judge.judge, task, code)
        return self._known[key]

    def finish(self, rows: Sequence[Row]) -> None:
        """Put the verdicts where what is to come stood."""
        for row in rows:
            if isinstance(row["verdict"], Future):
                row["verdict"] = row["verdict"].result()
            if isinstance(row["failure"], Future):
                broken = cast("Future[Verdict]", row["failure"])
                row["failure"] = broken.result().first_failure

    def malformed(self, rows: Sequence[Row]) -> Any:
        """Return True for each malformed reply, shape (B,)."""
        return self._torch.tensor([malformed(row["request"], row["reply"]) for row in rows])

    def spans(self, rows: Sequence[Row], length: int) -> Any:
        """Return 1 for each reward's tokens, shape (B, K, T), T = length.

        Of a malformed reply that is all of them: no part of it is any good without the others.
        """
        torch = self._torch
        spans_BKT = torch.zeros(len(rows), len(self._rewards), length)
        for b, row in enumerate(rows):
            ends = token_ends(self._tokenizer, row["ids"])
            ill = malformed(row["request"], row["reply"])
            for k, reward in enumerate(self._rewards):
                mask = token_mask(ends, row["reply"].spans, REPLY if ill else reward.span)
                spans_BKT[b, k, : len(mask)] = torch.tensor(mask, dtype=torch.float32)
        return spans_BKT

    def learn(self, rows: Sequence[Row], rewards_BK: Any, step: int) -> dict[str, float]:
        """Let the pool remember the replies, keep some to be read, return the step's figures."""
        rewards = [[None if math.isnan(r) else r for r in row] for row in rewards_BK.tolist()]
        groups = _grouped(rows)
        answers = [
            (rows[g[0]]["ask"], [Answer(rows[b]["reply"], rows[b]["verdict"]) for b in g])
            for g in groups
        ]
        self._pool.learn(step, answers)
        if step % SHOWN_EVERY == 0:
            with self._shown as shown:
                shown.append_many(
                    self._to_read(rows[b], rewards[b], step, b) for g in groups[:SHOWN] for b in g
                )
        return {**figures(rows, rewards, groups), **self._by_span(rewards)}

    def _by_span(self, rewards: Sequence[Sequence[float | None]]) -> dict[str, float]:
        """Return for each span the mean sum of what is credited to it, of replies that have any."""
        found: dict[str, list[float]] = {}
        for row in rewards:
            sums: dict[str, float] = {}
            for reward, value in zip(self._rewards, row, strict=True):
                if value is not None:
                    sums[reward.span] = sums.get(reward.span, 0.0) + reward.weight * value
            for span, value in sums.items():
                found.setdefault(span, []).append(value)
        return {f"spans/{span}": fmean(values) for span, values in found.items()}

    def _to_read(self, row: Row, rewards: Sequence[float | None], step: int, place: int) -> Shown:
        ask: Ask = row["ask"]
        verdict: Verdict | None = row["verdict"]
        failed = next((r.status for r in verdict.results if r.status != "pass"), "pass") if (
            verdict is not None
        ) else "not judged"  # fmt: skip
        names = (reward.name for reward in self._rewards)
        return Shown(
            step, place, ask.task_id, ask.kind, ask.mode, ask.turn, row["reply"].text, failed,
            dict(zip(names, rewards, strict=True)), ask.broken, ask.feedback,
        )  # fmt: skip

    def save(self, folder: str) -> None:
        """Write the pool's state into a checkpoint's folder."""
        write_text(Path(folder, STATE), json.dumps(self._pool.state()))

    def restore(self, folder: str) -> None:
        """Go on with the pool of a checkpoint."""
        self._pool.restore(json.loads(Path(folder, STATE).read_text(encoding="utf-8")))

    def close(self) -> None:
        """Judge nothing more."""
        self._threads.shutdown(wait=True, cancel_futures=True)


def _length(ask: Ask) -> tuple[Mode, int]:
    """Return what replies of about the same length have in common."""
    return ask.mode, len(ask.broken)


def _grouped(rows: Sequence[Row]) -> list[list[int]]:
    """Return the places of each group's rows: those of one ask stand together."""
    groups: list[list[int]] = []
    for place, row in enumerate(rows):
        if not groups or rows[groups[-1][0]]["ask"] is not row["ask"]:
            groups.append([])
        groups[-1].append(place)
    return groups


def figures(
    rows: Sequence[Row], rewards: Sequence[Sequence[float | None]], groups: Sequence[Sequence[int]]
) -> dict[str, float]:
    """Return what a step's replies were like, each a share of those that it can be said of.

    equal_groups: groups in which no reward differs. unchanged: refinements that are the wrong
    program again. write, refine: replies that pass. breaking: right programs that fail now.
    explained: mean share of an explanation's claims that hold. cut: replies without an end.
    """
    found: dict[str, list[float]] = {}

    def add(name: str, value: float) -> None:
        found.setdefault(name, []).append(value)

    for group in groups:
        columns = zip(*(rewards[b] for b in group), strict=True)
        given = [[r for r in column if r is not None] for column in columns]
        add("equal_groups", all(max(c) - min(c) < EVEN for c in given if c))
    for row in rows:
        ask, reply, verdict = row["ask"], row["reply"], row["verdict"]
        add("malformed", malformed(row["request"], reply))
        add("cut", reply.finish_reason == "length")
        if ask.kind == "refine":
            add("unchanged", normalised(reply.code) == normalised(ask.broken))
        if verdict is not None and not verdict.unknown:
            name = {"write": "write", "refine": "refine", "keep": "breaking"}[ask.kind]
            add(name, verdict.passed != (ask.kind == "keep"))
        share = checked.score(row["request"], reply, verdict, row["failure"], row["fixed"])
        if share is not None:
            add("explained", share)
    return {f"replies/{name}": fmean(values) for name, values in found.items()}
