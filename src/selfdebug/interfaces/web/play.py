"""Start the playground: check what it is started with, open a socket, print addresses, serve.

selfdebug play
"""

from __future__ import annotations

import logging
import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast, get_args

from selfdebug.interfaces.asgi import is_local
from selfdebug.interfaces.web import guard, server
from selfdebug.interfaces.web import texts as all_texts
from selfdebug.interfaces.web.ladder import Cap
from selfdebug.interfaces.web.playground import Playground, Settings
from selfdebug.types import SelfdebugError

_MAX_CONNECTIONS = 1000


def settings(
    out: Path,
    folders: Sequence[Path],
    hints: str,
    backend: str,
    options: Sequence[str],
    *,
    shipped: bool = True,
    allow_unsafe: bool = False,
) -> Settings:
    """Return what a command line asks for; raises SelfdebugError for an unknown hint."""
    if hints not in get_args(Cap):
        raise SelfdebugError(f"--hints {hints}: choose one of {', '.join(get_args(Cap))}")
    cap = cast("Cap", hints)
    return Settings(out, folders, shipped, cap, backend, options, allow_unsafe)


def serve(
    wanted: Settings,
    *,
    texts: Path | None,
    host: str,
    port: int,
    token: str,
    on_start: Callable[[str], None],
) -> None:
    """Serve the playground until it is interrupted; `on_start` is given each line to print.

    port 0: any that is free. Raises SelfdebugError when it cannot be started.
    """
    try:
        import fastapi  # noqa: F401  # pyright: ignore[reportUnusedImport]
        import jinja2  # noqa: F401  # pyright: ignore[reportUnusedImport]
        import uvicorn
    except ImportError as error:
        raise SelfdebugError(f"{error.name} is missing: pip install 'selfdebug[play]'") from error
    guard.check_address(host, token)
    words = all_texts.load(texts or all_texts.ENGLISH)
    open_socket = listening(host, port)
    try:
        playground = Playground(wanted)
    except BaseException:
        open_socket.close()
        raise
    teacher_token = secrets.token_urlsafe(16)
    local = is_local(host)
    app = server.application(
        playground, words, teacher_token=teacher_token, join_token=token, local=local
    )
    place = _address(host, open_socket)
    on_start(f"Students: {place}/{f'join/{token}' if token else ''}")
    on_start(f"Teacher:  {place}/teacher?key={teacher_token}")
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    config = uvicorn.Config(
        app, access_log=False, log_level="warning", limit_concurrency=_MAX_CONNECTIONS,
        server_header=False, timeout_graceful_shutdown=5,
    )  # fmt: skip
    with open_socket:
        uvicorn.Server(config).run(sockets=[open_socket])


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises SelfdebugError where that cannot be."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise SelfdebugError(f"cannot listen on {host}, port {port}: {error.strerror}") from error


def _address(host: str, open_socket: socket.socket) -> str:
    """Return the address as a person types it; for all addresses, with this machine's name."""
    port = open_socket.getsockname()[1]
    name = socket.gethostname() if host in ("0.0.0.0", "::") else host
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
