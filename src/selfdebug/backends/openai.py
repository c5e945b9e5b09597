"""Any OpenAI-compatible server: OpenAI itself, vLLM, llama.cpp, Ollama, LM Studio and the like.

Plain HTTP from the standard library: `POST {base_url}/chat/completions`, several requests at a
time. What may pass is tried again (429, 5xx, a broken or slow answer), what cannot pass is one
clear line. The key is sent to that server alone and is never shown. It starts no server.

    selfdebug eval humanevalpack --backend openai --option model=NAME --out runs/name
"""

from __future__ import annotations

import json
import os
import random
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any, Literal, Never

from selfdebug import config, prompts
from selfdebug.types import Completion, Judge, Request, Sampling, SelfdebugError

OPENAI = "https://api.openai.com/v1"
MAX_WAIT = 60.0  # seconds before another try, whatever the server asks for
HANDLERS = (
    urllib.request.ProxyHandler,
    urllib.request.HTTPHandler,
    urllib.request.HTTPSHandler,
    urllib.request.HTTPDefaultErrorHandler,
    urllib.request.HTTPErrorProcessor,
)


@dataclass(frozen=True)
class Options:
    """What `--option NAME=VALUE` sets. Where not given, the environment decides url and key."""

    model: str
    base_url: str = ""  # or OPENAI_BASE_URL, else OpenAI's own
    key: str = field(default="", repr=False)  # or OPENAI_API_KEY; local servers need none
    concurrency: int = 8
    timeout: float = 300.0  # seconds of silence
    retries: int = 4
    first_wait: float = 0.5  # seconds before the second try; it doubles from try to try
    draft: Literal["none", "prediction"] = "none"  # see `_drafted`


def create(judge: Judge, **options: str) -> OpenAI:
    """Open the backend; `model` is needed, see `Options` for the others."""
    del judge  # the server writes programs, the loop judges them
    return OpenAI(config.settings(Options, options, "openai backend"))


