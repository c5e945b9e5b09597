"""seccomp: which system calls a process may make, as an allow-list compiled to raw BPF.

What is not listed fails with EPERM (ENOSYS where the C library then falls back), so that a program
sees an ordinary error; a foreign architecture's calls kill. The filter is a binary tree: it costs
ten instructions a call, and the kernel can tell cheaply which calls are always allowed.

    python -m pytest tests/test_isolation.py
"""

from __future__ import annotations

import ctypes
import struct
from typing import NamedTuple

from selfdebug.sandbox.linux import MACHINE, NUMBERS, syscall

# What CPython and QuickJS need to compute, to use threads, files (Landlock decides which) and
# their own pipes, and what glibc calls on its own. Nothing here reaches another process.
_COMPUTE = """
arch_prctl brk capget clock_getres clock_gettime clock_nanosleep exit exit_group futex futex_waitv
getcpu getegid geteuid getgid getgroups getitimer getpgid getpgrp getpid getppid getpriority
getrandom getresgid getresuid getrlimit getrusage getsid gettid gettimeofday getuid madvise
membarrier mincore mmap mprotect mremap msync munmap nanosleep restart_syscall rseq rt_sigaction
rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait pause alarm setitimer
sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getparam sched_getscheduler
sched_yield set_robust_list set_tid_address setrlimit sigaltstack sysinfo time timer_create
timer_delete timer_getoverrun timer_gettime timer_settime times uname wait4 waitid
"""
_FILES = """
access chdir close close_range copy_file_range dup dup2 dup3 epoll_create epoll_create1 epoll_ctl
epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 faccessat faccessat2 fadvise64 fallocate
fchdir fdatasync fgetxattr flistxattr flock fstat fstatfs fsync ftruncate getcwd getdents
getdents64 getpeername getsockname getsockopt getxattr lgetxattr link linkat listxattr llistxattr
lseek lstat mkdir mkdirat newfstatat open openat openat2 pipe pipe2 poll ppoll pread64 preadv
preadv2 pselect6 pwrite64 pwritev pwritev2 read readlink readlinkat readv recvfrom rename renameat
renameat2 rmdir select sendfile shutdown stat statfs statx symlink symlinkat umask unlink unlinkat
write writev
"""
# Landlock lets everybody change the modes and times of what is theirs, wherever it lies. Where the
# file system is the user's own, these calls succeed and do nothing: copying a file needs them.
_METADATA = ("chmod", "fchmod", "fchmodat", "futimesat", "utime", "utimensat", "utimes")
_ALLOWED = {
    "candidate": "",
    "suite": "",
    "node": "execve",
    # It forks (a test may need a process of its own), talks to the zygote and ends its children.
    "judge": "fork vfork kill tgkill setsid setpgid sendmsg recvmsg prlimit64 seccomp "
    "landlock_restrict_self pidfd_open pidfd_send_signal setsockopt memfd_create",
}

_LOAD, _AND, _JEQ, _JGE, _JSET, _JA, _RET = 0x20, 0x54, 0x15, 0x35, 0x45, 0x05, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS, _ENOTTY = 1, 38, 25
_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}.get(MACHINE, 0)
_X32 = 0x40000000
_FIRST_UNKNOWN = 450  # newer calls than these tables know: "not implemented", so libc falls back

_SET_MODE_FILTER = 1
_SPEC_ALLOW = 1 << 2  # without it older kernels slow the whole process down against Spectre v4

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand
_OWN_PID = -1  # operand to be filled in by the child

_DENY: list[Instruction] = [(_RET, 0, 0, _ERRNO | _EPERM)]
_PASS: list[Instruction] = [(_RET, 0, 0, _ALLOW)]
_PRETEND: list[Instruction] = [(_RET, 0, 0, _ERRNO)]  # error 0: success


class Filter(NamedTuple):
    """A compiled filter: the kernel's structs, and where the caller's pid goes."""

    instructions: ctypes.Array[ctypes.c_char]
    header: ctypes.Array[ctypes.c_char]
    pid_offsets: tuple[int, ...]


