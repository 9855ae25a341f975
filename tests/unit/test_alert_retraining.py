"""How a retraining pipeline has been doing, and what probes amount to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.alerts import retraining, uptime
from services.alerts.records import Band, ProbeResult, Verdict
from services.domain import PipelineRun, RunStatus

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
BAND = Band(experiment="e", metric="AUC_weighted", fail_below=0.94)


def run(day, status=RunStatus.COMPLETED, *, took_min=10.0):
    at = NOW - timedelta(days=30 - day)
    ended = at + timedelta(minutes=took_min) if status.settled else None
    return PipelineRun(
        id=f"r{day}", pipeline_id="p", experiment="e", status=status, created_at=at, started_at=at,
        ended_at=ended, training_run_id=f"t{day}",
    )  # fmt: skip


def month(failed=(9, 21)):
    return [
        run(day, RunStatus.FAILED if day in failed else RunStatus.COMPLETED) for day in range(30)
    ]


def metrics(**bad):
    return {f"t{day}": {"AUC_weighted": bad.get(f"t{day}", 0.947)} for day in range(30)}


def test_a_month_with_two_failures_reads_28_of_30():
    standing = retraining.standing(month(), metrics(), [BAND])

    assert (standing.completed_count, standing.settled_count) == (28, 30)
    assert f"{standing.success_rate:.0%}" == "93%"


def test_the_age_counts_from_the_last_run_that_passed_its_bands():
    standing = retraining.standing(month(failed=(29,)), metrics(t28=0.93, t27=0.91), [BAND])

    assert standing.last_good.run.id == "r26"
    assert standing.age(NOW).days == 3
    assert standing.retrains[28].verdict is Verdict.FAIL


def test_without_bands_the_last_completed_run_is_good():
    standing = retraining.standing(month(failed=(29,)), {}, [])

    assert standing.last_good.run.id == "r28"


def test_a_metric_nobody_logged_is_no_good_model():
    assert retraining.standing([run(1)], {}, [BAND]).last_good is None


def test_runs_that_are_canceled_or_under_way_are_no_outcome():
    standing = retraining.standing(
        [run(0), run(1, RunStatus.CANCELED), run(2, RunStatus.RUNNING)], metrics(), []
    )

    assert standing.success_rate == 1.0
    assert standing.settled_count == 1


def test_the_trend_holds_the_last_runs_against_those_before():
    runs = [run(day, took_min=10 if day < 25 else 15) for day in range(30)]

    assert retraining.standing(runs, metrics(), []).drift == 0.5


def test_nothing_is_made_up_where_nothing_ran():
    standing = retraining.standing([], {}, [BAND])

    assert standing.success_rate is None
    assert standing.age(NOW) is None
    assert standing.drift is None


def probed(ok, number, reason=""):
    return ProbeResult(
        deployment="bank", at=NOW - timedelta(minutes=number), ok=ok, duration_ms=float(number + 1),
        reason=reason, request_id=f"probe-{number}", root_ok=ok,
    )  # fmt: skip


def test_two_failures_of_ten_read_80_percent_and_the_last_tells_its_reason():
    results = [probed(n not in (2, 6), n, "refused" if n in (2, 6) else "") for n in range(10)]

    found = uptime.uptime(results)

    assert found.share == 0.8
    assert found.last_failure.reason == "refused"
    assert found.last_failure.request_id == "probe-2"
    assert found.p50_ms is not None
    assert found.p95_ms is None  # eight answers cannot tell


def test_no_probe_is_no_uptime():
    assert uptime.uptime([]).share is None
