"""One CPU for a judge and its candidate, as long as a job lasts.

They wait for each other and never run at once, so on one CPU a message costs a switch, on two the
waking of a sleeping one (bench/RESULTS.md has what that saves). Between jobs the judge is free
again, and wakes wherever the kernel finds room.

    python bench/sandbox.py
"""

from __future__ import annotations

import contextlib
import ctypes
import os

SHARED = ("python", "javascript")  # engines of one thread; node and suites may use every CPU
ANY = -1


class Seat:
    """Where this process may run."""

    def __init__(self) -> None:
        self._all = os.sched_getaffinity(0)
        self._now = ctypes.CDLL(None).sched_getcpu

    def take(self) -> int:
        """Stay on the CPU that this process is on, and return its number, or ANY."""
        if len(self._all) == 1:
            return ANY
        cpu: int = self._now()
        return cpu if cpu >= 0 and move({cpu}) else ANY

    def leave(self) -> None:
        """Let the kernel choose again."""
        if len(self._all) > 1:
            move(self._all)


def move(cpus: set[int]) -> bool:
    """Run on these CPUs from now on; False where that may not be: then all stays as it is."""
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, cpus)
        return True
    return False
