"""Test files by their names: which file is one, which a folder holds, which are those of a program.

It reads names, and a text where a name does not tell; what is in the tests it leaves to others.

    selfdebug fix calc.py
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from selfdebug.sourcefile import SourceFile
from selfdebug.types import SelfdebugError
from selfdebug.usertests import javascript_tests, project, python_tests

PYTEST_FILES = ("test_*.py", "*_test.py")
NODE_FILES = ("*.test.?js", "*.test.js", "*-test.?js", "*-test.js", "*_test.js", "test-*.js")
_TEST_FOLDERS = ("tests", "test", "__tests__")


def is_test(source: SourceFile) -> bool:
    """Tell whether a file is a test file by its name and by what is in it."""
    patterns = PYTEST_FILES if source.language == "python" else NODE_FILES
    if not any(source.path.match(pattern) for pattern in (*patterns, "conftest.py")):
        return False
    if source.language == "javascript":
        return javascript_tests.is_node_test(source.text)
    return source.path.name == "conftest.py" or python_tests.has_tests(source.text)


def files_in(tests: Path, patterns: Sequence[str]) -> list[Path]:
    """Return the test files of a folder, or the file that is named itself."""
    if not tests.is_dir():
        return [tests]
    found = {path for pattern in patterns for path in tests.rglob(pattern)}
    found = {path for path in found if "node_modules" not in path.parts}
    if not found:
        raise SelfdebugError(f"{tests} holds no tests: no {' and no '.join(patterns)}")
    return sorted(found)


def find(source: SourceFile) -> Path:
    """Return the tests of a file by the usual names, or the file itself for its doctests."""
    found = list(dict.fromkeys(_by_name(source)))
    if len(found) > 1:
        names = ", ".join(map(str, found[:3]))
        raise SelfdebugError(f"{source.path} has several tests ({names}): say which with --tests")
    if found:
        return found[0]
    python = source.language == "python"
    if python and python_tests.docstring_pieces(source.text, source.path.stem):
        return source.path
    names = " or ".join(_names(source)[:2])
    raise SelfdebugError(
        f"found no tests of {source.path}: no {names} beside it or in tests/"
        f"{', no doctests in it' if python else ''}; name them with --tests"
    )


def _names(source: SourceFile) -> list[str]:
    stem = source.path.stem
    if source.language == "python":
        return [f"test_{stem}.py", f"{stem}_test.py"]
    endings = (".js", ".mjs", ".cjs")
    return [f"{stem}{mark}{ending}" for mark in (".test", "-test", "_test") for ending in endings]


def _by_name(source: SourceFile) -> Iterator[Path]:
    names = _names(source)
    beside = [source.path.parent / name for name in names]
    yield from (path for path in beside if path.is_file())
    here = Path.cwd()
    for folder in project.around(source.path):
        for tests in _TEST_FOLDERS:
            found = (path for name in names for path in (folder / tests).rglob(name))
            for path in sorted(found):
                yield path.relative_to(here) if path.is_relative_to(here) else path
