"""Real editors, set up as docs/editors.md says: from a wrong file to a mended buffer.

pytest tests/test_editors.py -m slow
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
DRIVERS = Path(__file__).parent / "fixtures" / "editors"
PAGE = (ROOT / "docs" / "editors.md").read_text()

PROJECTS = {
    "total.py": (
        "def total(xs):\n    found = 0\n    for at in range(len(xs) - 1):\n"
        "        found += xs[at]\n    return found\n",
        "range(len(xs) - 1)",
        "range(len(xs))",
        "test_total.py",
        "from total import total\n\nassert total([]) == 0\nassert total([1, 3]) == 4\n",
    ),
    "total.js": (
        "function total(xs) {\n  let found = 0;\n  for (let at = 0; at < xs.length - 1; at++) {\n"
        "    found += xs[at];\n  }\n  return found;\n}\nmodule.exports = { total };\n",
        "at < xs.length - 1",
        "at <= xs.length - 1",
        "total.test.js",
        "const assert = require('node:assert');\nconst { total } = require('./total.js');\n\n"
        "assert.strictEqual(total([]), 0);\nassert.strictEqual(total([1, 3]), 4);\n",
    ),
}

Seen = dict[str, Any]


def block(language: str) -> str:
    """The set-up text of an editor, as the page has it."""
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)
    assert found
    return found[1]


def project(folder: Path, name: str) -> tuple[str, str]:
    """Make a project with a wrong file; return the text of the mended one and its tests' name."""
    wrong, old, new, tests, text = PROJECTS[name]
    (folder / name).write_text(wrong)
    (folder / tests).write_text(text)
    return wrong.replace(old, new), tests


def edit(folder: Path, command: list[str]) -> Seen:
    """Run an editor in a folder; return what its driver saw."""
    home = folder / "home"
    home.mkdir()
    where = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    settings = {"HOME": str(home), "PATH": where, "SEEN": str(home / "seen.json"), "TERM": "dumb"}
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **settings}, capture_output=True, timeout=200
    )
    assert (home / "seen.json").exists(), done.stderr.decode()
    seen: Seen = json.loads((home / "seen.json").read_text())
    assert "missing" not in seen, (seen["missing"], done.stderr.decode())
    return seen


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("nvim") is None, reason="neovim is not installed")
@pytest.mark.parametrize("name", PROJECTS)
def test_neovim_from_a_wrong_file_to_a_mended_buffer(tmp_path: Path, name: str) -> None:
    if name.endswith(".js") and shutil.which("node") is None:
        pytest.skip("node is not installed")
    mended, tests = project(tmp_path, name)
    before = (tmp_path / tests).read_bytes()
    (tmp_path / "init.lua").write_text(block("lua"))
    driver = DRIVERS / "neovim.lua"
    seen = edit(
        tmp_path,
        ["nvim", "--headless", "--clean", "-nu", "init.lua", name, "-c", f"luafile {driver}"],
    )
    assert seen["unsaved"] == mended
    assert seen["saved"] == mended
    assert [each["lnum"] for each in seen["diagnostics"]] == [2]
    assert "On line 3" in seen["diagnostics"][0]["message"]
    assert "On line 3" in seen["hover"]
    assert (tmp_path / tests).read_bytes() == before
