"""The profile of a table equals what pandas says of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from services import profiles
from services.domain import ColumnType
from services.errors import InvalidRequestError
from tests.shared_data import shared_data


def only(values) -> object:
    return profiles.profile(pd.DataFrame({"x": values})).columns[0]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2], ColumnType.INTEGER),
        ([1, None], ColumnType.INTEGER),
        ([1.5, None], ColumnType.NUMBER),
        ([1.0, 2.0], ColumnType.NUMBER),
        ([True, False], ColumnType.BOOLEAN),
        (["a", None], ColumnType.STRING),
        (pd.to_datetime(["2024-01-01"]), ColumnType.DATETIME),
        ([None, None], ColumnType.STRING),
        (pd.Series([None, None], dtype=float), ColumnType.NUMBER),
    ],
)
def test_types(values, kind):
    assert only(values).type is kind


def test_instants_have_a_first_and_a_last():
    column = only(pd.to_datetime(["2024-01-02", None, "2024-01-01"]))

    assert (column.minimum, column.maximum) == ("2024-01-01T00:00:00", "2024-01-02T00:00:00")
    assert column.missing_count == 1


def test_a_column_without_values_has_no_figures():
    column = only(pd.Series([None, None], dtype=float))

    assert (column.missing_count, column.distinct_count) == (2, 0)
    assert (column.minimum, column.mean, column.typical) == (None, None, None)
    assert column.histogram == ()


def test_one_row_has_no_deviation():
    assert only([5]).standard_deviation is None


def test_ties_among_frequent_values_keep_the_order_of_the_data():
    assert only(["b", "a", "c", "a", "c", "b"]).top_values == (("b", 2), ("a", 2), ("c", 2))


@pytest.mark.parametrize(
    ("values", "sentinels"),
    [
        ([*range(30), *[999] * 10], (999,)),
        ([*range(30), *[-1] * 10], ()),  # the natural neighbour of zero
        ([*range(100, 130), *[-1] * 10], (-1,)),
        ([*range(30), *[-999] * 5], (-999,)),
        ([*range(30), *[998] * 10], ()),  # nobody's convention
        ([*range(990), *[999] * 10], ()),  # no gap
        ([*range(30), *[999] * 1] * 1 + list(range(300)), ()),  # once in 331 rows
        ([999] * 10, ()),  # nothing else to differ from
    ],
)
def test_values_that_stand_for_none(values, sentinels):
    assert only(values).sentinels == sentinels


def test_bins_of_whole_numbers_hold_the_same_number_of_them():
    column = only(list(range(100)))

    assert len(column.histogram) == 20
    assert {count for _, _, count in column.histogram} == {5}


def test_bins_leave_the_sentinels_out():
    column = only([*range(30), *[999] * 10])

    assert sum(count for _, _, count in column.histogram) == 30
    assert column.histogram[-1][1] < 999


def test_a_huge_range_still_has_bins():
    assert sum(count for *_, count in only([-(2**62), 0, 2**62]).histogram) == 3


def test_duplicate_rows_are_counted():
    assert profiles.profile(pd.DataFrame({"x": [1, 1, 2]})).duplicate_count == 1


def test_a_profile_survives_json():
    profile = profiles.profile(pd.DataFrame({"a": [1, None], "b": ["x", None], "c": [True, False]}))

    assert profiles.from_json(profiles.to_json(profile)) == profile


@pytest.mark.parametrize("text", ["", "{}", '{"version": 99}'])
def test_what_is_no_profile_is_refused(text):
    with pytest.raises(InvalidRequestError, match="not a dataset profile"):
        profiles.from_json(text)


def test_an_unknown_column_is_refused():
    with pytest.raises(InvalidRequestError, match="no column “z”"):
        profiles.profile(pd.DataFrame({"x": [1]})).column("z")


def test_every_column_of_bank_marketing_equals_the_pandas_reference():
    frame = pd.read_csv(shared_data("bankmarketing_train.csv"))

    profile = profiles.profile(frame)

    assert profile.row_count == len(frame)
    assert profile.duplicate_count == frame.duplicated().sum()
    for column in profile.columns:
        values = frame[column.name]
        assert column.missing_count == values.isna().sum()
        assert column.distinct_count == values.nunique()
        counts = values.value_counts()
        assert [count for _, count in column.top_values] == counts.head(100).tolist()
        assert dict(column.top_values[:5]) == {str(k): v for k, v in counts.head(5).items()}
        if pd.api.types.is_numeric_dtype(values):
            assert (column.minimum, column.maximum) == (values.min(), values.max())
            assert column.mean == pytest.approx(values.mean())
            assert column.standard_deviation == pytest.approx(values.std())
            assert column.quartiles == pytest.approx(values.quantile([0.25, 0.5, 0.75]).tolist())
            ordinary = values[~values.isin(column.sentinels)]
            edges = [start for start, _, _ in column.histogram] + [column.histogram[-1][1]]
            assert [n for *_, n in column.histogram] == np.histogram(ordinary, edges)[0].tolist()
            assert sum(n for *_, n in column.histogram) == len(ordinary)
    balance = dict(profile.column("y").top_values)
    assert balance["yes"] / profile.row_count == pytest.approx((frame.y == "yes").mean())
