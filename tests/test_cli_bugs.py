"""`inject`, `export` and `eval --trained-on` as a user meets them, on the programs that ship.

pytest tests/test_cli_bugs.py
"""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from conftest import Answer, Selfdebug
from selfdebug.interfaces import bugs
from selfdebug.types import SelfdebugError

TASK: dict[str, Any] = {
    "id": "spread",
    "language": "python",
    "prompt": "Return the largest value minus the smallest, 0 for no values.\n",
    "entry_point": "spread",
    "reference": "def spread(values):\n    if not values:\n        return 0\n"
    "    high = low = values[0]\n    for value in values[1:]:\n        if value > high:\n"
    "            high = value\n        if value < low:\n            low = value\n"
    "    return high - low\n",
    "tests": [
        {"id": "two", "program": "assert spread([4, 1]) == 3"},
        {"id": "many", "program": "assert spread([2, 9, -3, 5]) == 12"},
        {"id": "none", "program": "assert spread([]) == 0"},
    ],
}


@pytest.fixture(autouse=True)
def no_evaluation_sets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Compare with no evaluation set: reading them all takes seconds, and has its own tests."""
    monkeypatch.setenv("SELFDEBUG_DATA", str(tmp_path / "no-data"))


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.jsonl"
    path.write_text(json.dumps(TASK) + "\n")
    return path


def repairs(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "repairs.jsonl").read_text().splitlines()]


def complaint(answer: Answer) -> str:
    assert answer.code == 2
    assert answer.err.count("\n") == 1, answer.err
    return answer.err


class TestInject:
    def test_fills_a_folder_with_repairs_of_every_class_and_a_card(
        self, selfdebug: Selfdebug, tmp_path: Path
    ) -> None:
        out = tmp_path / "run"
        answer = selfdebug("inject", "demo:references", "--out", out, "--total", 60)
        assert (answer.code, answer.out) == (0, "60\n")
        found = repairs(out)
        assert len({(r["task_id"], r["broken"]) for r in found}) == 60
        assert {r["language"] for r in found} == {"python", "javascript"}
        assert len({r["kind"] for r in found}) == 4
        assert all(r["broken"] != r["fixed"] and r["explanation"] for r in found)
        assert "# 60 verified repairs" in (out / "README.md").read_text()
        assert f"card: {out / 'README.md'}" in answer.err

    def test_a_users_own_tasks_are_broken_too(
        self, selfdebug: Selfdebug, tasks: Path, tmp_path: Path
    ) -> None:
        answer = selfdebug("inject", tasks, "--out", tmp_path / "run", "--total", 10, "--json")
        assert json.loads(answer.out)["repairs"] == 10
        assert {r["task_id"] for r in repairs(tmp_path / "run")} == {"spread"}

    def test_only_the_kinds_that_are_asked_for(
        self, selfdebug: Selfdebug, tasks: Path, tmp_path: Path
    ) -> None:
        kinds = ("--kind", "logic", "--kind", "off_by_one")
        selfdebug("inject", tasks, "--out", tmp_path / "run", "--total", 8, *kinds)
        assert {r["kind"] for r in repairs(tmp_path / "run")} == {"logic", "off_by_one"}

    def test_the_same_command_again_changes_nothing(
        self, selfdebug: Selfdebug, tasks: Path, tmp_path: Path
    ) -> None:
        command = ["inject", tasks, "--out", tmp_path / "run", "--total", 10]
        first = selfdebug(*command)
        before = (tmp_path / "run" / "repairs.jsonl").read_bytes()
        assert selfdebug(*command) == first
        assert (tmp_path / "run" / "repairs.jsonl").read_bytes() == before

    def test_more_adds_to_what_is_there_as_if_so_many_had_been_asked_for_at_once(
        self, selfdebug: Selfdebug, tasks: Path, tmp_path: Path
    ) -> None:
        selfdebug("inject", tasks, "--out", tmp_path / "run", "--total", 10)
        before = repairs(tmp_path / "run")
        assert selfdebug("inject", tasks, "--out", tmp_path / "run", "--more", 5).out == "15\n"
        assert selfdebug("inject", tasks, "--out", tmp_path / "run", "--more", 3).out == "18\n"
        assert repairs(tmp_path / "run")[:10] == before

    def test_more_after_a_kill_first_finishes_what_was_asked_for(
        self, selfdebug: Selfdebug, tasks: Path, tmp_path: Path
    ) -> None:
        """The command that was killed can be given again: it asks for nothing more by that."""
        run = tmp_path / "run"
        selfdebug("inject", tasks, "--out", run, "--total", 10)
        kept = (run / "repairs.jsonl").read_text().splitlines(keepends=True)
        (run / "repairs.jsonl").write_text("".join(kept[:7]))
        (run / "visits.jsonl").unlink(missing_ok=True)
        assert selfdebug("inject", tasks, "--out", run, "--more", 5).out == "10\n"
        assert (run / "repairs.jsonl").read_text().splitlines(keepends=True) == kept
        assert selfdebug("inject", tasks, "--out", run, "--more", 5).out == "15\n"

    def test_tasks_that_hold_too_few_bugs_say_so(
        self, selfdebug: Selfdebug, tasks: Path, tmp_path: Path
    ) -> None:
        command = ["inject", tasks, "--out", tmp_path / "run", "--total", 100_000]
        answer = selfdebug(*command, "--kind", "off_by_one")
        assert answer.code == 0
        assert f"the tasks hold no more: {len(repairs(tmp_path / 'run'))} of 100000" in answer.err

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["mbpp:test"], "mbpp:test is for evaluation only"),
            (["humaneval"], "humaneval is for evaluation only"),
            (["no-such-benchmark"], "no plugin 'no-such-benchmark'"),
            (["demo:half"], "demo has no split 'half'"),
            (["no-such-file.jsonl"], "cannot read no-such-file.jsonl"),
            (["mbpp:train"], "no mbpp/mbpp.jsonl"),
            (["demo:references", "--kind", "typo"], "no 'typo': there are syntax, logic"),
        ],
    )
    def test_wrong_input_is_one_line_and_leaves_no_folder(
        self, selfdebug: Selfdebug, tmp_path: Path, words: list[str], message: str
    ) -> None:
        answer = selfdebug("inject", *words, "--out", tmp_path / "run", "--total", 5)
        assert message in complaint(answer)
        assert not (tmp_path / "run").exists()

    @pytest.mark.parametrize("option", [["--seed", 1], ["--kind", "syntax"]])
    def test_a_folder_keeps_its_settings(
        self, selfdebug: Selfdebug, tasks: Path, tmp_path: Path, option: list[object]
    ) -> None:
        selfdebug("inject", tasks, "--out", tmp_path / "run", "--total", 5)
        answer = selfdebug("inject", tasks, "--out", tmp_path / "run", "--total", 9, *option)
        assert "use the same, or another folder" in complaint(answer)
        assert len(repairs(tmp_path / "run")) == 5

    def test_a_task_without_a_working_program_cannot_be_broken(
        self, selfdebug: Selfdebug, tmp_path: Path
    ) -> None:
        (tmp_path / "t.jsonl").write_text(json.dumps({**TASK, "reference": ""}) + "\n")
        answer = selfdebug("inject", tmp_path / "t.jsonl", "--out", tmp_path / "run")
        assert "no task has both a reference program and a visible test" in complaint(answer)

    def test_what_an_evaluation_set_holds_is_left_out(
        self, selfdebug: Selfdebug, tasks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Here the evaluation set is a HumanEval of one task: the first of the two below."""
        twice = {
            **TASK, "id": "twice", "prompt": "Double a number.\n", "entry_point": "twice",
            "reference": "def twice(x):\n    result = x + x\n    return result\n",
            "tests": [{"id": "two", "program": "assert twice(3) == 6"}],
        }  # fmt: skip
        two = tmp_path / "two.jsonl"
        two.write_text(json.dumps(TASK) + "\n" + json.dumps(twice) + "\n")
        exam = {
            "task_id": "HumanEval/0", "entry_point": "f", "canonical_solution": "",
            "prompt": TASK["reference"].replace("spread", "f"),
            "test": "def check(candidate):\n    assert candidate([]) == 0\n",
        }  # fmt: skip
        data = tmp_path / "data" / "humaneval"
        data.mkdir(parents=True)
        (data / "HumanEval.jsonl.gz").write_bytes(gzip.compress(json.dumps(exam).encode()))
        monkeypatch.setenv("SELFDEBUG_DATA", str(data.parent))
        answer = selfdebug("inject", two, "--out", tmp_path / "run", "--total", 5)
        assert "1 of 2 tasks are in an evaluation set: left out" in answer.err
        assert {r["task_id"] for r in repairs(tmp_path / "run")} == {"twice"}
        selfdebug("export", tmp_path / "run", "--to", tmp_path / "out.jsonl")
        assert "spread" not in (tmp_path / "out.jsonl").read_text()
        answer = selfdebug("inject", tasks, "--out", tmp_path / "other", "--total", 5)
        assert "all 1 tasks are in an evaluation set (spread in HumanEval/0)" in complaint(answer)

    @pytest.mark.slow
    def test_killed_and_given_again_it_makes_what_one_run_makes(
        self, selfdebug: Selfdebug, tmp_path: Path
    ) -> None:
        whole, torn = tmp_path / "whole", tmp_path / "torn"
        words = ["inject", "demo:references", "--total", "150", "--out"]
        selfdebug(*words, whole)
        for seconds in (2.0, 2.5, 3.0):
            command = [sys.executable, "-m", "selfdebug", *words, str(torn)]
            process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
            time.sleep(seconds)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        assert selfdebug(*words, torn).code == 0
        for name in ("repairs.jsonl", "visits.jsonl"):
            assert (torn / name).read_bytes() == (whole / name).read_bytes()


