"""What every request passes first: who may ask, and how large and how slow a request may be.

A page that a browser shows cannot ask under a name of this machine, nor know the token. It knows
nothing of what is asked for.

    python -m pytest tests/test_serving.py
"""

from __future__ import annotations

import asyncio
import hmac
from dataclasses import dataclass

from selfdebug.interfaces.asgi import App, Message, Receive, Send, host_name, is_local, replayed
from selfdebug.interfaces.serving.wrong import RequestError, as_json

OPEN = {"/health"}  # without a token
BODY_BYTES = 1 << 20
BODY_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Guard:
    """Lets an ASGI app answer what may be asked.

    token: "" when none is needed. local: only names of this machine are let through.
    """

    app: App
    token: str
    local: bool

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
            self._check(str(scope["path"]), headers)
            async with asyncio.timeout(BODY_SECONDS):
                body = await self._body(headers, receive)
        except TimeoutError:
            return await refuse(send, RequestError("the body did not come in time", 408))
        except RequestError as error:
            return await refuse(send, error)
        except ConnectionError:
            return None
        try:
            await self.app(scope, replayed(body, receive), sending)
        except asyncio.CancelledError:  # the server ends, and has waited long enough
            if not started:
                await refuse(send, RequestError("the server is shutting down", 503))
        return None

    def _check(self, path: str, headers: dict[bytes, str]) -> None:
        host = headers.get(b"host", "")
        if self.local and not is_local(host_name(host)):
            raise RequestError(f"this server answers to localhost alone, not to {host!r}", 421)
        if not self.token or path in OPEN:
            return
        scheme, _, given = headers.get(b"authorization", "").partition(" ")
        same = hmac.compare_digest(given.strip().encode(), self.token.encode())
        if scheme.lower() != "bearer" or not same:
            raise RequestError("the token is missing or wrong", 401, code="invalid_api_key")

    async def _body(self, headers: dict[bytes, str], receive: Receive) -> bytes:
        too_large = RequestError(f"the body is larger than {BODY_BYTES} bytes", 413)
        if int(headers.get(b"content-length", "0")) > BODY_BYTES:
            raise too_large
        parts: list[bytes] = []
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ConnectionError
            parts.append(message.get("body", b""))
            if sum(map(len, parts)) > BODY_BYTES:
                raise too_large
            if not message.get("more_body"):
                return b"".join(parts)


async def refuse(send: Send, error: RequestError) -> None:
    """Answer with an error; the connection ends with it, as the body may be unread."""
    body = as_json(error.body())
    said = {"content-type": "application/json", "connection": "close", **error.headers()}
    headers = [(name.encode(), value.encode()) for name, value in said.items()]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
