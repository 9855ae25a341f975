"""What moved between two tables is found, what did not is left alone, and the figures are right."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from services import drift, profiles
from services.drift import Level

DRAW = np.random.default_rng(5)


def people(count=4_000, *, seed=1):
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": draw.integers(18, 90, count),
            "job": draw.choice(["admin.", "services", "retired"], count, p=[0.5, 0.3, 0.2]),
            "euribor3m": draw.normal(3.6, 1.7, count).round(3),
            "pdays": np.where(draw.random(count) < 0.04, draw.integers(0, 20, count), 999),
        }
    )


def levels(found):
    return {each.column: each.level for each in found.columns}


def test_the_index_equals_one_computed_by_hand():
    found = drift.column(
        "job", pd.Series(["a"] * 50 + ["b"] * 50), pd.Series(["a"] * 80 + ["b"] * 20)
    )

    by_hand = (0.8 - 0.5) * math.log(0.8 / 0.5) + (0.2 - 0.5) * math.log(0.2 / 0.5)
    assert found.psi == pytest.approx(by_hand)
    assert by_hand == pytest.approx(0.4158883)
    assert found.level is Level.SHIFTED


def test_the_index_of_a_number_is_over_tenths_of_the_reference():
    reference = pd.Series(np.arange(100.0))
    current = pd.Series(np.concatenate([np.arange(50.0), np.arange(50.0)]))

    found = drift.column("age", reference, current)

    tenths = 5 * (0.2 - 0.1) * math.log(0.2 / 0.1)
    empty = 5 * (drift.FLOOR - 0.1) * math.log(drift.FLOOR / 0.1)
    assert len(found.bins) == 10
    assert found.psi == pytest.approx(tenths + empty)


def test_a_shift_in_one_column_is_flagged_and_the_others_are_not():
    reference, current = people(), people(seed=2)
    current["euribor3m"] += 1.5

    found = drift.compare(reference, current)

    assert levels(found) == {
        "euribor3m": Level.SHIFTED,
        "age": Level.STABLE,
        "job": Level.STABLE,
        "pdays": Level.STABLE,
    }
    assert [each.column for each in found.shifted] == ["euribor3m"]


def test_a_sentinel_that_vanishes_is_a_shift():
    reference, current = people(), people(seed=2)
    current["pdays"] = current["pdays"].where(current["pdays"] != 999, 5)

    assert drift.compare(reference, current).columns[0].column == "pdays"


def test_the_distance_is_that_of_kolmogorov_and_smirnov():
    one, two = DRAW.normal(size=3_000), DRAW.normal(0.1, size=2_000)

    largest, p_value = drift.distance(one, two)

    expected = ks_2samp(one, two, method="asymp")
    assert largest == pytest.approx(expected.statistic)
    assert p_value == pytest.approx(expected.pvalue, rel=0.1)


def test_identical_tables_differ_in_nothing():
    frame = people()
    profile = profiles.profile(frame)

    found = drift.compare(frame, frame.copy())

    assert drift.schema(profile, profile) == ()
    assert (found.new_count, found.gone_count) == (0, 0)
    assert all(each.psi == 0 and each.level is Level.STABLE for each in found.columns)


def test_rows_are_counted_whatever_their_order():
    frame = people(200)
    current = pd.concat([frame.iloc[50:].sample(frac=1, random_state=1), people(30, seed=9)])

    found = drift.compare(frame, current)

    assert (found.gone_count, found.new_count) == (50, 30)


def test_a_renamed_column_is_reported_as_such():
    frame = people()
    renamed = frame.rename(columns={"job": "occupation"}).assign(age=lambda each: each["age"] + 9)

    changes = drift.schema(profiles.profile(frame), profiles.profile(renamed))

    assert [(each.column, each.change) for each in changes] == [("job", "renamed")]
    assert "occupation" in changes[0].detail


def test_columns_that_came_went_or_changed_type_are_reported():
    frame = people(100)
    other = frame.drop(columns="job").assign(rate=DRAW.normal(size=100), age=frame["age"] / 3)

    changes = drift.schema(profiles.profile(frame), profiles.profile(other))

    assert {(each.column, each.change) for each in changes} == {
        ("job", "removed"),
        ("rate", "added"),
        ("age", "type"),
    }


def test_missing_values_are_a_bin_of_their_own():
    whole = pd.Series(DRAW.normal(size=500))
    holed = whole.where(DRAW.random(500) > 0.4)

    found = drift.column("rate", whole, holed)

    assert found.bins[-1].label == "missing"
    assert found.level is Level.SHIFTED


def test_few_rows_are_not_judged():
    found = drift.column("age", pd.Series(range(500)), pd.Series(range(49)))

    assert found.level is Level.UNKNOWN
    assert found.psi is None


SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(SHARES)
def test_the_index_of_a_distribution_with_itself_is_nothing(shares):
    assert drift.psi(shares, shares) == 0


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=12))
def test_the_index_is_never_negative_and_the_same_both_ways(pairs):
    before, after = zip(*pairs, strict=True)

    assert drift.psi(before, after) >= 0
    assert drift.psi(before, after) == pytest.approx(drift.psi(after, before))


COLUMN = st.one_of(
    st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), min_size=60, max_size=90).map(
        lambda values: pd.Series(values, dtype=float)
    ),
    st.lists(st.one_of(st.none(), st.sampled_from("abcdef")), min_size=60, max_size=90).map(
        lambda values: pd.Series(values, dtype=object)
    ),
)


@given(COLUMN, COLUMN)
def test_shares_of_a_numeric_or_a_text_column_add_up(one, two):
    if one.dtype != two.dtype:
        return
    found = drift.column("any", one, two)

    assert sum(each.reference for each in found.bins) == pytest.approx(1)
    assert sum(each.current for each in found.bins) == pytest.approx(1)
