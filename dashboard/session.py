"""What a page may know about its surroundings: the open workspace."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

import streamlit as st

from dashboard import choices, opening, people
from dashboard.settings import Backend
from services.access import GuardedWorkspace, Role
from services.domain import ConnectionStep
from services.ports import Workspace


@dataclass(slots=True)
class _Held:
    """What is open, and who may change it: one at a time."""

    workspace: Workspace | None = None
    changing: threading.Lock = field(default_factory=threading.Lock)


@st.cache_resource(show_spinner=False)
def _held() -> _Held:
    return _Held()


def workspace() -> Workspace:
    """The workspace of this process, as the visitor of this session may use it.

    Opened once and shared by every session.

    Raises:
        AccessDeniedError: nobody has signed in, or they have no role here.
        ServiceError: it cannot be opened; the next call tries again.
    """
    visitor = people.visitor()
    if visitor is None:
        return _shared()
    return cast("Workspace", GuardedWorkspace(_shared(), visitor))


def _shared() -> Workspace:
    held = _held()
    if held.workspace is None:
        with held.changing:
            if held.workspace is None:
                held.workspace = opening.open_workspace(choices.settings())
    return held.workspace


def opened() -> Workspace | None:
    """The workspace if one is open; nothing is tried."""
    return _held().workspace


def prepare() -> None:
    """Open the workspace and import what its first answer would otherwise wait for."""
    opening.load(_shared())


def switch(chosen: Mapping[str, str], *, keep_secret: bool = False) -> Workspace:
    """Open another workspace for every session, and remember the choice.

    Raises:
        AccessDeniedError: only an admin may.
        ServiceError: it cannot be opened. The one that is open stays, and so does the choice.
    """
    people.require(Role.ADMIN)
    held = _held()
    with held.changing:
        settings = choices.settings(chosen)
        opened = opening.open_workspace(settings)
        if settings.backend is Backend.AZURE:
            opening.require_azure(settings)
        choices.choose(chosen, keep_secret=keep_secret)
        held.workspace = opened
    return opened


def test_connection(chosen: Mapping[str, str]) -> Iterator[ConnectionStep]:
    """Each step to the Azure workspace that `chosen` describes, as it was just tried.

    Raises:
        InvalidRequestError: it does not say which workspace.
    """
    yield from opening.connection_steps(choices.settings(chosen))
