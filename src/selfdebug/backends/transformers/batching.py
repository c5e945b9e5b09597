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
from dataclasses import dataclass
from random import Random

from selfdebug.types import Sampling

# How long without a newcomer before a batch is run that others may still join: so many seconds, or
# this share of the time that the last batch took, which is what a small batch would waste.
LINGER, SHARE = 0.02, 0.1


@dataclass(eq=False, slots=True)
class Row:
    """One reply to be sampled.

    room: tokens that the reply may take. key: the text that its random numbers come from.
    settings: all but the seed. draft: what the reply may turn out to be, in great part.
    """

    prompt: Sequence[int]
    room: int
    settings: Sampling
    key: str
    draft: Sequence[int] = ()
    reply: Sequence[int] | None = None

    def uniforms(self) -> list[float]:
        """Return one random number in [0, 1) for each token of the reply."""
        rng = Random(self.key)
        return [rng.random() for _ in range(self.room)]


class Batches:
    """Runs the rows of all callers in batches of rows that may run together."""

    def __init__(self, run: Callable[[Sequence[Row]], None], size: int) -> None:
        """run: give each row of a batch its reply. size: rows of a batch."""
        self._run = run
        self._size = size
        self._waiting: list[Row] = []
        self._changing = threading.Lock()  # of what waits
        self._running = threading.Lock()  # the model runs one batch at a time
        self._linger = 0.0  # unless the last batch had rows of several callers, who will come again

    def run(self, rows: Sequence[Row]) -> None:
        """Return when each of the rows has its reply."""
        own = set(rows)
        with self._changing:
            self._waiting += rows
        with self._running:
            while any(row.reply is None for row in rows):
                batch = self._next()
                began = time.monotonic()
                try:
                    self._run(batch)
                except BaseException:
                    # The others' rows are run by themselves; ours are of no use to anybody.
                    with self._changing:
                        others = [row for row in batch if row not in own]
                        self._waiting = [row for row in self._waiting if row not in own] + others
                    raise
                took = time.monotonic() - began
                self._linger = 0.0 if own.issuperset(batch) else max(LINGER, SHARE * took)

    def _next(self) -> list[Row]:
        """Take the rows that wait with the longest prompt, all of one kind."""
        before = -1
        while self._linger and before < len(self._waiting) < self._size:
            before = len(self._waiting)
            time.sleep(self._linger)
        with self._changing:
            # Stable, so that the same rows in the same order make the same batches.
            self._waiting.sort(key=lambda row: -len(row.prompt))
            kind = _kind(self._waiting[0])
            batch = [row for row in self._waiting if _kind(row) == kind][: self._size]
            taken = set(batch)
            self._waiting = [row for row in self._waiting if row not in taken]
        return batch


def _kind(row: Row) -> tuple[Sampling, int]:
    """Return what rows of a batch have in common.

    A row near the end of the model's context has less room than was asked for: padding must not
    push it over the end, so it runs with rows that have the same room.
    """
    return row.settings, row.room
