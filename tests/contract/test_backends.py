"""What every backend owes the loop, held for each file of the folder."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from selfdebug import plugins, prompts
from selfdebug.sandbox import Sandbox
from selfdebug.types import Request, Sampling, SelfdebugError, Task, Test

NAMES = ("first", "second", "third")
REQUESTS = [
    Request(
        Task(
            name,
            "python",
            f"Return item {number} of a list: {name}.",
            name,
            (Test("v", "program", f"assert {name}([5, 6, 7, 8]) == {number + 5}"),),
        ),
        "explain_refine",
        f"def {name}(xs):\n    return xs[{number + 1}]\n",
        "The program returns a wrong value.",
    )
    for number, name in enumerate(NAMES)
]
OPTIONS = {"openai": {"model": "m"}, "fake": {"replies": "replies.json"}}


class Model(BaseHTTPRequestHandler):
    """A chat server whose reply depends on the conversation and the seed, as a model's does."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = next(n for n in NAMES if n in body["messages"][0]["content"])
        reply = f"```python\ndef {name}(xs):\n    return {body['seed']}\n```"
        raw = json.dumps({"choices": [{"message": {"content": reply}}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(workers=1) as sandbox:
        yield sandbox


@pytest.fixture(params=plugins.names("backends"))
def name(request):
    return request.param


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model that has learned by heart how the three programs are mended."""
    tiny_models = pytest.importorskip("tiny_models")
    folder = tmp_path_factory.mktemp("model")
    said = [f"Why.\n```python\ndef {name}(xs): return {i}\n```" for i, name in enumerate(NAMES)]
    asked = [prompts.messages(request) for request in REQUESTS]
    texts = [message["content"] for messages in asked for message in messages]
    tiny_models.write_model(folder, texts=[*texts, *said])
    tiny_models.teach(folder, list(zip(asked, said, strict=True)))
    return folder


@pytest.fixture(scope="module")
def weights(model, tmp_path_factory):
    """The same model as a GGUF file."""
    pytest.importorskip("openvino_genai", reason="no OpenVINO: pip install 'selfdebug[openvino]'")
    publish = pytest.importorskip("selfdebug.publish")
    publish.publish(
        str(model), folder := tmp_path_factory.mktemp("weights") / "f16", form="gguf", weights="f16"
    )
    return folder


@pytest.fixture
def opened(name, sandbox, tmp_path, monkeypatch, request):
    """Return a function that opens the backend afresh."""
    options = OPTIONS.get(name, {})
    if name == "transformers":
        options = {"model": str(request.getfixturevalue("model")), "dtype": "float32"}
    if name == "openvino":
        options = {"model": str(request.getfixturevalue("weights"))}
    monkeypatch.chdir(tmp_path)
    replies = [f"Why.\n```python\ndef {n}(xs): return {i}\n```" for n in NAMES for i in range(2)]
    (tmp_path / "replies.json").write_text(json.dumps(replies))
    with ThreadingHTTPServer(("127.0.0.1", 0), Model) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        module = plugins.load("backends", name)
        yield lambda: module.create(sandbox, **options)
        server.shutdown()
        thread.join()


def test_n_replies_for_each_request_in_their_order(opened):
    done = opened().sample(REQUESTS, 2, Sampling())
    assert [len(replies) for replies in done] == [2, 2, 2]
    for entry_point, replies in zip(NAMES, done, strict=True):
        assert all(f"def {entry_point}(" in reply.code for reply in replies)


def test_the_same_seed_gives_the_same_programs(opened):
    first, again = (opened().sample(REQUESTS, 2, Sampling(seed=7)) for _ in range(2))
    assert [[c.code for c in row] for row in first] == [[c.code for c in row] for row in again]


def test_spans_are_exact(opened):
    for row in opened().sample(REQUESTS, 2, Sampling()):
        for done in row:
            parts = {"code": done.code, "explanation": done.explanation}
            assert done.spans.keys() == {name for name, part in parts.items() if part}
            for part, (start, end) in done.spans.items():
                assert done.text[start:end] == parts[part]


def test_no_request_is_no_reply(opened):
    assert opened().sample([], 2, Sampling()) == []


def test_it_has_a_name_and_an_unknown_option_is_one_line_that_names_them(name, opened, sandbox):
    assert opened().name.startswith(name)
    with pytest.raises(SelfdebugError, match="no_such_option") as caught:
        plugins.load("backends", name).create(sandbox, no_such_option="1")
    assert "\n" not in str(caught.value)
