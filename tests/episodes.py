"""Episodes and folders of an `eval` made by hand, for what only counts them.

An outcome is a program's verdict, one letter a test: v a visible pass, h a hidden one; a capital
letter is a failure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from selfdebug.store import Store
from selfdebug.types import Completion, Episode, Task, Test, TestResult, Turn, Verdict

RIGHT, WRONG, FOOLED = "vh", "VH", "vH"  # FOOLED passes the visible test alone


def verdict(outcome: str) -> Verdict:
    results = tuple(
        TestResult(c.lower(), "pass" if c.islower() else "wrong", hidden=c.lower() == "h")
        for c in outcome
    )
    return Verdict("t", "sha", results, "A")


def episode(
    name: str, *outcomes: str, tokens: int = 10, explanation: str = "",
    codes: Mapping[int, str] | None = None, **fields: Any,
) -> Episode:  # fmt: skip
    """One turn for each outcome, the last of them the best. codes: of some turns, by number."""
    turns = tuple(
        Turn(
            Completion(
                f"p{n}", (codes or {}).get(n, f"p{n}"), explanation, completion_tokens=tokens
            ),
            verdict(outcome),
        )
        for n, outcome in enumerate(outcomes)
    )
    best = max(0, len(turns) - 1)
    return replace(Episode(name, "refine", 0, "b", turns, 1.0, "passed", best), **fields)


def write(
    folder: Path, episodes: Sequence[Episode], right: Sequence[Episode] = (),
    kinds: Mapping[str, str] | None = None,
) -> Path:  # fmt: skip
    """What an `eval` leaves. right: episodes that began with a right program. kinds: of bugs."""
    names = dict.fromkeys(e.task_id for e in (*episodes, *right))
    tests = (Test("v", "program", ""),)
    with Store(folder / "tasks.jsonl", Task) as store:
        store.append_many(
            Task(name, "python", "", "f", tests, bug_kind=(kinds or {}).get(name, ""))
            for name in names
        )
    for name, found in (("episodes", episodes), ("right", right)):
        with Store(folder / f"{name}.jsonl", Episode) as store:
            store.append_many(found)
    return folder
