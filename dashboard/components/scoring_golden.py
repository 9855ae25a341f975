"""The golden set of a deployment: what it must answer, and whether it does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, tzinfo

import pandas as pd
import streamlit as st

from dashboard import formats, reads, session
from dashboard.components import data_age, empty, failures, table_height
from services.domain import Deployment
from services.scored import gate
from services.scored.gate import Asker, GoldenVerdict
from services.scored.records import ScoredRequest

MOST_ROWS = 12
SHOWN = 10  # verdicts in the history


def show(deployment: Deployment, *, now: datetime, zone: tzinfo) -> None:
    """Draw the cases, the button that asks them all, and what they said so far."""
    cases = [each for each in reads.scored_requests(deployment.name) if each.golden]
    if not cases:
        empty.show(
            "The golden set is empty. In History give a request a name, then add it with its "
            "right answer. From then on every model is asked before it is served here."
        )
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{formats.plural(len(cases), 'case')}, asked of "
            f"{formats.plain(deployment.model_id)} one after the other. {_when()}",
            width="stretch",
        )
        if st.button("Run golden set", key="scoring_golden.run", icon=":material/rule:"):
            with failures.reported(), st.spinner("Scoring…"):
                _ask(deployment, cases, now=now)
    verdicts = reads.golden_verdicts(deployment.name)
    last = next((each for each in verdicts if each.model_id == deployment.model_id), None)
    if last is not None and last.cases != gate.fingerprint(cases):
        st.info("The cases have changed since they were asked: run them.", icon=":material/sync:")
        last = None
    if last is not None:
        _verdict(last, [each.name for each in cases if _reason(each, last)])
        data_age.show(last.at, prefix="run")
    _table(cases, last)
    _history(verdicts, now=now, zone=zone)


def _when() -> str:
    if session.workspace().backend == "local":
        return "A model that fails one is not served, and they are asked again every hour."
    return "They are asked when another model is served, and again every hour."


def _ask(deployment: Deployment, cases: Sequence[ScoredRequest], *, now: datetime) -> None:
    workspace = session.workspace()
    verdict = gate.judged(
        deployment.name,
        deployment.model_id,
        cases,
        lambda payload: workspace.scoring.score(deployment.name, payload),
        by=Asker.OPERATOR,
        at=now,
    )
    workspace.golden.record(verdict)


def _verdict(verdict: GoldenVerdict, wrong: Sequence[str]) -> None:
    if verdict.passed:
        st.success(f"All {verdict.count} pass.", icon=":material/check_circle:")
        return
    names = ", ".join(map(formats.plain, wrong[:5]))
    st.error(
        f"{len(verdict.wrong)} of {formats.plural(verdict.count, 'case')} fail: {names}.",
        icon=":material/error:",
    )


def _table(cases: Sequence[ScoredRequest], verdict: GoldenVerdict | None) -> None:
    reasons = [_reason(each, verdict) for each in cases]
    passed = "not run" if verdict is None else "pass"
    st.dataframe(
        pd.DataFrame(
            {
                "Case": [each.name for each in cases],
                "Right answer": [
                    json.dumps(list(each.expected or ()), ensure_ascii=False) for each in cases
                ],
                "Verdict": ["FAIL" if reason else passed for reason in reasons],
                "Reason": reasons,
            }
        ),
        hide_index=True,
        height=table_height.of(len(cases), at_most=MOST_ROWS),
        column_config={"Reason": st.column_config.TextColumn(width="large")},
        alt="Golden cases with their right answer and the last verdict",
        key="scoring_golden.cases",
    )


def _reason(case: ScoredRequest, verdict: GoldenVerdict | None) -> str:
    start = f"{case.name}: "
    wrong = verdict.wrong if verdict else ()
    return next((each.removeprefix(start) for each in wrong if each.startswith(start)), "")


def _history(verdicts: Sequence[GoldenVerdict], *, now: datetime, zone: tzinfo) -> None:
    if not verdicts:
        return
    shown = verdicts[:SHOWN]
    st.markdown("**What it said before**")
    st.dataframe(
        pd.DataFrame(
            {
                "Asked": [formats.instant(each.at, zone=zone, now=now) for each in shown],
                "Model": [each.model_id for each in shown],
                "Occasion": [each.asked_by.value for each in shown],
                "Verdict": ["pass" if each.passed else "FAIL" for each in shown],
                "Reason": [each.why for each in shown],
            }
        ),
        hide_index=True,
        height=table_height.of(len(shown), at_most=MOST_ROWS),
        column_config={"Reason": st.column_config.TextColumn(width="large")},
        alt="Earlier verdicts of the golden set, newest first",
        key="scoring_golden.history",
    )
