"""OpenAI's chat completions as data: what a request asks for, and the answers to it.

A parameter that would change the meaning of a reply and is not supported here is refused, and so
is an unknown one; one that changes nothing is accepted. It samples nothing.

    selfdebug serve --model runs/sft
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from selfdebug.backends.transformers.writing import Piece
from selfdebug.interfaces.serving.wrong import RequestError
from selfdebug.types import Sampling

MAX_N = 16  # replies to one request
MAX_STOPS = 4
MAX_MESSAGES = 1024
ROLES = {"system", "developer", "user", "assistant"}

# Not supported; each with the values that ask for nothing.
REFUSED: dict[str, tuple[Any, ...]] = {
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
    "audio": (),
    "web_search_options": (),
    "moderation": (),
}
# Of no meaning for a model on this machine, or for the reply.
HARMLESS = {
    "metadata",
    "parallel_tool_calls",
    "prediction",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "safety_identifier",
    "service_tier",
    "store",
    "user",
    "verbosity",
}
USED = {
    "model",
    "messages",
    "n",
    "seed",
    "stop",
    "temperature",
    "top_p",
    "max_tokens",
    "max_completion_tokens",
    "stream",
    "stream_options",
}


@dataclass(frozen=True, slots=True)
class Chat:
    """What a request asks for."""

    messages: tuple[Mapping[str, str], ...]
    n: int
    sampling: Sampling
    stream: bool
    include_usage: bool


def read(body: Mapping[str, Any], model: str, max_tokens: int) -> Chat:
    """Read a request's body for the model of this name. Raises RequestError.

    max_tokens: that a reply has at most, whatever is asked for.
    """
    given = {name: value for name, value in body.items() if value is not None}
    for name, value in given.items():
        if name in REFUSED and not any(value == neutral for neutral in REFUSED[name]):
            raise RequestError(f"{name} is not supported here: leave it out", param=name)
        if name not in USED | HARMLESS | REFUSED.keys():
            raise RequestError(f"there is no parameter {name!r}", code="unknown_parameter")
    wanted = given.get("model")
    if not isinstance(wanted, str):
        raise RequestError(f"say which model: {model!r} is served here", param="model")
    if wanted != model:
        message = f"the model {wanted!r} is not served here: {model!r} is"
        raise RequestError(message, 404, param="model", code="model_not_found")
    stream = _flag(given, "stream")
    tokens = min(
        _whole(given, "max_tokens", max_tokens, 1),
        _whole(given, "max_completion_tokens", max_tokens, 1),
        max_tokens,
    )
    sampling = Sampling(
        temperature=_number(given, "temperature", 1.0, 2.0),
        top_p=_number(given, "top_p", 1.0, 1.0),
        max_tokens=tokens,
        seed=_whole(given, "seed", random.getrandbits(31), -(1 << 63), 1 << 63),
        stop=_stops(given.get("stop")),
    )
    if sampling.top_p == 0:  # the most probable token alone
        sampling = Sampling(0.0, 1.0, tokens, sampling.seed, sampling.stop)
    return Chat(
        messages=tuple(_messages(given.get("messages"))),
        n=_whole(given, "n", 1, 1, MAX_N),
        sampling=sampling,
        stream=stream,
        include_usage=_include_usage(given, stream=stream),
    )


class Answer:
    """The answers to one request, whole or in chunks."""

    def __init__(self, chat: Chat, model: str) -> None:
        self._chat = chat
        self._common = {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": model,
        }
        self._tokens = [0] * chat.n
        self._prompt_tokens = 0

    def whole(self, pieces: Sequence[Piece]) -> dict[str, Any]:
        """Return the answer made of all pieces of all replies."""
        texts = [""] * self._chat.n
        reasons = ["length"] * self._chat.n
        for piece in pieces:
            self._count(piece)
            texts[piece.number] += piece.text
            reasons[piece.number] = piece.finish_reason or reasons[piece.number]
        choices = [
            {
                "index": number,
                "message": {"role": "assistant", "content": text, "refusal": None},
                "logprobs": None,
                "finish_reason": reason,
            }
            for number, (text, reason) in enumerate(zip(texts, reasons, strict=True))
        ]
        about = {**self._common, "object": "chat.completion", "choices": choices}
        return {**about, "usage": self._usage()}

    def first(self) -> list[dict[str, Any]]:
        """Return the chunks that begin each reply."""
        start = {"role": "assistant", "content": "", "refusal": None}
        return [self._chunk([_choice(number, start)]) for number in range(self._chat.n)]

    def chunks(self, piece: Piece) -> Iterator[dict[str, Any]]:
        """Yield the chunks of one piece: its text, and at the end of a reply the reason."""
        self._count(piece)
        if piece.text:
            yield self._chunk([_choice(piece.number, {"content": piece.text})])
        if piece.finish_reason:
            yield self._chunk([_choice(piece.number, {}, piece.finish_reason)])

    def last(self) -> list[dict[str, Any]]:
        """Return the chunk that follows all replies where usage is asked for."""
        if not self._chat.include_usage:
            return []
        return [{**self._chunk([]), "usage": self._usage()}]

    def _chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        chunk = {**self._common, "object": "chat.completion.chunk", "choices": choices}
        return {**chunk, "usage": None} if self._chat.include_usage else chunk

    def _count(self, piece: Piece) -> None:
        self._tokens[piece.number] = piece.tokens
        self._prompt_tokens = piece.prompt_tokens

    def _usage(self) -> dict[str, int]:
        replies = sum(self._tokens)
        return {
            "prompt_tokens": self._prompt_tokens,
            "completion_tokens": replies,
            "total_tokens": self._prompt_tokens + replies,
        }


def _choice(number: int, delta: Mapping[str, Any], reason: str | None = None) -> dict[str, Any]:
    return {"index": number, "delta": delta, "logprobs": None, "finish_reason": reason}


def _messages(value: Any) -> Iterator[Mapping[str, str]]:
    if not isinstance(value, list) or not value:
        raise RequestError("messages must be a list of at least one message", param="messages")
    messages = cast("list[Any]", value)
    if len(messages) > MAX_MESSAGES:
        raise RequestError(f"more than {MAX_MESSAGES} messages", param="messages")
    for number, each in enumerate(messages):
        where = f"messages[{number}]"
        message = as_object(each)
        role = message.get("role")
        if not isinstance(role, str) or role not in ROLES:
            known = ", ".join(sorted(ROLES))
            raise RequestError(f"the role of {where} must be one of {known}", param=where)
        for name in ("tool_calls", "function_call", "audio"):
            if message.get(name):
                raise RequestError(f"{name} of {where} is not supported here", param=where)
        content = "".join(_texts(message.get("content"), where))
        yield {"role": "system" if role == "developer" else role, "content": content}


def as_object(value: Any) -> dict[str, Any]:
    """Return a JSON object as it is, and an empty one instead of anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _texts(content: Any, where: str) -> Iterable[str]:
    """Yield the texts of a message; other kinds of content are refused."""
    if isinstance(content, list):
        for part in cast("list[Any]", content):
            fields = as_object(part)
            if fields.get("type") != "text":
                raise RequestError(f"{where}: only text can be read here", param=where)
            yield _text(fields.get("text"), where)
    else:
        yield _text(content, where)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise RequestError(f"the content of {where} must be text", param=where)
    return value


