"""BLEU of two token lists, plain or with heavier keywords. It knows no language.

python -c "from selfdebug.rewards.codebleu.ngrams import bleu; print(bleu('a b c', 'a b d'))"
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence

LONGEST = 4
HEAVY = 5.0  # what a keyword counts where another token counts 1 (Ren et al. 2020, section 3.1)


def bleu(
    candidate: Sequence[str], reference: Sequence[str], keywords: Collection[str] = ()
) -> float:
    """Return BLEU with n-grams up to 4 (Papineni et al. 2002), in [0, 1].

    keywords: tokens whose unigrams weigh `HEAVY`. Lists shorter than 4 are compared by the n-grams
    that both have. A count of zero is taken as 0.1 of one n-gram (Chen & Cherry 2014, smoothing
    1), without which most short programs would have no BLEU at all.
    """
    longest = min(LONGEST, len(candidate), len(reference))
    if not longest:
        return 0.0
    logs = [
        math.log(_precision(candidate, reference, n, keywords if n == 1 else ()))
        for n in range(1, longest + 1)
    ]
    brevity = min(0.0, 1 - len(reference) / len(candidate))
    return math.exp(brevity + sum(logs) / longest)


def _precision(
    candidate: Sequence[str], reference: Sequence[str], n: int, keywords: Collection[str]
) -> float:
    """Return the share of the candidate's n-grams that the reference has, each as often."""
    said, wanted = _count(candidate, n), _count(reference, n)

    def weight(gram: tuple[str, ...]) -> float:
        return HEAVY if gram[0] in keywords else 1.0

    found = sum(weight(gram) * count for gram, count in (said & wanted).items())
    total = sum(weight(gram) * count for gram, count in said.items())
    return (found or 0.1) / total


def _count(tokens: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(tokens[at : at + n]) for at in range(len(tokens) - n + 1))
