"""A user's own tasks: what a line may hold, and one clear sentence for each way it can be wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from selfdebug import benchmarks
from selfdebug.benchmarks import jsonl
from selfdebug.sandbox import Sandbox
from selfdebug.types import SelfdebugError, Task

GOOD: dict[str, Any] = {
    "id": "double",
    "entry_point": "double",
    "tests": ["assert double(2) == 4"],
}


def read(tmp_path: Path, *lines: object) -> list[Task]:
    file = tmp_path / "tasks.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    file.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return list(jsonl.load(source=str(file)))


def error(tmp_path: Path, *lines: object) -> str:
    with pytest.raises(SelfdebugError) as caught:
        read(tmp_path, *lines)
    text = str(caught.value)
    assert "\n" not in text
    return text.removeprefix(f"{tmp_path}/")


def test_the_smallest_task(tmp_path: Path) -> None:
    (task,) = read(tmp_path, GOOD)
    assert (task.id, task.language, task.entry_point) == ("double", "python", "double")
    assert [(t.id, t.kind, t.body, t.hidden) for t in task.tests] == [
        ("test-1", "program", "assert double(2) == 4", False)
    ]


def test_every_field_arrives(tmp_path: Path) -> None:
    texts = {
        "prompt": "Double it.",
        "prelude": "import math\n",
        "reference": "def double(x):\n    return 2 * x\n",
        "broken": "def double(x) return x",  # broken programs may not even parse
        "bug_kind": "syntax",
        "source": "mine",
        "license": "CC0",
    }
    (task,) = read(tmp_path, GOOD | texts)
    assert {name: getattr(task, name) for name in texts} == texts


def test_the_three_forms_of_a_test(tmp_path: Path) -> None:
    tests = [
        {"program": "assert double(1) == 2", "id": "one", "hidden": True},
        {"args": [{"a": 1}], "kwargs": {"n": 2}, "expected": None, "atol": 0.5},
        {"stdin": "1\n", "stdout": "2\n"},
    ]
    (task,) = read(tmp_path, GOOD | {"tests": tests})
    assert [(t.id, t.kind, t.hidden) for t in task.tests] == [
        ("one", "program", True),
        ("test-2", "call", False),
        ("test-3", "stdio", False),
    ]
    call = json.loads(task.tests[1].body)
    assert call["args"] == [{"d": [["a", 1]]}]  # an object is a dict
    assert call["atol"] == 0.5
    assert json.loads(task.tests[2].body) == {"stdin": "1\n", "stdout": "2\n"}


def test_a_javascript_task_keeps_json_as_it_is(tmp_path: Path) -> None:
    tests = [{"args": [{"a": 1}], "expected": {"a": 2}}, {"program": "f()", "expected": "4"}]
    line = {"id": "f", "language": "javascript", "entry_point": "f", "tests": tests}
    (task,) = read(tmp_path, line)
    assert json.loads(task.tests[0].body)["args"] == [{"a": 1}]
    assert task.tests[1].expected == "4"


def test_a_program_of_input_and_output_needs_no_entry_point(tmp_path: Path) -> None:
    (task,) = read(tmp_path, {"id": "sum", "tests": [{"stdin": "", "stdout": ""}]})
    assert task.entry_point == ""


def test_empty_lines_and_a_byte_order_mark_are_nothing(tmp_path: Path) -> None:
    assert len(read(tmp_path, "\ufeff" + json.dumps(GOOD), "", "  ")) == 1


def test_a_line_separator_inside_a_text_is_no_end_of_line(tmp_path: Path) -> None:
    text = json.dumps(GOOD | {"prompt": "a\u2028b"}, ensure_ascii=False)
    (task,) = read(tmp_path, text)
    assert task.prompt == "a\u2028b"


def test_tasks_are_judged(tmp_path: Path) -> None:
    tests = [{"args": [{"n": [1, 2]}], "expected": {"n": 3}}, {"args": [{}], "expected": {}}]
    line = {"id": "sums", "entry_point": "sums", "tests": tests}
    (task,) = read(tmp_path, line)
    right = "def sums(lists):\n    return {name: sum(items) for name, items in lists.items()}\n"
    with Sandbox(workers=1) as sandbox:
        assert sandbox.judge(task, right).passed
        wrong = sandbox.judge(task, right.replace("sum(items)", "len(items)"))
    assert [result.status for result in wrong.results] == ["wrong", "pass"]


WRONG: list[tuple[str, object, str]] = [
    ("broken JSON", '{"id": 1,, }', "not JSON: .* at column 10"),
    ("not an object", "[1, 2]", "a task is a JSON object, not a list"),
    ("null", "null", "a task is a JSON object, not null"),
    ("a number", "7", "a task is a JSON object, not a number"),
    ("NaN", '{"id": NaN}', "NaN is no JSON"),
    ("too deep", "[" * 100_000, "nested too deeply"),
    ("an unknown field", GOOD | {"entrypoint": "f"}, "no field 'entrypoint': did you mean 'entry_"),
    ("a strange field", GOOD | {"zzz": 1}, "no field 'zzz': there are: id, language"),
    ("no id", {"entry_point": "f", "tests": ["f()"]}, "no 'id'"),
    ("an empty id", GOOD | {"id": " "}, "the id is empty"),
    ("a number as id", GOOD | {"id": 7}, "'id' must be text, not a number"),
    ("a list as prompt", GOOD | {"prompt": ["x"]}, "'prompt' must be text, not a list"),
    ("a language", GOOD | {"language": "cobol"}, "no language 'cobol'; there are: python, java"),
    ("no entry point", {"id": "a", "tests": ["f()"]}, "no 'entry_point'"),
    ("a bad entry point", GOOD | {"entry_point": "f()"}, "neither a function's name nor Class"),
    ("a long entry point", GOOD | {"entry_point": "a.b.c"}, "neither a function's name nor Class"),
    ("no tests", {"id": "a", "entry_point": "f"}, "no 'tests'"),
    ("an empty list of tests", GOOD | {"tests": []}, "no tests: a program cannot be judged"),
    ("tests as text", GOOD | {"tests": "f()"}, "'tests' must be a list, not text"),
    ("a test of no form", GOOD | {"tests": [{"id": "x"}]}, "test 1 needs one of: program; args"),
    (
        "a number as test",
        GOOD | {"tests": ["f()", 5]},
        "test 2 must be text or an object, not a nu",
    ),
    ("a wrong field", GOOD | {"tests": [{"program": "f()", "hiden": True}]}, "mean 'hidden'"),
    ("two forms", GOOD | {"tests": [{"program": "f()", "stdin": ""}]}, "test 1: field 'stdin'"),
    ("hidden as text", GOOD | {"tests": [{"program": "f()", "hidden": "yes"}]}, "true or false"),
    ("an empty program", GOOD | {"tests": [" "]}, "the program is empty, so it passes everything"),
    ("bad Python", GOOD | {"tests": ["x = 1\nassert f( == 2"]}, "test 1 is no Python.*line 2"),
    ("a bad prelude", GOOD | {"prelude": "import"}, "prelude is no Python"),
    ("a bad reference", GOOD | {"reference": "def f("}, "reference is no Python"),
    ("a null byte", GOOD | {"tests": ["f()\0"]}, "test 1 is no Python"),
    (
        "args as text",
        GOOD | {"tests": [{"args": "1", "expected": 1}]},
        "'args' of test 1 must be a",
    ),
    ("no expected", GOOD | {"tests": [{"args": [1]}]}, "test 1 has no 'expected'"),
    ("a bad atol", GOOD | {"tests": [{"args": [], "expected": 1, "atol": -1}]}, "at least 0"),
    ("no stdout", GOOD | {"tests": [{"stdin": ""}]}, "no 'stdout' of test 1"),
    (
        "keyword arguments in JavaScript",
        GOOD
        | {"language": "javascript", "tests": [{"args": [], "kwargs": {"a": 1}, "expected": 1}]},
        "JavaScript has no keyword arguments",
    ),
    (
        "bad JavaScript",
        GOOD | {"language": "javascript", "tests": ["let x = 1;\nf(;"]},
        "test 1 is no JavaScript: syntax error in its line 2",
    ),
    (
        "two tests of one id",
        GOOD | {"tests": [{"program": "f()", "id": "a"}, {"program": "f()", "id": "a"}]},
        "two tests have the same id",
    ),
]


@pytest.mark.parametrize(("line", "message"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_a_wrong_line_is_one_sentence_with_its_number(
    tmp_path: Path, line: object, message: str
) -> None:
    text = error(tmp_path, GOOD, "", line)
    assert text.startswith("tasks.jsonl, line 3: ")
    assert re.search(message, text), text
    assert len(text) < 300


def test_an_id_that_is_taken_names_both_lines(tmp_path: Path) -> None:
    assert error(tmp_path, GOOD, GOOD) == (
        "tasks.jsonl, line 2: the id 'double' is taken by line 1"
    )


def test_a_file_without_tasks(tmp_path: Path) -> None:
    assert "holds no task" in error(tmp_path, "", "")


def test_a_file_that_is_not_there_or_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.jsonl", tmp_path):
        with pytest.raises(SelfdebugError, match="cannot read"):
            list(jsonl.load(source=str(path)))


def test_a_file_of_another_encoding(tmp_path: Path) -> None:
    file = tmp_path / "latin.jsonl"
    file.write_bytes(json.dumps(GOOD).encode() + b'\n{"id": "\xe9"}\n')
    with pytest.raises(SelfdebugError, match="line 2: not UTF-8 text"):
        list(jsonl.load(source=str(file)))


def test_no_file_and_a_wrong_split() -> None:
    with pytest.raises(SelfdebugError, match="say which one"):
        list(jsonl.load())
    with pytest.raises(SelfdebugError, match="no split 'test'; it has: all"):
        list(jsonl.load("test", source="x.jsonl"))


def test_the_examples_of_the_documentation_are_right(tmp_path: Path) -> None:
    text = (Path(__file__).parents[1] / "docs" / "tasks.md").read_text()
    blocks = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    (task,) = read(tmp_path, lines[0])
    assert task.id == "double"
    tests = [json.loads(line) for line in lines[1:]]
    assert len(tests) == 5
    javascript = [t for t in tests if "console" in str(t)]
    python = [t for t in tests if t not in javascript]
    assert len(read(tmp_path, GOOD | {"tests": python})[0].tests) == 4
    assert read(tmp_path, GOOD | {"language": "javascript", "tests": javascript})[0].tests


def test_the_fields_of_the_documentation_are_those_of_the_loader() -> None:
    text = (Path(__file__).parents[1] / "docs" / "tasks.md").read_text()
    table = re.findall(r"^\| (`.*?`) \|", text, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(table))) == set(jsonl._FIELDS)


def test_a_file_is_named_like_a_benchmark(tmp_path: Path) -> None:
    read(tmp_path, GOOD)
    assert [task.id for task in benchmarks.load(str(tmp_path / "tasks.jsonl"))] == ["double"]
