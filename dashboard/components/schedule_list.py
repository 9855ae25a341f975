"""Every schedule, disabled ones too: when it fires, what it submits, how its last run went."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

import pandas as pd
import streamlit as st

from dashboard import economy, pipeline_facts
from dashboard.components import pipeline_address, pipeline_columns, state_badge
from dashboard.pipeline_facts import Catalog
from services.domain import AssetStatus, RunStatus, Schedule

TALL, TALL_HEIGHT = 10, 390  # rows from which the table scrolls, pixels it then has


def show(
    schedules: Sequence[Schedule],
    catalog: Catalog,
    *,
    results: bool,
    now: datetime,
    zone: tzinfo,
) -> None:
    """Draw the table; the name of a schedule opens it. `schedules` is not empty.

    Args:
        results: how each went last is known.
    """

    def opened(ids: tuple[str, ...]) -> None:
        pipeline_address.open("schedule", ids[st.session_state["schedules.open"]["row"]])

    last = [schedule.last_run for schedule in schedules]
    frame = pd.DataFrame(
        {
            "Schedule": [schedule.name for schedule in schedules],
            "Status": [[schedule.status.value] for schedule in schedules],
            "Recurrence": [pipeline_facts.when(schedule) for schedule in schedules],
            "Submits": [catalog.target(each, named=not economy.metered()) for each in schedules],
            "Next run": _instants([schedule.next_fire_at for schedule in schedules]),
            "Last run": _instants([run.created_at if run else None for run in last]),
            "Result": [[run.status.value] if run else [] for run in last],
        }
    )
    if not results:
        frame = frame.drop(columns=["Last run", "Result"])
    st.dataframe(
        frame,
        hide_index=True,
        height="content" if len(schedules) <= TALL else TALL_HEIGHT,
        column_config={
            "Schedule": st.column_config.ButtonColumn(
                "Schedule", type="tertiary", alignment="left", key="schedules.open",
                on_click=opened, args=(tuple(schedule.id for schedule in schedules),),
                pinned=True, width=150,
            ),
            "Status": state_badge.column("Status", AssetStatus, width=80),
            "Recurrence": st.column_config.TextColumn("Recurrence", width=330),
            "Submits": st.column_config.TextColumn("Submits", width=175),
            "Next run": pipeline_columns.instant("Next run", zone),
            "Last run": pipeline_columns.instant("Last run", zone),
            "Result": state_badge.column("Result", RunStatus, width=105),
        },
        placeholder="–",
        alt="Schedules with status, recurrence, target, next run and last result",
        key="schedules.table",
    )  # fmt: skip


def _instants(instants: Sequence[datetime | None]) -> pd.Series:
    return pd.Series(instants, dtype="datetime64[us, UTC]")
