"""Two answers to one payload, side by side where they differ."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from dashboard import formats
from dashboard.components import table_height
from services.scored import golden
from services.scored.records import ScoredRequest

MOST_ROWS = 8


def show(before: ScoredRequest, after: ScoredRequest) -> None:
    """Say whether the answer changed, and in which rows."""
    who = _who(before, after)
    if not after.answer.ok:
        st.error(f"{who}: {formats.plain(after.answer.error)}", icon=":material/error:")
        return
    if not before.answer.ok:
        st.success(f"{who}: it answers now; before, it did not.", icon=":material/check_circle:")
        return
    changed = golden.changes(before.answer, after.answer)
    count = len(after.answer.results)
    if not changed:
        st.success(
            f"{who}: the same answer for {formats.plural(count, 'row')}.",
            icon=":material/check_circle:",
        )
        return
    st.warning(
        f"{who}: {len(changed)} of {formats.plural(count, 'row')} changed.",
        icon=":material/difference:",
    )
    st.dataframe(
        pd.DataFrame(
            {
                "Row": [each.row for each in changed],
                "Before": [_said(each.before, each.before_probabilities) for each in changed],
                "Now": [_said(each.after, each.after_probabilities) for each in changed],
            }
        ),
        hide_index=True,
        height=table_height.of(len(changed), at_most=MOST_ROWS),
        alt="Rows whose answer changed: before and now",
    )


def _who(before: ScoredRequest, after: ScoredRequest) -> str:
    if before.deployment != after.deployment:
        return f"{formats.plain(after.deployment)} against {formats.plain(before.deployment)}"
    if before.model_id != after.model_id:
        return f"{formats.plain(after.model_id)} against {formats.plain(before.model_id)}"
    return "The same model"


def _said(result: object, shares: Mapping[str, float]) -> str:
    share = shares.get(str(result))
    text = "–" if result is None else str(result)
    return text if share is None else f"{text} ({formats.percent(share)})"
