"""The verb that an editor starts.

selfdebug lsp --help
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

import typer

from selfdebug.cli import options as o
from selfdebug.cli.verbs import app
from selfdebug.types import SelfdebugError

OnSave = Annotated[bool, typer.Option("--on-save/--no-on-save", help="Run the tests at each save.")]
Stdio = Annotated[bool, typer.Option("--stdio", help="Understood, as editors add it.", hidden=True)]


@app.command()
def lsp(
    backend: o.Backend = "search",
    option: o.BackendOptions = None,
    plugin: o.PytestPlugins = None,
    max_iterations: o.FixIterations = 3,
    on_save: OnSave = True,
    stdio: Stdio = True,
    allow_unsafe: o.Unsafe = False,
) -> None:
    """Serve an editor, over standard input and output: see docs/editors.md.

    Failing tests become diagnostics, explanations hovers, and repairs code actions.
    """
    if find_spec("pygls") is None:
        raise SelfdebugError("the language server needs pygls: pip install 'selfdebug[editor]'")
    from selfdebug.interfaces.lsp import runs, server

    settings = runs.Settings(backend, option or [], plugin or [], max_iterations, allow_unsafe)
    server.create(settings, on_save=on_save).start_io()
