"""The two keys of a deployment: masked, shown on request, replaced one at a time."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from dashboard import formats, session, shell
from dashboard.components import confirm, deployment_notice, failures, secret_field
from services.domain import Deployment, KeyKind, Keys
from services.ports import Deployments

_PENDING = "health.regenerating"  # name, kind and the instant the key had before
_LOOK_EVERY_S = 0.5


def show(deployment: Deployment) -> None:
    with st.container(border=True, key="health-keys"):
        st.markdown(
            "**Keys**",
            help="Either one authorises a scoring request. Regenerate one while callers use "
            "the other, and nobody is locked out.",
        )
        if not deployment.auth_enabled:
            st.caption("This deployment accepts anonymous calls; it has no keys.")
            return
        _live(deployment.name)


def _live(name: str) -> None:
    waiting = _pending(name) is not None

    @st.fragment(run_every=_LOOK_EVERY_S if waiting else None)
    def keys() -> None:
        with failures.reported():
            port = session.workspace().deployments
            now = datetime.now(UTC)
            known = port.keys(name)
            if waiting and _arrived(name, known):
                st.rerun(scope="app")
            for kind in KeyKind:
                _key(port, name, kind, known, now=now)

    keys()


def _key(port: Deployments, name: str, kind: KeyKind, known: Keys, *, now: datetime) -> None:
    primary = kind is KeyKind.PRIMARY
    secret_field.show(
        kind.value,
        lambda: port.keys(name).primary if primary else port.keys(name).secondary,
        key=f"health.{kind.value}-{name}",
    )
    since = known.primary_regenerated_at if primary else known.secondary_regenerated_at
    pending = _pending(name)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_dated(since, now=now), width="content")
        st.space("stretch")
        agreed = confirm.show(
            "Regenerate…",
            key=f"health.regenerate-{kind.value}-{name}",
            question=f"Regenerate the {kind.value.lower()} key?",
            consequence=f"Callers that use the present {kind.value.lower()} key of "
            f"**{formats.plain(name)}** are refused within a second. The other key goes on.",
            verb="Regenerate",
            icon=":material/autorenew:",
            disabled=pending is not None,
        )
    if agreed:
        with failures.reported():
            port.begin_regenerate_key(name, kind)
            st.session_state[_PENDING] = (name, kind.value, since)
            st.rerun(scope="app")


def _dated(since: datetime | None, *, now: datetime) -> str:
    if since is None:
        return "age unknown"
    return f"in use since {formats.instant(since, zone=shell.zone(), now=now)}"


def _pending(name: str) -> tuple[str, str, datetime | None] | None:
    pending: tuple[str, str, datetime | None] | None = st.session_state.get(_PENDING)
    return pending if pending is not None and pending[0] == name else None


def _arrived(name: str, known: Keys) -> bool:
    """Whether the key that was asked for is there; says so once."""
    pending = _pending(name)
    if pending is None:
        return False
    _, kind, before = pending
    after = (
        known.primary_regenerated_at
        if kind == KeyKind.PRIMARY.value
        else known.secondary_regenerated_at
    )
    if after == before:
        return False
    del st.session_state[_PENDING]
    deployment_notice.keep(
        f"The {kind.lower()} key was regenerated; the old one is refused.", icon=":material/key:"
    )
    return True
