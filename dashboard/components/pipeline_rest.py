"""How to submit over HTTP: the address, the token, and a command to copy."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import streamlit as st

from dashboard import session
from dashboard.components import secret_field


def show(endpoint: str, experiment: str, *, key: str) -> None:
    """Draw the trigger of a published pipeline or a pipeline endpoint."""
    url = absolute(endpoint, st.context.url)
    ours = endpoint.startswith("/")
    st.markdown(
        "**REST trigger**",
        help="The same address, body and answer as on Azure ML" if ours else "Azure ML’s own",
    )
    if not endpoint:
        st.caption("Azure ML gives no address for it.")
        return
    st.caption(
        "POST to this address, with the workspace’s token as a bearer token"
        if ours
        else "POST to Azure ML’s own address, with a Microsoft Entra access token as a bearer "
        "token. The one below is this dashboard’s: it may do what the dashboard may, and ends "
        "within the hour. Give a caller of its own a service principal."
    )
    st.code(url, language=None, wrap_lines=True)
    secret_field.show("Token", session.workspace().pipelines.rest_token, key=f"{key}.token")
    with st.expander("Command", icon=":material/terminal:"):
        st.code(command(url, experiment), language="bash", wrap_lines=True)


def absolute(endpoint: str, page_url: str | None) -> str:
    """The address as the viewer's own machine reaches it: a bare path is on this dashboard's."""
    if not endpoint.startswith("/") or not page_url:
        return endpoint
    parts = urlsplit(page_url)
    return f"{parts.scheme}://{parts.netloc}{endpoint}"


def command(url: str, experiment: str) -> str:
    """A ``curl`` line; the token stays a variable, so that no history keeps it."""
    body = json.dumps({"ExperimentName": experiment, "ParameterAssignments": {}})
    quoted = body.replace("'", "'\\''")
    return (
        f"curl -X POST '{url}' \\\n"
        '  -H "Authorization: Bearer $TOKEN" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d '{quoted}'"
    )
