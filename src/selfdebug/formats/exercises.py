"""Exercises: programs in Markdown, each with what it should do, bugs as diffs, and tests.

The benchmark `demo` ships with some, a teacher writes others in the same form (docs/teaching.md).
It reads and checks the form alone; whether the programs do what their tests say only a run tells.

    python -c "from selfdebug.formats import exercises; help(exercises.read)"
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from selfdebug.formats.javascript_checks import expected_value
from selfdebug.languages import python
from selfdebug.types import Language, SelfdebugError, Task, Test

LANGUAGES: tuple[Language, ...] = ("python", "javascript")

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^## (.+)\n", re.MULTILINE)
_CHECKS = re.compile(r"\bassert\b|\bthrow\b|\braise\b")


@dataclass(frozen=True, slots=True)
class _Section:
    title: str
    blocks: tuple[tuple[str, str], ...]  # (the fence's word, its text)


def files(root: Path) -> list[tuple[Path, Language]]:
    """Return the files of a folder in their order; raises SelfdebugError where there is none."""
    found: list[tuple[Path, Language]] = [
        (path, language) for language in LANGUAGES for path in root.glob(f"{language}/*.md")
    ]
    if not found:
        raise SelfdebugError(f"no python/*.md or javascript/*.md in {root}")
    return sorted(found)


def read(path: Path, language: Language, source: str, license_: str) -> tuple[Task, list[Task]]:
    """Return the right program of a file, and one task for each of its bugs.

    A bug's id is "<source>/<language>/<file>/<number>". Raises SelfdebugError naming the file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SelfdebugError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    try:
        return _read(text, path.stem, language, source, license_)
    except ValueError as error:
        raise SelfdebugError(f"{path}: {error}") from error


def _read(
    text: str, stem: str, language: Language, source: str, license_: str
) -> tuple[Task, list[Task]]:
    head, *rest = _HEADING.split(text)
    if not head.startswith("# "):
        raise ValueError("the first line must be `# ` and the name of the function")
    name, _, description = head.removeprefix("# ").partition("\n")
    sections = [
        _Section(title, tuple((word, block) for word, block in _FENCE.findall(body)))
        for title, body in zip(rest[::2], rest[1::2], strict=True)
    ]
    programs = [block for word, block in _FENCE.findall(head) if word == language]
    if not programs:
        raise ValueError(f"the right program is missing: a block that begins with ```{language}")
    parts = [part for part in sections if part.title in ("Tests", "Hidden tests")]
    tests = [test for part in parts for test in _tests(part, language)]
    if not any(not test.hidden for test in tests):
        raise ValueError("there are no tests: a heading `## Tests` with a block of asserts")
    right = Task(
        id=f"{language}/{stem}",
        language=language,
        prompt=_FENCE.sub("", description).strip() + "\n",
        # A program that reads its input has a title in words, and no entry point.
        entry_point="" if tests[0].kind == "stdio" else name.strip(),
        tests=tuple(tests),
        reference=programs[0],
        source=source,
        license=license_,
    )
    bugs = [section for section in sections if section.title.startswith("Bug: ")]
    return right, [_with_bug(right, bug, number) for number, bug in enumerate(bugs, start=1)]


def _with_bug(right: Task, bug: _Section, number: int) -> Task:
    broken = right.reference
    if not bug.blocks:
        raise ValueError(f"`## {bug.title}` has no block that begins with ```diff")
    for _, diff in bug.blocks:
        lines = diff.splitlines(keepends=True)
        if odd := next((line for line in lines if line[0] not in " +-"), None):
            raise ValueError(f"`## {bug.title}`: {odd!r} must begin with a space, - or +")
        old = "".join(line[1:] for line in lines if line[0] in " -")
        new = "".join(line[1:] for line in lines if line[0] in " +")
        if broken.count(old) != 1:
            raise ValueError(f"`## {bug.title}`: the program must hold {old!r} once")
        broken = broken.replace(old, new)
    kind = bug.title.removeprefix("Bug: ")
    name = f"{right.source}/{right.id}/{number}"
    return replace(right, id=name, broken=broken, bug_kind=kind)


def _tests(section: _Section, language: Language) -> Iterator[Test]:
    hidden = section.title.startswith("Hidden")
    if not section.blocks:
        raise ValueError(f"`## {section.title}` has no block of tests")
    if section.blocks[0][0] == "stdin":
        yield from _conversations(section, hidden)
    else:
        yield from programs(section.blocks[0][1], language, hidden)


def _conversations(section: _Section, hidden: bool) -> Iterator[Test]:
    words = [word for word, _ in section.blocks]
    if words != ["stdin", "stdout"] * (len(words) // 2):
        raise ValueError(f"`## {section.title}`: each ```stdin must be followed by its ```stdout")
    texts = [text for _, text in section.blocks]
    for number, (stdin, stdout) in enumerate(zip(texts[::2], texts[1::2], strict=True), 1):
        body = json.dumps({"stdin": stdin, "stdout": stdout})
        yield Test(f"{'hidden' if hidden else 'test'}-{number}", "stdio", body, hidden)


def programs(block: str, language: Language, hidden: bool = False) -> Iterator[Test]:
    """Yield the tests of a block: each paragraph, or each assert of one that holds nothing else.

    Raises ValueError where a paragraph is no program of the language or checks nothing.
    """
    name = "hidden" if hidden else "test"
    for number, program in enumerate(_paragraphs(block, language), start=1):
        body = f"{program}\n"
        if language == "javascript" and "assert." in program.replace("console.assert", ""):
            body = f"const assert = require('assert')\n{body}"
        expected = expected_value(program) if language == "javascript" else ""
        yield Test(f"{name}-{number}", "program", body, hidden, expected)


def _paragraphs(block: str, language: Language) -> Iterator[str]:
    for paragraph in filter(None, re.split(r"\n\s*\n", block.strip())):
        if not _CHECKS.search(paragraph):
            raise ValueError(f"the test {paragraph.splitlines()[0]!r} asserts nothing")
        yield from _asserts(paragraph, language) or [paragraph]


def _asserts(paragraph: str, language: Language) -> list[str]:
    """Return the asserts of a paragraph, or nothing when it holds other statements too."""
    if language == "javascript":  # each stands on a line of its own
        lines = paragraph.splitlines()
        return lines if all(re.match(r"(console\.)?assert\b", line) for line in lines) else []
    if fault := python.check_syntax(paragraph):
        raise ValueError(f"the test {paragraph.splitlines()[fault[0] - 1]!r}: {fault[1]}")
    nodes = ast.parse(paragraph).body
    if all(isinstance(node, ast.FunctionDef) for node in nodes):
        raise ValueError(f"the test {paragraph.splitlines()[0]!r} is never called: write asserts")
    if not all(isinstance(node, ast.Assert) for node in nodes):
        return []
    return [ast.get_source_segment(paragraph, node) or "" for node in nodes]
