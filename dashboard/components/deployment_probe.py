"""The synthetic probe of one deployment: on or off, uptime, latency, the last failure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

import streamlit as st

from dashboard import alert_reads, formats, reads, session
from dashboard.components import failures
from services.alerts.records import LONGEST_INTERVAL_S, SHORTEST_INTERVAL_S, Probe, ProbeResult
from services.alerts.uptime import uptime
from services.domain import Capability, Deployment

SHOWN = 60  # probes in the strip, at most
HELP = (
    "GET / and one scoring request, sent regularly with an id of their own that begins with "
    "“probe-”. Only an answered scoring request without an error in it counts as well."
)


def show(deployment: Deployment, *, now: datetime, zone: tzinfo) -> None:
    """Draw the card; nothing where nobody probes."""
    if not session.workspace().can(Capability.ALERTS):
        return
    name = deployment.name
    probe = {each.deployment: each for each in alert_reads.probes()}.get(name)
    results = alert_reads.probe_results(name)
    on = probe is not None and probe.enabled
    with st.container(border=True, key="health-probe"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**Synthetic probe**", width="content", help=HELP)
            st.space("stretch")
            if probe is not None and on:
                st.badge(f"every {formats.seconds(probe.interval_s)}", color="green")
            else:
                st.badge("Off", color="gray")
            _settings(probe or Probe(deployment=name, enabled=False))
        if results:
            _figures(results, now=now, zone=zone)
        elif on:
            st.caption("The first probe is on its way.")
        else:
            st.caption(
                "Not probed. An idle deployment cannot be told from a dead one until somebody asks."
            )


def _figures(results: Sequence[ProbeResult], *, now: datetime, zone: tzinfo) -> None:
    found = uptime(results)
    strip = [float(each.ok) for each in reversed(results[:SHOWN])]
    left, middle, right = st.columns([2, 1, 1])
    left.metric(
        "Uptime",
        formats.percent(found.share),
        delta=f"{formats.count(found.ok_count)} of {formats.plural(found.probe_count, 'probe')}",
        delta_color="green" if found.ok_count == found.probe_count else "orange",
        delta_arrow="off",
        chart_data=strip if len(strip) > 1 else None,
        chart_type="bar",
        help="Of the probes that are kept, at most the last 1,000. The bars are the last "
        f"{SHOWN}: a gap is a failure.",
    )
    middle.metric("Median", formats.milliseconds(found.p50_ms), help="Of answered probes")
    right.metric(
        "p95", formats.milliseconds(found.p95_ms), help="Withheld until 59 answers support it"
    )
    last = results[0]
    if not last.ok and last.root_ok:
        st.caption(":orange[:material/warning:] GET / answers, scoring does not: it is not well.")
    if found.last_failure is not None:
        failure = found.last_failure
        when = formats.instant(failure.at, zone=zone, now=now)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(f"last failure {when}", color="red", help=formats.utc(failure.at))
            st.caption(formats.sentence(failure.reason), width="stretch")


def _cost() -> str:
    if session.workspace().backend == "local":
        return "Each probe is a real request: it is answered and recorded."
    return (
        "Each probe is a real request, answered and paid like any other, and asks Azure ML for "
        "the address and a key. What it finds is kept here: nothing of its own is sent to your "
        "Application Insights."
    )


def _settings(probe: Probe) -> None:
    key = f"probe-{probe.deployment}"
    opened = st.popover("Change", key=f"{key}.popover", icon=":material/tune:", on_change="rerun")
    if not opened.open:
        return
    with opened:
        enabled = st.toggle("Probe it", probe.enabled, key=f"{key}.on")
        interval = st.number_input(
            "Every (s)", SHORTEST_INTERVAL_S, LONGEST_INTERVAL_S, probe.interval_s,
            key=f"{key}.interval",
        )  # fmt: skip
        payload = st.text_area(
            "Body to post", probe.payload, key=f"{key}.payload", height=90,
            placeholder="The example row of its data contract",
            help="JSON. Empty: a typical row of the data its model was trained on",
        )  # fmt: skip
        st.caption(_cost())
        if st.button("Save", key=f"{key}.save", type="primary"):
            with failures.reported():
                session.workspace().probes.save(
                    Probe(
                        deployment=probe.deployment,
                        enabled=enabled,
                        interval_s=int(interval),
                        payload=payload.strip(),
                    )
                )
                reads.clear()
                st.rerun()
