"""MBXP in JavaScript (Athiwaratkun et al. 2023): MBPP's tasks with their asserts translated.

The prompt shows the asserts as examples, so they are visible and they score. The reference
solutions were written by a model against those three asserts alone: trust them no further. Task n
is MBPP's task n, with MBPP's splits.

    selfdebug eval mbxp --split test --backend search
"""

from __future__ import annotations

from collections.abc import Iterator

from selfdebug.formats.data import DataSet, Row, check_split, rows
from selfdebug.formats.javascript_checks import split_groups
from selfdebug.types import Task, Test

LICENSE = "CC-BY-4.0"
PARTS = {"few_shot": (1, 10), "test": (11, 510), "validation": (511, 600), "train": (601, 974)}
SPLITS = (*PARTS, "all")
EVALUATION_ONLY = ("test",)
DATA = (
    DataSet(
        file="mxeval_js/mbjsp_release_v1.2.jsonl",
        url="https://github.com/amazon-science/mxeval/tree/main/data/mbxp",
        columns=("task_id", "prompt", "entry_point", "test", "canonical_solution"),
        hub="mxeval/mbxp",
        config="javascript",
    ),
)

# Reference solutions that fail their own asserts: 134 use parameter names that the prompt does not
# have, 8 are wrong. Their tasks stand, without a reference.
_WRONG_REFERENCES = """
2 18 26 29 37 50 54 63 65 81 91 94 104 106 110 129 140 156 174 193 196 197 205 206 213 222 230
237 249 258 259 261 264 272 273 278 281 324 326 333 357 363 366 368 371 376 378 381 393 394 399
400 401 421 424 428 429 438 445 452 470 473 484 490 492 494 512 513 514 544 546 552 553 560 561
573 580 585 611 613 614 616 619 621 630 632 637 639 645 651 653 665 668 679 691 694 695 697 698
710 713 715 720 726 740 744 749 750 753 757 772 776 780 785 788 791 792 795 806 808 809 811 825
842 844 852 858 875 878 888 894 915 916 920 921 936 939 942 951 954 969 972
"""

# MBJSP/243's reference sorts by `compare`, a function of the data set's own test program, which
# is lodash's isEqual there; these are the values that it meets.
_COMPARE = "function compare(a, b) { return JSON.stringify(a) === JSON.stringify(b) }\n"


def load(split: str = "test", source: str = "") -> Iterator[Task]:
    """Yield the tasks of a split; "all" is the four parts together."""
    check_split("mbxp", split, SPLITS)
    first, last = (1, 974) if split == "all" else PARTS[split]
    return (task(row) for row in rows(DATA[0], source) if first <= _number(row) <= last)


def task(row: Row) -> Task:
    """Return one row as a task."""
    wrong = str(_number(row)) in _WRONG_REFERENCES.split()
    solution: str | None = None if wrong else row["canonical_solution"]
    return Task(
        id=row["task_id"],
        language="javascript",
        prompt=row["prompt"],
        entry_point=row["entry_point"],
        tests=tuple(_tests(row)),
        prelude=_COMPARE if _number(row) == 243 else "",
        reference=f"{row['prompt']}{solution}\n" if solution else "",
        source="mbxp",
        license=LICENSE,
    )


def _tests(row: Row) -> Iterator[Test]:
    """Yield `compare(x0, v0)` with its variables written out.

    The data set's own message on failure names a variable that it never declares.
    """
    for number, group in enumerate(split_groups(row["test"]), start=1):
        arguments = ", ".join(value for name, value in group if name.startswith("arg"))
        expected = group[-1][1]
        call = f"{row['entry_point']}({arguments})"
        body = f"const _ = require('lodash')\nconsole.assert(_.isEqual({call}, {expected}))\n"
        yield Test(f"assert-{number}", "program", body, expected=expected)


def _number(row: Row) -> int:
    return int(row["task_id"].split("/")[1])
