"""Statistics, against values worked out by hand or printed in the literature."""

import math
from itertools import combinations
from random import Random
from statistics import fmean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfdebug.stats import bootstrap, mcnemar, paired_difference, pass_at_k, share, wilson


@given(st.integers(1, 9), st.data())
def test_pass_at_k_is_the_share_of_draws_that_hold_a_right_program(n, data):
    correct = data.draw(st.integers(0, n))
    k = data.draw(st.integers(1, n))
    programs = [True] * correct + [False] * (n - correct)
    draws = [any(draw) for draw in combinations(programs, k)]
    assert pass_at_k(n, correct, k) == pytest.approx(fmean(draws))


def test_pass_at_k_by_hand():
    assert pass_at_k(5, 2, 1) == pytest.approx(0.4)
    assert pass_at_k(5, 2, 2) == pytest.approx(1 - 3 / 10)  # C(3,2)/C(5,2)
    assert pass_at_k(200, 0, 100) == 0.0
    assert pass_at_k(200, 101, 100) == 1.0


@pytest.mark.parametrize("arguments", [(5, 6, 1), (5, -1, 1), (5, 2, 6), (5, 2, 0)])
def test_pass_at_k_refuses_what_is_not_defined(arguments):
    with pytest.raises(ValueError, match="pass@k needs"):
        pass_at_k(*arguments)


def test_wilson_against_published_values():
    # Newcombe 1998, table I, method 3: 81/263, 15/148, 0/20, 1/29.
    for successes, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        interval = wilson(successes, n)
        assert interval.value == successes / n
        assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


def test_wilson_of_nothing_is_everything():
    interval = wilson(0, 0)
    assert math.isnan(interval.value)
    assert (interval.low, interval.high) == (0.0, 1.0)


def test_mcnemar_by_hand():
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(5, 5) == 1.0
    assert mcnemar(0, 6) == pytest.approx(2 / 64)
    assert mcnemar(2, 8) == mcnemar(8, 2) == pytest.approx(2 * (1 + 10 + 45) / 1024)


def test_bootstrap_is_seeded_and_brackets_the_mean():
    clusters = {str(i): [float(i % 3 == 0)] for i in range(90)}
    interval = bootstrap(clusters, seed=1)
    assert interval == bootstrap(clusters, seed=1)
    assert interval != bootstrap(clusters, seed=2)
    assert interval.value == pytest.approx(1 / 3)
    # The standard error of a share of 1/3 over 90 tasks is 0.0497.
    assert interval.low == pytest.approx(1 / 3 - 1.96 * 0.0497, abs=0.02)
    assert interval.high == pytest.approx(1 / 3 + 1.96 * 0.0497, abs=0.02)


def test_bootstrap_treats_the_samples_of_a_task_as_one():
    """Ten copies of every outcome say nothing new: the interval must not shrink."""
    once = {str(i): [float(i % 2)] for i in range(40)}
    tenfold = {task: list(values) * 10 for task, values in once.items()}
    assert bootstrap(tenfold) == bootstrap(once)


def test_bootstrap_takes_any_statistic_and_unequal_tasks():
    clusters = {"a": [1.0, 3.0], "b": [10.0], "c": [4.0]}
    assert bootstrap(clusters, statistic=median).value == 4.0
    assert bootstrap(clusters).value == pytest.approx(16 / 3)
    assert math.isnan(bootstrap({}).value)


def test_bootstrap_covers_the_truth_about_as_often_as_it_says():
    rng = Random(0)
    covered = 0
    for trial in range(200):
        chances = [rng.random() for _ in range(40)]
        clusters = {
            str(i): [float(rng.random() < c) for _ in range(4)] for i, c in enumerate(chances)
        }
        interval = bootstrap(clusters, resamples=200, seed=trial)
        covered += interval.low <= 0.5 <= interval.high
    assert 0.89 <= covered / 200 <= 0.99


def test_share_chooses_the_interval_that_fits():
    single = {str(i): [float(i < 3)] for i in range(10)}
    assert share(single) == wilson(3, 10)
    several = {str(i): [1.0, float(i < 3)] for i in range(10)}
    assert share(several) == bootstrap(several)
    # All alike: the bootstrap would be a point.
    assert share({str(i): [1.0, 1.0] for i in range(10)}) == wilson(10, 10)
    assert math.isnan(share({}).value)


def test_paired_difference_uses_the_tasks_that_both_have():
    first = {"a": [0.0], "b": [0.0, 1.0], "c": [1.0], "only": [1.0]}
    second = {"a": [1.0], "b": [1.0], "c": [1.0], "other": [0.0]}
    assert paired_difference(first, second).value == pytest.approx((1 + 0.5 + 0) / 3)


def test_pairing_narrows_the_interval():
    """Two methods that differ by 0.1 on every task differ for certain, hard tasks or easy."""
    first = {str(i): [i / 40] for i in range(30)}
    second = {task: [values[0] + 0.1] for task, values in first.items()}
    interval = paired_difference(first, second)
    assert (interval.low, interval.high) == pytest.approx((0.1, 0.1))
