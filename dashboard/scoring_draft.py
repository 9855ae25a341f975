"""What is half done on the Live scoring page: the payload being edited, and the last answer.

The payload is the one truth behind the form and the JSON; both are drawn from it, and each
of their changes makes another. Lives in the session: a reload starts afresh.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from services import scoring_payload
from services.domain import DataContract, ScoringAnswer
from services.errors import InvalidRequestError
from services.scoring_payload import Payload

ROW = "live_scoring.row"  # the pagination's own state, counted from 1
TEXT = "live_scoring.text"  # the JSON editor's own state
_PAYLOAD = "live_scoring.payload"
_CHOSEN = "live_scoring.chosen"  # the operator has switched probabilities on or off
_OF = "live_scoring.payload_of"
_SHOWN = "live_scoring.shown"  # the payload the editor's text stands for
_DRAFT = "live_scoring.draft"  # the editor's text when it is no request
_BROKEN = "live_scoring.broken"
_EXCHANGE = "live_scoring.exchange"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer."""

    deployment: str
    payload: str
    answer: ScoringAnswer


def payload(deployment: str, contract: DataContract | None, *, probabilities: bool) -> Payload:
    """The payload being edited; a typical row to begin with.

    Another deployment keeps the rows where it takes the same columns, so that two
    deployments can be asked the same thing.
    """
    current: Payload | None = st.session_state.get(_PAYLOAD)
    if current is None or (
        st.session_state.get(_OF) != deployment and not _fits(current, contract)
    ):
        current = scoring_payload.typical(contract) if contract is not None else Payload(rows=({},))
        replace(current)
        st.session_state.pop(_BROKEN, None)
    st.session_state[_OF] = deployment
    # A deployment that had not settled at first says only later that it can.
    if probabilities and not (_CHOSEN in st.session_state or current.beside):
        current = current.asking_probabilities(True)
        replace(current)
    return current


def choose_probabilities(wanted: bool) -> None:
    """The operator's own choice, which is not changed for them any more."""
    st.session_state[_CHOSEN] = True
    replace(current().asking_probabilities(wanted))


def replace(changed: Payload) -> None:
    """Make this the payload being edited."""
    st.session_state[_PAYLOAD] = changed
    if st.session_state.get(ROW, 1) > len(changed.rows):
        st.session_state[ROW] = len(changed.rows)


def current() -> Payload:
    found: Payload = st.session_state[_PAYLOAD]
    return found


def current_or_none() -> Payload | None:
    """The payload being edited; None when the page has not been opened."""
    found: Payload | None = st.session_state.get(_PAYLOAD)
    return found


def row() -> int:
    """Which row the form shows, counted from 0."""
    return min(int(st.session_state.get(ROW, 1)), len(current().rows)) - 1


def set_value(column: str, value: Any) -> None:
    """One value of the row the form shows."""
    replace(current().with_value(row(), column, value))


def show_text() -> None:
    """Give the editor the payload's text, unless it holds that already or is broken."""
    if broken() and TEXT not in st.session_state:
        st.session_state[TEXT] = st.session_state.get(_DRAFT, "")
    elif not broken() and (
        TEXT not in st.session_state or st.session_state.get(_SHOWN) != current()
    ):
        st.session_state[TEXT] = current().text()
        st.session_state[_SHOWN] = current()


def take_text() -> None:
    """The editor was changed: make its text the payload, or remember why it cannot be."""
    text = str(st.session_state.get(TEXT) or "")
    st.session_state[_DRAFT] = text
    try:
        read = scoring_payload.read(text)
    except InvalidRequestError as error:
        st.session_state[_BROKEN] = str(error)
        return
    st.session_state.pop(_BROKEN, None)
    st.session_state[_CHOSEN] = True  # what was written is what is meant
    replace(read)
    st.session_state[_SHOWN] = read


def broken() -> str:
    """Why the editor's text is no request; empty when it is one."""
    return str(st.session_state.get(_BROKEN, ""))


def forget_text() -> None:
    """Give up a broken text."""
    st.session_state.pop(_BROKEN, None)
    st.session_state.pop(TEXT, None)


def keep(exchange: Exchange) -> None:
    st.session_state[_EXCHANGE] = exchange


def exchange(deployment: str) -> Exchange | None:
    """The last exchange with this deployment."""
    found: Exchange | None = st.session_state.get(_EXCHANGE)
    return found if found is not None and found.deployment == deployment else None


def _fits(candidate: Payload, contract: DataContract | None) -> bool:
    if contract is None:
        return True
    wanted = {column.name for column in contract.columns}
    return all(wanted <= set(each) for each in candidate.rows)
