"""Past passages through Transitioning: what was done, how long it took, how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

import pandas as pd
import streamlit as st

from dashboard.components import state_badge, table_height
from services.domain import DeploymentState, Transition

SHOWN = 8  # rows; from there on the table scrolls


def show(transitions: Sequence[Transition], *, zone: tzinfo) -> None:
    with st.container(border=True, key="health-history"):
        st.markdown("**Changes**", help="Each passage through Transitioning, newest first")
        if not transitions:
            st.caption("Nothing was changed from here yet; what others changed is not known.")
            return
        st.dataframe(
            frame(transitions),
            hide_index=True,
            width="stretch",
            height=table_height.of(len(transitions), at_most=SHOWN),
            row_height=table_height.ROW_PX,
            key="health.history",
            alt="Passages through Transitioning with their length and outcome",
            column_config={
                "kind": "Change",
                "started": st.column_config.DatetimeColumn(
                    "Started", format="D MMM YYYY, HH:mm:ss", timezone=str(zone)
                ),
                "took": st.column_config.NumberColumn("Took (s)", format="%.1f"),
                "outcome": state_badge.column("Ended as", DeploymentState),
            },
        )


def frame(transitions: Sequence[Transition]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "kind": [each.kind.capitalize() for each in transitions],
            "started": [each.started_at for each in transitions],
            "took": [
                None if each.ended_at is None else (each.ended_at - each.started_at).total_seconds()
                for each in transitions
            ],
            "outcome": [[each.outcome.value] if each.outcome else [] for each in transitions],
        }
    )
