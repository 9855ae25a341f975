"""Every deployment: whether it is up, what it serves, who may call it, and where it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

import pandas as pd
import streamlit as st

from dashboard.components import state_badge, table_height
from services.domain import Deployment, DeploymentState

KEY = "health.table"
NOT_READY = "not ready"
TALL = 6  # rows; from there on the table scrolls


def show(deployments: Sequence[Deployment], *, chosen: str, zone: tzinfo) -> str:
    """A table whose chosen row becomes the page's deployment; the name of the one chosen."""
    names = [each.name for each in deployments]
    rows = [names.index(chosen)] if chosen in names else []
    # The picker and the table are two views of one choice.
    st.session_state[KEY] = {"selection": {"rows": rows, "columns": [], "cells": []}}

    def choose() -> None:
        rows = st.session_state[KEY]["selection"]["rows"]
        if rows and rows[0] < len(names):
            st.session_state["deployment"] = names[rows[0]]

    st.dataframe(
        frame(deployments),
        key=KEY,
        on_select=choose,
        selection_mode="single-row",
        hide_index=True,
        width="stretch",
        height=table_height.of(len(deployments), at_most=TALL),
        row_height=table_height.ROW_PX,
        alt="Deployments with their state, model, settings and addresses",
        column_config={
            "state": state_badge.column("State", DeploymentState, width=120),
            "name": st.column_config.TextColumn("Deployment", pinned=True),
            "model": "Model",
            "compute": st.column_config.TextColumn("Compute", width=90),
            "auth": st.column_config.TextColumn("Authentication", width=110),
            "telemetry": st.column_config.TextColumn("App Insights", width=100),
            "scoring": "Scoring URI",
            "swagger": "Swagger URI",
            "created": st.column_config.DatetimeColumn(
                "Created", format="D MMM YYYY, HH:mm", timezone=str(zone)
            ),
            "updated": st.column_config.DatetimeColumn(
                "Updated", format="D MMM YYYY, HH:mm", timezone=str(zone)
            ),
        },
    )
    return str(st.session_state.get("deployment") or chosen)


def frame(deployments: Sequence[Deployment]) -> pd.DataFrame:
    """One row per deployment; an address it does not have yet says so."""
    return pd.DataFrame(
        {
            "name": [each.name for each in deployments],
            "state": [[each.state.value] for each in deployments],
            "model": [each.model_id for each in deployments],
            "compute": [each.compute_type for each in deployments],
            "auth": ["Key" if each.auth_enabled else "None" for each in deployments],
            "telemetry": ["On" if each.telemetry_enabled else "Off" for each in deployments],
            "scoring": [each.scoring_uri or NOT_READY for each in deployments],
            "swagger": [each.swagger_uri or NOT_READY for each in deployments],
            "created": [each.created_at for each in deployments],
            "updated": [each.updated_at for each in deployments],
        }
    )