def compile_filter(profile: str, own_files: bool) -> Filter:
    """Compile a profile's allow-list. own_files: no file in sight is the user's, but scratch."""
    if not _ARCH:
        raise OSError(f"the sandbox has no system call table for {MACHINE}")
    code: list[Instruction] = [
        (_LOAD, 0, 0, 4),
        (_JEQ, 1, 0, _ARCH),
        (_RET, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        *_tree(_segments(_rules(profile, own_files))),
    ]
    offsets = tuple(8 * at + 4 for at, line in enumerate(code) if line[3] == _OWN_PID)
    packed = b"".join(struct.pack("=HBBI", *line[:3], line[3] & 0xFFFFFFFF) for line in code)
    instructions = ctypes.create_string_buffer(packed, len(packed))
    header = struct.pack("@HP", len(code), ctypes.addressof(instructions))
    return Filter(instructions, ctypes.create_string_buffer(header, len(header)), offsets)


def install(compiled: Filter, pid: int) -> None:
    """Put this process under the filter for good. It needs no_new_privs."""
    for offset in compiled.pid_offsets:
        struct.pack_into("=I", compiled.instructions, offset, pid)
    syscall("seccomp", _SET_MODE_FILTER, _SPEC_ALLOW, ctypes.addressof(compiled.header))


def _rules(profile: str, own_files: bool) -> dict[int, list[Instruction]]:
    judge = profile == "judge"
    conditional = {
        "clone": _clone(must_be_thread=not judge),
        "clone3": [(_RET, 0, 0, _ERRNO | _ENOSYS)],  # its flags are out of a filter's sight
        "kill": _argument(0, (_OWN_PID,)),
        "tgkill": _argument(0, (_OWN_PID,)),
        "prlimit64": _argument(0, (0, _OWN_PID)),
        # F_SETOWN, F_SETSIG and F_SETOWN_EX can signal any process; leases and notify likewise.
        "fcntl": _argument(1, (8, 10, 15, 0x400, 0x402), listed=_DENY, otherwise=_PASS),
        # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
        "ioctl": _argument(
            1,
            (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451),
            otherwise=[(_RET, 0, 0, _ERRNO | _ENOTTY)],
        ),
        # get: dumpable, name, timer slack, no_new_privs; set: name, names of mappings.
        # The judge also sets its children's death signal, dumpable and no_new_privs.
        "prctl": _argument(0, (3, 15, 16, 30, 39, 0x53564D41) + ((1, 4, 38) if judge else ())),
        "socketpair": _stream_pair(),
        "sendto": _no_destination(),
        # The judge stays on one CPU with its candidate: itself, not another process.
        "sched_setaffinity": _argument(0, (0,)) if judge else _DENY,
    }
    allowed = (_COMPUTE + _FILES + _ALLOWED[profile]).split()
    rules = {NUMBERS[name]: body for name, body in conditional.items() if name in NUMBERS}
    rules.update({NUMBERS[name]: _PASS for name in allowed if name in NUMBERS})
    metadata = _PASS if own_files else _PRETEND
    rules.update({NUMBERS[name]: metadata for name in _METADATA if name in NUMBERS})
    return rules


def _load_argument(index: int, high: bool = False) -> Instruction:
    return (_LOAD, 0, 0, 16 + 8 * index + 4 * high)


def _argument(
    index: int,
    values: tuple[int, ...],
    listed: list[Instruction] = _PASS,
    otherwise: list[Instruction] = _DENY,
) -> list[Instruction]:
    """`listed` when the low half of an argument is one of the values, else `otherwise`."""
    tests = [(_JEQ, len(values) - at, 0, value) for at, value in enumerate(values)]
    return [_load_argument(index), *tests, *otherwise, *listed]


def _clone(must_be_thread: bool) -> list[Instruction]:
    new_namespaces, parent, thread = 0x7E020000, 0x8000, 0x10000
    code: list[Instruction] = [_load_argument(0), (_JSET, 0, 1, new_namespaces | parent), *_DENY]
    if must_be_thread:
        code += [(_JSET, 1, 0, thread), *_DENY]
    return code + _PASS


def _stream_pair() -> list[Instruction]:
    # asyncio's loop wakes itself through a pair; a connected stream cannot be sent elsewhere.
    unix, stream, flags = 1, 1, 0x80800
    return [
        _load_argument(0),
        (_JEQ, 1, 0, unix),
        *_DENY,
        _load_argument(1),
        (_AND, 0, 0, 0xFFFFFFFF ^ flags),
        (_JEQ, 1, 0, stream),
        *_DENY,
        *_PASS,
    ]


def _no_destination() -> list[Instruction]:
    return [
        _load_argument(4),
        (_JEQ, 1, 0, 0),
        *_DENY,
        _load_argument(4, high=True),
        (_JEQ, 1, 0, 0),
        *_DENY,
        *_PASS,
    ]


def _segments(rules: dict[int, list[Instruction]]) -> list[tuple[int, list[Instruction]]]:
    """Every number's verdict as (first number, instructions), neighbours merged."""
    unknown: list[Instruction] = [(_RET, 0, 0, _ERRNO | _ENOSYS)]
    starts = {0, _FIRST_UNKNOWN, *rules, *(number + 1 for number in rules)}
    if MACHINE == "x86_64":
        starts.add(_X32)
    segments: list[tuple[int, list[Instruction]]] = []
    for start in sorted(starts):
        body = rules.get(start, _DENY if start < _FIRST_UNKNOWN else unknown)
        if start >= _X32:
            body = [(_RET, 0, 0, _KILL)]
        if not segments or segments[-1][1] != body:
            segments.append((start, body))
    return segments


def _tree(segments: list[tuple[int, list[Instruction]]]) -> list[Instruction]:
    if len(segments) == 1:
        return segments[0][1]
    middle = len(segments) // 2
    left, right = _tree(segments[:middle]), _tree(segments[middle:])
    start = segments[middle][0]
    if len(left) < 256:
        return [(_JGE, len(left), 0, start), *left, *right]
    return [(_JGE, 0, 1, start), (_JA, 0, 0, len(left)), *left, *right]  # too far for a byte
