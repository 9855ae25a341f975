"""The fields of a recurrence, and the recurrence they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard.components import schedule_fires
from services import recurrence as rules
from services import time_zones
from services.domain import Frequency, Recurrence, WeekDay

NEW = Recurrence(frequency=Frequency.DAY)
EARLIEST, LATEST = datetime(2000, 1, 1), datetime(2099, 12, 31)  # offered as a start time


def show(current: Recurrence | None, *, key: str, now: datetime, zone: tzinfo) -> Recurrence:
    """Draw the fields; returns what they say, which Azure ML might still refuse.

    Args:
        current: The recurrence to change; None begins a new one.
        key: Of this form; another key begins another form.
        now: When the form was opened: the suggested start time follows from it.
    """
    base = current or replace(NEW, time_zone=_usual_zone(zone))
    interval, frequency = st.columns([1, 2], gap="small")
    recurrence = Recurrence(
        interval=int(
            interval.number_input("Every", 1, 100_000, base.interval, key=f"{key}.interval")
        ),
        frequency=frequency.selectbox(
            "Unit", list(Frequency), list(Frequency).index(base.frequency), key=f"{key}.unit",
            format_func=lambda each: f"{each}(s)",
        ),
        time_zone=_zone(base, key=key, now=now),
    )  # fmt: skip
    recurrence = _slots(recurrence, base, key=key)
    return replace(recurrence, start_time=_start(recurrence, current, key=key, now=now))


def _usual_zone(zone: tzinfo) -> str:
    """The viewer's own zone, or the one Azure ML has a name for that keeps the same time."""
    return time_zones.azure_equivalent(str(zone)) or "UTC"


def _zone(base: Recurrence, *, key: str, now: datetime) -> str:
    def label(name: str) -> str:
        return f"{name} ({schedule_fires.clock(now, ZoneInfo(name))})"

    return st.selectbox(
        "Time zone", time_zones.OFFERED, time_zones.OFFERED.index(base.time_zone),
        key=f"{key}.zone", format_func=label,
        help="Hours, minutes and the start time are local to it, daylight saving included. "
        "Azure ML knows these zones under their Windows names.",
    )  # fmt: skip


def _slots(recurrence: Recurrence, base: Recurrence, *, key: str) -> Recurrence:
    """Days and times, where the frequency allows them."""
    if recurrence.frequency not in (Frequency.DAY, Frequency.WEEK):
        return recurrence
    if recurrence.frequency is Frequency.WEEK:
        days = st.pills(
            "On these days", list(WeekDay), selection_mode="multi", default=base.week_days,
            key=f"{key}.days", format_func=lambda day: day[:3],
            help="None chosen: the week day of the start time",
        )  # fmt: skip
        recurrence = replace(recurrence, week_days=tuple(WeekDay(day) for day in days))
    hours, minutes = st.columns(2, gap="small")
    return replace(
        recurrence,
        hours=tuple(
            hours.multiselect(
                "At these hours", range(24), base.hours, key=f"{key}.hours",
                format_func="{:02}".format, placeholder="the start time’s",
                help="None chosen: the hour of the start time",
            )
        ),
        minutes=tuple(
            minutes.multiselect(
                "At these minutes", range(60), base.minutes, key=f"{key}.minutes",
                format_func="{:02}".format, placeholder="the start time’s",
                help="None chosen: the minute of the start time",
            )
        ),
    )  # fmt: skip


def _start(
    recurrence: Recurrence, current: Recurrence | None, *, key: str, now: datetime
) -> datetime | None:
    """The start time; a safe one is filled in, and follows the other fields until it is edited."""
    wanted = st.toggle(
        "Start time", current is None or current.start_time is not None, key=f"{key}.starts",
        help="Without one, the first run starts the moment the schedule is saved",
    )  # fmt: skip
    if not wanted:
        return None
    field, suggested = f"{key}.start", f"{key}.suggested"
    if current is not None and current.start_time is not None:
        st.session_state.setdefault(field, current.start_time)
    else:
        safe = rules.safe_start(recurrence, now=now)
        untouched = st.session_state.get(field) in (None, st.session_state.get(suggested))
        if untouched:
            st.session_state[field] = safe
        st.session_state[suggested] = safe
    start: datetime | None = st.datetime_input(
        f"Start, local to {recurrence.time_zone}",
        key=field,
        step=60,
        format="YYYY-MM-DD",
        min_value=min(EARLIEST, st.session_state[field]),
        max_value=max(LATEST, st.session_state[field]),
    )
    return start


def problems(recurrence: Recurrence) -> Sequence[str]:
    """Draw every rule Azure ML would refuse this recurrence for; returns them."""
    broken = rules.problems(recurrence)
    for problem in broken:
        st.error(problem, icon=":material/block:")
    return broken
