"""The JavaScript candidate's process: loads a program into QuickJS and answers the judge's calls.

It holds no test, no expected value and no verdict; it passes texts between the judge and the
engine and gives none of them a meaning. `prepare` makes an engine before the fork, so that a
program does not pay for it.

    python -m pytest tests/test_javascript_engine.py
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import time
from collections.abc import Callable
from typing import Any, cast

from selfdebug.sandbox.channel import Message
from selfdebug.sandbox.javascript_realm import EngineError, Realm, TimeUp, safe

_MEMORY_SHARE = 0.8  # of the address space: the engine should notice before malloc fails
_CALLBACK = '"$":"callback"'
_MAX_DEPTH = 50  # of calls between the two processes
_SURROGATE = re.compile("[\ud800-\udfff]")
_spare: list[Realm] = []


def prepare() -> None:
    """Make an engine ahead of time; children of a fork each have a copy of it."""
    if not _spare:
        _spare.append(Realm("candidate"))


class Engine:
    """Answers the judge's messages about one program."""

    def __init__(self, request: Callable[[Message], Message]) -> None:
        # Python's handler would wait until the engine returns, which a loop never does: let the
        # timer of candidate.py kill the process; the judge knows that signal for a time-out.
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        prepare()
        self._realm = _spare.pop()
        self._realm.on_request = self._callback
        memory = resource.getrlimit(resource.RLIMIT_AS)[0]
        if memory != resource.RLIM_INFINITY:
            self._realm.limit(int(memory * _MEMORY_SHARE))
        self._request = request
        self._calls_back = False
        self._depth = 0

    def handle(self, message: Message) -> Message:
        """Answer one message."""
        if message["op"] == "main":
            self._realm.call("stdin", safe(message.get("stdin", "")))
        text = json.dumps(message)
        # A function of the judge, once given, may be called at any later time.
        self._calls_back = self._calls_back or _CALLBACK in message.get("args", "")
        seconds = 0.0 if self._calls_back else signal.getitimer(signal.ITIMER_PROF)[0]
        started = time.process_time()
        if seconds:  # the engine's clock is exact; the kernel's is up to a quarter fast: stand by
            signal.setitimer(signal.ITIMER_PROF, seconds * 1.5)
        try:
            self._realm.begin(seconds or None)
            return self._answer(text)
        except TimeUp:
            used = time.process_time() - started
            return _error(
                "TimeoutError", f"still running after {used:.1f} s of CPU time", "timeout"
            )
        except EngineError as error:
            return _engine_error(error)
        finally:
            if seconds:
                left = seconds - (time.process_time() - started)
                signal.setitimer(signal.ITIMER_PROF, max(left, 0.001))

    def _answer(self, text: str) -> Message:
        answer = self._realm.call("handle", text)
        if answer is None:
            answer = self._realm.settle()
        else:
            self._realm.run_jobs()
        if answer.startswith("="):
            return {"value": answer[1:]}
        reply: object = json.loads(answer)
        if not isinstance(reply, dict):
            raise EngineError("Error: the program broke the engine that it runs in")
        message = cast(Message, reply)
        _print(str(message.pop("stdout", "")))
        return message

    def _callback(self, text: str) -> str:
        """Ask the judge to run a function of the test; answer what it asks meanwhile."""
        if self._depth >= _MAX_DEPTH:
            return json.dumps(_error("RangeError", "Maximum call stack size exceeded", "exception"))
        self._depth += 1
        answer = self._request(json.loads(text))
        while "op" in answer:
            answer = self._request(self.handle(answer))
        self._depth -= 1
        return safe(json.dumps(answer))


def _engine_error(error: EngineError) -> Message:
    kind, _, text = str(error).partition(": ")
    if text == "out of memory":
        return _error("RangeError", "out of memory", "memory")
    return _error(kind, text, "exception")


def _error(kind: str, text: str, status: str) -> dict[str, Any]:
    error = {"type": kind, "bases": [kind], "message": text, "line": 0, "status": status}
    return {"error": error}


def _print(text: str) -> None:
    data = _SURROGATE.sub("\ufffd", text).encode()  # as node prints half a character
    while data:
        data = data[os.write(1, data) :]
