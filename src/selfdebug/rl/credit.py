"""Rewards to advantages of single tokens: each reward on its own span, and nowhere else.

A reward is compared with the same reward of the other replies to the same prompt. It is not
divided by their standard deviation, which would blow a hair's breadth of CodeBLEU up to the size
of a passed test. Letters in names: B rows, N rows of all processes, P prompts, G of a group, K
rewards, T tokens.

    python -c "from selfdebug.rl.credit import advantages; help(advantages)"
"""

from __future__ import annotations

from typing import Any


def with_least(rewards_NK: Any, malformed_N: Any, group: int) -> Any:
    """Return the rewards with the least of its group for whatever a malformed reply should have.

    A part that is missing has no reward, and none is as good as the group's mean: without this, to
    leave a part out would be better than to get it wrong. A reward that no reply of the group has
    stays nan.
    """
    rewards_PGK = rewards_NK.view(-1, group, rewards_NK.shape[1])
    least_P1K = rewards_PGK.nan_to_num(nan=float("inf")).amin(dim=1, keepdim=True)
    applies_PGK = malformed_N.view(-1, group, 1) & least_P1K.isfinite()
    return least_P1K.where(applies_PGK, rewards_PGK).view_as(rewards_NK)


def centred(rewards_NK: Any, group: int) -> Any:
    """Return each reward minus its mean over the group's replies that have it, shape (N, K).

    nan, for a reward that does not apply, becomes 0: no credit.
    """
    rewards_PGK = rewards_NK.view(-1, group, rewards_NK.shape[1])
    return (rewards_PGK - rewards_PGK.nanmean(dim=1, keepdim=True)).view_as(rewards_NK).nan_to_num()


def advantages(centred_BK: Any, spans_BKT: Any, group: int) -> Any:
    """Return credit for each token, shape (B, T), added where spans meet.

    spans_BKT: 1 for the tokens of a reward's span. Each token of it gets the centred reward divided
    by the span's mean length in the group. So the program, which is long, counts no more than its
    explanation; but of two replies to one prompt a token of either counts the same. (Divided by its
    own length, a bad reply would be the less bad the longer it is: Liu et al. 2025, arXiv
    2503.20783.)
    """
    lengths_PGK = spans_BKT.sum(dim=-1).view(-1, group, spans_BKT.shape[1])
    having_P1K = (lengths_PGK > 0).sum(dim=1, keepdim=True).clamp(min=1)
    mean_PGK = (lengths_PGK.sum(dim=1, keepdim=True) / having_P1K).expand_as(lengths_PGK)
    each_BK = centred_BK / mean_PGK.reshape_as(centred_BK).clamp(min=1)
    return (each_BK[..., None] * spans_BKT).sum(dim=1)
