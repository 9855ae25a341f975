"""The pages: their order, titles and icons, and the menu that leads to them."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import streamlit as st

PAGES = Path(__file__).resolve().parents[1] / "pages"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDef:
    """One entry of the menu."""

    file: str  # in pages/, without its ending; also the page's address
    title: str
    icon: str
    help: str
    section: str = ""

    @property
    def path(self) -> Path:
        return PAGES / f"{self.file}.py"


REGISTRY = (
    PageDef(
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
        help="Registered models and their explanations; deploy one",
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
        section="Automate",
        file="alerts",
        title="Alerts",
        icon=":material/notifications_active:",
        help="What was noticed, by which rules, and who is told",
    ),
    PageDef(
        section="Workspace",
        file="migration",
        title="Migration",
        icon=":material/move_up:",
        help="What of SDK v1 has ended, and where each asset goes in v2",
    ),
    PageDef(
        section="Workspace",
        file="settings",
        title="Settings",
        icon=":material/tune:",
        help="Which workspace is open, its parts and versions",
    ),
)


def route() -> tuple[st.Page, dict[str, list[st.Page]]]:
    """The page the address asks for, and every page by section, for `menu`."""
    sections: dict[str, list[st.Page]] = {}
    for each in REGISTRY:
        page = copy.copy(to(each.file))  # Streamlit marks the one that is to run
        sections.setdefault(each.section, []).append(page)
    return st.navigation(sections, position="hidden"), sections


def to(file: str) -> st.Page:
    """The page, for a link to it; by its path Streamlit asks the disk for each link."""
    return _pages()[file]


@cache
def _pages() -> dict[str, st.Page]:
    """Made once: each looks at its file."""
    return {
        each.file: st.Page(
            each.path,
            title=each.title,
            icon=each.icon,
            url_path=each.file,
            default=each is REGISTRY[0],
            help=each.help,
        )
        for each in REGISTRY
    }


def menu(sections: dict[str, list[st.Page]]) -> None:
    """The links, under their sections.

    Drawn here because Streamlit's own sectioned menu nests its lists in a way screen
    readers cannot follow.
    """
    for section, pages in sections.items():
        with st.container(gap="xxsmall"):
            if section:
                st.caption(section)
            for page in pages:
                st.page_link(page, width="stretch")
