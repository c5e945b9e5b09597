"""`selfdebug serve`: a trained model for any OpenAI client, and repairs, over HTTP.

It listens to this machine alone unless it is given a token. It has no encryption of its own: over
a network it belongs behind a proxy that has, or into an SSH tunnel.

    selfdebug serve --model runs/sft
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfdebug.interfaces import runs
from selfdebug.interfaces.asgi import is_local
from selfdebug.interfaces.fix import DEFAULTS
from selfdebug.interfaces.serving.places import Places, Wanted
from selfdebug.sandbox import Sandbox
from selfdebug.types import Backend, Judge, SelfdebugError

if TYPE_CHECKING:
    from uvicorn import Server

    from selfdebug.backends.transformers import Transformers
    from selfdebug.interfaces.serving.app import Offer, Service

LOCAL = "transformers"
MIN_TOKEN = 16  # characters
GRACE = 10  # seconds that requests have to end when the server does


@dataclass(frozen=True, slots=True)
class Settings:
    """What is served, and where. seconds: that a request may take. at_once: chats at a time."""

    model: str = ""
    adapter: str = ""
    backend: str = ""  # of repairs; "": the model, or search without one
    options: Sequence[str] = ()  # of the model, or of the backend without one
    host: str = "127.0.0.1"
    port: int = 8000
    token: str = ""
    seconds: float = 300.0
    at_once: int = 32
    max_tokens: int = 4096


class Serving:
    """A server that has its address; `run` answers until it is told to end."""

    def __init__(self, settings: Settings, sandbox: Sandbox) -> None:
        """Take the address and load the model. Raises SelfdebugError for what is wrong."""
        check_token(settings.host, settings.token)
        need_extra()
        self._socket = bound(settings.host, settings.port)
        try:
            offer = _offer(settings, sandbox)
            self.service = _service(settings, offer, sandbox.workers)
            self.server = _server(settings, self.service)
        except BaseException:
            self._socket.close()
            raise
        host, port = self._socket.getsockname()[:2]
        self.address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        said = f"the model {offer.model_name!r}" if offer.model else "no model"
        self.greeting = f"{self.address}/v1 serves {said}; repairs by {', '.join(offer.backends)}"

    def run(self) -> None:
        """Serve until SIGINT or SIGTERM, or until `server.should_exit` is set."""
        self.server.run(sockets=[self._socket])

    def run_until_signal(self, on_ready: Callable[[str], None]) -> None:
        """Serve in the main thread; a signal ends the server, and then this returns.

        on_ready: is told what is served where, once a signal would end it in good order.
        """

        def end(*_: Any) -> None:
            self.server.should_exit = True

        # A signal may come before uvicorn looks for it, and uvicorn raises it again once it has
        # ended: there is more to tidy up than it knows.
        before = {each: signal.signal(each, end) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            on_ready(self.greeting)
            self.run()
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def check_token(host: str, token: str) -> None:
    """Raise SelfdebugError when others could use the server without a token, or guess it."""
    if not token:
        if not is_local(host):
            raise SelfdebugError(
                f"{host} is open to other machines: set a token, in SELFDEBUG_TOKEN or --token"
            )
    elif len(token) < MIN_TOKEN or not (token.isascii() and token.isprintable() and token.strip()):
        raise SelfdebugError(f"the token must be at least {MIN_TOKEN} printable ASCII characters")


def need_extra() -> None:
    """Raise SelfdebugError when the extra `serve` is not installed."""
    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        command = "pip install 'selfdebug[serve]'"
        raise SelfdebugError(f"serve needs {' and '.join(missing)}: {command}")


def bound(host: str, port: int) -> socket.socket:
    """Return a socket at an address. Raises SelfdebugError when it cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, protocol)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(128)
    except (OSError, OverflowError) as error:
        said = getattr(error, "strerror", None) or error
        raise SelfdebugError(f"cannot listen to {host}, port {port}: {said}") from error
    return found


def _offer(settings: Settings, sandbox: Sandbox) -> Offer:
    from selfdebug.interfaces.serving.app import Offer

    model = _model(settings, sandbox)
    own = settings.backend or (LOCAL if model else "search")
    if own == LOCAL and model is None:
        raise SelfdebugError("say which model: --model FOLDER or NAME")
    options: Sequence[str] = () if model else settings.options

    def open_backend(name: str, judge: Judge, wanted: Wanted) -> Backend:
        if name == LOCAL and model is not None:
            return model.while_wanted(wanted)
        return runs.backend(
            name, judge, [*DEFAULTS.get(name, ()), *(options if name == own else ())]
        )

    open_backend(own, sandbox, Wanted(0))  # what is wrong with its options is said now
    named = [own, *([LOCAL] if model else []), "search"]
    names = sorted(set(named), key=named.index)
    place = Path(settings.model)
    name = place.resolve().name if place.is_dir() else settings.model
    return Offer(name, model, tuple(names), open_backend, sandbox, settings.max_tokens)


def _model(settings: Settings, judge: Judge) -> Transformers | None:
    from selfdebug.backends import transformers

    if not settings.model:
        return None
    pairs = [option.partition("=") for option in settings.options]
    given = {name: value for name, _, value in pairs} | {"model": settings.model}
    if settings.adapter:
        given["adapter"] = settings.adapter
    return transformers.create(judge, **{"batch_size": str(settings.at_once), **given})


def _service(settings: Settings, offer: Offer, workers: int) -> Service:
    from selfdebug.interfaces.serving.app import Service

    return Service(
        offer,
        chats=Places(settings.at_once, 2 * settings.at_once, settings.seconds),
        repairs=Places(workers, 4 * workers, settings.seconds),
    )


def _server(settings: Settings, service: Service) -> Server:
    import uvicorn

    from selfdebug.interfaces.serving.app import build
    from selfdebug.interfaces.serving.connections import protocol
    from selfdebug.interfaces.serving.guard import Guard

    app: Any = Guard(build(service), settings.token, is_local(settings.host))
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=protocol(),
            ws="none",
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE,
        )
    )
