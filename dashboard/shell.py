"""The frame around every page: the menu, the sidebar's choices, the workspace's badge."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from dashboard import formats, navigation, reads, session
from dashboard.components import failures, visitor_badge
from services.domain import ComponentState, TimeWindow
from services.errors import ServiceError

STATIC = Path(__file__).resolve().parent / "static"
LOGO, ICON = (
    "data:image/svg+xml;base64," + base64.b64encode((STATIC / name).read_bytes()).decode()
    for name in ("logo.svg", "favicon.svg")
)  # as Streamlit would make them anew each time
SIDEBAR_WIDTH = 264  # pixels
SETTINGS_PAGE = "settings"

_SPANS: dict[str, tuple[timedelta, timedelta]] = {  # length, bin
    "1h": (timedelta(hours=1), timedelta(minutes=1)),
    "6h": (timedelta(hours=6), timedelta(minutes=5)),
    "24h": (timedelta(hours=24), timedelta(minutes=15)),
    "7d": (timedelta(days=7), timedelta(hours=2)),
    "30d": (timedelta(days=30), timedelta(hours=6)),
}
_REFRESH: dict[str, float | None] = {"Off": None, "10s": 10, "30s": 30, "60s": 60}


def frame() -> st.Page:
    """Draw everything around the page, and return the page to run."""
    # Icon and layout before the navigation, or each page's icon would be fetched as the favicon.
    st.set_page_config(page_icon=ICON, layout="wide", initial_sidebar_state=SIDEBAR_WIDTH)
    page, sections = navigation.route()
    st.set_page_config(page_title=f"{page.title} · Azure ML operator")
    st.logo(LOGO, icon_image=ICON, size="large")
    visitor_badge.gate()
    with st.sidebar:
        problem = _badge()
        navigation.menu(sections)
        _choices()
        visitor_badge.show()
    if problem is None:
        _banner()
    elif page.url_path != SETTINGS_PAGE:  # where another workspace can be chosen
        failures.show(problem)
        st.page_link(navigation.to("settings"), label="Choose a workspace", icon=":material/tune:")
        st.stop()
    return page


def _badge() -> ServiceError | None:
    """Which workspace is open; answers why, when none can be."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        try:
            workspace = session.workspace()
        except ServiceError as error:
            st.badge("NOT OPEN", color="red", help=formats.plain(str(error)))
            return error
        st.badge(
            workspace.backend.upper(),
            color="violet" if workspace.backend == "local" else "blue",
            help=formats.plain(workspace.location),
        )
        st.markdown(f"**{formats.plain(workspace.name)}**")
    return None


def _choices() -> None:
    with st.container(key="choices"):
        window, refresh = st.columns(2, gap="xsmall")
        window.selectbox(
            "Time window",
            list(_SPANS),
            index=list(_SPANS).index("24h"),
            key="window",
            bind="query-params",
        )
        refresh.selectbox("Auto refresh", list(_REFRESH), key="refresh", bind="query-params")
        st.button(
            "Refresh now",
            key="refresh-now",
            icon=":material/refresh:",
            shortcut="u",
            width="stretch",
            on_click=reads.clear,
        )


def _banner() -> None:
    """Said on every page: nothing that is decided there happens, or what is shown may be wrong."""
    with failures.explained():
        components = reads.components()
    for component in components:
        if component.name == "supervisor" and component.state in _NOT_WORKING:
            st.warning(
                component.detail or "No supervisor is running: nothing starts, restarts or fires.",
                icon=":material/power_off:",
            )
        elif component.name == "store" and component.state in _NOT_WORKING:
            st.error(formats.plain(component.detail), icon=":material/broken_image:")


_NOT_WORKING = (ComponentState.STOPPED, ComponentState.FAILED)


def window(*, now: datetime | None = None) -> TimeWindow:
    """The time window chosen in the sidebar, up to now.

    It starts on a whole bin and ends on a whole five seconds, so that reruns of one
    moment ask the same question and the answer can be remembered.
    """
    length, bin_length = _SPANS[st.session_state.get("window") or "24h"]
    moment = (now or datetime.now(UTC)).timestamp()
    end = datetime.fromtimestamp(-(-moment // 5) * 5, UTC)
    bin_s = bin_length.total_seconds()
    first = (end - length).timestamp() // bin_s * bin_s
    return TimeWindow(start=datetime.fromtimestamp(first, UTC), end=end, bin=bin_length)


def window_label() -> str:
    """``last 24h``, for titles."""
    return f"last {st.session_state.get('window') or '24h'}"


def refresh_interval() -> float | None:
    """Seconds between refreshes of a live part, as chosen in the sidebar; None when off."""
    return _REFRESH[st.session_state.get("refresh") or "Off"]


def zone() -> tzinfo:
    """The viewer's time zone, as their browser reports it; UTC where it does not."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
