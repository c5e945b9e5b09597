"""The verbs that serve others: `serve` over HTTP, `mcp` over standard input and output.

They run until they are told to end.

    selfdebug serve --help
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from selfdebug.cli import options as o
from selfdebug.cli.printing import note
from selfdebug.cli.verbs import app

Model = Annotated[str, Option(help="For chat: a folder, a Hugging Face name, or a shipped model.")]
Adapter = Annotated[str, Option(help="A PEFT adapter on top of the model.")]
Backend = Annotated[str, Option(help="Of repairs.", show_default="the model, or search")]
Options = Annotated[
    list[str] | None,
    Option("--option", help="Of the model (or the backend), as NAME=VALUE; repeatable."),
]
Host = Annotated[str, Option(help="Address to listen to; any but this machine's needs a token.")]
Port = Annotated[int, Option(help="0: a free one.", min=0, max=65535)]
Token = Annotated[
    str,
    Option(help="That clients must send.", envvar="SELFDEBUG_TOKEN", show_envvar=True),
]
Seconds = Annotated[float, Option(help="That a request may take.", min=1)]
AtOnce = Annotated[int, Option(help="Chats at a time; twice as many may wait.", min=1, max=256)]
MaxTokens = Annotated[int, Option(help="Of one reply, whatever is asked for.", min=1)]
Root = Annotated[Path, Option(help="The only folder whose files may be named.")]


@app.command()
def serve(  # noqa: PLR0917 - a verb's parameters are its options; only typer calls it
    model: Model = "",
    adapter: Adapter = "",
    backend: Backend = "",
    option: Options = None,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    token: Token = "",
    seconds: Seconds = 300.0,
    at_once: AtOnce = 32,
    max_tokens: MaxTokens = 4096,
    allow_unsafe: o.Unsafe = False,
) -> None:
    """Serve a model to OpenAI clients, and repairs, over HTTP.

    /v1/chat/completions needs a model; /repair mends by search without one. See docs/serving.md.
    """
    from selfdebug.interfaces.serving import Serving, Settings
    from selfdebug.sandbox import Sandbox

    settings = Settings(
        model, adapter, backend, option or [], host, port, token, seconds, at_once, max_tokens
    )
    with Sandbox(allow_unsafe=allow_unsafe) as sandbox:
        Serving(settings, sandbox).run_until_signal(note)


@app.command("mcp")
def mcp_(root: Root = Path(), allow_unsafe: o.Unsafe = False) -> None:
    """Offer run_tests, explain and repair to an MCP client, over stdin and stdout.

    Files inside --root can be named, and nothing is ever written. See docs/serving.md.
    """
    from selfdebug.interfaces.mcp_server import serve

    serve(root, allow_unsafe=allow_unsafe)
