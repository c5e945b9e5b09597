"""An MCP server: an assistant runs a file's tests, has failures explained, and is given a repair.

Only files inside one folder can be named, and none is ever written: what to do with a repair is
the assistant's and its user's concern. Tests run in the sandbox, one call at a time.

    selfdebug mcp --root .
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfdebug import __version__, sourcefile, usertests
from selfdebug.interfaces import verdicts
from selfdebug.interfaces.fix import fix
from selfdebug.interfaces.fixresult import FixResult
from selfdebug.sandbox import Sandbox
from selfdebug.types import SelfdebugError
from selfdebug.usertests import project

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

INSTRUCTIONS = (
    "Runs a Python or JavaScript file's own tests in a sandbox and repairs the file by search, "
    "without a model. Paths are relative to the root. Nothing is written: apply a repair yourself."
)


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools, for the files in `root`. Each raises SelfdebugError with what is wrong."""

    root: Path
    allow_unsafe: bool = False
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def run_tests(self, file: str, tests: str = "") -> dict[str, Any]:
        """Run a program's tests in the sandbox and say what each showed.

        file: the program under test. tests: its tests: a file, a folder or file::test; found by
        name if not given.
        """
        source, place, selected = self._named(file, tests)
        with self.one_at_a_time, project.opened(source.path, place) as where:
            asked = usertests.load(source, place, selected, where)
            with Sandbox(read_paths=asked.read_paths, allow_unsafe=self.allow_unsafe) as sandbox:
                verdict = sandbox.judge(asked.listed(sandbox), source.text)
        return {"summary": verdicts.summary(verdict), **verdicts.as_json(verdict)}

    def explain(self, file: str, tests: str = "") -> dict[str, Any]:
        """Explain why a program fails its tests, by the repair that makes them pass.

        file, tests: as in run_tests. Without such a repair, the failing tests tell. The repair
        itself is left out.
        """
        found = self._fixed(file, tests)
        return {
            "outcome": found.outcome,
            "summary": found.summary(),
            "explanation": found.explanation,
            "failing": [
                {"test": result.test_id, "said": verdicts.explain(result), "line": result.line}
                for result in (found.before.results if found.before else ())
                if result.status != "pass"
            ],
        }

    def repair(self, file: str, tests: str = "") -> dict[str, Any]:
        """Mend a program so that its tests pass, and return the change; nothing is written.

        file, tests: as in run_tests. outcome "fixed": all tests pass with `code`, the whole file.
        """
        found = self._fixed(file, tests)
        return {
            "outcome": found.outcome,
            "summary": found.summary(),
            "explanation": found.explanation,
            "diff": found.diff,
            "code": found.mended,
        }

    def _fixed(self, file: str, tests: str) -> FixResult:
        source, place, selected = self._named(file, tests)
        node = Path(f"{place}::{selected}") if selected else place
        with self.one_at_a_time:
            return fix(source.path, node, allow_unsafe=self.allow_unsafe)

    def _named(self, file: str, tests: str) -> tuple[sourcefile.SourceFile, Path, str]:
        """Return the program, its tests' path and the rest of a node id, all inside the root."""
        source = sourcefile.read(self._inside(file))
        name, _, selected = tests.partition("::")
        place = self._inside(name) if name else usertests.find(source)
        if not place.exists():
            raise SelfdebugError(f"there are no tests {name}")
        above = project.root_of(source.path, place)
        if not above.is_relative_to(self.root.resolve()):
            raise SelfdebugError(f"{file} belongs to the project {above}: make that the --root")
        return source, place, selected

    def _inside(self, name: str) -> Path:
        """Return a path below the root; links are followed before it is compared."""
        root = self.root.resolve()
        try:
            path = (root / name).resolve()
        except (OSError, ValueError, RuntimeError) as error:  # a null byte, a loop of links
            raise SelfdebugError(f"{name!r} is no path: {error}") from error
        if not path.is_relative_to(root):
            raise SelfdebugError(f"{name!r} is outside of {root}, the only folder to read from")
        return path


def server(tools: Tools) -> MCPServer[Any]:
    """Return the server. Raises SelfdebugError when the extra `mcp` is not installed."""
    if find_spec("mcp") is None:
        raise SelfdebugError("mcp needs the package mcp: pip install 'selfdebug[mcp]'")
    from mcp.server.mcpserver import MCPServer
    from mcp.types import ToolAnnotations

    made: MCPServer[Any] = MCPServer(
        "selfdebug", version=__version__, instructions=INSTRUCTIONS, log_level="ERROR"
    )
    reads = ToolAnnotations(read_only_hint=True, open_world_hint=False)
    for tool in (tools.run_tests, tools.explain, tools.repair):
        made.tool(annotations=reads)(_told(tool))
    return made


def serve(root: Path, *, allow_unsafe: bool = False) -> None:
    """Serve over standard input and output until the client ends."""
    if not root.is_dir():
        raise SelfdebugError(f"--root {root}: there is no such folder")
    server(Tools(root, allow_unsafe)).run("stdio")


def _told(tool: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return the tool with what is wrong told to the client, who can put it right."""
    from mcp.server.mcpserver.exceptions import ToolError

    @wraps(tool)
    def told(*args: Any, **kwargs: Any) -> dict[str, Any]:
        try:
            return tool(*args, **kwargs)
        except SelfdebugError as error:
            raise ToolError(str(error)) from error

    return told
