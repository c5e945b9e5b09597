"""What a static analyser finds in a program's text. The text is analysed, never run.

It uses what is installed, offline and without any project's configuration, and installs nothing.

    python -c "from selfdebug.feedback.static import TOOLS; print(TOOLS)"
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from selfdebug.feedback.failing_test import cap, line_of
from selfdebug.types import Language, SelfdebugError, Task

FINDINGS = 5
TOOL_SECONDS = 20


class Finding(NamedTuple):
    """What a tool says about one line of the text it read."""

    line: int
    message: str


class Tool(NamedTuple):
    """A static analyser that reads a program from stdin, and how to read what it prints."""

    name: str
    arguments: str
    read: Callable[[str], Iterator[Finding]]
    finds: str = "mistake"


def _read_lines(output: str) -> Iterator[Finding]:
    """Read `12: message`, `file:12:3: message` and node's `[stdin]:12 ... SyntaxError: message`."""
    for found in re.finditer(r"^(?:[^\s:]+:)?(\d+):(?:\d+:)? (.+)$", output, re.M):
        yield Finding(int(found[1]), found[2])
    if found := re.match(r"(?s)\[stdin\]:(\d+)\n.*?^(\w*Error: [^\n]+)", output, re.M):
        yield Finding(int(found[1]), found[2])


def _read_eslint(output: str) -> Iterator[Finding]:
    if output.startswith("["):  # and not its complaint about an option
        for message in json.loads(output)[0]["messages"]:
            yield Finding(message["line"], message["message"])


ESLINT_RULES = (
    "array-callback-return no-cond-assign no-const-assign no-constant-condition no-dupe-else-if "
    "no-dupe-keys no-fallthrough no-loss-of-precision no-redeclare no-self-assign no-self-compare "
    "no-sparse-arrays no-undef no-unreachable no-unused-expressions no-use-before-define "
    "use-isnan valid-typeof eqeqeq"
)
# Tools that look for mistakes, not for style; the first of a language that is installed is used.
TOOLS: dict[Language, tuple[Tool, ...]] = {
    "python": (
        Tool(
            "ruff",
            "check --isolated --no-cache --quiet --output-format=concise "
            "--select=E9,E711,E712,F,B,PLE --stdin-filename=candidate.py -",
            _read_lines,
        ),
        Tool(
            "pylint",
            "--from-stdin candidate.py --rcfile=/dev/null --persistent=n --score=n --disable=C,R "
            "--msg-template={line}:\\ {msg}",
            _read_lines,
        ),
    ),
    "javascript": (
        Tool(
            "eslint",
            "--stdin --no-config-lookup --format=json --global=console,require,module "
            f"--rule={','.join(f'{rule}:2' for rule in ESLINT_RULES.split())}",
            _read_eslint,
        ),
        Tool("node", "--check -", _read_lines, "syntax error"),
    ),
}


def static(task: Task, code: str) -> str:
    """Return what a static analyser finds in the program's text; the text alone, never run."""
    tool, command = _tool(task.language)
    before = task.prelude.rstrip("\n") + "\n" if task.prelude else ""
    try:
        done = subprocess.run(
            [command, *shlex.split(tool.arguments)],
            input=before + code,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TOOL_SECONDS,
            cwd="/",  # away from the configuration of wherever we were started
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"Static analysis ({tool.name}) does not end on this program."
    printed = done.stdout or done.stderr
    offset = before.count("\n")
    found = list(tool.read(printed))
    told = [
        f"Line {line - offset}: {cap(message)}\n    {line_of(code, line - offset).strip()}".rstrip()
        for line, message in found
        if line > offset
    ]
    if told:
        return "\n".join([f"Static analysis ({tool.name}) says:", *told[:FINDINGS]])
    first = printed.strip().partition("\n")[0]
    if done.returncode and not found:  # it failed itself, which must not read as praise
        return f"Static analysis ({tool.name}) fails: {cap(first)}"
    return f"Static analysis ({tool.name}) finds no {tool.finds}."


@cache
def _tool(language: Language) -> tuple[Tool, str]:
    beside = Path(sys.executable).parent  # of a virtual environment that is not activated
    for tool in TOOLS[language]:
        if command := shutil.which(tool.name) or shutil.which(tool.name, path=str(beside)):
            return tool, command
    hint = "pip install 'selfdebug[static]'" if language == "python" else "install node or eslint"
    raise SelfdebugError(f"static feedback for {language} needs an analyser: {hint}")
