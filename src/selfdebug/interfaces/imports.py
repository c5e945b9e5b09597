"""Which files of a project a test file imports, and what those import in their turn.

It reads syntax and asks which files exist; it imports nothing.

    pytest tests/test_suspects.py
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from selfdebug.usertests import project

_JAVASCRIPT = re.compile(
    r"""(?:\bfrom\s*|\brequire\s*\(\s*|\bimport\s*\(?\s*)["'](\.{1,2}/[^"']+)["']"""
)
_ENDINGS = ("", ".js", ".mjs", ".cjs", "/index.js")
_DEPTH = 3  # imports of imports of imports
_BASES = ("src", "lib", ".")


def imported(file: Path, root: Path) -> list[Path]:
    """Return the files under `root` that a file imports, the nearest first, without itself."""
    found: dict[Path, None] = {file: None}
    layer = [file]
    for _ in range(_DEPTH):
        following = [path for each in layer for path in _direct(each, root) if path not in found]
        layer = list(dict.fromkeys(following))
        found |= dict.fromkeys(layer)
    return list(found)[1:]


def _direct(file: Path, root: Path) -> Iterator[Path]:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:  # a test need not be a file that can be read
        return
    found = _of_python(file, text, root) if file.suffix == ".py" else _of_javascript(file, text)
    yield from (path for path in found if path.is_relative_to(root))


def _of_javascript(file: Path, text: str) -> Iterator[Path]:
    for name in _JAVASCRIPT.findall(text):
        paths = (Path(f"{file.parent / name}{ending}") for ending in _ENDINGS)
        yield from (path.resolve() for path in paths if path.is_file())


def _of_python(file: Path, text: str, root: Path) -> Iterator[Path]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    bases = [file.parent, project.package_root(file), *(root / name for name in _BASES)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _modules(alias.name, bases)
        elif isinstance(node, ast.ImportFrom):
            above = list(file.parents)[node.level - 1 : node.level] if node.level else bases
            for alias in node.names:
                name = ".".join(part for part in (node.module, alias.name) if part)
                yield from _modules(name, above)


def _modules(name: str, bases: list[Path]) -> Iterator[Path]:
    """Yield the file of a dotted name, or of what it is a name in; then of its packages."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        for base in bases:
            path = base.joinpath(*parts[:length])
            for found in (path.with_name(f"{path.name}.py"), path / "__init__.py"):
                if found.is_file():
                    yield found.resolve()
                    break
