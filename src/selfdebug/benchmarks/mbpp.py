"""MBPP (Austin et al. 2021): 974 short Python tasks in a sentence each, with three asserts.

The prompt shows the asserts, as the paper's does, so they are visible and they score; challenge
tests are hidden. `sanitized-*` are the 427 tasks that its authors checked by hand.

    selfdebug eval mbpp --split test --backend search
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from selfdebug.formats.data import DataSet, Row, check_split, rows
from selfdebug.formats.python_checks import called, imports_for
from selfdebug.types import Task, Test

LICENSE = "CC-BY-4.0"
PARTS = {"few_shot": (1, 10), "test": (11, 510), "validation": (511, 600), "train": (601, 974)}
SPLITS = (*PARTS, "all", *(f"sanitized-{part}" for part in (*PARTS, "all")))
EVALUATION_ONLY = ("test", "sanitized-test")
_HUB = "google-research-datasets/mbpp"
_URL = "https://github.com/google-research/google-research/tree/master/mbpp"
FULL = DataSet(
    file="mbpp/mbpp.jsonl",
    url=_URL,
    columns=("task_id", "text", "code", "test_list", "test_setup_code", "challenge_test_list"),
    hub=_HUB,
    config="full",
    split="prompt+train+validation+test",  # the hub's "prompt" is the paper's few-shot part
)
SANITIZED = DataSet(
    file="mbpp/sanitized-mbpp.json",
    url=_URL,
    columns=("task_id", "prompt", "code", "test_list", "test_imports"),
    hub=_HUB,
    config="sanitized",
    split="prompt+train+validation+test",
)
DATA = (FULL, SANITIZED)


def load(split: str = "test", source: str = "") -> Iterator[Task]:
    """Yield the tasks of a split; "all" is the four parts together."""
    check_split("mbpp", split, SPLITS)
    part = split.removeprefix("sanitized-")
    data = FULL if part == split else SANITIZED
    first, last = (1, 974) if part == "all" else PARTS[part]
    found = sorted(rows(data, source), key=lambda row: row["task_id"])
    return (task(row) for row in found if first <= row["task_id"] <= last)


def task(row: Row) -> Task:
    """Return one row, of the full set or the sanitized one, as a task."""
    sanitized = "test_imports" in row
    # Set-up code stands in the test, after the candidate: that of tasks 367 and 927 builds a tree
    # of the candidate's own Node class.
    set_up = "\n".join(row["test_imports"]) if sanitized else row["test_setup_code"]
    text = row["prompt"] if sanitized else row["text"]
    asserts: list[str] = row["test_list"]
    set_up = imports_for(row["code"], asserts) + set_up
    return Task(
        id=f"MBPP-sanitized/{row['task_id']}" if sanitized else f"MBPP/{row['task_id']}",
        language="python",
        prompt=f"{text}\nYour code should pass these tests:\n\n" + "\n".join(asserts) + "\n",
        entry_point=called(row["code"], asserts),
        tests=(
            *_tests("assert", set_up, asserts),
            *_tests("challenge", set_up, row.get("challenge_test_list", ()), hidden=True),
        ),
        reference=row["code"].replace("\r\n", "\n"),
        source="mbpp",
        license=LICENSE,
    )


def _tests(name: str, set_up: str, asserts: Iterable[str], hidden: bool = False) -> Iterator[Test]:
    for number, text in enumerate(asserts, start=1):
        body = f"{set_up}\n{text}\n".lstrip()
        # MBPP/123's reference needs three seconds for one of its own asserts.
        weight = 4 if "amicable_numbers_sum" in text else 1
        yield Test(f"{name}-{number}", "program", body, hidden, weight=weight)