class TestExport:
    @pytest.fixture
    def run(self, selfdebug: Selfdebug, tasks: Path, tmp_path: Path) -> Path:
        selfdebug("inject", tasks, "--out", tmp_path / "run", "--total", 12)
        return tmp_path / "run"

    def rows(self, selfdebug: Selfdebug, run: Path, *options: str) -> list[dict[str, Any]]:
        path = run / "out.jsonl"
        answer = selfdebug("export", run, "--to", path, *options)
        found = [json.loads(line) for line in path.read_text().splitlines()]
        assert answer == Answer(0, f"{len(found)} rows: {path}\n", "")
        return found

    def test_prompt_and_completion_are_conversations_that_end_in_one_answer(
        self, selfdebug: Selfdebug, run: Path
    ) -> None:
        rows = self.rows(selfdebug, run)
        stages = Counter(row["stage"] for row in rows)
        assert stages["generate"] == 1
        assert stages["recognise"] >= 12
        assert stages["correct"] >= 12
        for row in rows:
            # What TRL calls the conversational prompt-completion form; loss is on the completion.
            assert [message["role"] for message in row["completion"]] == ["assistant"]
            roles = [message["role"] for message in row["prompt"]]
            assert roles in (["user"], ["user", "assistant", "user"])
            assert all(set(m) == {"role", "content"} for m in row["prompt"] + row["completion"])

    def test_a_broken_program_is_only_ever_part_of_a_prompt(
        self, selfdebug: Selfdebug, run: Path
    ) -> None:
        wrong = [repair["broken"] for repair in repairs(run)]
        rows = self.rows(selfdebug, run)
        for row in rows:
            assert not any(code in row["completion"][0]["content"] for code in wrong)
        shown = "".join(message["content"] for row in rows for message in row["prompt"])
        assert all(code.strip() in shown for code in wrong)

    def test_messages_are_whole_conversations(self, selfdebug: Selfdebug, run: Path) -> None:
        pairs = self.rows(selfdebug, run)
        rows = self.rows(selfdebug, run, "--format", "messages")
        assert [row["messages"] for row in rows] == [r["prompt"] + r["completion"] for r in pairs]

    def test_one_stage_alone(self, selfdebug: Selfdebug, run: Path) -> None:
        rows = self.rows(selfdebug, run, "--stage", "recognise")
        assert {row["stage"] for row in rows} == {"recognise"}
        explained = {repair["explanation"] for repair in repairs(run)}
        said = {row["completion"][0]["content"] for row in rows if row["kind"]}
        assert said == explained

    def test_repairs_as_they_are(self, selfdebug: Selfdebug, run: Path) -> None:
        rows = self.rows(selfdebug, run, "--format", "repairs")
        assert [row["key"] for row in rows] == [repair["key"] for repair in repairs(run)]

    def test_parquet_holds_what_json_lines_hold(self, selfdebug: Selfdebug, run: Path) -> None:
        parquet: Any = pytest.importorskip("pyarrow.parquet")
        for form in ("prompt-completion", "messages", "repairs"):
            path = run / f"{form}.parquet"
            assert selfdebug("export", run, "--to", path, "--format", form).code == 0
            assert parquet.read_table(path).to_pylist() == self.rows(
                selfdebug, run, "--format", form
            )

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--to", "out.csv"], "the name must end in .jsonl or .parquet"),
            (["--to", "out.jsonl", "--format", "alpaca"], "no format 'alpaca'"),
            (["--to", "out.jsonl", "--stage", "guess"], "no 'guess': there are generate"),
        ],
    )
    def test_wrong_options_are_one_line_and_write_nothing(
        self,
        selfdebug: Selfdebug,
        run: Path,
        options: list[str],
        message: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.chdir(run)
        before = sorted(run.iterdir())
        assert message in complaint(selfdebug("export", run, *options))
        assert sorted(run.iterdir()) == before

    def test_a_folder_without_repairs(self, selfdebug: Selfdebug, tmp_path: Path) -> None:
        answer = selfdebug("export", tmp_path, "--to", tmp_path / "out.jsonl")
        assert "holds no repairs.jsonl: make one with `selfdebug inject`" in complaint(answer)

    def test_tasks_that_are_gone_are_missed(
        self, selfdebug: Selfdebug, run: Path, tasks: Path
    ) -> None:
        tasks.unlink()
        answer = selfdebug("export", run, "--to", run / "out.jsonl")
        assert f"cannot read {tasks}" in complaint(answer)


class TestTrainedOn:
    @pytest.mark.parametrize("what", ["run", "run/repairs.jsonl"])
    def test_evaluating_a_task_that_was_trained_on_is_refused(
        self, selfdebug: Selfdebug, tasks: Path, tmp_path: Path, what: str
    ) -> None:
        selfdebug("inject", tasks, "--out", tmp_path / "run", "--total", 5)
        words = ["eval", tasks, "--out", tmp_path / "eval", "--trained-on", tmp_path / what]
        message = "1 of the tasks to evaluate were trained on (spread): choose another split"
        assert message in complaint(selfdebug(*words))
        assert not (tmp_path / "eval").exists()

    def test_other_tasks_are_evaluated(
        self, selfdebug: Selfdebug, tasks: Path, tmp_path: Path
    ) -> None:
        selfdebug("inject", tasks, "--out", tmp_path / "run", "--total", 5)
        words = ["eval", "demo", "--limit", 1, "--out", tmp_path / "eval", "--trained-on"]
        assert selfdebug(*words, tmp_path / "run").code == 0

    def test_a_file_of_something_else_is_named(
        self, selfdebug: Selfdebug, tasks: Path, tmp_path: Path
    ) -> None:
        answer = selfdebug("eval", "demo", "--out", tmp_path / "eval", "--trained-on", tasks)
        assert f"{tasks}, line 1: Repair has no field" in complaint(answer)

    def test_the_bugs_that_ship_are_refused_after_training_on_their_programs(
        self, selfdebug: Selfdebug, tmp_path: Path
    ) -> None:
        """`demo:references` and `demo:bugs` name the same program differently."""
        run = tmp_path / "run"
        selfdebug("inject", "demo:references", "--out", run, "--total", 60, "--kind", "logic")
        words = ["eval", "demo", "--split", "bugs", "--out", tmp_path / "eval"]
        assert "were trained on (demo/" in complaint(selfdebug(*words, "--trained-on", run))


def test_without_a_task_to_break_it_says_what_a_name_looks_like(tmp_path: Path) -> None:
    with pytest.raises(SelfdebugError, match="such as mbpp:train"):
        bugs.make(
            [], None, tmp_path / "run", total=1, more=0, seed=0, kinds=[], source="",
            on_visit=lambda *_: None,
        )  # fmt: skip
