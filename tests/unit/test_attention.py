"""What needs attention: one entry per cause, worst first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services import attention
from services.attention import Seen, Severity, Traffic
from services.domain import (
    AssetStatus,
    Component,
    ComponentState,
    Deployment,
    DeploymentState,
    Frequency,
    LoadTest,
    LoadTestState,
    PipelineRun,
    Recurrence,
    Run,
    RunKind,
    RunStatus,
    Schedule,
)

NOW = datetime(2024, 5, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SUPERVISOR = Component(name="supervisor", state=ComponentState.RUNNING)
STOPPED = replace(SUPERVISOR, state=ComponentState.STOPPED, detail="Start one.")


def deployment(name="bank", state=DeploymentState.HEALTHY, **fields):
    return Deployment(
        name=name,
        model_id="bank:1",
        state=state,
        scoring_uri=None,
        swagger_uri=None,
        auth_enabled=True,
        telemetry_enabled=True,
        created_at=NOW - HOUR,
        updated_at=NOW - HOUR,
        **fields,
    )


def run(number=1, status=RunStatus.COMPLETED, experiment="bank", ago=HOUR, **fields):
    return Run(
        id=f"{experiment}-{number}",
        experiment=experiment,
        number=number,
        kind=RunKind.AUTOML,
        display_name="AutoML",
        status=status,
        created_at=NOW - ago,
        **fields,
    )


def pipeline_run(status=RunStatus.FAILED, **fields):
    return PipelineRun(
        id="p-1",
        pipeline_id="pipeline",
        experiment="retraining",
        status=status,
        created_at=NOW - HOUR,
        **fields,
    )


def schedule(due=NOW + HOUR, status=AssetStatus.ACTIVE):
    return Schedule(
        id="s-1",
        name="daily",
        status=status,
        recurrence=Recurrence(frequency=Frequency.DAY),
        experiment="retraining",
        pipeline_id="pipeline",
        next_fire_at=due,
    )


def load_test(state=LoadTestState.FAILED, number=1, **fields):
    return LoadTest(
        id=f"l-{number}",
        name="ab",
        state=state,
        created_at=NOW - HOUR,
        started_at=None,
        ended_at=None,
        deployment="bank",
        model_id=None,
        plan=None,
        payload_sha256=None,
        done_count=0,
        report=None,
        **fields,
    )


def entries(**seen):
    return attention.entries(Seen(**seen), now=NOW)


def titles(**seen):
    return [entry.title for entry in entries(**seen)]


def test_a_healthy_workspace_needs_nothing():
    assert (
        entries(
            components=(SUPERVISOR,),
            deployments=(deployment(),),
            runs=(run(),),
            pipeline_runs=(pipeline_run(RunStatus.COMPLETED),),
            load_tests=(load_test(LoadTestState.COMPLETED),),
            schedules=(schedule(),),
            traffic=(Traffic(deployment="bank", request_count=100, failed_count=4),),
        )
        == ()
    )


def test_three_faults_give_three_entries_worst_first_and_a_fix_removes_its_own():
    faults = {
        "load_tests": (load_test(),),
        "runs": (run(status=RunStatus.FAILED, error="No candidate."),),
        "deployments": (deployment(state=DeploymentState.FAILED, error="The model is gone."),),
    }

    found = entries(**faults)

    assert [(entry.severity, entry.page) for entry in found] == [
        (Severity.CRITICAL, "deployment_health"),
        (Severity.WARNING, "training_runs"),
        (Severity.NOTICE, "benchmark_results"),
    ]
    assert found[0].address == {"deployment": "bank"}
    assert found[1].detail == "No candidate."
    assert [entry.page for entry in entries(**faults | {"deployments": (deployment(),)})] == [
        "training_runs",
        "benchmark_results",
    ]


def test_a_stopped_supervisor_explains_every_silence():
    found = entries(
        components=(STOPPED, Component(name="telemetry server", state=ComponentState.STOPPED)),
        deployments=(deployment(state=DeploymentState.UNHEALTHY),),
        runs=(
            run(1, RunStatus.NOT_RESPONDING),
            run(2, RunStatus.QUEUED, experiment="other"),
        ),
        schedules=(schedule(due=NOW - HOUR),),
    )

    assert [(entry.title, entry.page) for entry in found] == [
        ("The supervisor is not running", "settings")
    ]


def test_what_a_supervisor_cannot_mend_is_listed_beside_it():
    found = titles(components=(STOPPED,), deployments=(deployment(state=DeploymentState.FAILED),))

    assert set(found) == {"The supervisor is not running", "Deployment bank has failed"}


def test_a_part_that_is_down_is_named():
    (entry,) = entries(
        components=(SUPERVISOR, Component(name="telemetry server", state=ComponentState.FAILED))
    )

    assert (entry.title, entry.severity) == (
        "The telemetry server is not running",
        Severity.WARNING,
    )


def test_a_damaged_file_is_the_worst_whether_or_not_a_supervisor_runs():
    damaged = Component(name="store", state=ComponentState.FAILED, detail="Restore it.")

    for supervisor in (SUPERVISOR, STOPPED):
        found = entries(components=(supervisor, damaged))

        assert ("The workspace's file is damaged", Severity.CRITICAL, "Restore it.") in [
            (entry.title, entry.severity, entry.detail) for entry in found
        ]


@pytest.mark.parametrize(("minutes", "count"), [(9, 0), (11, 1)], ids=["a while", "too long"])
def test_a_transition_is_listed_once_it_takes_too_long(minutes, count):
    since = NOW - timedelta(minutes=minutes)
    moving = deployment(state=DeploymentState.TRANSITIONING, state_since=since)

    assert len(entries(deployments=(moving,))) == count


def test_failing_requests_are_listed_from_five_per_cent_on():
    found = entries(
        traffic=(
            Traffic(deployment="a", request_count=100, failed_count=5),
            Traffic(deployment="b", request_count=100, failed_count=4),
            Traffic(deployment="c", request_count=10, failed_count=5),
            Traffic(deployment="d", request_count=0, failed_count=0),
        )
    )

    assert [(entry.title, entry.severity) for entry in found] == [
        ("50.0 % of the requests to c fail", Severity.CRITICAL),
        ("5.0 % of the requests to a fail", Severity.WARNING),
    ]


def test_the_failing_requests_of_an_unwell_deployment_are_the_same_cause():
    found = titles(
        deployments=(deployment(state=DeploymentState.UNHEALTHY),),
        traffic=(Traffic(deployment="bank", request_count=10, failed_count=10),),
    )

    assert found == ["Deployment bank does not answer"]


def test_a_later_success_answers_an_earlier_failure():
    failed = run(1, RunStatus.FAILED, ago=2 * HOUR)

    assert entries(runs=(run(2, ago=HOUR), failed)) == ()
    assert titles(runs=(run(2, RunStatus.RUNNING), failed)) == ["Run 1 of bank failed"]
    assert titles(runs=(run(1, experiment="other"), failed)) == ["Run 1 of bank failed"]


def test_an_experiment_that_keeps_failing_is_one_entry():
    assert titles(runs=(run(2, RunStatus.FAILED), run(1, RunStatus.FAILED))) == [
        "Run 2 of bank failed"
    ]


def test_an_old_failure_is_forgotten():
    assert entries(runs=(run(status=RunStatus.FAILED, ago=timedelta(days=8)),)) == ()


def test_runs_that_do_not_move_are_listed():
    assert titles(
        runs=(
            run(1, RunStatus.NOT_RESPONDING),
            run(2, RunStatus.QUEUED, ago=timedelta(minutes=11)),
            run(3, RunStatus.QUEUED, ago=timedelta(minutes=5)),
            run(4, RunStatus.RUNNING, ago=timedelta(days=1)),
        )
    ) == ["Run 2 of bank is not being started", "Run 1 of bank does not respond"]


def test_a_failed_training_explains_the_pipeline_run_that_started_it():
    failed = run(status=RunStatus.FAILED)

    assert titles(runs=(failed,), pipeline_runs=(pipeline_run(training_run_id=failed.id),)) == [
        "Run 1 of bank failed"
    ]
    assert titles(pipeline_runs=(pipeline_run(),)) == ["A pipeline run of retraining failed"]


def test_a_schedule_that_did_not_fire_is_listed_and_a_disabled_one_is_not():
    late = NOW - timedelta(minutes=3)

    assert titles(schedules=(schedule(due=late),)) == ["Schedule daily is overdue"]
    assert entries(schedules=(schedule(due=late, status=AssetStatus.DISABLED),)) == ()
    assert entries(schedules=(schedule(due=NOW - timedelta(minutes=1)),)) == ()


def test_a_load_test_that_worked_answers_the_one_that_did_not():
    worked = load_test(LoadTestState.COMPLETED, number=2)

    assert entries(load_tests=(worked, load_test())) == ()
    assert entries(load_tests=(load_test(imported=True),)) == ()


def test_runs_are_counted_as_failed_in_the_window_or_stuck_at_any_time():
    runs = (
        run(1, RunStatus.FAILED, ago=2 * HOUR, ended_at=NOW - HOUR),
        run(2, RunStatus.FAILED, ago=30 * HOUR, ended_at=NOW - 29 * HOUR),
        run(3, RunStatus.QUEUED, ago=30 * HOUR),
        run(4),
    )

    bad = attention.failed_or_stuck(runs, since=NOW - 24 * HOUR, now=NOW)

    assert [each.number for each in bad] == [1, 3]
