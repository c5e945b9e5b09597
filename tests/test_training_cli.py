"""The verbs harvest and train as a user meets them, and from failures to a trained model."""

import json
import re
from dataclasses import fields

import pytest

from selfdebug import harvest, prompts
from selfdebug.attempts import judged
from selfdebug.interfaces import training
from selfdebug.interfaces.tasks import tasks_to_train_on
from selfdebug.types import Request, SelfdebugError

RIGHT = "def double(x):\n    return x * 2\n"
TASKS = [
    {
        "id": name, "entry_point": name, "prompt": f"Write {name}.",
        "reference": RIGHT.replace("double", name),
        "tests": [f"assert {name}(2) == 4", {"program": f"assert {name}(5) == 10", "hidden": True}],
    }
    for name in ("double", "twice")
]  # fmt: skip


@pytest.fixture
def tasks(tmp_path):
    path = tmp_path / "tasks.jsonl"
    path.write_text("".join(f"{json.dumps(task)}\n" for task in TASKS))
    return path


@pytest.fixture
def replies(tmp_path):
    """A script for the fake backend: a wrong program twice, then its mending."""
    wrong = "```python\ndef double(x):\n    return x * 3\n```"
    right = f"It triples.\n\n```python\n{RIGHT}```"
    path = tmp_path / "replies.json"
    path.write_text(json.dumps([wrong] * 2 + [right, wrong]))
    return path


@pytest.fixture
def command(tasks, replies, tmp_path):
    """Harvest from the first task with the script, beside no evaluation set."""
    one = ["--limit", 1, "--backend", "fake", "--option", f"replies={replies}", "--json"]
    return ["harvest", tasks, "--out", tmp_path / "run", "--source", tmp_path / "no-data", *one]


def test_harvest_counts_what_it_found_and_the_same_command_asks_for_nothing(
    selfdebug, command, tmp_path
):
    command += ["--samples", 2, "--refinements", 2]
    code, out, _ = selfdebug(*command)
    found = json.loads(out)
    assert code == 0
    assert (found["programs"], found["right"], found["failures"]) == (2, 0, 1)
    assert (found["mended"], found["refinements"], found["repairs"]) == (1, 2, 1)
    assert selfdebug(*command)[1] == out
    assert {attempt.backend for attempt, _ in judged(tmp_path / "run")} == {"fake"}


def test_more_goes_on_top_of_what_is_there(selfdebug, command):
    command += ["--refinements", 0]
    assert json.loads(selfdebug(*command, "--samples", 1)[1])["programs"] == 1
    assert json.loads(selfdebug(*command, "--more", 2)[1])["programs"] == 3
    assert json.loads(selfdebug(*command)[1])["programs"] == 3


def test_search_is_asked_once_a_failure(selfdebug, command):
    found = json.loads(selfdebug(*command, "--samples", 2, "--teacher", "search")[1])
    assert (found["failures"], found["refinements"], found["repairs"]) == (1, 1, 1)


def test_other_settings_in_the_same_folder_are_refused(selfdebug, command):
    assert selfdebug(*command, "--samples", 1, "--refinements", 0)[0] == 0
    code, _, err = selfdebug(*command, "--temperature", 0.5)
    assert code == 2
    assert "temperature = 1.0: use the same, or another folder" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["harvest", "humaneval", "--backend", "fake"], "for evaluation only"),
        (["harvest", "demo:references", "--backend", "transformers"], "'model' is missing"),
        (["train", "sft", "nothing", "--model", "m"], "nothing holds no repairs.jsonl"),
        (["train", "sft", "nothing"], "'model' is missing"),
        (["train", "sft", "nothing", "--model", "m", "--stage", "read"], "no stage 'read'"),
    ],
)
def test_wrong_input_is_one_line(selfdebug, tmp_path, arguments, message):
    code, _, err = selfdebug(*arguments, "--out", tmp_path / "run")
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("verb", "kind"), [(["harvest"], harvest.Settings), (["train", "sft"], training.sft.Settings)]
)
def test_help_shows_the_defaults_that_hold(selfdebug, verb, kind):
    text = selfdebug(*verb, "--help")[1]
    described = {t.split()[0]: " ".join(t.split()) for t in re.split(r"\n  (?=--)", text)}
    for field in fields(kind):
        shown = described[f"--{field.name.replace('_', '-')}"]
        if field.name in ("samples", "refinements"):
            assert f"or {field.default}" in shown
        elif field.name not in ("model", "rows_at_once"):
            assert f"[default: ({field.default})" in shown


def test_a_refused_split_is_not_trained_on():
    with pytest.raises(SelfdebugError, match="evaluation only"):
        tasks_to_train_on(["humanevalpack"], "")


@pytest.mark.slow
def test_from_failures_to_a_model_that_was_trained_on_their_repairs(selfdebug, tasks, tmp_path):
    """A tiny model writes wrong programs, search mends them, the model learns from it."""
    tiny_models = pytest.importorskip("tiny_models")
    loaded = tasks_to_train_on([str(tasks)], "")
    pairs = [
        (
            prompts.messages(Request(task, "generate")),
            prompts.fenced("python", task.reference.replace("2", "3")),
        )
        for task in loaded
    ]
    base, run, out = tmp_path / "base", tmp_path / "harvest", tmp_path / "sft"
    texts = [message["content"] for asked, _ in pairs for message in asked]
    tiny_models.write_model(base, texts=[*texts, *(said for _, said in pairs)])
    tiny_models.teach(base, pairs)
    source = ["--source", tmp_path / "no-data"]
    code, text, err = selfdebug(
        "harvest", tasks, "--out", run, "--option", f"model={base}", "--samples", 4,
        "--temperature", 0.3, "--teacher", "search", "--max-tokens", 60, "--json", *source,
    )  # fmt: skip
    assert code == 0, err
    assert json.loads(text)["repairs"] >= 2
    code, text, err = selfdebug(
        "train", "sft", run, "--model", base, "--out", out, "--rank", 0, "--learning-rate", 0.003,
        "--epochs", 2, "--held-out", 0, "--device", "cpu", "--json", *source,
    )  # fmt: skip
    assert code == 0, err
    assert json.loads(text)["examples"] >= 4
    code, text, err = selfdebug(
        "eval", tasks, "--backend", "transformers", "--option", f"model={out}", "--jobs", 2,
        "--max-tokens", 60, "--max-iterations", 1, "--out", tmp_path / "eval", "--json",
    )  # fmt: skip
    assert code == 0, err
    assert json.loads(text)["rows"][0]["tasks"] == 2
