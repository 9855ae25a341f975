"""What looking at a page costs on Azure, in requests, with nothing remembered.

Signing in, Azure Resource Manager and discovery are asked once per process and not counted.
The counts are left in ``test-results/azure-requests.md``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from dashboard import choices, memory, readings, reads, session
from services.domain import RunStatus
from services.ports import Workspace
from tests.azure_double.hand import Double, double

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "test-results" / "azure-requests.md"
LIMIT_S = 90.0
ONCE = re.compile(r" (login\.microsoftonline\.com|management\.azure\.com|\S+/discovery\b)")
DETAIL = re.compile(r"/metric/v2\.0|/artifact/v2\.0|\.blob\.core\.windows\.net")
EXPERIMENTS = 2  # in the seeded workspace; each costs one request wherever all runs are listed

LISTS: dict[str, Callable[[], object]] = {
    "datasets": reads.datasets,
    "models": reads.models,
    "deployments": reads.deployments,
    "pipelines": reads.pipelines,
    "pipeline endpoints": reads.pipeline_endpoints,
    "schedules": reads.schedules,
    "runs of one experiment": lambda: reads.runs("bank-marketing"),
}
PAGES = {  # page, address → requests at most; metrics, artifacts and blobs apart
    "overview": 7 + EXPERIMENTS,
    "training_runs": 1 + EXPERIMENTS,
    "training_runs?run": 4,
    "dataset": 5,
    "models": 8,
    "deployment_health": 4,
    "deployment_health?view=Log": 2,
    "app_insights": 8,
    "live_scoring": 5,
    "benchmark_results": 3,
    "pipeline_schedules": 14,
    "pipeline_schedules?view=Runs": 5,
    "settings": 0,
}


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    """An Azure ML workspace in use, and this process's dashboard open on it."""
    folder = tmp_path_factory.mktemp("azure")
    before = config.get_option("client.showErrorDetails")
    config.set_option("client.showErrorDetails", "full")
    with (
        double(folder, demo=True) as azure,
        azure.surroundings(),
        pytest.MonkeyPatch.context() as m,
    ):
        m.setenv("DASHBOARD_BACKEND", "azure")
        m.setenv("DASHBOARD_HOME", str(folder / "dashboard"))
        _forget()
        session.prepare()
        _await_server(session.workspace())
        reads.telemetry_query("requests | take 1")  # finds the resource, once
        reads.runs()  # finds the datasets' names, once
        yield azure
        _forget()
    config.set_option("client.showErrorDetails", before)


def _forget() -> None:
    memory.clear()
    st.cache_resource.clear()
    readings.forget()
    choices.forget()


def _await_server(workspace: Workspace) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not all(each.state.settled for each in workspace.deployments.list()):
        assert time.monotonic() < deadline, "the seeded deployment did not start"
        time.sleep(0.3)


@pytest.fixture
def asked(azure: Double) -> Iterator[Callable[[], Sequence[str]]]:
    """What was asked since the test began, without what is asked once per process."""
    memory.clear()
    azure.asked()
    unknown: list[str] = []

    def asked() -> Sequence[str]:
        told, unforeseen = azure.told()
        unknown.extend(unforeseen)
        return [each for each in told if not ONCE.search(each)]

    yield asked
    asked()
    assert unknown == []


@pytest.fixture(scope="module")
def table() -> Iterator[dict[str, tuple[int, int, int]]]:
    rows: dict[str, tuple[int, int, int]] = {}
    yield rows
    TABLE.parent.mkdir(exist_ok=True)
    lines = [
        f"| {name} | {counted} | {most} | {detail} |"
        for name, (counted, most, detail) in rows.items()
    ]
    head = "| Page | Requests cold | Budget | Metrics, artifacts, blobs |\n|---|---|---|---|"
    TABLE.write_text("\n".join([head, *lines, ""]), "utf-8")


@pytest.mark.parametrize("name", LISTS)
def test_a_list_costs_at_most_two_requests(asked, name):
    LISTS[name]()

    assert 1 <= len(asked()) <= 2


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_asked_once_by_everybody(asked, name):
    LISTS[name]()
    asked()

    LISTS[name]()

    assert asked() == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_keeps_its_budget(asked, table, name):
    page, _, view = name.partition("?")
    address = dict([view.split("=")]) if "=" in view else {}
    if view == "run":
        runs = session.workspace().runs.list("bank-marketing")
        address = {"run": next(each.id for each in runs if each.status is RunStatus.COMPLETED)}
        asked()

    app = _open(page, **address)

    counted = asked()
    detail = [each for each in counted if DETAIL.search(each)]
    table[name] = (len(counted) - len(detail), PAGES[name], len(detail))
    assert not app.exception, app.exception[0].value
    assert not app.error, app.error[0].value
    assert len(counted) - len(detail) <= PAGES[name], "\n".join(counted)


def _open(page: str, **address: str) -> AppTest:
    app = AppTest.from_file(ROOT / "dashboard" / "app.py", default_timeout=120)
    app.query_params.update(address)
    if page != "overview":
        app.switch_page(f"../pages/{page}.py")
    return app.run()


def test_looking_again_within_a_moment_costs_nothing(asked):
    _open("overview")
    asked()

    _open("overview")

    # A slow machine may be in the next minute by now, which is another question to telemetry.
    assert [each for each in asked() if "applicationinsights" not in each] == []


def test_refresh_now_asks_again(asked):
    app = _open("training_runs")
    asked()

    app.button(key="refresh-now").click().run()

    assert asked() != []


def test_looking_changes_nothing(asked):
    for page in ("overview", "dataset", "models", "deployment_health", "pipeline_schedules"):
        _open(page)

    reading = re.compile(r"^GET |:query|/query|/listkeys|/metric/v2\.0|/Graph/AllNodes/Status")
    assert [each for each in asked() if not reading.search(each)] == []
