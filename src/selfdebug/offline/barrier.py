"""The kernel's part of --offline: whatever runs below can reach this machine alone.

A seccomp filter refuses raw and exotic sockets and io_uring, and asks about each call that names
an address: it cannot read one, so a supervisor, the process that started this one, reads it and
answers. It needs no privilege and no namespace, and so a server on 127.0.0.1 stays in reach. It is
made against accidents: a program that changes an address while it is being judged gets through,
and only the sandbox is made to hold such programs. Linux 5.9 or newer; x86_64 and aarch64.

    selfdebug --offline doctor
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import SimpleQueue
from typing import NamedTuple, NoReturn

from selfdebug.offline import is_loopback
from selfdebug.sandbox.linux import MACHINE, NUMBERS, prctl, syscall

Report = Callable[[str], None]

# The kernel's names for these are in linux/seccomp.h, linux/audit.h and linux/bpf_common.h.
_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}.get(MACHINE, 0)
_LOAD, _AND, _JEQ, _JGE, _JSET, _RET = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ASK, _ERRNO = 0x7FFF0000, 0x7FC00000, 0x00050000
_X32 = 0x40000000
_ACTION_AVAILABLE, _SET_FILTER = 2, 1
_SPEC_ALLOW, _NEW_LISTENER = 1 << 2, 1 << 3
_RECEIVE, _SEND, _STILL_VALID = 0xC0502100, 0xC0182101, 0x40082102
_CONTINUE = 1
_QUESTION, _ANSWER = struct.Struct("=QIIiIQ6Q"), struct.Struct("=QqiI")
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_SI_KERNEL = 0x80  # a signal from the terminal, which the child has got too

_UNSPECIFIED, _UNIX, _INET, _INET6, _NETLINK, _ALG = 0, 1, 2, 10, 16, 38
_LOCAL = (_UNSPECIFIED, _UNIX, _NETLINK, _ALG)
_STREAM, _DATAGRAM = 1, 2
_NAME_SERVICE = 53  # a name server of this machine would ask others
_FORWARDED = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1}

_Code = list[tuple[int, int, int, int]]  # operation, jump if true, jump if false, operand


def available() -> bool:
    """Say whether this kernel can ask a supervisor about a system call."""
    action = ctypes.c_uint32(_ASK)
    try:
        return (
            bool(_ARCH) and syscall("seccomp", _ACTION_AVAILABLE, 0, ctypes.addressof(action)) == 0
        )
    except OSError:
        return False


def holds() -> bool:
    """Say whether it holds in this process, by trying something forbidden that sends nothing."""
    try:  # a kind of socket that there is not: the kernel alone would say so with another error
        socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET).close()
    except OSError as error:
        return error.errno == errno.EACCES
    return False


def enter(report: Report) -> None:
    """Go on in a child process that the kernel holds; this process stays behind as supervisor.

    The caller must have one thread. The supervisor passes signals on, ends as the child ends, and
    reports each refusal as a line. Where the kernel cannot do it, nothing happens.
    """
    if holds() or not available():
        return
    sys.stdout.flush()
    sys.stderr.flush()
    ours, theirs = socket.socketpair()
    # Blocked before the fork, so that no signal falls between the two processes.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {*_FORWARDED, signal.SIGCHLD})
    parent = os.getpid()
    child = os.fork()
    if child:
        theirs.close()
        _supervise(child, ours, report)
    ours.close()
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
    # The filter holds the thread that installs it: this one can still send, and nobody answers yet.
    installed = SimpleQueue[int]()
    sender = threading.Thread(target=lambda: _hand_over(theirs, installed.get()))
    sender.start()
    try:
        installed.put(_install())
    except OSError:  # a supervisor of other makers is above us: then Python's hook is all
        installed.put(-1)
    sender.join()


def _hand_over(end: socket.socket, listener: int) -> None:
    with end:
        if listener >= 0:
            socket.send_fds(end, [b"."], [listener])
            os.close(listener)


def _install() -> int:
    code = b"".join(struct.pack("=HBBI", *line) for line in _filter())
    instructions = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("@HP", len(code) // 8, ctypes.addressof(instructions))
    program = ctypes.create_string_buffer(header, len(header))
    return syscall("seccomp", _SET_FILTER, _SPEC_ALLOW | _NEW_LISTENER, ctypes.addressof(program))


def _filter() -> _Code:
    """Return the filter: every call is allowed but those that could leave this machine."""
    refuse = (_RET, 0, 0, _ERRNO | errno.EACCES)
    not_there = (_RET, 0, 0, _ERRNO | errno.ENOSYS)
    allow, ask = (_RET, 0, 0, _ALLOW), (_RET, 0, 0, _ASK)

    rules: dict[str, _Code] = {
        "connect": [ask],
        "bind": [ask],
        # The kernel tells cheaply that most sends name nobody: their socket is connected.
        "sendto": [_argument(4), (_JEQ, 0, 2, 0), _argument(4, 1), (_JEQ, 1, 0, 0), ask, allow],
        "sendmsg": [ask],
        "sendmmsg": [ask],
        "io_uring_setup": [not_there],
        "socket": [
            _argument(0),
            (_JEQ, 8, 0, _UNIX),
            (_JEQ, 7, 0, _NETLINK),
            (_JEQ, 6, 0, _ALG),
            (_JEQ, 1, 0, _INET),
            (_JEQ, 0, 5, _INET6),
            _argument(1),
            (_AND, 0, 0, 0xF),  # without SOCK_NONBLOCK and SOCK_CLOEXEC
            (_JEQ, 1, 0, _STREAM),
            (_JEQ, 0, 1, _DATAGRAM),
            allow,
            refuse,
        ],
    }
    code: _Code = [
        (_LOAD, 0, 0, 4),
        (_JEQ, 1, 0, _ARCH),
        refuse,  # a 32-bit program: its calls have other numbers
        (_LOAD, 0, 0, 0),
    ]
    if MACHINE == "x86_64":
        code += [(_JGE, 0, 1, _X32), not_there]
    for name, body in rules.items():
        code += [(_JEQ, 0, len(body), NUMBERS[name]), *body]
    return [*code, allow]


def _argument(index: int, half: int = 0) -> tuple[int, int, int, int]:
    return (_LOAD, 0, 0, 16 + 8 * index + 4 * half)


def _supervise(child: int, end: socket.socket, report: Report) -> NoReturn:
    """Answer the child's questions, pass signals on, and end as it ends."""
    _, listeners, _, _ = socket.recv_fds(end, 1, 1)
    end.close()
    for listener in listeners:
        threading.Thread(target=_answer, args=(listener, report), daemon=True).start()
    status = _outcome(child)
    if os.WIFSIGNALED(status):
        with suppress(OSError):  # SIGKILL has no handler to take away
            signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {os.WTERMSIG(status)})
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status))


