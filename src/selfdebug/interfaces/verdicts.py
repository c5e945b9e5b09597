"""Verdicts as rows of a table and as JSON, for people and for programs.

selfdebug run program.py --task humaneval:HumanEval/0 --json
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from selfdebug.types import TestResult, Verdict

HEADS = ("test", "status", "ms", "what happened")


def rows(verdict: Verdict) -> Iterator[tuple[str, str, str, str]]:
    """Yield one row a test."""
    for result in verdict.results:
        name = f"{result.test_id} (hidden)" if result.hidden else result.test_id
        yield name, result.status, f"{result.seconds * 1000:.1f}", explain(result)


def explain(result: TestResult) -> str:
    """Say in one line what a test showed; nothing for a pass."""
    if result.status == "pass":
        return ""
    parts: list[str] = []
    if result.call:
        parts.append(result.call)
    if result.got or result.expected:
        parts.append(f"gave {result.got or 'nothing'}, expected {result.expected or 'otherwise'}")
    if result.message:
        parts.append(result.message + (f" (line {result.line})" if result.line else ""))
    return ": ".join(parts)


def summary(verdict: Verdict) -> str:
    """Say in one line what all tests together showed, and how it was reached."""
    passed = sum(result.status == "pass" for result in verdict.results)
    word = "unknown" if verdict.unknown else "pass" if verdict.passed else "fail"
    how = f"tier {verdict.tier}" + (", not split" if verdict.trust == "in_process" else "")
    return f"{verdict.task_id}: {word}, {passed} of {len(verdict.results)} tests pass ({how})"


def as_json(verdict: Verdict) -> dict[str, Any]:
    """Return everything a program may want to read."""
    return {"passed": verdict.passed, "unknown": verdict.unknown, **asdict(verdict)}
