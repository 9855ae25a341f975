"""The journey in a real browser once more, on Azure: the unmodified SDK against the double.

What Azure does differently is done its way: training is a pipeline submitted with
parameters, and the AutoML run whose best model is registered was there before.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from services.domain import DeploymentState, Model, Panel, RunKind, RunStatus, TimeWindow
from services.local.clock import utc_now
from services.local.workspace import LocalWorkspace
from tests.azure_double.hand import Double, double
from tests.azure_double.seed import DEPLOYMENT as SEEDED
from tests.e2e import running
from tests.e2e.running import Running
from tests.e2e.test_every_page import ADDRESSES
from tests.e2e.test_journey import PATIENCE_MS, Operator, until
from tests.recorded import datasets

DEPLOYMENT, MODEL = "bank-azure", "bank-azure"
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    with double(tmp_path_factory.mktemp("azure"), demo=True) as azure:
        yield azure


@pytest.fixture(scope="module")
def dashboard(azure: Double, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A dashboard that meets the double, and opens its workspace."""
    folder = tmp_path_factory.mktemp("dashboard")
    surroundings = {**azure.environment, "DASHBOARD_BACKEND": "azure"}
    home, log = folder / "home", folder / "dashboard.log"
    with running.dashboard(home, log, surroundings=surroundings) as started:
        yield started


@pytest.fixture
def engine(azure: Double) -> LocalWorkspace:
    """What Azure has, to check what the screen says."""
    return azure.engine


def test_from_a_file_to_a_schedule_on_azure(open_tab, engine, azure, tmp_path):
    operator = Operator(open_tab("/settings"))
    operator.sees("AZURE")
    registers_a_file(operator, engine, tmp_path)
    submits_a_pipeline_with_parameters(operator, engine)
    registers_the_best_model(operator, engine)
    deploys(operator, engine)
    shows_a_key(operator, engine)
    scores(operator, engine)
    reads_the_telemetry(operator, engine)
    benchmarks(operator)
    schedules(operator, engine)
    assert operator.visit.errors == []
    assert operator.visit.outside == []
    assert azure.unknown() == []
    every_page_is_quiet(open_tab)


def registers_a_file(operator: Operator, engine: LocalWorkspace, folder: Path) -> None:
    file = folder / "customers.csv"
    file.write_text(datasets.text(80))
    operator.goes_to("/dataset")
    operator.opens("Register dataset")
    operator.page.get_by_role("radio", name="Local path").or_(
        operator.page.get_by_role("button", name="Local path")
    ).first.click()
    operator.visit.settle()
    operator.writes("Path of the file", str(file))
    operator.presses("dataset.register.go")
    until(lambda: "customers" in {each.name for each in engine.datasets.list()})
    operator.goes_to("/dataset?dataset=customers")
    operator.lists("customers")


def submits_a_pipeline_with_parameters(operator: Operator, engine: LocalWorkspace) -> None:
    before = {each.id for each in engine.pipelines.runs()}
    operator.goes_to("/training_runs")
    operator.opens("New run")
    operator.presses("runs.pipeline-go")
    operator.presses("submit.go")
    operator.page.wait_for_url("**/pipeline_schedules*", timeout=PATIENCE_MS)
    (run,) = until(lambda: [each for each in engine.pipelines.runs() if each.id not in before])
    operator.visit.settle()
    engine.pipelines.cancel(run.id)
    until(lambda: engine.pipelines.run(run.id).status.settled)
    assert engine.pipelines.run(run.id).run_source not in ("", "Schedule")


def registers_the_best_model(operator: Operator, engine: LocalWorkspace) -> None:
    run = next(
        each
        for each in engine.runs.list("bank-marketing")
        if each.kind is RunKind.AUTOML and each.status is RunStatus.COMPLETED
    )
    operator.goes_to(f"/training_runs?run={run.id}")
    operator.sees("Completed")
    operator.opens("Register best model")
    operator.writes("Name", MODEL)
    operator.presses("register.go")
    operator.page.wait_for_url("**/models*", timeout=PATIENCE_MS)
    operator.visit.settle()
    until(lambda: _model(engine))


def _model(engine: LocalWorkspace) -> Model | None:
    return next((each for each in engine.models.list() if each.name == MODEL), None)


def deploys(operator: Operator, engine: LocalWorkspace) -> None:
    operator.goes_to(f"/models?model={MODEL}:1")
    operator.opens("Deploy")
    operator.writes("Deployment name", DEPLOYMENT)
    operator.presses("deploy.go")
    until(lambda: DEPLOYMENT in {each.name for each in engine.deployments.list()})
    until(lambda: engine.deployments.get(DEPLOYMENT).state.settled)
    found = engine.deployments.get(DEPLOYMENT)
    assert found.state is DeploymentState.HEALTHY, found.error
    assert found.telemetry_enabled
    operator.goes_to(f"/deployment_health?deployment={DEPLOYMENT}")
    operator.sees("Healthy")


def shows_a_key(operator: Operator, engine: LocalWorkspace) -> None:
    primary = engine.deployments.keys(DEPLOYMENT).primary
    assert operator.page.get_by_text(primary).count() == 0
    operator.keyed("health-keys").get_by_text("Show", exact=True).first.click()
    operator.visit.settle()
    operator.sees(primary)


def scores(operator: Operator, engine: LocalWorkspace) -> None:
    operator.goes_to(f"/live_scoring?deployment={DEPLOYMENT}")
    operator.presses("live_scoring.score")
    operator.sees("200")
    until(lambda: _requests(engine) >= 1)


def _requests(engine: LocalWorkspace) -> int:
    now = utc_now()
    start = now.replace(minute=0, second=0, microsecond=0) - HOUR
    window = TimeWindow(start=start, end=now + HOUR, bin=HOUR)
    frame = engine.telemetry.panel(Panel.REQUESTS, window, DEPLOYMENT).frame
    return int(frame["requests"].sum()) if len(frame) else 0


def reads_the_telemetry(operator: Operator, engine: LocalWorkspace) -> None:
    operator.goes_to(f"/app_insights?deployment={DEPLOYMENT}&window=1h")
    operator.sees("Latency")
    operator.goes_to(f"/app_insights?deployment={SEEDED}&window=24h")
    operator.sees("Failed requests")


def benchmarks(operator: Operator) -> None:
    operator.goes_to(f"/benchmark_results?deployment={DEPLOYMENT}")
    operator.presses("benchmark.run")
    operator.writes(f"Type {DEPLOYMENT} to go on", DEPLOYMENT)  # it may cost somebody money
    operator.presses("benchmark.run.yes")
    operator.sees("Requests per second")


def schedules(operator: Operator, engine: LocalWorkspace) -> None:
    before = {each.id for each in engine.schedules.list()}
    operator.goes_to("/pipeline_schedules")
    operator.presses("schedules.new")
    operator.presses("schedule-form.save")
    (made,) = until(lambda: [each for each in engine.schedules.list() if each.id not in before])
    assert made.next_fire_at is not None
    assert made.next_fire_at > utc_now()
    operator.lists(made.name)


def every_page_is_quiet(open_tab) -> None:
    for theme in ("light", "dark"):
        for address in ADDRESSES.values():
            visit = open_tab(address, theme=theme)
            expect(visit.page.get_by_text("AZURE", exact=True).first).to_be_visible()
            assert visit.page.get_by_test_id("stException").count() == 0, address
            assert visit.errors == [], address
            assert visit.outside == [], address
