"""Runs as the server sees them: each is a process of its own, and stopping it is ending that.

So a run never blocks the server, and what it was doing in the sandbox is over as soon as nobody
waits for it any more. It knows nothing of the protocol.

    python -m pytest tests/test_lsp.py -k cancel
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from selfdebug.interfaces.lsp import finding
from selfdebug.interfaces.lsp.finding import Finding

_PATIENCE = 2.0  # seconds that a stopped run gets for tidying up
_MAX_LINE = 64 << 20  # bytes of a finding


@dataclass(frozen=True, slots=True)
class Settings:
    """What `selfdebug lsp` was started with; see `fix` for what each means."""

    backend: str = "search"
    options: Sequence[str] = ()
    plugins: Sequence[str] = ()
    max_iterations: int = 3
    allow_unsafe: bool = False


async def run(
    file: Path,
    text: str,
    tests: str,
    *,
    folder: Path,
    settings: Settings,
    on_failing: Callable[[Finding], None],
) -> Finding:
    """Mend `text`, which an editor holds of `file`, in a process that works in `folder`.

    tests: those to run, or "" for those that the names say. on_failing sees which tests fail,
    before a repair is looked for. When this is cancelled, the process and its sandbox end.
    """
    with tempfile.TemporaryDirectory(
        prefix="selfdebug-run-", ignore_cleanup_errors=True
    ) as scratch:
        os.chmod(scratch, 0o755)  # the sandbox runs under another user id
        name = str(file.relative_to(folder))
        request = {"file": name, "text": text, "tests": tests, "scratch": scratch}
        line = json.dumps({**request, **asdict(settings)}).encode() + b"\n"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "selfdebug.interfaces.lsp.child"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,  # ours is the editor's
            cwd=folder,
            limit=_MAX_LINE,
        )
        try:
            return await _followed(process, line, on_failing)
        finally:
            await asyncio.shield(_ended(process))


async def _followed(
    process: asyncio.subprocess.Process, request: bytes, on_failing: Callable[[Finding], None]
) -> Finding:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(request)
    while line := await process.stdout.readline():
        found = finding.from_json(line)
        if found.ended:
            return found
        on_failing(found)
    code = await process.wait()
    return Finding("unknown", f"the run ended by itself (exit code {code}): see the server's log")


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Stop the process; it ends by itself once its input is closed."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), _PATIENCE)
    except TimeoutError:
        process.kill()
        await process.wait()
