"""`selfdebug fix`: mend a user's own file against the user's own tests.

It shows what it would change and why, and writes only when told to. It never edits a test, and it
calls a file fixed only when the user's tests, run as they are, pass on the very text to be written.

    selfdebug fix calc.py --tests test_calc.py
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from selfdebug import sourcefile, usertests
from selfdebug.debug import debug
from selfdebug.interfaces import runs
from selfdebug.interfaces.fixresult import FixResult, told
from selfdebug.sandbox import Sandbox, SandboxError
from selfdebug.sourcefile import SourceFile
from selfdebug.types import Backend, Judge, SelfdebugError, Task, TestResult, Verdict
from selfdebug.usertests import UserTests, project

# A person waits for one file: longer than an evaluation does for one of its many tasks.
DEFAULTS = {"search": ("seconds=60",)}
NEAREST = 40  # guards that each candidate is run against; all of them are run on the repair


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some of pytest's tests, by the ids that pytest gives them, each file's whole path in front.

    failing: those to mend. guards: those that pass and must go on passing, the most telling first;
    the rest of the failing tests' files is added to them, and one that cannot pass in the sandbox
    is left out. mended: texts that files of the project, this one too, shall have in the place of
    what is on disk.
    """

    failing: tuple[str, ...]
    guards: tuple[str, ...] = ()
    mended: Mapping[Path, str] = field(default_factory=dict[Path, str])

    @property
    def path(self) -> Path:
        """The folder, or the file, that holds them all."""
        files = {str(usertests.file_of(test_id)) for test_id in (*self.failing, *self.guards)}
        return Path(os.path.commonpath(files))


def fix(
    file: Path,
    tests: Path | Chosen | None = None,
    *,
    backend: str = "search",
    options: Sequence[str] = (),
    apply: bool = False,
    force: bool = False,
    plugins: Sequence[str] = (),
    max_iterations: int = 3,
    allow_unsafe: bool = False,
    text: str | None = None,
    on_failing: Callable[[FixResult], None] | None = None,
) -> FixResult:
    """Mend `file` against `tests` (a file, a folder or file::test; by default found by name).

    Some tests of several files are `Chosen` (of Python); the diff is from the text on disk.
    options: of the backend, as NAME=VALUE. apply: write the mended text. force: even over
    uncommitted changes. plugins: pytest plugins to load. text: what an editor holds of the file;
    what is on disk then is not read, nor written. on_failing sees what is known when tests have
    failed and before a repair is looked for. Raises SelfdebugError, with one line that says what
    is wrong, for bad input.
    """
    started = time.perf_counter()
    source = sourcefile.read(file) if text is None else sourcefile.unsaved(file, text)
    if usertests.is_test(source):
        raise SelfdebugError(f"{file} is itself a test file, and tests are never edited")
    if isinstance(tests, Chosen):
        chosen, path, selected = tests, tests.path, ""
    else:
        chosen = Chosen(())
        path, selected = _named(source, tests)
    start = replace(source, text=chosen.mended.get(file.resolve(), source.text))
    others = {path: text for path, text in chosen.mended.items() if path != file.resolve()}
    if apply:
        sourcefile.check_writable(file, force=force)
    with project.opened(file, path, others) as where:
        ids = (*chosen.failing, *chosen.guards)
        if ids:
            asked = usertests.chosen(start, ids, where, plugins)
        else:
            asked = usertests.load(start, path, selected, where, plugins)
        try:
            with Sandbox(read_paths=asked.read_paths, allow_unsafe=allow_unsafe) as sandbox:
                opened = runs.backend(backend, sandbox, [*DEFAULTS.get(backend, ()), *options])

                def seen(known: FixResult) -> None:
                    if on_failing is not None:
                        on_failing(_as_seen(known, str(where.shown), str(where.root)))

                result = _fix(
                    asked, sandbox, opened, max_iterations,
                    on_failing=seen, failing=len(chosen.failing),
                )  # fmt: skip
        except SandboxError as error:
            result = FixResult(str(file), asked.label, "unknown", note=str(error))
        result = replace(result, diff=source.diff(result.mended, where.root))
        result = _as_seen(result, str(where.shown), str(where.root))
    if result.outcome == "fixed" and text is None:
        result = _finish(result, source, apply=apply, force=force)
    return replace(result, seconds=time.perf_counter() - started)


def _named(source: SourceFile, tests: Path | None) -> tuple[Path, str]:
    """Return the tests' path, and the rest of a node id."""
    if tests is None:
        return usertests.find(source), ""
    name, _, selected = str(tests).partition("::")
    path = Path(name)
    if not path.exists():
        raise SelfdebugError(f"there are no tests {path}")
    return path, selected


