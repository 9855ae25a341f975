"""Rotating both keys with nobody locked out: one step at a time, in this order."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from dashboard import formats, people, session, shell
from dashboard.components import failures, migration_code
from services.access import Role
from services.domain import Deployment
from services.rotation import Rotation, RotationStep

_LOOK_EVERY_S = 1.0
ADVICE = {
    RotationStep.TO_SECONDARY: "Give every caller the secondary key. The primary one goes next.",
    RotationStep.ROLL_PRIMARY: "Nobody uses the primary key now: it can be replaced.",
    RotationStep.VERIFY_PRIMARY: "A request with each key is sent; both must be accepted.",
    RotationStep.TO_PRIMARY: "Give every caller the new primary key. The secondary one goes next.",
    RotationStep.ROLL_SECONDARY: "Nobody uses the secondary key now: it can be replaced.",
    RotationStep.VERIFY_SECONDARY: "A request with each key is sent; both must be accepted.",
}
BUTTON = {
    RotationStep.TO_SECONDARY: "Callers use the secondary key",
    RotationStep.ROLL_PRIMARY: "Regenerate primary",
    RotationStep.VERIFY_PRIMARY: "Verify",
    RotationStep.TO_PRIMARY: "Callers use the new primary key",
    RotationStep.ROLL_SECONDARY: "Regenerate secondary",
    RotationStep.VERIFY_SECONDARY: "Verify",
}


def show(deployment: Deployment) -> None:
    """Draw where the rotation stands, or the button that starts one."""
    if not deployment.auth_enabled or not people.may(Role.OPERATOR):
        return
    with failures.reported():
        rotation = session.workspace().rotations.latest(deployment.name)
        with st.container(border=True, key="health-rotation"):
            if rotation is None or not rotation.under_way:
                _offer(deployment.name, rotation)
            else:
                _live(rotation)


def _offer(name: str, last: Rotation | None) -> None:
    now = datetime.now(UTC)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("**Guided rotation**", width="content")
        st.caption(_history(last, now=now), width="stretch")
        begun = st.button("Rotate both keys", key="rotation.begin", icon=":material/cycle:")
        migration_code.popover("deployment.rotate", name=name)
        if begun:
            session.workspace().rotations.begin(name)
            st.rerun()


def _history(last: Rotation | None, *, now: datetime) -> str:
    if last is None or last.ended_at is None:
        return "Replaces both keys while callers go on; each step is checked."
    when = formats.instant(last.ended_at, zone=shell.zone(), now=now)
    if last.step is RotationStep.DONE:
        return f"Both keys were rotated, {when}."
    return f"The last one was given up, {when}, at “{last.step}”."


def _live(rotation: Rotation) -> None:
    waiting = rotation.asked_at is not None

    @st.fragment(run_every=_LOOK_EVERY_S if waiting else None)
    def steps() -> None:
        with failures.reported():
            port = session.workspace().rotations
            current = port.advance(rotation.deployment, rotation.step) if waiting else rotation
            if current.step is not rotation.step or (current.asked_at is None) == waiting:
                st.rerun(scope="app")
            _steps(current)

    steps()


def _steps(rotation: Rotation) -> None:
    everything = list(RotationStep)[:-1]
    position = everything.index(rotation.step)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("**Guided rotation**", width="content")
        st.caption(f"step {position + 1} of {len(everything)}", width="stretch")
        if st.button("Give up", key="rotation.give_up", type="tertiary"):
            session.workspace().rotations.give_up(rotation.deployment)
            st.rerun(scope="app")
    st.progress(position / len(everything))
    st.markdown(f"{rotation.step}. {ADVICE[rotation.step]}")
    if rotation.problem:
        st.warning(formats.sentence(rotation.problem), icon=":material/warning:")
    if rotation.asked_at is not None:
        st.caption(":material/hourglass_top: The new key has been asked for …")
        return
    if st.button(
        BUTTON[rotation.step], key="rotation.advance", type="primary", icon=":material/check:"
    ):
        with st.spinner("…"):
            session.workspace().rotations.advance(rotation.deployment, rotation.step)
        st.rerun(scope="app")
