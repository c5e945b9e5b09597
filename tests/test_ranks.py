"""Training in several processes, as torchrun starts them: it is the training of one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from selfdebug import ranks, rl
from selfdebug.types import SelfdebugError


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


RUN = """
import os, sys
sys.path.insert(0, sys.argv[1])
import test_sft as t
from selfdebug import sft

plain, seen = sft.trainer_class, []

def watched(*args, **options):
    class Trainer(plain(*args, **options)):
        def train(self, **more):
            super().train(**more)
            state = {n: p.detach().clone() for n, p in self.model.named_parameters()}
            seen.append((self.accelerator.num_processes, state))
    return Trainer

sft.trainer_class = watched
t.train(t.made(32), sys.argv[3], t.settings(sys.argv[2], rank=int(sys.argv[4]), epochs=2))
((processes, state),) = seen
t.torch.save({"processes": processes, "state": state}, f"{sys.argv[5]}{os.environ.get('RANK', '')}")
"""


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 4])
def test_two_processes_train_what_one_trains(tmp_path, rank):
    """Both at the same batches: each takes a half, and the gradients are averaged."""
    tiny_models = pytest.importorskip("tiny_models")
    import test_sft

    texts = [m["content"] for e in test_sft.made() for m in (*e.prompt, *e.completion)]
    base = tiny_models.write_model(tmp_path / "base", texts=texts)
    script = tmp_path / "run.py"
    script.write_text(RUN)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    for name, launcher in (("one", [sys.executable]), ("two", torchrun)):
        told = [str(Path(__file__).parent), base, tmp_path / name, str(rank), tmp_path / f"{name}-"]
        subprocess.run([*launcher, script, *told], check=True, env=quiet(), timeout=600)
    one = tiny_models.torch.load(tmp_path / "one-")
    first, second = (tiny_models.torch.load(tmp_path / f"two-{n}") for n in range(2))
    assert (one["processes"], first["processes"], second["processes"]) == (1, 2, 2)
    trained = 0
    for name, weights in one["state"].items():
        assert tiny_models.torch.equal(first["state"][name], second["state"][name]), name
        assert tiny_models.torch.allclose(first["state"][name], weights, atol=1e-4), name
        trained += 1
    assert trained > 10
    curves = [read(tmp_path / name / "losses.jsonl") for name in ("one", "two")]
    assert curves[0] == pytest.approx(curves[1], abs=1e-3)
    assert len(curves[0]) > 10
    listed = [sorted(p.name for p in (tmp_path / name).iterdir()) for name in ("one", "two")]
    assert listed[0] == listed[1]


def quiet():
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def read(path):
    lines = map(json.loads, path.read_text().splitlines())
    return [line[name] for line in lines for name in ("loss", "eval_loss") if name in line]


@pytest.mark.slow
def test_the_first_process_alone_prints(tmp_path):
    """The command line under torchrun, from the shipped model and the shipped programs."""
    selfdebug = [sys.executable, "-m", "selfdebug"]
    bugs = ["inject", "demo:references", "--out", tmp_path / "bugs", "--total", "8"]
    subprocess.run([*selfdebug, *bugs], check=True, capture_output=True)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    tiny_models = pytest.importorskip("tiny_models")
    base = tiny_models.write_model(tmp_path / "base")
    told = ["train", "sft", tmp_path / "bugs", "--model", base, "--out", tmp_path / "sft"]
    done = subprocess.run(
        [*torchrun, "-m", "selfdebug", *told, "--epochs", "1", "--device", "cpu", "--json"],
        check=True, capture_output=True, text=True, env=quiet(), timeout=600,
    )  # fmt: skip
    assert json.loads(done.stdout)["examples"] > 0
    assert (tmp_path / "sft" / "adapter_model.safetensors").is_file()
