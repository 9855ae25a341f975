"""What was changed in the workspace, newest first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import shell
from services.domain import AuditEvent

ROW_PX = 35
MOST_ROWS = 8  # the table scrolls beyond


def show(events: Sequence[AuditEvent]) -> None:
    """Draw the table. `events` is not empty."""
    rows = pd.DataFrame(
        {
            "When": pd.to_datetime([event.at for event in events], utc=True),
            "Action": [event.action for event in events],
            "Subject": [event.subject for event in events],
            "By": [event.actor for event in events],
            "Before": [_text(event.before) for event in events],
            "After": [_text(event.after) for event in events],
        }
    )
    st.dataframe(
        rows,
        hide_index=True,
        height=ROW_PX * (min(len(events), MOST_ROWS) + 1) + 3,
        column_config={
            "When": st.column_config.DatetimeColumn(
                format="D MMM, HH:mm:ss", timezone=str(shell.zone()), width="small"
            ),
            "Before": st.column_config.TextColumn(width="medium"),
            "After": st.column_config.TextColumn(width="medium"),
        },
        alt="Changes: when, what, of which thing, by whom, before and after",
    )


def _text(values: Mapping[str, Any]) -> str:
    return json.dumps(dict(values), default=str, ensure_ascii=False) if values else ""
