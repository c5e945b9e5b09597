"""What a child may do: rlimits, Landlock, seccomp, closed file descriptors, death with its parent.

`prepare` does the costly part once a policy; `confine` applies what children inherit, in the
process that will fork them; `seal` the rest, in each child, for good. `harden` is both, for a
process that guards itself. Where workers live is `namespaces`' matter; whether the barriers hold
is `probes`'.

    python -m pytest tests/test_isolation.py
"""

from __future__ import annotations

import os
import resource
import signal
from typing import Literal, NamedTuple

from selfdebug.sandbox import landlock, linux, paths, seccomp
from selfdebug.sandbox.namespaces import enter_worker, kill_all, wipe

__all__ = [
    "TIERS",
    "Policy",
    "Prepared",
    "confine",
    "enter_worker",
    "harden",
    "kill_all",
    "prepare",
    "seal",
    "wipe",
]

TIERS = ("A", "B", "C", "D")
Profile = Literal["candidate", "judge", "suite", "node"]

_LANDLOCKED = ("A", "B")
_MAX_FILES = 256
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
# The kernel counts processes and threads by user: of one user namespace (Linux 5.14), where only
# this worker's own count, else of the whole machine.
_OWN_PROCESSES = 8
_SHARED_USER_SLACK = 4096


class Policy(NamedTuple):
    """What a child may use. Paths must exist; every profile may read what Python needs."""

    tier: str
    profile: Profile = "candidate"
    read_paths: tuple[str, ...] = ()
    write_paths: tuple[str, ...] = ()
    memory_bytes: int = 1 << 30
    output_bytes: int = 64 << 20  # the size of one file
    cpu_seconds: int = 60  # of the process's whole life; the clock of a test is the harness's
    processes: int = 32  # and threads


class Prepared(NamedTuple):
    """A policy in the form that `confine` and `seal` apply without thinking."""

    parent: int
    limits: tuple[tuple[int, int], ...]
    cpu_seconds: int
    rules: int  # file descriptor, -1: no Landlock in this tier
    landlock_abi: int
    filter: seccomp.Filter | None


def prepare(policy: Policy) -> Prepared:
    """Compile a policy; call it in the process that will fork the children, unconfined."""
    if policy.tier not in TIERS:
        raise OSError(f"there is no tier {policy.tier!r}; tiers are {', '.join(TIERS)}")
    isolated = policy.tier != "D"
    landlocked = policy.tier in _LANDLOCKED
    return Prepared(
        parent=os.getpid(),
        limits=_limits(policy),
        cpu_seconds=_at_most_hard(resource.RLIMIT_CPU, policy.cpu_seconds),
        rules=landlock.ruleset(_grants(policy)) if landlocked else -1,
        landlock_abi=landlock.abi() if landlocked else 0,
        filter=seccomp.compile_filter(policy.profile, policy.tier != "B") if isolated else None,
    )


def harden(prepared: Prepared, keep_fds: tuple[int, ...]) -> None:
    """Give up, for good, all that the policy does not grant. Only `keep_fds` stay open."""
    confine(prepared)
    seal(prepared, keep_fds)


def confine(prepared: Prepared) -> None:
    """Give up what children need not give up again: they inherit it. This process may fork on."""
    os.setsid()
    linux.prctl(_PR_SET_NO_NEW_PRIVS, 1)
    linux.prctl(_PR_SET_DUMPABLE, 0)
    for kind, value in prepared.limits:
        resource.setrlimit(kind, (value, value))


def seal(prepared: Prepared, keep_fds: tuple[int, ...]) -> None:
    """Give up the rest in a confined process or in its child."""
    linux.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != prepared.parent:  # it died before the signal was set
        os._exit(1)
    if prepared.rules >= 0:
        landlock.restrict(prepared.rules, prepared.landlock_abi)
    _close_all_but(keep_fds)
    # Not among what children inherit: a parent that lives on would come to its end.
    resource.setrlimit(resource.RLIMIT_CPU, (prepared.cpu_seconds, prepared.cpu_seconds))
    if prepared.filter is not None:
        seccomp.install(prepared.filter, os.getpid())


def _limits(policy: Policy) -> tuple[tuple[int, int], ...]:
    # V8 reserves address space far beyond what it uses, so node is held by what it can write to.
    memory = resource.RLIMIT_DATA if policy.profile == "node" else resource.RLIMIT_AS
    wanted = {
        memory: policy.memory_bytes,
        resource.RLIMIT_FSIZE: policy.output_bytes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: _MAX_FILES,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_SIGPENDING: 256,  # timers and queued signals are counted by user
        resource.RLIMIT_NPROC: policy.processes + _others_of_this_user(policy.tier),
    }
    return tuple((kind, _at_most_hard(kind, value)) for kind, value in wanted.items())


def _at_most_hard(kind: int, value: int) -> int:
    hard = resource.getrlimit(kind)[1]
    return value if hard == resource.RLIM_INFINITY else min(value, hard)


def _others_of_this_user(tier: str) -> int:
    release = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])
    own = tier in {"A", "C"} and release >= (5, 14)
    return _OWN_PROCESSES if own else _SHARED_USER_SLACK


def _grants(policy: Policy) -> list[tuple[str, int]]:
    read = landlock.READ | (landlock.EXECUTE if policy.profile == "node" else 0)
    grants = [(path, read) for path in paths.python_paths() if os.path.exists(path)]
    grants.append((os.path.dirname(os.__file__), landlock.READ_DIR))  # imports list it
    if os.path.exists("/dev/null"):
        grants.append(("/dev/null", landlock.READ_FILE | landlock.WRITE_FILE))
    grants += [(path, read) for path in policy.read_paths]
    grants += [(path, landlock.WRITE) for path in policy.write_paths]
    return grants


def _close_all_but(keep: tuple[int, ...]) -> None:
    first = 0
    for fd in sorted(keep):
        if fd > first:
            linux.syscall("close_range", first, fd - 1, 0)
        first = fd + 1
    linux.syscall("close_range", first, 0xFFFFFFFF, 0)
