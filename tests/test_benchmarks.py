"""Benchmarks by their names, and rows in the columns of the Hugging Face hub.

The hub itself cannot be reached from a test; a module in the place of `datasets` gives its rows.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from selfdebug import benchmarks
from selfdebug.benchmarks import humaneval, humanevalpack, mbpp, mbppplus, mbxp
from selfdebug.sandbox import Sandbox
from selfdebug.types import SelfdebugError, Task

Row = dict[str, Any]

HUMANEVAL: Row = {
    "task_id": "HumanEval/0",
    "prompt": 'def double(x):\n    """Twice.\n    >>> double(2)\n    4\n    """\n',
    "canonical_solution": "    return 2 * x\n",
    "test": "\n\nMETADATA = {}\n\n\ndef check(candidate):\n    assert candidate(3) == 6\n",
    "entry_point": "double",
}
ORIGIN_FORMAT = """import numpy as np


def is_floats(x) -> bool:
    return isinstance(x, float)


def assertion(out, exp, atol):
    exact_match = out == exp
    if atol == 0 and is_floats(exp):
        atol = 1e-6
    if not exact_match and atol != 0:
        assert np.allclose(out, exp, rtol=1e-07, atol=atol)
    else:
        assert exact_match
"""
CHECK = """

def check(candidate):
    inputs = [[4], [1.5]]
    results = [8, 3.0]
    for i, (inp, exp) in enumerate(zip(inputs, results)):
        assertion(candidate(*inp), exp, 0)
"""
HUMANEVALPLUS: Row = HUMANEVAL | {"test": ORIGIN_FORMAT + CHECK}
MBPP: Row = {
    "task_id": 11,
    "text": "Write a function to double a number.",
    "code": "def double(x):\r\n  return 2 * x",
    "test_list": ["assert double(1) == 2", "assert double(0) == 0"],
    "test_setup_code": "",
    "challenge_test_list": ["assert double(-1) == -2"],
}
SANITIZED: Row = {
    "source_file": "Benchmark Questions Verification V2.ipynb",
    "task_id": 11,
    "prompt": "Write a function to double a number.",
    "code": "def double(x):\n  return 2 * x",
    "test_imports": ["import math"],
    "test_list": ["assert math.isclose(double(1.0), 2.0)"],
}
MBPPPLUS: Row = {
    "task_id": 11,
    "code": "def double(x):\n  return 2 * x",
    "prompt": "Write a function to double a number.",
    "source_file": "Benchmark Questions Verification V2.ipynb",
    "test_imports": [],
    "test_list": ["assert double(1) == 2"],
    "test": ORIGIN_FORMAT
    + "\ninputs = [[5]]\nresults = [10]\n"
    + "for i, (inp, exp) in enumerate(zip(inputs, results)):\n"
    + "    assertion(double(*inp), exp, 0)\n",
}
PACK_PYTHON: Row = {
    "task_id": "Python/0",
    "prompt": HUMANEVAL["prompt"],
    "declaration": "def double(x):\n",
    "canonical_solution": "    return 2 * x\n",
    "buggy_solution": "    return 3 * x\n",
    "bug_type": "value misuse",
    "failure_symptoms": "incorrect output",
    "entry_point": "double",
    "import": "",
    "test_setup": "",
    "test": "def check(double):\n    assert double(3) == 6\n\ncheck(double)",
    "example_test": "def check(double):\n    assert double(2) == 4\ncheck(double)",
    "signature": "double(x)",
    "docstring": "Twice.",
    "instruction": "Write a Python function `double(x)`",
}
PACK_JAVASCRIPT: Row = PACK_PYTHON | {
    "task_id": "JavaScript/0",
    "prompt": "/* Twice.\n  */\nconst double = (x) => {\n",
    "canonical_solution": "  return 2 * x;\n}\n\n",
    "buggy_solution": "  return 3 * x;\n}\n\n",
    "test": "const testDouble = () => {\n  console.assert(double(3) === 6)\n}\n\ntestDouble()\n",
}
MBXP: Row = {
    "task_id": "MBJSP/11",
    "language": "javascript",
    "prompt": "/**\n * Twice.\n */\nfunction double(x) {\n",
    "test": '\nconst _ = require("lodash")\n\n'
    "function compare(a, b){\n return _.isEqual(a, b)\n}\n\n"
    "var arg00 = 3;\nvar x0 = double(arg00);\nvar v0 = 6;\n"
    "if(!compare(x0, v0)){\n    throw 'Error at 1th assert statement. Value = '\n}\n",
    "entry_point": "double",
    "canonical_solution": "  return 2 * x;\n}",
    "description": "Twice.",
}
HUB: dict[tuple[str, str | None, str], list[Row]] = {
    ("openai/openai_humaneval", None, "test"): [HUMANEVAL],
    ("evalplus/humanevalplus", None, "test"): [HUMANEVALPLUS],
    ("google-research-datasets/mbpp", "full", "prompt+train+validation+test"): [MBPP],
    ("google-research-datasets/mbpp", "sanitized", "prompt+train+validation+test"): [SANITIZED],
    ("evalplus/mbppplus", None, "test"): [MBPPPLUS],
    ("bigcode/humanevalpack", "python", "test"): [PACK_PYTHON],
    ("bigcode/humanevalpack", "js", "test"): [PACK_JAVASCRIPT],
    ("mxeval/mbxp", "javascript", "test"): [MBXP],
}
NAMES = {
    "openai/openai_humaneval": ("test", "HumanEval/0"),
    "evalplus/humanevalplus": ("test", "HumanEval+/0"),
    "google-research-datasets/mbpp": ("test", "MBPP/11"),
    "evalplus/mbppplus": ("test", "MBPP+/11"),
    "bigcode/humanevalpack": ("javascript", "HumanEvalPack-JavaScript/0"),
    "mxeval/mbxp": ("test", "MBJSP/11"),
}

LoadDataset = Callable[..., list[Row]]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Put a module in the place of `datasets`, whose load_dataset a test may exchange."""

    def load_dataset(path: str, name: str | None, split: str) -> list[Row]:
        return HUB[path, name, split]

    module = SimpleNamespace(load_dataset=load_dataset)
    monkeypatch.setitem(sys.modules, "datasets", module)
    return module


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(workers=1) as sandbox:
        yield sandbox