def _outcome(child: int) -> int:
    while True:
        said = signal.sigwaitinfo({*_FORWARDED, signal.SIGCHLD})
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        if said.si_signo != signal.SIGCHLD and said.si_code != _SI_KERNEL:
            os.kill(child, said.si_signo)


def _answer(listener: int, report: Report) -> None:
    """Let a call go on where every address is this machine's, and refuse the rest."""
    for question in _questions(listener):
        foreign = [a for a in _addresses(question) if not _is_local(a)]
        flags = 0 if foreign else _CONTINUE
        answer = _ANSWER.pack(question.key, 0, -errno.EACCES if foreign else 0, flags)
        who = _name(question.pid) if foreign else ""  # while it waits: once answered, it may end
        with suppress(OSError):  # killed meanwhile: then it was perhaps not its memory we read
            fcntl.ioctl(listener, _STILL_VALID, struct.pack("=Q", question.key))
            fcntl.ioctl(listener, _SEND, bytearray(answer))
            if foreign:
                what = "opening a port on" if question.call == "bind" else "connecting to"
                report(f"--offline kept {who} from {what} {_shown(foreign[0])}")


class _Question(NamedTuple):
    key: int
    pid: int
    call: str
    arguments: tuple[int, ...]


def _questions(listener: int) -> Iterator[_Question]:
    names = {NUMBERS[name]: name for name in ("connect", "bind", "sendto", "sendmsg", "sendmmsg")}
    while True:
        asked = bytearray(_QUESTION.size)
        try:
            fcntl.ioctl(listener, _RECEIVE, asked)
        except FileNotFoundError:  # killed before we could read its question
            continue
        except OSError:
            return  # nobody is left to ask
        key, pid, _, number, _, _, *arguments = _QUESTION.unpack(asked)
        yield _Question(key, pid, names[number], tuple(arguments))


def _addresses(question: _Question) -> Iterator[bytes]:
    """Yield the socket addresses that a call names; b"" for one that cannot be read."""
    _, first, second, _, fourth, fifth = question.arguments
    try:
        memory = os.open(f"/proc/{question.pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        # It hides its memory, as the sandbox's own processes do, which have no network and pass
        # each other files by `sendmsg`.
        if question.call != "sendmsg":
            yield b""
        return
    try:
        match question.call:
            case "connect" | "bind":
                yield _read(memory, first, second)
            case "sendto":
                yield _read(memory, fourth, fifth)
            case _:  # struct msghdr begins with a pointer to the address and its length
                count, size = (1, 56) if question.call == "sendmsg" else (min(second, 1024), 64)
                for number in range(count):
                    head = _read(memory, first + number * size, 12)
                    if len(head) < 12:
                        yield b""
                        return
                    pointer, length = struct.unpack("=QI", head)
                    if pointer:
                        yield _read(memory, pointer, length)
    finally:
        os.close(memory)


def _read(memory: int, pointer: int, length: int) -> bytes:
    with suppress(OSError, OverflowError):
        return os.pread(memory, min(length, 128), pointer)
    return b""


def _is_local(address: bytes) -> bool:
    if len(address) < 2:
        return False
    if int.from_bytes(address[:2], sys.byteorder) in _LOCAL:
        return True
    return is_loopback(_host(address)) and _port(address) != _NAME_SERVICE


def _host(address: bytes) -> str:
    """Return the host of a sockaddr_in or sockaddr_in6, "" for anything else."""
    family = int.from_bytes(address[:2], sys.byteorder)
    if family == _INET and len(address) >= 8:
        return socket.inet_ntop(socket.AF_INET, address[4:8])
    if family == _INET6 and len(address) >= 24:
        return socket.inet_ntop(socket.AF_INET6, address[8:24])
    return ""


def _port(address: bytes) -> int:
    return int.from_bytes(address[2:4], "big")


def _shown(address: bytes) -> str:
    host = _host(address)
    return f"{host}, port {_port(address)}" if host else "another machine"


def _name(pid: int) -> str:
    with suppress(OSError), open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
        return file.read().strip()
    return "a program"
