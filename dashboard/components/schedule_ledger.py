"""What became of a schedule's due times, where something went otherwise than planned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

import pandas as pd
import streamlit as st

from dashboard import formats
from dashboard.pipeline_facts import lateness, remarkable
from services.domain import Firing


def show(firings: Sequence[Firing], *, now: datetime, zone: tzinfo) -> None:
    """A line that counts them and a table that names them; nothing when all went well."""
    odd = remarkable(firings)
    if not odd:
        return
    missed = sum(firing.missed_count for firing in odd)
    late = sum(1 for firing in odd if lateness(firing))
    refused = sum(1 for firing in odd if firing.run_id is None)
    counts = [
        formats.plural(missed, "time") + " missed" if missed else "",
        formats.plural(late, "time") + " late" if late else "",
        formats.plural(refused, "time") + " nothing could be submitted" if refused else "",
    ]
    with st.expander(", ".join(filter(None, counts)), icon=":material/event_busy:"):
        st.caption(
            "A time is missed while no supervisor runs; missed times collapse into the next firing."
        )
        st.dataframe(
            pd.DataFrame(
                {
                    "Due": [formats.instant(each.due_at, zone=zone, now=now) for each in odd],
                    "Late": [formats.duration(lateness(each)) for each in odd],
                    "Missed before": [each.missed_count or None for each in odd],
                    "Not submitted because": [each.reason for each in odd],
                }
            ),
            hide_index=True,
            placeholder="–",
            height="content" if len(odd) < 10 else 390,
            alt="Due times that were missed, late or refused",
            key="schedule.ledger",
        )
