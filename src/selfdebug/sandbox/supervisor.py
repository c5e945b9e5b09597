"""`Sandbox`: judges programs on a pool of workers, from any number of threads.

It chooses the tier by probing, keeps the workers, turns answers into verdicts, and a fault of its
own into `unknown`. It never looks into a candidate and holds no process that runs one.

    python -c "from selfdebug.sandbox import Sandbox; Sandbox().close()"
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import os
import queue
import time
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from types import TracebackType
from typing import Self

from selfdebug.sandbox.channel import Message
from selfdebug.sandbox.scratch import sweep
from selfdebug.sandbox.worker import Worker, WorkerFault
from selfdebug.types import (
    Limits,
    Observe,
    SelfdebugError,
    Task,
    Test,
    TestResult,
    TraceStep,
    Trust,
    Verdict,
    code_sha,
)

MAX_CODE_BYTES = 1 << 20
_SLACK_SECONDS = 30.0  # past the sum of all limits, before a worker is given up
_WAITING = 32  # jobs of a stream for each worker: enough while their maker thinks for 0.2 s


class SandboxError(SelfdebugError):
    """The sandbox cannot hold its promises here, or was used wrongly."""


class Sandbox:
    """Judges programs. Thread-safe; a context manager.

    workers: processes that judge at the same time (default: one a core). allow_unsafe: run even
    where no tier holds; every verdict then says tier "D". tier: force a weaker tier (tests).
    read_paths: what tests of kind "suite" may name in `read` (a project, its dependencies).
    Raises SandboxError when a barrier that must hold does not.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        allow_unsafe: bool = False,
        tier: str | None = None,
        limits: Limits | None = None,
        read_paths: Sequence[str] = (),
    ) -> None:
        self.workers = workers or len(os.sched_getaffinity(0))
        self.limits = limits or Limits()
        self.tier = tier or _probed_tier(allow_unsafe)
        self._specs: OrderedDict[int, tuple[Task, str, Message]] = OrderedDict()
        self._idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        sweep()
        self._all = [Worker(self.tier, tuple(read_paths)) for _ in range(self.workers)]
        for worker in self._all:
            self._idle.put(worker)
        self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="sandbox")

    def judge(
        self,
        task: Task,
        code: str,
        *,
        tests: Sequence[Test] | None = None,
        stop_early: bool = False,
        observe: Observe = "",
        limits: Limits | None = None,
    ) -> Verdict:
        """Run `code` against `tests` (default: all of the task's) and say what each showed.

        stop_early: after the first failure the rest is not_run. observe: "lines" records the
        executed lines of each test, "locals" the local variables of its last call.
        """
        if tests is not None and not all(test in task.tests for test in tests):
            task = replace(task, tests=tuple(tests))
        chosen = task.tests if tests is None else tuple(tests)
        if not chosen:
            raise SandboxError(f"task {task.id} has no test to run")
        limits = limits or self.limits
        if len(code) > MAX_CODE_BYTES:
            message = f"the program is longer than {MAX_CODE_BYTES >> 20} MiB"
            return self._verdict(task, code, chosen, [{"status": "load_error", "message": message}])
        key, spec = self._spec(task)
        seconds = (sum(test.weight for test in chosen) + 1) * limits.cpu_seconds
        job: Message = {
            "task": key,
            "code": _instrumented(task, code, observe),
            "tests": None if tests is None else [test.id for test in chosen],
            "stop_early": stop_early,
            "observe": observe,
            "limits": asdict(limits),
            "cpu_backstop": max(1, math.ceil(seconds)),
        }
        patience = seconds * limits.wall_factor + _SLACK_SECONDS
        until = time.monotonic() + (limits.total_seconds or math.inf)
        return self._verdict(task, code, chosen, *self._run(job, spec, patience, until))

    def judge_many(
        self,
        jobs: Iterable[tuple[Task, str]],
        *,
        stop_early: bool = False,
        observe: Observe = "",
        limits: Limits | None = None,
    ) -> Iterator[Verdict]:
        """Judge a stream of (task, code), in order, on all workers, with bounded memory."""

        def submit(job: tuple[Task, str]) -> Future[Verdict]:
            return self._pool.submit(
                self.judge, *job, stop_early=stop_early, observe=observe, limits=limits
            )

        left = iter(jobs)
        waiting = deque(map(submit, itertools.islice(left, _WAITING * self.workers)))
        try:
            while waiting:
                yield waiting.popleft().result()
                waiting.extend(map(submit, itertools.islice(left, 1)))
        finally:
            for future in waiting:
                future.cancel()

    def close(self) -> None:
        """End all workers."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        for worker in self._all:
            worker.close()
        self._all.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _run(
        self, job: Message, spec: Message, patience: float, until: float
    ) -> tuple[list[Message], str]:
        fault = ""
        for isolate in (False, True):  # the second time so that a looping test is told from a fault
            worker = self._idle.get()
            try:
                left = until - time.monotonic()
                if left <= 0:
                    fault = "the time for all tests together was up"
                    break
                answer = worker.run({**job, "isolate": isolate}, spec, min(patience, left))
            except WorkerFault as error:
                fault = str(error)
                continue
            finally:
                self._idle.put(worker)
            return answer["results"], answer["stdout"]
        return [{"status": "unknown", "message": fault}], ""

    def _spec(self, task: Task) -> tuple[str, Message]:
        """Return a task's content key and what the judge needs of it."""
        known = self._specs.get(id(task))
        if known is None:
            spec: Message = {
                "language": task.language,
                "entry_point": task.entry_point,
                "prelude": task.prelude,
                "tests": [asdict(test) for test in task.tests],
            }
            key = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()
            # The task is kept too: as long as it is, no other can have its id().
            known = self._specs[id(task)] = (task, key, spec)
            if len(self._specs) > 1024:
                self._specs.popitem(last=False)
        return known[1], known[2]

    def _verdict(
        self,
        task: Task,
        code: str,
        tests: Sequence[Test],
        results: list[Message],
        stdout: str = "",
    ) -> Verdict:
        if "test_id" not in results[0]:  # one result that holds for every test
            results = [{**results[0], "test_id": test.id} for test in tests]
        hidden = {test.id: test.hidden for test in tests}
        trust: Trust = "in_process" if any(t.kind == "suite" for t in tests) else "split"
        return Verdict(
            task_id=task.id,
            code_sha=code_sha(code),
            results=tuple(_result(found, hidden) for found in results),
            tier=self.tier,
            trust=trust,
            stdout=stdout,
        )


def _instrumented(task: Task, code: str, observe: Observe) -> str:
    """Python programs and suites are observed from outside; JavaScript reports by itself."""
    suite = any(test.kind == "suite" for test in task.tests)
    if task.language != "javascript" or not observe or suite:
        return code
    from selfdebug.languages import javascript

    return javascript.instrument(code, observe)


def _result(found: Message, hidden: dict[str, bool]) -> TestResult:
    trace = [TraceStep(line, values) for line, values in found.pop("trace", ())]
    lines = tuple(found.pop("lines", ()))
    known = {key: found[key] for key in TestResult.__slots__ if key in found}
    return TestResult(
        **known, hidden=hidden.get(found["test_id"], False), lines=lines, trace=tuple(trace)
    )


def _probed_tier(allow_unsafe: bool) -> str:
    from selfdebug.sandbox.probes import best_tier

    report = best_tier()
    if report.tier != "D" or allow_unsafe:
        return report.tier
    raise SandboxError(
        "no sandbox tier holds on this machine; `selfdebug doctor` says which barrier is missing, "
        "--allow-unsafe runs without one and labels every verdict"
    )
