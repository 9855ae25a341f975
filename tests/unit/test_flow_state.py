"""The seven steps of the flow, as far as a workspace has come."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services import flow_state
from services.attention import Traffic
from services.domain import (
    AssetStatus,
    BenchReport,
    Component,
    ComponentState,
    Dataset,
    DeploymentState,
    FlowProgress,
    FlowStep,
    FlowStepState,
    LoadTestState,
    RunKind,
    RunStatus,
)
from services.flow_state import Answers
from tests.unit.test_attention import NOW, deployment, load_test, run, schedule

EMPTY = Answers(
    datasets=(),
    runs=(),
    deployments=(),
    components=(),
    traffic=(),
    load_tests=(),
    schedules=(),
)
DONE, WAITING = FlowStepState.DONE, FlowStepState.WAITING


def stage(key, answers, progress=None):
    return next(each for each in flow_state.stages(answers, progress) if each.key == key)


def test_an_empty_workspace_waits_at_every_step_and_says_what_to_do():
    stages = flow_state.stages(EMPTY)

    assert len(stages) == 7
    assert {each.state for each in stages} == {WAITING}
    assert all(each.headline for each in stages)
    assert flow_state.is_empty(EMPTY)


def test_a_port_that_did_not_answer_leaves_its_step_unknown_and_the_others_alone():
    answers = replace(EMPTY, runs=None, deployments=None)

    states = {each.key: each.state for each in flow_state.stages(answers)}

    assert states["training"] is None
    assert states["deployment"] is None
    assert states["dataset"] is WAITING
    assert stage("training", answers).headline == "Did not answer"
    assert not flow_state.is_empty(answers)


def test_the_newest_dataset_is_linked():
    dataset = Dataset(name="bank", version=2, created_at=NOW, source="a.csv", row_count=32_950)

    found = stage("dataset", replace(EMPTY, datasets=(dataset,)))

    assert (found.state, found.headline, found.detail) == (DONE, "bank:2", "32,950 rows")
    assert (found.page, found.address) == ("dataset", {"dataset": "bank"})


def test_the_newest_automl_run_tells_its_score():
    runs = (
        replace(run(3), kind=RunKind.PIPELINE),
        run(2, primary_metric="AUC_weighted", score=0.94642),
        run(1, RunStatus.FAILED),
    )

    found = stage("training", replace(EMPTY, runs=runs))

    assert (found.state, found.headline) == (DONE, "0.9464")
    assert found.detail == "AUC_weighted"
    assert found.address == {"run": "bank-2"}


def test_run_states_become_step_states():
    states = {
        status: stage("training", replace(EMPTY, runs=(run(status=status),))).state
        for status in (RunStatus.QUEUED, RunStatus.FAILED, RunStatus.CANCELED)
    }

    assert list(states.values()) == [FlowStepState.RUNNING, FlowStepState.FAILED, WAITING]


def test_an_unwell_deployment_is_the_one_shown_and_linked():
    deployments = (
        deployment("a"),
        deployment("b", DeploymentState.UNHEALTHY),
        deployment("c", DeploymentState.FAILED),
    )

    found = stage("deployment", replace(EMPTY, deployments=deployments))

    assert (found.state, found.headline) == (FlowStepState.FAILED, "b")
    assert found.detail == "1 of 3 healthy"
    assert found.address == {"deployment": "b"}


def test_telemetry_is_on_unless_its_server_is_down():
    answers = replace(EMPTY, deployments=(deployment(),))
    down = (Component(name="telemetry server", state=ComponentState.FAILED),)

    assert stage("telemetry", answers).state is DONE
    assert stage("telemetry", replace(answers, components=down)).state is FlowStepState.FAILED
    off = replace(answers, deployments=(replace(deployment(), telemetry_enabled=False),))
    assert (stage("telemetry", off).state, stage("telemetry", off).headline) == (
        WAITING,
        "Turn it on",
    )


def test_scoring_counts_the_requests_of_the_window():
    traffic = (
        Traffic(deployment="a", request_count=1_200, failed_count=3),
        Traffic(deployment="b", request_count=4, failed_count=0),
    )

    found = stage("scoring", replace(EMPTY, deployments=(deployment(),), traffic=traffic))

    assert (found.headline, found.detail) == ("1,204 requests", "3 failed")


def test_the_newest_load_test_tells_its_rate():
    report = BenchReport(
        complete_count=400,
        failed_count=0,
        requests_per_s=251.4,
        mean_ms=4.0,
        total_s=1.6,
        percentiles_ms={95: 12.3},
    )
    done = replace(load_test(LoadTestState.COMPLETED), report=report)

    found = stage("benchmark", replace(EMPTY, load_tests=(done,)))

    assert (found.state, found.headline, found.detail) == (DONE, "251 requests/s", "p95 12 ms")
    assert found.address == {"load_test": "l-1"}


def test_the_schedule_that_fires_first_is_shown():
    later = replace(schedule(), id="s-2", name="weekly", next_fire_at=NOW + timedelta(days=3))
    disabled = replace(schedule(due=NOW), id="s-3", name="old", status=AssetStatus.DISABLED)

    found = stage("schedule", replace(EMPTY, schedules=(later, disabled, schedule())))

    assert (found.headline, found.at) == ("daily", NOW + timedelta(hours=1))
    assert found.address == {"view": "Schedules", "schedule": "s-1"}
    only = stage("schedule", replace(EMPTY, schedules=(disabled,)))
    assert (only.state, only.headline) == (WAITING, "All disabled")


def test_while_the_whole_flow_runs_its_steps_say_how_far_it_is():
    started = datetime(2024, 5, 2, 11, 59, tzinfo=UTC)
    steps = (
        FlowStep(key="dataset", title="", state=DONE),
        FlowStep(key="training", title="", state=FlowStepState.RUNNING),
    )
    progress = FlowProgress(steps=steps, started_at=started, ended_at=None)

    states = [each.state for each in flow_state.stages(EMPTY, progress)]

    assert states[:3] == [DONE, FlowStepState.RUNNING, WAITING]
    ended = replace(progress, ended_at=NOW)
    assert {each.state for each in flow_state.stages(EMPTY, ended)} == {WAITING}
