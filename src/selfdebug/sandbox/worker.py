"""One worker as the supervisor sees it: a judge process, its candidate zygote, and their wires.

It starts both by a fresh exec (a fork of a trainer with gigabytes of memory would cost 400 ms),
sends jobs, and kills everything when an answer does not come. It gives no verdict.

    python -m pytest tests/test_sandbox.py
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from selfdebug.sandbox import javascript_node
from selfdebug.sandbox.channel import Channel, Lost, Message
from selfdebug.sandbox.scratch import Scratch

_BOOT = (
    "import sys, json; settings = json.loads(sys.argv[1]); sys.path[:0] = settings['path'];"
    "from importlib import import_module;"
    "import_module('selfdebug.sandbox.' + settings['role']).main(settings)"
)
# -S: no site-packages. -s -P: nothing of the user's, nothing of the working folder. Not -I, which
# would ignore the two variables below; the environment is otherwise empty.
_FLAGS = ("-S", "-s", "-P", "-B")
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "PATH": "/usr/bin:/bin"}


class WorkerFault(Exception):
    """The worker died or did not answer in time."""


class Worker:
    """A judge and a zygote, replaced together."""

    def __init__(self, tier: str, read_paths: tuple[str, ...] = ()) -> None:
        self._tier = tier
        self._read_paths = (*read_paths, *javascript_node.read_paths(javascript_node.node()))
        self._start()

    def run(self, job: Message, spec: Message, timeout: float) -> Message:
        """Return the judge's answer to a job. Raises WorkerFault after killing the pair."""
        try:
            self._channel.limit(timeout)
            self._channel.send(job)
            answer = self._channel.receive()
            if "need" in answer:
                self._channel.send({**job, "spec": spec})
                answer = self._channel.receive()
        except Lost as lost:
            raise WorkerFault(self._restart(lost.reason)) from lost
        if answer.get("broken"):
            raise WorkerFault(self._restart("broken"))
        return answer

    def close(self) -> None:
        """Kill both processes and remove their folder."""
        self._channel.close()
        for process in self._processes:
            process.kill()
            process.wait()
        self._log.close()
        self._scratch.close()

    def _restart(self, reason: str) -> str:
        text = self._last_words()
        self.close()
        self._start()
        return f"a sandbox worker was replaced ({reason}){': ' + text if text else ''}"

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:300] if lines else ""

    def _start(self) -> None:
        self._scratch = Scratch()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        ours, theirs = socket.socketpair()
        judge_end, zygote_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, judge_end, zygote_end:
            self._processes = [
                self._exec("zygote", [zygote_end], {"control_fd": zygote_end.fileno()}),
                self._exec(
                    "judge",
                    [judge_end, theirs],
                    {"control_fd": judge_end.fileno(), "supervisor_fd": theirs.fileno()},
                ),
            ]
        self._channel = Channel(ours)

    def _exec(
        self, role: str, sockets: list[socket.socket], settings: dict[str, Any]
    ) -> subprocess.Popen[bytes]:
        work_dir = self._scratch.path / role
        work_dir.mkdir()
        os.chmod(work_dir, 0o777)
        settings |= {
            "role": role,
            "tier": self._tier,
            "work_dir": str(work_dir),
            "read_paths": self._read_paths,
            "path": _path(),
            "node": javascript_node.node(),
        }
        return subprocess.Popen(
            [sys.executable, *_FLAGS, "-c", _BOOT, json.dumps(settings)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=_ENVIRONMENT,
            cwd="/",
            pass_fds=[s.fileno() for s in sockets],
        )


@cache
def _path() -> list[str]:
    """Where the worker finds this package, and the JavaScript engine where it is installed."""
    import importlib.util

    found = [str(Path(__file__).parents[2])]
    engine = importlib.util.find_spec("_quickjs")
    if engine is not None and engine.origin is not None:
        found.append(str(Path(engine.origin).parent))
    return found
