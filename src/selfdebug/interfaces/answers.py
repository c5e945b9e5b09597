"""What came of a project's failing tests, in words for a person.

pytest --selfdebug
"""

from __future__ import annotations

from collections.abc import Iterator

from selfdebug.interfaces.mend import Answer, Mended


def lines_of(answer: Answer, apply: str, force: str) -> Iterator[str]:
    """Yield the lines to print. apply, force: the flags to name."""
    for mended in answer.mended:
        yield from (test.id for test in mended.tests)
        yield ""
        yield from (f"  {line}" for line in mended.explanation.splitlines())
        yield ""
        yield from mended.diff.splitlines()
        yield ""
    for left in answer.not_mended:
        yield left.test.id
        yield f"  {left.said}"
        yield f"  Not mended: {left.why.rstrip('.')}."
        yield ""
    yield summary(answer, apply)
    yield from notes(answer, apply, force)


def summary(answer: Answer, apply: str) -> str:
    """Say in one line how many tests pass now, and what was written."""
    mended = sum(len(each.tests) for each in answer.mended)
    count = mended + len(answer.not_mended)
    if not count:
        return "No test failed: there is nothing to mend."
    said = f"{mended} of {count} failing tests now pass"
    if not answer.mended:
        return f"{said}. Nothing was written."
    said += f", by changes in {_files(answer.mended)}"
    written = [each for each in answer.mended if each.written]
    if written:
        return f"{said}. Written: {_files(written)}; run the tests again."
    hindered = any(each.note for each in answer.mended)
    return f"{said}. Nothing was written{'' if hindered else f'; add {apply}'}."


def notes(answer: Answer, apply: str, force: str) -> Iterator[str]:
    """Yield what stands in the way of writing a file."""
    for mended in answer.mended:
        if mended.note:
            reason = mended.note.replace("--force", force).replace("--apply", apply)
            yield f"Not written: {reason}"


def _files(mended: tuple[Mended, ...] | list[Mended]) -> str:
    names = [each.source.path.name for each in mended]
    return names[0] if len(names) == 1 else f"{len(names)} files ({', '.join(names)})"
