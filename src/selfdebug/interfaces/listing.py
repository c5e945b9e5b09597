"""What there is to choose from: each plugin with the first sentence of its file.

The sentences are read, not imported, so that a plugin with missing dependencies is listed too.

    selfdebug ls benchmarks
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import selfdebug
from selfdebug import plugins
from selfdebug.types import SelfdebugError

FOLDERS = ("benchmarks", "mutators", "backends", "languages")
FEEDBACK_FILES = {  # a file named `tests` would look like its own tests
    "tests": "failing_test",
    "static": "static",
    "trace": "trace",
    "retrieved": "retrieved",
    "shuffled": "shuffled",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be named on the command line."""

    kind: str
    name: str
    summary: str


def listing(kind: str = "") -> list[Entry]:
    """Return what one kind offers, or all kinds."""
    kinds = (*FOLDERS, "feedback")
    if kind and kind not in kinds:
        near = get_close_matches(kind, kinds, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(kinds)}"
        raise SelfdebugError(f"no kind {kind!r}: {hint}")
    return [entry for k in kinds if kind in ("", k) for entry in _entries(k)]


def _entries(kind: str) -> list[Entry]:
    names = FEEDBACK_FILES if kind == "feedback" else {name: name for name in plugins.names(kind)}
    if kind == "languages":  # beside each stands the package that edits its programs
        names = {name: file for name, file in names.items() if not name.endswith("_edit")}
    return [Entry(kind, name, _first_sentence(kind, file)) for name, file in names.items()]


def _first_sentence(folder: str, file: str) -> str:
    root = Path(selfdebug.__file__).parent / folder
    path = root / f"{file}.py"
    source = path if path.is_file() else root / file / "__init__.py"
    text = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]
