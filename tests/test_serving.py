"""`selfdebug serve`: OpenAI's own client works unchanged, and `/repair` mends by the loop."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

import tiny_models
from selfdebug.interfaces.serving import Serving, Settings, chat
from selfdebug.types import SelfdebugError
from served import served

HI = [{"role": "user", "content": "Add two numbers."}]
DOUBLE = {"tests": ["assert double(2) == 4"], "entry_point": "double"}
WRONG = "def double(x):\n    return x + 1\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_models.write_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def serving(model):
    with served(model=str(model)) as serving:
        yield serving


@pytest.fixture(scope="module")
def client(serving):
    with openai.OpenAI(base_url=f"{serving.address}/v1", api_key="any", max_retries=0) as client:
        yield client


def ask(client, **parameters):
    given = {"model": "tiny", "messages": HI, "max_tokens": 16, "seed": 1, **parameters}
    return client.chat.completions.create(**given)


def texts(completion):
    return [choice.message.content for choice in completion.choices]


def idle(serving):
    """Wait until no work is left; False when some stays."""
    until = time.monotonic() + 30
    service = serving.service
    while (left := service.chats.busy + service.repairs.busy) and time.monotonic() < until:
        time.sleep(0.02)
    return not left


def test_the_model_is_listed_and_found_by_its_name(client):
    assert [model.id for model in client.models.list()] == ["tiny"]
    assert client.models.retrieve("tiny").owned_by == "selfdebug"
    with pytest.raises(openai.NotFoundError, match="'other'"):
        client.models.retrieve("other")


def test_a_seed_gives_the_same_replies_and_n_different_ones(client):
    first, again, other = ask(client, n=3), ask(client, n=3), ask(client, n=3, seed=2)
    assert texts(first) == texts(again) != texts(other)
    assert len(set(texts(first))) == 3
    assert texts(ask(client, n=1)) == texts(first)[:1]
    assert texts(ask(client, seed=None)) != texts(ask(client, seed=None))
    cold = [ask(client, temperature=0, seed=seed) for seed in (1, 2)]
    assert texts(cold[0]) == texts(cold[1]) == texts(ask(client, top_p=0))


def test_usage_counts_tokens_and_the_finish_reason_says_why_it_ended(client):
    found = ask(client, n=2, max_tokens=5)
    assert [choice.finish_reason for choice in found.choices] == ["length", "length"]
    assert found.usage.completion_tokens == 10
    assert found.usage.total_tokens == found.usage.prompt_tokens + 10
    assert ask(client, max_completion_tokens=3, max_tokens=None).usage.completion_tokens == 3


@pytest.mark.parametrize("size", [1, 2, 5])
def test_stop_texts_cut_exactly_streamed_or_not(client, size):
    (whole,) = texts(ask(client, max_tokens=40, seed=3))
    stop = whole[len(whole) // 2 :][:size]
    for given in (stop, ["never there", stop]):
        found = ask(client, max_tokens=40, seed=3, stop=given)
        assert texts(found) == [whole[: whole.index(stop)]]
        assert found.choices[0].finish_reason == "stop"
        assert found.usage.completion_tokens < 40
        chunks = list(ask(client, max_tokens=40, seed=3, stop=given, stream=True))
        said = "".join(c.choices[0].delta.content or "" for c in chunks)
        assert said == whole[: whole.index(stop)]
        assert chunks[-1].choices[0].finish_reason == "stop"


def test_a_stream_is_the_same_reply_in_pieces_with_usage_at_its_end(client):
    whole = ask(client, n=2, max_tokens=24)
    chunks = list(
        ask(client, n=2, max_tokens=24, stream=True, stream_options={"include_usage": True})
    )
    said, reasons = ["", ""], ["", ""]
    for chunk in chunks:
        for choice in chunk.choices:
            said[choice.index] += choice.delta.content or ""
            reasons[choice.index] += choice.finish_reason or ""
    assert said == texts(whole)
    assert reasons == [choice.finish_reason for choice in whole.choices]
    assert chunks[-1].usage == whole.usage
    assert not chunks[-1].choices
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert len(chunks) > 8, "piece by piece"
    plain = list(ask(client, stream=True))
    assert all(chunk.choices for chunk in plain)


def test_a_stream_ends_with_done_and_begins_before_the_reply_is_over(serving):
    body = {"model": "tiny", "messages": HI, "max_tokens": 300, "stream": True, "seed": 5}
    times, lines = [], []
    with serving.http.stream("POST", "/v1/chat/completions", json=body) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if line:
                lines.append(line)
                times.append(time.monotonic())
    assert lines[-1] == "data: [DONE]"
    first = json.loads(lines[0].removeprefix("data: "))
    assert first["choices"][0]["delta"]["role"] == "assistant"
    if len(lines) > 50:  # random weights may end a reply early
        assert times[len(times) // 2] - times[0] > (times[-1] - times[0]) / 20


def test_32_clients_at_once_get_what_each_would_get_alone(client, serving):
    def reply(seed):
        if seed % 2:
            return "".join(
                c.choices[0].delta.content or "" for c in ask(client, seed=seed, stream=True)
            )
        return texts(ask(client, seed=seed))[0]

    with ThreadPoolExecutor(32) as pool:
        together = list(pool.map(reply, range(32)))
    assert together == [texts(ask(client, seed=seed))[0] for seed in range(32)]
    assert idle(serving)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools is not supported"),
        ({"logprobs": True}, "logprobs is not supported"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"extra_body": {"top_k": 3}}, "no parameter 'top_k'"),
        ({"temperature": 3}, "temperature must be a number of 0 to 2"),
        ({"n": 0}, "n must be a whole number of 1 to 16"),
        ({"seed": 1.5}, "seed must be a whole number"),
        ({"stop": [""]}, "stop must be"),
        ({"messages": []}, "messages must be a list"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "role of messages.0."),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "only text"),
        ({"messages": [{"role": "user", "content": "x " * 2000}]}, "reads 512 tokens"),
    ],
)
def test_what_would_change_the_reply_and_is_not_there_is_refused(client, parameters, message):
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError, match=message) as caught:
            ask(client, **parameters, stream=stream)
        assert caught.value.type == "invalid_request_error"


def test_what_changes_nothing_is_accepted(client):
    neutral = {"tools": [], "logprobs": False, "presence_penalty": 0, "user": "me", "store": False}
    parts = [{"role": "user", "content": [{"type": "text", "text": HI[0]["content"]}]}]
    assert texts(ask(client, **neutral, messages=parts)) == texts(ask(client))


def test_another_model_is_not_found(client):
    with pytest.raises(openai.NotFoundError, match="'tiny' is") as caught:
        ask(client, model="gpt-4o")
    assert caught.value.code == "model_not_found"


def test_a_client_that_leaves_ends_its_generation(serving):
    body = {"model": "tiny", "messages": HI, "max_tokens": 400, "seed": 5, "stream": True}
    before = serving.service.chats.busy
    with serving.http.stream("POST", "/v1/chat/completions", json=body) as answer:
        next(answer.iter_lines())
        assert serving.service.chats.busy == before + 1
    began = time.monotonic()
    assert idle(serving)
    assert time.monotonic() - began < 20


def test_time_limits_end_the_work_and_not_only_the_answer(model):
    with served(model=str(model), seconds=0.3) as short:
        long = {"model": "tiny", "messages": HI, "max_tokens": 480, "n": 16}
        answer = short.http.post("/v1/chat/completions", json=long)
        assert (answer.status_code, answer.json()["error"]["code"]) == (504, "timeout")
        streamed = short.http.post("/v1/chat/completions", json={**long, "stream": True})
        assert streamed.status_code == 504 or '"code":"timeout"' in streamed.text
        loops = {**DOUBLE, "backend": "search", "code": "def double(x):\n    while x: pass\n"}
        assert short.http.post("/repair", json=loops).status_code == 504
        assert idle(short)


def test_too_many_at_once_are_told_to_come_back(model):
    with served(model=str(model), at_once=1) as narrow:
        body = {"model": "tiny", "messages": HI, "max_tokens": 60, "n": 8}
        with ThreadPoolExecutor(12) as pool:
            found = list(
                pool.map(
                    lambda seed: narrow.http.post(
                        "/v1/chat/completions", json={**body, "seed": seed}
                    ),
                    range(12),
                )
            )
        assert {answer.status_code for answer in found} == {200, 429}
        busy = [answer for answer in found if answer.status_code == 429]
        assert all(answer.headers["retry-after"] for answer in busy)
        assert idle(narrow)


def test_repair_mends_by_search_and_tells_every_turn(serving):
    found = serving.http.post("/repair", json={**DOUBLE, "backend": "search", "code": WRONG})
    answer = found.json()
    assert (found.status_code, answer["outcome"]) == (200, "fixed")
    assert "-    return x + 1" in answer["diff"]
    assert "line 2" in answer["explanation"]
    assert [turn["verdict"]["passed"] for turn in answer["turns"]] == [False, True]
    right = {**DOUBLE, "backend": "search", "task": {}, "code": answer["code"]}
    assert serving.http.post("/repair", json=right).json()["outcome"] == "already_right"


def test_repair_asks_the_model_where_there_is_one_and_seeds_count(serving):
    asked = {"task": {**DOUBLE, "prompt": "Double a number."}, "code": WRONG, "max_tokens": 16}
    first, again = (serving.http.post("/repair", json={**asked, "seed": 3}).json() for _ in "ab")
    assert first["backend"].startswith("transformers:")
    assert first["outcome"] == "not_fixed"
    assert [turn["code"] for turn in first["turns"]] == [turn["code"] for turn in again["turns"]]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"code": WRONG}, "no 'tests'"),
        ({**DOUBLE, "backend": "search"}, "give it one"),
        ({**DOUBLE, "code": WRONG, "backend": "./mine.py"}, "no backend"),
        ({**DOUBLE, "code": WRONG, "mode": "other"}, "not one of"),
        ({**DOUBLE, "code": WRONG, "feedback": "retrieved"}, "feedback must be"),
        ({**DOUBLE, "code": WRONG, "language": "cobol"}, "no language 'cobol'"),
        ({**DOUBLE, "code": WRONG, "max_iterations": 99}, "max_iterations must be 0 to 10"),
        ({**DOUBLE, "code": 3}, "must be text"),
    ],
)
def test_what_is_wrong_with_a_repair_is_one_line(serving, body, message):
    found = serving.http.post("/repair", json=body)
    assert found.status_code == 400
    assert message in found.json()["error"]["message"]


def test_without_a_model_there_are_repairs_alone():
    with served() as plain:
        assert plain.http.get("/v1/models").json()["data"] == []
        told = plain.http.post("/v1/chat/completions", json={"model": "x", "messages": HI})
        assert told.status_code == 404
        assert "--model" in told.json()["error"]["message"]
        answer = plain.http.post("/repair", json={**DOUBLE, "code": WRONG}).json()
        assert (answer["outcome"], answer["backend"]) == ("fixed", "search")


def test_a_token_is_needed_for_other_machines_and_then_from_everybody():
    sandbox = None
    with pytest.raises(SelfdebugError, match="open to other machines"):
        Serving(Settings(host="0.0.0.0", port=0), sandbox)
    with pytest.raises(SelfdebugError, match="at least 16"):
        Serving(Settings(token="short"), sandbox)  # noqa: S106
    token = "a-token-of-enough-letters"
    with served(token=token) as guarded:
        assert guarded.http.get("/health").status_code == 200
        for header in ({}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {token}"}):
            refused = guarded.http.get("/v1/models", headers=header)
            assert refused.status_code == 401
            assert refused.json()["error"]["code"] == "invalid_api_key"
        with openai.OpenAI(base_url=f"{guarded.address}/v1", api_key=token) as client:
            assert list(client.models.list()) == []


def test_foreign_names_pages_and_large_bodies_are_refused(serving):
    post = serving.http.post
    body = json.dumps({**DOUBLE, "backend": "search", "code": WRONG})
    assert serving.http.get("/health", headers={"host": "evil.example"}).status_code == 421
    assert serving.http.get("/health", headers={"host": "localhost:9"}).status_code == 200
    simple = post("/repair", content=body, headers={"content-type": "text/plain"})
    assert simple.status_code == 415
    preflight = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    answer = serving.http.options("/repair", headers=preflight)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]
    large = post("/repair", content=b" " * (1 << 20) + b"{}")
    assert large.status_code == 413
    chunks = post("/repair", content=(b" " * 60000 for _ in range(20)))
    assert chunks.status_code == 413


def test_every_parameter_of_openais_client_is_known():
    from openai.types.chat import completion_create_params as params

    known = set(params.CompletionCreateParamsBase.__annotations__) | {"stream"}
    assert known <= chat.USED | chat.HARMLESS | chat.REFUSED.keys()


@pytest.mark.slow
def test_the_command_serves_until_a_signal_and_leaves_nothing(tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "selfdebug", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:
        greeting = server.stderr.readline()
        assert "/v1 serves no model; repairs by search" in greeting
        server.send_signal(signal.SIGTERM)  # perhaps before it has begun to listen
        try:
            assert server.wait(60) == 0
        finally:
            server.kill()
        assert server.stderr.read() == ""
    assert not list(tmp_path.iterdir())
