"""Mend a project after a run of its tests: every failing test, each file once, within a time.

The tests that suspect the same place of a file are tried together, suspect after suspect; where
that fails, each by itself. Every repair goes through `fix`, on top of those before it, so that it
passed the user's own tests, those that passed before included. It writes when told to, after all is
done, by the rules of `selfdebug fix --apply`; a test file it never writes.

    pytest --selfdebug
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from selfdebug import sourcefile
from selfdebug.interfaces.fix import Chosen, fix
from selfdebug.interfaces.fixresult import FixResult, told
from selfdebug.interfaces.suspects import most_suspect_line, suspects
from selfdebug.interfaces.testrun import Ran
from selfdebug.sourcefile import SourceFile
from selfdebug.types import SelfdebugError

SECONDS = 60.0
TOTAL_SECONDS = 600.0
_LEAST = 1.0  # seconds: less than that finds nothing

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """How to mend. seconds: of searching for one failing test; total_seconds: for all of them."""

    backend: str = "search"
    options: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    seconds: float = SECONDS
    total_seconds: float = TOTAL_SECONDS
    apply: bool = False
    force: bool = False
    allow_unsafe: bool = False


@dataclass(frozen=True, slots=True)
class Mended:
    """A file, what was wrong with it, and the tests that pass with `text` in it.

    note: why it was not written, or what would stand in the way.
    """

    source: SourceFile
    tests: tuple[Ran, ...]
    explanation: str
    text: str
    diff: str
    written: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class NotMended:
    """A failing test without a repair. said: what it showed. why: what was tried, or was not."""

    test: Ran
    said: str
    why: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of all failing tests. root: what paths are shown relative to."""

    root: Path
    mended: tuple[Mended, ...] = ()
    not_mended: tuple[NotMended, ...] = ()


def mend(ran: Sequence[Ran], root: Path, settings: Settings, say: Say) -> Answer:
    """Mend what the failing tests of a run show. say: is told what goes on, line by line."""
    work = _Work(ran, root, settings, say)
    work.together()
    work.one_by_one()
    return work.answer()


