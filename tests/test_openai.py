"""The openai backend against a real server on this machine, well behaved and not."""

import json
import socket
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from selfdebug.backends.openai import OPENAI, OpenAI, Options, create
from selfdebug.types import Request, Sampling, SelfdebugError, Task

TASK = Task("t", "python", "Write f.", "f", ())
REQUEST = Request(TASK, "generate")
CODE = "def f():\n    return 1\n"
KEY = "sk-very-secret"


def choices(*texts, **extra):
    listed = [{"message": {"content": t}, "finish_reason": "stop"} for t in texts]
    return {"choices": listed, "usage": {"prompt_tokens": 7, "completion_tokens": 10}} | extra


class Server(ThreadingHTTPServer):
    """Answers each request by the next step of its script, and remembers what it was asked.

    A step is a JSON body, a status, (status, body, headers), or a function of the handler.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = []
        self.asked = []  # (path, headers, body)
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.asked.append((self.path, dict(self.headers), body))
            step = self.server.script.pop(0) if self.server.script else choices(fence(CODE))
        self.play(step)

    def do_GET(self):
        self.play({"data": [{"id": "small"}, {"id": "big"}]})

    def play(self, step):
        if callable(step):
            step(self)
            self.close_connection = True
            return
        if isinstance(step, int):
            step = (step, {"error": {"message": f"no, {step}"}}, {})
        status, body, headers = step if isinstance(step, tuple) else (200, step, {})
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(raw)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_):
        pass


def fence(code):
    return f"```python\n{code}```"


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def backend(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    return OpenAI(Options("small", first_wait=0.01, timeout=5.0))


def ask(backend, *, request=REQUEST, n=1, sampling=None):
    return backend.sample([request], n, sampling or Sampling())[0]


def test_a_program_comes_back_with_its_counts(server, backend):
    server.script = [choices(f"Because.\n{fence(CODE)}")]
    (done,) = ask(backend)
    assert (done.code, done.explanation, done.finish_reason) == (CODE, "Because.", "stop")
    assert (done.prompt_tokens, done.completion_tokens) == (7, 10)
    assert backend.name == "openai:small"


def test_the_server_is_told_what_was_asked_for(server, backend):
    broken = Request(TASK, "refine", "def f(): 0\n", "It fails.")
    ask(backend, request=broken, sampling=Sampling(0.5, 0.9, 99, 3, ("END",)))
    path, headers, body = server.asked[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert [m["role"] for m in body["messages"]] == ["user", "assistant", "user"]
    assert (body["model"], body["temperature"], body["top_p"]) == ("small", 0.5, 0.9)
    assert (body["max_tokens"], body["stop"], body["n"]) == (99, ["END"], 1)


def test_openai_itself_is_given_the_newer_name_of_the_token_limit(monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    backend = OpenAI(Options("small"))
    sent = []
    monkeypatch.setattr(backend, "_ask", lambda body: sent.append(body) or choices("x"))
    ask(backend)
    assert backend._url == OPENAI
    assert "max_completion_tokens" in sent[0]
    assert "max_tokens" not in sent[0]


def test_n_replies_at_once_share_the_count(server, backend):
    server.script = [choices(fence("x = 1\n"), fence("x = 2\n"))]
    done = ask(backend, n=2)
    assert [c.code for c in done] == ["x = 1\n", "x = 2\n"]
    assert [c.completion_tokens for c in done] == [5, 5]


def test_a_server_that_gives_one_reply_is_asked_again_with_other_seeds(server, backend):
    assert len(ask(backend, n=3)) == 3
    assert [body["n"] for *_, body in server.asked] == [3, 2, 1]
    assert len({body["seed"] for *_, body in server.asked}) == 3


def test_the_same_seed_asks_the_same(server, backend):
    for seed in (4, 4, 5):
        ask(backend, sampling=Sampling(seed=seed))
    first, again, other = (body for *_, body in server.asked)
    assert first == again
    assert first["seed"] != other["seed"]
    assert 0 <= first["seed"] < 2**31


class Echo(Handler):
    """Gives each request its own answer, and the later ones sooner."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        number = int(body["messages"][0]["content"].split()[1])
        time.sleep(0.3 - number * 0.05)
        self.play(choices(fence(f"x = {number}\n")))


def test_many_requests_run_at_a_time_and_keep_their_order(server, backend):
    server.RequestHandlerClass = Echo
    tasks = [replace(TASK, prompt=f"Program {i} please: f") for i in range(6)]
    started = time.perf_counter()
    done = backend.sample([Request(task, "generate") for task in tasks], 1, Sampling())
    assert [c[0].code for c in done] == [f"x = {i}\n" for i in range(6)]
    assert time.perf_counter() - started < 0.9  # one after another takes 1.05 s


def reset(handler):
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    handler.connection.close()


