"""What is different about deployments that live on Azure, said where somebody decides."""

from __future__ import annotations

import streamlit as st

from dashboard import session

# Source: learn.microsoft.com, “Upgrade deployment endpoints to SDK v2”, and the sunset notice
# of SDK v1, both read in November 2026.
DEPRECATED = (
    "Microsoft ended support of SDK v1 on 30 June 2026, and new v1 deployments to ACI are "
    "deprecated: what is deployed goes on, and a new one may be refused. The successor is an "
    "online endpoint, made with the CLI or SDK v2."
)
SLOW = (
    "Azure builds an image and starts a container: usually 5 to 20 minutes, in the background. "
    "You can leave this page."
)


def away() -> bool:
    """The workspace's deployments are not processes of this machine."""
    return session.workspace().backend != "local"


def deploying() -> None:
    """What to know before deploying; nothing about a local workspace."""
    if away():
        st.warning(DEPRECATED, icon=":material/event_busy:")
        st.caption(f":material/schedule: {SLOW}")


def update_note() -> str:
    """What another model means for callers, at the end of a sentence."""
    if away():
        return (
            "Azure builds an image first, usually for minutes, then replaces the container, and "
            "requests may fail meanwhile. It is done in the background."
        )
    return "no request is dropped. If it cannot be loaded, nothing changes."


def restart_note() -> str:
    """What a changed setting means for callers, as the rest of “passes through …”."""
    if away():
        return (
            " for minutes, in the background; Azure starts its container again, and requests "
            "may fail meanwhile"
        )
    return " and goes on answering"


def key_note() -> str:
    """When callers with the old key are refused."""
    return "once Azure has replaced it, usually within a minute" if away() else "within a second"
