"""What the watcher noticed in an Azure ML workspace, on every page that shows it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from services.alerts.records import Band, Probe, ProbeResult
from services.alerts.watching import Watch
from services.azure.workspace import AzureWorkspace
from services.domain import RunStatus
from services.local.alert_outbox import Outbox
from services.local.clock import utc_now
from services.local.desk import LocalDesk
from services.local.workspace import open_workspace
from tests.azure_double.faults import Fault
from tests.azure_double.hand import Double, double
from tests.recorded import runs as recorded_runs


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    """Something on every page, and a run that failed."""
    with double(tmp_path_factory.mktemp("azure"), demo=True) as azure:
        engine, now = azure.engine, utc_now()
        recorded_runs.failed(
            engine.home, engine.store, experiment="nightly", started=now - timedelta(hours=1)
        )
        yield azure


@pytest.fixture
def open_azure_page(home, azure, monkeypatch, request) -> Iterator[object]:
    """As `open_page`, with the page's workspace on Azure."""
    for name, value in azure.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DASHBOARD_BACKEND", "azure")
    azure.misbehave()
    azure.told()
    yield request.getfixturevalue("open_page")
    azure.misbehave()
    assert azure.unknown() == []


@pytest.fixture
def opened(open_azure_page) -> AzureWorkspace:
    from dashboard import choices, opening

    return opening.azure(choices.settings())


def watched(workspace, home, *, looks=1):
    """As the dashboard's watcher would, once or more."""
    desk: LocalDesk = workspace._desk
    watch = Watch(workspace, Outbox(open_workspace(home).store, workspace=desk.workspace))
    for number in range(looks):
        watch.evaluate(now=utc_now() - timedelta(seconds=30 * (looks - 1 - number)))


def texts(page: AppTest) -> str:
    kinds = (page.markdown, page.caption, page.warning, page.error, page.info)
    return "\n".join(str(each.value) for kind in kinds for each in kind)


def test_an_incident_stands_on_the_alerts_page_and_on_the_overview(open_azure_page, opened, home):
    watched(opened, home)

    page = open_azure_page("alerts")
    assert not page.exception
    assert "Run 1 of nightly failed" in texts(page)
    assert not page.warning

    overview = open_azure_page("overview")
    assert not overview.exception
    assert "Run 1 of nightly failed" in texts(overview)
    assert "not being applied" not in texts(overview)


def test_the_alerts_page_asks_azure_nothing(open_azure_page, opened, azure, home):
    watched(opened, home)
    azure.asked()

    open_azure_page("alerts")

    assert [each for each in azure.asked() if "azureml.ms" in each] == []


def test_while_azure_is_out_no_page_says_that_all_is_well(open_azure_page, opened, azure, home):
    azure.misbehave(Fault(pattern=r"azureml\.ms", status=503))
    watched(opened, home, looks=2)

    page = open_azure_page("alerts")

    assert "Cannot look at the workspace" in texts(page)
    assert any("Could not be looked at" in each.value for each in page.warning)


def test_without_a_watcher_both_pages_say_so(open_azure_page):
    assert "have not been applied yet" in texts(open_azure_page("alerts"))
    assert "Alert rules are not being applied" in texts(open_azure_page("overview"))


def test_who_turned_the_watcher_off_reads_it(open_azure_page, monkeypatch):
    monkeypatch.setenv("DASHBOARD_AZURE_WATCH_S", "0")

    assert "DASHBOARD_AZURE_WATCH_S is 0" in texts(open_azure_page("alerts"))


def test_runs_are_held_against_bands(open_azure_page, opened, home):
    runs = opened.runs.list("bank-marketing")
    run = next(each for each in runs if each.status is RunStatus.COMPLETED)
    opened.bands.save(Band(experiment="bank-marketing", metric="AUC_weighted", fail_below=0.999))
    watched(opened, home)

    page = open_azure_page("training_runs", run=run.id, **{"run-view": "Bands"})

    assert not page.exception
    assert "AUC\\_weighted" in texts(page)
    assert "Fail" in texts(page)


def test_a_deployment_shows_its_probe_and_where_the_results_stay(open_azure_page, opened):
    opened.probes.save(Probe(deployment="bank", enabled=True, interval_s=60))
    for number, ok in enumerate((True, False, True, True)):
        opened.probes.record(
            ProbeResult(
                deployment="bank", at=utc_now() - timedelta(minutes=number), ok=ok,
                duration_ms=5.0, reason="" if ok else "It answered 502.",
                request_id=f"probe-{number}", root_ok=True,
            )
        )  # fmt: skip

    page = open_azure_page("deployment_health", deployment="bank")
    page.session_state["probe-bank.popover"] = True
    page.run()

    assert not page.exception
    uptime = next(each for each in page.metric if each.label == "Uptime")
    assert uptime.value.startswith("75")
    assert "It answered 502." in texts(page)
    assert "nothing of its own is sent to your Application Insights" in texts(page)
