"""What a candidate's reply may look like. The candidate can write any frame, and will.

Above all it may not choose its own verdict: the status of an error is one of those that say that
something went wrong. A reply of another form has broken the protocol.

    python -m pytest tests/attacks
"""

from __future__ import annotations

from typing import Any, cast

from selfdebug.sandbox.channel import Lost, Message

MAX_TEXT = 4_000  # characters of an error's message

# Not "pass", and not "unknown" either, which would spare a failing program its verdict.
_STATUSES = frozenset(
    ("exception", "exited_early", "load_error", "memory", "output_limit", "timeout")
) | {"unserialisable"}


def checked(reply: Message) -> Message:
    """Return a reply with its texts cut to size. Raises Lost("protocol") if its form is wrong."""
    if "error" in reply:
        reply["error"] = _error(reply["error"])
    if "names" in reply:
        names: Any = reply["names"]
        _require(isinstance(names, dict) and _all(names.values(), str))
    if "lines" in reply:
        _require(isinstance(reply["lines"], list) and _all(reply["lines"], int))
    for step in _list(reply.get("trace", [])):
        line, values = _list(step, 2)
        _require(type(line) is int and isinstance(values, dict) and _all(values.values(), str))
    return reply


def _error(error: Any) -> Message:
    _require(isinstance(error, dict))
    found = cast("Message", error)
    _require(_all((found.get("type"), found.get("message"), found.get("status")), str))
    _require(found["status"] in _STATUSES and type(found.get("line")) is int)
    _require(_all(_list(found.get("bases")), str))
    return {**found, "type": found["type"][:MAX_TEXT], "message": found["message"][:MAX_TEXT]}


def _list(value: Any, length: int | None = None) -> list[Any]:
    _require(isinstance(value, list))
    found = cast("list[Any]", value)
    _require(length is None or len(found) == length)
    return found


def _all(values: Any, kind: type) -> bool:
    return all(type(value) is kind for value in values)


def _require(holds: bool) -> None:
    if not holds:
        raise Lost("protocol")
