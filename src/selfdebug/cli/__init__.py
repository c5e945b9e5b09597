"""The command line: the verbs, and one line for whatever goes wrong.

Exit codes, for every verb: 0 yes, 1 no, 2 wrong input, 3 a fault of the harness, 130 interrupted.
Only this package prints. Nothing heavy is imported before a verb runs, so `--help` answers at once.

    selfdebug --help
"""

import os
import sys
from importlib import import_module
from typing import Any

INTERRUPTED = 130
# Files that add their verbs to the application.
VERBS = (
    "verbs",
    "measuring",
    "bundling",
    "ci",
    "editor",
    "playground",
    "publishing",
    "rl",
    "serving",
)


def main() -> None:
    """Run the command line; whatever goes wrong, a person reads one line and no traceback."""
    try:
        _run()
    except KeyboardInterrupt:  # before a verb runs; in one, typer makes a SystemExit of it
        sys.exit(_interrupted())
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            _interrupted()
        raise


def command_line() -> Any:
    """Return the typer application with every verb."""
    for name in VERBS:
        import_module(f"selfdebug.cli.{name}")
    from selfdebug.cli.verbs import app

    return app


def _run() -> None:
    from selfdebug.cli.printing import BAD_INPUT, HARNESS_FAULT, note
    from selfdebug.types import SelfdebugError

    try:
        command_line()(prog_name="selfdebug")
    except SelfdebugError as error:
        note(str(error))
        sys.exit(BAD_INPUT)
    except Exception as error:  # a fault of ours, and a person has no use for our traceback
        if os.environ.get("SELFDEBUG_TRACEBACK"):
            raise
        note(f"internal fault: {error!r} (SELFDEBUG_TRACEBACK=1 shows where)")
        sys.exit(HARNESS_FAULT)


def _interrupted() -> int:
    line = "interrupted; a run with a folder goes on when the same command is given again"
    print(f"selfdebug: {line}", file=sys.stderr)
    return INTERRUPTED
