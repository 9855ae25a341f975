"""Every metric of every child run: scores in rows, children in columns, and the file of it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import formats, reads
from dashboard.components import empty
from dashboard.run_facts import RunFacts
from services import leaderboard


def show(facts: RunFacts) -> None:
    standings = leaderboard.standings(facts.children, best_id=facts.run.best_child_id)
    ranked = tuple(each.run.id for each in standings if each.rank is not None)
    if not ranked:
        empty.show("No child run has completed yet, so there are no metrics to compare.")
        return
    frame = leaderboard.metric_frame(standings, reads.metrics(ranked))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{formats.plural(len(frame), 'metric')} of {formats.plural(len(ranked), 'child run')},"
            " best first. A metric a run did not log is blank."
            + (f" From {formats.plain(facts.reported_on)}." if facts.reported_on else "")
        )
        st.space("stretch")
        st.download_button(
            "Download CSV",
            csv(frame),
            file_name=f"{facts.run.experiment}-{facts.run.number}-metrics.csv",
            mime="text/csv",
            key="runs.metrics-csv",
            icon=":material/download:",
            on_click="ignore",
        )
    score = st.column_config.NumberColumn(format="%.4f", width=140)
    st.dataframe(
        frame.assign(naive=pd.Series(facts.naive, dtype="float64")) if facts.naive else frame,
        height="content",
        column_config={
            "metric": st.column_config.TextColumn("Metric", pinned=True, width=230),
            "naive": st.column_config.NumberColumn(
                "Naive baseline", format="%.4f", help="What knowing nothing scores"
            ),
            **dict.fromkeys(map(str, frame.columns), score),
        },
        column_order=[*(["naive"] if facts.naive else []), *map(str, frame.columns)],
        placeholder="",
        alt="Metrics in rows, child runs in columns",
        key="runs.metrics",
    )


def csv(frame: pd.DataFrame) -> bytes:
    """The table as it stands; what is missing stays empty."""
    return frame.to_csv().encode()
