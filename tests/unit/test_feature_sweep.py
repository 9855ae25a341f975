"""The values of a sweep, and where two deployments disagree."""

from __future__ import annotations

import pytest

from services import feature_sweep
from services.domain import ColumnContract, ColumnType
from services.feature_sweep import Curve
from services.scoring_payload import Payload
from tests.stub_deployment import CONTRACT

COLUMNS = {each.name: each for each in CONTRACT.columns}


def test_a_range_of_whole_numbers_is_covered_from_end_to_end_without_repeats():
    asked = feature_sweep.values(COLUMNS["age"])

    assert (asked[0], asked[-1]) == (17, 98)
    assert len(asked) == len(set(asked)) <= 50
    assert all(isinstance(each, int) for each in asked)


def test_a_range_of_numbers_has_fifty_values():
    asked = feature_sweep.values(COLUMNS["euribor3m"])

    assert len(asked) == 50
    assert (asked[0], asked[-1]) == (0.634, 5.045)


def test_sentinels_stand_outside_the_range():
    assert max(feature_sweep.values(COLUMNS["pdays"])) == 27


def test_categories_are_asked_for_as_they_are():
    assert feature_sweep.values(COLUMNS["job"]) == ("admin.", "blue-collar", "technician")
    assert not feature_sweep.ordered(COLUMNS["job"])


def test_categories_that_are_numbers_are_sent_as_numbers():
    column = ColumnContract(
        name="year", type=ColumnType.INTEGER, nullable=False, categories=("2009", "2010")
    )
    assert feature_sweep.values(column) == (2009, 2010)


@pytest.mark.parametrize("bounds", [{}, {"minimum": 3, "maximum": 3}])
def test_a_column_without_a_range_is_not_swept(bounds):
    column = ColumnContract(name="x", type=ColumnType.NUMBER, nullable=False, **bounds)
    assert feature_sweep.values(column) == ()


def test_the_other_columns_keep_the_values_of_the_row():
    base = Payload(rows=({"age": 1, "job": "a"}, {"age": 2, "job": "b"}), beside={"method": "m"})

    swept = feature_sweep.payload(base, 1, "age", (10, 20))

    assert swept.rows == ({"age": 10, "job": "b"}, {"age": 20, "job": "b"})
    assert swept.beside == base.beside


def test_disagreements_are_found_by_position():
    one = Curve(deployment="a", labels=("no", "no", "yes"))
    other = Curve(deployment="b", labels=("no", "yes", "yes"))

    assert feature_sweep.disagreements(one, other) == (1,)
