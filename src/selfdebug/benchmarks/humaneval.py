"""HumanEval (Chen et al. 2021): 164 Python functions, each from a signature and a docstring.

Visible tests are the examples of the prompt, hidden ones the asserts of the data set. For
evaluation only: never train on it.

    selfdebug eval humaneval --backend search
"""

from __future__ import annotations

from collections.abc import Iterator

from selfdebug.formats.data import DataSet, Row, check_split, rows
from selfdebug.formats.python_checks import prelude, split_check, split_examples
from selfdebug.types import Task, Test

LICENSE = "MIT"
SPLITS = ("test",)
EVALUATION_ONLY = SPLITS
DATA = (
    DataSet(
        file="humaneval/HumanEval.jsonl.gz",
        url="https://github.com/openai/human-eval",
        columns=("task_id", "prompt", "entry_point", "canonical_solution", "test"),
        hub="openai/openai_humaneval",
    ),
)

# Examples of the data set's own docstrings that its own solutions do not meet.
_WRONG_EXAMPLES = {
    "assert median([-10, 4, 6, 1000, 10, 20]) == 15.0\n",
    "assert sort_array([1, 5, 2, 3, 4]) == [1, 2, 3, 4, 5]\n",
    "assert sort_array([-2, -3, -4, -5, -6]) == [-6, -5, -4, -3, -2]\n",
    "assert tri(1) == 3\n",
    "assert tri(4) == 3\n",
    'assert bf("Earth", "Mercury") == ("Venus")\n',
}


def load(split: str = "test", source: str = "") -> Iterator[Task]:
    """Yield the tasks."""
    check_split("humaneval", split, SPLITS)
    return (task(row) for row in rows(DATA[0], source))


def task(row: Row) -> Task:
    """Return one row as a task."""
    name, prompt = row["entry_point"], row["prompt"]
    reference = prompt + row["canonical_solution"]
    examples = [e for e in split_examples(prompt, name) if e not in _WRONG_EXAMPLES]
    # The same rule handles HumanEval/33, whose check calls the candidate by its own name.
    checks = split_check(row["test"], name, reference)
    return Task(
        id=row["task_id"],
        language="python",
        prompt=prompt,
        entry_point=name,
        tests=(
            *(Test(f"example-{n}", "program", body) for n, body in enumerate(examples, 1)),
            *(Test(f"check-{n}", "program", body, hidden=True) for n, body in enumerate(checks, 1)),
        ),
        prelude=prelude(prompt, name),
        reference=reference,
        source="humaneval",
        license=LICENSE,
    )
