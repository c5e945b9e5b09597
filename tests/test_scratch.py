"""The workers' folders: one goes with its sandbox, or with the next one after a kill."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from selfdebug.sandbox.scratch import LOCK, PREFIX, Scratch, sweep

HOLDS = "from selfdebug.sandbox.scratch import Scratch; print(Scratch().path, flush=True); input()"


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_holds_is_not():
    own = Scratch()
    started = subprocess.Popen(
        [sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with started as other:
        left = Path(other.stdout.readline().strip())
        sweep()
        assert left.is_dir()
        other.send_signal(signal.SIGKILL)
    assert left.is_dir()
    sweep()
    assert not left.exists()
    assert own.path.is_dir()
    own.close()
    assert not own.path.exists()


def test_a_folder_that_was_never_locked_is_left_alone():
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    sweep()
    assert folder.is_dir()
    folder.rmdir()


@pytest.mark.parametrize("name", ["selfdebug-mine-", PREFIX])
def test_nobody_elses_folder_is_touched(name: str, monkeypatch: pytest.MonkeyPatch):
    folder = Path(tempfile.mkdtemp(prefix=name))
    (folder / LOCK).touch()
    if name == PREFIX:
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    sweep()
    assert folder.is_dir()
    (folder / LOCK).unlink()
    folder.rmdir()
