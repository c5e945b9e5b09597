"""LeDex's grid: {models} x {first program, refine, explain + refine}, each cell an evaluation."""

import sys

import pytest

from selfdebug import cli
from selfdebug.backends.fake import Fake
from selfdebug.compare import compare
from selfdebug.evaluate import Settings, evaluate
from selfdebug.interfaces import grid
from selfdebug.sandbox import Sandbox
from selfdebug.types import Request, Sampling, SelfdebugError, Task, Test

TASK = Task(
    "t", "python", "Double x.", "f", (Test("v", "program", "assert f(2) == 4"),),
    reference="def f(x):\n    return 2 * x\n",
)  # fmt: skip
WRONG = "```python\ndef f(x):\n    return x + 1\n```"
RIGHT = "```python\ndef f(x):\n    return 2 * x\n```"


def only_with_words(request, rng):
    """A model that mends its program only when it explains first."""
    del rng
    return f"The program adds.\n\n{RIGHT}" if request.mode == "explain_refine" else WRONG


def test_a_row_for_each_model_and_mode_and_one_for_its_first_programs(tmp_path):
    found = grid.runs(tmp_path, ["base", "sft"])
    with Sandbox(workers=1) as sandbox:
        for folder, (_, mode) in found.items():
            settings = Settings(mode=mode, start="generate", max_iterations=1, samples=10)
            evaluate([TASK], Fake(only_with_words), sandbox, folder, settings)
    rows = list(grid.rows(compare(list(found), rounds=1), found.values()))
    assert [row[:3] for row in rows] == [
        (model, *cell)
        for model in ("base", "sft")
        for cell in (("first program", "0"), ("refine", "1"), ("explain + refine", "1"))
    ]
    assert [(row[4][:6], row[5][:6]) for row in rows[:3]] == [
        ("0.0% (", "0.0% ("),
        ("0.0% (", "0.0% ("),
        ("100.0%", "100.0%"),  # pass@10 beside pass@1, from ten samples
    ]


def test_one_model_alone_is_a_grid_too(tmp_path):
    found = grid.runs(tmp_path, ["base"])
    with Sandbox(workers=1) as sandbox:
        for folder, (_, mode) in found.items():
            settings = Settings(mode=mode, start="generate", max_iterations=1)
            evaluate([TASK], Fake(only_with_words), sandbox, folder, settings)
    rows = list(grid.rows(compare(list(found), rounds=1), found.values()))
    assert [row[0] for row in rows] == ["base"] * 3


def test_first_programs_are_written_once_for_both_modes():
    fake = Fake([WRONG, RIGHT, RIGHT, RIGHT])
    writer = grid.Remembering(fake)
    first, again = (writer.sample([Request(TASK, "generate")], 1, Sampling()) for _ in range(2))
    assert first == again
    assert len(fake.requests) == 1
    assert writer.sample([Request(TASK, "generate")], 1, Sampling(seed=1)) != first
    asked = Request(TASK, "refine", "def f(x): ...", "wrong")
    writer.sample([asked], 1, Sampling())
    writer.sample([asked], 1, Sampling())
    assert len(fake.requests) == 4  # a refinement is asked for each time


@pytest.mark.parametrize("given", [["sft"], ["=x"], ["a/b=x"], ["a=x", "a=y"], ["a="]])
def test_a_model_without_a_name_of_its_own_is_refused(given):
    with pytest.raises(SelfdebugError, match="--model "):
        grid.models(given)


@pytest.mark.parametrize(
    ("backend", "mode", "message"),
    [("search", "refine", "leave --mode out"), ("openai", None, "not of openai")],
)
def test_options_that_it_would_have_to_ignore_are_refused(backend, mode, message):
    with pytest.raises(SelfdebugError, match=message):
        grid.check(backend, mode)


@pytest.mark.slow
def test_eval_prints_the_grid_of_several_models(tmp_path, monkeypatch, capsys):
    tiny_models = pytest.importorskip("tiny_models")
    tiny_models.write_model(tmp_path / "m")
    arguments = [
        "eval", "demo", "--limit", "2", "--start", "generate", "--max-iterations", "1",
        "--max-tokens", "8", "--out", str(tmp_path / "grid"),
        "--model", f"base={tmp_path / 'm'}", "--model", f"sft={tmp_path / 'm'}",
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["selfdebug", *arguments])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("\t")[:2] for line in lines][:3] == [
        ["base", "first program"], ["base", "refine"], ["base", "explain + refine"],
    ]  # fmt: skip
    assert len(lines) == 6
    assert (tmp_path / "grid" / "report.html").is_file()
