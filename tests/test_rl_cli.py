"""The verb `train rl` as a user meets it."""

import json
import re
from dataclasses import fields

import pytest

from selfdebug import rl
from selfdebug.attempts import attempts, verdicts
from selfdebug.rl.material import read
from selfdebug.rl.pool import Ask
from selfdebug.store import Store, write_text
from selfdebug.types import (
    Attempt,
    Completion,
    Repair,
    SelfdebugError,
    Task,
    Test,
    TestResult,
    Verdict,
    code_sha,
)

WRONG = "def double(x):\n    return x * 7\n"
RIGHT = "def double(x):\n    return x * 2\n"
TASK = Task("double", "python", "Write double.", "double",
            (Test("t", "program", "assert double(2) == 4"),), reference=RIGHT)  # fmt: skip


def reply(code, number, status):
    attempt = Attempt("double", "generate", "fake", number, Completion(code, code))
    result = TestResult("t", status, "double(2)", expected="4", got="14")
    return attempt, Verdict("double", code_sha(code), (result,), "A")


@pytest.fixture
def folder(tmp_path):
    """What `harvest` leaves: a wrong program that was mended, one that was not, a right one."""
    run = tmp_path / "harvest"
    made = [reply(WRONG, 0, "wrong"), reply("def double(x):\n    pass", 1, "wrong")]
    made += [reply(RIGHT, 2, "pass"), reply(WRONG + "\n\n", 3, "wrong")]
    with attempts(run) as first, verdicts(run) as second:
        first.append_many(attempt for attempt, _ in made)
        second.append_many(verdict for _, verdict in made)
    repair = Repair(
        "k", "double", "python", WRONG, "It is wrong.", "Line 2.", RIGHT, "harvested", "A"
    )
    other = Repair("l", "gone", "python", WRONG, "", "", RIGHT, "harvested", "A")
    with Store(run / "repairs.jsonl", Repair) as repairs:
        repairs.append_many([repair, other])
    tasks = tmp_path / "tasks.jsonl"
    row = {"id": "double", "entry_point": "double", "prompt": TASK.prompt, "reference": RIGHT,
           "tests": ["assert double(2) == 4"]}  # fmt: skip
    tasks.write_text(json.dumps(row) + "\n")
    write_text(run / "run.toml", f"[settings]\ntasks = {json.dumps(str(tasks))}\n")
    return run


def test_failures_are_there_once_whether_they_were_mended_or_not(folder):
    found = read([folder], [TASK], "tests", None)
    assert [(ask.broken, bool(ask.failure)) for ask in found.failures] == [
        (WRONG, True), ("def double(x):\n    pass", True),
    ]  # fmt: skip
    assert found.failures[0].feedback == "It is wrong."  # what harvest said, not anew
    assert "double(2)" in found.failures[1].feedback
    assert [(m.broken, m.fixed) for m in found.mended] == [(WRONG, RIGHT)]
    assert [task.id for task in found.tasks] == ["double"]
    assert all(isinstance(ask, Ask) and ask.born == -1 for ask in found.failures)
    assert found.fingerprint() == read([folder], [TASK], "tests", None).fingerprint()


def test_folders_without_a_known_task_are_refused(folder, tmp_path):
    with pytest.raises(SelfdebugError, match="nothing to learn from"):
        read([folder], [], "tests", None)
    with pytest.raises(SelfdebugError, match="neither repairs nor attempts"):
        read([tmp_path / "none"], [TASK], "tests", None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing", "--model", "m"], "nothing holds neither repairs nor attempts"),
        (["nothing"], "'model' is missing"),
        (["nothing", "--model", "m", "--reward", "test"], "did you mean tests"),
        (["nothing", "--model", "m", "--reward", "./none.py"], "no such plugin file"),
    ],
)
def test_wrong_input_is_one_line(selfdebug, tmp_path, arguments, message):
    code, _, err = selfdebug("train", "rl", *arguments, "--out", tmp_path / "run")
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


def test_help_shows_the_defaults_that_hold(selfdebug):
    text = selfdebug("train", "rl", "--help")[1]
    described = {t.split()[0]: " ".join(t.split()) for t in re.split(r"\n  (?=--)", text)}
    for field in fields(rl.Settings):
        name = {"rewards": "reward", "weights": "weight"}.get(field.name, field.name)
        shown = described[f"--{name.replace('_', '-')}"]
        if field.name == "rewards":
            assert all(reward in shown for reward in field.default)
        elif field.name not in ("model", "weights", "rows_at_once"):
            assert f"[default: ({field.default})" in shown


@pytest.mark.slow
def test_from_a_harvest_to_a_model_and_nothing_to_do_the_second_time(selfdebug, folder, tmp_path):
    tiny_models = pytest.importorskip("tiny_models")
    base, out = tmp_path / "base", tmp_path / "rl"
    tiny_models.write_model(base, texts=[WRONG, RIGHT])
    command = [
        "train", "rl", folder, "--model", base, "--out", out, "--steps", 2, "--prompts", 2,
        "--replies", 2, "--max-tokens", 24, "--device", "cpu", "--json",
    ]  # fmt: skip
    code, text, err = selfdebug(*command)
    assert code == 0, err
    assert json.loads(text) == {"folder": str(out), "steps": 2, "stopped": ""}
    stamp = (out / "README.md").stat().st_mtime_ns
    assert selfdebug(*command)[1] == text
    assert (out / "README.md").stat().st_mtime_ns == stamp
    code, _, err = selfdebug(*command, "--kl", 0.5)
    assert code == 2
    assert "choose another folder" in err
