"""Bugs put into held-out world programs, as tasks to mend: for measuring, never for training.

`selfdebug inject` refuses the held-out tasks, because what it makes is trained on. Here one bug of
each kind goes into each of their programs where there is one, and the file is for `eval` alone.

    python -m recipes.injected_bugs --out runs/injected --total 400
    selfdebug eval runs/injected/tasks.jsonl --start broken --out runs/injected/search
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from selfdebug.benchmarks import world
from selfdebug.inject import inject
from selfdebug.sandbox import Sandbox
from selfdebug.store import write_lines
from selfdebug.types import Repair, Task, Test


def main() -> None:
    """Make the bugs and write the tasks."""
    parser = argparse.ArgumentParser(description="Put bugs into held-out world programs.")
    parser.add_argument("--out", type=Path, required=True, help="the run's folder")
    parser.add_argument("--total", type=int, default=400, help="bugs")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    tasks = {task.id: task for task in world.load("test")}
    with Sandbox() as sandbox:
        repairs = inject(
            list(tasks.values()), sandbox, options.out, total=options.total, seed=options.seed
        )
    path = options.out / "tasks.jsonl"
    lines = (json.dumps(_line(tasks[repair.task_id], repair)) for repair in repairs)
    print(f"{write_lines(path, lines)} tasks: {path}")


def _line(task: Task, repair: Repair) -> dict[str, Any]:
    """Return a task in the form of docs/tasks.md, with the bug to mend."""
    return {
        "id": f"{task.id}/{repair.key}",
        "language": task.language,
        "entry_point": task.entry_point,
        "prompt": task.prompt,
        "reference": task.reference,
        "broken": repair.broken,
        "bug_kind": repair.kind,
        "license": task.license,
        "tests": list(_tests(task.tests)),
    }


def _tests(tests: tuple[Test, ...]) -> Iterator[dict[str, Any]]:
    for test in tests:
        body = json.loads(test.body)  # the world's values are plain JSON
        yield {
            "id": test.id,
            "args": body["args"],
            "expected": body["expected"],
            "hidden": test.hidden,
        }


if __name__ == "__main__":
    main()
