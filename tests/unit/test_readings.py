"""An outage is never mistaken for no data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dashboard import readings
from dashboard.readings import Data, Empty, Failed, Stamped
from services.errors import UnavailableError

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _forgotten():
    readings.forget()
    yield
    readings.forget()


def _take(fetch, *, identity="latency", now=NOON):
    return readings.take(fetch, identity=identity, is_empty=lambda value: not value, now=now)


def _outage():
    raise UnavailableError("The telemetry server did not answer.")


def test_an_answer_is_data_with_the_instant_it_was_read():
    assert _take(lambda: [1]) == Data([1], NOON)


def test_a_remembered_answer_keeps_the_age_it_has():
    earlier = NOON - timedelta(minutes=1)

    assert _take(lambda: Stamped([1], earlier)) == Data([1], earlier)


def test_an_answer_without_content_is_empty():
    assert _take(lambda: []) == Empty(NOON)


def test_an_outage_without_an_earlier_answer_has_none():
    reading = _take(_outage)

    assert isinstance(reading, Failed)
    assert "did not answer" in str(reading.error)
    assert reading.last is None


def test_an_outage_keeps_the_last_good_copy_with_its_age():
    _take(lambda: [1])

    reading = _take(_outage, now=NOON + timedelta(minutes=5))

    assert isinstance(reading, Failed)
    assert reading.last == Data([1], NOON)


def test_the_copy_of_something_else_never_stands_in():
    _take(lambda: [1], identity=("latency", "24h"))

    reading = _take(_outage, identity=("latency", "7d"))

    assert isinstance(reading, Failed)
    assert reading.last is None


def test_an_empty_answer_does_not_replace_the_last_copy():
    _take(lambda: [1])
    _take(lambda: [])

    reading = _take(_outage)

    assert isinstance(reading, Failed)
    assert reading.last == Data([1], NOON)


def test_a_bug_stays_loud():
    with pytest.raises(ZeroDivisionError):
        _take(lambda: 1 / 0)


def test_only_so_many_copies_are_kept_and_the_oldest_goes_first():
    for number in range(readings.KEPT + 1):
        _take(lambda: [1], identity=number)

    first, last = _take(_outage, identity=0), _take(_outage, identity=readings.KEPT)

    assert isinstance(first, Failed)
    assert first.last is None
    assert isinstance(last, Failed)
    assert last.last is not None
