"""The dialog that adds a channel or changes one. Its secret goes to the port and is never read."""

from __future__ import annotations

import re
from dataclasses import replace

import streamlit as st

from dashboard import alert_reads, formats, reads, session
from dashboard.components import failures
from services.alerts.records import Channel, ChannelKind, MailSecurity, WebhookFormat
from services.attention import Severity

ASKING = "alerts.channel"  # the id of the channel; empty: a new one
NEW = Channel(id="", name="", kind=ChannelKind.WEBHOOK)


def ask(channel_id: str = "") -> None:
    """Open the dialog in the next rerun."""
    st.session_state[ASKING] = channel_id


def close() -> None:
    st.session_state.pop(ASKING, None)


def show() -> None:
    """Draw the dialog if it was asked for. Called once, outside every fragment."""
    if ASKING not in st.session_state:
        return
    channel_id = st.session_state[ASKING]
    known = {each.id: each for each in alert_reads.channels()}
    if channel_id and channel_id not in known:
        close()
        return
    _dialog(known.get(channel_id, NEW))


@st.dialog("Channel", icon=":material/notifications_active:", on_dismiss=close)
def _dialog(channel: Channel) -> None:
    key = channel.id or "new"
    kind = channel.kind
    if not channel.id:
        kind = st.segmented_control(
            "Kind", list(ChannelKind), default=channel.kind, required=True, key="channel.kind"
        )
    # A form sends what was typed together with the click: no field is left behind.
    with st.form(f"channel-form-{key}-{kind}", border=False):
        name = st.text_input("Name", channel.name, key=f"channel.name-{key}", placeholder="On call")
        changed = replace(channel, kind=kind, name=name.strip())
        changed, secret = (
            _webhook(changed, key) if kind is ChannelKind.WEBHOOK else _mail(changed, key)
        )
        least = st.selectbox(
            "Send what is at least", list(Severity), index=list(Severity).index(channel.least),
            key=f"channel.least-{key}",
        )  # fmt: skip
        enabled = st.toggle("On", channel.enabled, key=f"channel.on-{key}")
        with st.container(horizontal=True, horizontal_alignment="right"):
            given_up = st.form_submit_button("Cancel", key="channel.cancel")
            agreed = st.form_submit_button("Save", key="channel.save", type="primary")
    if given_up:
        close()
        st.rerun()
    if agreed:
        with failures.reported():
            saved = session.workspace().alerts.save_channel(
                replace(changed, least=least, enabled=enabled), secret=secret or None
            )
            reads.clear()
            close()
            st.toast(formats.plain(f"{saved.name} is saved. Send a test to be sure."))
            st.rerun()


def _webhook(channel: Channel, key: str) -> tuple[Channel, str]:
    address = st.text_input(
        "Address", type="password", key=f"channel.address-{key}",
        placeholder="stored; type to replace it" if channel.has_secret else "https://…",
        help="Whoever knows it can post there. It is stored where only this workspace's account "
        "may read it, and never shown again.",
    )  # fmt: skip
    layout = st.segmented_control(
        "Written for", list(WebhookFormat), default=channel.format, required=True,
        key=f"channel.format-{key}",
    )  # fmt: skip
    return replace(channel, format=layout), address


def _mail(channel: Channel, key: str) -> tuple[Channel, str]:
    left, right = st.columns([3, 1])
    host = left.text_input("SMTP server", channel.host, key=f"channel.host-{key}")
    port = right.number_input("Port", 1, 65_535, channel.port, key=f"channel.port-{key}")
    security = st.segmented_control(
        "Security", list(MailSecurity), default=channel.security, required=True,
        key=f"channel.security-{key}", help="Without it mail goes to this machine only",
    )  # fmt: skip
    sender = st.text_input("From", channel.sender, key=f"channel.sender-{key}")
    recipients = st.text_input(
        "To", ", ".join(channel.recipients), key=f"channel.to-{key}",
        placeholder="ops@example.org, lead@example.org",
    )  # fmt: skip
    left, right = st.columns(2)
    username = left.text_input("Account", channel.username, key=f"channel.user-{key}")
    password = right.text_input(
        "Password", type="password", key=f"channel.password-{key}",
        placeholder="stored; type to replace it" if channel.has_secret else "",
    )  # fmt: skip
    return replace(
        channel,
        host=host.strip(),
        port=int(port),
        security=security,
        sender=sender.strip(),
        recipients=tuple(each for each in re.split(r"[,;\s]+", recipients) if each),
        username=username.strip(),
    ), password
