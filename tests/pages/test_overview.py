"""The overview: the flow, six figures, what needs attention, and an empty workspace."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dashboard import overview_facts, shell
from services import attention
from services.domain import DeploymentState, FlowProgress, FlowStep, FlowStepState
from services.errors import UnavailableError
from services.local.clock import utc_now
from tests.recorded import datasets, load_tests, overview, runs, telemetry

STEPS = ("dataset", "training", "deployment", "telemetry", "scoring", "benchmark", "schedule")


def texts(page):
    shown = (*page.markdown, *page.caption, *page.error, *page.warning)
    return " ".join(each.value for each in shown)


def badges(page):
    """The states on the seven tiles, in order."""
    words = ("waiting", "running", "done", "failed", "unknown")
    values = [each.value for each in page.main.markdown if "-badge[:material" in each.value]
    return [word for value in values for word in words if f" {word}]" in value][:7]


def metrics(page):
    return {each.label: each.value for each in page.metric}


def links(page):
    return {
        each.proto.label: (each.proto.page, each.proto.query_string)
        for each in page.main.get("page_link")
    }


@pytest.fixture
def store(local_workspace):
    overview.supervised(local_workspace.store)
    return local_workspace.store


# --- empty ------------------------------------------------------------------------


def test_an_empty_workspace_shows_how_to_fill_it(open_page, store):
    page = open_page("overview")

    assert not page.exception
    assert badges(page) == ["waiting"] * 7
    assert "Fill this workspace in one go" in texts(page)
    assert page.button(key="flow.run.first").label == "Run the whole flow"
    assert not page.metric


def test_one_button_begins_the_whole_flow_and_shows_how_far_it_is(
    open_page, store, local_workspace
):
    page = open_page("overview")

    page.button(key="flow.run.first").click().run()

    assert not page.exception
    assert local_workspace.flow.progress().running
    assert "Step 1 of 7" in page.get("progress")[0].proto.text


def _progress(*states, detail="", error="", ended=False):
    now = utc_now()
    steps = tuple(
        FlowStep(
            key=key,
            title=key.capitalize(),
            state=state,
            detail=detail,
            started_at=now - timedelta(seconds=9),
            ended_at=now,
        )
        for key, state in zip(STEPS, states, strict=True)
    )
    return FlowProgress(
        steps=steps,
        started_at=now - timedelta(seconds=30),
        ended_at=now if ended else None,
        error=error,
    )


def test_the_running_flow_tells_each_steps_state(open_page, store, local_workspace, monkeypatch):
    done, running, waiting = FlowStepState.DONE, FlowStepState.RUNNING, FlowStepState.WAITING
    progress = _progress(done, running, *[waiting] * 5, detail="<b>bank</b>:1")
    monkeypatch.setattr(local_workspace.flow, "progress", lambda: progress)

    page = open_page("overview")

    assert badges(page)[:3] == ["done", "running", "waiting"]
    assert "<b>" not in texts(page)
    assert "Step 2 of 7: Training" in page.get("progress")[0].proto.text


def test_a_flow_that_stopped_says_where_and_why(open_page, store, local_workspace, monkeypatch):
    done, failed, waiting = FlowStepState.DONE, FlowStepState.FAILED, FlowStepState.WAITING
    progress = _progress(done, failed, *[waiting] * 5, error="No candidate fitted.", ended=True)
    monkeypatch.setattr(local_workspace.flow, "progress", lambda: progress)

    page = open_page("overview")

    assert "at “Training”: No candidate fitted." in page.error[0].value


# --- filled -----------------------------------------------------------------------


def test_a_filled_workspace_is_done_at_every_step_but_the_watching(open_page, local_workspace):
    overview.filled(local_workspace)

    page = open_page("overview")

    assert not page.exception
    assert badges(page) == ["done", "done", "done", "waiting", "waiting", "done", "done"]
    assert "Nothing needs attention" in texts(page)
    assert metrics(page)["Healthy deployments"] == "1 of 1 healthy"
    assert metrics(page)["Failed or stuck"] == "0 failed or stuck"
    assert metrics(page)["Age of the newest model"]
    assert metrics(page)["Next retrain"].startswith("in ")
    assert "No deployment records its requests" in texts(page)


def test_every_tile_and_card_opens_what_it_is_about(open_page, local_workspace):
    overview.filled(local_workspace)
    run_id = local_workspace.runs.list("bank-marketing")[0].id

    found = links(open_page("overview"))

    assert found["**Dataset**"] == ("dataset", "dataset=bank")
    assert found["**Deployment**"] == ("deployment_health", "deployment=bank")
    assert found["**Benchmark**"][1].startswith("load_test=")
    assert found["**Schedule**"][1].startswith("view=Schedules&schedule=")
    assert found["**Runs**"] == ("training_runs", "status=Failed")
    assert found["**Model age**"] == ("models", "model=bank-marketing%3A1")
    assert run_id or found["**AutoML**"]


def test_a_failed_run_and_an_unhealthy_service_change_two_cards(open_page, local_workspace):
    overview.filled(local_workspace)
    home, store, now = local_workspace.home, local_workspace.store, utc_now()
    overview.deployment(store, "bank", state=DeploymentState.UNHEALTHY)
    runs.failed(home, store, experiment="other", started=now - timedelta(hours=1))

    page = open_page("overview")

    facts = overview_facts.gather(shell.window())
    bad = attention.failed_or_stuck(facts.seen.runs, since=facts.window.start, now=facts.now)
    assert len(bad) == 1
    assert metrics(page)["Failed or stuck"] == "1 failed or stuck"
    assert ":red-badge[1 of " in texts(page)
    assert metrics(page)["Healthy deployments"] == "0 of 1 healthy"
    assert ":orange-badge[1 Unhealthy]" in texts(page)


def test_three_faults_are_three_entries_and_mending_one_removes_it(open_page, local_workspace):
    overview.filled(local_workspace)
    home, store, now = local_workspace.home, local_workspace.store, utc_now()
    overview.deployment(store, "bank", state=DeploymentState.FAILED, error="The model is gone.")
    runs.failed(home, store, experiment="other", started=now - timedelta(hours=1))
    load_tests.failed(store, error="Nobody answered.", at=now)

    entries = [
        each.value.split("**")[1]
        for each in open_page("overview").main.markdown
        if each.value.startswith((":red[", ":orange[", ":blue["))
    ]

    assert [entry.replace("\\", "") for entry in entries] == [
        "Deployment bank has failed",
        "Run 1 of other failed",
        "The last load test of bank failed",
    ]
    overview.deployment(store, "bank")
    assert "has failed" not in texts(open_page("overview"))


def test_the_requests_of_the_window_are_counted_with_their_failures(open_page, local_workspace):
    overview.filled(local_workspace)
    overview.deployment(local_workspace.store, "bank", telemetry=True)
    now = utc_now() - timedelta(minutes=5)
    given = [
        telemetry.Request(
            deployment="bank",
            duration_ms=10.0 + number,
            result_code="500" if number == 0 else "200",
            at=now - timedelta(hours=number % 3),
        )
        for number in range(20)
    ]
    telemetry.requests(local_workspace.home, given)

    with telemetry.answering(local_workspace.home):
        page = open_page("overview")

    assert metrics(page)["Failure rate"] == "5.0 %"
    assert metrics(page)["p95 duration"].endswith(" ms")
    assert "20 requests" in texts(page)
    assert "5.0 % of the requests to bank fail".replace(".", "\\.") in texts(page)


# --- honesty ----------------------------------------------------------------------

PORTS = ("datasets", "runs", "models", "deployments", "load_tests", "schedules")


@pytest.mark.parametrize("broken", PORTS)
def test_a_port_that_fails_shows_its_reason_and_the_others_draw(
    open_page, local_workspace, monkeypatch, broken
):
    overview.filled(local_workspace)

    def outage(*args, **kwargs):
        raise UnavailableError(f"The {broken} did not answer.")

    monkeypatch.setattr(getattr(local_workspace, broken), "list", outage)

    page = open_page("overview")

    assert not page.exception
    assert f"The {broken} did not answer" in texts(page).replace("\\", "")
    assert "Nothing needs attention" not in texts(page)
    assert len(page.metric) >= 3
    assert "Fill this workspace" not in texts(page)


def test_after_an_outage_the_last_good_copy_is_shown_as_such(
    open_page, local_workspace, monkeypatch
):
    overview.filled(local_workspace)
    open_page("overview")

    def outage(*args, **kwargs):
        raise UnavailableError("The store did not answer.")

    monkeypatch.setattr(local_workspace.deployments, "list", outage)
    page = open_page("overview")

    assert metrics(page)["Healthy deployments"] == "1 of 1 healthy"
    assert "Last good copy" in texts(page)


def test_a_stopped_supervisor_is_the_one_cause_listed(open_page, local_workspace):
    datasets.people(local_workspace)

    page = open_page("overview")

    assert "The supervisor is not running" in texts(page)
    assert "telemetry server is not running" not in texts(page)


def test_names_that_are_markup_stay_text(open_page, local_workspace):
    overview.supervised(local_workspace.store)
    overview.deployment(
        local_workspace.store,
        "![x](http://127.0.0.1:9/x.png)",
        state=DeploymentState.FAILED,
        error="[click](http://127.0.0.1:9)",
    )

    page = open_page("overview")

    assert not page.exception
    assert "![x](" not in texts(page)
    assert "[click](" not in texts(page)


def test_no_figure_of_the_overview_needs_the_chart_library(open_page, local_workspace):
    overview.filled(local_workspace)

    assert not open_page("overview").get("plotly_chart")
