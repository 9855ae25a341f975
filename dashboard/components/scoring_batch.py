"""Scoring a CSV file: checked row by row, sent in chunks, downloaded in input order."""

from __future__ import annotations

import time
from functools import partial

import pandas as pd
import streamlit as st

from dashboard import formats, session
from dashboard.components import failures
from services import tabular
from services.batch_scoring import Batch
from services.domain import DataContract

ROW_LIMIT = 50_000  # more rows are a batch inference pipeline's work
TURN_S = 0.6  # how long one turn of the timer scores before it shows what it has
TIMER_S = 0.2
SHOWN_FAILURES = 200
_BATCH, _SOURCE, _PAUSED = "live_scoring.batch", "live_scoring.batch_of", "live_scoring.paused"


def show(deployment: str, contract: DataContract, *, probabilities: bool) -> None:
    """Draw the card."""
    with st.container(border=True, key="scoring-batch"):
        file = st.file_uploader(
            "CSV file with one row per line and the model's columns",
            type=["csv", "txt", "tsv"],
            key="live_scoring.file",
            help="Columns are found by name; more columns, such as the label, are kept and "
            "not sent",
        )
        if file is None:
            _forget()
            wanted = ", ".join(formats.plain(each.name) for each in contract.columns)
            st.caption(f"Needs the columns {wanted}.")
            return
        identity = (file.file_id, deployment, probabilities)
        with failures.reported():
            if st.session_state.get(_SOURCE) != identity:
                _forget()
                st.session_state[_BATCH] = _read(file.getvalue(), contract, probabilities)
                st.session_state[_SOURCE] = identity
            _follow(deployment, st.session_state[_BATCH], file.name)


def _read(content: bytes, contract: DataContract, probabilities: bool) -> Batch:
    columns, rows = tabular.read_text_rows(content)
    batch = Batch(contract, columns, rows[:ROW_LIMIT], probabilities=probabilities)
    if len(rows) > ROW_LIMIT:
        st.warning(
            f"The file has {formats.count(len(rows))} rows; the first {formats.count(ROW_LIMIT)} "
            "are scored here. Publish a batch inference pipeline for all of them."
        )
    return batch


def _forget() -> None:
    for key in (_BATCH, _SOURCE, _PAUSED):
        st.session_state.pop(key, None)


def _follow(deployment: str, batch: Batch, name: str) -> None:
    """Score turn by turn, so that the page stays alive and a click can pause it."""
    moving = not batch.finished and not st.session_state.get(_PAUSED, False)

    @st.fragment(run_every=TIMER_S if moving else None)
    def turn() -> None:
        with failures.explained():
            if moving:
                _score(deployment, batch)
            _progress(batch)
            if moving and (batch.finished or batch.error):
                st.session_state[_PAUSED] = bool(batch.error)
                st.rerun()
            if not batch.finished:
                st.button(
                    "Pause" if moving else "Go on",
                    key="live_scoring.pause",
                    icon=":material/pause:" if moving else ":material/play_arrow:",
                    on_click=partial(_pause, moving),
                )

    turn()
    if not moving:
        _results(batch, name)


def _pause(paused: bool) -> None:
    st.session_state[_PAUSED] = paused


def _score(deployment: str, batch: Batch) -> None:
    scoring = session.workspace().scoring
    deadline = time.monotonic() + TURN_S
    while not batch.finished and not batch.error and time.monotonic() < deadline:
        batch.step(partial(scoring.score, deployment))


def _progress(batch: Batch) -> None:
    share = batch.done_count / max(batch.total_count, 1)
    text = f"{formats.count(batch.done_count)} of {formats.plural(batch.total_count, 'row')}"
    if batch.failed_count:
        text += f" · {formats.count(batch.failed_count)} without a score"
    st.progress(share, text=text)
    if batch.error:
        st.warning(
            f"{formats.plain(batch.error)} The rows scored so far are kept.",
            icon=":material/cloud_off:",
        )


def _results(batch: Batch, name: str) -> None:
    scored, failed = st.columns(2, gap="small")
    scored.metric("Scored", formats.count(batch.scored_count), border=True)
    failed.metric("Without a score", formats.count(batch.failed_count), border=True)
    problems = batch.failures()
    if problems:
        st.dataframe(
            pd.DataFrame(
                {
                    "Row": [row for row, _ in problems[:SHOWN_FAILURES]],
                    "Reason": [
                        why.removeprefix(f"Row {row}: ") for row, why in problems[:SHOWN_FAILURES]
                    ],
                }
            ),
            hide_index=True,
            height=min(260, 38 + 35 * len(problems)),
            column_config={"Row": st.column_config.NumberColumn(width=70, format="localized")},
            key="live_scoring.problems",
            alt="Rows without a score and why",
        )
        if len(problems) > SHOWN_FAILURES:
            st.caption(f"The file to download has all {formats.count(len(problems))} reasons.")
    st.download_button(
        "Download scores",
        batch.to_csv,
        file_name=f"{name.rsplit('.', 1)[0]}-scores.csv",
        mime="text/csv",
        type="primary",
        icon=":material/download:",
        key="live_scoring.download",
        on_click="ignore",
        disabled=not batch.done_count,
    )
