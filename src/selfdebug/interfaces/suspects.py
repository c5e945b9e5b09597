"""Which file of a project is at fault for a failing test: an order of suspects, never a test file.

The files of the traceback come first, the innermost before those that called it. Then what the
test executed, by Ochiai's measure (see `backends/search/localise.py`) with this failing test alone:
a line that few passing tests run is more suspect. Then what the test file imports, the file of the
same name (test_cart.py: cart.py) before the others. It reads syntax and runs nothing.

    pytest tests/test_suspects.py
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import sqrt
from pathlib import Path

from selfdebug.interfaces.imports import imported
from selfdebug.interfaces.testrun import Ran
from selfdebug.sourcefile import LANGUAGES

MOST = 4  # suspects of one test
_TESTS = {"tests", "test", "testing", "__tests__", "node_modules", "site-packages"}
_NOT_SOURCE = {"conftest.py", "setup.py", "noxfile.py"}


def suspects(failed: Ran, ran: Sequence[Ran], root: Path) -> list[Path]:
    """Return up to `MOST` files that may be at fault for a failing test, the likeliest first."""
    if failed.expected_to_fail:
        return []
    suspicion = _suspicion(failed, [other for other in ran if other.passed])
    by_lines = sorted(suspicion, key=lambda path: (-suspicion[path], str(path)))
    stem = _stem(failed.file)
    # Python's sort keeps the order of the imports among those of other names.
    by_name = sorted(imported(failed.file, root), key=lambda path: path.stem != stem)
    tests = {other.file for other in ran}
    order = dict.fromkeys((*failed.frames, *by_lines, *by_name))
    return [path for path in order if is_source(path, root, tests)][:MOST]


def is_source(path: Path, root: Path, tests: Iterable[Path] = ()) -> bool:
    """Tell whether a file is one of the project's programs, and so may be mended.

    tests: files that are known to hold tests. What lies in a folder of tests, in an environment or
    in a hidden folder is no program of the project's either.
    """
    if not path.is_relative_to(root) or path.suffix not in LANGUAGES or path in set(tests):
        return False
    folders = path.relative_to(root).parts[:-1]
    if any(name in _TESTS or name.startswith(".") for name in folders):
        return False
    if any((above / "pyvenv.cfg").exists() for above in path.parents):
        return False
    return path.name not in _NOT_SOURCE and path.is_file()


def most_suspect_line(failed: Ran, passed: Sequence[Ran], file: Path) -> int:
    """Return the first of the lines that a failing test runs and fewest passing tests do, or 0."""
    passing = Counter(line for other in passed for line in other.lines.get(file, ()))
    lines = failed.lines.get(file, frozenset())
    return min(lines, key=lambda line: (passing[line], line), default=0)


def _suspicion(failed: Ran, passed: Sequence[Ran]) -> dict[Path, float]:
    """Return for each file that the test ran how suspect its most suspect line is, in (0, 1]."""
    found: dict[Path, float] = {}
    for path, lines in failed.lines.items():
        passing = Counter(line for other in passed for line in other.lines.get(path, ()))
        found[path] = max((1 / sqrt(1 + passing[line]) for line in lines), default=0.0)
    return found


def _stem(test: Path) -> str:
    name = test.name.partition(".")[0]
    return name.removeprefix("test_").removesuffix("_test").removesuffix("-test")
