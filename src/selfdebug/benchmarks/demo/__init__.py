"""Programs that ship with selfdebug: broken ones to mend, and right ones to put bugs into.

Each file `python/*.md` or `javascript/*.md` is one program (see `formats/exercises.py`). Split
"bugs" holds every bug, a task each; "demo" the first of each program; "references" every program
as it should be.

    selfdebug eval demo --backend search
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from selfdebug.formats import exercises
from selfdebug.formats.data import check_split
from selfdebug.types import Task

LICENSE = "Apache-2.0"
SPLITS = ("demo", "bugs", "references")
EVALUATION_ONLY: tuple[str, ...] = ()
DATA = ()


def load(split: str = "demo", source: str = "") -> Iterator[Task]:
    """Yield the tasks; `source` is another folder in the same form."""
    check_split("demo", split, SPLITS)
    root = Path(source) if source else Path(__file__).parent
    for path, language in exercises.files(root):
        right, bugs = exercises.read(path, language, "demo", LICENSE)
        if split == "references":
            yield right
        else:
            yield from bugs if split == "bugs" else bugs[:1]
