"""The command line as a user meets it: exit codes, one-line errors, JSON, pipes.

pytest tests/test_cli.py
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import pytest

from conftest import Answer, Selfdebug
from selfdebug import __version__, cli, feedback
from selfdebug.evaluate import Settings
from selfdebug.types import SelfdebugError

GOOD = "def double(x):\n    return 2 * x\n"
BAD = "def double(x):\n    return x + 2\n"
TASK = {
    "id": "double",
    "language": "python",
    "prompt": 'def double(x):\n    """Return twice x."""\n',
    "entry_point": "double",
    "tests": [
        {"id": "one", "program": "assert double(2) == 4"},
        {"id": "two", "args": [5], "expected": 10},
    ],
}


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.jsonl"
    path.write_text(json.dumps(TASK) + "\n")
    return path


def program(folder: Path, text: str) -> Path:
    path = folder / "program.py"
    path.write_text(text)
    return path


def doctor(**environment: str) -> list[dict[str, object]]:
    """What the doctor finds in a process with such an environment."""
    command = [sys.executable, "-m", "selfdebug", "doctor", "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={**os.environ, **environment}
    )
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def one_line(answer: Answer) -> str:
    assert answer.err.count("\n") == 1, answer.err
    assert "Traceback" not in answer.err
    return answer.err


def test_version(selfdebug: Selfdebug) -> None:
    assert selfdebug("--version") == Answer(0, f"{__version__}\n", "")


def test_no_verb_gives_help_and_says_that_something_was_missing(selfdebug: Selfdebug) -> None:
    answer = selfdebug()
    assert answer.code == 2
    assert "Commands:" in answer.out + answer.err


def test_an_unknown_verb_is_wrong_input(selfdebug: Selfdebug) -> None:
    assert selfdebug("mend").code == 2


class TestRun:
    def test_a_right_program_exits_0(
        self, selfdebug: Selfdebug, tasks: Path, tmp_path: Path
    ) -> None:
        answer = selfdebug("run", program(tmp_path, GOOD), "--tests", tasks)
        assert answer.code == 0
        assert "double: pass, 2 of 2 tests pass" in answer.out

    def test_a_wrong_program_exits_1_and_says_why(
        self, selfdebug: Selfdebug, tasks: Path, tmp_path: Path
    ) -> None:
        answer = selfdebug("run", program(tmp_path, BAD), "--tests", tasks)
        assert answer.code == 1
        rows = [line.split("\t") for line in answer.out.splitlines()]
        assert rows[0][:2] == ["one", "pass"]  # 2 + 2 == 2 * 2
        assert rows[1][:2] == ["two", "wrong"]
        assert "7" in rows[1][3]
        assert "10" in rows[1][3]

    def test_json_is_one_object_a_task(
        self, selfdebug: Selfdebug, tasks: Path, tmp_path: Path
    ) -> None:
        answer = selfdebug("run", program(tmp_path, BAD), "--tests", tasks, "--json")
        verdict = json.loads(answer.out)
        assert answer.code == 1
        assert (verdict["passed"], verdict["unknown"]) == (False, False)
        assert [r["status"] for r in verdict["results"]] == ["pass", "wrong"]

    @pytest.mark.parametrize("options", [[], ["--task", "demo:x", "--tests", "x.jsonl"]])
    def test_needs_exactly_one_judge(
        self, selfdebug: Selfdebug, tmp_path: Path, options: list[str]
    ) -> None:
        answer = selfdebug("run", program(tmp_path, GOOD), *options)
        assert answer.code == 2
        assert "either --task BENCHMARK:ID or --tests FILE" in one_line(answer)

    def test_a_missing_program(self, selfdebug: Selfdebug, tasks: Path) -> None:
        answer = selfdebug("run", "no-such-file.py", "--tests", tasks)
        assert answer.code == 2
        assert "cannot read no-such-file.py" in one_line(answer)

    def test_a_program_that_is_not_text(
        self, selfdebug: Selfdebug, tasks: Path, tmp_path: Path
    ) -> None:
        path = tmp_path / "image.py"
        path.write_bytes(b"x = '\xff'\n")
        answer = selfdebug("run", path, "--tests", tasks)
        assert answer.code == 2
        assert "not UTF-8" in one_line(answer)

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("demo", "write BENCHMARK:ID"),
            ("demmo:x", "did you mean demo?"),
            ("demo:no-such-task", "demo has no task 'no-such-task'"),
        ],
    )
    def test_a_task_that_does_not_exist(
        self, selfdebug: Selfdebug, tmp_path: Path, name: str, message: str
    ) -> None:
        answer = selfdebug("run", program(tmp_path, GOOD), "--task", name)
        assert answer.code == 2
        assert message in one_line(answer)


def test_it_works_where_pip_puts_it(tmp_path: Path) -> None:
    """The sandbox hides site-packages from candidates, and must not lose its own files there."""
    site = tmp_path / "site-packages"
    shutil.copytree(Path(cli.__file__).parents[1], site / "selfdebug")
    script = (
        "import selfdebug; from selfdebug import Sandbox, benchmarks\n"
        "print(selfdebug.__file__)\n"
        "tasks = {task.language: task for task in benchmarks.load('demo')}\n"
        "with Sandbox(workers=1) as sandbox:\n"
        "    for name in ('python', 'javascript'):\n"
        "        print(name, sandbox.judge(tasks[name], tasks[name].reference).passed)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
    )
    home = str(site / "selfdebug" / "__init__.py")
    assert done.stdout.splitlines() == [home, "python True", "javascript True"], done.stderr


class TestFix:
    @pytest.fixture
    def buggy(self, tmp_path: Path) -> Path:
        test = "from program import double\n\ndef test_five():\n    assert double(5) == 10\n"
        (tmp_path / "test_program.py").write_text(test)
        return program(tmp_path, "def double(x):\n    return 3 * x\n")

    def test_shows_a_diff_and_writes_nothing(self, selfdebug: Selfdebug, buggy: Path) -> None:
        before = buggy.read_text()
        answer = selfdebug("fix", buggy)
        assert answer.code == 0
        assert "-    return 3 * x" in answer.out
        assert "+    return 2 * x" in answer.out
        assert buggy.read_text() == before

    def test_apply_writes_it(self, selfdebug: Selfdebug, buggy: Path) -> None:
        answer = selfdebug("fix", buggy, "--apply", "--force", "--json")
        found = json.loads(answer.out)
        assert (answer.code, found["outcome"], found["written"]) == (0, "fixed", True)
        assert buggy.read_text() == GOOD

    def test_no_repair_exits_1(self, selfdebug: Selfdebug, tmp_path: Path) -> None:
        test = "from program import double\n\ndef test_it():\n    assert double(2) == 'x7!'\n"
        (tmp_path / "test_program.py").write_text(test)
        answer = selfdebug("fix", program(tmp_path, GOOD), "--option", "seconds=1")
        assert answer.code == 1
        assert "is not fixed" in answer.out

    def test_missing_tests_are_wrong_input(self, selfdebug: Selfdebug, tmp_path: Path) -> None:
        answer = selfdebug("fix", program(tmp_path, GOOD), "--tests", "no_tests.py")
        assert answer.code == 2
        assert "there are no tests no_tests.py" in one_line(answer)


class TestLs:
    def test_lists_every_kind_with_a_sentence(self, selfdebug: Selfdebug) -> None:
        answer = selfdebug("ls")
        rows = [line.split("\t") for line in answer.out.splitlines()]
        assert answer.code == 0
        assert {row[0] for row in rows} == {
            "benchmarks", "mutators", "backends", "languages", "feedback",
        }  # fmt: skip
        assert all(len(row) == 3 and len(row[2]) > 10 for row in rows), rows

    def test_lists_every_kind_of_feedback(self, selfdebug: Selfdebug) -> None:
        rows = json.loads(selfdebug("ls", "feedback", "--json").out)
        assert tuple(row["name"] for row in rows) == feedback.KINDS

    def test_lists_one_kind(self, selfdebug: Selfdebug) -> None:
        rows = json.loads(selfdebug("ls", "backends", "--json").out)
        assert {"search", "openai", "fake"} <= {row["name"] for row in rows}
        assert {row["kind"] for row in rows} == {"backends"}

    def test_lists_the_languages(self, selfdebug: Selfdebug) -> None:
        rows = json.loads(selfdebug("ls", "languages", "--json").out)
        assert [row["name"] for row in rows] == ["javascript", "python"]

    def test_an_unknown_kind(self, selfdebug: Selfdebug) -> None:
        answer = selfdebug("ls", "backend")
        assert answer.code == 2
        assert "did you mean backends?" in one_line(answer)


class TestDoctor:
    def test_names_the_tier_and_what_is_needed(self, selfdebug: Selfdebug) -> None:
        answer = selfdebug("doctor", "--json")
        found = {check["name"]: check for check in json.loads(answer.out)}
        assert {"python", "quickjs", "node", "sandbox"} <= set(found)
        usable = all(check["ok"] for check in found.values() if check["needed"])
        assert answer.code == (0 if usable else 3)

    def test_a_user_without_a_home_folder_may_use_it_too(self) -> None:
        here = {check["name"]: check["ok"] for check in doctor()}
        homeless = {check["name"]: check["ok"] for check in doctor(HOME="/nonexistent")}
        assert homeless["sandbox"] == here["sandbox"]

    def test_what_is_missing_comes_with_a_remedy(
        self, selfdebug: Selfdebug, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", "")
        found = {check["name"]: check for check in json.loads(selfdebug("doctor", "--json").out)}
        assert not found["node"]["ok"]
        assert "nodejs" in found["node"]["remedy"]


class TestEval:
    def test_help_shows_the_defaults_that_hold(self, selfdebug: Selfdebug) -> None:
        options = re.split(r"\n  (?=--)", selfdebug("eval", "--help").out)
        described = {text.split()[0]: " ".join(text.split()) for text in options}
        for field in fields(Settings):
            shown = described[f"--{field.name.replace('_', '-')}"]
            # A flag that is off says nothing; None is that of another option.
            default = "the same" if field.default is None else field.default
            assert default is False or f"[default: ({default})" in shown

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["no-such-benchmark"], "no plugin 'no-such-benchmark' in benchmarks"),
            (["demo", "--split", "half"], "demo has no split 'half'"),
            (["demo", "--backend", "serach"], "did you mean search?"),
            (["demo", "--option", "seconds"], "write NAME=VALUE"),
            (["demo", "--mode", "guess"], "mode is 'guess'"),
            (["demo", "--config", "no.toml"], "cannot read no.toml"),
            (["demo", "--repairs", "no.jsonl"], "cannot read no.jsonl"),
            (["demo", "--trained-on", "no.jsonl"], "cannot read no.jsonl"),
        ],
    )
    def test_wrong_input_is_one_line(
        self, selfdebug: Selfdebug, tmp_path: Path, options: list[str], message: str
    ) -> None:
        answer = selfdebug("eval", *options, "--out", tmp_path / "run")
        assert answer.code == 2
        assert message in one_line(answer)
        assert not (tmp_path / "run").exists()

    def test_measures_writes_a_report_and_resumes(
        self, selfdebug: Selfdebug, tmp_path: Path
    ) -> None:
        run = tmp_path / "run"
        command = ["eval", "demo", "--limit", 2, "--out", run, "--json"]
        answer = selfdebug(*command)
        assert answer.code == 0
        assert json.loads(answer.out)["rows"][0]["tasks"] == 2
        assert "report: " in one_line(answer)
        episodes = (run / "episodes.jsonl").read_text()
        assert selfdebug(*command) == answer
        assert (run / "episodes.jsonl").read_text() == episodes

    def test_another_settings_same_folder_is_refused(
        self, selfdebug: Selfdebug, tmp_path: Path
    ) -> None:
        command = ["eval", "demo", "--limit", 1, "--out", tmp_path / "run"]
        assert selfdebug(*command).code == 0
        answer = selfdebug(*command, "--max-iterations", 1)
        assert answer.code == 2
        assert "choose another folder" in one_line(answer)

    def test_report_writes_the_page_anew(self, selfdebug: Selfdebug, tmp_path: Path) -> None:
        run = tmp_path / "run"
        selfdebug("eval", "demo", "--limit", 1, "--out", run)
        (run / "report.html").unlink()
        answer = selfdebug("report", run)
        assert answer == Answer(0, f"{run / 'report.html'}\n", "")
        assert (run / "report.html").is_file()

    def test_report_of_no_run(self, selfdebug: Selfdebug, tmp_path: Path) -> None:
        answer = selfdebug("report", tmp_path)
        assert answer.code == 2
        assert "is it the folder of an `eval`?" in one_line(answer)


class TestErrors:
    def test_an_error_of_the_users_is_one_line(
        self, selfdebug: Selfdebug, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise SelfdebugError("no tier holds")

        monkeypatch.setattr("selfdebug.interfaces.listing.listing", refuse)
        answer = selfdebug("ls")
        assert answer.code == 2
        assert one_line(answer) == "selfdebug: no tier holds\n"

    def test_a_fault_of_ours_is_one_line_and_no_verdict(
        self, selfdebug: Selfdebug, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise ZeroDivisionError("oops")

        monkeypatch.setattr("selfdebug.interfaces.listing.listing", fail)
        answer = selfdebug("ls")
        assert answer.code == 3
        assert "oops" in one_line(answer)

    def test_ctrl_c_exits_130_and_leaves_no_traceback(self, tasks: Path, tmp_path: Path) -> None:
        endless = program(tmp_path, "def double(x):\n    while True: pass\n")
        command = [sys.executable, "-m", "selfdebug", "run", str(endless), "--tests", str(tasks)]
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        ) as process:
            time.sleep(2.0)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30)
        assert process.returncode == 130
        assert err.startswith("selfdebug: interrupted")
        assert err.count("\n") == 1
