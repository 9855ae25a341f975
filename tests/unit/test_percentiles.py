"""Percentiles are measurements, and say when there are too few of them."""

from __future__ import annotations

import random

import pytest

from services import percentiles


def test_a_percentile_is_one_of_the_measurements():
    ordered = [10.0, 20.0, 30.0, 40.0]

    assert percentiles.percentile(ordered, 0) == 10
    assert percentiles.percentile(ordered, 50) == 20
    assert percentiles.percentile(ordered, 51) == 30
    assert percentiles.percentile(ordered, 100) == 40


def test_a_rank_that_falls_on_a_measurement_is_that_measurement():
    ordered = [float(each) for each in range(1, 21)]

    assert percentiles.percentile(ordered, 95) == 19
    assert percentiles.percentile(ordered, 5) == 1


def test_ten_measurements_have_one_value_for_every_high_percentile():
    measured = percentiles.percentiles(range(1, 11), (95, 99, 100))

    assert set(measured.values()) == {10}


def test_without_requests_there_are_no_percentiles():
    assert percentiles.percentiles([], (50, 99)) == {}


@pytest.mark.parametrize("rank", [-1, 100.1])
def test_a_rank_outside_the_scale_is_refused(rank):
    with pytest.raises(ValueError, match="between 0 and 100"):
        percentiles.percentile([1.0], rank)


def test_p95_needs_59_measurements_and_p99_needs_299():
    assert percentiles.needed_count(95) == 59
    assert percentiles.needed_count(99) == 299
    assert not percentiles.supported(95, 58)
    assert percentiles.supported(95, 59)
    assert not percentiles.supported(99, 298)
    assert percentiles.supported(99, 299)


def test_the_slowest_request_is_always_a_fact():
    assert percentiles.supported(100, 1)


def test_a_histogram_counts_every_duration_once_in_bins_of_a_round_width():
    draw = random.Random(7)
    durations = [draw.lognormvariate(3, 0.8) for _ in range(5_000)]

    bins = percentiles.histogram(durations)

    assert sum(count for _, _, count in bins) == 5_000
    assert len(bins) <= 42
    assert all(end == after for (_, end, _), (after, _, _) in zip(bins, bins[1:], strict=False))
    for start, end, count in bins:
        assert count == sum(start <= each < end for each in durations)


def test_equal_durations_share_one_bin():
    assert percentiles.histogram([200.0] * 30) == ((200.0, 201.0, 30),)


def test_no_durations_make_no_histogram():
    assert percentiles.histogram([]) == ()


def test_a_histogram_read_off_the_percentile_curve_is_close_to_the_real_one():
    draw = random.Random(11)
    durations = sorted(draw.gauss(50, 5) for _ in range(10_000))
    curve = {rank: percentiles.percentile(durations, rank) for rank in range(101)}

    bins = percentiles.histogram_of_curve(curve, 10_000)

    assert sum(count for _, _, count in bins) == 10_000
    for start, end, count in bins:
        assert abs(count - sum(start <= each < end for each in durations)) <= 200
