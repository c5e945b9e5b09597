"""What was said about another task's program: the control that real feedback must beat.

A model that gains as much from it does not read: it draws again. The same program is always told
the same, so that a run can be resumed.

    selfdebug eval demo --feedback shuffled --repairs runs/bugs/repairs.jsonl --out runs/control
"""

from __future__ import annotations

import hashlib

from selfdebug.feedback.retrieved import Repairs
from selfdebug.types import SelfdebugError, Task


def shuffled(task: Task, code: str, repairs: Repairs | None) -> str:
    """Return the feedback of another task's failure, picked by the program's text."""
    if repairs is None:
        raise SelfdebugError("shuffled feedback needs repairs to take it from: --repairs FILE")
    others = repairs.of_others(task)
    if not others:
        raise SelfdebugError(f"shuffled feedback: no repair of another {task.language} task")
    digest = hashlib.sha256(f"{task.id}\n{code}".encode("utf-8", "surrogatepass")).digest()
    return others[int.from_bytes(digest[:8]) % len(others)].feedback
