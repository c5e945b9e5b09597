"""The process of one run: reads one request, mends one text, writes what it finds, and ends.

One line of JSON comes in; a finding, as one line, goes out whenever more is known. When the input
is closed it ends at once, wherever it is, and takes its scratch folder along: so a run is stopped,
and so it ends when the server has died.

    python -m selfdebug.interfaces.lsp.child < request.json
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from selfdebug import usertests
from selfdebug.interfaces.fix import fix
from selfdebug.interfaces.fixresult import FixResult
from selfdebug.interfaces.lsp import finding
from selfdebug.interfaces.lsp.finding import Finding
from selfdebug.sourcefile import unsaved
from selfdebug.types import SelfdebugError

STOPPED = 130


def main() -> None:
    """Serve the one request."""
    request: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    tempfile.tempdir = request.pop("scratch")
    threading.Thread(target=_end_with_the_input, args=[tempfile.tempdir], daemon=True).start()
    try:
        _mend(**request)
    except SelfdebugError as error:
        _write(Finding("refused", str(error)))


def _mend(file: str, text: str, tests: str, **settings: Any) -> None:
    """Run the tests, look for a repair, and write a finding after each."""
    path, shown = Path(file), text.replace("\r\n", "\n")
    # Found here too, and not only by `fix`, so that the server knows which file to watch.
    source = unsaved(path, text)
    chosen = Path(tests) if tests or usertests.is_test(source) else usertests.find(source)
    where = str(Path(str(chosen).partition("::")[0]).resolve())

    def failing(known: FixResult) -> None:
        _write(finding.of(known, shown, where, ended=False))

    _write(finding.of(fix(path, chosen, text=text, on_failing=failing, **settings), shown, where))


def _write(found: Finding) -> None:
    sys.stdout.buffer.write(found.as_json().encode() + b"\n")
    sys.stdout.buffer.flush()


def _end_with_the_input(scratch: str) -> None:
    """End when the server closes the input, or has died. The sandbox dies with this process."""
    while os.read(sys.stdin.fileno(), 1 << 16):  # unbuffered: Python may end with it under way
        pass
    shutil.rmtree(scratch, ignore_errors=True)
    os._exit(STOPPED)


if __name__ == "__main__":
    main()
