"""Judging and sampling on the machines of a Ray cluster, behind the loop's two protocols.

`Judges` is a `Judge` whose programs run in the sandboxes of Ray's workers, `Writers` a `Backend`
whose replies come from copies of a backend there. So the loops run here, as they do without Ray,
and what they store is stored here alone: results are those of one process. A sandbox is made
where it is used and never sent. Ray starts a worker that died anew, on another machine where its
own is gone, and does its call again.

    selfdebug eval humanevalpack --backend search --ray local --out runs/search
"""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, lru_cache
from importlib import import_module
from itertools import islice
from queue import SimpleQueue
from typing import Any

from selfdebug import plugins
from selfdebug.sandbox import Sandbox
from selfdebug.types import (
    Backend,
    Completion,
    Judge,
    Request,
    Sampling,
    SelfdebugError,
    Task,
    TestResult,
    Verdict,
    code_sha,
)

LOCAL = "local"  # the address of a cluster that is started here, and ends with the run
BATCH = 16  # programs of one call, which costs Ray some milliseconds by itself
AHEAD = 2  # calls of one judge: the one that it works on, and the next
TRIES = 3  # more of a call whose worker dies: a program cannot kill one, a full memory can

Job = tuple[Task, str]


class Cluster:
    """A connection to Ray. `judge` uses every core; `backend` opens copies of a backend."""

    def __init__(self, ray: Any, *, writers: int, backends: int, allow_unsafe: bool) -> None:
        """writers: copies of a backend; 0 is one for each GPU, or without any for each core.

        backends: how many will be opened, which share the GPUs.
        """
        nodes = [node for node in ray.nodes() if node["Alive"]]
        cores = [
            node["NodeID"] for node in nodes for _ in range(int(node["Resources"].get("CPU", 0)))
        ]
        gpus = sum(int(node["Resources"].get("GPU", 0)) for node in nodes)
        self._ray, self._allow_unsafe, self._cores = ray, allow_unsafe, cores
        self.writers = writers or gpus or len(cores)
        # Copies that share a GPU have equal parts of it, so that each finds a place.
        self.gpu = 1 / (-(-self.writers // gpus) * backends) if gpus else 0.0
        self.judge = self.judges(len(cores))

    def judges(self, cores: int) -> Judge:
        """Return a judge on so many of the cores."""
        made = [self._actor(_Judge, core)(self._allow_unsafe) for core in self._cores[:cores]]
        return Judges(self._ray, made)

    def backend(self, name: str, options: Mapping[str, str], calls: int = 1) -> Backend:
        """Open a backend on the workers. calls: that a copy takes at a time.

        Raises what opening it here would raise.
        """
        threads = max(1, len(self._cores) // self.writers)
        copies: list[Any] = []
        for number in range(self.writers):
            core = self._cores[number * len(self._cores) // self.writers]
            make = self._actor(_Writer, core, max_concurrency=calls)
            copies.append(make(name, dict(options), threads, self._allow_unsafe))
        return Writers(self._ray, copies, calls)

    def _actor(self, kind: type, node: str, **options: Any) -> Any:
        """Return what makes an actor, on a node or, when that is gone, on another.

        It holds a place on no core: then it would wait for one for ever once a node is gone.
        """
        place: Any = import_module("ray.util.scheduling_strategies")
        if kind is _Writer and self.gpu:
            options |= {"num_gpus": self.gpu, "scheduling_strategy": "SPREAD"}
        else:
            options["scheduling_strategy"] = place.NodeAffinitySchedulingStrategy(node, soft=True)
        return self._ray.remote(max_restarts=-1, max_task_retries=TRIES, **options)(kind).remote


@contextmanager
def cluster(
    address: str, *, writers: int = 0, backends: int = 1, allow_unsafe: bool = False
) -> Generator[Cluster]:
    """Connect for the length of the block: LOCAL, "auto", "host:port" or "ray://host:port".

    Raises SelfdebugError when Ray is not installed, or does not answer there.
    """
    ray = _connected(address)
    try:
        yield Cluster(ray, writers=writers, backends=backends, allow_unsafe=allow_unsafe)
    finally:
        ray.shutdown()


class Actors:
    """Actors of one kind, each of which takes some calls at a time; from any number of threads."""

    def __init__(self, ray: Any, actors: Sequence[Any], calls: int) -> None:
        self._ray = ray
        self._free: SimpleQueue[Any] = SimpleQueue()
        for actor in [*actors] * calls:
            self._free.put(actor)

    def call(self, method: str, *arguments: Any) -> Any:
        """Have an actor that is free do it; what it raises is raised here as it was there.

        Raises RayError when it died TRIES times more than once.
        """
        actor = self._free.get()
        try:
            return result(self._ray, getattr(actor, method).remote(*arguments))
        finally:
            self._free.put(actor)


class Judges:
    """A `Judge` on all cores of the cluster, in one sandbox each."""

    def __init__(self, ray: Any, actors: Sequence[Any]) -> None:
        self._lost: type[Exception] = ray.exceptions.RayError
        self._calls = AHEAD * len(actors)
        self._actors = Actors(ray, actors, AHEAD)

    def judge(self, task: Task, code: str, **options: Any) -> Verdict:
        """Say what each test of one program showed. options: those of `Judge`."""
        (verdict,) = self._judged([(task, code)], options)
        return verdict

    def judge_many(self, jobs: Iterable[Job], **options: Any) -> Iterator[Verdict]:
        """Judge a stream of (task, code), in order, on all workers, with bounded memory."""
        left = iter(jobs)
        batches = iter(lambda: list(islice(left, BATCH)), [])
        with ThreadPoolExecutor(self._calls, thread_name_prefix="judging") as threads:

            def begin(batch: list[Job]) -> Future[list[Verdict]]:
                return threads.submit(self._judged, batch, options)

            waiting = deque(map(begin, islice(batches, 2 * self._calls)))
            try:
                while waiting:
                    yield from waiting.popleft().result()
                    waiting.extend(map(begin, islice(batches, 1)))
            finally:
                for future in waiting:
                    future.cancel()

    def _judged(self, jobs: list[Job], options: Mapping[str, Any]) -> list[Verdict]:
        """Judge a few programs. Where Ray gives them up, nothing is known of them."""
        try:
            verdicts: list[Verdict] = self._actors.call("judge", jobs, options)
        except self._lost as error:
            return [_unknown(task, code, f"Ray gave it up: {error}") for task, code in jobs]
        return verdicts


class Writers:
    """A `Backend` of several copies, each of which takes some calls at a time."""

    def __init__(self, ray: Any, copies: Sequence[Any], calls: int) -> None:
        """Wait until every copy is open."""
        opening = [copy.name.remote() for copy in copies]
        names: list[str] = [result(ray, call) for call in opening]
        self.name = names[0]
        self._actors = Actors(ray, copies, calls)

    def sample(
        self, requests: Sequence[Request], n: int, sampling: Sampling
    ) -> list[list[Completion]]:
        """Return n completions for each request, in the order of the requests."""
        replies: list[list[Completion]] = self._actors.call("sample", list(requests), n, sampling)
        return replies


def result(ray: Any, call: Any) -> Any:
    """Wait for a call; what its code raised is raised here as it was there."""
    try:
        return ray.get(call)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error


class _Judge:
    """One core's judge, in a worker of its own: an actor, since Ray ends idle workers of tasks."""

    def __init__(self, allow_unsafe: bool) -> None:
        self._allow_unsafe = allow_unsafe

    def judge(self, jobs: list[Job], options: Mapping[str, Any]) -> list[Verdict]:
        sandbox = _sandbox(self._allow_unsafe)
        return [sandbox.judge(_same(task), code, **options) for task, code in jobs]


class _Writer:
    """One copy of a backend, in a worker of its own."""

    def __init__(
        self, name: str, options: Mapping[str, str], threads: int, allow_unsafe: bool
    ) -> None:
        # Ray gives a worker one thread; torch reads this when it is imported.
        os.environ["OMP_NUM_THREADS"] = str(threads)
        try:
            plugin = plugins.load("backends", name)
            self._backend: Backend | SelfdebugError = plugin.create(_Here(allow_unsafe), **options)
        except SelfdebugError as error:  # told by `name`: Ray hides what a constructor raises
            self._backend = error

    def name(self) -> str:
        return self._opened().name

    def sample(
        self, requests: Sequence[Request], n: int, sampling: Sampling
    ) -> list[list[Completion]]:
        return self._opened().sample(requests, n, sampling)

    def _opened(self) -> Backend:
        if isinstance(self._backend, SelfdebugError):
            raise self._backend
        return self._backend


class _Here:
    """A `Judge` in this worker. Few backends judge anything, so the sandbox waits for the first."""

    def __init__(self, allow_unsafe: bool) -> None:
        self._allow_unsafe = allow_unsafe

    def judge(self, task: Task, code: str, **options: Any) -> Verdict:
        return _sandbox(self._allow_unsafe).judge(task, code, **options)

    def judge_many(self, jobs: Iterable[Job], **options: Any) -> Iterator[Verdict]:
        return _sandbox(self._allow_unsafe).judge_many(jobs, **options)


@cache
def _sandbox(allow_unsafe: bool) -> Sandbox:
    """Return this worker's sandbox, which ends with it."""
    return Sandbox(workers=1, allow_unsafe=allow_unsafe)


@lru_cache(maxsize=256)
def _same(task: Task) -> Task:
    """Return one task for equal ones: a sandbox knows a task by its identity and keeps it."""
    return task


def _unknown(task: Task, code: str, message: str) -> Verdict:
    results = (TestResult(test.id, "unknown", message=message) for test in task.tests)
    return Verdict(task.id, code_sha(code), tuple(results), tier="")


def _connected(address: str) -> Any:
    try:
        ray: Any = import_module("ray")
    except ImportError as error:
        raise SelfdebugError("--ray needs Ray: pip install 'selfdebug[ray]'") from error
    # Otherwise Ray prints every error that nobody waits for, beside the one that is told.
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")
    options: dict[str, Any] = {}
    if address == LOCAL:
        # Ray's workers give way to all else; their programs would then be late for no fault.
        os.environ.setdefault("RAY_worker_niceness", "0")
        options = {"num_cpus": len(os.sched_getaffinity(0)), "include_dashboard": False}
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    try:
        if colon:  # Ray would try for a minute
            socket.create_connection((host, int(port)), timeout=10).close()
        ray.init(address, log_to_driver=False, logging_level="ERROR", **options)
    except (OSError, RuntimeError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise SelfdebugError(f"no Ray cluster answers at {address}: {said}") from error
    return ray
