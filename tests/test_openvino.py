"""OpenVINO: greedy text is transformers' own, draws are apart, and what is wrong is one line."""

import pytest

import tiny_models
from selfdebug import prompts
from selfdebug.backends import openvino
from selfdebug.backends import transformers as torch_backend
from selfdebug.publish import publish
from selfdebug.types import Request, Sampling, SelfdebugError, Task

pytest.importorskip("openvino_genai", reason="no OpenVINO: pip install 'selfdebug[openvino]'")
pytest.importorskip("gguf", reason="no gguf: pip install 'selfdebug[gguf]'")


def request(number):
    return Request(Task(f"t{number}", "python", f"Return item {number}.", "item", ()), "generate")


REQUESTS = [request(number) for number in range(3)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    said = [f"```python\ndef item(xs): return xs[{number}]\n```" for number in range(3)]
    asked = [prompts.messages(request) for request in REQUESTS]
    texts = [message["content"] for messages in asked for message in messages]
    tiny_models.write_model(folder / "m", texts=[*texts, *said])
    tiny_models.teach(folder / "m", list(zip(asked, said, strict=True)), steps=60)
    publish(str(folder / "m"), folder / "gguf", form="gguf", weights="f16")
    return folder


@pytest.fixture(scope="module")
def engine(folder):
    return openvino.create(None, model=str(folder / "gguf"), threads="1")


def texts(rows):
    return [[reply.text for reply in row] for row in rows]


def test_greedy_text_is_transformers_own(folder, engine):
    greedy = Sampling(temperature=0, max_tokens=32)
    other = torch_backend.create(None, model=str(folder / "m"))
    assert texts(engine.sample(REQUESTS, 2, greedy)) == texts(other.sample(REQUESTS, 2, greedy))


def test_the_same_prompt_is_drawn_apart_and_another_prompt_by_other_numbers(engine):
    hot = Sampling(temperature=3.0, max_tokens=12)
    rows = texts(engine.sample([*REQUESTS, REQUESTS[0]], 4, hot))
    assert all(len(set(row)) == 4 for row in rows)
    assert rows[3] == rows[0]  # one request, one seed
    assert not set(rows[0]) & {*rows[1], *rows[2]}
    other = texts(engine.sample(REQUESTS, 4, Sampling(temperature=3.0, max_tokens=12, seed=1)))
    assert other != rows[:3]


class Watched:
    """A pipeline that counts the requests of each call."""

    def __init__(self, pipe):
        self.pipe, self.calls = pipe, []

    def generate(self, inputs, settings):
        self.calls.append(len(inputs))
        return self.pipe.generate(inputs, settings)


@pytest.mark.parametrize("temperature", [0, 0.8])
def test_requests_are_answered_together_as_they_are_one_by_one(temperature, engine, monkeypatch):
    sampling = Sampling(temperature=temperature, max_tokens=24, seed=3)
    alone = [texts(engine.sample([request], 2, sampling))[0] for request in REQUESTS]
    pipe = Watched(engine._pipe)
    monkeypatch.setattr(engine, "_pipe", pipe)
    assert texts(engine.sample(REQUESTS, 2, sampling)) == alone
    assert pipe.calls == [len(REQUESTS)]


def test_lengths_are_counted_and_a_reply_that_is_cut_says_so(engine):
    ((reply,),) = engine.sample(REQUESTS[:1], 1, Sampling(temperature=0, max_tokens=5))
    assert (reply.completion_tokens, reply.finish_reason) == (5, "length")
    ((reply,),) = engine.sample(REQUESTS[:1], 1, Sampling(temperature=0, max_tokens=64))
    assert reply.finish_reason == "stop"
    assert reply.prompt_tokens > 10


@pytest.mark.parametrize("content", [None, b"GGUF and nothing else"])
def test_what_cannot_be_loaded_is_one_line(content, tmp_path):
    if content is not None:
        (tmp_path / "model.gguf").write_bytes(content)
    message = "no GGUF file" if content is None else "OpenVINO cannot load"
    with pytest.raises(SelfdebugError, match=message) as caught:
        openvino.create(None, model=str(tmp_path))
    assert "\n" not in str(caught.value)