@dataclass(slots=True)
class _Work:
    """What has been found so far."""

    ran: Sequence[Ran]
    root: Path
    settings: Settings
    say: Say
    suspects: dict[str, list[Path]] = field(init=False)
    deadline: float = field(init=False)
    sources: dict[Path, SourceFile] = field(default_factory=dict[Path, SourceFile])
    texts: dict[Path, str] = field(default_factory=dict[Path, str])  # of mended files
    tests: dict[Path, list[Ran]] = field(default_factory=lambda: defaultdict[Path, list[Ran]](list))
    explained: dict[Path, list[str]] = field(
        default_factory=lambda: defaultdict[Path, list[str]](list)
    )
    said: dict[str, str] = field(default_factory=dict[str, str])  # of failing tests, by id
    why: dict[str, str] = field(default_factory=dict[str, str])
    spent: defaultdict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))

    def __post_init__(self) -> None:
        failing = [test for test in self.ran if not test.passed]
        self.suspects = {test.id: suspects(test, self.ran, self.root) for test in failing}
        self.deadline = time.monotonic() + self.settings.total_seconds

    def waiting(self) -> list[Ran]:
        """Return the failing tests that have no repair yet."""
        done = {test.id for tests in self.tests.values() for test in tests}
        return [test for test in self.ran if not test.passed and test.id not in done]

    def groups(self) -> list[list[Ran]]:
        """Return the failing tests that suspect the same place, the largest group first."""
        found: defaultdict[tuple[Path, object], list[Ran]] = defaultdict(list)
        for test in self.waiting():
            for file in self.suspects[test.id][:1]:
                found[file, self._place(test, file)].append(test)
        return sorted(found.values(), key=len, reverse=True)

    def _place(self, test: Ran, file: Path) -> object:
        if file.suffix != ".py":
            return test.file  # node's tests have no ids: those of one file are run together
        passed = [other for other in self.ran if other.passed]
        return most_suspect_line(test, passed, file) or test.id.partition("[")[0]

    def together(self) -> None:
        """Try each group, suspect after suspect."""
        for group in self.groups():
            files = self.suspects[group[0].id]
            for file in files:
                left = self.settings.seconds - max(self.spent[test.id] for test in group)
                more = file != files[-1] or len(group) > 1
                if self._try(file, group, left / 2 if more else left):
                    break

    def one_by_one(self) -> None:
        """Try the tests of the groups for which there was no repair, each by itself."""
        for group in self.groups():
            for test in group if len(group) > 1 and group[0].file.suffix == ".py" else ():
                file = self.suspects[test.id][0]
                self._try(file, [test], self.settings.seconds - self.spent[test.id])

    def _try(self, file: Path, tests: list[Ran], seconds: float) -> bool:
        """Try to mend a file for these tests; tell whether they pass now."""
        seconds = min(seconds, self.deadline - time.monotonic())
        if seconds < _LEAST:
            over = self.deadline - time.monotonic() < _LEAST
            limit = self.settings.total_seconds if over else self.settings.seconds
            whose = "all failing tests" if over else "this test"
            for test in tests:
                self.why.setdefault(test.id, f"the {limit:g} s for {whose} ran out")
            return False
        name = self._name(file)
        count = f"{len(tests)} failing tests" if len(tests) > 1 else tests[0].id
        self.say(f"trying {name} for {count} ({seconds:.0f} s at most)")
        started = time.monotonic()
        try:
            result = self._fix(file, tests, seconds)
        except SelfdebugError as error:
            self._refused(tests, str(error))
            return False
        finally:
            for test in tests:
                self.spent[test.id] += time.monotonic() - started
        self._read(result, tests)
        if result.outcome == "fixed" or (result.outcome == "already_right" and self.texts):
            self._accept(file, tests, result)
            return True
        if result.outcome == "already_right":
            reason = "it passes in the sandbox: it may hang on the order of tests, time or chance"
        else:
            reason = f"no repair was found in {name}"
        self._refused(tests, f"{reason}. {result.note}" if result.note else reason)
        return False

    def _fix(self, file: Path, tests: list[Ran], seconds: float) -> FixResult:
        settings = self.settings
        self.sources.setdefault(file, sourcefile.read(file))
        wanted: Path | Chosen = tests[0].file
        if file.suffix == ".py":
            failing = tuple(test.node for test in tests)
            wanted = Chosen(failing, tuple(self._guards(file, tests)), dict(self.texts))
        elif file in self.texts:
            raise SelfdebugError(f"{self._name(file)} has another repair: apply that one first")
        budget = [f"seconds={seconds:.1f}"] if settings.backend == "search" else []
        return fix(
            file,
            wanted,
            backend=settings.backend,
            options=[*budget, *settings.options],
            plugins=settings.plugins,
            allow_unsafe=settings.allow_unsafe,
        )

    def _guards(self, file: Path, tests: Sequence[Ran]) -> list[str]:
        """Return the tests that must go on passing, those first that run most of the same lines."""
        own = {test.file for test in tests}
        lines = frozenset[int]().union(*(test.lines.get(file, frozenset()) for test in tests))
        passing = [
            test
            for test in self.ran
            if test.passed and (file in test.lines or (not test.lines and test.file in own))
        ]
        passing.sort(
            key=lambda t: (-len(lines & t.lines.get(file, frozenset())), t.file not in own)
        )
        mended = [test for tests in self.tests.values() for test in tests]
        return [test.node for test in (*mended, *passing)]

    def _accept(self, file: Path, tests: Sequence[Ran], result: FixResult) -> None:
        if result.outcome == "fixed":
            self.texts[file] = result.mended
            self.explained[file].append(result.explanation)
        elif file not in self.texts:  # a repair of another file has mended these tests, too
            file = next(reversed(self.texts))
        self.tests[file] += tests

    def _read(self, result: FixResult, tests: Sequence[Ran]) -> None:
        """Keep what each test showed, as the sandbox tells it: with the call and its values."""
        for shown in result.before.results if result.before else ():
            for test in tests:
                if shown.status != "pass" and test.node.endswith(f"/{shown.test_id}"):
                    self.said[test.id] = told(shown).removeprefix(f"{shown.test_id}: ")

    def _refused(self, tests: Sequence[Ran], why: str) -> None:
        for test in tests:
            self.why.setdefault(test.id, why)

    def _name(self, file: Path) -> str:
        return file.relative_to(self.root).as_posix() if self.root in file.parents else str(file)

    def answer(self) -> Answer:
        """Write, when told to, and say what came of everything."""
        left = [
            NotMended(test, self.said.get(test.id, test.message), self._why(test))
            for test in self.waiting()
        ]
        return Answer(self.root, tuple(self._mended(file) for file in self.texts), tuple(left))

    def _why(self, test: Ran) -> str:
        if test.expected_to_fail:
            return "it passes, and its xfail mark says that it must not"
        if not self.suspects[test.id]:
            return "it runs no file of the project: look at the test itself"
        return self.why[test.id]

    def _mended(self, file: Path) -> Mended:
        source, text, settings = self.sources[file], self.texts[file], self.settings
        written, note = False, ""
        try:
            sourcefile.check_writable(file, force=settings.force)
            if settings.apply:
                sourcefile.write(source, text)
                written = True
        except SelfdebugError as error:
            note = str(error)
        explanation = "\n".join(dict.fromkeys(self.explained[file]))
        tests, diff = tuple(self.tests[file]), source.diff(text, self.root)
        return Mended(source, tests, explanation, text, diff, written, note)
