"""DebugBench (Tian et al. 2024), the part that can be executed: 1,124 broken LeetCode solutions.

The bugs were put in by GPT-4, one to four a program. The examples of each problem are its tests;
they are few, they are visible, and they score. Programs are the `Solution` classes of LeetCode.

    selfdebug eval debugbench --backend search
"""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Iterator

from selfdebug.formats.data import DataSet, Row, check_split, rows
from selfdebug.formats.python_checks import parse
from selfdebug.types import Task, Test

LICENSE = "Apache-2.0"
SPLITS = ("test",)
EVALUATION_ONLY = SPLITS
DATA = (
    DataSet(
        file="debugbench/debugbench_python3_executable.jsonl.gz",
        url="https://github.com/thunlp/DebugBench (the executable part is derived from it)",
        columns=(
            "slug",
            "category",
            "description",
            "method",
            "tests",
            "buggy_code",
            "oracle_code",
        ),
    ),
)
# What LeetCode imports for everyone.
PRELUDE = """\
from typing import *
import bisect, collections, functools, heapq, itertools, math, operator, random, re, string, sys
from collections import *
from functools import *
from itertools import *
from heapq import *
from bisect import *
from math import *
inf = float("inf")
"""


def load(split: str = "test", source: str = "") -> Iterator[Task]:
    """Yield the tasks."""
    check_split("debugbench", split, SPLITS)
    seen: Counter[str] = Counter()  # one problem has several bugs of one category
    for row in rows(DATA[0], source):
        name = f"{row['slug']}/{row['category'].replace(' ', '-')}"
        seen[name] += 1
        yield task(row, f"DebugBench/{name}/{seen[name]}")


def task(row: Row, identifier: str) -> Task:
    """Return one row as a task."""
    reference = row["oracle_code"].strip() + "\n"
    bodies = [
        # LeetCode accepts floating-point answers within 1e-5.
        json.dumps({"args": args, "expected": expected, "atol": 1e-5})
        for args, expected in row["tests"]
    ]
    return Task(
        id=identifier,
        language="python",
        prompt=f"{row['description']}\n\n{_signature(reference, row['method'])}\n",
        entry_point=f"Solution.{row['method']}",
        tests=tuple(Test(f"example-{n}", "call", body) for n, body in enumerate(bodies, 1)),
        prelude=PRELUDE,
        reference=reference,
        broken=row["buggy_code"].strip() + "\n",
        bug_kind=row["category"],
        source="debugbench",
        license=LICENSE,
    )


def _signature(program: str, method: str) -> str:
    """Return the class and method lines that LeetCode shows above an empty body."""
    for node in ast.walk(parse(program)):
        if isinstance(node, ast.FunctionDef) and node.name == method:
            returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
            return f"class Solution:\n    def {method}({ast.unparse(node.args)}){returns}:"
    return f"class Solution:\n    def {method}(self, ...):"
