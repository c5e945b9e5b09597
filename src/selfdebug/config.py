"""Settings as frozen dataclasses, and run.toml: what a run was made with and on.

A stage declares its settings as one frozen dataclass of plain values. `to_toml` and `read_run`
are the two directions of run.toml, `settings` turns what was read (or a command line's options)
into the dataclass again with a clear line for each way it can be wrong. It writes no file
(`store.write_text` does) and knows no flag syntax (`cli` does).

    python -c "from selfdebug import config; print(config.to_toml(config.describe()))"
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import platform
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

from selfdebug.types import SelfdebugError

PACKAGES = ("selfdebug", "quickjs-ng", "tree-sitter", "torch", "transformers", "trl", "peft")
GIB = 1 << 30

Settings = TypeVar("Settings")
Tables = Mapping[str, Mapping[str, Any]]


def describe() -> dict[str, dict[str, Any]]:
    """Return what a run runs on: versions, hardware, git revision and time."""
    return {
        "versions": {"python": platform.python_version()} | _packages(),
        "hardware": {
            "machine": platform.machine(),
            "system": f"{platform.system()} {platform.release()}",
            "processor": _processor(),
            "cores": len(os.sched_getaffinity(0)),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB, 1),
            "gpus": _gpus(),
        },
        "run": {
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "git": _git("describe", "--always", "--dirty", "--abbrev=12"),
        },
    }


def to_toml(tables: Tables) -> str:
    """Return tables of plain values (text, numbers, booleans, lists of those) as TOML.

    None has no TOML; such a key is left out, which reads back as "not given".
    """
    blocks: list[str] = []
    for name, table in tables.items():
        lines = [f"{_key(key)} = {_value(v)}" for key, v in table.items() if v is not None]
        blocks.append("\n".join([f"[{_key(name)}]", *lines]))
    return "\n\n".join(blocks) + "\n"


def read_run(path: str | Path) -> dict[str, dict[str, Any]]:
    """Return the tables of a run.toml."""
    try:
        with Path(path).open("rb") as file:
            tables = tomllib.load(file)
    except OSError as error:
        raise SelfdebugError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SelfdebugError(f"{path} is not TOML: {error}") from error
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise SelfdebugError(f"{path}: {name!r} stands outside a table such as [settings]")
    return tables


def settings(kind: type[Settings], values: Mapping[str, Any], source: str = "") -> Settings:
    """Return a `kind` from plain values; what is not given keeps its default.

    source says where the values came from, for the error. A number may come as text, as it does
    from a command line.
    """
    hints = get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(cast(Any, kind))}
    where = f"{source}: " if source else ""
    for name in values:
        if name not in fields:
            near = get_close_matches(name, fields, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(fields)}"
            raise SelfdebugError(f"{where}no setting {name!r}: {hint}")
    for name, field in fields.items():
        has_default = not (field.default is field.default_factory is dataclasses.MISSING)
        if name not in values and not has_default:
            raise SelfdebugError(f"{where}the setting {name!r} is missing")
    return kind(**{name: _typed(hints[name], v, where + name) for name, v in values.items()})


def as_table(value: Any) -> dict[str, Any]:
    """Return a settings dataclass as a table for `to_toml`."""
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _typed(kind: Any, value: Any, where: str) -> Any:
    """Return a plain value as the type that a field declares."""
    if get_origin(kind) is UnionType:  # "kind | None", where None means "not given"
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            choices = ", ".join(map(str, get_args(kind)))
            raise SelfdebugError(f"{where} is {value!r}, not one of {choices}")
        return value
    if get_origin(kind) is tuple:
        items: list[Any] = value.split(",") if isinstance(value, str) else list(value)
        return tuple(_typed(get_args(kind)[0], item, where) for item in items)
    if kind is bool and value in ("true", "false"):
        return value == "true"
    if type(value) is kind:
        return value
    if kind is not bool and (isinstance(value, str) or (kind is float and type(value) is int)):
        with contextlib.suppress(TypeError, ValueError):
            return kind(value)
    raise SelfdebugError(f"{where} is {value!r}, not {_NAMES.get(kind, kind)}")


_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def _key(name: str) -> str:
    plain = name.isascii() and name.replace("_", "a").replace("-", "a").isalnum()
    return name if plain else _value(name)


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case list() | tuple():
            return f"[{', '.join(_value(item) for item in cast(list[Any], value))}]"
        case _:
            # JSON's escapes are TOML's, but for DEL, which TOML wants escaped, and for surrogate
            # pairs, which TOML forbids: so other characters stand as they are.
            text = str(value).encode("utf-8", "replace").decode()
            return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _packages() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # optional, and then it took no part in the run
    return found


def _processor() -> str:
    return next(_fields(Path("/proc/cpuinfo"), "model name"), platform.processor())


def _gpus() -> list[str]:
    folders = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    return [name for path in folders for name in _fields(path, "Model")]


def _fields(path: Path, name: str) -> Iterator[str]:
    """Yield the values of the lines `name : value` of a file of /proc, where there is one."""
    with contextlib.suppress(OSError):
        for line in path.read_text().splitlines():
            if line.startswith(name):
                yield line.partition(":")[2].strip()


def _git(*arguments: str) -> str:
    """Return git's answer about the working folder, or "" where there is none."""
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