@pytest.mark.parametrize(("name", "split", "task_id"), [(n, *v) for n, v in NAMES.items()])
def test_a_name_of_the_hub_gives_tasks_that_are_judged_like_local_ones(
    hub: SimpleNamespace, sandbox: Sandbox, name: str, split: str, task_id: str
) -> None:
    (task,) = benchmarks.load(name, split)
    assert task.id == task_id
    assert sandbox.judge(task, task.reference).passed
    assert not sandbox.judge(task, task.reference.replace("2 * x", "3 * x")).passed


def test_a_data_set_that_is_still_a_script_is_read_from_the_hubs_parquet_copy(
    hub: SimpleNamespace,
) -> None:
    def load_dataset(path: str, name: str | None, split: str, revision: str = "") -> list[Row]:
        if revision != "refs/convert/parquet":
            raise RuntimeError(f"Dataset scripts are no longer supported, but found {path}.py")
        return HUB[path, name, split]

    hub.load_dataset = load_dataset
    assert [task.id for task in benchmarks.load("mxeval/mbxp")] == ["MBJSP/11"]


def test_a_hub_that_fails_is_one_line(hub: SimpleNamespace) -> None:
    def load_dataset(**where: object) -> list[Row]:
        raise ConnectionError("Couldn't reach the Hub\nand a long story")

    hub.load_dataset = load_dataset
    with pytest.raises(SelfdebugError) as error:
        list(benchmarks.load("evalplus/mbppplus"))
    assert "cannot read evalplus/mbppplus from the Hugging Face hub (Couldn't reach" in str(
        error.value
    )
    assert "\n" not in str(error.value)


def test_a_name_that_no_loader_reads_is_answered_with_those_that_one_does() -> None:
    with pytest.raises(SelfdebugError, match=r"data set 'someone/else'.*openai/openai_humaneval"):
        benchmarks.load("someone/else")


def test_a_name_that_is_no_benchmark_is_answered_with_the_near_ones() -> None:
    with pytest.raises(SelfdebugError, match="did you mean humaneval"):
        benchmarks.load("human_eval")


def test_a_loader_of_ones_own_is_named_by_its_path(tmp_path: Any) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from selfdebug.types import Task, Test\n"
        "LICENSE, SPLITS, EVALUATION_ONLY, DATA = 'MIT', ('test',), (), ()\n"
        "def load(split='test', source=''):\n"
        "    yield Task(split, 'python', '', 'f', (Test('1', 'program', 'f()'),))\n"
    )
    assert [task.id for task in benchmarks.load(str(file))] == ["test"]


def test_a_benchmark_has_its_own_default_split(hub: SimpleNamespace) -> None:
    benchmark, source = benchmarks.resolve("bigcode/humanevalpack")
    assert isinstance(benchmark, ModuleType)
    assert source == "hub"
    assert [task.language for task in benchmarks.load("bigcode/humanevalpack")] == ["python"]


# What is visible and what is hidden


def visible(task: Task) -> dict[str, bool]:
    return {test.id: not test.hidden for test in task.tests}


def test_humaneval_shows_its_examples_and_hides_its_asserts() -> None:
    assert visible(humaneval.task(HUMANEVAL)) == {"example-1": True, "check-1": False}


def test_mbpp_shows_the_asserts_that_its_prompt_shows() -> None:
    task = mbpp.task(MBPP)
    assert visible(task) == {"assert-1": True, "assert-2": True, "challenge-1": False}
    assert all(text in task.prompt for text in MBPP["test_list"])
    assert "\r" not in task.reference


def test_mbpps_set_up_stands_in_the_test_after_the_candidate() -> None:
    row = MBPP | {"test_setup_code": "root = Node(1)", "test_list": ["assert double(root)"]}
    assert mbpp.task(row).tests[0].body == "root = Node(1)\nassert double(root)\n"
    assert mbpp.task(SANITIZED).tests[0].body.startswith("import math\nassert")


def test_the_plus_sets_hide_one_program() -> None:
    assert visible(mbppplus.task(MBPPPLUS)) == {"assert-1": True, "plus": False}


def test_humanevalpack_hides_the_plus_tests_where_they_are() -> None:
    assert visible(humanevalpack.python_task(PACK_PYTHON, "")) == {"check-1": True}
    found = humanevalpack.python_task(PACK_PYTHON, HUMANEVALPLUS["test"])
    assert visible(found) == {"check-1": True, "plus": False}
    javascript = humanevalpack.javascript_task(PACK_JAVASCRIPT, HUMANEVALPLUS["test"])
    assert visible(javascript) == {"check-1": True, "plus-0": False, "plus-1": False}
    assert javascript.tests[0].expected == "6"


def test_mbxp_writes_its_variables_out_and_drops_references_that_are_wrong() -> None:
    task = mbxp.task(MBXP)
    assert task.tests[0].body.endswith("console.assert(_.isEqual(double(3), 6))\n")
    assert task.tests[0].expected == "6"
    assert mbxp.task(MBXP | {"task_id": "MBJSP/18"}).reference == ""
    assert mbxp.task(MBXP | {"canonical_solution": None}).reference == ""
