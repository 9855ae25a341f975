"""Where a deployment is, what it serves and how: the facts of the back end, one per line."""

from __future__ import annotations

from datetime import datetime, tzinfo

import streamlit as st

from dashboard import formats
from services.domain import Deployment

NOT_READY = "not ready"
_LABEL_WIDTH = 150  # pixels


def show(deployment: Deployment, *, now: datetime, zone: tzinfo) -> None:
    with st.container(border=True, key="health-details"):
        st.markdown("**Address and settings**")
        _address("Scoring URI", deployment.scoring_uri)
        _address("Swagger URI", deployment.swagger_uri)
        for label, text, hover in facts(deployment, now=now, zone=zone):
            _line(label, formats.plain(text), help=hover)


def facts(
    deployment: Deployment, *, now: datetime, zone: tzinfo
) -> tuple[tuple[str, str, str | None], ...]:
    """Label, text, and what a hover adds."""
    return (
        ("Model", deployment.model_id, None),
        ("Compute", _compute(deployment), None),
        ("Authentication", _authentication(deployment), None),
        (
            "Created",
            formats.instant(deployment.created_at, zone=zone, now=now),
            formats.utc(deployment.created_at),
        ),
        (
            "Updated",
            formats.instant(deployment.updated_at, zone=zone, now=now),
            formats.utc(deployment.updated_at),
        ),
    )


def _authentication(deployment: Deployment) -> str:
    if token := deployment.properties.get("authentication"):
        return f"{token}, as “Authorization: Bearer …”"
    if deployment.auth_enabled:
        return "Key, as “Authorization: Bearer …”"
    return "None: whoever reaches it may score"


def _compute(deployment: Deployment) -> str:
    parts = [deployment.compute_type]
    if deployment.cpu_cores is not None and deployment.compute_type != "Local":
        unit = "core" if deployment.cpu_cores == 1 else "cores"
        parts.append(f"{deployment.cpu_cores:g} {unit}")
    if deployment.memory_gb is not None and deployment.compute_type != "Local":
        parts.append(f"{deployment.memory_gb:g} GB")
    if deployment.compute_type == "Local":
        parts.append("one process on this machine")
    return ", ".join(parts)


def _address(label: str, uri: str | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(label, width=_LABEL_WIDTH)
        if uri is None:
            st.markdown(f":gray[{NOT_READY}]", width="stretch")
        else:
            st.code(uri, language=None, width="stretch")


def _line(label: str, text: str, *, help: str | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(label, width=_LABEL_WIDTH)
        st.markdown(text, width="stretch", help=help)
