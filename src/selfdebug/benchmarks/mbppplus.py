"""MBPP+ (Liu et al. 2023): 378 of MBPP's tasks, checked, with some thirty-five times the tests.

Visible tests are the asserts that the prompt shows; EvalPlus's program is the one hidden test.
Published figures are over all 378 ("all"), of which 108 come from MBPP's training split: whoever
trains on that evaluates on "test", the 224 tasks of MBPP's test split.

    selfdebug eval mbppplus --split all --backend search
"""

from __future__ import annotations

from collections.abc import Iterator

from selfdebug.formats import evalplus
from selfdebug.formats.data import DataSet, Row, check_split, rows
from selfdebug.formats.python_checks import called, imports_for
from selfdebug.types import Task, Test

LICENSE = "Apache-2.0"  # the added tests; the tasks are MBPP's, CC-BY-4.0
PARTS = {"few_shot": (1, 10), "test": (11, 510), "validation": (511, 600), "train": (601, 974)}
SPLITS = (*PARTS, "all")
EVALUATION_ONLY = ("test",)
DATA = (
    DataSet(
        file="evalplus/MbppPlus-OriginFmt.jsonl.gz",
        url="https://github.com/evalplus/mbppplus_release/releases",
        columns=("task_id", "prompt", "code", "test_imports", "test_list", "test"),
        hub="evalplus/mbppplus",
    ),
)


def load(split: str = "test", source: str = "") -> Iterator[Task]:
    """Yield the tasks of a split; "all" is the four parts together."""
    check_split("mbppplus", split, SPLITS)
    first, last = (1, 974) if split == "all" else PARTS[split]
    return (task(row) for row in rows(DATA[0], source) if first <= row["task_id"] <= last)


def task(row: Row) -> Task:
    """Return one row as a task."""
    asserts: list[str] = row["test_list"]
    name = called(row["code"], asserts)
    imports = imports_for(row["code"], asserts) + "\n".join(row["test_imports"])
    bodies = [f"{imports}\n{text}\n".lstrip() for text in asserts]
    return Task(
        id=f"MBPP+/{row['task_id']}",
        language="python",
        prompt=f"{row['prompt']}\nYour code should pass these tests:\n\n"
        + "\n".join(asserts)
        + "\n",
        entry_point=name,
        tests=(
            *(Test(f"assert-{n}", "program", body) for n, body in enumerate(bodies, 1)),
            evalplus.hidden_test(row["test"], name),
        ),
        reference=row["code"].replace("\r\n", "\n"),
        source="mbppplus",
        license=LICENSE,
    )
