"""Quiet hours: when messages wait. Incidents are found and listed all the same."""

from __future__ import annotations

from zoneinfo import available_timezones

import streamlit as st

from dashboard import alert_reads, reads, session, shell
from dashboard.components import failures
from services.alerts.records import QuietHours

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def show() -> None:
    quiet = alert_reads.quiet_hours()
    zones = sorted(available_timezones())
    zone = quiet.time_zone if quiet.enabled else str(shell.zone())
    with st.form("quiet-form", border=True):
        st.markdown("**Quiet hours**")
        st.caption(
            "Messages wait until they end; what is over by then is never sent. A window that "
            "crosses midnight belongs to the day it begins on."
        )
        enabled = st.toggle("On", quiet.enabled, key="quiet.on")
        left, right = st.columns(2)
        start = left.time_input("From", quiet.start, key="quiet.start")
        end = right.time_input("To", quiet.end, key="quiet.end")
        days = st.pills(
            "Nights that begin on", DAYS, selection_mode="multi", key="quiet.days",
            default=[DAYS[day] for day in quiet.days],
        )  # fmt: skip
        chosen_zone = st.selectbox(
            "Time zone", zones, index=zones.index(zone) if zone in zones else None, key="quiet.zone"
        )
        passes = st.toggle(
            "Critical incidents are sent at once", quiet.critical_passes, key="quiet.critical"
        )
        if st.form_submit_button("Save", key="quiet.save", type="primary"):
            with failures.reported():
                session.workspace().alerts.set_quiet_hours(
                    QuietHours(
                        enabled=enabled,
                        start=start,
                        end=end,
                        days=tuple(sorted(DAYS.index(day) for day in days)),
                        time_zone=chosen_zone or "UTC",
                        critical_passes=passes,
                    )
                )
                reads.clear()
                st.toast("Quiet hours: saved", icon=":material/check:")
                st.rerun()
