"""What stands before every page: hosts, origins, sizes, the class's token, and security headers.

A page of another site can neither read from the playground nor send to it, also not by rebinding a
name; what a browser may load is what the playground serves. It knows nothing of exercises.

    selfdebug play --host 0.0.0.0 --token WORD
"""

from __future__ import annotations

import asyncio
import hmac
from http.cookies import CookieError, SimpleCookie

from selfdebug.interfaces.asgi import App, Message, Receive, Send, host_name, is_local, replayed
from selfdebug.types import SelfdebugError

MAX_BODY = 256 << 10  # bytes: twice the longest program and its tests, percent-encoded
_BODY_SECONDS = 20.0
_MIN_TOKEN = 8
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def check_address(host: str, token: str) -> None:
    """Raise SelfdebugError for an address that others can reach, unless a token keeps them out."""
    if token and (len(token) < _MIN_TOKEN or not token.isascii() or not token.isalnum()):
        raise SelfdebugError(f"--token: at least {_MIN_TOKEN} letters and digits, nothing else")
    if not is_local(host) and not token:
        raise SelfdebugError(
            f"--host {host} lets others in: add --token WORD, which students need to enter"
        )


class Guard:
    """Wraps an ASGI application. local: it is served to this machine alone, under its names."""

    def __init__(self, app: App, *, local: bool, token: str) -> None:
        self._app = app
        self._local = local
        self._token = token

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer what must not reach the application, and pass on the rest."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] != "http":
            return None
        headers = {
            name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]
        }
        path: str = scope["path"]
        if path.startswith("/join/") and self._may_join(path.removeprefix("/join/")):
            cookie = f"join={self._token}; HttpOnly; SameSite=Lax; Path=/; Max-Age=15552000"
            return await _answer(send, 303, "", {"location": "/", "set-cookie": cookie})
        if refused := self._refused(scope["method"], path, headers):
            return await _answer(send, *refused)
        body, refused = await _body(receive, headers) if scope["method"] == "POST" else (b"", None)
        if refused:
            return await _answer(send, *refused)
        return await self._app(scope, replayed(body, receive), _with_headers(send))

    def _may_join(self, word: str) -> bool:
        return bool(self._token) and _same(word, self._token)

    def _refused(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if self._local and not is_local(host_name(host)):
            return 421, "this playground answers to localhost alone"
        if method not in ("GET", "HEAD", "POST"):
            return 405, "GET and POST alone"
        # A browser sends Origin with every POST, and no page can forge it.
        if method == "POST" and headers.get("origin", "").partition("://")[2] != (host or None):
            return 403, "this must be sent from the playground's own page"
        if self._token and not path.startswith("/static/"):
            try:
                joined = SimpleCookie(headers.get("cookie", "")).get("join")
            except CookieError:
                joined = None
            if joined is None or not _same(joined.value, self._token):
                return 403, "ask your teacher for the address to join: it ends in /join/ and a word"
        return None


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())


async def _body(receive: Receive, headers: dict[str, str]) -> tuple[bytes, tuple[int, str] | None]:
    """Return the body of a request that ends in time and is not too long, or why it is refused."""
    too_long = (413, f"more than {MAX_BODY >> 10} KiB")
    declared = headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > MAX_BODY:
        return b"", too_long
    body, more = b"", True
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            while more and len(body) <= MAX_BODY:
                message = await receive()
                body += message.get("body", b"")
                more = message.get("more_body", False)
    except TimeoutError:
        return b"", (408, "the request did not end")
    return (b"", too_long) if len(body) > MAX_BODY else (body, None)


def _with_headers(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            added = [(name.encode(), text.encode()) for name, text in _HEADERS.items()]
            message["headers"] = [*message.get("headers", []), *added]
        await send(message)

    return with_headers


async def _answer(send: Send, status: int, text: str, more: dict[str, str] | None = None) -> None:
    send = _with_headers(send)
    named = {"content-type": "text/plain; charset=utf-8", **(more or {})}
    headers = [(name.encode(), value.encode()) for name, value in named.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{text}\n".encode()})
