"""The compatibility path of JavaScript: a node process for one program, instead of QuickJS.

It says which failures are QuickJS's and not the program's, and turns a hardened child into node.
It costs 50 ms a program, so it is for the few that need it.

    python -c "from selfdebug.sandbox.javascript_node import node; print(node())"
"""

from __future__ import annotations

import os
import re
import signal
from functools import cache
from typing import NoReturn

_JS = os.path.join(os.path.dirname(__file__), "js")
_STACK_KB = 980

# What of node the QuickJS prelude does not have.
_GLOBALS = re.compile(
    r"(AbortController|AbortSignal|Blob|BroadcastChannel|Buffer|CompressionStream|CustomEvent"
    r"|Event|EventTarget|FormData|Headers|Intl|MessageChannel|ReadableStream|Request|Response"
    r"|TextDecoderStream|TransformStream|URL|URLSearchParams|WebAssembly|WritableStream|crypto"
    r"|fetch|navigator) is not defined"
)
_MODULES = re.compile(
    r"Cannot find module '(node:)?(async_hooks|buffer|child_process|crypto|dns|fs|http|https|lodash"
    r"|module|net|os|path|perf_hooks|punycode|querystring|stream|string_decoder|timers|tty|url|util"
    r"|v8|vm|worker_threads|zlib)['/]"
)
# What this engine's regular expressions lack.
_PATTERN = re.compile(r"SyntaxError: .*(regular expression|invalid group|too many captures)")


def needs_node(message: str) -> bool:
    """Whether "Type: message" of a program's error under QuickJS may come from what that lacks."""
    return any(pattern.search(message) for pattern in (_GLOBALS, _MODULES, _PATTERN))


@cache
def node() -> str:
    """Return the path of node, "" where there is none."""
    import shutil  # with the compressors it brings it would make each fork of a program dearer

    found = shutil.which("node")
    return os.path.realpath(found) if found else ""


def node_command(executable: str, channel: int, memory_bytes: int) -> list[str]:
    """Return the command that serves the harness's frames on a file descriptor."""
    heap = f"--max-old-space-size={memory_bytes >> 20}"
    stack = f"--stack-size={_STACK_KB}"
    return [
        executable,
        "--no-warnings",
        heap,
        stack,
        os.path.join(_JS, "node_runner.js"),
        str(channel),
    ]


def read_paths(executable: str) -> tuple[str, ...]:
    """Return what node must be able to read besides what Python does; nothing without a node."""
    return (executable, _JS) if executable else ()


def become(executable: str, channel: int, memory_bytes: int) -> NoReturn:
    """Replace this process by node; from here on `js/node_runner.js` speaks on the channel."""
    os.set_inheritable(channel, True)
    signal.setitimer(signal.ITIMER_PROF, 0)  # it would outlive the exec, and its handler would not
    work = os.getcwd()
    environment = {"HOME": work, "TMPDIR": work, "PATH": "/usr/bin:/bin", "NO_COLOR": "1"}
    os.execve(executable, node_command(executable, channel, memory_bytes), environment)
