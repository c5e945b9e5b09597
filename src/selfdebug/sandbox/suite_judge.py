"""The judge's side of a suite: has a child run the user's tests and keeps what each showed.

A suite's tests share one run of one child. A child that hangs or dies costs the test that was
running; a new one goes on with the rest. What the child says is read as data, checked and capped;
it is still the candidate's own process that says it (trust="in_process").

    python -m pytest tests/test_suite.py
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from itertools import groupby
from typing import Protocol, get_args

from selfdebug.sandbox.channel import Lost, Message
from selfdebug.types import Status

MAX_TEXT = 2_000
_LOAD_SECONDS = 3.0  # of CPU time: importing a test framework is not the candidate's doing
_WALL_SECONDS = 4.0  # at least, for a test: its process has threads, and a machine other work
_TEXTS = ("call", "expected", "got", "message")
_SEEN = frozenset(get_args(Status))

Describe = Callable[[Lost], Message]
Emit = Callable[[Message], None]


class Connection(Protocol):
    """What is needed of the line to a candidate."""

    engine: str

    def start(self) -> None:
        """Fork a fresh child."""

    def begin_test(self) -> None:
        """Wind the wall clock."""

    def request(self, message: Message, on_callback: Callable[[Message], Message]) -> Message:
        """Ask, answering callbacks meanwhile. Raises Lost."""
        ...


def run_suite(job: Message, connection: Connection, describe: Describe, emit: Emit) -> None:
    """Run a job whose tests are all of kind "suite"; emit one result for each, in their order.

    describe: turns a Lost into a result. A test whose body says "collect" only lists: its `got`
    is the JSON list of the ids that there are.
    """
    for body, tests in groupby(job["tests"], key=lambda test: test["body"]):
        ids = [test["id"] for test in tests]
        suite: Message = json.loads(body)
        profile = "node" if suite["runner"] == "node" else "suite"
        # The kernel's limit on CPU time must not strike before ours, which know what for.
        backstop = job["cpu_backstop"] + 2 * int(_LOAD_SECONDS)
        needs = {"read_paths": suite["read"], "processes": 64, "cpu_backstop": backstop}
        job.update(profile=profile, **needs)
        _Run(job, suite, ids, connection, describe=describe, emit=emit).go()


class _Run:
    """One suite: as many children as it takes."""

    def __init__(
        self,
        job: Message,
        suite: Message,
        ids: list[str],
        connection: Connection,
        *,
        describe: Describe,
        emit: Emit,
    ) -> None:
        self._job, self._suite, self._ids = job, suite, ids
        self._connection, self._describe, self._emit = connection, describe, emit
        self._seconds: float = job["limits"]["cpu_seconds"]
        self._wall_factor: float = job["limits"]["wall_factor"]
        self._collect = bool(suite.get("collect"))
        self._found: dict[str, Message] = {}  # by the child's own ids
        self._early: dict[str, Message] = {}  # not final: for tests before one that hangs
        self._emitted = 0
        self._running, self._began = "", 0.0
        self._failed = False
        self._killers: list[str] = []

    def go(self) -> None:
        """Run until every test has a result."""
        end: Message | None = None
        while end is None:
            try:
                end = self._one_child()
            except Lost as lost:
                end = self._bury(self._describe(lost))
        self._flush(end)

    def _one_child(self) -> Message:
        self._running = ""
        self._connection.engine = "suite"
        self._connection.start()
        self._wind(_LOAD_SECONDS)
        message: Message = {
            "op": "suite",
            "suite": self._suite,
            "code": self._job["code"],
            "observe": self._job["observe"],
            "collect": self._collect,
            "tests": None if self._collect else self._pending(),
            "skip": self._killers,
            "cpu_seconds": self._seconds,
            "load_seconds": max(_LOAD_SECONDS, self._seconds),
        }
        return self._connection.request(message, self._on_callback)

    def _wanted(self, test_id: str) -> bool:
        return any(test_id == own or test_id.startswith(f"{own}::") for own in self._ids)

    def _pending(self) -> list[str]:
        return [test_id for test_id in self._ids if test_id not in self._found]

    def _wind(self, seconds: float) -> None:
        limits = self._job["limits"]
        wall = max(_WALL_SECONDS, seconds * self._wall_factor)
        limits["wall_factor"] = wall / limits["cpu_seconds"]
        self._connection.begin_test()

    def _on_callback(self, news: Message) -> Message:
        self._wind(self._seconds)
        if "late" in news:  # the child's watchdog, where its main thread cannot speak
            raise Lost("timeout", _late(news["late"]))
        if "running" in news:
            self._running, self._began = str(news["running"]), time.monotonic()
            return {}
        if "early" in news:
            self._early[str(news["early"].get("test_id"))] = _checked(news["early"])
            return {}
        if "result" not in news:
            raise Lost("protocol")
        result = {**_checked(news["result"]), "seconds": time.monotonic() - self._began}
        test_id = str(news["result"].get("test_id"))
        self._found.setdefault(test_id, result)
        self._running = ""
        if self._wanted(test_id) and result["status"] not in ("pass", "not_run"):
            self._failed = True
        self._flush(None)
        return {"stop": self._enough()}

    def _bury(self, fault: Message) -> Message | None:
        """The child is gone: the running test has its result; say how to go on."""
        if not self._running or self._running in self._found:
            return {"errors": {"": fault}}  # it had not come to a test, or goes round in circles
        self._found[self._running] = fault
        self._found = {**self._early, **self._found}
        self._killers.append(self._running)
        self._failed = True
        if self._collect or self._suite["runner"] == "node":
            # Node has no way to leave tests out that does not change the others.
            return {"errors": {self._suite["file_id"]: {"status": "not_run"}}}
        return {} if self._enough() or not self._pending() else None

    def _enough(self) -> bool:
        """Whether the rest is not worth its time."""
        late = [f for f in self._found.values() if f["status"] == "timeout"]
        enough = len(late) >= self._job["limits"]["max_timeouts"]
        return enough or (self._failed and self._job["stop_early"])

    def _flush(self, end: Message | None) -> None:
        """Emit the results that are known, in order; all of them once the run has ended."""
        while self._emitted < len(self._ids):
            test_id = self._ids[self._emitted]
            result = self._found.get(test_id)
            if result is None and end is not None:
                result = self._listing(end) if self._collect else self._missing(test_id, end)
            if result is None:
                return
            self._emitted += 1
            self._emit({"seconds": 0.0, **result, "test_id": test_id})

    def _listing(self, end: Message) -> Message:
        errors = _errors(end)
        ids = list(map(str, end.get("collected", self._found)))
        ids += [name for name in errors if name]
        fault = errors.get("") or {"status": "pass"}
        return {**fault, "got": json.dumps(ids)}

    def _missing(self, test_id: str, end: Message) -> Message:
        """The result of a test that no child has told: a whole file, or one that is not there."""
        if self._enough():
            return {"status": "not_run"}
        errors = _errors(end)
        for name, error in errors.items():
            if not name or test_id == name or test_id.startswith(f"{name}::"):
                return error
        inside = [f for name, f in self._found.items() if name.startswith(f"{test_id}::")]
        if not inside:
            return {"status": "load_error", "message": "the program leaves this test no way to run"}
        lines = sorted({line for found in inside for line in found.get("lines", ())})
        worst = next((found for found in inside if found["status"] != "pass"), inside[0])
        return {**worst, "lines": lines}


def _errors(end: Message) -> dict[str, Message]:
    return {str(name): _checked(found) for name, found in end.get("errors", {}).items()}


def _late(seconds: object) -> Message:
    message = f"still running after {seconds} s of CPU time"
    return {"status": "timeout", "type": "TimeoutError", "message": message, "line": 0}


def _checked(found: Message) -> Message:
    """Keep of a child's result what has the right form."""
    status = found.get("status")
    if status == "skipped":
        # Not a pass: a candidate must not gain by it. Who asked knows whether it was so before.
        found, status = {**found, "message": f"skipped: {found.get('message', '')}"}, "not_run"
    elif status not in _SEEN:
        status = "crashed"
    texts = {key: str(found.get(key, ""))[:MAX_TEXT] for key in _TEXTS}
    if status != "pass" and not texts["call"]:
        texts["call"] = str(found.get("test_id", ""))[:MAX_TEXT]  # a name is better than nothing
    return {
        "status": status,
        **texts,
        "line": _integer(found.get("line")),
        "lines": sorted({_integer(line) for line in found.get("lines") or ()}),
    }


def _integer(value: object) -> int:
    return value if isinstance(value, int) else 0
