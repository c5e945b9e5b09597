"""The README's `make` targets, and the demo; `test_docs.py` runs its other commands.

pytest tests/test_readme.py
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
MAKE = re.findall(r"^make ([a-z]+)", README, re.M)


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
