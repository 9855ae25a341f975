"""A deployment's API documentation: the real Swagger UI, and a way to try it without a key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import streamlit as st

from dashboard import formats, people, session, tickets
from dashboard.components import failures
from services.access import Role
from services.domain import Deployment
from services.errors import NotFoundError

HEIGHT_PX = 1150
_TICKET = "health.ticket"  # of the deployment it was issued for


def show(deployment: Deployment) -> None:
    with failures.reported():
        try:
            document = session.workspace().deployments.swagger(deployment.name)
        except NotFoundError:
            _not_found(deployment)
            return
        _framed(deployment, document)


def _framed(deployment: Deployment, document: Mapping[str, Any]) -> None:
    name = deployment.name
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{formats.plural(_operation_count(document), 'operation')} as the deployment "
            "describes them. “Execute” sends a real request, which counts in the metrics.",
            width="stretch",
        )
        ticket = _ticket(name) if deployment.auth_enabled else ""
    theme = "dark" if st.context.theme.type == "dark" else "light"
    query = f"theme={theme}" + (f"&ticket={ticket}" if ticket else "")
    st.iframe(f"/api/deployments/{quote(name)}/documentation?{query}", height=HEIGHT_PX)


def _ticket(name: str) -> str:
    """What stands for a key in the frame, if an operator asked for it."""
    if not people.may(Role.OPERATOR):
        st.caption("Scoring from here takes the role operator.")
        return ""
    wanted = st.toggle(
        "Use the primary key",
        key=f"health.use-key-{name}",
        help="Requests from this page are authorised by the dashboard. The key itself does not "
        "reach the browser. Without, choose Authorize below and paste a key.",
    )
    kept: tuple[str, str] | None = st.session_state.get(_TICKET)
    if not wanted:
        if kept is not None:
            tickets.withdraw(kept[1])
            del st.session_state[_TICKET]
        return ""
    if kept is None or kept[0] != name or not tickets.admits(kept[1], name):
        kept = (name, tickets.issue(name))
        st.session_state[_TICKET] = kept
    return kept[1]


def _operation_count(document: Mapping[str, Any]) -> int:
    return sum(len(operations) for operations in document.get("paths", {}).values())


def _not_found(deployment: Deployment) -> None:
    st.warning("Swagger not found", icon=":material/description:")
    st.markdown(
        f"**{formats.plain(deployment.name)}** scores, but does not say what it takes and answers: "
        "its scoring script has no input and output schema. Put `@input_schema` and "
        "`@output_schema` of the package `inference-schema` on its `run()` and deploy it again; "
        "models trained here bring such a script with them."
    )
