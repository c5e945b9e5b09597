"""A worker's place: unprivileged user, own namespaces, a root of its own, gone with its parent.

Entered once by a fresh single-threaded process; a program costs none of it. What a hardened child
may do inside is `isolation.harden`'s matter.

    python -m pytest tests/test_isolation.py
"""

from __future__ import annotations

import os
import select
import signal
import stat
import sys
from contextlib import suppress

from selfdebug.sandbox import linux
from selfdebug.sandbox.paths import python_paths

# Linux gives ids of this range to services for their lifetime only: no lasting user has them.
_FIRST_ID, _ID_COUNT = 61184, 4336
_SCRATCH_OPTIONS = "mode=700,size=64m,nr_inodes=4096"

_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = (
    0x20000,
    0x4000000,
    0x8000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
_ALL_BUT_USER = _NEWNS | _NEWUTS | _NEWIPC | _NEWPID | _NEWNET

_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT = 1, 2, 4, 8, 32
_BIND, _REC, _PRIVATE = 1 << 12, 1 << 14, 1 << 18
_RELATIME = 1 << 21
_ST_RELATIME = 1 << 12
_LOCKED_FLAGS = _NOSUID | _NODEV | _NOEXEC | 1024 | 2048  # the last two: noatime, nodiratime
_DETACH = 2

_CAP_DAC_READ_SEARCH, _CAP_SYS_ADMIN = 1 << 2, 1 << 21
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_KEEPCAPS = 1, 4, 8


def enter_worker(
    tier: str,
    work_dir: str,
    read_paths: tuple[str, ...] = (),
    scratch_paths: tuple[str, ...] = (),
) -> None:
    """Move this process to where a worker of `tier` lives; it must have one thread.

    Tiers A and C: unprivileged user; user, pid, network, mount, ipc and uts namespaces; a root
    that holds Python, `sys.path` and read_paths, all read-only, and to write in `work_dir` and
    scratch_paths, each a fresh tmpfs of 64 MiB; nothing else: no /proc, no home, an empty /tmp. The
    caller goes on as pid 1 there. Tier B: unprivileged user only. Tier D: nothing at all.

    A stub process stays outside: it ends with its parent, its death ends the caller, and it
    passes the caller's exit status on. Raises OSError with a text that says what was refused.
    """
    if tier == "D":
        return
    work_dir = os.path.realpath(work_dir)
    parent = os.getppid()
    try:
        if tier == "B":
            _drop_root(work_dir, _unreadable_without_root())
        else:
            _enter_namespaces(work_dir, read_paths, scratch_paths)
    except OSError as error:
        raise OSError(
            error.errno, f"cannot enter tier {tier}: {error.strerror or error}"
        ) from error
    linux.set_capabilities(linux.capabilities() & _CAP_DAC_READ_SEARCH if tier == "B" else 0)
    _leave_stub_behind(parent)


def kill_all(tier: str) -> None:
    """Kill and reap every other process of this worker. Tiers A and C: this one is pid 1."""
    if tier not in {"A", "C"}:
        return
    with suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def wipe(directory: str) -> None:
    """Empty a directory, however deep, odd or locked what a program left there is."""
    count = 0
    with suppress(PermissionError):  # not ours, so no program can have locked it
        os.chmod(directory, 0o700)
    while entries := os.listdir(directory):
        for name in entries:
            path = os.path.join(directory, name)
            if not stat.S_ISDIR(os.lstat(path).st_mode):
                os.unlink(path)
                continue
            # Lift what lies inside to the top, so that no depth is too deep for a path.
            os.chmod(path, 0o700)
            for inner in os.listdir(path):
                source = os.path.join(path, inner)
                if stat.S_ISDIR(os.lstat(source).st_mode):
                    os.chmod(source, 0o700)
                    count += 1
                    os.rename(source, os.path.join(directory, f".{os.getpid()}.{count}"))
                else:
                    os.unlink(source)
            os.rmdir(path)


def _enter_namespaces(
    work_dir: str, read_paths: tuple[str, ...], scratch_paths: tuple[str, ...]
) -> None:
    process = os.open("/proc/self", os.O_PATH | os.O_CLOEXEC)  # the new root has no /proc
    if os.geteuid() == 0 and linux.capabilities() & _CAP_SYS_ADMIN:
        # Real root builds the root while it still may read everywhere (its Python may lie under
        # /root), then gives up being root, then makes the user namespace.
        linux.syscall("unshare", _ALL_BUT_USER)
        uid, gid = _unprivileged_ids()
        _change_root(work_dir, read_paths, scratch_paths, uid, gid)
        _drop_root("", _CAP_SYS_ADMIN)
        linux.syscall("unshare", _NEWUSER)
        _map_ids(process, uid, gid)
    else:
        _drop_root(work_dir, 0)
        uid, gid = os.geteuid(), os.getegid()
        linux.syscall("unshare", _ALL_BUT_USER | _NEWUSER)
        _map_ids(process, uid, gid)
        _change_root(work_dir, read_paths, scratch_paths, uid, gid)
    os.close(process)


def _unprivileged_ids() -> tuple[int, int]:
    # One id for each worker: workers cannot signal each other and their limits add up apart.
    uid = _FIRST_ID + os.getpid() % _ID_COUNT
    return uid, uid


def _drop_root(work_dir: str, keep: int) -> None:
    """Become an unprivileged user for good, if root; keep only these capabilities."""
    if os.geteuid() != 0:
        return
    uid, gid = _unprivileged_ids()
    if work_dir:
        os.chown(work_dir, uid, gid)
    keep &= linux.capabilities()
    os.setgroups([])
    linux.prctl(_PR_SET_KEEPCAPS, 1)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    linux.set_capabilities(keep)
    linux.prctl(_PR_SET_DUMPABLE, 1)  # or /proc/self/uid_map would still belong to root


def _unreadable_without_root() -> int:
    """Return the capability that tier B needs where only root may read Python's own files."""
    directory = os.path.dirname(os.path.realpath(os.__file__))
    while directory != "/":
        if not os.stat(directory).st_mode & stat.S_IXOTH:
            return _CAP_DAC_READ_SEARCH
        directory = os.path.dirname(directory)
    return 0


def _map_ids(process: int, uid: int, gid: int) -> None:
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        fd = os.open(name, os.O_WRONLY | os.O_CLOEXEC, dir_fd=process)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)


