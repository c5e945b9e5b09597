"""`selfdebug play`: the playground for teaching, served until it is interrupted.

selfdebug play --exercises DIR --hints where
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from selfdebug.cli import options as o
from selfdebug.cli.verbs import app


@app.command()
def play(
    exercises: Annotated[
        list[Path] | None, Option(help="Folder of your own exercises; repeatable.")
    ] = None,
    shipped: Annotated[bool, Option(help="Offer the exercises that ship with selfdebug.")] = True,
    hints: Annotated[str, Option(help="The last hint: none, kind, where, why or fix.")] = "fix",
    texts: Annotated[Path | None, Option(help="The page's texts in another language.")] = None,
    out: Annotated[Path, Option(help="The folder that runs are kept in.")] = Path("runs/play"),
    host: Annotated[
        str, Option(help="Address to listen on; others than this machine's want --token.")
    ] = "127.0.0.1",
    port: Annotated[int, Option(help="Port to listen on.", min=0, max=65535)] = 8010,
    token: Annotated[str, Option(help="A word that students must know to join.")] = "",
    backend: o.Backend = "search",
    option: o.BackendOptions = None,
    allow_unsafe: o.Unsafe = False,
) -> None:
    """Serve a page for teaching: find bugs, with hints that add up.

    Prints the students' address and the teacher's. Runs are kept in one SQLite file on this
    machine; Ctrl-C ends it, and the same command goes on with them.
    """
    from selfdebug.interfaces.web import play as web

    web.serve(
        web.settings(
            out, exercises or [], hints, backend, option or [],
            shipped=shipped, allow_unsafe=allow_unsafe,
        ),
        texts=texts, host=host, port=port, token=token, on_start=_announce,
    )  # fmt: skip


def _announce(line: str) -> None:
    """Print at once: who started it in the background waits for the address."""
    print(line, flush=True)