class OpenAI:
    """A model behind a server that speaks OpenAI's chat completions."""

    def __init__(self, options: Options) -> None:
        """Check the options; the server is first asked when a program is needed."""
        self.name = f"openai:{options.model}"
        self._options = options
        self._url = (options.base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI).rstrip("/")
        self._key = options.key or os.environ.get("OPENAI_API_KEY", "")
        if not self._url.startswith(("http://", "https://")):
            raise SelfdebugError(f"openai backend: {self._url!r} is not an http(s) address")
        # All that urllib has for HTTP but redirections: they would carry the key elsewhere.
        self._opener = urllib.request.OpenerDirector()
        for handler in HANDLERS:
            self._opener.add_handler(handler())

    def sample(
        self, requests: Sequence[Request], n: int, sampling: Sampling
    ) -> list[list[Completion]]:
        """Return n completions for each request, in the order of the requests."""
        pool = ThreadPoolExecutor(self._options.concurrency)
        try:
            running = [pool.submit(self._complete, request, n, sampling) for request in requests]
            return [future.result() for future in running]
        finally:  # when one failed for good, the others are not begun
            pool.shutdown(wait=False, cancel_futures=True)

    def _complete(self, request: Request, n: int, sampling: Sampling) -> list[Completion]:
        """Ask until there are n replies: many servers give one, whatever n says."""
        done: list[Completion] = []
        while len(done) < n:
            body: dict[str, Any] = {
                "model": self._options.model,
                "messages": prompts.messages(request),
                "n": n - len(done),
                "temperature": sampling.temperature,
                "top_p": sampling.top_p,
                # OpenAI's newer models refuse the old name, and other servers the new one.
                "max_completion_tokens" if self._url == OPENAI else "max_tokens": (
                    sampling.max_tokens
                ),
                # Any seed is a seed, but servers keep as few as 31 bits.
                "seed": zlib.crc32(f"{sampling.seed} {len(done)}".encode()) >> 1,
            }
            if sampling.stop:
                body["stop"] = list(sampling.stop)
            if self._options.draft == "prediction" and request.broken:
                body = _drafted(body, request)
            done += self._read(request, self._ask(body))
        return done[:n]

    def _ask(self, body: dict[str, Any]) -> Any:
        """Return the server's answer, trying again while that may help."""
        wait = self._options.first_wait
        for tried in range(1, self._options.retries + 2):
            try:
                return self._answer(self._send("/chat/completions", body))
            except _MayPass as error:
                if tried > self._options.retries:
                    self._fail(f"{error} ({tried} tries)")
                # Spread, or all threads knock again at the same moment.
                time.sleep(min(MAX_WAIT, error.wait or wait * random.uniform(0.5, 1.5)))
                wait *= 2
        raise AssertionError  # the last try returns or fails

    def _send(self, path: str, body: dict[str, Any] | None = None) -> bytes:
        """Send one HTTP request; what went wrong is a _MayPass, or one line for the user."""
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, headers)
        try:
            with self._opener.open(request, timeout=self._options.timeout) as response:
                return response.read()
        except urllib.error.HTTPError as error:
            with error:
                self._refused(error)
        except (HTTPException, OSError) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            if isinstance(reason, TimeoutError):
                raise _MayPass(f"no answer within {self._options.timeout:g} s") from error
            if isinstance(reason, HTTPException | ConnectionResetError | BrokenPipeError):
                raise _MayPass("the connection broke before the answer was whole") from error
            text = reason.strerror if isinstance(reason, OSError) else str(reason)
            self._fail(f"cannot be reached ({text}): is it running, is the address right?")

    def _refused(self, error: urllib.error.HTTPError) -> Never:
        """Say what an HTTP status means and what to do about it."""
        said = f"{error.code}: {_message(error)}"
        if error.code in (408, 409, 429) or error.code >= 500:
            wait = error.headers.get("Retry-After", "")
            raise _MayPass(f"answers {said}", float(wait) if wait.isdecimal() else 0.0)
        if error.code in (401, 403):
            self._fail(f"refuses the key ({said}): set OPENAI_API_KEY")
        if error.code == 404:
            self._fail(f"does not know the model or the address ({said}){self._models()}")
        if error.code < 400:
            self._fail(f"redirects to {error.headers.get('Location')}: give that as base_url")
        self._fail(f"refuses the request ({said})")

    def _models(self) -> str:
        """Return the models that the server says it has, to help with a wrong name."""
        try:
            found = json.loads(self._send("/models"))["data"]
            return f"; it has {', '.join(sorted(str(model['id']) for model in found)[:20])}"
        except (_MayPass, SelfdebugError, ValueError, LookupError, TypeError):
            return ""  # it was only for the hint

    def _answer(self, raw: bytes) -> Any:
        """Return a body as JSON with at least one choice."""
        text = raw.decode("utf-8", "replace")
        try:
            answer: Any = json.loads(text)
            if answer["choices"][0]["message"]:
                return answer
        except ValueError as error:
            if text.startswith("{"):
                raise _MayPass("the answer was cut off") from error
            self._fail(f"answers with something that is not JSON: {_line(text)!r}")
        except (LookupError, TypeError):
            pass
        self._fail(f"answers without a message: {_line(text)!r}")

    def _read(self, request: Request, answer: Any) -> list[Completion]:
        usage: Any = answer.get("usage") or {}
        choices: list[Any] = answer["choices"]
        return [
            prompts.parse(
                request.task.language,
                choice["message"].get("content") or "",
                entry_point=request.task.entry_point,
                finish_reason=choice.get("finish_reason") or "stop",
                prompt_tokens=usage.get("prompt_tokens") or 0,
                # The server counts all choices together.
                completion_tokens=(usage.get("completion_tokens") or 0) // len(choices),
            )
            for choice in choices
        ]

    def _fail(self, what: str) -> Never:
        """Raise one line; a server may quote the key back, and that must not be shown."""
        line = f"the server at {self._url} {what}"
        raise SelfdebugError(line.replace(self._key, "***") if self._key else line)


def _drafted(body: dict[str, Any], request: Request) -> dict[str, Any]:
    """Return the body with the broken program as OpenAI's predicted output.

    It makes a repair come sooner, not otherwise. Models that know it take neither several replies
    nor a limit beside it, others refuse it, so it must be asked for. vLLM and llama.cpp draft by
    the prompt once they are started so (recipes/vllm.sh, recipes/llamacpp.sh), for every request,
    and have no field for it.
    """
    code = prompts.fenced(request.task.language, request.broken)
    kept = {name: value for name, value in body.items() if name != "max_completion_tokens"}
    return {**kept, "n": 1, "prediction": {"type": "content", "content": code}}


class _MayPass(Exception):
    """Something that another try may not meet; `wait` is what the server asked for, or 0."""

    def __init__(self, text: str, wait: float = 0.0) -> None:
        super().__init__(text)
        self.wait = wait


def _message(error: urllib.error.HTTPError) -> str:
    """Return the server's own words, which stand in {"error": {"message": ...}} or plainly."""
    try:
        text = error.read().decode("utf-8", "replace")
    except (HTTPException, OSError):
        return str(error.reason)
    try:
        found: Any = json.loads(text)["error"]
        text = str(found if isinstance(found, str) else found["message"])
    except (ValueError, LookupError, TypeError):
        pass  # then the whole of it
    return _line(text) or str(error.reason)


def _line(text: str) -> str:
    return " ".join(text.split())[:200]
