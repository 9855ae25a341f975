"""What looking at a page costs on Azure, in requests, with nothing remembered.

Signing in, Azure Resource Manager and discovery are asked once per process and not counted.
The counts are left in ``test-results/azure-requests.md``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from dashboard import choices, memory, readings, reads, session
from services.domain import Frequency, Recurrence, RunStatus
from services.local.store import stamp
from services.ports import Workspace
from tests.azure_double.hand import Double, double

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "test-results" / "azure-requests.md"
LIMIT_S = 90.0
ONCE = re.compile(r" (login\.microsoftonline\.com|management\.azure\.com|\S+/discovery\b)")
DETAIL = re.compile(r"/metric/v2\.0|/artifact/v2\.0|\.blob\.core\.windows\.net")
EXPERIMENTS = 3  # in the workspace; each costs a request wherever the runs of all are listed

LISTS: dict[str, Callable[[], object]] = {
    "datasets": reads.datasets,
    "models": reads.models,
    "deployments": reads.deployments,
    "pipelines": reads.pipelines,
    "pipeline endpoints": reads.pipeline_endpoints,
    "schedules": reads.schedules,
    "runs of one experiment": lambda: reads.runs("bank-marketing"),
}
OVERVIEW, LIST, RUN = 8, 2, 4  # requests at most, as asked of this back end
PAGES = {  # page and address → requests at most; metrics, artifacts and blobs apart
    "overview": OVERVIEW,
    "alerts": LIST,
    "dataset": LIST,
    "training_runs": LIST,
    "training_runs?run=RUN": RUN,
    "models": LIST,
    "deployment_health": LIST,
    "deployment_health?view=Log": LIST,
    "app_insights": OVERVIEW,  # no list: a question per chart, at most four at a time
    "live_scoring": LIST,
    "benchmark_results": LIST,
    "pipeline_schedules": LIST,
    "pipeline_schedules?view=Pipelines": LIST,
    "pipeline_schedules?view=Runs": LIST,
    "pipeline_schedules?view=Retraining": LIST,
    "pipeline_schedules?view=Batch inference": LIST,
    "migration": LIST,
    "migration?part=Code": LIST,
    "settings": LIST,
}
CHOSEN = {  # an item beside its list, opened by a link: no number was asked for, this is kept
    "training_runs?experiment=All experiments": 1 + EXPERIMENTS,
    "dataset?dataset=bankmarketing": 5,
    "deployment_health?view=API documentation": 3,
    "models?model=bank-marketing:1": 8,
    "live_scoring?deployment=bank": 5,
    "benchmark_results?deployment=bank": 3,
    "pipeline_schedules?schedule=SCHEDULE": 12,
    "pipeline_schedules?view=Pipelines&pipeline=PIPELINE": 13,
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
        _add_experiment(azure)
        reads.telemetry_query("requests | take 1")  # finds the resource, once
        reads.runs()  # finds the datasets' names, once
        yield azure
        _forget()
    config.set_option("client.showErrorDetails", before)


def _add_experiment(azure: Double) -> None:
    """A third one, older than those on the overview."""
    long_ago = datetime.now(UTC) - timedelta(days=400)
    with azure.engine.store.transaction() as db:
        db.execute(
            "INSERT INTO experiments (name, created_at) VALUES (?, ?)",
            ("an-older-one", stamp(long_ago)),
        )


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
def test_a_page_keeps_its_budget(azure, asked, table, name):
    _check(azure, asked, table, name, PAGES[name])


@pytest.mark.parametrize("name", CHOSEN)
def test_a_chosen_item_is_drawn_at_once_and_costs_no_more_than_it_did(azure, asked, table, name):
    _check(azure, asked, table, name, CHOSEN[name])


def _check(
    azure: Double,
    asked: Callable[[], Sequence[str]],
    table: dict[str, tuple[int, int, int]],
    name: str,
    most: int,
) -> None:
    page, address = _address(azure, name)

    app = _open(page, **address)

    counted = asked()
    detail = [each for each in counted if DETAIL.search(each)]
    table[name] = (len(counted) - len(detail), most, len(detail))
    assert not app.exception, app.exception[0].value
    assert not app.error, app.error[0].value
    assert page == "alerts" or not app.warning, app.warning[0].value
    assert len(counted) - len(detail) <= most, "\n".join(counted)
    if name in PAGES and most == LIST:
        assert detail == []


def _address(azure: Double, name: str) -> tuple[str, dict[str, str]]:
    """The page, and its address with the ids of what the workspace holds."""
    engine = azure.engine
    runs = engine.runs.list("bank-marketing")
    ids = {
        "RUN": next(each.id for each in runs if each.status is RunStatus.COMPLETED),
        "SCHEDULE": engine.schedules.list()[0].id,
        "PIPELINE": engine.pipelines.list()[0].id,
    }
    page, _, query = name.partition("?")
    given = dict(pair.split("=", 1) for pair in query.split("&") if pair)
    return page, {key: ids.get(value, value) for key, value in given.items()}


def test_a_schedule_of_an_endpoint_costs_its_list_no_request_more(azure, asked):
    engine = azure.engine
    pipeline = engine.pipelines.list()[0]
    endpoint = engine.pipelines.create_endpoint("behind-an-endpoint", pipeline.id)
    made = engine.schedules.create(
        "weekly",
        Recurrence(frequency=Frequency.WEEK, start_time=datetime(2099, 1, 1)),
        pipeline_endpoint_id=endpoint.id,
        experiment="bank-marketing",
    )

    app = _open("pipeline_schedules")
    listed = asked()
    _open("pipeline_schedules", schedule=made.id)

    assert "a pipeline endpoint" in app.dataframe[0].value["Submits"].to_list()
    assert len(listed) <= LIST
    assert any("/PipelineEndpoints" in each for each in asked())  # its name, once it is opened
    engine.schedules.delete(made.id)


def test_what_was_not_looked_at_is_not_called_well(asked):
    app = _open("overview")

    assert "Not checked: the runs of 1 older experiment." in [each.value for each in app.caption]
    assert not any("All well" in each.value for each in app.markdown)


def test_what_is_dear_is_read_once_it_is_asked_for(asked):
    app = _open("pipeline_schedules")
    before = app.dataframe[0].value
    asked()

    app.button(key="schedules.last-runs.ask").click().run()

    assert "Result" not in before.columns
    assert app.dataframe[0].value["Result"].to_list()[0] == ["Completed"]
    assert len(asked()) == len(before)


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
