"""The form refuses what the SDK refuses, and nothing else: our rules against the SDK's own."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services import recurrence as rules
from services import time_zones
from services.domain import Frequency, Recurrence, WeekDay

sdk = pytest.importorskip("azureml.pipeline.core.schedule")


def sdk_accepts(recurrence: Recurrence) -> bool:
    try:
        sdk.ScheduleRecurrence(
            frequency=str(recurrence.frequency),
            interval=recurrence.interval,
            start_time=recurrence.start_time,
            time_zone=sdk.TimeZone(time_zones.azure_name(recurrence.time_zone)),
            hours=list(recurrence.hours) or None,
            minutes=list(recurrence.minutes) or None,
            week_days=[str(day) for day in recurrence.week_days] or None,
        ).validate()
    except ValueError:
        return False
    return True


@given(
    st.builds(
        Recurrence,
        frequency=st.sampled_from([*Frequency, "Year", "day"]),
        interval=st.integers(-2, 5),
        start_time=st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1)),
        time_zone=st.sampled_from(time_zones.OFFERED),
        hours=st.lists(st.integers(-1, 24), max_size=2).map(tuple),
        minutes=st.lists(st.integers(-1, 60), max_size=2).map(tuple),
        week_days=st.lists(st.sampled_from([*WeekDay, "Mon"]), max_size=2).map(tuple),
    )
)
@settings(max_examples=500, deadline=None)
def test_a_recurrence_is_valid_here_exactly_when_the_sdk_accepts_it(recurrence):
    assert (rules.problems(recurrence) == ()) == sdk_accepts(recurrence)


def test_every_time_zone_of_the_sdk_has_its_pair():
    assert {zone.value for zone in sdk.TimeZone} == set(time_zones.AZURE_ZONES)
