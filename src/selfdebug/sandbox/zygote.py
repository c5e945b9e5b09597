"""The candidate zygote: preloads what programs import, then forks one hardened child a program.

It obeys the judge over a control socket ("spawn" with the child's channel attached, "reap") and
reports how each child ended. It never looks at a program, a value or a verdict.

    python -m pytest tests/test_sandbox.py
"""

from __future__ import annotations

import ctypes
import gc
import importlib.util
import json
import os
import random
import signal
import socket
import time
from typing import Any

from selfdebug.sandbox import candidate, isolation, javascript_node
from selfdebug.sandbox.channel import Lost

MAX_MESSAGE = 1 << 16

# libc's fork without Python's hooks, which saves each child 0.2 ms. This process has one thread,
# no logging and no lock, and the child seeds its random numbers itself: the hooks have no work.
_fork = ctypes.PyDLL(None).fork

# What programs import most: loading it once here saves each child the milliseconds. Not threading:
# its at-fork hook costs each child 0.3 ms.
# fmt: off
PRELOAD = (
    "array", "bisect", "calendar", "cmath", "collections.abc", "contextlib", "copy", "csv",
    "dataclasses", "datetime", "decimal", "enum", "fractions", "functools", "hashlib", "heapq",
    "inspect", "io", "itertools", "json", "linecache", "math", "operator", "random", "re",
    "statistics", "string", "struct", "textwrap", "time", "traceback", "types", "typing",
    "unicodedata",
)
# fmt: on


class Zygote:
    """Forks, watches and ends candidates, one at a time."""

    def __init__(self, control: socket.socket, settings: dict[str, Any]) -> None:
        self._control = control
        self._tier = settings["tier"]
        self._work_dir = settings["work_dir"]
        self._prepared: dict[str, isolation.Prepared] = {}
        self._child = 0

    def run(self) -> None:
        """Obey the judge until it hangs up."""
        while True:
            data, fds, _, _ = socket.recv_fds(self._control, MAX_MESSAGE, 2)
            if not data:
                self._end_child()
                return
            message = json.loads(data)
            if message["op"] == "spawn":
                self._spawn(message, *fds)
            else:
                answer = {"id": message["id"], **self._end_child(message["patience"])}
                self._control.send(json.dumps(answer).encode())

    def _spawn(self, message: dict[str, Any], channel: int, output: int) -> None:
        self._end_child()
        if message["language"] == "suite":
            from selfdebug.sandbox import suite_candidate

            suite_candidate.warm(message["policy"]["read_paths"])
        if message["language"] == "javascript":
            from selfdebug.sandbox import javascript_candidate

            javascript_candidate.prepare()
        prepared = self._prepare(message["policy"])
        self._child = _fork()
        if self._child == 0:
            _become_child(message, channel, output, prepared)
        os.close(channel)
        os.close(output)

    def _end_child(self, patience: float = 0.0) -> dict[str, Any]:
        """Kill the child and all that it left; say how it had ended.

        patience: seconds that a child which has hung up gets for ending by itself.
        """
        if not self._child:
            return {"exit": None, "signal": 0}
        ended, status, usage = os.wait4(self._child, os.WNOHANG)
        deadline = time.monotonic() + patience
        while not ended and time.monotonic() < deadline:
            time.sleep(0.0005)
            ended, status, usage = os.wait4(self._child, os.WNOHANG)
        by_itself = ended != 0
        if not by_itself:
            os.kill(self._child, signal.SIGKILL)
            _, status, usage = os.wait4(self._child, 0)
        isolation.kill_all(self._tier)
        isolation.wipe(self._work_dir)
        self._child = 0
        return {
            "exit": os.WEXITSTATUS(status) if by_itself and os.WIFEXITED(status) else None,
            "signal": os.WTERMSIG(status) if by_itself and os.WIFSIGNALED(status) else 0,
            "cpu": usage.ru_utime + usage.ru_stime,
            "peak_bytes": usage.ru_maxrss * 1024,
        }

    def _prepare(self, policy: dict[str, Any]) -> isolation.Prepared:
        key = json.dumps(policy, sort_keys=True)
        if key not in self._prepared:
            reads = tuple(policy.pop("read_paths"))
            self._prepared[key] = isolation.prepare(
                isolation.Policy(
                    tier=self._tier, read_paths=reads, write_paths=(self._work_dir,), **policy
                )
            )
        return self._prepared[key]


def _become_child(
    message: dict[str, Any], channel: int, output: int, prepared: isolation.Prepared
) -> None:
    try:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it; the limit must kill
        for stream in (1, 2):
            os.dup2(output, stream)
        isolation.harden(prepared, keep_fds=(0, 1, 2, channel))
        if message["language"] == "node":
            javascript_node.become(message["node"], channel, message["policy"]["memory_bytes"])
        random.seed(0)  # a fork draws a new seed; the same program should do the same again
        candidate.serve(socket.socket(fileno=channel), message["language"])
    except Lost:
        pass  # the judge hung up: this program is done
    finally:  # whatever happens, this child must not return into the zygote's loop
        os._exit(0)


def main(settings: dict[str, Any]) -> None:
    """Enter the namespaces, preload, serve."""
    control = socket.socket(fileno=settings["control_fd"])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's to answer
    if importlib.util.find_spec("_quickjs") is not None:
        importlib.import_module("_quickjs")  # while site-packages can still be seen
    isolation.enter_worker(settings["tier"], settings["work_dir"], tuple(settings["read_paths"]))
    os.chdir(settings["work_dir"])
    for name in PRELOAD:
        importlib.import_module(name)
    time.strptime("2000", "%Y")  # imports _strptime, which it otherwise does on first use
    gc.collect()
    gc.freeze()  # so that a child's collector leaves the shared pages alone
    Zygote(control, settings).run()
