"""The workers' folders in the temporary directory; what killed processes left is removed.

Each folder is locked as long as its process lives, in whatever container: a folder whose lock can
be taken belongs to nobody any more. It starts no worker.

    python -c "from selfdebug.sandbox.scratch import sweep; print(sweep())"
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = "selfdebug-"
_LOCK = "lock"


class Scratch:
    """A folder that other users may look into, until it is closed."""

    def __init__(self) -> None:
        """Make the folder."""
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self.path.chmod(0o755)  # the worker runs under another user id
        # Nobody may find the lock before it is held.
        new = self.path / f"{_LOCK}.new"
        self._lock = os.open(new, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        new.rename(self.path / _LOCK)

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def sweep() -> int:
    """Remove the folders that nobody holds, and return how many there were."""
    removed = 0
    for lock in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{_LOCK}"):
        try:
            held = os.open(lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:  # another user's, or just removed
            continue
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)
            removed += 1
        except BlockingIOError:
            pass  # its process lives
        finally:
            os.close(held)
    return removed
