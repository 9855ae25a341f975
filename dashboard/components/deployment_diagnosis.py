"""Why a deployment is not well: a card per trouble, with its cause and the next step."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from dashboard import alert_reads, formats, navigation, reads, session
from dashboard.components import failures
from services import diagnosis, transition_times
from services.diagnosis import Diagnosis, Symptoms, Trouble
from services.domain import Capability, Deployment, DeploymentState

UNWELL = (DeploymentState.UNHEALTHY, DeploymentState.FAILED)
LINES = 1_000  # of the log that are looked at


def show(deployment: Deployment, *, now: datetime) -> None:
    """Nothing while nothing is wrong; the log is only asked for then."""
    symptoms = _symptoms(deployment, now=now)
    for card in diagnosis.diagnose(symptoms):
        _card(deployment.name, card)


def _symptoms(deployment: Deployment, *, now: datetime) -> Symptoms:
    unwell = deployment.state in UNWELL
    stuck = not deployment.state.settled and _stuck(deployment, now)
    probe = "" if unwell or not deployment.state.settled else _probe(deployment.name)
    log = _log(deployment.name) if unwell or stuck or probe else ""
    return Symptoms(error=deployment.error, probe=probe, log=log, unwell=unwell, stuck=stuck)


def _stuck(deployment: Deployment, now: datetime) -> bool:
    port = session.workspace().deployments
    own = port.transitions(deployment.name)
    passage = transition_times.present(own)
    if passage is None:
        return False
    usual = transition_times.usual(own, passage.kind)
    if usual.count < transition_times.ENOUGH:
        usual = transition_times.usual(port.transitions(), passage.kind)
    return usual.worrying(now - passage.started_at)


def _probe(name: str) -> str:
    """Why the last probe failed; empty when it did not, or nobody probes."""
    if not session.workspace().can(Capability.ALERTS):
        return ""
    on = any(each.deployment == name and each.enabled for each in alert_reads.probes())
    results = alert_reads.probe_results(name) if on else ()
    return results[0].reason if results and not results[0].ok else ""


def _log(name: str) -> str:
    with failures.reported():
        return reads.deployment_log(name, LINES).text
    return ""  # the card then rests on what the back end says


def _card(name: str, card: Diagnosis) -> None:
    icon = ":material/help:" if card.trouble is Trouble.UNKNOWN else ":material/stethoscope:"
    with st.container(border=True, key=f"diagnosis-{card.trouble.name.lower()}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{icon} **{card.title}**", width="stretch")
            if card.line_number is not None:
                st.page_link(
                    navigation.to("deployment_health"),
                    label=f"Log, line {card.line_number:,} of the last {LINES:,}",
                    icon=":material/article:",
                    query_params={"deployment": name, "view": "Log"},
                    width="content",
                )
        st.markdown(f"{card.cause} **Next:** {formats.plain(card.next_step)}")
        if card.line:
            st.code(card.line, language=None, wrap_lines=True)
