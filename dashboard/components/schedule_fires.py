"""When a recurrence fires next, in the viewer's zone and in UTC, and what saving it starts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from dashboard import formats
from services import recurrence as rules
from services.domain import Recurrence

COUNT = 10


def table(
    times: Sequence[datetime], recurrence: Recurrence, *, now: datetime, zone: tzinfo, key: str
) -> None:
    """The fire times, one row each; a change of the schedule's clocks is said where it happens."""
    if not times:
        st.caption("It will not fire again.")
        return
    st.dataframe(
        pd.DataFrame(
            {
                "Your time": [_local(at, zone) for at in times],
                "UTC": [f"{at:%a %d %b %Y, %H:%M}" for at in times],
                "In": [formats.age(at, now=now).removeprefix("in ") for at in times],
                "Clock": _clocks(times, ZoneInfo(recurrence.time_zone)),
            }
        ),
        hide_index=True,
        height="content",
        column_config={
            "Your time": st.column_config.TextColumn(f"Your time ({zone})"),
            "Clock": st.column_config.TextColumn(
                f"In {recurrence.time_zone}",
                help="The schedule’s own clock; marked where daylight saving changes it",
            ),
        },
        alt="Next fire times in your time zone and in UTC",
        key=key,
    )


def first_run(recurrence: Recurrence, *, now: datetime, zone: tzinfo) -> None:
    """What saving this recurrence now leads to first. The recurrence is valid.

    Source: azureml-pipeline-core 1.62.0, ``ScheduleRecurrence``, ``start_time``.
    """
    first = rules.first_run(recurrence, now=now)
    if first.at_once:
        st.warning(
            "Without a start time the first run starts at once, the moment you save.",
            icon=":material/bolt:",
        )
    elif first.at is None:
        st.warning("It never fires: the calendar ends before its next time.")
    elif first.skipped_at is not None:
        st.warning(
            "The start time is itself one of the times, and Azure ML leaves that one out: "
            f"the first run is {_local(first.at, zone)} instead of "
            f"{_local(first.skipped_at, zone)}. Start a minute earlier to keep it.",
            icon=":material/skip_next:",
        )
    else:
        st.caption(
            f":material/check_circle: Saving starts nothing now; the first run is "
            f"{_local(first.at, zone)}, {formats.age(first.at, now=now)}."
        )


def clock(at: datetime, zone: tzinfo) -> str:
    """A zone's distance from UTC at an instant: ``UTC+02:00``."""
    text = f"{at.astimezone(zone):%z}"
    return f"UTC{text[:3]}:{text[3:5]}"


def _local(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%a %d %b %Y, %H:%M}"


def _clocks(times: Sequence[datetime], zone: tzinfo) -> list[str]:
    offsets = [clock(at, zone) for at in times]
    return [
        f"{at.astimezone(zone):%H:%M} {offset}" + ("" if offset == before else ", clocks changed")
        for at, offset, before in zip(times, offsets, [offsets[0], *offsets], strict=False)
    ]
