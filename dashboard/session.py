"""What a page may know about its surroundings: the open workspace."""

from __future__ import annotations

import streamlit as st

from dashboard.settings import Backend, Settings
from services.errors import InvalidRequestError
from services.ports import Workspace


@st.cache_resource(show_spinner=False)
def workspace() -> Workspace:
    """The workspace of this process, opened once and shared by every session."""
    try:
        settings = Settings.from_env()
    except ValueError as error:
        raise InvalidRequestError(
            f"{error} Start the dashboard again after changing it."
        ) from error
    return open_workspace(settings)


def open_workspace(settings: Settings) -> Workspace:
    """The composition root: the only code that knows more than one adapter.

    Raises:
        InvalidRequestError: the back end is not part of this release.
    """
    if settings.backend is Backend.AZURE:
        raise InvalidRequestError(
            "This release opens local workspaces only; "
            "the Azure back end arrives with the next one. "
            "Unset DASHBOARD_BACKEND and start the dashboard again."
        )
    from services.local.workspace import open_workspace as open_local

    return open_local(settings.home)
