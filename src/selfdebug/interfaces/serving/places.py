"""Work of callers in threads: so many at a time, so many in line, for so long.

When nobody waits for a piece of work any more, because its time is up or its caller has left, it is
told so and has to end; its place is free once it has. It knows nothing about HTTP.

    python -c "from selfdebug.interfaces.serving.places import Places; help(Places)"
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


class BusyError(Exception):
    """Every place is taken, and so is every place in line."""


class OutOfTimeError(Exception):
    """The work was not done in its time."""


class Wanted:
    """Says whether anybody still waits for a piece of work."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._dropped = False

    def __call__(self) -> bool:
        """Tell whether the work should go on."""
        return not self._dropped and self.left > 0

    @property
    def left(self) -> float:
        """Seconds until its time is up."""
        return self._until - time.monotonic()

    def drop(self) -> None:
        """Nobody waits for it any more."""
        self._dropped = True


class Places:
    """At most `at_once` pieces of work run, and `in_line` more wait for a place."""

    def __init__(self, at_once: int, in_line: int, seconds: float) -> None:
        """seconds: that a piece of work may take, its waiting included."""
        self.seconds = seconds
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="serve")
        self._free = threading.BoundedSemaphore(at_once + in_line)
        self._begun: set[Wanted] = set()

    @property
    def busy(self) -> int:
        """How many pieces of work have begun or wait, and have not ended."""
        return len(self._begun)

    def begin(self, work: Callable[[Wanted], Result]) -> tuple[Wanted, Future[Result]]:
        """Start a piece of work or put it into the line. Raises BusyError."""
        if not self._free.acquire(blocking=False):
            raise BusyError
        wanted = Wanted(self.seconds)
        self._begun.add(wanted)

        def leave(_: Future[Result]) -> None:
            self._begun.discard(wanted)
            self._free.release()

        future = self._pool.submit(work, wanted)
        future.add_done_callback(leave)
        return wanted, future

    async def run(self, work: Callable[[Wanted], Result]) -> Result:
        """Return what the work gives. Raises BusyError and OutOfTimeError."""
        wanted, future = self.begin(work)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self.seconds)
        except TimeoutError:
            raise OutOfTimeError from None
        finally:
            wanted.drop()

    def close(self) -> None:
        """End all work, and return when it has ended."""
        for wanted in list(self._begun):
            wanted.drop()
        self._pool.shutdown(wait=True, cancel_futures=True)
