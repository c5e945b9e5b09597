"""The child that holds one candidate: serves the judge's requests over its only open channel.

It is forked by the zygote and hardened before it gets here. It never holds a test, an expected
value or a verdict. The clock it keeps is a courtesy (it can say which line was running); the
judge's wall clock is the one that cannot be tampered with.

    python -m pytest tests/test_sandbox.py
"""

from __future__ import annotations

import os
import signal
import socket
import types
from collections.abc import Callable
from typing import Any, Protocol

from selfdebug.sandbox import python_candidate
from selfdebug.sandbox.channel import Channel, Message


class Engine(Protocol):
    """What a language's candidate side looks like."""

    def handle(self, message: Message) -> Message:
        """Answer one message."""
        ...


class Server:
    """Serves one candidate. Made before the fork: what is ready then costs a program nothing."""

    def __init__(self, language: str) -> None:
        if language == "python":
            python_candidate.warm()
        self._clock = _Clock()
        self._engine = _engine(language)(self._request)
        self._channel: Channel

    def serve(self, end: socket.socket) -> None:
        """Answer requests until the judge hangs up; then raise Lost."""
        channel = self._channel = Channel(end)
        clock, engine = self._clock, self._engine
        clock.reports_to(channel)
        while True:
            message = channel.receive()
            clock.start(message.pop("cpu", 0.0))
            reply = engine.handle(message)
            clock.stop()
            channel.send(reply)

    def _request(self, callback: Message) -> Message:
        self._clock.stop()
        self._channel.send(callback)
        answer = self._channel.receive()
        self._clock.resume()
        return answer


def _engine(language: str) -> Callable[[Callable[[Message], Message]], Engine]:
    if language == "python":
        return python_candidate.Engine
    if language == "suite":
        from selfdebug.sandbox import suite_candidate

        return suite_candidate.Engine
    from selfdebug.sandbox import javascript_candidate

    return javascript_candidate.Engine


class _Clock:
    """CPU time of one test: it runs while the candidate does and pauses between its calls."""

    def __init__(self) -> None:
        self._channel: Channel
        self._limit = self._left = 0.0
        signal.signal(signal.SIGPROF, self._expired)

    def reports_to(self, channel: Channel) -> None:
        """Say on this channel that the time is over."""
        self._channel = channel

    def start(self, seconds: float) -> None:
        """Start a request; a positive number begins a new test with that much CPU time."""
        if seconds:
            self._limit = self._left = seconds
        self.resume()

    def resume(self) -> None:
        """Let the clock run on with what is left."""
        signal.setitimer(signal.ITIMER_PROF, max(self._left, 0.001))

    def stop(self) -> None:
        """Pause the clock."""
        self._left = signal.setitimer(signal.ITIMER_PROF, 0)[0]

    def _expired(self, _number: int, frame: types.FrameType | None) -> Any:
        line = 0
        while frame is not None and not line:
            if frame.f_code.co_filename == python_candidate.FILENAME:
                line = frame.f_lineno
            frame = frame.f_back
        error = {
            "type": "TimeoutError",
            "bases": ["TimeoutError", "OSError", "Exception"],
            "message": f"still running after {self._limit:g} s of CPU time",
            "line": line,
            "status": "timeout",
        }
        self._channel.send({"error": error})
        os._exit(0)
