"""The workers' folders in the temporary directory; what killed processes left is removed.

Each folder is locked as long as its process lives, in whatever container: a folder of our own whose
lock can be taken belongs to nobody any more. It starts no worker.

    python -c "from selfdebug.sandbox.scratch import sweep; print(sweep())"
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PREFIX, LOCK = "selfdebug-worker-", ".selfdebug-lock"  # nobody else's folder looks like this


class Scratch:
    """A folder that other users may look into, until it is closed."""

    def __init__(self) -> None:
        """Make the folder."""
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self.path.chmod(0o755)  # the worker runs under another user id
        new = self.path / f"{LOCK}.new"
        self._lock = os.open(new, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        except OSError:  # a file system without locks: nobody may find it, and nobody sweeps here
            return
        new.rename(self.path / LOCK)  # not before it is held

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def sweep() -> int:
    """Remove our folders that no process holds, and return how many there were."""
    return sum(map(_swept, Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}")))


def _swept(lock: Path) -> bool:
    try:
        held = os.open(lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:  # another user's, or just removed
        return False
    try:
        if os.fstat(held).st_uid != os.geteuid():  # root could, and must not
            return False
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(lock.parent, ignore_errors=True)
    except OSError:  # its process lives
        return False
    finally:
        os.close(held)
    return True
