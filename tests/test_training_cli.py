"""The verbs harvest and train as a user meets them, and from failures to a trained model."""

import json
import re
import sys
from dataclasses import fields

import pytest

from selfdebug import cli, harvest
from selfdebug.attempts import judged
from selfdebug.benchmarks import load
from selfdebug.interfaces import training
from selfdebug.types import Request, SelfdebugError


@pytest.fixture
def selfdebug(monkeypatch, capsys):
    """Run the command line in this process, as its script does."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["selfdebug", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        captured = capsys.readouterr()
        return int(stop.value.code or 0), captured.out, captured.err

    return call


TASK = next(task for task in load("demo", "references") if task.language == "python")


@pytest.fixture
def replies(tmp_path):
    """A script for the fake backend: a wrong program, then its mending."""
    wrong = f"```python\ndef {TASK.entry_point}(*_):\n    return None\n```"
    right = f"It returns nothing.\n\n```python\n{TASK.reference}```"
    path = tmp_path / "replies.json"
    path.write_text(json.dumps([wrong] * 2 + [right, wrong]))
    return path


def harvested(out, replies, *options):
    one = ["--limit", 1, "--backend", "fake", "--option", f"replies={replies}"]
    return ["harvest", "demo:references", "--out", out, *one, *options]


def test_harvest_counts_what_it_found_and_the_same_command_asks_for_nothing(
    selfdebug, replies, tmp_path
):
    command = harvested(tmp_path / "run", replies, "--samples", 2, "--refinements", 2, "--json")
    code, out, _ = selfdebug(*command)
    found = json.loads(out)
    assert code == 0
    assert (found["programs"], found["right"], found["failures"]) == (2, 0, 1)
    assert (found["mended"], found["refinements"], found["repairs"]) == (1, 2, 1)
    assert selfdebug(*command)[1] == out
    assert {a.backend for a, _ in judged(tmp_path / "run")} == {"fake"}


def test_more_goes_on_top_of_what_is_there(selfdebug, replies, tmp_path):
    command = harvested(tmp_path / "run", replies, "--refinements", 0, "--json")
    assert json.loads(selfdebug(*command, "--samples", 1)[1])["programs"] == 1
    assert json.loads(selfdebug(*command, "--more", 2)[1])["programs"] == 3
    assert json.loads(selfdebug(*command)[1])["programs"] == 3


def test_search_is_asked_once_a_failure(selfdebug, replies, tmp_path):
    command = harvested(tmp_path / "run", replies, "--samples", 1, "--teacher", "search", "--json")
    assert json.loads(selfdebug(*command)[1])["refinements"] == 1


def test_another_backend_or_other_tasks_in_the_same_folder_are_refused(
    selfdebug, replies, tmp_path
):
    command = harvested(tmp_path / "run", replies, "--samples", 1, "--refinements", 0)
    assert selfdebug(*command)[0] == 0
    code, _, err = selfdebug(*command, "--temperature", 0.5)
    assert code == 2
    assert "temperature = 1.0: use the same, or another folder" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["harvest", "humaneval", "--backend", "fake"], "for evaluation only"),
        (["harvest", "demo:references", "--backend", "transformers"], "'model' is missing"),
        (["train", "sft", "no-such-folder"], "holds no repairs.jsonl"),
        (["train", "sft", "no-such-folder", "--model", "m", "--stage", "read"], "no stage 'read'"),
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
        training.training_tasks(["humanevalpack"], "")


@pytest.mark.slow
def test_from_failures_to_a_model_that_was_trained_on_their_repairs(selfdebug, tmp_path):
    """A tiny model that writes one wrong program; search mends it; the model learns the mending."""
    tiny_models = pytest.importorskip("tiny_models")
    from selfdebug import prompts

    tasks = [t for t in load("demo", "references") if t.language == "python"][:2]
    # A bug that search can mend: what the demo's own task is broken by.
    bugs = {t.entry_point: t.broken for t in load("demo") if t.language == "python"}
    pairs = [
        (prompts.messages(Request(t, "generate")), prompts.fenced("python", bugs[t.entry_point]))
        for t in tasks
    ]
    base, run, out = tmp_path / "base", tmp_path / "harvest", tmp_path / "sft"
    texts = [*(t.prompt + t.reference for t in tasks), *(said for _, said in pairs)]
    tiny_models.write_model(base, texts=texts)
    tiny_models.teach(base, pairs, steps=300)
    code, text, err = selfdebug(
        "harvest", "demo:references", "--limit", 2, "--out", run, "--option", f"model={base}",
        "--samples", 4, "--temperature", 0.5, "--teacher", "search", "--max-tokens", 200, "--json",
    )  # fmt: skip
    assert code == 0, err
    assert json.loads(text)["repairs"] >= 1
    code, text, err = selfdebug(
        "train", "sft", run, "--model", base, "--out", out, "--rank", 0, "--learning-rate", 0.003,
        "--epochs", 2, "--held-out", 0, "--device", "cpu", "--json",
    )  # fmt: skip
    assert code == 0, err
    assert json.loads(text)["examples"] >= 3
    assert selfdebug(
        "eval", "demo", "--limit", 1, "--backend", "transformers", "--option", f"model={out}",
        "--max-tokens", 50, "--jobs", 2, "--out", tmp_path / "eval",
    )[0] == 0  # fmt: skip
