"""Programs that ship with selfdebug: broken ones to mend, and right ones to put bugs into.

Each file `python/*.md` or `javascript/*.md` is one program: its name, what it should do, the right
program, perhaps bugs as diffs, and tests. Split "bugs" holds every bug, a task each; "demo" the
first of each program; "references" every program as it should be.

    selfdebug eval demo --backend search
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from selfdebug.formats.data import check_split
from selfdebug.formats.javascript_checks import expected_value
from selfdebug.types import Language, SelfdebugError, Task, Test

LICENSE = "Apache-2.0"
SPLITS = ("demo", "bugs", "references")
EVALUATION_ONLY: tuple[str, ...] = ()
DATA = ()

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^## (.+)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Section:
    title: str
    blocks: tuple[tuple[str, str], ...]  # (the fence's word, its text)


def load(split: str = "demo", source: str = "") -> Iterator[Task]:
    """Yield the tasks; `source` is another folder in the same form."""
    check_split("demo", split, SPLITS)
    root = Path(source) if source else Path(__file__).parent
    languages: tuple[Language, ...] = ("python", "javascript")
    files: list[tuple[Path, Language]] = [
        (path, language) for language in languages for path in root.glob(f"{language}/*.md")
    ]
    if not files:
        raise SelfdebugError(f"no python/*.md or javascript/*.md in {root}")
    for path, language in sorted(files):
        right, bugs = _read(path, language)
        if split == "references":
            yield right
        else:
            yield from bugs if split == "bugs" else bugs[:1]


def _read(path: Path, language: Language) -> tuple[Task, list[Task]]:
    """Return the right program of a file, and one task for each of its bugs."""
    text = path.read_text(encoding="utf-8")
    head, *rest = _HEADING.split(text)
    name, _, description = head.removeprefix("# ").partition("\n")
    sections = [
        _Section(title, tuple((word, block) for word, block in _FENCE.findall(body)))
        for title, body in zip(rest[::2], rest[1::2], strict=True)
    ]
    reference = _FENCE.findall(head)[0][1]
    tests = [
        test
        for section in sections
        if section.title in ("Tests", "Hidden tests")
        for test in _tests(section, language)
    ]
    right = Task(
        id=f"{language}/{path.stem}",
        language=language,
        prompt=_FENCE.sub("", description).strip() + "\n",
        # A program that reads its input has a title in words, and no entry point.
        entry_point="" if tests[0].kind == "stdio" else name,
        tests=tuple(tests),
        reference=reference,
        source="demo",
        license=LICENSE,
    )
    bugs = [section for section in sections if section.title.startswith("Bug: ")]
    return right, [_with_bug(right, bug, number) for number, bug in enumerate(bugs, start=1)]


def _with_bug(right: Task, bug: _Section, number: int) -> Task:
    kind = bug.title.removeprefix("Bug: ")
    broken = right.reference
    for _, diff in bug.blocks:
        lines = diff.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in " -")
        new = "".join(line[1:] for line in lines if line[0] in " +")
        if broken.count(old) != 1:
            raise SelfdebugError(f"{right.id}: the program must hold {old!r} once")
        broken = broken.replace(old, new)
    return replace(right, id=f"demo/{right.id}/{number}", broken=broken, bug_kind=kind)


def _tests(section: _Section, language: Language) -> Iterator[Test]:
    hidden = section.title.startswith("Hidden")
    name = "hidden" if hidden else "test"
    if section.blocks[0][0] == "stdin":
        texts = [text for _, text in section.blocks]
        for number, (stdin, stdout) in enumerate(zip(texts[::2], texts[1::2], strict=True), 1):
            body = json.dumps({"stdin": stdin, "stdout": stdout})
            yield Test(f"{name}-{number}", "stdio", body, hidden)
        return
    for number, program in enumerate(_programs(section.blocks[0][1], language), start=1):
        body = f"{program}\n"
        if language == "javascript" and "assert." in program.replace("console.assert", ""):
            body = f"const assert = require('assert')\n{body}"
        expected = expected_value(program) if language == "javascript" else ""
        yield Test(f"{name}-{number}", "program", body, hidden, expected)


def _programs(block: str, language: Language) -> Iterator[str]:
    """Yield one program for each paragraph, or for each assert of one that holds nothing else."""
    for paragraph in re.split(r"\n\s*\n", block.strip()):
        yield from _asserts(paragraph, language) or [paragraph]


def _asserts(paragraph: str, language: Language) -> list[str]:
    """Return the asserts of a paragraph, or nothing when it holds other statements too."""
    if language == "javascript":  # each stands on a line of its own
        lines = paragraph.splitlines()
        return lines if all(re.match(r"(console\.)?assert\b", line) for line in lines) else []
    nodes = ast.parse(paragraph).body
    if not all(isinstance(node, ast.Assert) for node in nodes):
        return []
    return [ast.get_source_segment(paragraph, node) or "" for node in nodes]
