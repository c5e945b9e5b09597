"""The judge's line to one candidate: starts it through the zygote, asks, and finds out how it died.

It keeps the wall clock of a test, which nothing in the candidate can touch. It gives no verdict.

    python -m pytest tests/test_sandbox.py
"""

from __future__ import annotations

import itertools
import json
import os
import socket
from collections.abc import Callable
from typing import Any

from selfdebug.sandbox.channel import Channel, Lost, Message
from selfdebug.sandbox.replies import checked
from selfdebug.sandbox.seat import ANY, SHARED

REPLY_SLACK = 1 << 16  # bytes of a reply around its values
_REAP_SECONDS = 10.0
_EXIT_SECONDS = 0.2  # between closing its channel and being gone


class ZygoteLost(Exception):
    """The zygote did not answer: a fault of the harness."""


class Connection:
    """One candidate at a time, with the limits of a job."""

    def __init__(self, control: socket.socket, output: int, job: Message) -> None:
        self._control = control
        self._output = output  # a memory file for what the candidate prints
        self._job = job
        self._limits = job["limits"]
        self._channel: Channel | None = None
        self._fresh = True
        self._seconds = 0.0
        self._ids = itertools.count(1)
        self.engine = job["language"]
        self.lost: Lost | None = None

    @property
    def alive(self) -> bool:
        """Whether a candidate is loaded and has not been lost."""
        return self._channel is not None

    def begin_test(self, weight: int = 1) -> None:
        """Start the clocks of a test: wall-clock time here, CPU time with the next request."""
        self._seconds = self._limits["cpu_seconds"] * weight
        if self._channel is not None:
            self._channel.limit(self._seconds * self._limits["wall_factor"])
        self._fresh = True

    def start(self) -> None:
        """Fork a fresh candidate; nothing is loaded into it yet."""
        ours, theirs = socket.socketpair()
        limits = self._limits
        message = {
            "op": "spawn",
            "language": self.engine,
            "node": self._job["node"],
            "policy": {
                "profile": self._job.get("profile", "candidate"),
                "memory_bytes": limits["memory_bytes"],
                "output_bytes": limits["output_bytes"],
                "processes": self._job.get("processes", 16),
                "read_paths": self._job.get("read_paths", []),
            },
        }
        os.ftruncate(self._output, 0)
        os.lseek(self._output, 0, os.SEEK_SET)
        with theirs:
            fds = [theirs.fileno(), self._output]
            cpu = self._job["cpu"] if self.engine in SHARED else ANY
            order = f"{json.dumps(message)}\n{self._job['cpu_backstop']} {cpu}"
            socket.send_fds(self._control, [order.encode()], fds)
        self._channel = Channel(ours, limits["result_bytes"] + REPLY_SLACK)
        self.lost = None

    def load(self, observe: str) -> Message:
        """Load the job's program into the candidate and return its reply."""
        reply = self.request(
            {
                "op": "load",
                "prelude": self._job["prelude"],
                "code": self._job["code"],
                "observe": observe,
            }
        )
        if "error" not in reply and "names" not in reply:
            raise self._bury(Lost("protocol"))
        return reply

    def request(
        self, message: Message, on_callback: Callable[[Message], Message] | None = None
    ) -> Message:
        """Ask the candidate; its callbacks are answered meanwhile. Raises Lost."""
        channel = self._channel
        if channel is None:
            raise self.lost or Lost("closed")
        if self._fresh:
            self._fresh = False
            message = {**message, "cpu": self._seconds}
        try:
            reply = self._ask(channel, message, on_callback)
        except Lost as lost:
            raise self._bury(lost) from lost
        error = reply.get("error")
        if isinstance(error, dict) and error.get("status") == "timeout":  # pyright: ignore[reportUnknownMemberType]
            raise self._bury(Lost("timeout", error))  # pyright: ignore[reportUnknownArgumentType]
        return reply

    def _ask(
        self, channel: Channel, message: Message, on_callback: Callable[[Message], Message] | None
    ) -> Message:
        while True:
            channel.send(message)
            reply = channel.receive()
            if reply.get("op") != "callback":
                return checked(reply)
            if on_callback is None:
                raise Lost("protocol")
            message = on_callback(reply)

    def _bury(self, lost: Lost) -> Lost:
        """Add to `lost` how the candidate ended."""
        # Kept, because a test may swallow the exception and go on as if nothing had happened.
        patience = _EXIT_SECONDS if lost.reason == "closed" else 0.0
        self.lost = Lost(lost.reason, {**self.end(patience), **lost.detail})
        return self.lost

    def end(self, patience: float = 0.0) -> Message:
        """Kill the candidate, if any; return its exit code, signal, CPU seconds, peak bytes."""
        if self._channel is None:
            return {}
        self._channel.close()
        self._channel = None
        number = next(self._ids) + os.getpid() * 1000
        self._control.send(json.dumps({"op": "reap", "id": number, "patience": patience}).encode())
        while True:  # an earlier judge child may have left an answer unread
            data = self._receive_answer()
            if data["id"] == number:
                return data

    def stdout(self, limit: int) -> str:
        """Return what the candidate has printed, up to `limit` bytes."""
        return os.pread(self._output, limit, 0).decode("utf-8", "replace")

    def _receive_answer(self) -> dict[str, Any]:
        self._control.settimeout(_REAP_SECONDS)
        try:
            data = self._control.recv(1 << 16)
        except OSError as error:
            raise ZygoteLost(f"the candidate zygote does not answer: {error}") from error
        finally:
            self._control.settimeout(None)
        if not data:
            raise ZygoteLost("the candidate zygote is gone")
        return json.loads(data)
