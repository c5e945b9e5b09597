"""Stubs and proxies: what the judge's tests hold in the place of the candidate's things.

A stub sends a call and returns a plain value, or a proxy for an object. A proxy forwards method
calls, but never a comparison: an object of the candidate's equals nothing but itself.

    python -m pytest tests/test_sandbox.py
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from selfdebug.sandbox.channel import Message
from selfdebug.sandbox.connection import Connection
from selfdebug.sandbox.wire import Handle, decode, encode

_EXCEPTIONS: dict[str, type[BaseException]] = {
    name: value
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
}


class Unsplittable(Exception):
    """The test would let an object of the candidate's decide whether it is right."""


@dataclass(frozen=True, slots=True)
class RemoteError:
    """The last exception that came from the candidate: as raised here, and as described there."""

    exception: BaseException
    found: Message


class Remote:
    """Everything of one candidate that one test can reach."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._exported: list[Any] = []
        self._proxies: dict[int, Proxy] = {}
        self._names: dict[int, str] = {}  # of proxies that were read from another: "<Stack>.push"
        self._call: tuple[str, list[Any], dict[str, Any]] | None = None
        self._got: object = None
        self._exceptions: dict[str, type[BaseException]] = {}
        self.error: RemoteError | None = None
        self.observed: Message = {}

    def reset(self) -> None:
        """Forget the last test's calls."""
        self._call, self._got, self.error = None, None, None
        self.observed = {}

    def stub(self, name: str) -> Callable[..., Any]:
        """Return a function that calls the candidate's `name`."""

        def stub(*args: Any, **kwargs: Any) -> Any:
            return self.call(name, list(args), kwargs)

        stub.__name__ = name
        stub.__selfdebug_stub__ = True  # pyright: ignore[reportFunctionMemberAccess]
        return stub

    def call(
        self, target: str | int, args: list[Any], kwargs: dict[str, Any], method: str = ""
    ) -> Any:
        """Call the candidate; raise its exception here, under its own name."""
        name = target if isinstance(target, str) else self._names.get(target, "")
        name = name or f"<{self._proxies[int(target)].__type__}>"
        self._call = (f"{name}.{method}" if method else name, args, kwargs)
        self._got = None
        reply = self._ask(
            {
                "op": "call",
                "target": target,
                "method": method,
                "args": [encode(arg, self._export) for arg in args],
                "kwargs": {key: encode(arg, self._export) for key, arg in kwargs.items()},
            }
        )
        for before, after in zip(args, reply.get("args", ()), strict=False):
            _refill(before, self._decode(after))
        self._got = self._decode(reply.get("value"))
        return self._got

    def get(self, target: int, name: str) -> Any:
        """Read an attribute of one of the candidate's objects."""
        reply = self._ask({"op": "get", "target": target, "name": name})
        value = self._decode(reply.get("value"))
        if isinstance(value, Proxy):
            self._names[value.__handle__] = f"<{self._proxies[target].__type__}>.{name}"
        return value

    def set(self, target: int, name: str, value: Any) -> None:
        """Set an attribute of one of the candidate's objects."""
        encoded = encode(value, self._export)
        self._ask({"op": "set", "target": target, "name": name, "value": encoded})

    def last_call(self, limit: int) -> str:
        """Return the last call as source text."""
        if self._call is None:
            return ""
        name, args, kwargs = self._call
        parts = [shown(arg, limit) for arg in args]
        parts += [f"{key}={shown(value, limit)}" for key, value in kwargs.items()]
        return _cap(f"{name}({', '.join(parts)})", limit)

    def last_got(self, limit: int) -> str:
        """Return the last value that came back."""
        return shown(self._got, limit) if self._call is not None else ""

    def exception_class(self, name: str, base: str) -> type[BaseException]:
        """Return the class that stands here for an exception class of the candidate's."""
        parent = _EXCEPTIONS.get(base, Exception)
        return self._exceptions.setdefault(name, type(name, (parent,), {}))

    def _ask(self, message: Message) -> Message:
        reply = self._connection.request(message, self._callback)
        if "lines" in reply:
            lines = {*self.observed.get("lines", ()), *reply["lines"]}
            self.observed = {"lines": sorted(lines), "trace": reply.get("trace", [])}
        if "error" in reply:
            raise self._exception(reply["error"])
        return reply

    def _callback(self, message: Message) -> Message:
        """Let the candidate call a function that the test gave it; nothing else is reachable."""
        args = [self._decode(arg) for arg in message["args"]]
        try:
            value = self._exported[message["handle"]](*args)
        except Exception as error:  # the candidate sees it as its callback's own error
            return {"error": {"type": type(error).__name__, "message": str(error)}}
        return {"value": encode(value, self._export)}

    def _export(self, value: object) -> Handle:
        if isinstance(value, Proxy):
            return {"h": value.__handle__, "mine": True}
        self._exported.append(value)
        return {"h": len(self._exported) - 1}

    def _decode(self, data: Any) -> Any:
        return decode(data, self._resolve)

    def _resolve(self, handle: Handle) -> Any:
        number = handle["h"]
        if number not in self._proxies:
            self._proxies[number] = Proxy(self, number, str(handle["type"]), bool(handle.get("eq")))
        return self._proxies[number]

    def _exception(self, found: Message) -> BaseException:
        """Build an exception of the same name with the same built-in base."""
        name = str(found["type"])
        base = next((b for b in map(str, found["bases"]) if b in _EXCEPTIONS), "Exception")
        kind = _EXCEPTIONS[base] if base == name else self.exception_class(name, base)
        try:
            error = kind(found["message"])
        except TypeError:  # UnicodeDecodeError and the like want more arguments
            error = Exception(found["message"])
        self.error = RemoteError(error, found)
        return error


