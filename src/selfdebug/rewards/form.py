"""A penalty for a reply that is not what was asked for: cut off, or a part of it is missing.

It is spread over the whole reply, since there is no span to put it on.

    python -c "from selfdebug.rewards.form import malformed; help(malformed)"
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from selfdebug.types import Completion, Request

SPAN = "reply"
JUDGED = False
PENALTY = -5.0  # the least that LeDex's rewards can be


def reward(
    completions: Sequence[Any],
    *,
    request: Sequence[Request],
    reply: Sequence[Completion],
    **_: Any,
) -> list[float | None]:
    """Return -5 for a malformed reply and 0 for any other."""
    del completions
    return [
        PENALTY if malformed(asked, said) else 0.0
        for asked, said in zip(request, reply, strict=True)
    ]


def malformed(request: Request, reply: Completion) -> bool:
    """Tell whether a reply was cut off, or lacks its program or the explanation asked for."""
    unexplained = request.mode == "explain_refine" and not reply.explanation.strip()
    return reply.finish_reason == "length" or not reply.code.strip() or unexplained
