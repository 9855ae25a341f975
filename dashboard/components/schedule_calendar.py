"""The last thirty days of the schedules: one row each, one mark a day; a click opens its run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from dashboard import charts, charts_schedules, drawing, formats, reads, schedule_days, session
from dashboard.components import failures, pipeline_address
from services.domain import Capability, PipelineRun, Schedule

KEY = "schedules.calendar"
ROWS = 12
RUNS = 2000


def show(schedules: Sequence[Schedule], opened: Schedule, *, now: datetime, zone: tzinfo) -> None:
    """Draw it; nothing where none of them ran or should have.

    Args:
        opened: shown alone where the runs of the others take a request each.
    """
    with failures.reported():
        shown, runs = _runs(schedules, opened)
        ledgers = {
            each.id: schedule_days.ledger(
                each, [run for run in runs if run.schedule_id == each.id], now=now
            )
            for each in shown
        }
        cells = schedule_days.cells(shown, runs, ledgers, now=now, zone=zone)
        if not cells:
            return
        with st.container(border=True, key="schedule-calendar"):
            left = len(schedules) - len(shown)
            also = f", {formats.count(left)} more not shown" if left else ""
            st.markdown(
                f"**Last {schedule_days.DAYS} days** :gray[{formats.plain(_which(shown) + also)}]",
                help="A day is as good as the worst of it. A click opens the run.",
            )
            _figure(cells, shown, now=now, zone=zone)
            if len(runs) >= RUNS:
                st.caption(f"The newest {formats.count(RUNS)} runs; earlier ones are left out.")


def _runs(
    schedules: Sequence[Schedule], opened: Schedule
) -> tuple[Sequence[Schedule], Sequence[PipelineRun]]:
    """Which schedules are drawn, and their runs."""
    if not session.workspace().can(Capability.SCHEDULE_LEDGER):
        return [opened], reads.pipeline_runs(schedule_id=opened.id)
    first = [each for each in schedules if each.id != opened.id][: ROWS - 1]
    shown = [each for each in schedules if each in first or each.id == opened.id]
    return shown, reads.scheduled_runs(most=RUNS)


def _which(shown: Sequence[Schedule]) -> str:
    return shown[0].name if len(shown) == 1 else formats.plural(len(shown), "schedule")


def _figure(
    cells: Sequence[schedule_days.Cell],
    shown: Sequence[Schedule],
    *,
    now: datetime,
    zone: tzinfo,
) -> None:
    def clicked() -> None:
        event: Any = st.session_state[KEY]
        points = event["selection"]["points"]
        if not points:
            return
        run_id, schedule_id = points[0]["customdata"][:2]
        if run_id:
            pipeline_address.go(pipeline_address.RUNS, run=run_id)
        else:
            pipeline_address.open("schedule", schedule_id)

    st.plotly_chart(
        _calendar(
            tuple(cells),
            tuple((each.id, each.name) for each in shown),
            schedule_days.days(now, zone),
        ),
        key=KEY,
        config=charts.CONFIG | {"displayModeBar": False},
        on_select=clicked,
        selection_mode="points",
        alt=f"Results of {formats.plural(len(shown), 'schedule')} on each of the last "
        f"{schedule_days.DAYS} days",
    )


@drawing.drawn
def _calendar(
    cells: tuple[schedule_days.Cell, ...],
    names: tuple[tuple[str, str], ...],
    days: tuple[date, ...],
) -> go.Figure:
    return charts_schedules.calendar(cells, dict(names), days)
