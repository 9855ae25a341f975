"""The request being made: as a form or as JSON, row by row, with what is wrong in it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import formats, scoring_draft
from dashboard.components import scoring_form
from services import scoring_payload
from services.domain import DataContract, RowProblem

FORM, JSON, CSV = "Form", "JSON", "CSV file"
ROW_LIMIT = 100  # in the form; more rows are a file
SHOWN_PROBLEMS = 8


def show(contract: DataContract | None, *, mode: str) -> bool:
    """Draw the editor; true in the rerun that follows a click on Score."""
    with st.container(border=True, key="scoring-editor"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            left = st.container(horizontal=True, vertical_alignment="center", width="stretch")
            right = st.container(width="content")
        if mode == JSON or contract is None:
            left.caption("Request body")
            ready = _json(contract)
        else:
            problems = scoring_payload.problems(contract, scoring_draft.current())
            with left:
                _rows(problems)
            scoring_form.show(contract, problems)
            ready = not any(problem.blocking for problem in problems)
        return right.button(
            "Score", key="live_scoring.score", type="primary", icon=":material/bolt:",
            disabled=not ready,
            help=None if ready else "Something in the request has to be put right first",
        )  # fmt: skip


def _rows(problems: Sequence[RowProblem]) -> None:
    """Which row the form shows, and the buttons that add and remove one."""
    payload = scoring_draft.current()
    count, row = len(payload.rows), scoring_draft.row()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if count > 1:
            st.pagination(count, key=scoring_draft.ROW, max_visible_pages=5)
        st.caption(f"Row {row + 1} of {count}" if count > 1 else "One row", width="content")
        elsewhere = {each.row for each in problems if each.blocking and each.row} - {row + 1}
        if elsewhere:
            st.badge(f"look at row {min(elsewhere)}", color="red", icon=":material/error:")
        st.space("stretch")
        st.button(
            "Add row", key="live_scoring.add", icon=":material/add:", type="tertiary",
            disabled=count >= ROW_LIMIT, on_click=_add, help="A copy of this row",
        )  # fmt: skip
        if count > 1:
            st.button(
                "Remove", key="live_scoring.remove", icon=":material/remove:", type="tertiary",
                on_click=_remove,
            )  # fmt: skip


def _add() -> None:
    scoring_draft.replace(scoring_draft.current().with_copy_of(scoring_draft.row()))
    st.session_state[scoring_draft.ROW] = len(scoring_draft.current().rows)


def _remove() -> None:
    scoring_draft.replace(scoring_draft.current().without(scoring_draft.row()))


def _json(contract: DataContract | None) -> bool:
    scoring_draft.show_text()
    st.text_area(
        "Request body (JSON)",
        label_visibility="collapsed",
        key=scoring_draft.TEXT,
        height=420,
        on_change=scoring_draft.take_text,
        help="Leave the field, or press Ctrl+Enter, and the form follows",
    )
    if why := scoring_draft.broken():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.error(why, icon=":material/error:")
            st.button(
                "Back to the last good one", key="live_scoring.undo", type="tertiary",
                icon=":material/undo:", on_click=scoring_draft.forget_text,
            )  # fmt: skip
        return False
    if contract is not None:
        _objections(scoring_payload.problems(contract, scoring_draft.current()))
    return True


def _objections(problems: Sequence[RowProblem]) -> None:
    """Each names its row and column; a blocking one is a mistake, the others are unusual."""
    for problem in sorted(problems, key=lambda each: not each.blocking)[:SHOWN_PROBLEMS]:
        color, icon = ("red", "error") if problem.blocking else ("orange", "warning")
        st.caption(f":{color}[:material/{icon}: {formats.plain(problem.message)}]")
    if len(problems) > SHOWN_PROBLEMS:
        st.caption(f"and {formats.count(len(problems) - SHOWN_PROBLEMS)} more")
