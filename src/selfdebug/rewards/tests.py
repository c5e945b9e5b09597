"""The share of its tests that a reply's program passes, as the sandbox judged them.

python -c "from selfdebug.rewards.tests import score; help(score)"
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from selfdebug.types import Verdict

SPAN = "code"
JUDGED = True


def reward(
    completions: Sequence[Any],
    *,
    verdict: Sequence[Verdict | None],
    all_pass_bonus: float = 0.0,
    **_: Any,
) -> list[float | None]:
    """Return 5 S_ut - 2.5, in [-2.5, 2.5]: LeDex's share of R(refinement) = 5 (S_cb + S_ut) - 5.

    all_pass_bonus: for a program that passes every test; LeDex gives none. None where there is no
    program, and on a fault of the harness, which says nothing about the program.
    """
    del completions
    return [
        None if (s := score(found)) is None else 5 * s - 2.5 + all_pass_bonus * (s == 1)
        for found in verdict
    ]


def score(verdict: Verdict | None) -> float | None:
    """Return S_ut, the share of tests passed, in [0, 1]."""
    return None if verdict is None or verdict.unknown else verdict.share_passed
