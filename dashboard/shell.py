"""The frame around every page: navigation, the sidebar's choices, the workspace's badge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from dashboard import session
from dashboard.components import failures
from services.domain import TimeWindow

PAGES = Path(__file__).resolve().parents[1] / "pages"
FAVICON = str(Path(__file__).resolve().parent / "static" / "favicon.svg")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDef:
    """One entry of the navigation."""

    section: str
    file: str  # in pages/, without its ending; also the page's address
    title: str
    icon: str
    help: str

    @property
    def path(self) -> Path:
        return PAGES / f"{self.file}.py"


REGISTRY = (
    PageDef(
        section="",
        file="overview",
        title="Overview",
        icon=":material/space_dashboard:",
        help="The flow from dataset to schedule, and what needs attention",
    ),
    PageDef(
        section="Model",
        file="dataset",
        title="Dataset",
        icon=":material/table_view:",
        help="Register, preview and profile data",
    ),
    PageDef(
        section="Model",
        file="training_runs",
        title="Training runs",
        icon=":material/model_training:",
        help="Start AutoML, watch and compare its child runs",
    ),
    PageDef(
        section="Model",
        file="models",
        title="Models",
        icon=":material/deployed_code:",
        help="Registered models, their explanations; deploy one",
    ),
    PageDef(
        section="Serve",
        file="deployment_health",
        title="Deployment health",
        icon=":material/ecg_heart:",
        help="State, keys, logs and API documentation of a deployment",
    ),
    PageDef(
        section="Serve",
        file="app_insights",
        title="App Insights metrics",
        icon=":material/monitoring:",
        help="Requests, failures and latency over time",
    ),
    PageDef(
        section="Serve",
        file="live_scoring",
        title="Live scoring",
        icon=":material/bolt:",
        help="Send a form, JSON or a CSV file to a deployment",
    ),
    PageDef(
        section="Serve",
        file="benchmark_results",
        title="Benchmark results",
        icon=":material/speed:",
        help="Run Apache Benchmark and compare results",
    ),
    PageDef(
        section="Automate",
        file="pipeline_schedules",
        title="Pipeline schedules",
        icon=":material/event_repeat:",
        help="Published pipelines, their schedules and runs",
    ),
    PageDef(
        section="Workspace",
        file="settings",
        title="Settings",
        icon=":material/tune:",
        help="Which workspace is open, its parts and versions",
    ),
)

Span = Literal["1h", "6h", "24h", "7d", "30d"]
_SPANS: dict[Span, tuple[timedelta, timedelta]] = {  # length, bin
    "1h": (timedelta(hours=1), timedelta(minutes=1)),
    "6h": (timedelta(hours=6), timedelta(minutes=5)),
    "24h": (timedelta(hours=24), timedelta(minutes=15)),
    "7d": (timedelta(days=7), timedelta(hours=2)),
    "30d": (timedelta(days=30), timedelta(hours=6)),
}
_REFRESH: dict[str, float | None] = {"Off": None, "10 s": 10, "30 s": 30, "60 s": 60}


def navigation() -> StreamlitPage:
    """Draw the navigation; returns the page the address asks for."""
    sections: dict[str, list[StreamlitPage]] = {}
    for page in REGISTRY:
        if page.path.exists():
            sections.setdefault(page.section, []).append(_streamlit_page(page))
    return st.navigation(sections, expanded=True)


def _streamlit_page(page: PageDef) -> StreamlitPage:
    return st.Page(
        page.path,
        title=page.title,
        icon=page.icon,
        url_path=page.file,
        default=page.file == "overview",
        help=page.help,
    )


def sidebar() -> None:
    """The workspace's badge and the choices every page follows."""
    with st.sidebar:
        _badge()
        st.segmented_control(
            "Time window",
            list(_SPANS),
            default="24h",
            required=True,
            key="window",
            bind="query-params",
            width="stretch",
            wrap=False,
        )
        st.selectbox("Auto refresh", list(_REFRESH), key="refresh", bind="query-params")
        st.button(
            "Refresh now",
            key="refresh-now",
            icon=":material/refresh:",
            shortcut="u",
            width="stretch",
            on_click=st.cache_data.clear,
        )


def _badge() -> None:
    with failures.explained():
        workspace = session.workspace()
        st.markdown(f":violet-badge[{workspace.backend.upper()}] {workspace.name}")


def window(*, now: datetime | None = None) -> TimeWindow:
    """The time window chosen in the sidebar, up to now.

    It starts on a whole bin and ends on a whole five seconds, so that reruns of one
    moment ask the same question and the answer can be remembered.
    """
    length, bin_length = _SPANS[st.session_state.get("window") or "24h"]
    moment = (now or datetime.now(UTC)).timestamp()
    end = datetime.fromtimestamp(-(-moment // 5) * 5, UTC)
    first = (end - length).timestamp() // bin_length.total_seconds() * bin_length.total_seconds()
    return TimeWindow(start=datetime.fromtimestamp(first, UTC), end=end, bin=bin_length)


def window_label() -> str:
    """``last 24 h``, for titles."""
    span: str = st.session_state.get("window") or "24h"
    return f"last {span[:-1]} {'days' if span[-1] == 'd' else 'h'}"


def refresh_interval() -> float | None:
    """Seconds between refreshes of a live part, as chosen in the sidebar; None when off."""
    return _REFRESH[st.session_state.get("refresh") or "Off"]


def zone() -> tzinfo:
    """The viewer's time zone, as their browser reports it; UTC where it does not."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
