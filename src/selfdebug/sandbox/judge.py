"""The judge: a process of its own that runs a task's tests and decides.

It takes jobs from the supervisor and reports one result a test. Test programs are code too, so it
is hardened, and holds no secret but the tests. The candidate is in another process, reached
through `connection`.

    python -m pytest tests/test_sandbox.py
"""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import random
import signal
import socket
import sys
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from selfdebug.sandbox import isolation, javascript_node, python_judge, suite_judge
from selfdebug.sandbox.channel import Channel, Lost, Message
from selfdebug.sandbox.connection import Connection

MAX_TASKS = 512  # whose tests are kept, compiled
GRACE_SECONDS = 2.0  # of the judge's own work, past a test's wall-clock limit

Emit = Callable[[Message], None]


class Runner(Protocol):
    """What a language's judge side looks like."""

    def run(self, test: Message) -> Message:
        """Run one test; return the fields of a TestResult. Lost passes through."""
        ...

    def last_call(self) -> str:
        """Return the test's last call of the candidate, as source text."""
        ...


class JudgeProcess:
    """Serves jobs one at a time."""

    def __init__(self, supervisor: Channel, control: socket.socket, node: str) -> None:
        self._supervisor = supervisor
        self._node = node
        self._control = control
        self._output = os.memfd_create("output")
        self._tasks: OrderedDict[str, Message] = OrderedDict()

    def run(self) -> None:
        """Serve until the supervisor hangs up."""
        while True:
            try:
                job = self._supervisor.receive()
            except Lost:
                return
            task = self._task(job)
            if task is None:
                self._supervisor.send({"need": job["task"]})
                continue
            tests = [t for t in task["tests"] if job["tests"] is None or t["id"] in job["tests"]]
            self._supervisor.send(
                self._run_job({**task, **job, "tests": tests, "node": self._node})
            )

    def _task(self, job: Message) -> Message | None:
        key = job["task"]
        if "spec" in job:
            self._tasks[key] = job.pop("spec")
            if self._tasks[key]["language"] == "python":
                python_judge.warm(self._tasks[key])
            if len(self._tasks) > MAX_TASKS:
                self._tasks.popitem(last=False)
        if key in self._tasks:
            self._tasks.move_to_end(key)
        return self._tasks.get(key)

    def _run_job(self, job: Message) -> Message:
        """Run the tests here, or in a child that can be killed where the job asks for that."""
        if job["isolate"]:
            return self._run_in_child(job)
        results: list[Message] = []
        # A test program that never ends on these values ends this process: the supervisor then
        # sends the job again, to be run in a child. It saves all other jobs a fork.
        signal.setitimer(signal.ITIMER_PROF, _patience(job) * len(job["tests"]))
        stdout = _Session(job, self._control, self._output).run(results.append)
        signal.setitimer(signal.ITIMER_PROF, 0)
        return {"results": results, "stdout": stdout}

    def _run_in_child(self, job: Message) -> Message:
        receiving, sending = socket.socketpair()
        child = os.fork()
        if child == 0:
            self._supervisor.close()
            _judge_child(job, self._control, self._output, Channel(sending))
        sending.close()
        channel = Channel(receiving)
        results: list[Message] = []
        summary: Message = {}
        try:
            while "done" not in summary:
                channel.limit(2 * _patience(job))  # twice: loading comes before the first test
                summary = channel.receive()
                if "result" in summary:
                    results.append(summary["result"])
        except Lost as lost:
            os.kill(child, signal.SIGKILL)
            # A child that died on its own is our fault: the supervisor then starts a new worker.
            summary = {"stdout": "", "broken": lost.reason != "timeout"}
            results += _unfinished(job, len(results), lost)
        finally:
            channel.close()
            os.waitpid(child, 0)
        return {"results": results, **summary}


def _patience(job: Message) -> float:
    """Seconds that the judge itself may take for one test."""
    heaviest = max(test["weight"] for test in job["tests"])
    return heaviest * job["limits"]["cpu_seconds"] * job["limits"]["wall_factor"] + GRACE_SECONDS


def _unfinished(job: Message, done: int, lost: Lost) -> Iterator[Message]:
    """Results for the tests that the judge's child did not finish."""
    for index, test in enumerate(job["tests"][done:]):
        if lost.reason == "timeout":
            # The reference gets through this test: it is the candidate's values that do not.
            late = "the test did not finish on the program's values"
            found = {"status": "timeout", "message": late} if index == 0 else {"status": "not_run"}
        else:
            found = {"status": "unknown", "message": f"the judge died ({lost.reason})"}
        yield {"test_id": test["id"], **found}


def _judge_child(job: Message, control: socket.socket, output: int, channel: Channel) -> None:
    try:

        def emit(result: Message) -> None:
            channel.send({"result": result})

        channel.send({"done": True, "stdout": _Session(job, control, output).run(emit)})
    except BaseException:
        traceback.print_exc()  # into the worker's log, which the supervisor quotes
    finally:  # this child must not return into the judge's loop
        os._exit(0)


class _Session:
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


def main(settings: dict[str, Any]) -> None:
    """Enter the namespaces, harden, serve."""
    control = socket.socket(fileno=settings["control_fd"])
    supervisor = Channel(socket.socket(fileno=settings["supervisor_fd"]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's to answer
    if importlib.util.find_spec("_quickjs") is not None:
        importlib.import_module("_quickjs")  # while site-packages can still be seen
    isolation.enter_worker(settings["tier"], settings["work_dir"])
    if os.getpid() == 1:  # the init of a namespace is deaf to the timer's signal: be its child
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            os._exit(0)
    if "_quickjs" in sys.modules:
        from selfdebug.sandbox import javascript_judge

        javascript_judge.prepare()
    policy = isolation.Policy(
        tier=settings["tier"], profile="judge", memory_bytes=4 << 30, cpu_seconds=1 << 30
    )
    # The parent to die with is the one there is: this process hardens itself, not a child.
    prepared = isolation.prepare(policy)._replace(parent=os.getppid())
    isolation.harden(prepared, (0, 1, 2, supervisor.fileno(), control.fileno()))
    gc.collect()
    gc.freeze()
    JudgeProcess(supervisor, control, settings["node"]).run()