def _stops(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    stops = cast("list[Any]", value) if isinstance(value, list) else [value]
    if len(stops) > MAX_STOPS or not all(isinstance(stop, str) and stop for stop in stops):
        raise RequestError(f"stop must be a text or up to {MAX_STOPS} texts", param="stop")
    return tuple(stops)


def _include_usage(given: Mapping[str, Any], *, stream: bool) -> bool:
    options = given.get("stream_options")
    if options is None:
        return False
    if not stream or not isinstance(options, dict):
        message = "stream_options must be an object, and goes with stream: true"
        raise RequestError(message, param="stream_options")
    wanted: dict[str, Any] = {"include_usage": False, **options}
    return _flag(wanted, "include_usage")


def _flag(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise RequestError(f"{name} must be true or false", param=name)
    return value


def _whole(given: Mapping[str, Any], name: str, default: int, low: int, high: int = 1 << 31) -> int:
    value = given.get(name, default)
    if type(value) is not int or not low <= value <= high:
        upto = f" of {low} to {high}" if high < 1 << 31 else f" of at least {low}"
        raise RequestError(f"{name} must be a whole number{upto}", param=name)
    return value


def _number(given: Mapping[str, Any], name: str, default: float, high: float) -> float:
    value = given.get(name, default)
    if type(value) not in (int, float) or not 0 <= value <= high:
        raise RequestError(f"{name} must be a number of 0 to {high:g}", param=name)
    return float(value)
