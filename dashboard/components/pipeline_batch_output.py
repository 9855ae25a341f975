"""The scored rows of a batch inference: a look at them, and the whole of them to take away."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import formats, reads
from services.errors import NotFoundError

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 200


def show(run_id: str) -> None:
    """Draw what has been scored so far; nothing when there is nothing."""
    try:
        rows = reads.batch_output(run_id)
    except NotFoundError:
        return
    failed = rows[rows["error"].notna()]
    with st.container(border=True, key="batch-output"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**Results**", width="content")
            only_failed = st.toggle(
                "Failed rows only", key="batch.failed-rows", disabled=failed.empty
            )
            st.space("stretch")
            _downloads(run_id, rows)  # fmt: skip
        chosen = failed if only_failed else rows
        shown = chosen.head(SHOWN)
        st.caption(
            f"The first {formats.count(len(shown))} of {formats.plural(len(chosen), 'row')}"
            if len(chosen) > len(shown)
            else formats.plural(len(chosen), "row")
        )
        st.dataframe(
            _results_first(shown),
            height=320 if len(shown) > 8 else "content",
            column_config={
                "probability": st.column_config.NumberColumn(
                    "probability", format="%.3f", help="Of the predicted class"
                ),
                "error": st.column_config.TextColumn("error", width="large"),
            },
            placeholder="–",
            alt="Scored rows with prediction, probability and error",
            key="batch.output",
        )


def _results_first(rows: pd.DataFrame) -> pd.DataFrame:
    """What was found out, then what was sent; the row's place from 1 as index."""
    found = ["prediction", "probability"] + (["error"] if rows["error"].notna().any() else [])
    sent = [name for name in rows if name not in ("prediction", "probability", "error")]
    ordered = rows[[*found, *sent]]
    return ordered.set_axis(ordered.index + 1)


def _downloads(run_id: str, rows: pd.DataFrame) -> None:
    st.download_button(
        "CSV",
        lambda: rows.to_csv(index=False).encode(),
        file_name=f"{run_id}.csv",
        mime="text/csv",
        key="batch.csv",
        icon=":material/download:",
        on_click="ignore",
    )
    st.download_button(
        "Parquet", lambda: _parquet(rows), file_name=f"{run_id}.parquet",
        mime="application/vnd.apache.parquet", key="batch.parquet", icon=":material/download:",
        on_click="ignore",
    )  # fmt: skip


def _parquet(rows: pd.DataFrame) -> bytes:
    target = io.BytesIO()
    rows.to_parquet(target, index=False)
    return target.getvalue()
