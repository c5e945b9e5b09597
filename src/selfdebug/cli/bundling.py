"""The verb `bundle`: selfdebug for a machine without a network.

selfdebug bundle --help
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from selfdebug.cli.printing import NO, YES, note, say
from selfdebug.cli.verbs import app

Folder = Annotated[Path, typer.Argument(help="The bundle's folder; the same one resumes.")]
Extras = Annotated[
    list[str] | None, typer.Option("--extra", help="Of selfdebug, such as train; repeatable.")
]
Models = Annotated[list[Path] | None, typer.Option("--model", help="A model's folder; repeatable.")]
Data = Annotated[
    list[str] | None,
    typer.Option(help="A benchmark on this machine, or a .jsonl file; repeatable."),
]
Python = Annotated[
    str, typer.Option(help="Of the other machine, such as 3.12.", show_default="this one's")
]
Platform = Annotated[
    str, typer.Option(help="Such as manylinux_2_28_x86_64.", show_default="this machine's")
]
Verify = Annotated[bool, typer.Option("--verify", help="Only compare the files with their hashes.")]


@app.command()
def bundle(
    folder: Folder,
    extra: Extras = None,
    model: Models = None,
    data: Data = None,
    python: Python = "",
    platform: Platform = "",
    verify: Verify = False,
) -> None:
    """Fill a folder that installs where no network is.

    Wheels, models and data with their hashes, and an install.sh. Prints the digest of the list of
    hashes. --verify exits 1 and names each file that was changed, added or lost.
    """
    from selfdebug import bundle as bundles

    if verify:
        faults = bundles.verify(folder)
        for line in faults:
            note(f"{folder}: {line}")
        if faults:
            raise typer.Exit(NO)
        say(f"{folder} is whole: SHA256SUMS {bundles.digest(folder / bundles.SUMS)}")
        raise typer.Exit(YES)
    request = bundles.Request(
        tuple(extra or ()), tuple(map(str, model or ())), tuple(data or ()), python, platform
    )
    say(f"{folder} is whole: SHA256SUMS {bundles.make(folder, request)}")
