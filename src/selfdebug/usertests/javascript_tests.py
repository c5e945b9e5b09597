"""JavaScript tests as a user writes them: node:test files, and scripts of asserts.

It reads syntax and runs nothing. A script's text is rewritten, in memory, so that each of its
top-level asserts has a result of its own; line numbers stay.

    selfdebug fix calc.js --tests calc.test.js
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from selfdebug.languages.javascript_edit import Edit, Program
from selfdebug.types import SelfdebugError

if TYPE_CHECKING:
    from tree_sitter import Node

Format = Literal["module", "commonjs"]

_NODE_TEST = re.compile(r"""['"](?:node:)?test['"]""")
_OTHER_RUNNER = re.compile(r"\b(?:describe|it|test)\s*\(|\bexpect\s*\(")
_ASSERT = re.compile(r"\bassert\b")
# What comes after the end of the statement that it stands in.
_LATER = re.compile(r"\b(?:async|Promise|setTimeout|setImmediate|setInterval|process)\b|\.then\(")
_DECLARATIONS = ("import_statement", "export_statement", "comment", "hash_bang_line")


def runs_under_node_test(path: Path, text: str) -> bool:
    """Tell a node:test file from a script of asserts; raises SelfdebugError for anything else."""
    if is_node_test(text):
        return True
    if _ASSERT.search(text):
        return False
    if _OTHER_RUNNER.search(text):
        raise SelfdebugError(
            f"{path} is written for jest, mocha or vitest; selfdebug runs node:test files and "
            "scripts of asserts"
        )
    raise SelfdebugError(f"{path} has no test: no node:test, no assert")


def is_node_test(text: str) -> bool:
    """Tell whether a text uses node:test."""
    return bool(_NODE_TEST.search(text))


def format_of(path: Path) -> Format:
    """Return how node loads a file: by its suffix, or the nearest package.json."""
    if path.suffix != ".js":
        return "module" if path.suffix == ".mjs" else "commonjs"
    for folder in path.resolve().parents:
        manifest = folder / "package.json"
        if manifest.is_file():
            try:
                package = json.loads(manifest.read_text(encoding="utf-8"))
            except ValueError as error:
                raise SelfdebugError(f"{manifest} is not JSON: {error}") from error
            return "module" if package.get("type") == "module" else "commonjs"
    return "commonjs"


def instrumented(text: str, name: str) -> tuple[str, list[str]]:
    """Return a script whose top-level asserts report themselves, and the ids they report under.

    No ids: its asserts come late (promises, timers) or not at the top level, so that the script
    is one test.
    """
    program = Program(text)
    if _LATER.search(text) or not program.parses:
        return text, []
    edits: list[Edit] = []
    ids: list[str] = []
    for node in checks(program):
        test_id = f"{name}:{program.line(node.start_byte)}"
        if test_id in ids:
            return text, []  # two on a line
        ids.append(test_id)
        quoted = json.dumps(test_id)
        before = f"try {{ __selfdebug__.begin({quoted}); "
        after = (
            f"; __selfdebug__.pass({quoted}); }} catch (e) {{ __selfdebug__.fail({quoted}, e); }}"
        )
        edits += [
            Edit(node.start_byte, node.start_byte, before),
            Edit(node.end_byte, node.end_byte, after),
        ]
    return program.edited(edits), ids


def checks(program: Program) -> Iterator[Node]:
    """Yield the top-level statements that test something as they run."""
    helpers: set[str] = set()
    for node in program.root.named_children:
        text = program.text(node)
        if node.type in _DECLARATIONS:
            continue
        if node.type in ("function_declaration", "lexical_declaration", "variable_declaration"):
            if _ASSERT.search(text) and "require" not in text:
                helpers |= set(re.findall(r"(?:function|const|let|var)\s+(\w+)", text))
            continue
        called = set(re.findall(r"\b(\w+)\s*\(", text))
        if _ASSERT.search(text) or called & helpers:
            yield node
