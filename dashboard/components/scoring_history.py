"""Requests made before: look at one, send it again, see what changed, keep it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo

import pandas as pd
import streamlit as st

from dashboard import formats, reads, scoring_draft, session
from dashboard.components import confirm, empty, failures, scoring_change, table_height
from services import scoring_payload
from services.domain import Deployment
from services.errors import InvalidRequestError
from services.scored.golden import same
from services.scored.records import ScoredRequest

VIEW = "view"  # the page's tabs
SCORE, HISTORY, GOLDEN = "Score", "History", "Golden set"
OPENED = "request"  # in the address
MOST_ROWS = 12
_REPEATED = "scoring_history.repeated"  # id of the request → id of its last repetition


def show(
    deployment: Deployment, deployments: Sequence[Deployment], *, now: datetime, zone: tzinfo
) -> None:
    """Draw the open request, then the table."""
    requests = reads.scored_requests(deployment.name)
    if not requests:
        empty.show("Nothing has been scored from here yet. Score a row, and it is kept here.")
        return
    opened = st.query_params.get(OPENED)
    found = next((each for each in requests if each.id == opened), None)
    if found is not None:
        with st.container(border=True, key="scored-request"):
            _detail(found, deployments, now=now, zone=zone)
    _table(requests, now=now, zone=zone)


def _table(requests: Sequence[ScoredRequest], *, now: datetime, zone: tzinfo) -> None:
    ids = tuple(each.id for each in requests)

    def opened() -> None:
        st.query_params[OPENED] = ids[st.session_state["scoring-history.open"]["row"]]

    frame = pd.DataFrame(
        {
            "Sent": [formats.instant(each.sent_at, zone=zone, now=now) for each in requests],
            "Name": [each.name for each in requests],
            "Answer": [summary(each) for each in requests],
            "Model": [each.model_id for each in requests],
            "Status": [each.answer.status for each in requests],
            "Time": [each.answer.duration_ms for each in requests],
            "Golden": [each.golden for each in requests],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height=table_height.of(len(frame), at_most=MOST_ROWS),
        column_config={
            "Sent": st.column_config.ButtonColumn(
                "Sent", type="tertiary", alignment="left", key="scoring-history.open",
                pinned=True, on_click=opened, width=130,
            ),
            "Answer": st.column_config.TextColumn(width="large"),
            "Time": st.column_config.NumberColumn("Time", format="%.1f ms", width=90),
            "Golden": st.column_config.CheckboxColumn("Golden", width=70),
        },
        placeholder="–",
        alt="Scored requests: when, their name, the answer, the model, HTTP status and time",
        key="scoring-history.table",
    )  # fmt: skip


def summary(request: ScoredRequest) -> str:
    """The results in a line, or why there are none."""
    if not request.answer.ok:
        return request.answer.error
    shown = ", ".join(str(each) for each in request.answer.results[:6])
    more = len(request.answer.results) - 6
    return shown + (f" and {more} more" if more > 0 else "")


def _detail(
    request: ScoredRequest, deployments: Sequence[Deployment], *, now: datetime, zone: tzinfo
) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{formats.plain(request.name) or 'Request'}**", width="content")
        st.caption(
            f"sent {formats.instant(request.sent_at, zone=zone, now=now)}"
            + (f" to {formats.plain(request.model_id)}" if request.model_id else ""),
            width="stretch",
        )
        if request.golden:
            st.badge("golden", icon=":material/verified:", color="green")
        st.button(
            "Edit in the form",
            key="scoring_history.edit",
            icon=":material/edit:",
            on_click=_edit,
            args=(request.payload,),
        )
        st.button("Close", key="scoring_history.close", icon=":material/close:", on_click=_close)
    sent, answered = st.columns(2)
    with sent:
        st.caption("Request body")
        st.code(_pretty(request.payload), language="json", height=220)
    with answered:
        st.caption("Answer then")
        st.code(_pretty(request.answer.body) or request.answer.error, language="json", height=220)
    _repeat(request, deployments)
    _keep(request)


def _repeat(request: ScoredRequest, deployments: Sequence[Deployment]) -> None:
    names = [each.name for each in deployments]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        target = st.selectbox(
            "Send again to",
            names,
            index=names.index(request.deployment) if request.deployment in names else 0,
            key=f"scoring_history.to.{request.id}",
            width=280,
        )
        go = st.button("Send again", key="scoring_history.again", icon=":material/replay:")
    repeated: dict[str, str] = st.session_state.setdefault(_REPEATED, {})
    if go:
        with failures.reported(), st.spinner("Scoring…"):
            chosen = next(each for each in deployments if each.name == target)
            answer = session.workspace().scoring.score(chosen.name, request.payload)
            kept = session.workspace().scored.remember(
                chosen.name, chosen.model_id, request.payload, answer, of=request.id
            )
            repeated[request.id] = kept.id
    if request.id in repeated:
        with failures.reported():
            scoring_change.show(request, session.workspace().scored.get(repeated[request.id]))


def _keep(request: ScoredRequest) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Name",
            value=request.name,
            key=f"scoring_history.name.{request.id}",
            placeholder="young retiree",
            width=280,
            help="A named request is kept until it is deleted; the others make room after 500",
        )
        if st.button("Keep", key="scoring_history.keep", icon=":material/bookmark:"):
            _change(lambda: session.workspace().scored.name(request.id, name))
        if confirm.show(
            "Delete…",
            key="scoring_history.delete",
            question="Delete this request?",
            consequence="It leaves the history"
            + (" and the golden set." if request.golden else "."),
            verb="Delete",
        ):
            _change(lambda: session.workspace().scored.delete(request.id))
    if request.name:
        _golden(request)


def _golden(request: ScoredRequest) -> None:
    right = request.expected if request.expected is not None else request.answer.results
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Right answer, a JSON list with one result per row",
            value=json.dumps(list(right), ensure_ascii=False),
            key=f"scoring_history.expected.{request.id}",
            width="stretch",
        )
        label = "Change" if request.golden else "Add to golden set"
        if st.button(label, key="scoring_history.golden", icon=":material/verified:"):
            _change(lambda: session.workspace().scored.expect(request.id, _results(text)))
        if request.golden and st.button(
            "Take out", key="scoring_history.not_golden", icon=":material/remove:"
        ):
            _change(lambda: session.workspace().scored.expect(request.id, None))
    if request.golden and request.answer.ok and not same(right, request.answer.results):
        st.caption("The right answer differs from what was answered then.")


def _results(text: str) -> list[object]:
    try:
        results = json.loads(text)
    except ValueError as error:
        raise InvalidRequestError(f"The right answer is no JSON: {error}.") from error
    if not isinstance(results, list):
        raise InvalidRequestError('The right answer is a JSON list: ["yes"] for one row.')
    return results


def _change(change: Callable[[], object]) -> None:
    """Do it, and draw anew."""
    with failures.reported():
        change()
        st.rerun()


def _edit(payload: str) -> None:
    scoring_draft.replace(scoring_payload.read(payload))
    st.session_state[VIEW] = SCORE


def _close() -> None:
    st.query_params.pop(OPENED, None)


def _pretty(text: str) -> str:
    try:
        document = json.loads(text)
        document = json.loads(document) if isinstance(document, str) else document
    except ValueError:
        return text
    return json.dumps(document, indent=2, ensure_ascii=False)
