"""The progress of a run as the editor shows it, with the editor's button to cancel it.

Clients that show none get none. It starts and stops nothing by itself.

    python -m pytest tests/test_lsp.py -k progress
"""

# pyright: reportUnknownMemberType=false
# pygls does not say what its futures hold.

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from uuid import uuid4

from lsprotocol import types as lsp
from pygls.capabilities import get_capability
from pygls.lsp.server import LanguageServer


@asynccontextmanager
async def progress(
    server: LanguageServer, title: str, token: lsp.ProgressToken | None
) -> AsyncGenerator[Callable[[str], None]]:
    """Show that the block goes on; what the yielded function is told, and last, at its end.

    token: the client's own, when it asked. When the client cancels, so is the task that this
    runs in.
    """
    if token is None and get_capability(
        server.client_capabilities, "window.work_done_progress", False
    ):
        token = str(uuid4())
        await server.work_done_progress.create_async(token)
    if token is None:
        yield lambda _: None
        return
    shown, task = server.work_done_progress, asyncio.current_task()
    assert task is not None
    shown.begin(token, lsp.WorkDoneProgressBegin(title, cancellable=True))

    def ended(future: Future[None]) -> None:
        if future.cancelled():
            task.cancel()

    shown.tokens[token].add_done_callback(ended)
    last = "stopped"

    def say(text: str) -> None:
        nonlocal last
        last = text
        shown.report(token, lsp.WorkDoneProgressReport(message=text, cancellable=True))

    try:
        yield say
    except BaseException:
        last = "stopped"
        raise
    finally:
        shown.end(token, lsp.WorkDoneProgressEnd(message=last))
        del shown.tokens[token]
