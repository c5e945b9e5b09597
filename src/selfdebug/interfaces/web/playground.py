"""The playground's work without its pages: exercises, test runs, and what is kept of them.

Programs are judged by a bounded number of workers, first come, first served; a student has one run
at a time. It knows neither HTTP nor HTML.

    selfdebug play
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from selfdebug.interfaces.web import exercises
from selfdebug.interfaces.web.hintpool import HintPool
from selfdebug.interfaces.web.hints import LIMITS
from selfdebug.interfaces.web.ladder import Cap, Hinting, Ladder
from selfdebug.interfaces.web.storage import Run, Storage
from selfdebug.sandbox import Sandbox
from selfdebug.types import SelfdebugError, Task, Verdict, code_sha

MAX_CHARS = 40_000  # of a program, and of its tests
DATABASE = "play.sqlite"
_MAX_WAITING = 300


class Refused(Exception):
    """A run that is not taken; `text` is the key of the reason, `fields` what it names."""

    def __init__(self, text: str, **fields: object) -> None:
        super().__init__(text)
        self.text = text
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Settings:
    """What `selfdebug play` is started with. folders: of a teacher's exercises."""

    out: Path
    folders: Sequence[Path] = ()
    with_shipped: bool = True
    cap: Cap = "fix"
    backend: str = "search"
    options: Sequence[str] = ()
    allow_unsafe: bool = False


class Playground:
    """Exercises, runs and hints. Raises SelfdebugError for settings that do not hold."""

    def __init__(self, settings: Settings) -> None:
        self.storage = Storage(settings.out / DATABASE)
        self._sandbox = Sandbox(allow_unsafe=settings.allow_unsafe)
        try:
            found = list(exercises.shipped()) if settings.with_shipped else []
            for folder in settings.folders:
                found += exercises.from_folder(folder, self._sandbox)
            if not found:
                raise SelfdebugError("--no-shipped leaves no exercise: add --exercises DIR")
            self.tasks = {task.id: task for task in found}
            if len(self.tasks) < len(found):
                raise SelfdebugError("two --exercises folders hold a file of the same name")
            self._pool = HintPool(settings.backend, settings.options, self._sandbox.tier)
        except BaseException:
            self._sandbox.close()
            self.storage.close()
            raise
        self._hinting = Hinting(self._pool, self.storage, settings.cap)
        self._runners = ThreadPoolExecutor(self._sandbox.workers, thread_name_prefix="play")
        self._running: set[str] = set()

    def task(self, exercise: str, language: str = "", tests: str = "") -> Task | None:
        """Return an exercise, or the task of a student's own tests; None if there is none.

        Raises Refused for tests that cannot be read.
        """
        if not exercise.startswith(exercises.OWN) and exercise != "own":
            return self.tasks.get(exercise)
        if exercise != "own":
            language = exercise.split("/")[1]
        if language not in ("python", "javascript"):
            return None
        try:
            return exercises.own(language, tests)
        except SelfdebugError as error:
            raise Refused("tests_wrong", message=str(error)) from error

    def after(self, exercise: str) -> str:
        """Return the id of the next exercise, or ""."""
        names = list(self.tasks)
        place = names.index(exercise) + 1 if exercise in self.tasks else len(names)
        return names[place] if place < len(names) else ""

    async def run(
        self, cookie: str, exercise: str, code: str, language: str = "", tests: str = ""
    ) -> tuple[Run, Verdict]:
        """Judge a student's program and keep the run. Raises Refused."""
        if max(len(code), len(tests)) > MAX_CHARS:
            raise Refused("too_long", limit=MAX_CHARS)
        if cookie in self._running:
            raise Refused("one_at_a_time")
        if len(self._running) >= _MAX_WAITING:
            raise Refused("crowded")
        self._running.add(cookie)
        try:
            loop = asyncio.get_running_loop()
            given = (cookie, exercise, code, language, tests)
            return await loop.run_in_executor(self._runners, self._run, *given)
        finally:
            self._running.discard(cookie)

    def _run(
        self, cookie: str, exercise: str, code: str, language: str, tests: str
    ) -> tuple[Run, Verdict]:
        task = self.task(exercise, language, tests)
        if task is None:
            raise Refused("no_exercise")
        verdict = self._sandbox.judge(task, code, limits=LIMITS)
        run = Run(
            exercise=task.id,
            code_sha=code_sha(code),
            code=code,
            tests=tests,
            passed=sum(result.status == "pass" for result in verdict.visible),
            total=len(verdict.visible),
            solved=verdict.passed,
            error=_error(verdict),
        )
        self.storage.add_run(cookie, run)
        return run, verdict

    def offered(self, cookie: str, run: Run, verdict: Verdict) -> Ladder | None:
        """Return the hints that there are for a run that failed a test that can be seen."""
        if verdict.unknown or verdict.visible_passed:
            return None
        return self._hinting.offered(cookie, run)

    async def hint(self, cookie: str, exercise: str, sha: str, rung: str) -> Ladder:
        """Return the ladder with the hint asked for. Raises Refused, NotAllowed."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, self._hint, cookie, exercise, sha, rung)

    def _hint(self, cookie: str, exercise: str, sha: str, rung: str) -> Ladder:
        run = self.storage.last_run(cookie, exercise, sha) if exercise else None
        if run is None or run.exercise != exercise:
            raise Refused("hint_stale")
        task = self.task(exercise, tests=run.tests)
        if task is None:
            raise Refused("no_exercise")
        return self._hinting.ask(cookie, task, run, rung)

    def close(self) -> None:
        """End all workers and close the file."""
        self._runners.shutdown(wait=True, cancel_futures=True)
        self._pool.close()
        self._sandbox.close()
        self.storage.close()


def _error(verdict: Verdict) -> str:
    """Return what a teacher reads of a run: a status, or the name of the exception."""
    if verdict.unknown:
        return "unknown"
    failure = verdict.first_failure
    if failure is None:
        return "" if verdict.passed else "hidden"
    if failure.status in ("exception", "load_error"):
        name = failure.message.partition(":")[0].strip()
        return name if name.isidentifier() else failure.status
    return failure.status
