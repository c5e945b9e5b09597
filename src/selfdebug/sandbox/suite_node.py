"""Turns the hardened child into node, which runs the user's JavaScript tests and reports them.

The process is replaced: from here on `js/suite_node.js` speaks on the channel. Needs the "node"
profile, which lets this one exec through.

    python -m pytest tests/test_suite.py
"""

from __future__ import annotations

import json
import os
import signal
import stat
from pathlib import Path
from typing import Any, NoReturn

JS = Path(__file__).parent / "js"


def become(message: dict[str, Any]) -> NoReturn:
    """Replace this process by node; its script is told everything by a file in the work folder."""
    suite = message["suite"]
    work = os.getcwd()
    order = os.path.join(work, "suite.json")
    with open(order, "w", encoding="utf-8") as file:
        json.dump(message, file)
    channel = _channel()
    os.set_inheritable(channel, True)
    signal.setitimer(signal.ITIMER_PROF, 0)  # it would outlive the exec, and its handler would not
    arguments = [
        suite["node"],
        "--no-warnings",
        f"--test-reporter={JS / 'suite_reporter.js'}",
        "--test-reporter-destination=stdout",
        str(JS / "suite_node.js"),
        str(channel),
        order,
    ]
    environment = {"HOME": work, "TMPDIR": work, "PATH": "/usr/bin:/bin", "NO_COLOR": "1"}
    os.chdir(suite["root"])
    os.execve(suite["node"], arguments, environment)


def _channel() -> int:
    """Find the one socket that hardening left open."""
    for fd in range(3, 256):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                return fd
        except OSError:
            continue
    raise OSError("the child has no channel to the judge")
