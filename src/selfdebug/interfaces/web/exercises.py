"""What there is to choose from: the shipped exercises, a teacher's folder, a student's own code.

A teacher's files are run before anyone sees them: an exercise whose right program fails, or whose
bug no test shows, is refused by name. Nothing here is written.

    selfdebug play --exercises DIR
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from selfdebug import benchmarks
from selfdebug.formats import exercises
from selfdebug.types import Judge, Language, SelfdebugError, Task, Verdict, code_sha

OWN = "own/"  # how the id of a student's own code begins
_MAX_TESTS = 100


def shipped() -> Iterator[Task]:
    """Yield the exercises that come with selfdebug."""
    return benchmarks.load("demo", "demo")


def from_folder(folder: Path, judge: Judge) -> Iterator[Task]:
    """Yield each bug of a folder's exercises, once it has been seen to be one.

    Raises SelfdebugError, naming the file, for what cannot be read or does not hold.
    """
    for path, language in exercises.files(folder):
        right, bugs = exercises.read(path, language, "class", "")
        if not bugs:
            raise SelfdebugError(f"{path}: there is no bug: a heading `## Bug: ...` with a diff")
        verdict = judge.judge(right, right.reference)
        if not verdict.passed:
            failed = next(result for result in verdict.results if result.status != "pass")
            said = failed.message or f"{failed.call} gave {failed.got}"
            raise SelfdebugError(f"{path}: the right program fails {failed.test_id}: {said}")
        for bug in bugs:
            _check_shown(path, bug, judge.judge(bug, bug.broken))
            yield bug


def _check_shown(path: Path, bug: Task, verdict: Verdict) -> None:
    if verdict.visible_passed:
        raise SelfdebugError(f"{path}: no visible test fails with the bug {bug.id[-1]}")


def own(language: Language, tests: str) -> Task:
    """Return the task of a student's own program; its id tells tests of one student from others'.

    tests: as under `## Tests` of an exercise. Raises SelfdebugError for tests that are none.
    """
    try:
        found = tuple(exercises.programs(tests, language))
    except ValueError as error:
        raise SelfdebugError(str(error)) from error
    if not 0 < len(found) <= _MAX_TESTS:
        raise SelfdebugError(f"{len(found)} tests: write between 1 and {_MAX_TESTS}")
    return Task(f"{OWN}{language}/{code_sha(tests)}", language, "", "", found)


def title(task: Task) -> str:
    """Return what a person calls an exercise; a file's second bug says that it is one."""
    _, _, stem, number = task.id.split("/")
    name = stem.replace("_", " ").capitalize()
    return name if number == "1" else f"{name} ({number})"
