"""The request as it will be sent, its key masked, and the same for other programs."""

from __future__ import annotations

import streamlit as st

from dashboard import navigation, scoring_draft
from dashboard.components import benchmark_form, migration_code
from services import snippets
from services.domain import Deployment

MASKED = "Bearer ••••••••••••••••"


def show(deployment: Deployment) -> None:
    """Draw the card."""
    uri = deployment.scoring_uri or "https://not-assigned-yet/score"
    payload = scoring_draft.current().text()
    with st.container(border=True, key="scoring-request"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**Request**", width="stretch")
            migration_code.popover("deployment.score", name=deployment.name)
        seen, copied = st.tabs(["As sent", "Copy as"])
        with seen:
            st.code(_headers(deployment, uri), language="http")
            st.code(payload, language="json", height=240)
        with copied:
            _snippet(deployment, uri, payload)
        # A link, since Streamlit cannot switch pages while a widget is bound to the address.
        st.page_link(
            navigation.to("benchmark_results"),
            label="Load-test this payload",
            icon=":material/speed:",
            query_params={"deployment": deployment.name, **benchmark_form.FROM_LIVE_SCORING},
        )


def _headers(deployment: Deployment, uri: str) -> str:
    lines = [f"POST {uri}", "Content-Type: application/json"]
    if deployment.auth_enabled:
        lines.append(f"Authorization: {MASKED}")
    return "\n".join(lines)


def _snippet(deployment: Deployment, uri: str, payload: str) -> None:
    language = st.segmented_control(
        "Language", snippets.LANGUAGES, default=snippets.LANGUAGES[0], required=True,
        key="live_scoring.language", label_visibility="collapsed",
    )  # fmt: skip
    language = language or snippets.LANGUAGES[0]
    st.code(
        snippets.render(language, uri, payload, auth=deployment.auth_enabled),
        language={"curl": "bash", "Python": "python", "PowerShell": "powershell"}[language],
        height=280,
    )
    if deployment.auth_enabled:
        st.caption(
            f"Reads the key from the environment variable {snippets.KEY_VARIABLE}; "
            "the keys are on Deployment health."
        )
