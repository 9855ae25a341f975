"""Running the whole flow for real, from one button, with its progress in view."""

from __future__ import annotations

from datetime import datetime, timedelta

import streamlit as st

from dashboard import formats, reads, session
from dashboard.components import failures
from services.domain import Capability, FlowProgress, FlowStep, FlowStepState

MENTIONED_FOR = timedelta(days=1)  # a flow that stopped
MINUTES = "about three minutes"


def button(progress: FlowProgress | None, *, primary: bool, key: str = "flow.run") -> None:
    """The button that starts it; disabled while it runs, absent where it cannot be run."""
    if not session.workspace().can(Capability.WHOLE_FLOW):
        return
    running = progress is not None and progress.running
    if st.button(
        "Running the whole flow…" if running else "Run the whole flow",
        key=key,
        type="primary" if primary else "secondary",
        icon=":material/rocket_launch:",
        disabled=running,
        help=f"Does all seven steps for real on a sample dataset; takes {MINUTES}.",
    ):
        with failures.reported():
            session.workspace().flow.begin()
            reads.clear()
            st.rerun()


def show(progress: FlowProgress, *, now: datetime) -> None:
    """How far it is, while it runs; why it stopped, when it failed."""
    if progress.running:
        _running(progress, now)
    elif progress.error and progress.ended_at and now - progress.ended_at < MENTIONED_FOR:
        failed = next(step for step in progress.steps if step.state is FlowStepState.FAILED)
        age = formats.age(progress.ended_at, now=now)
        st.error(
            f"The whole flow stopped {age} at “{failed.title}”: "
            + formats.sentence(progress.error),
            icon=":material/error:",
        )


def _running(progress: FlowProgress, now: datetime) -> None:
    done = sum(step.state is FlowStepState.DONE for step in progress.steps)
    current = next(
        (step for step in progress.steps if step.state is FlowStepState.RUNNING),
        next((step for step in progress.steps if step.state is FlowStepState.WAITING), None),
    )
    total = len(progress.steps)
    since = now - progress.started_at if progress.started_at else None
    with st.container(border=True, gap="small", key="flow-progress"):
        text = f"Step {min(done + 1, total)} of {total}: {_doing(current)}"
        st.progress(done / total, text=text)
        for step in progress.steps:
            if step.state is FlowStepState.DONE:
                _done(step)
        st.caption(
            f"Running for {formats.duration(since)}; it goes on when you leave this page. "
            f"All seven steps take {MINUTES}."
        )


def _doing(step: FlowStep | None) -> str:
    if step is None:
        return "finishing"
    return f"{step.title}{f' – {formats.plain(step.detail)}' if step.detail else ''}"


def _done(step: FlowStep) -> None:
    length = step.ended_at - step.started_at if step.ended_at and step.started_at else None
    took = f" · {formats.duration(length)}" if length else ""
    st.markdown(
        f":green[:material/check_circle:] {formats.plain(step.title)} "
        f":gray[{formats.plain(step.detail)}{took}]"
    )
