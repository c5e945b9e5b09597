"""The recipe of the embedded model: what it reads, that it copies untrained, that it resumes.

pytest -m slow tests/test_pretrain.py
"""

import shutil
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

sys.path.insert(0, str(Path(__file__).parents[1]))

from recipes.embedded import documents, network, probes, training, vocabulary  # noqa: E402
from recipes.embedded.tokens import Reader  # noqa: E402
from recipes.embedded.training import Budget, State  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    documents.prepare(folder, "train", 60, workers=1)
    return folder


@pytest.fixture(scope="module")
def corpus(folder: Path) -> documents.Corpus:
    return documents.read(folder, "train")


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    vocabulary.trained(documents.texts(folder)).save_pretrained(folder / "tokenizer")
    return AutoTokenizer.from_pretrained(folder / "tokenizer")


def test_prepared_tasks_are_not_prepared_again(folder: Path, corpus: documents.Corpus) -> None:
    before = (folder / "train-repairs.jsonl").read_text()
    documents.prepare(folder, "train", 60, workers=1)
    assert (folder / "train-repairs.jsonl").read_text() == before
    assert len(corpus.repairs) > 60


def test_fixed_sentences_and_digits_are_one_token_and_text_comes_back(tokenizer: Any) -> None:
    for sentence in vocabulary.sentences():
        assert len(tokenizer(sentence)["input_ids"]) == 1, sentence
    assert len(tokenizer("1234567890")["input_ids"]) == 10
    text = '```python\ndef solve(values):\n    return [x for x in values if x != "é\t"]\n```'
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_documents_are_the_chat_template_s_own_rendering(
    tokenizer: Any, corpus: documents.Corpus
) -> None:
    reader = Reader(tokenizer, corpus)
    for number in range(50):
        example = documents.document(corpus, Random(number))
        ids, prompt = reader.ids(example)
        whole = [*example.prompt, *example.completion]
        assert ids == tokenizer.apply_chat_template(whole, return_dict=False)
        assert ids[:prompt] == tokenizer.apply_chat_template(
            list(example.prompt), add_generation_prompt=True, return_dict=False
        )


def test_the_circuit_copies_random_tokens_before_any_training(
    tokenizer: Any, corpus: documents.Corpus
) -> None:
    """Of a model that starts from noise nothing is copied: the initialisation is what does it."""
    reader = Reader(tokenizer, corpus)
    # The first tokens of a copy have nothing before them to be found by, and its end is no copy.
    found = [reader.noise(60, Random(number)) for number in range(20)]
    later = [(ids[:-1], prompt + network.BACK) for ids, prompt in found]
    written = probes.measure(network.build(len(tokenizer)), {"copy": later})
    noise = probes.measure(network.build(len(tokenizer), induction=False), {"copy": later})
    assert written["copy_exact"] >= 0.9
    assert noise["copy_exact"] == 0


class Killed(Exception):
    """What ends a run in the middle."""


def test_a_killed_run_goes_on_as_if_it_had_not_been(
    tokenizer: Any, corpus: documents.Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "STEP_TOKENS", 600)
    torch.set_num_threads(1)
    reader = Reader(tokenizer, corpus)

    def run(folder: Path, draw: Any) -> Any:
        folder.mkdir(exist_ok=True)
        model = network.build(len(tokenizer))
        state = training.train(
            model, draw, folder, Budget(steps=4), lambda model: {}, save_every=0.0
        )
        return model.state_dict(), state

    whole, state = run(tmp_path / "whole", reader.draw)
    assert state.step == 4

    begun: list[str] = []

    def dies(rng: Random) -> Any:
        begun.append("")
        if len(begun) > 8:
            raise Killed
        return reader.draw(rng)

    with pytest.raises(Killed):
        run(tmp_path / "killed", dies)
    assert (tmp_path / "killed" / training.CHECKPOINT).exists()
    resumed, state = run(tmp_path / "killed", reader.draw)
    assert state.step == 4
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_the_rate_warms_up_stays_and_falls_over_the_last_half() -> None:
    def rate(step: int, steps: int = 1000) -> float:
        return training.rate_at(step, Budget(steps).progress(State(step)))

    assert rate(0) == 1 / training.WARM_UP
    assert rate(499) == 1
    assert rate(750) == pytest.approx(0.5)
    assert rate(1000) == 0
    # A nearer end starts the decay at once, from wherever the run is.
    assert rate(850) < rate(850, steps=2000)


def test_two_processes_learn_what_one_does(folder: Path, tmp_path: Path) -> None:
    def run(name: str, *launcher: str) -> Any:
        out = tmp_path / name
        shutil.copytree(folder, out)
        recipe = ["-m", "recipes.pretrain_embedded", "train", "--steps", "2", "--threads", "1"]
        command = [sys.executable, *launcher, *recipe, "--out", str(out)]
        subprocess.run(command, check=True, cwd=Path(__file__).parents[1], capture_output=True)
        assert len((out / "log.jsonl").read_text().splitlines()) == 1  # one of them writes
        return torch.load(out / training.CHECKPOINT, weights_only=True)

    shutil.copy(folder / "train-tasks.jsonl", folder / "test-tasks.jsonl")
    shutil.copy(folder / "train-repairs.jsonl", folder / "test-repairs.jsonl")
    one = run("one")
    two = run("two", "-m", "torch.distributed.run", "--nproc_per_node", "2")
    assert one["state"]["tokens"] == two["state"]["tokens"]
    for name, weights in one["model"].items():
        torch.testing.assert_close(weights, two["model"][name], atol=1e-3, rtol=1e-2, msg=name)


def test_a_run_keeps_the_shape_that_it_began_with(tmp_path: Path) -> None:
    """A model of another shape may have as many weights, and mean something else by them."""
    from recipes.pretrain_embedded import _model

    shipped = network.build(300, seed=1)
    shipped.config.num_attention_heads = shipped.config.num_key_value_heads = 3
    shipped.config.head_dim = 64
    shipped.save_pretrained(tmp_path / "shipped")
    (tmp_path / "run").mkdir()
    begun = _model(tmp_path / "run", 300, tmp_path / "shipped", induction=True)
    (tmp_path / "run" / training.CHECKPOINT).touch()
    again = _model(tmp_path / "run", 300, None, induction=True)
    assert begun.config.num_attention_heads == again.config.num_attention_heads == 3
    wanted = shipped.state_dict()
    assert all(torch.equal(weight, wanted[name]) for name, weight in begun.state_dict().items())
