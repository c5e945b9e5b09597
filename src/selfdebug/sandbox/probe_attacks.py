"""The attacks that the probes make: each returns when it succeeds, and raises OSError if blocked.

One that succeeds does no harm: a signal that changes nothing, a read, an empty file. Outside the
sandbox they succeed (a test holds it), so a blocked one says something.

    python -m selfdebug.sandbox.probes
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import importlib
import mmap
import os
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from selfdebug.sandbox.isolation import Policy
from selfdebug.sandbox.linux import MACHINE, prctl, syscall


class Targets(NamedTuple):
    """What the attacks are after, all of it the harness's own."""

    pid: int
    fd: int
    tcp: tuple[str, int]
    udp: tuple[str, int]
    abstract: str
    folder: str  # holds a file "secret"
    work_dir: str  # the one place where writing is granted
    home_file: str
    policy: Policy


_X86 = MACHINE == "x86_64"
Attack = Callable[[Targets], object]


def _connect_tcp(targets: Targets) -> None:
    with socket.socket() as client:
        client.settimeout(1.0)
        client.connect(targets.tcp)


def _send_udp(targets: Targets) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.sendto(b"answer", targets.udp)


def _connect_abstract(targets: Targets) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(targets.abstract)


def _read_outside(targets: Targets) -> None:
    _any(
        lambda: open(f"{targets.folder}/secret").close(),
        lambda: open("/etc/passwd").close(),
        lambda: open(targets.home_file).close(),
    )


def _write_outside(targets: Targets) -> None:
    def leave(directory: str) -> None:
        path = f"{directory}/selfdebug-probe-{targets.pid}-{os.getpid()}"
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        os.unlink(path)

    places = (targets.folder, "/tmp", "/dev/shm", "/var/tmp", "/")
    _any(*(partial(leave, place) for place in places))


def _change_modes(targets: Targets) -> None:
    path = f"{targets.folder}/secret"
    before = os.stat(path).st_mode
    os.chmod(path, before ^ 0o111)
    if os.stat(path).st_mode == before:
        raise PermissionError("nothing was changed")


def _read_environment(_: Targets) -> None:
    ours = {"PYTHONHASHSEED", "PYTHONUTF8", "PATH", "LC_CTYPE"}
    _found(set(os.environ) - ours)


def _use_open_file(targets: Targets) -> None:
    os.fstat(targets.fd)


def _list_processes(_: Targets) -> None:
    _found({name for name in os.listdir("/proc") if name.isdigit()} - {str(os.getpid())})


def _fork(_: Targets) -> None:
    clone3 = struct.pack("=11Q", 0, 0, 0, 0, signal.SIGCHLD, *[0] * 6)
    buffer = ctypes.create_string_buffer(clone3, len(clone3))

    def forked(child: int) -> None:
        if child == 0:
            os._exit(0)

    _any(
        lambda: forked(os.fork()),
        lambda: forked(syscall("clone", signal.SIGCHLD)),
        lambda: forked(syscall("clone3", ctypes.addressof(buffer), len(clone3))),
    )


def _execute(_: Targets) -> None:
    _any(
        lambda: os.execv("/bin/true", ["true"]),
        lambda: os.execv(sys.executable, [sys.executable, "-c", ""]),
    )


def _signal_others(targets: Targets) -> None:
    parent = os.getppid()
    _any(
        lambda: os.kill(targets.pid, signal.SIGCONT),
        lambda: os.kill(parent, signal.SIGCONT),
        lambda: os.killpg(os.getpgid(parent), signal.SIGCONT),
        lambda: syscall("tgkill", parent, parent, signal.SIGCONT),
        lambda: fcntl.fcntl(fcntl.F_GETFD, fcntl.F_SETOWN, parent),
    )


def _touch_memory(targets: Targets) -> None:
    def read(pid: int) -> None:
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            memory.seek(id(targets))
            memory.read(1)

    def copy(pid: int) -> None:
        local = ctypes.create_string_buffer(8)
        vectors = struct.pack("=4Q", ctypes.addressof(local), 8, id(targets), 8)
        buffer = ctypes.create_string_buffer(vectors)
        at = ctypes.addressof(buffer)
        syscall("process_vm_readv", pid, at, 1, at + 16, 1)

    pids = os.getppid(), targets.pid
    _any(*(partial(attempt, pid) for attempt in (read, copy) for pid in pids))


