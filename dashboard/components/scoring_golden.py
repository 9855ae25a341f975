"""The golden set of a deployment: what it must answer, and whether it does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

import pandas as pd
import streamlit as st

from dashboard import formats, reads, session
from dashboard.components import data_age, empty, failures, table_height
from services.domain import Deployment
from services.scored import golden
from services.scored.golden import Verdict
from services.scored.records import ScoredRequest

MOST_ROWS = 12
_VERDICTS = "scoring_golden.verdicts"  # deployment → model, when, verdict


def show(deployment: Deployment, *, now: datetime) -> None:
    """Draw the cases, the button that asks them all, and the last verdict."""
    cases = [each for each in reads.scored_requests(deployment.name) if each.golden]
    if not cases:
        empty.show(
            "The golden set is empty. In History give a request a name, then add it with its "
            "right answer."
        )
        return
    verdicts = st.session_state.setdefault(_VERDICTS, {})
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{formats.plural(len(cases), 'case')}, asked of "
            f"{formats.plain(deployment.model_id)} one after the other.",
            width="stretch",
        )
        if st.button("Run golden set", key="scoring_golden.run", icon=":material/rule:"):
            with failures.reported(), st.spinner("Scoring…"):
                verdict = _ask(deployment, cases)
                verdicts[deployment.name] = (deployment.model_id, now, verdict)
    model_id, at, verdict = verdicts.get(deployment.name, ("", now, None))
    if verdict is not None:
        _verdict(verdict, stale=model_id != deployment.model_id)
        data_age.show(at, prefix="run")
    _table(cases, verdict)


def _ask(deployment: Deployment, cases: Sequence[ScoredRequest]) -> Verdict:
    port = session.workspace().scoring
    return golden.ask(cases, lambda payload: port.score(deployment.name, payload))


def _verdict(verdict: Verdict, *, stale: bool) -> None:
    if stale:
        st.info("The model has changed since this verdict: run it again.", icon=":material/sync:")
    if verdict.passed:
        st.success(
            f"All {len(verdict.cases)} pass.", icon=":material/check_circle:"
        )  # fmt: skip
        return
    names = ", ".join(formats.plain(case.request.name) for case in verdict.failed[:5])
    st.error(
        f"{len(verdict.failed)} of {formats.plural(len(verdict.cases), 'case')} fail: {names}.",
        icon=":material/error:",
    )


def _table(cases: Sequence[ScoredRequest], verdict: Verdict | None) -> None:
    judged = {case.request.id: case for case in verdict.cases} if verdict else {}
    found = [judged.get(each.id) for each in cases]
    st.dataframe(
        pd.DataFrame(
            {
                "Case": [each.name for each in cases],
                "Right answer": [
                    json.dumps(list(each.expected or ()), ensure_ascii=False) for each in cases
                ],
                "Verdict": [
                    "not run" if case is None else "pass" if case.passed else "FAIL"
                    for case in found
                ],
                "Reason": [case.why if case else "" for case in found],
            }
        ),
        hide_index=True,
        height=table_height.of(len(cases), at_most=MOST_ROWS),
        column_config={"Reason": st.column_config.TextColumn(width="large")},
        alt="Golden cases with their right answer and the last verdict",
    )
