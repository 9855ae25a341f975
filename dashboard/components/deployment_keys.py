"""The two keys of a deployment: masked, shown on request, replaced one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import streamlit as st

from dashboard import formats, reads, session, shell
from dashboard.components import (
    confirm,
    deployment_elsewhere,
    deployment_notice,
    failures,
    migration_code,
    secret_field,
)
from services.domain import Deployment, KeyKind
from services.ports import Deployments

_PENDING = "health.regenerating"  # a `_Pending`
_LOOK_EVERY_S = 0.5
_LOOK_FAR_EVERY_S = 3.0  # it takes Azure longer
_LOOK_FOR = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class _Pending:
    """A key that is being replaced."""

    name: str
    kind: KeyKind
    before: datetime | None  # when it had been replaced the last time
    asked_at: datetime


def show(deployment: Deployment) -> None:
    with st.container(border=True, key="health-keys"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                "**Keys**",
                help="Either one authorises a scoring request. Regenerate one while callers use "
                "the other, and nobody is locked out.",
                width="stretch",
            )
            if deployment.auth_enabled:
                migration_code.popover(
                    "deployment.keys", "deployment.regenerate", name=deployment.name
                )
        if not deployment.auth_enabled:
            st.caption("This deployment accepts anonymous calls; it has no keys.")
            return
        if token := deployment.properties.get("authentication"):
            st.caption(f"It is called with a {formats.plain(token)}; it has no keys.")
            return
        _live(deployment.name)


def _live(name: str) -> None:
    waiting = _pending(name) is not None

    pace_s = _LOOK_FAR_EVERY_S if deployment_elsewhere.away() else _LOOK_EVERY_S

    @st.fragment(run_every=pace_s if waiting else None)
    def keys() -> None:
        with failures.reported():
            port = session.workspace().deployments
            now = datetime.now(UTC)
            known = port.keys_replaced_at(name)
            if waiting and (_arrived(name, known) or _given_up(name, now=now)):
                st.rerun(scope="app")
            for kind in KeyKind:
                _key(port, name, kind, known, now=now)

    keys()


def _key(
    port: Deployments, name: str, kind: KeyKind, known: Mapping[KeyKind, datetime], *, now: datetime
) -> None:
    primary = kind is KeyKind.PRIMARY
    secret_field.show(
        kind.value,
        lambda: port.keys(name).primary if primary else port.keys(name).secondary,
        key=f"health.{kind.value}-{name}",
    )
    since = known.get(kind)
    pending = _pending(name)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_dated(since, now=now), width="content")
        st.space("stretch")
        agreed = confirm.show(
            "Regenerate…",
            key=f"health.regenerate-{kind.value}-{name}",
            question=f"Regenerate the {kind.value.lower()} key?",
            consequence=f"Callers that use the present {kind.value.lower()} key of "
            f"**{formats.plain(name)}** are refused {deployment_elsewhere.key_note()}. "
            "The other key goes on.",
            verb="Regenerate",
            icon=":material/autorenew:",
            disabled=pending is not None,
        )
    if agreed:
        with failures.reported():
            port.begin_regenerate_key(name, kind)
            st.session_state[_PENDING] = _Pending(name, kind, since, now)
            st.rerun(scope="app")


def _dated(since: datetime | None, *, now: datetime) -> str:
    if since is None:
        return "age unknown"
    return f"in use since {formats.instant(since, zone=shell.zone(), now=now)}"


def _pending(name: str) -> _Pending | None:
    pending: _Pending | None = st.session_state.get(_PENDING)
    return pending if pending is not None and pending.name == name else None


def _given_up(name: str, *, now: datetime) -> bool:
    """Whether it takes too long to go on looking; says so once."""
    pending = _pending(name)
    if pending is None or now - pending.asked_at < _LOOK_FOR:
        return False
    del st.session_state[_PENDING]
    reads.clear()  # why, if that is known, is told beside the deployment's state
    deployment_notice.keep(
        f"The {pending.kind.value.lower()} key is not replaced yet; look again later.",
        icon=":material/key_off:",
    )
    return True


def _arrived(name: str, known: Mapping[KeyKind, datetime]) -> bool:
    """Whether the key that was asked for is there; says so once."""
    pending = _pending(name)
    if pending is None:
        return False
    if known.get(pending.kind) == pending.before:
        return False
    del st.session_state[_PENDING]
    deployment_notice.keep(
        f"The {pending.kind.value.lower()} key was regenerated; the old one is refused.",
        icon=":material/key:",
    )
    return True
