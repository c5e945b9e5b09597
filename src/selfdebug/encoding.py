"""Nouns as JSON values, and JSON values as nouns.

The types of a noun's fields say how: what they do not allow is refused, with the field's name.
It knows neither files nor keys: those are the store's.

    python -c "from selfdebug.encoding import encode; from selfdebug.types import Limits
    print(encode(Limits(cpu_seconds=1.0)))"
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints


def encode(value: Any) -> Any:
    """Return a noun as JSON values. Fields at their default are left out: lines stay short."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = ((name, getattr(value, name), default) for name, default in _defaults(type(value)))
        return {name: encode(item) for name, item, default in pairs if item != default}
    if isinstance(value, Mapping):
        return {name: encode(item) for name, item in cast(Mapping[str, Any], value).items()}
    if isinstance(value, list | tuple):
        return [encode(item) for item in cast(Iterable[Any], value)]
    return value


def decode(kind: Any, value: Any, where: str = "") -> Any:
    """Return JSON values as a `kind` (a noun, or the type of one of its fields).

    Raises ValueError naming the field that is wrong.
    """
    if kind is Any:
        return value
    if get_origin(kind) is not None:
        return _decode_generic(kind, value, where)
    if dataclasses.is_dataclass(kind):
        noun = cast(type[Any], kind)
        return _decode_noun(noun, value, where or noun.__name__)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ValueError(f"{where} is {value!r:.60}, not a {kind.__name__}")
    return value


def _decode_generic(kind: Any, value: Any, where: str) -> Any:
    """Return `value` as a Literal, an optional, a tuple or a mapping."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        if value not in parts:
            raise ValueError(f"{where} is {value!r:.60}, not one of {', '.join(map(str, parts))}")
        return value
    if origin in (Union, UnionType):
        part = next(part for part in parts if part is not NoneType)
        return None if value is None else decode(part, value, where)
    if origin is tuple:
        items = cast(list[Any], _expect(list, value, where))
        kinds = [parts[0]] * len(items) if parts[-1] is Ellipsis else list(parts)
        if len(items) != len(kinds):
            raise ValueError(f"{where} has {len(items)} items, not {len(kinds)}")
        return tuple(decode(k, item, f"{where}[]") for k, item in zip(kinds, items, strict=True))
    pairs = cast(dict[str, Any], _expect(dict, value, where))
    return {name: decode(parts[1], item, f"{where}.{name}") for name, item in pairs.items()}


def _decode_noun(kind: type[Any], value: Any, where: str) -> Any:
    given = cast(dict[str, Any], _expect(dict, value, where))
    hints = _hints(kind)
    if unknown := sorted(given.keys() - hints.keys()):
        raise ValueError(f"{where} has no field {unknown[0]!r}")
    if missing := [n for n, d in _defaults(kind) if d is _REQUIRED and n not in given]:
        raise ValueError(f"{where} lacks {missing[0]!r}")
    return kind(**{n: decode(hints[n], item, f"{where}.{n}") for n, item in given.items()})


def _expect(kind: type[Any], value: Any, where: str) -> Any:
    if not isinstance(value, kind):
        name = "a list" if kind is list else "an object"
        raise ValueError(f"{where} is {value!r:.60}, not {name}")
    return value


_REQUIRED = object()  # differs from every value, so a required field is always written


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


@cache
def _defaults(kind: type[Any]) -> tuple[tuple[str, Any], ...]:
    def default(field: dataclasses.Field[Any]) -> Any:
        if field.default_factory is not dataclasses.MISSING:
            return field.default_factory()
        return _REQUIRED if field.default is dataclasses.MISSING else field.default

    return tuple((field.name, default(field)) for field in dataclasses.fields(kind))
