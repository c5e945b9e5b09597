"""Fixtures that several tests share: the command line, and Python as root and as a user."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import settings

collect_ignore = ["fixtures"]  # projects with tests of their own, for `fix` to run

SLOW_SECONDS = 1800  # a busy machine takes some minutes for what an idle one does in one

SOURCE = str(Path(__file__).parents[1] / "src")
USERS = ("root", "ordinary") if os.geteuid() == 0 else ("ordinary",)
_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

# CI must say the same of the same code: there, property tests draw the same examples each time.
settings.register_profile("ci", derandomize=True, print_blob=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


class Answer(NamedTuple):
    """What the command line answered."""

    code: int
    out: str
    err: str


Selfdebug = Callable[..., Answer]
RunPython = Callable[..., subprocess.CompletedProcess[str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "slow" in item.keywords and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOW_SECONDS))


@cache
def python_command(user: str) -> tuple[str, ...]:
    """Return the command that starts Python as that user; skips the test where there is none.

    Root's own Python may lie where nobody else may look; another of at least 3.11 will do.
    """
    if user == "root" or os.geteuid() != 0:
        return (sys.executable,)
    if not shutil.which("setpriv"):
        pytest.skip("setpriv is not installed: cannot run as an ordinary user")
    names = [sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"]
    # setpriv keeps its capabilities until it has executed: the program must be asked.
    enough = (
        "import os, sys; sys.exit(sys.version_info < (3, 11) or not os.access(sys.executable, 1))"
    )
    for name in names:
        command = [*_NOBODY, name, "-S", "-c", enough]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return (*_NOBODY, name)
    pytest.skip("no Python of 3.11 or newer that an ordinary user may run")


@pytest.fixture(params=USERS, scope="session")
def run_python(request: pytest.FixtureRequest) -> RunPython:
    """Run Python source with arguments, this package importable, as root and as a user."""
    command = python_command(request.param)

    def run(source: str, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        boot = f"import sys; sys.path.insert(0, {SOURCE!r})\n{source}"
        return subprocess.run(
            [*command, "-S", "-s", "-P", "-B", "-c", boot, *arguments],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env={"PATH": os.environ["PATH"]},
        )

    return run


@pytest.fixture
def selfdebug(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Selfdebug:
    """Run the command line in this process, as its script does."""
    from selfdebug import cli

    def call(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["selfdebug", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        captured = capsys.readouterr()
        return Answer(int(stop.value.code or 0), captured.out, captured.err)

    return call
