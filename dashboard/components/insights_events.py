"""What was done in the window: marks on the charts, and the list of them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard import formats, once, reads, shell
from dashboard.charts_insights_marks import SIGNS
from dashboard.components import failures
from dashboard.insights_view import View
from services import chart_events
from services.chart_events import ChartEvent
from services.domain import AuditEvent

_events = once.once(chart_events.events)


def of(view: View) -> tuple[ChartEvent, ...]:
    """Of the view's deployment, in its window; none where the audit log cannot be read."""
    audit: tuple[AuditEvent, ...] = ()
    with failures.reported():  # the charts are worth showing without marks
        audit = reads.long_audit()
    window = view.window
    return _events(audit, deployment=view.deployment, start=window.start, end=window.end)


def show(events: Sequence[ChartEvent], earlier: Sequence[ChartEvent]) -> None:
    """What the signs over the charts stand for."""
    if not events and not earlier:
        return
    kinds = {event.kind for event in (*events, *earlier)}
    legend = " · ".join(f"{sign} {kind}" for kind, sign in SIGNS.items() if kind in kinds)
    counted = formats.plural(len(events), "event")
    if earlier:
        counted += f", {len(earlier):,} in the period before (dashed, at the shifted time)"
    with st.expander(f"{counted}: {legend}", icon=":material/event:"):
        st.dataframe(
            frame(tuple(events), tuple(earlier)),
            hide_index=True,
            height="content" if len(events) + len(earlier) <= 10 else 380,
            column_config={
                "Time": st.column_config.DatetimeColumn(
                    format="D MMM YYYY, HH:mm:ss", timezone=str(shell.zone())
                )
            },
            alt="What was done in the window",
        )


@once.once
def frame(events: tuple[ChartEvent, ...], earlier: tuple[ChartEvent, ...]) -> pd.DataFrame:
    """The newest first."""
    every = [*((event, "this") for event in events), *((event, "before") for event in earlier)]
    every.sort(key=lambda pair: pair[0].at, reverse=True)
    return pd.DataFrame(
        {
            "Time": [event.at for event, _ in every],
            "": [SIGNS[event.kind] for event, _ in every],
            "Kind": [event.kind.value for event, _ in every],
            "What": [event.text for event, _ in every],
            "By": [event.actor for event, _ in every],
            "Period": [period for _, period in every],
        }
    )
