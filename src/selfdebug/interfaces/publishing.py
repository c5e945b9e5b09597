"""What a model's card says of an evaluation: the table that `eval` prints.

python -c "from selfdebug.interfaces.publishing import figures_of; help(figures_of)"
"""

from __future__ import annotations

from pathlib import Path

from selfdebug.interfaces.runs import HEADS, figures
from selfdebug.store import Store
from selfdebug.summary import rows
from selfdebug.types import Episode, SelfdebugError, Task


def figures_of(folder: Path) -> list[tuple[str, ...]]:
    """Return the table of the evaluation in a folder, its head first."""
    if not (folder / "episodes.jsonl").is_file():
        raise SelfdebugError(f"{folder} holds no episodes.jsonl: is it the folder of an `eval`?")
    tasks = {task.id: task for task in Store(folder / "tasks.jsonl", Task)}
    right = Store(folder / "right.jsonl", Episode)
    return [HEADS, *figures(rows(tasks, Store(folder / "episodes.jsonl", Episode), right))]
