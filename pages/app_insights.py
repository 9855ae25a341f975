"""App Insights metrics: how many requests, how fast, how many failed, and what they said."""

import streamlit as st

from dashboard import readings, reads, session, shell
from dashboard.components import (
    data_age,
    failures,
    insights_charts,
    insights_controls,
    insights_details,
    insights_empty,
    insights_moment,
    insights_tiles,
    page_header,
)
from dashboard.readings import Data, Failed, Reading
from services.traffic import Traffic

page_header.show(
    "App Insights metrics", f"Requests, failures and latency in the {shell.window_label()}"
)

with failures.explained():
    deployments = reads.deployments()
choice = insights_controls.show(deployments)


@st.fragment(run_every=shell.refresh_interval())
def live() -> None:
    """Tiles and charts; refreshes on its own without touching what was chosen or typed."""
    view = choice.view()
    reading: Reading[Traffic] = readings.take(
        lambda: insights_charts.summary(view),
        identity=(session.workspace().location, "summary", view.identity),
        is_empty=lambda traffic: traffic.requests == 0,
    )
    match reading:
        case Data(traffic):
            insights_tiles.show(traffic, before=insights_charts.before(view))
            insights_charts.show(view)
        case Failed(last=Data(traffic, at)):
            data_age.show(at, prefix="Last good copy, read at")
            insights_tiles.show(traffic, before=insights_charts.before(view))
            insights_charts.show(view)
        case Failed(error):
            insights_empty.show(view, deployments, error=error)
        case _:
            insights_empty.show(view, deployments)
            if deployments:  # an idle one may still be up, or down
                insights_charts.availability(insights_charts.canvas_of(view))
    insights_moment.show(view)


live()
insights_details.show(choice)
