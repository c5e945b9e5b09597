"""Runs JavaScript tests in the judge, in a QuickJS realm with stand-ins for the candidate's names.

Each use of a stand-in is one message to the candidate and one plain value back, so the data set's
own test program decides, unmodified. It holds the tests; the candidate never does.

    python -m pytest tests/test_javascript_engine.py
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Protocol

from selfdebug.sandbox import javascript_realm
from selfdebug.sandbox.channel import Lost, Message
from selfdebug.sandbox.javascript_realm import Realm, safe

_MAX_DEPTH = 50  # of calls between the two processes
_GONE = "!"
_realms: list[Realm] = []


class Connection(Protocol):
    """What a runner needs of the judge's line to the candidate."""

    def request(
        self, message: Message, on_callback: Callable[[Message], Message] | None = None
    ) -> Message:
        """Ask the candidate. Raises Lost."""
        ...


def prepare() -> None:
    """Get what a realm is made of, while this process still may."""
    javascript_realm.program()
    javascript_realm.stack_size()


class Runner:
    """Runs the tests of one task against one loaded candidate."""

    def __init__(self, task: Message, connection: Connection, names: dict[str, str]) -> None:
        self._connection = connection
        self._depth = 0
        self._lost: Lost | None = None
        about = {"entry_point": task["entry_point"], "prelude": task["prelude"], "names": names}
        self._realm = _realm(json.dumps(about))
        self._realm.on_request = self._request

    def run(self, test: Message) -> Message:
        """Return the result of one test as the fields of a TestResult. Lost passes through."""
        wanted = {key: test.get(key, "") for key in ("kind", "body", "expected")}
        self._realm.call("run", json.dumps(wanted))
        result: Message = json.loads(self._realm.settle())
        if self._lost is not None:
            raise self._lost
        return result

    def last_call(self) -> str:
        """Return the test's last call of the candidate, as source text."""
        return self._realm.call("lastCall") or ""

    def _request(self, text: str) -> str:
        try:
            reply = self._connection.request(json.loads(text), self._on_callback)
        except Lost as lost:  # not through the engine: a test could catch it there
            self._lost = lost
            return _GONE
        value = reply.get("value")
        if len(reply) == 1 and isinstance(value, str):
            return "=" + safe(value)
        return safe(json.dumps(reply))

    def _on_callback(self, message: Message) -> Message:
        if self._depth >= _MAX_DEPTH:
            raise Lost("protocol")
        self._depth += 1
        text = self._realm.call("callback", json.dumps(message))
        if text is None:
            text = self._realm.settle()
        self._depth -= 1
        return json.loads(text)


def _realm(about: str) -> Realm:
    """Return a realm set up for a task: the last one, unless a test has changed its built-ins."""
    if not _realms or _realms[0].call("setUp", about) != "clean":
        _realms[:] = [Realm("judge")]
        _realms[0].call("setUp", about)
    return _realms[0]
