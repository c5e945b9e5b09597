"""What a teacher sees: by exercise and by student, and the same as CSV and JSON.

Programs are never shown here, nor what a student without a nickname could be known by.

    selfdebug play --exercises DIR
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from selfdebug.interfaces.web.hints import RUNGS
from selfdebug.interfaces.web.storage import Storage

_ID = "case when exercise glob 'own/*' then 'own' else exercise end"
_RUNS = (
    f"select runs.id, at, student, nickname, {_ID} as exercise, code_sha, passed, total, solved, "
    "error from runs join students on students.id = student order by runs.id"
)
_HINTS = f"select student, {_ID} as exercise, code_sha, rung, kind, at from hints order by at"


@dataclass(frozen=True, slots=True)
class ExerciseRow:
    """One exercise. errors, kinds: the most frequent first; hints: how many of each rung."""

    exercise: str
    students: int
    solved: int
    runs: int
    hints: dict[str, int]
    errors: dict[str, int]
    kinds: dict[str, int]


@dataclass(frozen=True, slots=True)
class StudentRow:
    """One student. number: the same one on every line of an export."""

    number: int
    nickname: str
    exercises: int
    solved: int
    runs: int
    hints: int


def by_exercise(storage: Storage) -> list[ExerciseRow]:
    """Return a row for each exercise that was tried."""
    runs, hints = storage.rows(_RUNS), storage.rows(_HINTS)
    found: list[ExerciseRow] = []
    for exercise in sorted({run["exercise"] for run in runs}):
        mine = [run for run in runs if run["exercise"] == exercise]
        given = [hint for hint in hints if hint["exercise"] == exercise]
        rungs = Counter(str(hint["rung"]) for hint in given)
        errors = Counter(str(run["error"]) for run in mine if run["error"])
        # A program's kind is counted once, however many hints were given for it.
        kinds = Counter(
            str(hint["kind"]) for hint in given if hint["kind"] and hint["rung"] == RUNGS[0]
        )
        found.append(
            ExerciseRow(
                exercise=exercise,
                students=len({run["student"] for run in mine}),
                solved=len({run["student"] for run in mine if run["solved"]}),
                runs=len(mine),
                hints={rung: rungs[rung] for rung in RUNGS},
                errors=dict(errors.most_common()),
                kinds=dict(kinds.most_common()),
            )
        )
    return found


def by_student(storage: Storage) -> list[StudentRow]:
    """Return a row for each student who has run something."""
    runs, hints = storage.rows(_RUNS), storage.rows(_HINTS)
    found: list[StudentRow] = []
    for number in sorted({int(run["student"]) for run in runs}):
        mine = [run for run in runs if run["student"] == number]
        found.append(
            StudentRow(
                number=number,
                nickname=str(mine[0]["nickname"]),
                exercises=len({run["exercise"] for run in mine}),
                solved=len({run["exercise"] for run in mine if run["solved"]}),
                runs=len(mine),
                hints=sum(hint["student"] == number for hint in hints),
            )
        )
    return found


def as_json(storage: Storage) -> str:
    """Return all runs and hints, and the rows by exercise."""
    rows = [asdict(row) for row in by_exercise(storage)]
    value = {"exercises": rows, "runs": storage.rows(_RUNS), "hints": storage.rows(_HINTS)}
    return json.dumps(value, ensure_ascii=False, indent=1)


def as_csv(storage: Storage) -> str:
    """Return one line a run, with the hints that the student had had for that program."""
    given = Counter(
        (hint["student"], hint["exercise"], hint["code_sha"]) for hint in storage.rows(_HINTS)
    )
    out = io.StringIO()
    writer = csv.writer(out)
    heads = ("at", "student", "nickname", "exercise", "passed", "total", "solved", "error")
    writer.writerow([*heads, "hints"])
    for run in storage.rows(_RUNS):
        hints = given[run["student"], run["exercise"], run["code_sha"]]
        writer.writerow([*_plain(str(run[head]) for head in heads), hints])
    return out.getvalue()


def _plain(cells: Iterator[str]) -> Iterator[str]:
    """Keep a spreadsheet from reading a nickname as a formula."""
    return (f"'{cell}" if cell[:1] in tuple("=+-@\t\r") and cell else cell for cell in cells)
