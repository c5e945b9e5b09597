"""A like program that was repaired before, found by BM25 (needs the extra `retrieval`).

python -c "from selfdebug.feedback.retrieved import Repairs; help(Repairs)"
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import unified_diff
from importlib import import_module
from typing import Any

from selfdebug.feedback.failing_test import cap, failing_test
from selfdebug.types import Language, Repair, SelfdebugError, Task, TestResult


class Repairs:
    """A searchable set of repairs: BM25 over the tokens of broken program and feedback."""

    def __init__(self, repairs: Iterable[Repair]) -> None:
        """Take the repairs, by language; they are indexed when first searched."""
        self._groups: dict[Language, list[Repair]] = {}
        for repair in repairs:
            if _tokens(repair.broken):  # an empty program is like nothing
                self._groups.setdefault(repair.language, []).append(repair)
        self._indexes: dict[Language, Any] = {}

    def of_others(self, task: Task) -> list[Repair]:
        """Return the repairs of other tasks in the task's language."""
        return [r for r in self._groups.get(task.language, []) if r.task_id != task.id]

    def like(self, task: Task, text: str) -> Repair | None:
        """Return the repair most like the text. One of the same task would give it away."""
        words, group = _tokens(text), self._groups.get(task.language)
        if not words or not group:
            return None
        scores: Iterable[float] = self._index(task.language).get_scores(words).tolist()
        ranked = sorted(zip(scores, range(len(group)), strict=True), reverse=True)
        best = (group[i] for score, i in ranked if score > 0 and group[i].task_id != task.id)
        return next(best, None)

    def _index(self, language: Language) -> Any:
        if language not in self._indexes:
            try:
                bm25s: Any = import_module("bm25s")  # it has no types
            except ImportError as error:
                raise SelfdebugError(
                    "retrieved feedback needs bm25s: pip install 'selfdebug[retrieval]'"
                ) from error
            index: Any = bm25s.BM25()
            tokens = [_tokens(r.broken + r.feedback) for r in self._groups[language]]
            index.index(tokens, show_progress=False)
            # Only a whole index may be seen by the other threads.
            self._indexes[language] = index
        return self._indexes[language]


def _tokens(text: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]+", text)


def retrieved(task: Task, code: str, failure: TestResult | None, repairs: Repairs | None) -> str:
    """Return a like program that was repaired before: what was wrong and what was changed."""
    if repairs is None:
        raise SelfdebugError("retrieved feedback needs a store of repairs to search in")
    found = repairs.like(task, code + failing_test(task, code, failure))
    if found is None:
        return "No like program was repaired before."
    diff = unified_diff(found.broken.splitlines(), found.fixed.splitlines(), lineterm="", n=2)
    changes = "\n".join(list(diff)[2:])  # without the file names
    return f"A like program was repaired before.\n{cap(found.explanation)}\n{cap(changes, 600)}"
