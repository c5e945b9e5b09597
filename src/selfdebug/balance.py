"""Which repairs a run of `inject` may still add: new ones, that keep kinds and difficulty balanced.

It counts; it makes no bug, judges none and writes none.

    python -m pytest tests/test_inject.py
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from selfdebug.types import Kind, Language, Repair

# Times as many as of a language's rarest kind. Of four kinds that one nears at worst
# 1 / (1 + 3 x 1.85) = 15.3%; because of SLACK 15% is sure from a language's 2,300th repair on.
MOST = 1.85
ALL_FAIL_SHARE = 0.65  # of a kind, for bugs that fail every test: the easy ones to find
SLACK = 12  # repairs of a kind before any balance is kept


@dataclass(slots=True)
class Balance:
    """What a run may still add, as far as the repairs written so far decide it."""

    total: int
    kinds: Sequence[Kind]
    counts: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    all_fail: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    keys: set[str] = field(default_factory=set[str])

    @property
    def full(self) -> bool:
        """Whether there are as many repairs as were asked for."""
        return len(self.keys) >= self.total

    def count(self, repair: Repair) -> None:
        """Take note of a repair that was added."""
        place = repair.language, repair.kind
        self.keys.add(repair.key)
        self.counts[place] += 1
        self.all_fail[place] += bool(repair.details["all_fail"])

    def has_its_share(self, language: Language, kind: str) -> bool:
        """Tell whether one more of a kind would be too many beside a language's rarest kind."""
        rarest = min(self.counts[language, k] for k in self.kinds)
        return self.counts[language, kind] >= SLACK + MOST * rarest

    def is_rarest(self, language: Language, kind: str) -> bool:
        """Tell whether no kind of a language has fewer repairs: all others wait for this one."""
        return self.counts[language, kind] <= min(self.counts[language, k] for k in self.kinds)

    def wants(self, repair: Repair) -> bool:
        """Tell whether the repair is new and keeps the balance of kinds and of difficulty."""
        place = repair.language, repair.kind
        there = self.counts[place]
        too_easy = (
            repair.kind != "syntax"
            and bool(repair.details["all_fail"])
            and self.all_fail[place] >= SLACK + ALL_FAIL_SHARE * there
        )
        new = repair.key not in self.keys and not self.full
        return new and not self.has_its_share(*place) and not too_easy
