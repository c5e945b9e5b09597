"""Rewards to advantages of single tokens: each reward on its own span, and nowhere else.

A reward is compared with the same reward of the other replies to the same prompt. It is not
divided by their standard deviation, which would blow a hair's breadth of CodeBLEU up to the size
of a passed test. Letters in names: B rows, N rows of all processes, G of a group, K rewards, T
tokens.

    python -c "from selfdebug.rl.credit import advantages; help(advantages)"
"""

from __future__ import annotations

from typing import Any


def centred(rewards_NK: Any, group: int) -> Any:
    """Return each reward minus its mean over the group's replies that have it, shape (N, K).

    nan, for a reward that does not apply, becomes 0: no credit.
    """
    rewards_PGK = rewards_NK.view(-1, group, rewards_NK.shape[1])
    return (rewards_PGK - rewards_PGK.nanmean(dim=1, keepdim=True)).view_as(rewards_NK).nan_to_num()


def advantages(centred_BK: Any, spans_BKT: Any, mask_BT: Any) -> Any:
    """Return advantages of shape (B, T), added where spans meet.

    spans_BKT: 1 for the tokens of a reward's span. Each is spread evenly over its span, times the
    row's length, which the loss will divide by: so in the loss a reward counts once, however many
    tokens its span has. (Of the gradient: the mean over the span, times the centred reward.)
    """
    spans_BKT = spans_BKT * mask_BT[:, None]
    each_BK = centred_BK / spans_BKT.sum(dim=-1).clamp(min=1)
    return (each_BK[..., None] * spans_BKT).sum(dim=1) * mask_BT.sum(dim=-1, keepdim=True)
