"""The rules: which are on, how serious each is, and its thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from dashboard import alert_reads, formats, reads, session
from dashboard.components import failures
from services.alerts.records import AlertRule
from services.alerts.rules import CATALOG
from services.attention import Severity

TABLE = "alerts.rules"


def show() -> None:
    """Draw the table, and the form of the rule chosen in it."""
    rules = alert_reads.rules()
    table, form = st.columns([2, 1], gap="medium")
    with table:
        chosen = _table(rules)
    with form:
        _form(rules[chosen])


def _table(rules: Sequence[AlertRule]) -> int:
    event = st.dataframe(
        pd.DataFrame(
            {
                "on": [each.enabled for each in rules],
                "rule": [CATALOG[each.key].title for each in rules],
                "severity": [each.severity.value for each in rules],
                "limits": [limits(each) for each in rules],
            }
        ),
        hide_index=True,
        height="content",
        on_select="rerun",
        selection_mode="single-row-required",
        selection_default={"selection": {"rows": [0]}},
        column_config={
            "on": st.column_config.CheckboxColumn("On", width=50),
            "rule": st.column_config.TextColumn("Rule", width=220),
            "severity": st.column_config.TextColumn("Severity", width=80),
            "limits": st.column_config.TextColumn("Thresholds"),
        },
        alt="Alert rules: whether each is on, its severity and its thresholds",
        key=TABLE,
    )
    rows = event["selection"]["rows"]
    return rows[0] if rows else 0


def limits(rule: AlertRule) -> str:
    """``stuck after 10 min``; the thresholds in one line."""
    parts = []
    for each in CATALOG[rule.key].parameters:
        unit = f" {each.unit}" if each.unit else ""
        parts.append(f"{each.label.lower()} {formats.number(rule.values[each.name])}{unit}")
    return ", ".join(parts)


def _form(rule: AlertRule) -> None:
    known = CATALOG[rule.key]
    with st.form(f"rule-form-{rule.key}", border=True):
        st.markdown(f"**{known.title}**")
        st.caption(known.help)
        enabled = st.toggle("On", rule.enabled, key=f"rule-{rule.key}-on")
        severity = st.selectbox(
            "Severity", list(Severity), index=list(Severity).index(rule.severity),
            key=f"rule-{rule.key}-severity",
        )  # fmt: skip
        values = {}
        for each in known.parameters:
            values[each.name] = st.number_input(
                f"{each.label} ({each.unit})" if each.unit else each.label,
                min_value=float(each.least),
                max_value=float(each.most),
                value=float(rule.values[each.name]),
                step=1.0,
                format="%g",
                key=f"rule-{rule.key}-{each.name}",
                help=f"Comes as {each.default:g}",
            )
        if st.form_submit_button("Save", key=f"rule-{rule.key}-save", type="primary"):
            with failures.reported():
                session.workspace().alerts.set_rule(
                    replace(rule, enabled=enabled, severity=severity, values=values)
                )
                reads.clear()
                st.toast(f"{known.title}: saved", icon=":material/check:")
                st.rerun()
