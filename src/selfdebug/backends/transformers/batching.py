"""Callers that ask at the same time share the model's batches.

The loop asks for one program at a time, from as many threads as there are tasks at a time; a
model is many times faster in batches. Whoever comes first runs the model for all that wait. It
knows nothing about models: what a batch is run by is given to it.

    python -c "from selfdebug.backends.transformers.batching import Batches; help(Batches)"
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from selfdebug.types import Sampling

# How long without a newcomer before a batch is run that others may still join: so many seconds, or
# this share of the time that the last batch took, which is what a small batch would waste.
LINGER, SHARE = 0.02, 0.1


@dataclass(eq=False, slots=True)
class Row:
    """One reply to be sampled.

    room: tokens that the reply may take. key: the text that its random numbers come from.
    settings: all but the seed. draft: what the reply may turn out to be, in great part. watch: is
    shown each token as it is drawn, and says whether the reply goes on; it runs in whichever thread
    runs the batch, so it must be quick.
    """

    prompt: Sequence[int]
    room: int
    settings: Sampling
    key: str
    draft: Sequence[int] = ()
    reply: Sequence[int] | None = None
    watch: Callable[[int], bool] | None = None
    on_end: Callable[[], None] = field(default=lambda: None)

    def end(self, reply: Sequence[int]) -> None:
        """Take the reply, and let whoever waits for it know."""
        self.reply = reply
        self.on_end()

    def uniforms(self) -> list[float]:
        """Return one random number in [0, 1) for each token of the reply."""
        rng = Random(self.key)
        return [rng.random() for _ in range(self.room)]


class Batches:
    """Runs the rows of all callers in batches of rows that may run together."""

    def __init__(self, run: Callable[[Sequence[Row]], None], size: int) -> None:
        """run: end each row of a batch. size: rows of a batch."""
        self._run = run
        self._size = size
        self._waiting: list[Row] = []  # in the order in which they came
        self._changing = threading.Condition()  # of what waits, runs and has ended
        self._running = False  # the model runs one batch at a time
        self._linger = 0.0  # unless the last batch had rows of several callers, who will come again
        self._until = 0.0  # when they are not expected any more

    def run(self, rows: Sequence[Row]) -> None:
        """Return when each of the rows has its reply."""
        own = set(rows)

        def finished() -> bool:
            return all(row.reply is not None for row in rows)

        with self._changing:
            for row in rows:
                row.on_end = self._notify
            self._waiting += rows
        while True:
            with self._changing:
                # Whose rows end in another's batch leaves before that batch is over.
                self._changing.wait_for(lambda: finished() or not self._running)
                if finished():
                    return
                self._running = True
            try:
                self._run_next(own)
            finally:
                with self._changing:
                    self._running = False
                    self._changing.notify_all()

    def _run_next(self, own: set[Row]) -> None:
        batch = self._next()
        began = time.monotonic()
        try:
            self._run(batch)
        except BaseException:
            # The others' rows are run by themselves; ours are of no use to anybody.
            with self._changing:
                others = [row for row in batch if row not in own and row.reply is None]
                self._waiting = [row for row in self._waiting if row not in own] + others
            raise
        took = time.monotonic() - began
        self._linger = 0.0 if own.issuperset(batch) else max(LINGER, SHARE * took)
        self._until = time.monotonic() + max(1.0, took)

    def _notify(self) -> None:
        with self._changing:
            self._changing.notify_all()

    def _next(self) -> list[Row]:
        """Take the rows like the one that has waited longest, those with long prompts first."""
        before = -1
        expected = time.monotonic() < self._until
        while expected and self._linger and before < len(self._waiting) < self._size:
            before = len(self._waiting)
            time.sleep(self._linger)
        with self._changing:
            kind = _kind(self._waiting[0])
            like = [row for row in self._waiting if _kind(row) == kind]
            # Stable, so that the same rows in the same order make the same batches.
            batch = sorted(like, key=lambda row: -len(row.prompt))[: self._size]
            taken = set(batch)
            self._waiting = [row for row in self._waiting if row not in taken]
        return batch


def _kind(row: Row) -> tuple[Sampling, int]:
    """Return what rows of a batch have in common.

    A row near the end of the model's context has less room than was asked for: padding must not
    push it over the end, so it runs with rows that have the same room.
    """
    return row.settings, row.room
