"""The processes that work out hints, behind a bounded queue and a cache.

They run at a lower priority than the judging of students' programs, each with a sandbox and a
backend of its own, so that a room full of hints does not hold up a test run. Hints are kept by
(exercise, program) until the playground ends; nothing is written.

    selfdebug play --backend search --option seconds=4
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache

from selfdebug.interfaces import runs
from selfdebug.interfaces.web import hints
from selfdebug.interfaces.web.hints import Hints
from selfdebug.sandbox import Sandbox
from selfdebug.types import Backend, SelfdebugError, Task, code_sha

DEFAULTS = {"search": ("seconds=2",)}
_MAX_WAITING = 100
_MAX_KEPT = 2000
_NICENESS = 10

Answer = Future[Hints | None]


class HintPool:
    """Works out hints. Raises SelfdebugError when its backend cannot be opened."""

    def __init__(self, backend: str, options: Sequence[str], tier: str) -> None:
        """Open the backend in each process. tier: of the sandbox, as it was probed already."""
        self._how = (backend, (*DEFAULTS.get(backend, ()), *options), tier)
        self._workers = max(1, len(os.sched_getaffinity(0)) // 2)
        self._kept: OrderedDict[tuple[str, str], Answer] = OrderedDict()
        self._lock = threading.Lock()
        self._pool = self._new_pool()
        self._pool.submit(_opened, *self._how).result()  # or its complaint

    def ask(self, task: Task, code: str) -> Answer | None:
        """Return the hints to come, or None while too many are waited for already."""
        key = (task.id, code_sha(code))
        with self._lock:
            answer = self._kept.get(key)
            if answer is not None and not _failed(answer):
                self._kept.move_to_end(key)
                return answer
            if sum(not kept.done() for kept in self._kept.values()) >= _MAX_WAITING:
                return None
            self._kept[key] = answer = self._submit(task, code)
            while len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)
            return answer

    def close(self) -> None:
        """End the processes; hints that are still waited for are given up."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self, task: Task, code: str) -> Answer:
        try:
            return self._pool.submit(_work_out, self._how, task, code)
        except BrokenProcessPool:  # a process was killed, for want of memory say
            self._pool = self._new_pool()
            return self._pool.submit(_work_out, self._how, task, code)

    def _new_pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")  # threads and a fork do not go together
        return ProcessPoolExecutor(self._workers, context, _step_back)


def _failed(answer: Answer) -> bool:
    return answer.done() and (answer.cancelled() or answer.exception() is not None)


def _step_back() -> None:
    """Let test runs go first, and leave it to the parent to end on Ctrl-C."""
    os.nice(_NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@cache
def _open(backend: str, options: tuple[str, ...], tier: str) -> tuple[Backend, Sandbox]:
    sandbox = Sandbox(workers=1, limits=hints.LIMITS, tier=tier)
    try:
        return runs.backend(backend, sandbox, options), sandbox
    except SelfdebugError:
        sandbox.close()
        raise


def _opened(backend: str, options: tuple[str, ...], tier: str) -> None:
    """Open what is needed in this process; its complaint reaches the one who asked."""
    _open(backend, options, tier)


def _work_out(how: tuple[str, tuple[str, ...], str], task: Task, code: str) -> Hints | None:
    backend, sandbox = _open(*how)
    return hints.work_out(task, code, backend, sandbox)
