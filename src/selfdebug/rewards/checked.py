"""The share of an explanation's claims that the diff and the failing test bear out.

The checker is the one of the injected bugs (`explanations`): lines, quoted code and values that
the text states are compared with the wrong program, a right one and what the test showed. A kind of
claim that is never made counts as one that does not hold, or a single safe quotation would be the
best explanation. It needs no model and no text to compare with, so it also scores what was never
explained before.

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
KINDS = {"line", "code", "value"}  # where it is, what stands or should stand there, what was seen


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
    """Return the share of claims that hold, in [0, 1]: the best over the right programs."""
    own = [reply.code] if verdict is not None and verdict.passed else []
    right = [*own, *fixed][:MOST]
    if not reply.explanation.strip() or failure is None or not right:
        return None
    return max(_share(reply.explanation, request.broken, code, failure) for code in right)


def _share(explanation: str, broken: str, fixed: str, failure: TestResult) -> float:
    found = explanations.claims(explanation, broken, fixed, failure)
    missing = KINDS - {claim.kind for claim in found}
    return sum(claim.holds for claim in found) / (len(found) + len(missing))
