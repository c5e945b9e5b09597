"""The commands of docs/training-data.md, run in their order: each prints what the page shows.

pytest tests/test_docs.py
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "training-data.md").read_text()
BLOCKS = re.findall(r"^```console\n(.*?)^```", PAGE, re.M | re.S)
EXAMPLES = re.findall(r"^\$ (selfdebug .+)\n((?:(?!\$ ).*\n)*)", "".join(BLOCKS), re.M)


def words(text: str) -> str:
    """The page breaks its lines where it likes; how many rows show a right program is chance."""
    return re.sub(r"\d+ rows", "N rows", " ".join(text.split()))


def test_the_commands_print_what_the_page_shows(tmp_path: Path) -> None:
    environment = {**os.environ, "SELFDEBUG_DATA": str(tmp_path)}  # a reader without data sets
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    assert {command.split()[1] for command, _ in EXAMPLES} == {"inject", "export", "eval"}
    for command, printed in EXAMPLES:
        done = subprocess.run(
            [sys.executable, "-m", *shlex.split(command)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment,
            timeout=280,
        )
        assert words(done.stdout or done.stderr) == words(printed), (command, done.stderr)
    files = {path.name for path in (tmp_path / "runs" / "bugs").iterdir()}
    named = set(re.findall(r"^\| `([\w.]+)` \|", PAGE, re.M))
    assert named & files == {"repairs.jsonl", "visits.jsonl", "README.md", "run.toml"}
