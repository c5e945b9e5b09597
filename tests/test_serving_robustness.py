"""`selfdebug serve` under bad requests: each gets a 4xx, and the next good one its answer.

1,000 malformed requests, generated (bodies by their structure, garbage by its bytes) and by hand,
slow ones too; the server logs no traceback, and as many threads and workers as before are left.
"""

import json
import logging
import socket
import threading
import time

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tiny_models
from selfdebug.interfaces.serving import connections, guard
from served import served

pytestmark = pytest.mark.slow

PATHS = ("/v1/chat/completions", "/repair")
GOOD_CHAT = {"model": "tiny", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 2}
GOOD_REPAIR = {
    "tests": ["assert double(2) == 4"],
    "entry_point": "double",
    "code": "def double(x):\n    return x + 1\n",
    "backend": "search",
}
LEAST = 1000

asked: list[int] = []  # the statuses of malformed requests

many = settings(
    max_examples=260,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    folder = tiny_models.write_model(tmp_path_factory.mktemp("models") / "tiny")
    logged: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: logged.append(record.getMessage())
    log = logging.getLogger("uvicorn.error")
    with served(model=str(folder)) as serving:
        log.addHandler(handler)
        assert good(serving)
        serving.workers = processes(serving)
        yield serving
        log.removeHandler(handler)
    assert not logged, logged[:3]


def good(serving):
    """A good request of each kind is answered."""
    chat = serving.http.post("/v1/chat/completions", json=GOOD_CHAT)
    repair = serving.http.post("/repair", json=GOOD_REPAIR)
    return chat.status_code == 200 and repair.json()["outcome"] == "fixed"


def processes(serving):
    return [[p.pid for p in worker._processes] for worker in serving.sandbox._all]


def refused(answer):
    asked.append(answer.status_code)
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text)
    error = answer.json()["error"]
    assert error["message"]
    assert "Traceback" not in answer.text
    return True


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["\ud800", "1e999", "\0", "x" * 3000, -(1 << 70)]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@many
@given(
    name=st.sampled_from([*GOOD_CHAT, "stop", "n", "stream", "stream_options", "tools", "other"]),
    value=values,
)
def test_a_chat_with_one_wrong_value_is_refused(serving, name, value):
    body = {**GOOD_CHAT, name: value}
    answer = serving.http.post(
        "/v1/chat/completions", content=json.dumps(body),
        headers={"content-type": "application/json"},
    )  # fmt: skip
    # Some of what is generated is right: then it is answered.
    assert answer.status_code == 200 or refused(answer)


@many
@given(
    name=st.sampled_from([*GOOD_REPAIR, "prompt", "mode", "max_iterations", "seed", "task"]),
    value=values,
)
def test_a_repair_with_one_wrong_value_is_refused(serving, name, value):
    if name == "code" and isinstance(value, str):
        name = "language"
    body = {**GOOD_REPAIR, name: value, "max_iterations": 1 if name != "max_iterations" else value}
    answer = serving.http.post(
        "/repair", content=json.dumps(body), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 200 or refused(answer)


@many
@given(path=st.sampled_from(PATHS), body=st.binary(max_size=200))
def test_bytes_that_are_no_json_object_are_refused(serving, path, body):
    answer = serving.http.post(path, content=body, headers={"content-type": "application/json"})
    assert refused(answer)


@many
@given(path=st.sampled_from(PATHS), value=values)
def test_json_of_any_other_form_is_refused(serving, path, value):
    answer = serving.http.post(
        path, content=json.dumps(value), headers={"content-type": "application/json"}
    )
    assert refused(answer)


def raw(serving, data, *, close=False, seconds=30):
    """Send bytes and return what comes back; "" when the connection is just closed."""
    port = int(serving.address.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        try:
            connection.sendall(data)
            if close:
                return b""
            connection.shutdown(socket.SHUT_WR)
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
        except ConnectionError:  # it has heard enough
            parts = []
    return b"".join(parts)


@settings(many, max_examples=100)
@given(data=st.binary(min_size=1, max_size=300))
def test_garbage_on_the_socket_is_refused_or_cut_off(serving, data):
    said = raw(serving, data)
    if said:
        asked.append(int(said.split()[1]))
        assert said.startswith(b"HTTP/1.1 4")


HEAD = b"POST /repair HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        HEAD + b"Content-Length: 99999999999999999999\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
        HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
        HEAD + b"X: " + b"a" * 100_000 + b"\r\n\r\n",
        HEAD + b"Content-Length: 100000\r\n\r\n[" + b"[" * 99_999,
        HEAD + b"Content-Length: 6000\r\n\r\n" + b"1" * 6000,
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n",
        b"BREW /repair HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST http://evil/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
        b"GET /v1/models/%00%ff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=range(15),
)
def test_what_breaks_http_or_json_by_hand_is_refused(serving, data):
    said = raw(serving, data)
    asked.append(int(said.split()[1]))
    assert said.startswith(b"HTTP/1.1 4")


def test_clients_that_say_little_for_long_are_cut_off(serving, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 1.0)
    port = int(serving.address.rpartition(":")[2])
    slow = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(50)]
    began = time.monotonic()
    try:
        for number, connection in enumerate(slow):
            connection.sendall(HEAD[: 1 + number])
        assert good(serving), "others are served meanwhile"
        for number, connection in enumerate(slow):
            connection.sendall(HEAD[1 + number : 2 + number])  # a byte more buys no time
        assert all(connection.recv(1) == b"" for connection in slow)
    finally:
        for connection in slow:
            connection.close()
    assert time.monotonic() - began < 30


def test_bodies_that_do_not_come_are_refused_in_time(serving, monkeypatch):
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.5)
    said = []

    def wait():
        port = int(serving.address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
            said.append(connection.recv(65536))

    threads = [threading.Thread(target=wait) for _ in range(20)]
    for thread in threads:
        thread.start()
    assert good(serving)
    for thread in threads:
        thread.join(60)
    assert len(said) == 20
    assert all(answer.startswith(b"HTTP/1.1 408") for answer in said)


def test_clients_that_hang_up_leave_nothing_behind(serving):
    bodies = [json.dumps(body).encode() for body in ({**GOOD_CHAT, "max_tokens": 400}, GOOD_REPAIR)]
    for path, body in zip(PATHS, bodies, strict=True):
        for cut in (0, len(body) // 2, len(body)):
            head = HEAD.replace(b"/repair", path.encode())
            head += b"Content-Length: %d\r\n\r\n" % len(body)
            raw(serving, head + body[:cut], close=True)
    until = time.monotonic() + 60
    service = serving.service
    while service.chats.busy + service.repairs.busy and time.monotonic() < until:
        time.sleep(0.05)
    assert service.chats.busy + service.repairs.busy == 0


def test_afterwards_a_good_request_is_answered_by_the_same_workers(serving):
    """The last test of this file: all the others have asked by then."""
    assert len(asked) >= LEAST
    assert good(serving)
    assert processes(serving) == serving.workers
