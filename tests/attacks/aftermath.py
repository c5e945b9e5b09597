"""What must hold after an attack: a verdict that is no pass, a judge that lives, nothing left."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from python_attacks import MARK

from selfdebug.sandbox import Sandbox
from selfdebug.types import Limits, Task, Verdict

SLOW = pytest.mark.slow
LIMITS = Limits(cpu_seconds=0.5, wall_factor=3, output_bytes=8 << 20, memory_bytes=512 << 20)


def family() -> list[str]:
    """The names of this process's living descendants, without their zombies."""
    found: list[str] = []
    waiting = [os.getpid()]
    while waiting:
        pid = waiting.pop()
        with suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                children = Path(f"/proc/{pid}/task/{task}/children").read_text().split()
                waiting += map(int, children)
                found += children
    return sorted(found)


def leftovers() -> list[str]:
    """What carries the attackers' mark: files, processes, sockets."""
    folders = ["/", "/tmp", "/var/tmp", "/dev/shm", "/etc", str(Path.home()), os.getcwd()]
    for worker in entries("/tmp"):
        if worker.startswith("/tmp/selfdebug-"):
            folders += entries(worker)
    found = [path for folder in folders for path in entries(folder) if MARK in path]
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text().strip() == MARK[:15]:
                found.append(f"process {pid}")
    found += [line for line in Path("/proc/net/unix").read_text().splitlines() if MARK in line]
    return found


def entries(folder: str) -> list[str]:
    """Paths in a folder; none if it is gone, or another's, or a file."""
    with suppress(OSError):
        return [os.path.join(folder, name) for name in os.listdir(folder)]
    return []


@contextmanager
def untouched() -> Iterator[int]:
    """Listen for TCP and UDP on loopback; give the port, and hold that nobody came."""
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(type=socket.SOCK_DGRAM) as udp,
    ):
        udp.bind(tcp.getsockname())
        tcp.settimeout(0.01)
        udp.settimeout(0.01)
        yield tcp.getsockname()[1]
        with pytest.raises(TimeoutError):
            tcp.accept()
        with pytest.raises(TimeoutError):
            udp.recv(9)


def assert_beaten(
    sandbox: Sandbox, task: Task, code: str, may_pass: Set[str] = frozenset()
) -> None:
    """Judge an attack on a task, and hold that it gained nothing and left nothing.

    No single test may pass; but may_pass, where the program does compute what they ask for.
    """
    before = family()
    verdict: Verdict = sandbox.judge(task, code)
    told = [(result.test_id, result.status, result.message) for result in verdict.results]
    assert {test_id for test_id, status, _ in told if status == "pass"} <= may_pass, told
    assert not verdict.passed, told
    # "unknown" would spare a failing program its verdict: no program may bring it about.
    assert not verdict.unknown, told
    assert len(verdict.results) == len(task.tests)
    assert not any("SystemError" in result.message for result in verdict.results), told
    assert sandbox.judge(task, task.reference).passed
    assert leftovers() == []
    assert len(family()) == len(before)
