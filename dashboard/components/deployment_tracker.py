"""A passage through Transitioning while it lasts: how long, what is usual, when to worry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import streamlit as st

from dashboard import formats
from services import log_lines, transition_times
from services.domain import Deployment, LogTail, Transition
from services.log_lines import LogEntry
from services.transition_times import Usual

_DOING = {
    "create": "Starting",
    "update model": "Changing the model",
    "update telemetry": "Changing Application Insights",
    "restart": "Starting again",
}
SHOWN_FROM = timedelta(seconds=1)  # shorter passages would only make the page jump
NEXT_STEP = (
    "It takes longer than usual. Open the log to see what it is doing; if its last line is old, "
    "delete the deployment and create it again, or update it to another model version."
)


def show(
    deployment: Deployment,
    transitions: Sequence[Transition],
    everywhere: Sequence[Transition],
    tail: LogTail,
    *,
    now: datetime,
) -> None:
    """Shown only while the deployment is in transition.

    Args:
        transitions: of this deployment.
        everywhere: of all deployments, for one that has no history yet.
    """
    passage = transition_times.present(transitions)
    began = passage.started_at if passage else deployment.updated_at
    kind = passage.kind if passage else "create"
    usual = transition_times.usual(transitions, kind)
    if usual.count < transition_times.ENOUGH:
        usual = transition_times.usual(everywhere, kind)
    elapsed = now - began
    if elapsed < SHOWN_FROM:
        return
    with st.container(border=True, key="health-tracker"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{_DOING.get(kind, 'Updating')}**", width="content")
            st.caption(f"{formats.duration(elapsed)} so far · {expected(usual)}", width="content")
        st.progress(_share(elapsed, usual))
        st.caption(f"Last event: {last_event(tail, now=now)}")
        if usual.worrying(elapsed):
            st.warning(NEXT_STEP, icon=":material/hourglass_disabled:")


def expected(usual: Usual) -> str:
    """What is usual, and from when on to worry, in words."""
    limit = formats.duration(usual.limit)
    if usual.median is None:
        return f"no earlier passage to compare with; worry after {limit}"
    typical = formats.seconds(usual.median.total_seconds())
    times = formats.plural(usual.count, "earlier passage")
    return f"usually {typical} ({times}); worry after {limit}"


def last_event(tail: LogTail, *, now: datetime) -> str:
    """The last thing the log says, and how long ago."""
    entries = log_lines.entries(tail.text)
    if not entries:
        return "nothing was logged yet"
    last = entries[-1]
    age = f", {formats.age(last.at, now=now)}" if last.at else ""
    return f"{formats.plain(_first_line(last))}{age}"


def _first_line(entry: LogEntry) -> str:
    line = entry.text.splitlines()[0]
    return line if len(line) <= 140 else f"{line[:139]}…"


def _share(elapsed: timedelta, usual: Usual) -> float:
    """How far along it should be; it never claims to be done."""
    expected = usual.median or usual.limit
    return max(0.02, min(0.97, elapsed / expected if expected else 0.97))
