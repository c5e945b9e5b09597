"""The verb for continuous integration: a report of tests in, explanations and repairs out.

selfdebug ci report.xml --sarif out.sarif
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from selfdebug.cli import options as o
from selfdebug.cli.printing import NO, YES, note, say, waiting
from selfdebug.cli.verbs import app

Report = Annotated[Path, Argument(help="JUnit XML of pytest --junitxml, or of node.")]
Root = Annotated[Path, Option(help="The project's folder, which the report's names are from.")]
Sarif = Annotated[Path | None, Option(help="Write SARIF 2.1.0 with the repairs as fixes.")]
Junit = Annotated[Path | None, Option(help="Write the report again, with the explanations.")]
Seconds = Annotated[float, Option(help="To look for one test's repair.", min=1)]
TotalSeconds = Annotated[float, Option(help="To look for all repairs.", min=1)]


@app.command()
def ci(
    report: Report,
    root: Root = Path(),
    sarif: Sarif = None,
    junit: Junit = None,
    apply: o.Apply = False,
    force: o.Force = False,
    backend: o.Backend = "search",
    option: o.BackendOptions = None,
    plugin: o.PytestPlugins = None,
    seconds: Seconds = 60,
    total_seconds: TotalSeconds = 600,
    allow_unsafe: o.Unsafe = False,
) -> None:
    """Explain and mend what a JUnit report says has failed.

    Exits 0 when every failing test passes with the changes shown (or none failed), 1 when not.
    """
    from selfdebug.interfaces import answers, ci
    from selfdebug.interfaces.mend import Settings

    settings = Settings(
        backend, tuple(option or ()), tuple(plugin or ()), seconds, total_seconds, apply, force,
        allow_unsafe,
    )  # fmt: skip
    with waiting(f"mending what {report} says has failed"):
        answer = ci.mend_report(report, root, settings, note, sarif=sarif, junit=junit)
    for line in answers.lines_of(answer, "--apply", "--force"):
        say(line)
    raise typer.Exit(NO if answer.not_mended else YES)
