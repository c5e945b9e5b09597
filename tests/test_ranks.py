"""Training in several processes, as torchrun starts them: it is the training of one."""

import json
import os
import runpy
import subprocess
import sys

import pytest

from selfdebug import ranks, rl, sft
from selfdebug.store import Store
from selfdebug.types import Repair, SelfdebugError


@pytest.mark.parametrize(
    ("environment", "count", "first"),
    [
        ({}, 1, True),
        ({"WORLD_SIZE": "2", "RANK": "0"}, 2, True),
        ({"WORLD_SIZE": "2", "RANK": "1"}, 2, False),
        ({"RANK": "3"}, 1, True),  # some other program's variable
    ],
)
def test_the_launchers_variables_say_which_process_this_is(monkeypatch, environment, count, first):
    for name in ("WORLD_SIZE", "RANK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert (ranks.count(), ranks.is_first()) == (count, first)


def test_reinforcement_learning_refuses_a_second_process(monkeypatch, tmp_path):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(SelfdebugError, match="train rl runs in one process"):
        rl.train(None, tmp_path, rl.Settings("model"), None)
    assert not list(tmp_path.iterdir())


# The command line, but that the weights which each process ends with are kept too.
RUN = """
import os, sys
import torch
from selfdebug import cli, sft

kept, sys.argv[:] = sys.argv[1], ["selfdebug", *sys.argv[2:]]
plain = sft.trainer_class

def watched(*args, **options):
    class Trainer(plain(*args, **options)):
        def train(self, **more):
            super().train(**more)
            state = {name: weights.detach() for name, weights in self.model.named_parameters()}
            found = {"processes": self.accelerator.num_processes, "state": state}
            torch.save(found, kept + os.environ.get("RANK", ""))
    return Trainer

sft.trainer_class = watched
cli.main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 4])
def test_two_processes_train_what_one_trains_and_the_first_alone_prints(
    rank, made, tmp_path, monkeypatch, capsys
):
    """Both at the same batches: each takes a half, and the gradients are averaged."""
    torch = pytest.importorskip("torch")
    script, base, bugs = made
    told = [
        "train", "sft", str(bugs), "--model", str(base), "--rank", str(rank), "--batch-size", "4",
        "--learning-rate", "0.003", "--epochs", "2", "--device", "cpu", "--stage", "correct",
        "--right-share", "0", "--json", "--out",
    ]  # fmt: skip
    monkeypatch.setattr(sft, "trainer_class", sft.trainer_class)  # for the script to change
    monkeypatch.setattr(sys, "argv", [str(script), f"{tmp_path}/one-", *told, f"{tmp_path}/one"])
    with pytest.raises(SystemExit):
        runpy.run_path(str(script), run_name="__main__")
    printed = [json.loads(capsys.readouterr().out)]
    done = subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", str(script),
            f"{tmp_path}/two-", *told, f"{tmp_path}/two",
        ],
        stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    printed.append(json.loads(done.stdout))  # once
    found = [torch.load(tmp_path / name) for name in ("one-", "two-0", "two-1")]
    assert [run["processes"] for run in found] == [1, 2, 2]
    one, first, second = (run["state"] for run in found)
    assert all(torch.equal(weights, second[name]) for name, weights in first.items())
    assert {name for name in one if not torch.allclose(one[name], first[name], atol=1e-4)} == set()
    curves = [losses(tmp_path / name) for name in ("one", "two")]
    assert curves[0] == pytest.approx(curves[1], abs=1e-4)
    assert len(curves[0]) == 10
    assert curves[0][0] > curves[0][-1]
    # A mean over batches, of which each process has its own.
    assert printed[0]["after"] == pytest.approx(printed[1]["after"], abs=0.05)
    files = [{path.name for path in (tmp_path / name).iterdir()} for name in ("one", "two")]
    assert files[0] == files[1]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The script, a tiny model, and a folder of repairs as `inject` makes one."""
    tiny_models = pytest.importorskip("tiny_models")
    folder = tmp_path_factory.mktemp("made")
    tasks, bugs, script = folder / "tasks.jsonl", folder / "bugs", folder / "run.py"
    names = [f"times{number}" for number in range(2, 24)]  # 20 to learn from: whole batches
    tasks.write_text("".join(f"{json.dumps(task(name))}\n" for name in names))
    with Store(bugs / "repairs.jsonl", Repair) as repairs:
        repairs.append_many(map(repair, names))
    (bugs / "run.toml").write_text(f"[settings]\ntasks = {json.dumps(str(tasks))}\n")
    script.write_text(RUN)
    return script, tiny_models.write_model(folder / "base"), bugs


def program(name, operator="*"):
    return f"def {name}(x):\n    return x {operator} {name[5:]}\n"


def task(name):
    test = f"assert {name}(3) == {3 * int(name[5:])}"
    return {"id": name, "entry_point": name, "prompt": f"Write {name}.", "tests": [test],
            "reference": program(name)}  # fmt: skip


def repair(name):
    said = "The operator is wrong."
    return Repair(
        name, name, "python", program(name, "+"), said, said, program(name), "injected", "A"
    )


def losses(folder):
    lines = map(json.loads, (folder / "losses.jsonl").read_text().splitlines())
    return [line["loss"] for line in lines if "loss" in line]
