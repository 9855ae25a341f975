"""How serious something is, in one colour and one icon everywhere."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from services.alerts.records import Verdict
from services.attention import Severity

Color = Literal["red", "orange", "blue", "green", "gray"]

LOOKS: dict[Severity, tuple[Color, str]] = {
    Severity.CRITICAL: ("red", ":material/error:"),
    Severity.WARNING: ("orange", ":material/warning:"),
    Severity.NOTICE: ("blue", ":material/info:"),
}
VERDICTS: dict[Verdict, tuple[Color, str]] = {
    Verdict.PASS: ("green", ":material/check_circle:"),
    Verdict.WARN: ("orange", ":material/warning:"),
    Verdict.FAIL: ("red", ":material/error:"),
}


def badge(severity: Severity) -> str:
    """Inside a line of Markdown."""
    color, icon = LOOKS[severity]
    return f":{color}-badge[{icon} {severity.value}]"


def verdict(value: Verdict | None) -> str:
    """Inside a line of Markdown; of nothing, that nothing was expected."""
    if value is None:
        return ":gray-badge[no band]"
    color, icon = VERDICTS[value]
    return f":{color}-badge[{icon} {value.value}]"


def column(label: str) -> Any:
    """A table column of verdicts; its cells are lists of at most one word."""
    return st.column_config.MultiselectColumn(
        label,
        options=[each.value for each in Verdict],
        color=[VERDICTS[each][0] for each in Verdict],
        width="small",
    )