def _change_root(
    work_dir: str, read_paths: tuple[str, ...], scratch_paths: tuple[str, ...], uid: int, gid: int
) -> None:
    """Pivot to a root made of read-only binds and one small tmpfs."""
    linux.mount(None, "/", None, _REC | _PRIVATE)
    linux.mount("tmpfs", work_dir, "tmpfs", _NOSUID | _NODEV, "mode=755,size=1m,nr_inodes=8192")
    library = os.path.dirname(os.__file__)  # listed by python_paths, without its site-packages
    imports = [path for path in sys.path if path != library and not path.endswith("-packages")]
    # Installed, this package lies in site-packages too, and loads a language when one needs it.
    ours = os.path.dirname(os.path.abspath(__file__))
    optional = [path for path in (*python_paths(), *imports, ours) if os.path.exists(path)]
    covered: list[str] = []
    for path in sorted({*optional, *read_paths}):
        _show(work_dir, path, covered)
    for path in ("/tmp", "/dev/shm", "/proc", work_dir, *scratch_paths):
        os.makedirs(work_dir + path, exist_ok=True)
    os.chdir(work_dir)
    dot = linux.text(".")
    linux.syscall("pivot_root", linux.address(dot), linux.address(dot))
    linux.syscall("umount2", linux.address(dot), _DETACH)
    os.chdir("/")
    options = f"{_SCRATCH_OPTIONS},uid={uid},gid={gid}"
    for path in (*scratch_paths, work_dir):  # which may lie in one of them
        os.makedirs(path, exist_ok=True)
        linux.mount("tmpfs", path, "tmpfs", _NOSUID | _NODEV | _NOEXEC, options)
    linux.mount(None, "/", None, _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV)


def _show(root: str, path: str, covered: list[str]) -> None:
    """Make a path of the old root visible, read-only, at the same place of the new one."""
    path = os.path.abspath(path)
    real = os.path.realpath(path)
    if real != path and not _below(path, covered):
        os.makedirs(os.path.dirname(root + path), exist_ok=True)
        with suppress(FileExistsError):
            os.symlink(real, root + path)
    if _below(real, covered):
        return
    target = root + real
    if os.path.isdir(real):
        os.makedirs(target, exist_ok=True)
        covered.append(real)
    elif not os.path.lexists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o444))
    linux.mount(real, target, None, _BIND | _REC)
    found = os.statvfs(target).f_flag
    flags = found & _LOCKED_FLAGS | (_RELATIME if found & _ST_RELATIME else 0)
    linux.mount(None, target, None, _REMOUNT | _BIND | _RDONLY | _NOSUID | flags)


def _below(path: str, directories: list[str]) -> bool:
    return any(path == parent or path.startswith(parent + "/") for parent in directories)


def _leave_stub_behind(parent: int) -> None:
    """Fork; the child returns from here and this process only waits for it and for `parent`."""
    watched, held = os.pipe()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    child = os.fork()
    if child:
        _watch(child, parent, held)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    os.close(held)
    linux.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    linux.prctl(_PR_SET_DUMPABLE, 0)
    if select.select([watched], [], [], 0)[0]:  # the stub died before the signal was set
        os._exit(1)
    os.close(watched)


def _watch(child: int, parent: int, held: int) -> None:
    # By polling the parent's pid and not by PDEATHSIG, which fires when the *thread* that
    # started this process ends: a pool's thread would take its worker along.
    linux.syscall("close_range", 0, held - 1, 0)
    linux.syscall("close_range", held + 1, 0xFFFFFFFF, 0)
    while True:
        signal.sigtimedwait({signal.SIGCHLD}, 0.5)
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        if os.getppid() != parent:
            os.kill(child, signal.SIGKILL)
    if os.WIFSIGNALED(status):
        if os.WTERMSIG(status) != signal.SIGKILL:  # which has no handler to take away
            signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status))
