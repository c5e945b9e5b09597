"""A folder of repairs gets a card, and exports in the forms that trainers read."""

import json
from pathlib import Path

import pytest

from selfdebug.dataset import export, rows, write_card
from selfdebug.store import Store
from selfdebug.types import Example, Repair, SelfdebugError, Visit

EXAMPLE = Example(
    "correct", "add", "python", "logic",
    ({"role": "user", "content": "Add."},),
    ({"role": "assistant", "content": "def add(): ..."},),
)  # fmt: skip


def repair(kind="logic", language="python", failed=1):
    return Repair(
        key=f"{kind}{language}{failed}", task_id="add", language=language, broken="b",
        feedback="f", explanation="e", fixed="x", origin="injected", tier="A", kind=kind,
        mutator="python_logic.operator+python_logic.guard",
        details={"bugs": 2, "failed": failed, "tests": 3, "all_fail": failed == 3,
                 "source": "demo", "license": "Apache-2.0", "visit": 0},
    )  # fmt: skip


def test_the_card_counts_classes_languages_sources_licences_and_mutants(tmp_path: Path):
    with Store(tmp_path / "repairs.jsonl", Repair) as store:
        store.append_many([repair(), repair("syntax", failed=3), repair(language="javascript")])
    with Store(tmp_path / "visits.jsonl", Visit, key=lambda v: str(v.number)) as visits:
        visits.append(Visit(0, "add", 5, 3, {"logic added": 3, "logic equivalent": 2}))
    text = write_card(tmp_path, {"seed": 7}).read_text()
    assert "# 3 verified repairs" in text
    for row in (
        "| python | logic | 1 |",
        "| javascript | logic | 1 |",
        "| demo | Apache-2.0 | 3 |",
        "| python | all | 1 |",
        "| logic | equivalent | 2 |",
        "seed = 7",
        "`python_logic.operator` 3",
    ):
        assert row in text


def test_conversations_are_exported_as_trl_reads_them(tmp_path: Path):
    path = tmp_path / "out.jsonl"
    assert export(rows("prompt-completion", [], [EXAMPLE]), path) == 1
    row = json.loads(path.read_text())
    assert row["prompt"] == [{"role": "user", "content": "Add."}]
    assert row["completion"] == [{"role": "assistant", "content": "def add(): ..."}]
    assert export(rows("messages", [], [EXAMPLE]), path) == 1
    assert [m["role"] for m in json.loads(path.read_text())["messages"]] == ["user", "assistant"]


def test_repairs_are_exported_whole(tmp_path: Path):
    path = tmp_path / "out.jsonl"
    export(rows("repairs", [repair()], []), path)
    row = json.loads(path.read_text())
    assert row["explanation"] == "e"
    assert json.loads(row["details"])["tests"] == 3


def test_parquet_holds_the_same_rows(tmp_path: Path):
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "out.parquet"
    assert export(rows("messages", [], [EXAMPLE] * 2_500), path) == 2_500
    table = parquet.read_table(path)
    assert table.num_rows == 2_500
    assert table.to_pylist()[2_499]["messages"][1]["content"] == "def add(): ..."


def test_wrong_formats_are_named(tmp_path: Path):
    with pytest.raises(SelfdebugError, match="messages"):
        list(rows("csv", [], []))
    with pytest.raises(SelfdebugError, match="parquet"):
        export(iter([]), tmp_path / "out.csv")
