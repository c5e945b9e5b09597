"""The share of an explanation's claims that the diff and the failing test bear out.

The checker is the one of the injected bugs (`explanations`): lines, quoted code and values that
the text states are compared with the wrong program, a right one and what the test showed. It needs
no model and no text to compare with, so it also scores what was never explained before.

    python -c "from selfdebug.rewards.checked import score; help(score)"
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from selfdebug import explanations
from selfdebug.types import Completion, Request, TestResult, Verdict

SPAN = "explanation"
JUDGED = True
MOST = 4  # right programs that an explanation is compared with


def reward(
    completions: Sequence[Any],
    *,
    request: Sequence[Request],
    reply: Sequence[Completion],
    verdict: Sequence[Verdict | None],
    failure: Sequence[TestResult | None],
    fixed: Sequence[Sequence[str]],
    **_: Any,
) -> list[float | None]:
    """Return 10 S - 5, in [-5, 5]: the range of LeDex's R(explanation).

    An explanation is compared with its own program where that passes, and with the known repairs.
    None without an explanation, a failure to be explained, or a right program to compare with.
    """
    del completions
    return [
        None if (s := score(*row)) is None else 10 * s - 5
        for row in zip(request, reply, verdict, failure, fixed, strict=True)
    ]


def score(
    request: Request,
    reply: Completion,
    verdict: Verdict | None,
    failure: TestResult | None,
    fixed: Sequence[str],
) -> float | None:
    """Return the share of claims that hold, in [0, 1]: the best over the right programs.

    0 for a text that claims nothing: it would be the surest way to say nothing false.
    """
    own = [reply.code] if verdict is not None and verdict.passed else []
    right = [*own, *fixed][:MOST]
    if not reply.explanation.strip() or failure is None or not right:
        return None
    found = (explanations.score(reply.explanation, request.broken, code, failure) for code in right)
    return max(share or 0.0 for share in found)
