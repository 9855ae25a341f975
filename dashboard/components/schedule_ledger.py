"""What became of a schedule's due times, where something went otherwise than planned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

import pandas as pd
import streamlit as st

from dashboard import formats
from services import schedule_ledger
from services.domain import Schedule
from services.schedule_ledger import Due, Outcome

TALL, TALL_HEIGHT = 10, 390  # rows from which the table scrolls, pixels it then has


def show(
    schedule: Schedule, found: Sequence[Due], *, exact: bool, now: datetime, zone: tzinfo
) -> None:
    """A line that counts them and a table that names them; nothing when all went well.

    Args:
        exact: the back end recorded them; else they follow from the recurrence and the runs.
    """
    if not exact and not schedule.irregular:
        st.caption(how_far(schedule, now=now, zone=zone))
    odd = schedule_ledger.remarkable(found)[::-1]
    if not odd:
        return
    with st.expander(counted(odd), icon=":material/event_busy:"):
        st.caption(
            "A time is missed while no supervisor runs; missed times collapse into the next firing."
            if exact
            else "By its recurrence, while it was Active, and the runs it has in Azure ML. "
            "Azure ML itself keeps no record of what was due."
        )
        st.dataframe(
            pd.DataFrame(
                {
                    "Due": [formats.instant(each.at, zone=zone, now=now) for each in odd],
                    "Outcome": [said(each) for each in odd],
                    "Not submitted because": [each.reason for each in odd],
                }
            ),
            hide_index=True,
            placeholder="–",
            height="content" if len(odd) < TALL else TALL_HEIGHT,
            alt="Due times that were missed, late or refused",
            key="schedule.ledger",
        )


def how_far(schedule: Schedule, *, now: datetime, zone: tzinfo) -> str:
    """Of which times it is known what became of them, where the back end keeps no record."""
    since = schedule_ledger.known_since(schedule)
    if since is None:
        return "Nobody knows which of its times were missed: Azure ML does not say when it changed."
    if not schedule_ledger.in_step(schedule.recurrence):
        return (
            "Without a start time its times count from its runs: only what is missed after the "
            "newest one can be told."
        )
    if since == schedule.created_at:
        return (
            f"Due times since it was created, {formats.instant(since, zone=zone, now=now)}, are "
            "held against the runs: Azure ML keeps no record of what was due."
        )
    return (
        f"Due times since {formats.instant(since, zone=zone, now=now)} are held against the runs. "
        "What the schedule was before that Azure ML does not tell, so nothing earlier is called "
        "missed."
    )


def counted(odd: Sequence[Due]) -> str:
    """``2 times missed, 1 time late``."""
    missed = sum(each.count for each in odd if each.outcome is Outcome.MISSED)
    late = sum(each.outcome is Outcome.LATE for each in odd)
    refused = sum(each.outcome is Outcome.REFUSED for each in odd)
    counts = [
        formats.plural(missed, "time") + " missed" if missed else "",
        formats.plural(late, "time") + " late" if late else "",
        formats.plural(refused, "time") + " nothing could be submitted" if refused else "",
    ]
    return ", ".join(filter(None, counts))


def said(due: Due) -> str:
    """``late 40 min``, ``missed``, ``not submitted``."""
    if due.late is not None:
        return f"late {formats.duration(due.late)}"
    return f"{due.outcome} {due.count:,} times" if due.count > 1 else due.outcome.value
