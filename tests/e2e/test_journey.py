"""The whole journey in a real browser: from a file to a schedule, by point and click."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from dashboard import navigation
from services.domain import DeploymentState, Panel, RunStatus, TimeWindow
from services.local.clock import utc_now
from services.local.workspace import LocalWorkspace, open_workspace
from tests.e2e import secrets
from tests.e2e.browser import Visit
from tests.e2e.running import Running
from tests.e2e.test_every_page import ADDRESSES
from tests.shared_data import shared_data

PATIENCE_MS = 60_000
HOUR = timedelta(hours=1)
TRAINING_S, SOON_S = 420.0, 120.0
VIEW = "API documentation"
DATASET, DEPLOYMENT = "bankmarketing_train", "bank-journey"


class Operator:
    """Somebody at the keyboard: finds things by what they are called, and waits to see them."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.page = visit, visit.page

    def goes_to(self, address: str) -> None:
        self.visit.open(address)

    def clicks(self, name: str, *, within: Locator | None = None) -> None:
        button = (within or self.page).get_by_role("button", name=name, exact=True)
        button.first.click(timeout=PATIENCE_MS)
        self.visit.settle()

    def presses(self, key: str) -> None:
        """The button with this key, wherever it is."""
        self.keyed(key).get_by_role("button").first.click(timeout=PATIENCE_MS)
        self.visit.settle()

    def opens(self, name: str) -> None:
        """A dialog: pressed again where the page was just being drawn anew."""
        dialog = self.page.get_by_role("dialog")
        for _ in range(3):
            self.clicks(name)
            try:
                expect(dialog).to_be_visible(timeout=15_000)
                return
            except AssertionError:
                continue
        expect(dialog).to_be_visible()

    def writes(self, label: str, text: str) -> None:
        field = self.page.get_by_label(label, exact=True).first
        field.fill(text, timeout=PATIENCE_MS)
        field.press("Enter")
        self.visit.settle()

    def sees(self, text: str) -> None:
        shown = self.page.get_by_text(text).filter(visible=True)
        expect(shown.first).to_be_visible(timeout=PATIENCE_MS)

    def lists(self, text: str) -> None:
        """A table has it: its cells are painted, what stands in them is read by screen readers."""
        cell = self.page.get_by_role("gridcell", include_hidden=True).filter(has_text=text)
        expect(cell.first).to_be_attached(timeout=PATIENCE_MS)

    def keyed(self, key: str) -> Locator:
        name = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in key)
        return self.page.locator(f".st-key-{name}")


@pytest.fixture
def operator(open_tab) -> Operator:
    return Operator(open_tab("/"))


@pytest.fixture
def workspace(dashboard) -> LocalWorkspace:
    """The workspace the dashboard works on, to check what the screen says."""
    return open_workspace(dashboard.home)


def until(condition: Callable[[], Any], *, limit_s: float = SOON_S) -> Any:
    deadline = time.monotonic() + limit_s
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {limit_s:.0f} s"
        time.sleep(0.25)
    return answer


def test_from_a_file_to_a_schedule(operator, workspace, dashboard, open_tab):
    registers_the_file(operator)
    run_id = trains(operator, workspace)
    registers_and_deploys(operator, workspace)
    turns_telemetry_on(operator, workspace)
    known = {*keys(workspace), workspace.pipelines.rest_token()}
    replaces_a_key(operator, workspace)
    known |= keys(workspace)
    scores_from_the_form(operator, workspace)
    sees_a_failed_request(operator, workspace)
    benchmarks(operator, workspace, dashboard, known)
    pipeline_id = publishes(operator, workspace)
    triggers_over_rest(operator, workspace, dashboard.base, pipeline_id)
    schedules(operator, workspace)
    assert operator.visit.errors == []
    assert operator.visit.outside == []

    every_page_is_quiet_with_data_on_it(open_tab, run_id)
    no_secret_is_anywhere_else(operator, workspace, dashboard, known)


def registers_the_file(operator: Operator) -> None:
    operator.goes_to("/dataset")
    operator.opens("Register a file")
    operator.page.get_by_role("radio", name="Local path").or_(
        operator.page.get_by_role("button", name="Local path")
    ).first.click()
    operator.visit.settle()
    operator.writes("Path of the file", str(shared_data("bankmarketing_train.csv")))
    operator.presses("dataset.register.go")
    operator.sees("32,950 rows")


