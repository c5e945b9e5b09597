"""HumanEval+ (Liu et al. 2023): HumanEval's tasks with some eighty times as many tests.

Visible tests are HumanEval's own asserts; EvalPlus's program is the one hidden test. For
evaluation only: never train on it.

    selfdebug eval humanevalplus --backend search
"""

from __future__ import annotations

from collections.abc import Iterator

from selfdebug.formats import evalplus
from selfdebug.formats.data import DataSet, Row, check_split, rows
from selfdebug.formats.python_checks import prelude, split_check
from selfdebug.types import Task, Test

LICENSE = "Apache-2.0"  # the added tests; the tasks are HumanEval's, MIT
SPLITS = ("test",)
EVALUATION_ONLY = SPLITS
DATA = (
    DataSet(
        file="evalplus/HumanEvalPlus-OriginFmt.jsonl.gz",
        url="https://github.com/evalplus/humanevalplus_release/releases",
        columns=("task_id", "prompt", "entry_point", "canonical_solution", "test"),
        hub="evalplus/humanevalplus",
    ),
    DataSet(
        file="humaneval/HumanEval.jsonl.gz",
        url="https://github.com/openai/human-eval",
        columns=("task_id", "test"),
        hub="openai/openai_humaneval",
    ),
)


def load(split: str = "test", source: str = "") -> Iterator[Task]:
    """Yield the tasks."""
    check_split("humanevalplus", split, SPLITS)
    checks = {row["task_id"]: row["test"] for row in rows(DATA[1], source)}
    return (task(row, checks[row["task_id"]]) for row in rows(DATA[0], source))


def task(row: Row, checks: str) -> Task:
    """Return one row as a task; `checks` is the same task's test program in HumanEval."""
    name, reference = row["entry_point"], row["prompt"] + row["canonical_solution"]
    bodies = split_check(checks, name, reference)
    return Task(
        id=row["task_id"].replace("HumanEval/", "HumanEval+/"),
        language="python",
        prompt=row["prompt"],
        entry_point=name,
        tests=(
            *(Test(f"check-{n}", "program", body) for n, body in enumerate(bodies, 1)),
            evalplus.hidden_test(row["test"], name),
        ),
        prelude=prelude(row["prompt"], name),
        reference=reference,
        source="humanevalplus",
        license=LICENSE,
    )
