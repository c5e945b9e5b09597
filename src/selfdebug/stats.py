"""The statistics that reports quote: shares with intervals, pass@k, paired comparisons.

Pure Python, because the core installs no numpy; a thousand tasks take a fraction of a second.
Everything is seeded. Programs sampled for one task are not independent of each other, so
intervals resample whole tasks (clusters), never single programs.

    python -c "from selfdebug import stats; print(stats.wilson(60, 164))"
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import NormalDist, fmean

Clusters = Mapping[str, Sequence[float]]  # task id -> one value for each of its samples


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and the ends of its confidence interval."""

    value: float
    low: float
    high: float


def pass_at_k(n: int, correct: int, k: int) -> float:
    """Return the unbiased estimate of pass@k from `correct` right programs among n.

    1 - C(n - c, k) / C(n, k): the chance that k of the n, drawn without replacement, hold a right
    one (Chen et al. 2021, "Evaluating Large Language Models Trained on Code", section 2.1).
    """
    if not (0 <= correct <= n and 1 <= k <= n):
        raise ValueError(f"pass@k needs 0 <= correct <= n and 1 <= k <= n, not {n, correct, k}")
    return 1.0 - math.comb(n - correct, k) / math.comb(n, k)


def wilson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Return the Wilson score interval of a share of n independent trials.

    (p + z²/2n ± z·sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n) (Wilson 1927). Unlike p ± z·se it stays
    in [0, 1], and it is not a point when all or none succeed.
    """
    if n == 0:
        return Interval(math.nan, 0.0, 1.0)
    z = NormalDist().inv_cdf(0.5 + level / 2)
    p = successes / n
    middle = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # At the ends the formula gives exactly 0 and 1, but for rounding.
    low = 0.0 if successes == 0 else (middle - half) / scale
    high = 1.0 if successes == n else (middle + half) / scale
    return Interval(p, low, high)


def bootstrap(
    clusters: Clusters,
    *,
    statistic: Callable[[Iterable[float]], float] = fmean,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Return `statistic` over the tasks' means, with a percentile bootstrap interval over tasks.

    Tasks are drawn with replacement, each with all of its samples (the cluster bootstrap; Efron
    and Tibshirani 1993, chapter 13 for the percentile method).
    """
    # In the tasks' own order: episodes are stored as they end, and that must not move an interval.
    means = [fmean(clusters[task]) for task in sorted(clusters) if clusters[task]]
    if not means:
        return Interval(math.nan, math.nan, math.nan)
    rng = Random(seed)
    draws = sorted(statistic(rng.choices(means, k=len(means))) for _ in range(resamples))
    return Interval(statistic(means), *_percentiles(draws, level))


def share(clusters: Clusters, *, level: float = 0.95, seed: int = 0) -> Interval:
    """Return the mean over tasks of a yes-or-no outcome, with the interval that fits its design.

    One sample a task: the tasks are independent trials, so Wilson. Several: the bootstrap over
    tasks, unless all outcomes agree; it is then a point that claims certainty, and Wilson with
    one trial a task is the honest answer.
    """
    values = [value for sampled in clusters.values() for value in sampled]
    tasks = sum(1 for sampled in clusters.values() if sampled)
    if len(values) == tasks or len(set(values)) == 1:
        return wilson(round(fmean(values) * tasks) if values else 0, tasks, level)
    return bootstrap(clusters, level=level, seed=seed)


def paired_difference(
    first: Clusters,
    second: Clusters,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Return the mean of (second - first) over the tasks that both have, with its interval.

    The tasks are resampled once for both (the paired bootstrap), so that a hard task drawn twice
    weighs on both alike.
    """
    shared = [task for task in sorted(first) if first[task] and second.get(task)]
    differences = {task: [fmean(second[task]) - fmean(first[task])] for task in shared}
    return bootstrap(differences, level=level, resamples=resamples, seed=seed)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided exact p-value that two methods differ, from their discordant pairs.

    only_first counts the tasks that the first alone solved. Under no difference it is binomial
    (n = only_first + only_second, 1/2); p = min(1, 2·P(X <= min)) (McNemar 1947, exact form).
    """
    n = only_first + only_second
    tail = sum(math.comb(n, i) for i in range(min(only_first, only_second) + 1))
    return min(1.0, 2 * tail / 2**n)


def _percentiles(ordered: Sequence[float], level: float) -> tuple[float, float]:
    """Return the ends of the middle `level` of ordered values, interpolated linearly."""

    def at(share: float) -> float:
        place = share * (len(ordered) - 1)
        below = math.floor(place)
        above = min(below + 1, len(ordered) - 1)
        return ordered[below] + (place - below) * (ordered[above] - ordered[below])

    return at((1 - level) / 2), at((1 + level) / 2)
