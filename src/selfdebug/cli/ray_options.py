"""The options of a run on a Ray cluster.

selfdebug eval --help
"""

from __future__ import annotations

from typing import Annotated

from typer import Option

Address = Annotated[
    str,
    Option("--ray", help='Run on a Ray cluster: "local", "auto", HOST:PORT or ray://HOST:PORT.'),
]
Writers = Annotated[
    int,
    Option(
        "--ray-writers",
        help="Copies of the backend there; --jobs counts for each.",
        min=0,
        show_default="one a GPU, or without any a core",
    ),
]