def trains(operator: Operator, workspace: LocalWorkspace) -> str:
    operator.goes_to("/training_runs")
    operator.opens("New AutoML run")
    timeout = operator.keyed("automl.timeout").locator("input")
    timeout.fill("0.5")
    timeout.press("Enter")
    operator.visit.settle()
    operator.presses("automl.start")
    run = until(lambda: next(iter(workspace.runs.list()), None))
    until(lambda: workspace.runs.get(run.id).status.settled, limit_s=TRAINING_S)
    run = workspace.runs.get(run.id)
    assert run.status is RunStatus.COMPLETED, run.error
    operator.goes_to(f"/training_runs?run={run.id}")
    operator.sees("Completed")
    operator.sees(workspace.runs.get(str(run.best_child_id)).display_name)
    operator.opens("Register best model")
    operator.presses("register.go")
    operator.page.wait_for_url("**/models*", timeout=PATIENCE_MS)
    operator.visit.settle()
    assert len(workspace.models.list()) == 1
    return str(run.id)


def registers_and_deploys(operator: Operator, workspace: LocalWorkspace) -> None:
    operator.opens("Deploy")
    dialog = operator.page.get_by_role("dialog")
    operator.writes("Deployment name", DEPLOYMENT)
    dialog.get_by_text("Application Insights", exact=True).click()
    operator.visit.settle()
    operator.presses("deploy.go")
    until(lambda: [each for each in workspace.deployments.list() if each.name == DEPLOYMENT])
    settled(workspace)
    operator.goes_to(f"/deployment_health?deployment={DEPLOYMENT}")
    operator.sees("Healthy")


def settled(workspace: LocalWorkspace) -> None:
    until(lambda: workspace.deployments.get(DEPLOYMENT).state.settled)
    deployment = workspace.deployments.get(DEPLOYMENT)
    assert deployment.state is DeploymentState.HEALTHY, deployment.error


def turns_telemetry_on(operator: Operator, workspace: LocalWorkspace) -> None:
    assert not workspace.deployments.get(DEPLOYMENT).telemetry_enabled
    operator.clicks("Turn on…")
    operator.clicks("Turn on")
    until(lambda: workspace.deployments.get(DEPLOYMENT).telemetry_enabled)
    settled(workspace)
    operator.goes_to(f"/deployment_health?deployment={DEPLOYMENT}")
    expect(operator.keyed("health-telemetry").get_by_text("On", exact=True).first).to_be_visible(
        timeout=PATIENCE_MS
    )


def keys(workspace: LocalWorkspace) -> set[str]:
    known = workspace.deployments.keys(DEPLOYMENT)
    return {known.primary, known.secondary}


def replaces_a_key(operator: Operator, workspace: LocalWorkspace) -> None:
    """After looking at both, so that they have been on a screen once."""
    before = workspace.deployments.keys(DEPLOYMENT)
    for kind in ("Primary", "Secondary"):
        operator.keyed(f"health.{kind}-{DEPLOYMENT}.show").get_by_text("Show").click()
        operator.visit.settle()
    operator.sees(before.primary)
    operator.presses(f"health.regenerate-Primary-{DEPLOYMENT}")
    operator.presses(f"health.regenerate-Primary-{DEPLOYMENT}.yes")
    until(lambda: workspace.deployments.keys(DEPLOYMENT).primary != before.primary)


def scores_from_the_form(operator: Operator, workspace: LocalWorkspace) -> None:
    operator.goes_to(f"/live_scoring?deployment={DEPLOYMENT}")
    operator.presses("live_scoring.score")
    operator.sees("200")
    until(lambda: requests(workspace) >= 1)


def sees_a_failed_request(operator: Operator, workspace: LocalWorkspace) -> None:
    """Somebody calls with a row that lacks its columns."""
    deployment = workspace.deployments.get(DEPLOYMENT)
    request = urllib.request.Request(
        str(deployment.scoring_uri),
        data=json.dumps({"data": [{"age": 40}]}).encode(),
        headers={
            "Content-Type": "application/json",
            "Authorization": f"Bearer {workspace.deployments.keys(DEPLOYMENT).secondary}",
        },
    )
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(request, timeout=30)
    until(lambda: requests(workspace, "failed") >= 1)
    operator.goes_to(f"/app_insights?deployment={DEPLOYMENT}&window=1h")
    operator.sees("Failed requests")
    operator.sees("1 of 2 failed")


def requests(workspace: LocalWorkspace, column: str = "requests") -> int:
    now = utc_now()
    window = TimeWindow(
        start=now.replace(minute=0, second=0, microsecond=0) - HOUR, end=now + HOUR, bin=HOUR
    )
    frame = workspace.telemetry.panel(Panel.REQUESTS, window, DEPLOYMENT).frame
    return int(frame[column].sum()) if len(frame) else 0


