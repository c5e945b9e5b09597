"""Which tier holds on this machine, found by attacking it and not by asking for versions.

Each check is a real attack (`probe_attacks`) from a hardened child, and has to fail. One that
succeeds, or ends in a way that nobody expected, is a barrier that does not hold.

    python -m selfdebug.sandbox.probes
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from functools import cache
from typing import NamedTuple, NoReturn

from selfdebug.sandbox import isolation
from selfdebug.sandbox.probe_attacks import ATTACKS, Attack, Targets, honest_work

_POLICY = isolation.Policy("", memory_bytes=512 << 20, output_bytes=1 << 20, cpu_seconds=5)
_SECONDS = 20.0
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]);"
    "from selfdebug.sandbox import probes; probes.main(sys.argv[2], sys.argv[3])"
)
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "PATH": "/usr/bin:/bin"}
_BLOCKED, _FAULTY = 1, 2  # exit statuses of a child; 0: the attack succeeded


class Check(NamedTuple):
    """One barrier: its name, whether it held, and what happened."""

    name: str
    held: bool
    detail: str


class Report(NamedTuple):
    """What a tier's barriers did. missing: what kept this machine from a stronger tier."""

    tier: str
    checks: tuple[Check, ...]
    missing: tuple[Check, ...] = ()

    @property
    def broken(self) -> tuple[Check, ...]:
        """The barriers that did not hold."""
        return tuple(check for check in self.checks if not check.held)


@cache
def best_tier() -> Report:
    """Return the report of the strongest tier that holds; tier D when none does."""
    missing: list[Check] = []
    for tier in ("A", "B", "C"):
        report = probe(tier)
        if not report.broken:
            return report._replace(missing=tuple(missing))
        missing += [check._replace(name=f"tier {tier}: {check.name}") for check in report.broken]
    return Report("D", (), tuple(missing))


def probe(tier: str) -> Report:
    """Attack a tier from a freshly executed process; this one may be large or have threads."""
    import subprocess

    source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    options = ["-S", "-s", "-P", "-B", "-c", _BOOT, source, tier, os.path.expanduser("~")]
    try:
        done = subprocess.run(
            [sys.executable, *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=_ENVIRONMENT,
            cwd="/",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Report(tier, (Check("probe", False, str(error)),))
    try:
        return Report(tier, tuple(Check(*row) for row in json.loads(done.stdout)))
    except ValueError:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        detail = said[-1] if said else f"it ended with status {done.returncode}"
        return Report(tier, (Check("probe", False, detail),))


def main(tier: str, home: str) -> None:
    """Attack a tier and write the checks to stdout as JSON: what the fresh process does."""
    sys.stdout.write(json.dumps(attack(tier, home)))


def attack(tier: str, home: str) -> list[Check]:
    """Run every attack from a worker of this tier against this process, which must be fresh."""
    folder = f"/tmp/selfdebug-probe-{os.getpid()}-{time.monotonic_ns()}"
    os.mkdir(folder, 0o755)  # or FileExistsError: somebody else's would be followed
    work_dir = os.path.join(folder, "work")
    os.mkdir(work_dir, 0o755)
    abstract = f"\0selfdebug-probe-{os.getpid()}"
    receiving, sending = os.pipe()
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(type=socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX) as unix,
        open(os.path.join(folder, "secret"), "w+") as secret,
    ):
        udp.bind(("127.0.0.1", 0))
        unix.bind(abstract)
        unix.listen()
        secret.write("secret")
        secret.flush()
        addresses = tcp.getsockname(), udp.getsockname(), abstract
        files = folder, work_dir, _file_in(home) or secret.name
        targets = Targets(os.getpid(), secret.fileno(), *addresses, *files, _POLICY)
        worker = os.fork()
        if worker == 0:
            os.close(receiving)
            _in_worker(tier, targets, sending)
        os.close(sending)
        with open(receiving, "rb") as stream:
            rows = json.loads(stream.read() or b"[]")
        os.waitpid(worker, 0)
    isolation.wipe(folder)
    os.rmdir(folder)
    return [Check(*row) for row in rows] or [Check("worker", False, "it died")]


def _file_in(home: str) -> str:
    """Return a file of the user's home; "" where there is no home, as in many containers."""
    try:
        return next((entry.path for entry in os.scandir(home) if entry.is_file()), "")
    except OSError:
        return ""


def _in_worker(tier: str, targets: Targets, report: int) -> NoReturn:
    checks: list[Check] = []
    try:
        isolation.enter_worker(tier, targets.work_dir)
        policy = _POLICY._replace(tier=tier, write_paths=(targets.work_dir,))
        prepared = isolation.prepare(policy)
        for name, attempt in ATTACKS.items():
            checks.append(_attempt(name, attempt, targets, prepared))
            isolation.kill_all(tier)
            isolation.wipe(targets.work_dir)
        worked = _attempt("honest work", honest_work, targets, prepared)
        checks.append(worked._replace(held=worked.detail == "done"))
    except BaseException as error:  # any fault here is a barrier that does not hold
        checks.append(Check("set-up", False, str(error)))
    finally:  # whatever happened, this process must not return into its parent's code
        os.write(report, json.dumps(checks).encode())
        os._exit(0)


def _attempt(name: str, attempt: Attack, targets: Targets, prepared: isolation.Prepared) -> Check:
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        _in_child(attempt, targets, prepared, sending)
    os.close(sending)
    detail = os.read(receiving, 1 << 10).decode("utf-8", "replace")
    os.close(receiving)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return Check(name, True, f"killed by {signal.Signals(os.WTERMSIG(status)).name}")
    return Check(name, os.WEXITSTATUS(status) == _BLOCKED, detail or "the attack succeeded")


def _in_child(
    attempt: Attack, targets: Targets, prepared: isolation.Prepared, report: int
) -> NoReturn:
    status = _FAULTY
    try:
        isolation.harden(prepared, keep_fds=(report,))
        try:
            os.write(report, str(attempt(targets) or "the attack succeeded").encode())
            status = 0
        except (OSError, MemoryError) as error:
            status = _BLOCKED
            os.write(report, (str(error) or type(error).__name__).encode())
    except BaseException as error:  # not the refusal that was expected: it counts as no barrier
        os.write(report, f"faulty: {error!r}".encode())
    finally:  # as above
        os._exit(status)


if __name__ == "__main__":
    for check in probe(sys.argv[1]).checks if sys.argv[1:] else best_tier().checks:
        sys.stdout.write(f"{'held' if check.held else 'BROKEN':7} {check.name}: {check.detail}\n")
