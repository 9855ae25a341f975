"""How much a page asks for before anybody chose something: the one place that decides it.

Where reads are free, as in a local workspace, a page draws its first item at once. Where
each is a request that Azure counts (`Workspace.metered`), a page draws its list and asks
for an item when it is chosen, and for what is dear when a button is pressed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import streamlit as st

from dashboard import session

T = TypeVar("T")


def metered() -> bool:
    """Whether every read is a request to somebody else's service."""
    return session.workspace().metered


def first(items: Sequence[T]) -> T | None:
    """What to look at while nothing is chosen: the first where that costs nothing."""
    return None if metered() or not items else items[0]


def wanted(key: str) -> bool:
    """Whether to read what is dear: always where reads are free, else once it was asked for."""
    return not metered() or bool(st.session_state.get(f"asked.{key}"))


def ask(key: str) -> None:
    """From now on, in this session, what is dear is read. For callbacks."""
    st.session_state[f"asked.{key}"] = True
