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
import zipfile
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

EMACS = ["emacs", "--batch", "-f", "package-initialize"]

Seen = dict[str, Any]


def block(language: str) -> str:
    """The set-up text of an editor, as the page has it."""
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)
    assert found
    return found[1]


def has_eglot() -> bool:
    if shutil.which("emacs") is None:
        return False
    asked = [*EMACS, "--eval", "(require 'eglot)"]
    return subprocess.run(asked, capture_output=True, timeout=60, check=False).returncode == 0


def edit(folder: Path, command: list[str], **more: str) -> Seen:
    """Run an editor in a folder; return what its driver saw."""
    home = folder / "home"
    home.mkdir()
    where = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    settings = {
        "HOME": str(home),
        "PATH": where,
        "SEEN": str(home / "seen.json"),
        "TERM": "dumb",
        **more,
    }
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **settings}, capture_output=True, timeout=200
    )
    assert (home / "seen.json").exists(), done.stderr.decode()
    seen: Seen = json.loads((home / "seen.json").read_text())
    assert "missing" not in seen, (seen["missing"], done.stderr.decode())
    return seen


def mended_by(folder: Path, name: str, command: list[str], **settings: str) -> Seen:
    """Mend a file in an editor, unsaved and saved; its tests must stay as they are."""
    if name.endswith(".js") and shutil.which("node") is None:
        pytest.skip("node is not installed")
    wrong, old, new, tests, text = PROJECTS[name]
    (folder / name).write_text(wrong)
    (folder / tests).write_text(text)
    seen = edit(folder, command, WRONG=wrong, **settings)
    assert seen["unsaved"] == wrong.replace(old, new)
    assert seen["saved"] == wrong.replace(old, new)
    assert (folder / tests).read_text() == text
    return seen


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("nvim") is None, reason="neovim is not installed")
@pytest.mark.parametrize("name", PROJECTS)
def test_neovim_from_a_wrong_file_to_a_mended_buffer(tmp_path: Path, name: str) -> None:
    (tmp_path / "init.lua").write_text(block("lua"))
    driver = f"luafile {DRIVERS / 'neovim.lua'}"
    seen = mended_by(
        tmp_path, name, ["nvim", "--headless", "--clean", "-nu", "init.lua", name, "-c", driver]
    )
    assert [each["lnum"] for each in seen["diagnostics"]] == [2]
    assert "On line 3" in seen["diagnostics"][0]["message"]
    assert "On line 3" in seen["hover"]


@pytest.mark.slow
@pytest.mark.skipif(not has_eglot(), reason="emacs with eglot is not installed")
@pytest.mark.parametrize("name", PROJECTS)
def test_emacs_from_a_wrong_file_to_a_mended_buffer(tmp_path: Path, name: str) -> None:
    (tmp_path / "init.el").write_text(block("elisp"))
    (tmp_path / ".git").mkdir()  # a project of its own, so that eglot asks nothing
    driver = str(DRIVERS / "emacs.el")
    seen = mended_by(tmp_path, name, [*EMACS, "-l", "init.el", "-l", driver, name])
    assert [text for text in seen["diagnostics"] if "On line 3" in text]


@pytest.mark.slow
@pytest.mark.skipif(
    not (ROOT / "editors" / "vscode" / "node_modules").is_dir(),
    reason="npm ci has not been run in editors/vscode",
)
def test_the_vs_code_extension_builds(tmp_path: Path) -> None:
    folder = tmp_path / "vscode"
    shutil.copytree(ROOT / "editors" / "vscode", folder, symlinks=True)
    subprocess.run(["npm", "run", "package"], cwd=folder, check=True, timeout=280)
    with zipfile.ZipFile(folder / "selfdebug.vsix") as package:
        assert "extension/dist/extension.js" in package.namelist()


def test_the_extensions_lock_file_names_no_machine() -> None:
    """It holds versions and hashes alone, so that any registry serves."""
    lock = json.loads((ROOT / "editors" / "vscode" / "package-lock.json").read_text())
    packages = [each for path, each in lock["packages"].items() if path]
    assert len(packages) > 10
    assert all("resolved" not in each and "integrity" in each for each in packages)
