"""Python values as tagged JSON: how they cross the boundary between candidate and judge.

Both ends use it. What is decoded is always a plain value: an instance of a subclass travels as
the value of its built-in base, so that no method of the candidate's ever decides a comparison.
Everything else becomes a handle, which equals nothing but itself. It never uses pickle.

    python -c "from selfdebug.sandbox.wire import encode; print(encode((1, {2})))"

Forms: JSON for None, bool, int, str, finite float and list; {"t": [..]} tuple; {"s": [..]} set;
{"f": [..]} frozenset; {"d": [[k, v], ..]} dict; {"b": hex} bytes; {"B": hex} bytearray;
{"c": [re, im]} complex; {"n": "nan" | "inf" | "-inf"}; {"i": hex} an int past 63 bits;
{"x": [type, ...]} a value of the standard library; {"h": id, "type": name} a handle.
"""

# Values of every type pass through here, so their types are unknown by nature.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownLambdaType=false

from __future__ import annotations

import builtins
import datetime
from collections import deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

MAX_NODES = 4_000_000
MAX_DEPTH = 200
_SMALL = 1 << 63

Handle = dict[str, Any]
Export = Callable[[object], Handle]


class Unserialisable(Exception):
    """The value is too deep, too large or cyclic."""


def refuse(value: object) -> Handle:
    """Export nothing: for callers whose values must all be plain."""
    raise Unserialisable(f"a {type(value).__name__} object is not a plain value")


def encode(value: object, export: Export = refuse) -> Any:
    """Return `value` as JSON data. Raises Unserialisable; `export` turns objects into handles."""
    return _Encoder(export).encode(value, 0)


class _Encoder:
    def __init__(self, export: Export) -> None:
        self._export = export
        self._left = MAX_NODES

    def encode(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is str or kind is bool or value is None:
            return value
        if kind is int:
            return value if -_SMALL < value < _SMALL else {"i": hex(value)}
        if kind is float:
            return _float(value)
        if depth > MAX_DEPTH:
            raise Unserialisable("the value is nested too deeply, or contains itself")
        return self._container(value, depth + 1)

    def _all(self, values: Iterable[Any], depth: int) -> list[Any]:
        encoded = [self.encode(value, depth) for value in values]
        self._left -= len(encoded)
        if self._left < 0:
            raise Unserialisable(f"the value has more than {MAX_NODES:,} parts")
        return encoded

    def _container(self, value: Any, depth: int) -> Any:  # noqa: PLR0911 - a table of types
        # The base class's own methods are called, never the subclass's.
        if isinstance(value, list):
            return self._all(list.__iter__(value), depth)
        if isinstance(value, tuple):
            return {"t": self._all(tuple.__iter__(value), depth)}
        if isinstance(value, dict):
            return {"d": [self._all(pair, depth) for pair in dict.items(value)]}
        if isinstance(value, set):
            return {"s": self._all(set.__iter__(value), depth)}
        if isinstance(value, frozenset):
            return {"f": self._all(frozenset.__iter__(value), depth)}
        if isinstance(value, bytes):
            return {"b": bytes.hex(value)}
        if isinstance(value, bytearray):
            return {"B": bytearray.hex(value)}
        if isinstance(value, int):
            return self.encode(int.__int__(value), depth)
        if isinstance(value, float):
            return _float(float.__float__(value))
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, complex):
            plain = complex.__complex__(value)
            return {"c": [_float(plain.real), _float(plain.imag)]}
        return self._library(value, depth)

    def _library(self, value: Any, depth: int) -> Any:  # noqa: PLR0911 - a table of types
        kind = type(value)
        if kind is range:
            return {"x": ["range", value.start, value.stop, value.step]}
        if kind is deque:
            return {"x": ["deque", self._all(value, depth), value.maxlen]}
        if kind is Decimal:
            return {"x": ["Decimal", str(value)]}
        if kind is Fraction:
            return {"x": ["Fraction", str(value)]}
        if kind in (datetime.date, datetime.datetime, datetime.time):
            return {"x": [kind.__name__, value.isoformat()]}
        if kind is datetime.timedelta:
            return {"x": ["timedelta", value.days, value.seconds, value.microseconds]}
        if kind is type and getattr(builtins, value.__name__, None) is value:
            return {"x": ["type", value.__name__]}
        if kind is type({}.keys()):
            return {"x": ["dict_keys", self._all(value, depth)]}
        if kind is type({}.values()):
            return {"x": ["dict_values", self._all(value, depth)]}
        if kind is type({}.items()):
            return {"x": ["dict_items", [self._all(pair, depth) for pair in value]]}
        return self._export(value)


def _float(value: float) -> Any:
    if value - value == 0.0:  # finite
        return value
    return {"n": repr(value)}  # "nan", "inf" or "-inf"


_TYPES = {name: value for name, value in vars(builtins).items() if type(value) is type}
_LIBRARY: dict[str, Callable[..., Any]] = {
    "type": lambda name: _TYPES[name],
    "range": range,
    "deque": deque,
    "Decimal": Decimal,
    # Not Fraction(text), which would compute 10**999999999 for "1e999999999".
    "Fraction": lambda text: Fraction(*map(int, text.split("/"))),
    "date": datetime.date.fromisoformat,
    "datetime": datetime.datetime.fromisoformat,
    "time": datetime.time.fromisoformat,
    "timedelta": datetime.timedelta,
    "dict_keys": lambda keys: dict.fromkeys(keys).keys(),
    "dict_values": lambda values: dict(enumerate(values)).values(),
    "dict_items": lambda items: dict(items).items(),
}

_TAGS: dict[str, Callable[..., Any]] = {
    "b": bytes.fromhex,
    "B": bytearray.fromhex,
    "n": float,
    "i": lambda text: int(text, 16),
}


def decode(data: Any, resolve: Callable[[Handle], Any] | None = None) -> Any:
    """Return the plain value of `data`; `resolve` turns handles into objects.

    Raises ValueError for anything that `encode` does not write.
    """
    try:
        return _decode(data, resolve)
    except (TypeError, KeyError, IndexError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"not a value of the wire: {error}") from error


def _decode(data: Any, resolve: Callable[[Handle], Any] | None) -> Any:  # noqa: PLR0911 - a table of tags
    if type(data) is list:
        return [_decode(item, resolve) for item in data]
    if type(data) is not dict:
        return data
    if "h" in data:
        if resolve is None:
            raise ValueError("a handle where a plain value is needed")
        return resolve(data)
    ((tag, body),) = data.items()
    if tag == "t":
        return tuple([_decode(item, resolve) for item in body])
    if tag == "d":
        return {_decode(key, resolve): _decode(item, resolve) for key, item in body}
    if tag == "s":
        return {_decode(item, resolve) for item in body}
    if tag == "f":
        return frozenset([_decode(item, resolve) for item in body])
    if tag == "c":
        return complex(*[_decode(part, resolve) for part in body])
    if tag == "x":
        return _LIBRARY[body[0]](*[_decode(part, resolve) for part in body[1:]])
    return _TAGS[tag](body)
