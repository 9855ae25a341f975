"""Every row is in exactly one slice of a column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import slices


def counts(cut):
    return dict(zip(cut.labels, np.bincount(cut.codes, minlength=len(cut.labels)), strict=True))


NUMBERS = st.lists(
    st.one_of(st.none(), st.integers(-1000, 1000), st.floats(-1e6, 1e6)), min_size=1, max_size=80
).map(lambda values: pd.Series(values, dtype=float))
TEXTS = st.lists(st.one_of(st.none(), st.text(max_size=2)), min_size=1, max_size=80).map(
    lambda values: pd.Series(values, dtype=object)
)


@given(st.one_of(NUMBERS, TEXTS))
def test_counts_add_up_to_all_rows(values):
    cut = slices.cut(values)

    assert len(cut.codes) == len(values)
    assert cut.codes.min() >= 0 and cut.codes.max() < len(cut.labels)
    assert sum(counts(cut).values()) == len(values)
    missing = int(values.isna().sum())
    assert (counts(cut).get("missing", 0) >= missing) if missing else True


def test_ages_fall_into_bands_of_whole_years():
    cut = slices.cut(pd.Series(range(18, 98)))

    assert len(cut.labels) == slices.BANDS
    assert cut.labels[0].startswith("18 to ") and cut.labels[-1].endswith("to 97")
    assert all(abs(count - 16) <= 1 for count in counts(cut).values())


def test_a_sentinel_has_a_slice_of_its_own():
    cut = slices.cut(pd.Series([999] * 90 + list(range(30))))

    assert counts(cut)["999"] == 90


def test_rare_values_share_one_slice():
    values = pd.Series([f"job {number}" for number in range(30) for _ in range(30 - number)])

    cut = slices.cut(values)

    assert len(cut.labels) == slices.MOST_VALUES
    assert cut.labels[-1] == f"{30 - slices.MOST_VALUES + 1} other values"


def test_instants_are_sliced_by_month():
    cut = slices.cut(pd.Series(pd.to_datetime(["2024-05-01", "2024-05-30", "2024-06-01", None])))

    assert counts(cut) == {"2024-05": 2, "2024-06": 1, "missing": 1}


@pytest.mark.parametrize("values", [[True, False, True], [1, 1, 1], ["x"]])
def test_few_values_are_slices_by_themselves(values):
    assert len(slices.cut(pd.Series(values)).labels) == len(set(values))