def benchmarks(
    operator: Operator, workspace: LocalWorkspace, dashboard: Running, known: set[str]
) -> None:
    """While ab runs, its command line is there for everybody to read."""
    operator.goes_to(f"/benchmark_results?deployment={DEPLOYMENT}")
    operator.presses("benchmark.run")
    test = until(lambda: next(iter(workspace.load_tests.list()), None))
    told: set[str] = set()

    def ended() -> bool:
        told.update(secrets.in_processes(dashboard.family(), known))
        return bool(workspace.load_tests.get(test.id).state.settled)

    until(ended)
    assert told == set()
    report = workspace.load_tests.get(test.id).report
    assert report is not None, workspace.load_tests.get(test.id).error
    assert (report.complete_count, report.failed_count, report.non_2xx_count) == (400, 0, 0)
    operator.goes_to(f"/benchmark_results?load_test={test.id}")
    operator.sees("Requests per second")
    operator.sees("Margin to 60 s")


def publishes(operator: Operator, workspace: LocalWorkspace) -> str:
    operator.goes_to("/pipeline_schedules")
    operator.presses("pipelines.publish")
    operator.presses("publish.go")
    published = until(lambda: next(iter(workspace.pipelines.list()), None))
    operator.lists(published.name)
    return str(published.id)


def triggers_over_rest(
    operator: Operator, workspace: LocalWorkspace, base: str, pipeline_id: str
) -> None:
    path = workspace.pipelines.get(pipeline_id).endpoint.split("/pipelines/", 1)[1]
    request = urllib.request.Request(
        f"{base}/pipelines/{path}",
        data=json.dumps({"ExperimentName": "retraining-by-rest"}).encode(),
        headers={
            "Content-Type": "application/json",
            "Authorization": f"Bearer {workspace.pipelines.rest_token()}",
        },
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        run_id = json.loads(answer.read())["Id"]
    assert workspace.pipelines.run(run_id).experiment == "retraining-by-rest"
    until(lambda: workspace.pipelines.run(run_id).status is not RunStatus.NOT_STARTED)
    workspace.pipelines.cancel(run_id)
    until(lambda: workspace.pipelines.run(run_id).status.settled)
    assert workspace.pipelines.run(run_id).status is RunStatus.CANCELED
    operator.goes_to("/pipeline_schedules?view=Runs")
    expect(operator.page.get_by_text("Canceled").first).to_be_attached(timeout=PATIENCE_MS)


def schedules(operator: Operator, workspace: LocalWorkspace) -> None:
    operator.goes_to("/pipeline_schedules")
    operator.presses("schedules.new")
    operator.presses("schedule-form.save")
    schedule = until(lambda: next(iter(workspace.schedules.list()), None))
    assert schedule.next_fire_at is not None
    assert schedule.next_fire_at > utc_now()
    assert workspace.pipelines.runs(schedule_id=schedule.id) == ()
    operator.lists(schedule.name)


def every_page_is_quiet_with_data_on_it(open_tab: Any, run_id: str) -> None:
    for theme in ("light", "dark"):
        for page in navigation.REGISTRY:
            address = ADDRESSES[page.file]
            if page.file == "training_runs":
                address = f"{address}?run={run_id}"
            visit = open_tab(address, theme=theme)
            assert visit.page.get_by_test_id("stException").count() == 0, address
            assert visit.errors == [], address
            assert visit.outside == [], address


def no_secret_is_anywhere_else(
    operator: Operator, workspace: LocalWorkspace, dashboard: Running, known: set[str]
) -> None:
    """Keys, old and new, and the token: not on a page, in a log, a table or a process."""
    frames = secrets.received(operator.page)
    addresses = [
        *ADDRESSES.values(),
        *(f"/deployment_health?deployment={DEPLOYMENT}&view={each}" for each in ("Log", VIEW)),
        f"/live_scoring?deployment={DEPLOYMENT}&view=History",
        f"/app_insights?deployment={DEPLOYMENT}&window=1h&details=Requests",
        f"/pipeline_schedules?view=Pipelines&pipeline={workspace.pipelines.list()[0].id}",
    ]
    for address in addresses:
        operator.goes_to(address)
        shown = secrets.on_screen(operator.page)
        assert not [each for each in known if each in shown], address
    assert len(frames) > len(addresses)  # it did listen
    assert not [each for each in known for frame in frames if each.encode() in frame]

    log = dashboard.home.parent / "dashboard.log"
    assert secrets.in_files(dashboard.home, known, log) == []
    assert secrets.in_tables(dashboard.home, known) == []
    assert secrets.in_telemetry(workspace, known) == []
    assert secrets.in_processes([dashboard.process, *dashboard.family()], known) == []
    assert not [each for each in known if each in str(workspace.audit.list(limit=10_000))]
