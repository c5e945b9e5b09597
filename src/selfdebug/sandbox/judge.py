"""The judge: a process of its own that runs a task's tests and decides.

It takes jobs from the supervisor and reports one result a test; how it comes by them is `session`.
Test programs are code too, so it is hardened, and holds no secret but the tests. The candidate is
in another process.

    python -m pytest tests/test_sandbox.py
"""

from __future__ import annotations

import gc
import importlib.util
import os
import signal
import socket
import sys
import traceback
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from selfdebug.sandbox import isolation, python_judge
from selfdebug.sandbox.channel import Channel, Lost, Message
from selfdebug.sandbox.seat import Seat
from selfdebug.sandbox.session import Session

MAX_TASKS = 512  # whose tests are kept, compiled
GRACE_SECONDS = 2.0  # of the judge's own work, past a test's wall-clock limit


class JudgeProcess:
    """Serves jobs one at a time."""

    def __init__(self, supervisor: Channel, control: socket.socket, node: str) -> None:
        self._supervisor = supervisor
        self._node = node
        self._control = control
        self._output = os.memfd_create("output")
        self._seat = Seat()
        self._tasks: OrderedDict[str, Message] = OrderedDict()

    def run(self) -> None:
        """Serve until the supervisor hangs up."""
        while True:
            self._seat.leave()
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
                self._run_job(
                    {**task, **job, "tests": tests, "node": self._node, "cpu": self._seat.take()}
                )
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
        stdout = Session(job, self._control, self._output).run(results.append)
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

        channel.send({"done": True, "stdout": Session(job, control, output).run(emit)})
    except BaseException:
        traceback.print_exc()  # into the worker's log, which the supervisor quotes
    finally:  # this child must not return into the judge's loop
        os._exit(0)


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
