"""The README's commands, run as a reader would: each prints what the README says it prints.

pytest tests/test_readme.py
"""

import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```console\n(.*?)^```", README, re.M | re.S)
EXAMPLES = re.findall(r"^\$ (selfdebug .+)\n((?:(?!\$ ).*\n)*)", "".join(BLOCKS), re.M)
MAKE = re.findall(r"^make ([a-z]+)", README, re.M)


def on_a_terminal(command: str, folder: Path) -> str:
    """What a command prints on a terminal a hundred columns wide, colours and times left out."""
    words = [sys.executable, "-m", *shlex.split(command)]
    environment = {**os.environ, "COLUMNS": "100", "TERM": "xterm"}
    reading, terminal = pty.openpty()
    with subprocess.Popen(
        words,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(terminal)
        printed = b""
        while chunk := read(reading):
            printed += chunk
        process.wait(timeout=120)
    os.close(reading)
    return printed.decode()


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # how a terminal says that the other side has left
        return b""


def comparable(text: str) -> str:
    """Leave out what differs between two runs or two terminals: times, spaces, colours."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return " ".join(re.sub(r"\b\d+\.\d\b(?=\s|$)", "TIME", plain).split())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A reader's clone, with the repository's examples and nothing else."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    me = ["-c", "user.name=reader", "-c", "user.email=reader@localhost"]
    for words in (["init", "--quiet"], ["add", "."], [*me, "commit", "--quiet", "-m", "examples"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


def test_there_are_examples() -> None:
    assert {command.split()[1] for command, _ in EXAMPLES} >= {"fix", "run"}


@pytest.mark.parametrize(("command", "printed"), EXAMPLES, ids=[c for c, _ in EXAMPLES])
def test_an_example_prints_what_the_readme_shows(command: str, printed: str, folder: Path) -> None:
    assert comparable(on_a_terminal(command, folder)) == comparable(printed)


@pytest.mark.parametrize("target", MAKE)
def test_a_make_target_exists(target: str) -> None:
    planned = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert planned.stdout.strip()


@pytest.mark.slow
def test_the_demo_repairs_programs_and_writes_its_report(tmp_path: Path) -> None:
    recipe = re.search(r"\$\(BIN\)/selfdebug (eval demo .*)", (ROOT / "Makefile").read_text())
    assert recipe is not None
    command = [sys.executable, "-m", "selfdebug", *recipe[1].split()]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "demo" / "report.html").stat().st_size > 10_000
    languages = [line.split("\t") for line in done.stdout.splitlines()]
    assert sum(int(row[2]) for row in languages if row[:2] == ["all", "all"]) >= 30
