"""HumanEvalPack (Muennighoff et al. 2023): HumanEval with a hand-made bug in each task.

`broken` is the data set's buggy solution (HumanEvalFix). Visible tests are its asserts; hidden
ones come from HumanEval+ where its file is present, and without it the visible tests score. For
evaluation only: never train on it.

    selfdebug eval humanevalpack --split javascript --backend search
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfdebug.formats import evalplus
from selfdebug.formats.data import HUB, DataSet, Row, check_split, present, rows
from selfdebug.formats.javascript_checks import declared, split_asserts
from selfdebug.formats.python_checks import prelude, split_check
from selfdebug.types import Task, Test

LICENSE = "MIT"
SPLITS = ("python", "javascript")
EVALUATION_ONLY = SPLITS
_URL = "https://github.com/bigcode-project/octopack/tree/main/evaluation/create/humaneval-x/data"
_COLUMNS = (
    "task_id",
    "prompt",
    "canonical_solution",
    "buggy_solution",
    "bug_type",
    "entry_point",
    "test",
)
PYTHON = DataSet(
    file="humanevalpack/humanevalpack_python.jsonl",
    url=_URL,
    columns=_COLUMNS,
    hub="bigcode/humanevalpack",
    config="python",
)
JAVASCRIPT = DataSet(
    file="humanevalpack/humanevalpack_js.jsonl",
    url=_URL,
    columns=_COLUMNS,
    hub="bigcode/humanevalpack",
    config="js",
)
PLUS = DataSet(
    file="evalplus/HumanEvalPlus-OriginFmt.jsonl.gz",
    url="https://github.com/evalplus/humanevalplus_release/releases",
    columns=("task_id", "entry_point", "test"),
    hub="evalplus/humanevalplus",
)
DATA = (PYTHON, JAVASCRIPT, PLUS)


def load(split: str = "python", source: str = "") -> Iterator[Task]:
    """Yield the tasks of a language."""
    check_split("humanevalpack", split, SPLITS)
    plus: dict[str, str] = {}
    if source == HUB or present(PLUS, source):
        plus = {row["task_id"].split("/")[1]: row["test"] for row in rows(PLUS, source)}
    if split == "python":
        found = rows(PYTHON, source)
        return (python_task(row, plus.get(row["task_id"].split("/")[1], "")) for row in found)
    return (javascript_task(row) for row in rows(JAVASCRIPT, source))


def python_task(row: Row, plus: str) -> Task:
    """Return one row as a task; `plus` is HumanEval+'s test program for it, or ""."""
    name = row["entry_point"]
    reference = row["prompt"] + row["canonical_solution"]
    test = row["test"]
    if name == "sort_third":
        # Its check compares sort_third with itself on both sides: make the left the candidate.
        test = test.replace("check(sort_third):", "check(candidate):")
        test = test.replace("assert tuple(sort_third(", "assert tuple(candidate(")
    bodies = split_check(test, name, reference)
    tests = [Test(f"check-{n}", "program", body) for n, body in enumerate(bodies, 1)]
    if plus:
        tests.append(Test("plus", "program", evalplus.program(plus, name), hidden=True))
    return Task(
        id=row["task_id"].replace("Python/", "HumanEvalPack-Python/"),
        language="python",
        prompt=row["prompt"],
        entry_point=name,
        tests=tuple(tests),
        prelude=prelude(row["prompt"], name),
        reference=reference,
        broken=row["prompt"] + row["buggy_solution"],
        bug_kind=row["bug_type"],
        source="humanevalpack",
        license=LICENSE,
    )


def javascript_task(row: Row) -> Task:
    """Return one row as a task."""
    # JavaScript/114's entry_point is spelled minSubarraySum; its program says minSubArraySum.
    name: str = row["entry_point"].replace("minSubarraySum", "minSubArraySum")
    checks = split_asserts(row["test"])
    helpers = declared(row["prompt"], name)
    return Task(
        id=row["task_id"].replace("JavaScript/", "HumanEvalPack-JavaScript/"),
        language="javascript",
        prompt=row["prompt"],
        entry_point=name,
        tests=tuple(
            Test(f"check-{n}", "program", check.body, expected=check.expected)
            for n, check in enumerate(checks, 1)
        ),
        prelude=helpers if re.search(r"^const ", helpers, re.MULTILINE) else "",
        reference=row["prompt"] + row["canonical_solution"],
        broken=row["prompt"] + row["buggy_solution"],
        bug_kind=row["bug_type"],
        source="humanevalpack",
        license=LICENSE,
    )
