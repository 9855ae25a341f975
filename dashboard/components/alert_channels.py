"""Channels: who is told, a test of each, and what became of every message."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

import pandas as pd
import streamlit as st

from dashboard import alert_reads, formats, reads, session
from dashboard.components import alert_channel_form, confirm, empty, failures, table_height
from services.alerts.messages import TEST_TITLE
from services.alerts.records import Channel, Delivery, Event

ROWS = 12


def show(*, now: datetime, zone: tzinfo) -> None:
    """Draw the channels and the messages."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Each incident is sent once when it opens, and once when it is resolved.")
        st.space("stretch")
        if st.button("Add channel", key="channels.add", type="primary", icon=":material/add:"):
            _ask()
    channels, deliveries = alert_reads.channels(), alert_reads.deliveries()
    if not channels:
        empty.show(
            "Nobody is told yet. Add a webhook or an e-mail address; then send a test.",
            icon=":material/notifications_off:",
        )
        return
    for channel in channels:
        _channel(channel, [each for each in deliveries if each.channel_id == channel.id], now=now)
    st.markdown("**Messages**")
    if deliveries:
        _messages(deliveries, now=now, zone=zone)
    else:
        empty.show("No message was sent yet. Send a test, or wait for an incident.")


def _channel(channel: Channel, deliveries: Sequence[Delivery], *, now: datetime) -> None:
    mail = channel.kind.value == "e-mail"
    icon = ":material/mail:" if mail else ":material/webhook:"
    with st.container(border=True, gap="xsmall", key=f"channel-{channel.id}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"{icon} **{formats.plain(channel.name)}**", width="content")
            st.badge(
                "On" if channel.enabled else "Off", color="green" if channel.enabled else "gray"
            )
            st.space("stretch")
            if st.button("Send a test", key=f"test-{channel.id}", icon=":material/send:"):
                _test(channel)
            if st.button("Edit", key=f"edit-{channel.id}", icon=":material/edit:"):
                _ask(channel.id)
            agreed = confirm.show(
                "Delete…",
                key=f"delete-{channel.id}",
                question="Delete this channel?",
                consequence=f"**{formats.plain(channel.name)}** is told nothing any more. Its "
                "secret and the messages that wait are deleted with it.",
                verb="Delete",
            )
        parts = [channel.target, f"{channel.least.value.lower()} and worse"]
        parts.append(f"{channel.host}, {channel.security}" if mail else f"as {channel.format}")
        st.caption(formats.plain(" · ".join(parts)))
        test = next((each for each in deliveries if each.event is Event.TEST), None)
        if test is not None:
            _outcome(test, now=now)
    if agreed:
        with failures.reported():
            session.workspace().alerts.delete_channel(channel.id)
            reads.clear()
            st.rerun()


def _ask(channel_id: str = "") -> None:
    """The dialog is drawn outside this part of the page, which refreshes by itself."""
    alert_channel_form.ask(channel_id)
    st.rerun(scope="app")


def _test(channel: Channel) -> None:
    with failures.reported():
        session.workspace().alerts.begin_test(channel.id)
        reads.clear()
        st.rerun()


def _outcome(test: Delivery, *, now: datetime) -> None:
    age = formats.age(test.created_at, now=now)
    if test.sent_at is not None:
        st.caption(f":green[:material/check_circle:] The test was delivered, {age}.")
    elif test.gave_up_at is not None:
        st.caption(f":red[:material/error:] The test failed, {age}. {formats.sentence(test.error)}")
    else:
        st.caption(f":blue[:material/progress_activity:] Sending a test, {age}.")


def waiting() -> bool:
    """A test is under way, so the page looks again by itself."""
    return any(each.event is Event.TEST and not each.settled for each in alert_reads.deliveries())


def _messages(deliveries: Sequence[Delivery], *, now: datetime, zone: tzinfo) -> None:
    st.dataframe(
        pd.DataFrame(
            {
                "made": [each.created_at for each in deliveries],
                "channel": [each.channel for each in deliveries],
                "event": [each.event.value for each in deliveries],
                "what": [each.title or TEST_TITLE for each in deliveries],
                "outcome": [outcome(each, now=now) for each in deliveries],
                "error": [each.error for each in deliveries],
            }
        ),
        hide_index=True,
        height=table_height.of(len(deliveries), at_most=ROWS),
        row_height=table_height.ROW_PX,
        column_config={
            "made": st.column_config.DatetimeColumn(
                "Decided", format="D MMM, HH:mm:ss", timezone=str(zone), width=130
            ),
            "channel": st.column_config.TextColumn("Channel", width=120),
            "event": st.column_config.TextColumn("Event", width=80),
            "what": st.column_config.TextColumn("Message", width=360),
            "outcome": st.column_config.TextColumn("Outcome", width=170),
            "error": st.column_config.TextColumn("Why not"),
        },
        alt="Messages: when, to which channel, about what, and what became of each",
        key="alerts.messages",
    )


def outcome(delivery: Delivery, *, now: datetime) -> str:
    """What became of a message, in a few words."""
    if delivery.sent_at is not None:
        return "sent" if delivery.attempts == 1 else f"sent at attempt {delivery.attempts}"
    if delivery.gave_up_at is not None:
        return "given up"
    if delivery.attempts == 0 and delivery.due_at > now:
        return f"quiet, due {formats.age(delivery.due_at, now=now)}"
    if delivery.attempts == 0:
        return "waiting"
    return f"trying, {formats.plural(delivery.attempts, 'attempt')} so far"
