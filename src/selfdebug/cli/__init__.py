"""The command line: the verbs, and one line for whatever goes wrong.

Exit codes, for every verb: 0 yes, 1 no, 2 wrong input, 3 a fault of the harness, 130 interrupted.
Only this package prints. Nothing heavy is imported before a verb runs, so `--help` answers at once.

    selfdebug --help
"""

import os
import sys

from selfdebug.cli.printing import BAD_INPUT, HARNESS_FAULT, INTERRUPTED, complain
from selfdebug.cli.verbs import app
from selfdebug.types import SelfdebugError

__all__ = ["app", "main"]

_AGAIN = "interrupted; `eval` goes on where it was when the same command is run again"


def main() -> None:
    """Run the command line; whatever goes wrong, a person reads one line and no traceback."""
    try:
        app(prog_name="selfdebug")
    except SelfdebugError as error:
        sys.exit(complain(BAD_INPUT, str(error)))
    except KeyboardInterrupt:  # before a verb ran; within one, typer makes it a SystemExit
        sys.exit(complain(INTERRUPTED, _AGAIN))
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            complain(INTERRUPTED, _AGAIN)
        raise
    except Exception as error:  # a fault of ours, and a person has no use for our traceback
        if os.environ.get("SELFDEBUG_TRACEBACK"):
            raise
        hint = "SELFDEBUG_TRACEBACK=1 shows where"
        sys.exit(complain(HARNESS_FAULT, f"internal fault: {error!r} ({hint})"))
