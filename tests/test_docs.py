"""The commands of the README and of docs/*.md, run as a reader would, page by page.

Each page gets an empty folder with the repository's examples/, one shell and a terminal. Every
command of a ```console or ```sh block is run there, in the page's order; what a console block shows
is compared with what is printed. docs/commands.toml lists, with reasons, what is not run as it is.

    pytest tests/test_docs.py -m "slow or not slow"
"""

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = tomllib.loads((ROOT / "docs" / "commands.toml").read_text())
NOT_RUN, SMALLER, SLOW = SETTINGS["not_run"], SETTINGS["smaller"], SETTINGS["slow"]
VARIES = re.compile("|".join(SETTINGS["varies"]))
# docs/cli.md is the program's own --help, and `generate.py --check` compares the two.
PAGES = {p.name: p for p in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))}
PAGES.pop("cli.md")

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
PROGRAMS = ("selfdebug", "make", "pip")  # what a block without a language begins with, if it is sh
SAVED = re.compile(r"^Save this as `([\w.]+)`:\n\n```\w+\n(.*?)^```$", re.M | re.S)
MARK = "\x1e"


class Command(NamedTuple):
    """A command, and what the page shows that it prints: None when the page shows nothing."""

    text: str
    printed: str | None


def commands(page: str) -> list[Command]:
    """Every command of a page, in its order."""
    found: list[Command] = []
    for language, block in FENCE.findall(page):
        joined = block.replace("\\\n", " ")
        if language == "console":
            for part in re.split(r"^\$ ", joined, flags=re.M)[1:]:
                text, _, printed = part.partition("\n")
                found.append(Command(text, printed.strip() or None))
        elif language == "sh" or (not language and block.split()[0] in PROGRAMS):
            lines = (line.partition(" # ")[0].strip() for line in joined.splitlines())
            found += [Command(line, None) for line in lines if line and line[0] != "#"]
    return found


def is_run(command: Command) -> bool:
    return not command.text.startswith(tuple(NOT_RUN))


def comparable(text: str) -> str:
    """Leave out what differs between two runs or two terminals: times, hashes, spaces, colours."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    return " ".join(VARIES.sub("#", plain).split())


def shown(printed: str) -> re.Pattern[str]:
    """The pattern of what a page shows: "..." stands for anything."""
    parts = (re.escape(comparable(part)) for part in printed.split("..."))
    return re.compile(".*?".join(parts))


def run(page: str, folder: Path) -> list[str]:
    """Run a page in a folder; return what is wrong, one line a command."""
    prepare(page, folder)
    wanted = [command for command in commands(page) if is_run(command)]
    script = "".join(f"{SMALLER.get(c.text, c.text)}\nprintf '{MARK}%s{MARK}' $?\n" for c in wanted)
    parts = on_a_terminal(script, folder).split(MARK)
    outcomes = list(zip(parts[0::2], parts[1::2], strict=False))
    wrong: list[str] = []
    for command, (printed, code) in zip(wanted, outcomes, strict=False):
        if command.printed is None:
            if code != "0":
                wrong.append(f"{command.text}: exit code {code}: {printed.strip()}")
        elif not shown(command.printed).fullmatch(comparable(printed)):
            wrong.append(f"{command.text}: the page shows another output than: {printed.strip()}")
    if len(outcomes) < len(wanted):
        wrong.append(f"{wanted[len(outcomes)].text}: the shell ended there")
    return wrong


def prepare(page: str, folder: Path) -> None:
    """Make a reader's folder: the examples, committed, and the files that the page says to save."""
    shutil.copytree(ROOT / "examples", folder / "examples")
    for name, text in SAVED.findall(page):
        (folder / name).write_text(text)
    me = ["-c", "user.name=reader", "-c", "user.email=reader@localhost"]
    for words in (["init", "--quiet"], ["add", "."], [*me, "commit", "--quiet", "-m", "examples"]):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def on_a_terminal(script: str, folder: Path) -> str:
    """What a shell script prints on a terminal a hundred columns wide that shows no animation."""
    program = folder / ".git" / "selfdebug"  # on the PATH, and out of the reader's sight
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m selfdebug "$@"\n')
    program.chmod(0o755)
    environment = {k: v for k, v in os.environ.items() if k != "SELFDEBUG_OFFLINE"} | {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "SELFDEBUG_DATA": str(folder),  # a reader without data sets
        "COLUMNS": "100",
        "LINES": "50",
        "TERM": "dumb",
    }
    reading, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 50, 100, 0, 0))
    with subprocess.Popen(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        printed = b""
        while chunk := read(reading):
            printed += chunk
        process.wait()
    os.close(reading)
    return printed.decode()


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # how a terminal says that the other side has left
        return b""


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in sorted(PAGES)]
)
def test_the_commands_do_what_the_page_says(name: str, tmp_path: Path) -> None:
    assert run(PAGES[name].read_text(), tmp_path) == []


def test_what_is_not_run_is_on_a_page_and_has_a_reason() -> None:
    texts = [c.text for page in PAGES.values() for c in commands(page.read_text())]
    assert [s for s in NOT_RUN if not any(text.startswith(s) for text in texts)] == []
    assert SMALLER.keys() <= set(texts)
    assert all(len(reason.split()) > 3 for reason in NOT_RUN.values())
    assert set(SLOW) <= PAGES.keys()


def test_most_commands_are_run() -> None:
    found = [c for page in PAGES.values() for c in commands(page.read_text())]
    assert {c.text.split()[1] for c in found if is_run(c)} >= {"fix", "run", "eval", "inject"}


def test_a_broken_command_is_found(tmp_path: Path) -> None:
    page = """
```console
$ echo one two
one two
$ echo "took 1.5 s, and more"
took 9.9 s, ... more
$ echo three
four
```
```sh
cd examples
false   # with a comment
test -f moving_average.py && \\
    test ! -d examples
exit 0
true
```
"""
    assert run(page, tmp_path) == [
        "echo three: the page shows another output than: three",
        "false: exit code 1: ",
        "exit 0: the shell ended there",
    ]
