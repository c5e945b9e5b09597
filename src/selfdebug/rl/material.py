"""What reinforcement learning takes from the folders of `inject` and `harvest`.

Tasks to write, wrong programs to mend (those that were never mended too), and the verified repairs
that likeness is measured to. It reads; it judges nothing.

    python -c "from selfdebug.rl.material import read; help(read)"
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from selfdebug.attempts import judged
from selfdebug.debug import normalised
from selfdebug.feedback import feedback
from selfdebug.rl.pool import Ask, Mended
from selfdebug.store import Store
from selfdebug.types import Judge, Repair, SelfdebugError, Task


@dataclass(frozen=True, slots=True)
class Material:
    """tasks: all that there is something about. failures: each wrong program once."""

    tasks: Sequence[Task]
    failures: Sequence[Ask]
    mended: Sequence[Mended]

    def fingerprint(self) -> str:
        """Return what tells one set of data from another."""
        digest = hashlib.sha256()
        for part in (self.failures, self.mended, [task.id for task in self.tasks]):
            digest.update(repr(part).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()[:16]


def read(
    folders: Iterable[Path], tasks: Iterable[Task], told: str, judge: Judge | None
) -> Material:
    """Read folders; of the tasks those are kept that a folder has a program of.

    told: the kind of feedback on failures that have none yet; judge: what some kinds of it need.
    Raises SelfdebugError when there is nothing to learn from.
    """
    by_id = {task.id: task for task in tasks}
    failures: dict[tuple[str, str], Ask] = {}
    mended: list[Mended] = []
    known: set[str] = set()
    for folder in folders:
        for repair in _repairs(folder, by_id):
            known.add(repair.task_id)
            mended.append(Mended(repair.task_id, repair.broken, repair.fixed, repair.explanation))
            key = repair.task_id, normalised(repair.broken)
            failures.setdefault(
                key, Ask(repair.task_id, "refine", "refine", repair.broken, repair.feedback)
            )
        for attempt, verdict in judged(folder):
            task = by_id.get(attempt.task_id)
            if task is None or attempt.mode != "generate":
                continue
            known.add(task.id)
            failure, code = verdict.first_failure, attempt.completion.code
            key = task.id, normalised(code)
            if failure is None or (key in failures and failures[key].failure is not None):
                continue
            if key in failures:
                said = failures[key].feedback
            else:
                shown = replace(task, tests=task.visible_tests)
                said = feedback(told, shown, code, verdict, judge=judge)
            failures[key] = Ask(task.id, "refine", "refine", code, said, failure)
    if not known:
        raise SelfdebugError("the folders hold no program of a known task: nothing to learn from")
    chosen = [task for task in by_id.values() if task.id in known]
    return Material(chosen, list(failures.values()), mended)


def _repairs(folder: Path, tasks: dict[str, Task]) -> Iterable[Repair]:
    path = folder / "repairs.jsonl"
    if not path.is_file() and not (folder / "attempts.jsonl").is_file():
        raise SelfdebugError(f"{folder} holds neither repairs nor attempts: run `harvest` first")
    return (repair for repair in Store(path, Repair) if repair.task_id in tasks)
