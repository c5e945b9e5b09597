"""No hostile Python program passes, escapes or leaves anything behind, and the judge lives on."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from python_attacks import ESCAPES, MARK, RIGHT, TASK, VERDICTS, escapes, verdict_attacks

import selfdebug
from conftest import python_command
from selfdebug.sandbox import Sandbox
from selfdebug.types import Limits, Verdict

SLOW = pytest.mark.slow
LIMITS = Limits(cpu_seconds=0.5, wall_factor=3, output_bytes=8 << 20, memory_bytes=512 << 20)


@pytest.fixture(
    scope="module", params=["A", pytest.param("B", marks=SLOW), pytest.param("C", marks=SLOW)]
)
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(workers=1, tier=request.param, limits=LIMITS) as box:
        assert box.judge(TASK, RIGHT).passed  # and with that all its processes run
        yield box


@pytest.fixture(scope="module")
def listener() -> Iterator[tuple[socket.socket, socket.socket]]:
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(type=socket.SOCK_DGRAM) as udp,
    ):
        udp.bind(tcp.getsockname())
        tcp.settimeout(0.01)
        udp.settimeout(0.01)
        yield tcp, udp


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


def assert_beaten(sandbox: Sandbox, verdict: Verdict, before: list[str]) -> None:
    told = [(result.test_id, result.status, result.message) for result in verdict.results]
    assert not verdict.passed, told
    # "unknown" would spare a failing program its verdict: no program may bring it about.
    assert not verdict.unknown, told
    assert len(verdict.results) == len(TASK.tests)
    assert not any(result.message.startswith("SystemError") for result in verdict.results), told
    assert sandbox.judge(TASK, RIGHT).passed
    assert leftovers() == []
    assert len(family()) == len(before)


@pytest.mark.parametrize("name", VERDICTS)
def test_no_attack_on_the_verdict_passes(sandbox: Sandbox, name: str) -> None:
    before = family()
    verdict = sandbox.judge(TASK, verdict_attacks()[name])
    assert_beaten(sandbox, verdict, before)


@pytest.mark.parametrize("name", ESCAPES)
def test_no_escape_succeeds(
    sandbox: Sandbox, listener: tuple[socket.socket, socket.socket], name: str
) -> None:
    tcp, udp = listener
    before = family()
    with socket.create_server(("127.0.0.1", 0)) as spare:
        own_port = spare.getsockname()[1]
    verdict = sandbox.judge(TASK, escapes(tcp.getsockname()[1], own_port)[name])
    assert_beaten(sandbox, verdict, before)
    with pytest.raises(TimeoutError):
        tcp.accept()
    with pytest.raises(TimeoutError):
        udp.recv(9)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", own_port), timeout=1)


def test_every_program_here_is_wrong_where_nothing_is_attacked() -> None:
    """The task's tests are met by the right program, so a pass above would be a false one."""
    assert len(verdict_attacks()) == len(VERDICTS) > 80
    for name, code in {**verdict_attacks(), **escapes(1, 2)}.items():
        assert "@" not in code.replace("@staticmethod", ""), name


def test_the_answers_are_nowhere_in_the_candidates_process(sandbox: Sandbox) -> None:
    code = """
import gc, sys
NEEDLES = [''.join(('isclose(', 'weigh')), ''.join(('"expec', 'ted"')), ''.join(('hid', 'den'))]
def strings():
    for thing in gc.get_objects():
        if isinstance(thing, dict) and thing is not globals():
            yield from (value for value in thing.values() if isinstance(value, str))
        if isinstance(thing, (list, tuple)) and thing is not NEEDLES:
            yield from (value for value in thing if isinstance(value, str))
    frame = sys._getframe()
    while frame is not None:
        if frame.f_globals is not globals():
            yield repr({**frame.f_globals, **frame.f_locals})
        frame = frame.f_back
def weigh(v, f):
    return sorted({needle for text in strings() for needle in NEEDLES if needle in text})
"""
    verdict = sandbox.judge(TASK, code, limits=Limits())
    assert verdict.results[0].got == "[]"
    planted = code.replace("def weigh", "HERE = ['isclose(weigh([1.5], 2), 3.0)']\ndef weigh")
    assert "isclose" in sandbox.judge(TASK, planted, limits=Limits()).results[0].got


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="already an ordinary user")
def test_the_same_holds_for_an_ordinary_user(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    paths = [str(Path(selfdebug.__file__).parents[1]), str(Path(pytest.__file__).parents[1])]
    done = subprocess.run(
        [*python_command("ordinary"), "-m", "pytest", "-p", "no:cacheprovider", "-m",
         "slow or not slow", "-k", "not ordinary", str(Path(__file__).parent)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(paths),
             "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(tmp_path)},
        cwd=Path(__file__).parents[2],
        stdout=sys.stderr,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0