def cut(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [{"mess')


def cut_without_length(handler):
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [{"mess')


def hang_up(handler):
    handler.close_connection = True


@pytest.mark.parametrize(
    "step", [429, 500, 503, 408, reset, cut, cut_without_length, hang_up], ids=str
)
def test_what_may_pass_is_tried_again(server, backend, step):
    server.script = [step, step]
    assert ask(backend)[0].code == CODE
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (429, r"answers 429: no, 429 \(3 tries\)"),
        (500, r"answers 500: no, 500 \(3 tries\)"),
        ((502, b"<h1>Bad\n gateway</h1>", {}), r"answers 502: <h1>Bad gateway</h1> \(3 tries\)"),
        (cut, r"the connection broke before the answer was whole \(3 tries\)"),
        (cut_without_length, r"the answer was cut off \(3 tries\)"),
    ],
    ids=str,
)
def test_but_not_for_ever(server, backend, step, says):
    backend._options = replace(backend._options, retries=2)
    server.script = [step] * 9
    with pytest.raises(SelfdebugError, match=says):
        ask(backend)
    assert len(server.asked) == 3


def test_a_slow_server_is_tried_again_and_then_named(server, backend):
    backend._options = replace(backend._options, timeout=0.1, retries=1)
    server.script = [lambda _: time.sleep(0.5), lambda _: time.sleep(0.5)]
    with pytest.raises(SelfdebugError, match=r"no answer within 0\.1 s \(2 tries\)"):
        ask(backend)
    server.script = [lambda _: time.sleep(0.5)]
    assert ask(backend)[0].code == CODE


def test_it_waits_as_long_as_the_server_asks_and_longer_from_try_to_try(
    server, backend, monkeypatch
):
    waits = []
    monkeypatch.setattr("time.sleep", waits.append)
    server.script = [
        (429, b"", {"Retry-After": "7"}),
        (429, b"", {"Retry-After": "9999"}),
        500,
        500,
    ]
    ask(backend)
    assert waits[:2] == [7.0, 60.0]
    assert 0.02 <= waits[2] <= 0.06
    assert 0.04 <= waits[3] <= 0.12


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (401, r"refuses the key \(401: no, 401\): set OPENAI_API_KEY"),
        (403, "refuses the key"),
        (404, r"does not know the model or the address \(404: no, 404\); it has big, small"),
        (400, r"refuses the request \(400: no, 400\)"),
        (
            (307, b"", {"Location": "http://elsewhere/"}),
            "redirects to http://elsewhere/: give that",
        ),
        ((200, b"<html>hello", {}), "answers with something that is not JSON: '<html>hello'"),
        ({"choices": []}, "answers without a message: "),
        ({"error": "overloaded"}, "answers without a message: .*overloaded"),
        ([], r"answers without a message: '\[\]'"),
        ({"choices": [{"text": "x"}]}, "answers without a message"),
    ],
    ids=str,
)
def test_what_cannot_pass_is_one_line_at_once(server, backend, step, says):
    server.script = [step]
    with pytest.raises(SelfdebugError, match=says) as caught:
        ask(backend)
    assert len(server.asked) == 1
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"the server at {server.url} ")


def test_nobody_listens(backend):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    backend._url = f"http://127.0.0.1:{port}/v1"
    with pytest.raises(SelfdebugError, match=r"cannot be reached \(Connection refused\): is"):
        ask(backend)


def test_an_unknown_host_is_one_line(backend):
    backend._url = "http://nowhere.invalid/v1"
    with pytest.raises(SelfdebugError, match=r"nowhere\.invalid/v1 cannot be reached \("):
        ask(backend)


def test_the_key_is_never_shown(server, backend):
    server.script = [(401, {"error": {"message": f"Incorrect key: {KEY}"}}, {})]
    with pytest.raises(SelfdebugError) as caught:
        ask(backend)
    assert KEY not in str(caught.value)
    assert KEY not in repr(Options("m", key=KEY))
    assert KEY not in repr(backend)


def test_a_local_server_needs_no_key(server, backend, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    ask(OpenAI(Options("small")))
    assert "Authorization" not in server.asked[0][1]


def test_an_empty_reply_is_a_completion_without_code(server, backend):
    server.script = [{"choices": [{"message": {"content": None}, "finish_reason": "length"}]}]
    (done,) = ask(backend)
    assert (done.text, done.code, done.finish_reason) == ("", "", "length")


def test_one_failure_for_good_spares_the_server_the_rest(server, backend):
    backend._options = replace(backend._options, concurrency=1)
    server.script = [401] * 50
    with pytest.raises(SelfdebugError, match="refuses the key"):
        backend.sample([REQUEST] * 50, 1, Sampling())
    assert len(server.asked) < 5


def test_options_come_as_text_from_a_command_line(server):
    backend = create(None, model="m", base_url="http://h/v1/", retries="2", timeout="1.5")
    assert (backend._url, backend._options.retries) == ("http://h/v1", 2)
    with pytest.raises(SelfdebugError, match="openai backend: the setting 'model' is missing"):
        create(None)
    with pytest.raises(SelfdebugError, match="no setting 'modle': did you mean model"):
        create(None, modle="m")
    with pytest.raises(SelfdebugError, match="'localhost:8000' is not an http"):
        create(None, model="m", base_url="localhost:8000")


def test_the_broken_program_is_predicted_where_that_is_asked_for(server):
    repair = replace(REQUEST, mode="refine", broken="def f():\n    return 2\n", feedback="Wrong.")
    OpenAI(Options("m", server.url)).sample([repair], 1, Sampling())
    OpenAI(Options("m", server.url, draft="prediction")).sample([repair, REQUEST], 2, Sampling())
    bodies = [body for _, _, body in server.asked]
    predicted = [body for body in bodies if "prediction" in body]
    assert len(predicted) == 2  # one reply a request
    assert all(body["n"] == 1 for body in predicted)
    code = "```python\ndef f():\n    return 2\n```"
    assert predicted[0]["prediction"] == {"type": "content", "content": code}
