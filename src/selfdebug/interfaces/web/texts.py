"""Every text of the playground, read from one TOML file: a translation is one more such file.

A file that lacks a text, has one too many, or leaves out what a text must show, is refused by name.

    selfdebug play --texts mine.toml
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from selfdebug.types import SelfdebugError

ENGLISH = Path(__file__).parent / "texts" / "en.toml"

_FIELD = re.compile(r"{(\w*)}")


def load(path: Path = ENGLISH) -> dict[str, str]:
    """Return the texts by key; raises SelfdebugError for a file that is not a whole translation."""
    texts = _read(path)
    english = texts if path == ENGLISH else _read(ENGLISH)
    if missing := english.keys() - texts.keys():
        raise SelfdebugError(f"{path}: the texts {', '.join(sorted(missing))} are missing")
    if unknown := texts.keys() - english.keys():
        raise SelfdebugError(f"{path}: there are no texts {', '.join(sorted(unknown))}")
    for key, text in texts.items():
        if set(_FIELD.findall(text)) != set(_FIELD.findall(english[key])):
            fields = ", ".join(f"{{{name}}}" for name in _FIELD.findall(english[key])) or "nothing"
            raise SelfdebugError(f"{path}: {key} must show {fields} in braces")
    return texts


def _read(path: Path) -> dict[str, str]:
    try:
        texts: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SelfdebugError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:  # no TOML, or no UTF-8
        raise SelfdebugError(f"{path}: {error}") from error
    for key, text in texts.items():
        if not isinstance(text, str) or _FIELD.sub("", text).strip("{}") != _FIELD.sub("", text):
            raise SelfdebugError(f"{path}: {key} must be a text, with names alone in braces")
    return texts
