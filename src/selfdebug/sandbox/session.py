"""One program against a task's tests, inside the judge: load it, run each test, say what it showed.

It starts the candidate anew after a death, and turns each way of being lost into a status. It
neither isolates nor limits anything: the candidate is in another process, behind `connection`.

    python -m pytest tests/test_sandbox.py
"""

from __future__ import annotations

import json
import random
import signal
import socket
import time
from collections.abc import Callable
from typing import Protocol

from selfdebug.sandbox import javascript_node, python_judge, suite_judge
from selfdebug.sandbox.channel import Lost, Message
from selfdebug.sandbox.connection import Connection

Emit = Callable[[Message], None]


class Runner(Protocol):
    """What a language's judge side looks like."""

    def run(self, test: Message) -> Message:
        """Run one test; return the fields of a TestResult. Lost passes through."""
        ...

    def last_call(self) -> str:
        """Return the test's last call of the candidate, as source text."""
        ...


class Session:
    """One program against its tests: loads it, runs each test, starts anew after a death."""

    def __init__(self, job: Message, control: socket.socket, output: int) -> None:
        self._job = job
        self._connection = Connection(control, output, job)
        self._runner: Runner | None = None
        self._timeouts = 0

    def run(self, emit: Emit) -> str:
        """Emit one result a test; return what the program printed."""
        if any(test["kind"] == "suite" for test in self._job["tests"]):
            suite_judge.run_suite(self._job, self._connection, self._describe, emit)
        else:
            self._run_tests(emit)
        self._connection.end()
        return self._connection.stdout(self._job["limits"]["kept_output_bytes"])

    def _run_tests(self, emit: Emit) -> None:
        random.seed(0)  # tests that draw random inputs draw the same ones for every candidate
        unloadable: Message | None = None
        failed = False
        for test in self._job["tests"]:
            started = time.monotonic()
            if (failed and self._job["stop_early"]) or self._too_slow():
                result: Message = {"status": "not_run"}
            elif unloadable is not None:
                result = unloadable
            else:
                unloadable = self._load(test)
                result = unloadable or self._test(test)
                if self._lacks_node(result):
                    self._turn_to_node()
                    unloadable = self._load(test)
                    result = unloadable or self._test(test)
            failed = failed or result["status"] != "pass"
            emit({"test_id": test["id"], "seconds": time.monotonic() - started, **result})

    def _lacks_node(self, result: Message) -> bool:
        """Whether a JavaScript program failed for what QuickJS lacks, and there is a node."""
        if self._connection.engine != "javascript" or not self._job["node"]:
            return False
        return javascript_node.needs_node(result.get("message", ""))

    def _turn_to_node(self) -> None:
        """Have this and the later tests run on node, a process for this program alone."""
        self._connection.end()
        self._runner = None
        self._connection.engine = "node"
        reads = javascript_node.read_paths(self._job["node"])
        self._job.update(profile="node", read_paths=reads)

    def _too_slow(self) -> bool:
        return self._timeouts >= self._job["limits"]["max_timeouts"]

    def _load(self, test: Message) -> Message | None:
        """Have a loaded candidate; return what is wrong with it, or None."""
        connection = self._connection
        if test["kind"] == "stdio" or not connection.alive:
            connection.end()
            connection.start()
            self._runner = None
        if test["kind"] == "stdio" or self._runner is not None:
            return None
        connection.begin_test()
        try:
            reply = connection.load(self._job["observe"])
        except Lost as lost:
            return self._describe(lost)
        if "error" in reply:
            return _error_result(reply["error"])
        names = {str(k): str(v) for k, v in reply["names"].items()}
        entry = self._job["entry_point"].partition(".")[0]
        if entry and entry not in names:
            missing = f"NameError: the program defines no {entry!r}"
            return {"status": "load_error", "message": missing}
        self._runner = self._make_runner(names)
        return None

    def _make_runner(self, names: dict[str, str]) -> Runner:
        if self._job["language"] == "python":
            return python_judge.Runner(self._job, self._connection, names)
        from selfdebug.sandbox import javascript_judge

        return javascript_judge.Runner(self._job, self._connection, names)

    def _test(self, test: Message) -> Message:
        self._connection.begin_test(test["weight"])
        try:
            if test["kind"] == "stdio":
                result = _stdio(self._job, self._connection, json.loads(test["body"]))
            else:
                assert self._runner is not None
                result = self._runner.run(test)
        except Lost as lost:
            return self._describe(lost)
        if self._connection.lost is not None:  # the test swallowed it
            return self._describe(self._connection.lost)
        return result

    def _describe(self, lost: Lost) -> Message:
        """Say how a candidate was lost, and on which call."""
        call = self._runner.last_call() if self._runner is not None else ""
        self._runner = None
        return {**self._end(lost), "call": call}

    def _end(self, lost: Lost) -> Message:  # noqa: PLR0911 - a table of ends
        detail, limits = lost.detail, self._job["limits"]
        number = detail.get("signal", 0)
        if detail.get("status") == "timeout":
            self._timeouts += 1
            return _error_result(detail)
        if lost.reason == "timeout" or number in (signal.SIGXCPU, signal.SIGPROF):
            self._timeouts += 1
            return {"status": "timeout", "message": "no result before the test's time was over"}
        if lost.reason == "too_large":
            size = limits["result_bytes"] >> 20
            return {"status": "unserialisable", "message": f"the result is over {size} MiB"}
        if number == signal.SIGXFSZ:
            size = limits["output_bytes"] >> 20
            return {"status": "output_limit", "message": f"it printed more than {size} MiB"}
        if number == signal.SIGABRT and self._connection.engine == "node":
            return {"status": "memory", "message": "out of memory"}  # that is how V8 says it
        if number:
            return {"status": "crashed", "message": f"killed by {signal.Signals(number).name}"}
        if lost.reason == "closed" and detail.get("exit") is not None:
            code = detail["exit"]
            message = f"the program ended its own process (exit code {code})"
            return {"status": "exited_early", "message": message}
        return {"status": "crashed", "message": "the program broke the result channel"}


def _error_result(error: Message) -> Message:
    return {
        "status": error["status"],
        "message": f"{error['type']}: {error['message']}".removesuffix(": "),
        "line": error["line"],
    }


def _stdio(job: Message, connection: Connection, body: dict[str, str]) -> Message:
    """Run the program as a script and compare what it prints, line by line."""
    try:
        reply = connection.request(
            {
                "op": "main",
                "prelude": job["prelude"],
                "code": job["code"],
                "observe": job["observe"],
                "stdin": body["stdin"],
            }
        )
    except Lost as lost:
        if lost.reason != "closed" or lost.detail.get("exit") != 0:
            raise
        connection.lost = None  # a script may end itself, as long as it says that all is well
        reply: Message = {"ok": True}
    connection.end()
    call = f"stdin: {body['stdin']}"
    if "error" in reply:
        return {**_error_result(reply["error"]), "call": call, "expected": body["stdout"]}
    observed = {key: reply[key] for key in ("lines", "trace") if key in reply}
    printed = connection.stdout(job["limits"]["result_bytes"])
    if _lines(printed) == _lines(body["stdout"]):
        return {"status": "pass", **observed}
    shown = {"call": call, "expected": body["stdout"], "got": printed}
    return {"status": "wrong", **shown, **observed}


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().split("\n")]
