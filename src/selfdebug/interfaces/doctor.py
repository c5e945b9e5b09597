"""What this machine can do: the sandbox's tier, the engines, the optional parts and the data.

Each check says what was found and, where something is missing, the command that adds it. Nothing
is installed or changed here.

    selfdebug doctor
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from selfdebug import benchmarks, plugins
from selfdebug.formats.data import present
from selfdebug.offline import barrier
from selfdebug.sandbox.probes import best_tier

EXTRAS = {  # extra: (the module it brings, its distribution, what it is for)
    "retrieval": ("bm25s", "bm25s", "--feedback retrieved"),
    "train": ("trl", "trl", "--backend transformers, harvest with local models, and train"),
    "serve": ("starlette", "starlette", "serve: models and repairs for other programs"),
    "play": ("fastapi", "fastapi", "play: a page for teaching"),
    "editor": ("pygls", "pygls", "lsp: diagnostics and fixes in an editor"),
    "data": ("datasets", "datasets", "benchmarks by their Hugging Face names"),
    "mcp": ("mcp", "mcp", "mcp: tools for assistants"),
    "ray": ("ray", "ray", "--ray: eval and harvest on a cluster"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. needed: without it selfdebug does not work; else it only does less."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    needed: bool = False


def checks() -> Iterator[Check]:
    """Yield every check, the quick ones first."""
    yield python()
    yield from sandbox()
    yield quickjs()
    yield node()
    yield offline()
    for extra in EXTRAS:
        yield optional(extra)
    yield linter("ruff", "Python", "pip install 'selfdebug[static]'")
    yield linter("eslint", "JavaScript", "npm install --global eslint")
    yield from data()


def python() -> Check:
    """The interpreter that runs selfdebug and, in the sandbox, the candidates."""
    found = ".".join(map(str, sys.version_info[:3]))
    return Check("python", sys.version_info >= (3, 11), found, "install Python 3.11+", True)


def sandbox() -> Iterator[Check]:
    """The tier, each barrier as the attacks on it found it, and what a stronger tier lacks."""
    report = best_tier()
    usable, top = report.tier != "D", report.tier == "A"
    detail = f"tier {report.tier}: all {len(report.checks)} probes held"
    if not usable:
        detail = "no tier holds: selfdebug refuses to run programs without --allow-unsafe"
    yield Check("sandbox", usable, detail, "" if usable else namespaces_remedy(), needed=True)
    for check in report.checks:
        yield Check(f"sandbox: {check.name}", check.held, check.detail)
    for check in report.missing:
        yield Check(
            f"sandbox: {check.name}", False, check.detail, "" if top else namespaces_remedy()
        )


def namespaces_remedy() -> str:
    """The command that lets an ordinary user make the namespaces of tier A."""
    settings = {
        "kernel.apparmor_restrict_unprivileged_userns": ("1", "0"),  # Ubuntu 24.04
        "kernel.unprivileged_userns_clone": ("0", "1"),  # older Debian
        "user.max_user_namespaces": ("0", "15000"),
    }
    for name, (closed, opened) in settings.items():
        path = Path("/proc/sys", *name.split("."))
        if path.is_file() and path.read_text().strip() == closed:
            return f"sudo sysctl -w {name}={opened}"
    if Path("/.dockerenv").exists():
        return "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined ..."
    return "Linux 5.13 or newer with Landlock and user namespaces"


def quickjs() -> Check:
    """The JavaScript engine inside the sandbox."""
    remedy = "pip install 'quickjs-ng>=0.17,<0.18'"
    if find_spec("_quickjs") is None:
        return Check("quickjs", False, "not installed: JavaScript cannot be judged", remedy, True)
    return Check("quickjs", True, _version_of("quickjs-ng"), needed=True)


def node() -> Check:
    """Node judges what quickjs lacks, and runs a user's own node tests."""
    remedy = "install Node.js 20 or newer: https://nodejs.org (Debian, Ubuntu: apt install nodejs)"
    found = _output("node", "--version")
    return Check("node", bool(found), found or "not found: no node test files", remedy)


def offline() -> Check:
    """How far --offline reaches: with the kernel's help, to every program that is started."""
    if barrier.available():
        return Check("offline", True, "--offline is held by the kernel, for every program below")
    detail = "--offline holds Python alone, and no compiled code"
    return Check("offline", False, detail, "Linux 5.9 or newer, on x86_64 or aarch64")


def optional(extra: str) -> Check:
    """One optional part of the installation."""
    module, distribution, purpose = EXTRAS[extra]
    if find_spec(module) is None:
        return Check(extra, False, f"not installed: {purpose}", f"pip install 'selfdebug[{extra}]'")
    return Check(extra, True, f"{distribution} {_version_of(distribution)}: {purpose}")


def linter(command: str, language: str, remedy: str) -> Check:
    """A linter that `--feedback static` quotes."""
    found = _output(command, "--version")
    missing = f"not found: --feedback static for {language}"
    return Check(command, bool(found), found or missing, remedy)


def data() -> Iterator[Check]:
    """The benchmarks' files, where they are not part of the package."""
    for name in plugins.names("benchmarks"):
        for part in benchmarks.resolve(name)[0].DATA:
            here = present(part)
            detail = part.file if here else f"{part.file} not found"
            remedy = f"download it from {part.url} below $SELFDEBUG_DATA"
            yield Check(f"data {name}", here, detail, remedy)


def _version_of(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:  # copied in by hand: it is there, and says no version
        return "version unknown"


def _output(*command: str) -> str:
    """The first line that a command prints, or "" when it is not there or fails."""
    # A tool of the same environment counts although its folder is not on the PATH.
    beside = str(Path(sys.executable).parent)
    path = shutil.which(command[0]) or shutil.which(command[0], path=beside)
    if path is None:
        return ""
    try:
        done = subprocess.run(
            [path, *command[1:]], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip().partition("\n")[0]