def _fix(  # noqa: PLR0911 - each way it can end
    asked: UserTests,
    judge: Judge,
    backend: Backend,
    max_iterations: int,
    *,
    on_failing: Callable[[FixResult], None],
    failing: int,
) -> FixResult:
    """Run the tests, mend, and run them again; write nothing.

    failing: how many tests there are before the guards; 0: there are no guards.
    """
    source = asked.source
    task = asked.listed(judge)
    if failing:  # a run of some tests only must not let the others break
        task = replace(task, tests=task.tests + tuple(asked.rest(judge, task.tests[:failing])))
    before = judge.judge(task, source.text, observe="lines")
    if failing:
        task, before = _without_failing_guards(task, before, failing)
    task, before = _without_skipped(task, before, asked)
    result = FixResult(str(source.path), asked.label, "already_right", before, mended=source.text)
    if before.unknown:
        return replace(result, outcome="unknown", note=_first_unknown(before))
    if before.passed:
        return result
    _check_reached(before, asked)
    on_failing(replace(result, outcome="not_fixed"))
    searched = _by_values(asked, judge, before) or task
    if failing:
        searched = replace(task, tests=task.tests[: failing + NEAREST])
    episode = debug(searched, backend, judge=judge, code=source.text, max_iterations=max_iterations)
    if episode.stopped == "unknown" and episode.verdict is not None:
        note = _first_unknown(episode.verdict)
        return replace(result, outcome="unknown", note=note)
    best = episode.turns[episode.best]
    mended = source.adapted(best.completion.code)
    after = judge.judge(task, mended)
    found = replace(result, outcome="not_fixed", after=after, trust=best.verdict.trust)
    if not asked.keeps_tests(mended):
        note = "The repair changed the file's own doctests, so it was not taken."
        return replace(found, after=before, note=note)
    if after.passed and best.verdict.passed:
        said = _explained(best.completion.explanation, before)
        return replace(found, outcome="fixed", mended=mended, explanation=said)
    if failing and best.verdict.passed and (broken := after.first_failure) is not None:
        note = f"The repair that was found would break {broken.test_id}, so it was not taken."
        return replace(found, after=before, note=note)
    if after.share_passed > before.share_passed:
        said = f"A change that helps, but not enough. {best.completion.explanation}".strip()
        return replace(found, mended=mended, explanation=said)
    return replace(found, after=before, explanation=_explained("", before))


def _without_skipped(task: Task, before: Verdict, asked: UserTests) -> tuple[Task, Verdict]:
    """Leave out the tests that skip themselves on the file as it is."""
    skipped = {r.test_id for r in before.results if r.message.startswith("skipped: ")}
    if len(skipped) == len(before.results):
        raise SelfdebugError(f"{asked.label} skips all of its tests: {before.results[0].message}")
    kept = tuple(test for test in task.tests if test.id not in skipped)
    results = tuple(result for result in before.results if result.test_id not in skipped)
    return replace(task, tests=kept), replace(before, results=results)


def _without_failing_guards(task: Task, before: Verdict, failing: int) -> tuple[Task, Verdict]:
    """Leave out the guards that do not pass here as they did outside of the sandbox."""
    kept = [
        (test, result)
        for at, (test, result) in enumerate(zip(task.tests, before.results, strict=True))
        if at < failing or result.status == "pass" or _not_seen(result)
    ]
    tests, results = zip(*kept, strict=True)
    return replace(task, tests=tests), replace(before, results=results)


def _not_seen(result: TestResult) -> bool:
    return result.status == "not_run" and not result.message


def _check_reached(before: Verdict, asked: UserTests) -> None:
    """Raise SelfdebugError when the failures cannot be the file's fault."""
    failing = [result for result in before.results if result.status != "pass"]
    for result in failing:
        usertests.check_outside(result, asked)
    if all(map(usertests.is_forbidden, failing)):
        raise SelfdebugError(
            f"{failing[0].test_id} needs what the sandbox forbids (processes, the network, files "
            f"elsewhere): {failing[0].message}"
        )
    loaded = all(result.status != "load_error" for result in before.results)
    if loaded and not any(result.line or result.lines for result in before.results):
        name = asked.source.path.name
        raise SelfdebugError(f"{asked.label} never runs {name}: are these its tests?")


def _by_values(asked: UserTests, judge: Judge, before: Verdict) -> Task | None:
    """Return the task judged by values, where that says the same about the file as it is."""
    if not asked.split:
        return None
    task = asked.task([test for test, _ in asked.split])
    found = judge.judge(task, asked.source.text)
    passing = {result.test_id for result in before.results if result.status == "pass"}
    agree = [
        (result.status == "pass") == passing.issuperset(ids)
        for result, (_, ids) in zip(found.results, asked.split, strict=True)
    ]
    return task if all(agree) and not found.unknown else None


def _explained(explanation: str, before: Verdict) -> str:
    failure = before.first_failure
    shown = f"Shown by {told(failure)}" if failure is not None else ""
    return "\n".join(part for part in (explanation.strip(), shown) if part)


def _first_unknown(verdict: Verdict) -> str:
    return next(
        (r.message for r in verdict.results if r.status == "unknown"), "no test had a result"
    )


def _as_seen(result: FixResult, shown: str, root: str) -> FixResult:
    """Name the user's paths where the sandbox saw a copy of them."""
    if shown == root:
        return result

    def renamed(verdict: Verdict | None) -> Verdict | None:
        if verdict is None:
            return None
        results = tuple(replace(r, message=r.message.replace(shown, root)) for r in verdict.results)
        return replace(verdict, results=results)

    return replace(
        result,
        before=renamed(result.before),
        after=renamed(result.after),
        explanation=result.explanation.replace(shown, root),
        note=result.note.replace(shown, root),
    )


def _finish(result: FixResult, source: SourceFile, *, apply: bool, force: bool) -> FixResult:
    """Write the mended text, or say what would stand in the way."""
    if apply:
        sourcefile.write(source, result.mended)
        return replace(result, written=True)
    why = "" if force else sourcefile.uncommitted(source.path)
    return replace(result, note=f"({why}: --apply will want --force too.)" if why else "")
