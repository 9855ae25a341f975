"""The grid of runs and steps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dashboard import charts_pipelines
from services.domain import PipelineRun, RunStatus, StepRun

NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


def run(number: int, status: RunStatus = RunStatus.COMPLETED, *, apart: timedelta) -> PipelineRun:
    at = NOON + number * apart
    return PipelineRun(
        id=f"run-{number}",
        pipeline_id="p",
        experiment="e",
        status=status,
        created_at=at,
        started_at=at,
        ended_at=at + timedelta(minutes=9) if status.settled else None,
    )


def steps(run: PipelineRun, *statuses: RunStatus) -> tuple[StepRun, ...]:
    return tuple(
        StepRun(id=f"{run.id}/{place}", node_id=f"n{place}", name=f"step {place}", status=status)
        for place, status in enumerate(statuses)
    )


def grid(*runs: PipelineRun, **by_run: tuple[StepRun, ...]):
    return charts_pipelines.run_grid(
        runs, {each.id: by_run.get(each.id, ()) for each in runs}, now=NOON, zone=UTC
    )


def test_every_status_has_a_shape_and_a_colour_of_its_own():
    looks = [charts_pipelines._LOOK[charts_pipelines.group(status)] for status in RunStatus]

    assert len({color for color, _ in looks}) == len({shape for _, shape in looks}) == 5


def test_marks_and_bars_know_what_they_open():
    one = run(0, RunStatus.FAILED, apart=timedelta(days=1))
    figure = charts_pipelines.run_grid(
        [one],
        {one.id: steps(one, RunStatus.COMPLETED, RunStatus.FAILED)},
        now=NOON,
        zone=UTC,
    )

    opened = [list(map(list, trace.customdata)) for trace in figure.data]
    assert [["run-0", ""]] in opened
    assert [["run-0", "n1"]] in opened
    assert [["run-0", "n0"]] in opened


def test_bars_are_minutes_and_a_run_under_way_grows():
    done = run(0, apart=timedelta(days=1))
    figure = charts_pipelines.run_grid(
        [done, run(1, RunStatus.RUNNING, apart=timedelta(0))],
        {},
        now=NOON + timedelta(minutes=4),
        zone=UTC,
    )

    assert {trace.name: list(trace.y) for trace in figure.data} == {
        "Completed": [9.0],
        "Running": [4.0],
    }


def test_runs_days_apart_are_labelled_by_day_and_runs_of_a_day_by_time():
    days = grid(*(run(n, apart=timedelta(days=1)) for n in range(4)))
    hours = grid(*(run(n, apart=timedelta(hours=1)) for n in range(4)))

    assert list(days.layout.xaxis.ticktext) == ["1 May", "2 May", "3 May", "4 May"]
    assert list(hours.layout.xaxis.ticktext) == ["12:00", "13:00", "14:00", "15:00"]


def test_many_runs_have_few_labels_and_one_run_is_no_wall():
    many = grid(*(run(n, apart=timedelta(days=1)) for n in range(30)))
    one = grid(run(0, apart=timedelta(days=1)))

    assert len(many.layout.xaxis.ticktext) == 10
    assert tuple(one.layout.xaxis.range) == (-0.5, 11.5)
