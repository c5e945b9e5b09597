"""The template: a process in which all is ready; it forks one sealed candidate a program.

It serves one kind of candidate (one language under one policy) and obeys the judge over the
zygote's control socket: "spawn" with the child's channel attached, "reap" with how it ended for
an answer. It never looks at a program, a value or a verdict.

    python -m pytest tests/test_sandbox.py
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import random
import signal
import socket
import time
from typing import Any

from selfdebug.sandbox import candidate, isolation, javascript_node, linux, seat
from selfdebug.sandbox.channel import Lost, Message

MAX_MESSAGE = 1 << 16  # bytes of an order
_PR_SET_CHILD_SUBREAPER = 36
_ANY_SECONDS = 1 << 30  # each order says how many

# libc's fork without Python's hooks, which saves each child 0.2 ms. This process has one thread,
# no logging and no lock, and the next program is to draw the same random numbers: the hooks have
# no work.
_fork = ctypes.PyDLL(None).fork


class Template:
    """Forks, watches and ends candidates of one kind, one at a time."""

    def __init__(self, control: socket.socket, kind: bytes, tier: str, work_dir: str) -> None:
        self._control = control
        self._kind = kind  # the first line of the orders that ask for it, byte for byte
        self._spawn: Message = json.loads(kind)
        self._tier = tier
        self._work_dir = work_dir
        self._child = 0
        self._cpu = seat.ANY
        policy: dict[str, Any] = self._spawn["policy"]
        policy["read_paths"] = tuple(policy["read_paths"])
        self._prepared = isolation.prepare(
            isolation.Policy(tier=tier, write_paths=(work_dir,), cpu_seconds=_ANY_SECONDS, **policy)
        )
        # What a candidate leaves behind shall be this process's to reap.
        linux.prctl(_PR_SET_CHILD_SUBREAPER, 1)
        isolation.confine(self._prepared)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it; the limit must kill
        self._server: candidate.Server | None = None
        if self._spawn["language"] != "node":
            self._server = candidate.Server(self._spawn["language"])
        random.seed(0)  # the same program should do the same again
        gc.collect()
        gc.freeze()  # so that a child's collector leaves the shared pages alone

    def run(self) -> None:
        """Obey until the judge hangs up or wants another kind, whose order is left unread."""
        while True:
            kind, _, rest = self._control.recv(MAX_MESSAGE, socket.MSG_PEEK).partition(b"\n")
            if kind == self._kind:
                seconds, cpu = rest.split()
                _, fds, _, _ = socket.recv_fds(self._control, MAX_MESSAGE, 2)
                self._sit(int(cpu))
                self._start_child(int(seconds), *fds)
                continue
            order: Message = json.loads(kind or b"{}")
            if order.get("op") != "reap":
                self._end_child()
                return
            self._control.recv(MAX_MESSAGE)
            answer = {"id": order["id"], **self._end_child(order["patience"])}
            self._control.send(json.dumps(answer).encode())

    def _sit(self, cpu: int) -> None:
        """Go where the judge is; candidates are forked where this process is."""
        if cpu not in (seat.ANY, self._cpu) and seat.move({cpu}):
            self._cpu = cpu

    def _start_child(self, cpu_seconds: int, channel: int, output: int) -> None:
        self._end_child()
        capped = min(cpu_seconds, self._prepared.cpu_seconds)
        prepared = self._prepared._replace(cpu_seconds=capped)
        self._child = _fork()
        if self._child == 0:
            self._become_candidate(prepared, channel, output)
        os.close(channel)
        os.close(output)

    def _become_candidate(self, prepared: isolation.Prepared, channel: int, output: int) -> None:
        try:
            os.dup2(output, 1)
            os.dup2(output, 2)
            isolation.seal(prepared, keep_fds=(0, 1, 2, channel))
            if self._server is None:
                memory = self._spawn["policy"]["memory_bytes"]
                javascript_node.become(self._spawn["node"], channel, memory)
            self._server.serve(socket.socket(fileno=channel))
        except Lost:
            pass  # the judge hung up: this program is done
        finally:  # whatever happens, this child must not return into the template's loop
            os._exit(0)

    def _end_child(self, patience: float = 0.0) -> Message:
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
