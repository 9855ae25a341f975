"""What the golden set held back: the model, the case that failed, and the way past it."""

from __future__ import annotations

import streamlit as st

from dashboard import formats, navigation, people, reads, session
from dashboard.components import deployment_notice, failures
from services.access import Role
from services.domain import Deployment
from services.scored.gate import Asker, GoldenVerdict

SHOWN = 5  # cases named; the rest are counted


def show(deployment: Deployment) -> bool:
    """Whether it held a model back; nothing is drawn where it did not."""
    refused = _refused(deployment)
    if refused is None:
        return False
    name, model_id = deployment.name, formats.plain(refused.model_id)
    with st.container(border=True, key="health-golden"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f":material/rule: **The golden set held back {model_id}**", width="stretch")
            st.page_link(
                navigation.to("live_scoring"),
                label="Open its cases",
                icon=":material/rule:",
                query_params={"deployment": name, "view": "Golden set"},
            )
            if people.may(Role.ADMIN):
                _overrule(name, refused)
        lines = [f"- {formats.plain(each)}" for each in refused.wrong[:SHOWN]]
        if len(refused.wrong) > SHOWN:
            lines.append(f"- and {formats.count(len(refused.wrong) - SHOWN)} more")
        st.markdown("\n".join(lines))
    return True


def _refused(deployment: Deployment) -> GoldenVerdict | None:
    if not deployment.error:
        return None
    gated = (each for each in reads.golden_verdicts(deployment.name) if each.asked_by is Asker.GATE)
    last = next(gated, None)
    if last is None or last.passed or last.wrong[0] not in deployment.error:
        return None
    return last


def _overrule(name: str, refused: GoldenVerdict) -> None:
    with st.popover("Serve it anyway", icon=":material/gavel:", key="health.overrule"):
        st.markdown(f"**Serve {formats.plain(refused.model_id)} although golden cases fail?**")
        reason = st.text_input(
            "Reason", key=f"health.overrule-reason-{name}", max_chars=200,
            placeholder="the right answer of the case is out of date",
        )  # fmt: skip
        st.caption("It counts once, for this model, and stands in the audit log with your name.")
        if st.button(
            "Serve it anyway", key=f"health.overrule-{name}", type="primary",
            disabled=not reason.strip(),
        ):  # fmt: skip
            with failures.reported():
                session.workspace().golden.overrule(name, refused.model_id, reason=reason)
                reads.clear()
                deployment_notice.keep(
                    f"{formats.plain(refused.model_id)} is served despite its golden cases.",
                    icon=":material/gavel:",
                )
                st.rerun(scope="app")
