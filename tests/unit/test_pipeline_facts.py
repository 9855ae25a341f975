"""What the pipeline pages say about their records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dashboard import pipeline_facts
from services.domain import (
    AssetStatus,
    BatchProgress,
    Frequency,
    PipelineEndpoint,
    PipelineRun,
    PublishedPipeline,
    Recurrence,
    RunStatus,
    Schedule,
    StepRun,
)

NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


def batch_run(status: RunStatus = RunStatus.RUNNING, **progress: object) -> PipelineRun:
    given = {"total_count": 10, "done_count": 4, "failed_count": 1, "last_progress_at": NOON}
    return PipelineRun(
        id="r",
        pipeline_id="p",
        experiment="e",
        status=status,
        created_at=NOON,
        started_at=NOON,
        batch=BatchProgress(**{**given, **progress}),
    )


def schedule(recurrence: Recurrence, **rest: object) -> Schedule:
    given = {"pipeline_id": "p", "created_at": NOON, "status": AssetStatus.ACTIVE}
    return Schedule(
        id="s", name="nightly", recurrence=recurrence, experiment="e", **{**given, **rest}
    )


@pytest.mark.parametrize(
    ("progress", "share"),
    [
        ({}, 0.5),
        ({"done_count": 10, "failed_count": 0}, 1.0),
        ({"total_count": 0, "done_count": 0, "failed_count": 0}, 1.0),
        ({"done_count": 11, "failed_count": 3}, 1.0),  # never more than everything
    ],
)
def test_progress_never_exceeds_everything(progress, share):
    assert pipeline_facts.share(batch_run(**progress).batch) == share


@pytest.mark.parametrize(
    ("run", "minutes", "idle"),
    [
        (batch_run(), 4, None),
        (batch_run(), 6, timedelta(minutes=6)),
        (batch_run(last_progress_at=None), 6, timedelta(minutes=6)),
        (batch_run(RunStatus.COMPLETED), 60, None),
        (batch_run(done_count=9), 60, None),
    ],
)
def test_a_batch_is_idle_when_rows_are_left_and_none_was_scored_for_minutes(run, minutes, idle):
    assert pipeline_facts.idle_for(run, now=NOON + timedelta(minutes=minutes)) == idle


def test_the_series_of_a_schedule_without_a_start_time_goes_on_from_its_next_run():
    hourly = schedule(
        Recurrence(frequency=Frequency.HOUR), next_fire_at=NOON + timedelta(minutes=17)
    )

    times = pipeline_facts.upcoming(hourly, now=NOON, count=2)

    assert times == (NOON + timedelta(minutes=17), NOON + timedelta(minutes=77))


def test_a_run_that_is_overdue_is_still_the_next_one():
    daily = schedule(
        Recurrence(frequency=Frequency.DAY, start_time=datetime(2024, 4, 1, 6, 0)),
        next_fire_at=NOON - timedelta(hours=6),
    )

    assert pipeline_facts.upcoming(daily, now=NOON, count=1) == (NOON - timedelta(hours=6),)


def test_a_disabled_schedule_shows_the_times_it_would_have():
    daily = schedule(
        Recurrence(frequency=Frequency.DAY, start_time=datetime(2024, 4, 1, 6, 0)),
        status=AssetStatus.DISABLED,
    )

    assert pipeline_facts.upcoming(daily, now=NOON, count=1) == (NOON + timedelta(hours=18),)


def test_the_log_that_matters_is_the_failed_steps_else_the_last_that_began():
    done = StepRun(id="1", node_id="a", name="a", status=RunStatus.COMPLETED, started_at=NOON)
    wrong = StepRun(id="2", node_id="b", name="b", status=RunStatus.FAILED, error="no")
    idle = StepRun(id="3", node_id="c", name="c", status=RunStatus.NOT_STARTED)

    assert pipeline_facts.worst_step([done, wrong, idle]) == wrong
    assert pipeline_facts.worst_step([done, idle]) == done
    assert pipeline_facts.worst_step([idle]) is None


def test_an_endpoint_schedule_submits_the_default_version_of_today():
    pipelines = [
        PublishedPipeline(
            id=each,
            name="retrain",
            version=each,
            status=AssetStatus.ACTIVE,
            endpoint="",
            created_at=None,
        )
        for each in ("1", "2")
    ]
    endpoint = PipelineEndpoint(
        id="e",
        name="stable",
        status=AssetStatus.ACTIVE,
        endpoint="",
        default_version="1",
        versions={"0": "1", "1": "2"},
    )
    catalog = pipeline_facts.Catalog.of(pipelines, [endpoint])
    weekly = schedule(
        Recurrence(frequency=Frequency.WEEK), pipeline_id=None, pipeline_endpoint_id="e"
    )

    assert catalog.behind(weekly) == pipelines[1]
    assert catalog.target(weekly) == "endpoint stable"


def test_what_is_gone_is_said_to_be_unknown():
    catalog = pipeline_facts.Catalog.of([], [])

    assert catalog.target(schedule(Recurrence(frequency=Frequency.DAY))) == "an unknown pipeline"


def test_only_what_differs_from_the_defaults_is_submitted():
    assert pipeline_facts.changed({"a": "1", "b": "2"}, {"a": "1", "b": "3"}) == {"b": "3"}
