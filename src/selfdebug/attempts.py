"""Programs that a model wrote, with what the tests said: the files that `harvest` fills.

attempts.jsonl holds every reply as soon as it is there, verdicts.jsonl one verdict for each
distinct program. They are two files because the first costs money or hours and is never asked for
twice, and the second can always be made again. Here they are read together; nothing is run.

    python -c "from selfdebug.attempts import judged; print(len(list(judged('runs/harvest'))))"
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from selfdebug.store import Store
from selfdebug.types import Attempt, Verdict, code_sha


class Judged(NamedTuple):
    """An attempt and the verdict on its program; a failure is marked by the verdict."""

    attempt: Attempt
    verdict: Verdict


def attempts(folder: str | Path) -> Store[Attempt]:
    """Return the store of a folder's attempts."""
    return Store(Path(folder, "attempts.jsonl"), Attempt, key=attempt_key)


def verdicts(folder: str | Path) -> Store[Verdict]:
    """Return the store of a folder's verdicts."""
    return Store(
        Path(folder, "verdicts.jsonl"),
        Verdict,
        key=lambda verdict: verdict_key(verdict.task_id, verdict.code_sha),
    )


def judged(folder: str | Path) -> Iterator[Judged]:
    """Yield the attempts whose programs have been judged, in the order in which they were made."""
    return paired(attempts(folder), verdicts(folder))


def paired(made: Store[Attempt], told: Store[Verdict]) -> Iterator[Judged]:
    """Yield what `judged` does, of stores that are open. One pair at a time is in memory."""
    for attempt in made:
        key = verdict_key(attempt.task_id, code_sha(attempt.completion.code))
        if key in told:
            yield Judged(attempt, told[key])


def attempt_key(attempt: Attempt) -> str:
    """Return what makes an attempt the same: whose it is, what it answers, and its number."""
    return f"{attempt.backend} {attempt.task_id} {attempt.parent} {attempt.number}"


def verdict_key(task_id: str, sha: str) -> str:
    """Return what makes a verdict the same: the task, and the program's text."""
    return f"{task_id} {sha}"