# Methods of the built-in types that tell whether a value is the expected one.
_PREDICATES = {"startswith", "endswith", "issubset", "issuperset", "isdisjoint"}


class Proxy:
    """An object of the candidate's. It forwards methods; it equals nothing but itself."""

    __remote__: Remote
    __handle__: int
    __type__: str
    __has_eq__: bool

    def __init__(self, remote: Remote, handle: int, kind: str, has_eq: bool) -> None:
        self.__dict__.update(__remote__=remote, __handle__=handle, __type__=kind, __has_eq__=has_eq)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        if name in _PREDICATES:
            raise Unsplittable(
                f"the test asks an object ({self.__type__}) about a value by its own {name}; "
                "compare plain values instead"
            )
        return self.__remote__.get(self.__handle__, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self.__remote__.set(self.__handle__, name, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it there, as a function."""
        return self.__remote__.call(self.__handle__, list(args), kwargs)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, Proxy) and self.__has_eq__ and other.__type__ == self.__type__:
            raise Unsplittable(
                f"the test compares two {self.__type__} objects by the program's own __eq__; "
                "compare their plain values instead"
            )
        return False

    def __hash__(self) -> int:
        return hash(self.__handle__)

    def __repr__(self) -> str:
        return f"<{self.__type__} object>"


def _forward(name: str) -> Callable[..., Any]:
    def method(self: Proxy, *args: Any) -> Any:
        try:
            return self.__remote__.call(self.__handle__, list(args), {}, name)
        except AttributeError as error:
            cause = self.__remote__.error
            if cause is None or cause.found["line"]:
                raise
            # Not the program's own error: its object lacks the method, as `len(3)` does.
            raise TypeError(f"{self!r} has no {name}") from error

    method.__name__ = name
    return method


# Methods that return values, and so may cross. Comparisons are left out on purpose.
_METHODS = (
    "str len iter next getitem setitem delitem reversed enter int float index round neg pos abs "
    "invert"
)
for _name in _METHODS.split():
    setattr(Proxy, f"__{_name}__", _forward(f"__{_name}__"))


def _operator(name: str) -> Callable[..., Any]:
    def method(self: Proxy, other: Any) -> Any:
        # `abs(f(x) - expected) < 1e-6` would hand an object the expected value and let it answer.
        if not isinstance(other, Proxy):
            raise Unsplittable(
                f"the test combines an object ({self.__type__}) with a plain value by the "
                f"program's own {name}; compare plain values instead"
            )
        try:
            return self.__remote__.call(self.__handle__, [other], {}, name)
        except AttributeError:
            cause = self.__remote__.error
            if cause is None or cause.found["line"]:
                raise
            return NotImplemented  # so that Python tries the other operand's, or the plain one

    method.__name__ = name
    return method


_OPERATORS = "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift"
for _name in _OPERATORS.split():
    for _prefix in ("", "r", "i"):
        setattr(Proxy, f"__{_prefix}{_name}__", _operator(f"__{_prefix}{_name}__"))


def _exit(self: Proxy, *_: object) -> bool:
    """Leave the block over there; what went wrong in the test's own block goes on from here."""
    self.__remote__.call(self.__handle__, [None, None, None], {}, "__exit__")
    return False


Proxy.__exit__ = _exit  # pyright: ignore[reportAttributeAccessIssue]


def _bool(self: Proxy) -> bool:
    """As Python decides it: __len__ where there is one, else true."""
    try:
        return len(self) > 0  # pyright: ignore[reportArgumentType] - set below
    except TypeError:
        return True


Proxy.__bool__ = _bool  # pyright: ignore[reportAttributeAccessIssue]


def _refill(before: Any, after: Any) -> None:
    """Give a changed argument its new contents in place, as the native call would have."""
    if type(before) is not type(after):
        return
    if isinstance(before, list):
        before[:] = after
    elif isinstance(before, dict | set):
        before.clear()  # pyright: ignore[reportUnknownMemberType]
        before.update(after)  # pyright: ignore[reportUnknownMemberType]


def shown(value: object, limit: int) -> str:
    """Return a value as source text of at most `limit` characters."""
    try:
        return _cap(repr(value), limit)
    except ValueError as error:  # Python prints no integer of more than 4,300 digits
        return f"<{type(value).__name__}: {error}>"


def _cap(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