def _trace_others(targets: Targets) -> None:
    seize = 0x4206
    _any(*(partial(syscall, "ptrace", seize, pid) for pid in (os.getppid(), targets.pid)))


def _change_others_limits(targets: Targets) -> None:
    limit = ctypes.create_string_buffer(16)
    at = ctypes.addressof(limit)
    fsize = 1
    _any(*(partial(syscall, "prlimit64", p, fsize, 0, at) for p in (os.getppid(), targets.pid)))


def _use_memory(targets: Targets) -> None:
    size = targets.policy.memory_bytes
    _any(lambda: mmap.mmap(-1, size).close(), lambda: len(bytearray(size)))


def _raise_limits(targets: Targets) -> None:
    new = ctypes.create_string_buffer(struct.pack("=2Q", *[2 * targets.policy.memory_bytes] * 2))
    address_space = 9
    syscall("prlimit64", 0, address_space, ctypes.addressof(new), 0)


def _write_much(targets: Targets) -> None:
    with open(f"{targets.work_dir}/large", "wb") as file:
        file.truncate(targets.policy.output_bytes + 1)


def _outlive_the_harness(_: Targets) -> None:
    set_death_signal = 1
    prctl(set_death_signal, 0)


def _call_x32(_: Targets) -> None:
    _returned(ctypes.CDLL(None).syscall(0x40000000 | 39))  # getpid


def _call_32_bit(_: Targets) -> None:
    code = b"\xb8\x14\x00\x00\x00\xcd\x80\xc3"  # mov eax, 20 (getpid); int 0x80; ret
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    at = ctypes.addressof(ctypes.c_char.from_buffer(page))
    _returned(ctypes.CFUNCTYPE(ctypes.c_int)(at)())


def _any(*attempts: Callable[[], object]) -> None:
    """Succeed with the first attempt that does; else raise the last one's error."""
    last: OSError | MemoryError = OSError("nothing was attempted")
    for attempt in attempts:
        try:
            attempt()
        except (OSError, MemoryError) as error:
            last = error
        else:
            return
    raise last


def _found(things: set[str]) -> None:
    if not things:
        raise FileNotFoundError("there is nothing to see")


def _returned(value: int) -> None:
    if value < 0:
        raise OSError(errno.ENOSYS, "the kernel does not have it")


def _reach_kernel(_: Targets) -> str:
    """Make calls that the kernel, if reached, answers with an error of its own; name those."""
    reached: list[str] = []
    last = OSError()
    for name in _REFUSED_CALLS.split():
        arguments = {"unshare": (0x10000000,)}.get(name, (-1,) * 6)
        try:
            syscall(name, *arguments)
        except OSError as error:
            last = error
            if error.errno in {errno.EPERM, errno.ENOSYS}:
                continue
        reached.append(name)
    if not reached:
        raise last
    return "reached " + ", ".join(reached)


_REFUSED_CALLS = """
bpf connect io_uring_setup keyctl memfd_create mount open_by_handle_at perf_event_open pidfd_open
ptrace setns shmget socket tkill unshare userfaultfd
"""

ATTACKS: dict[str, Attack] = {
    "TCP": _connect_tcp,
    "UDP": _send_udp,
    "abstract sockets": _connect_abstract,
    "reading outside": _read_outside,
    "writing outside": _write_outside,
    "modes of files": _change_modes,
    "environment": _read_environment,
    "open files": _use_open_file,
    "other processes": _list_processes,
    "fork": _fork,
    "exec": _execute,
    "signals": _signal_others,
    "memory of others": _touch_memory,
    "tracing": _trace_others,
    "limits of others": _change_others_limits,
    "memory limit": _use_memory,
    "lifting limits": _raise_limits,
    "file size limit": _write_much,
    "death with the harness": _outlive_the_harness,
    "system calls": _reach_kernel,
    **({"x32 system calls": _call_x32, "32-bit system calls": _call_32_bit} if _X86 else {}),
}


def honest_work(targets: Targets) -> str:
    """Do what every honest program may: import, use the work folder, run threads, make a pipe."""
    importlib.import_module("decimal")
    importlib.import_module("wave")  # nothing has it loaded: it comes from the disk
    path = os.path.join(targets.work_dir, "scratch")
    with open(path, "w") as file:
        file.write("text")
    os.unlink(path)
    thread = threading.Thread(target=os.getpid)
    thread.start()
    thread.join()
    socket.socketpair()[0].close()
    return "done"
