"""An answer: the prediction first, then how it came about."""

from __future__ import annotations

import http
import json
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import formats
from dashboard.components import data_age
from dashboard.scoring_draft import Exchange
from services.domain import DataContract, ScoringAnswer


def show(exchange: Exchange | None, contract: DataContract | None) -> None:
    """Draw the card; before the first answer, what will be here."""
    with st.container(border=True, key="scoring-answer"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**Answer**")
            if exchange is not None:
                _status(exchange.answer)
                st.space("stretch")
                data_age.show(exchange.answer.sent_at, prefix="sent")
        if exchange is None:
            st.caption(":material/bolt: Score the row to see the prediction here.")
            return
        answer = exchange.answer
        if answer.ok:
            _prediction(answer, contract)
        else:
            st.error(formats.plain(answer.error), icon=":material/error:")
        _facts(answer)
        _body(answer)


def _status(answer: ScoringAnswer) -> None:
    if answer.status is None:
        st.badge("No answer", color="red", icon=":material/error:")
        return
    try:
        phrase = http.HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = ""
    st.badge(f"{answer.status} {phrase}".strip(), color="green" if answer.ok else "red")
    if not answer.ok and 200 <= answer.status < 300:
        st.badge("error inside", color="red", icon=":material/error:")


def _prediction(answer: ScoringAnswer, contract: DataContract | None) -> None:
    label = contract.label if contract and contract.label else "prediction"
    if len(answer.results) == 1:
        _single(label, answer.results[0], answer.probabilities[0] if answer.probabilities else {})
        return
    frame = pd.DataFrame({"Row": range(1, len(answer.results) + 1), label: answer.results})
    if frame[label].dtype == object:
        frame[label] = frame[label].map(_text)
    classes = list(answer.probabilities[0]) if answer.probabilities else []
    shares = {f"Probability of {name}": name for name in classes}
    for title, name in shares.items():
        frame[title] = [row.get(name) for row in answer.probabilities]
    st.dataframe(
        frame,
        hide_index=True,
        height=min(300, 38 + 35 * len(frame)),
        column_config={
            "Row": st.column_config.NumberColumn(width=60),
            **{
                title: st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1)
                for title in shares
            },
        },
        key="live_scoring.predictions",
        alt="The prediction for each row",
    )


def _single(label: str, result: Any, probabilities: Any) -> None:
    share = probabilities.get(str(result))
    st.metric(
        formats.plain(label),
        formats.plain(_text(result)),
        delta=None if share is None else f"{formats.percent(share)} sure",
        delta_color="off",
        delta_arrow="off",
    )
    for name, value in sorted(probabilities.items(), key=lambda each: -each[1])[:6]:
        st.progress(value, text=f"{formats.plain(name)} · {formats.percent(value)}")


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _facts(answer: ScoringAnswer) -> None:
    client, inside, attempts = st.columns(3, gap="small")
    client.metric(
        "Client time", formats.milliseconds(answer.duration_ms),
        help="From sending to the whole answer, at the last attempt",
    )  # fmt: skip
    inside.metric(
        "run() time", formats.milliseconds(answer.run_ms),
        help="What the server reports in x-ms-run-fn-exec-ms; the rest is network and queue",
    )  # fmt: skip
    attempts.metric(
        "Attempts", str(answer.attempts),
        help="A deployment that is not reachable or not ready (502, 503, 504) is asked up to "
        "three times",
    )  # fmt: skip


def _body(answer: ScoringAnswer) -> None:
    if not answer.body and not answer.headers:
        return
    with st.expander("Response", icon=":material/output:", expanded=not answer.ok):
        pretty, doubled = _laid_out(answer.body)
        st.code(pretty or "(empty)", language="json", height=180 if len(pretty) > 400 else None)
        if doubled:
            st.caption("Received as JSON inside a JSON string, as AutoML's scripts answer.")
        lines = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        st.code(f"HTTP {answer.status}\n{lines}", language="http")


def _laid_out(body: str) -> tuple[str, bool]:
    """The body for reading, and whether it was JSON inside a string."""
    try:
        document = json.loads(body)
    except ValueError:
        return body, False
    doubled = isinstance(document, str)
    if doubled:
        try:
            document = json.loads(document)
        except ValueError:
            return body, False
    return json.dumps(document, indent=2, ensure_ascii=False), doubled
