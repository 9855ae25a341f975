"""What each rule finds in what a workspace answered, and what follows from what."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.alerts import bands, checks
from services.alerts import rules as catalog
from services.alerts.gathering import semantic_failures
from services.alerts.records import AlertRule, Band, Probe, ProbeResult, Verdict, check_band
from services.alerts.snapshot import Served, Snapshot
from services.attention import Seen, Severity
from services.domain import (
    AssetStatus,
    Deployment,
    DeploymentState,
    Firing,
    Frequency,
    PipelineEndpoint,
    PipelineRun,
    PublishedPipeline,
    Recurrence,
    Run,
    RunKind,
    RunStatus,
    Schedule,
)
from services.errors import InvalidRequestError

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
RULES = catalog.with_defaults(())


def minutes(count):
    return timedelta(minutes=count)


def deployment(name="bank", state=DeploymentState.HEALTHY, *, telemetry=True, age_min=600):
    at = NOW - minutes(age_min)
    return Deployment(
        name=name, model_id="m:1", state=state, scoring_uri="http://h/score", swagger_uri=None,
        auth_enabled=True, telemetry_enabled=telemetry, created_at=at, updated_at=at,
        state_since=at,
    )  # fmt: skip


def schedule(schedule_id="s1", *, status=AssetStatus.ACTIVE, pipeline_id="p1", endpoint=None):
    return Schedule(
        id=schedule_id, name="Nightly", status=status, experiment="e",
        recurrence=Recurrence(frequency=Frequency.DAY),
        pipeline_id=None if endpoint else pipeline_id, pipeline_endpoint_id=endpoint,
        next_fire_at=NOW + minutes(60),
    )  # fmt: skip


def pipeline_run(run_id, status=RunStatus.COMPLETED, *, began_min, took_min=None):
    began = NOW - minutes(began_min)
    return PipelineRun(
        id=run_id, pipeline_id="p1", experiment="e", status=status, created_at=began,
        started_at=None if status is RunStatus.QUEUED else began,
        ended_at=began + minutes(took_min) if took_min is not None else None,
    )  # fmt: skip


def pipeline(status):
    return PublishedPipeline(
        id="p1", name="Retraining", version="1", status=status, endpoint="/x", created_at=NOW
    )


def found(snapshot, rules=RULES):
    """Titles of what is not explained by something else, worst first."""
    return [
        each.entry.title
        for each in checks.findings(snapshot, rules, now=NOW)
        if not each.explained_by
    ]


def served(**values):
    deployments = (deployment(),)
    return Snapshot(
        seen=Seen(deployments=deployments),
        served=(Served(deployment="bank", **{"recent_count": 1, "active_hours": 20} | values),),
    )


def test_a_workspace_that_is_well_has_nothing_to_tell():
    assert found(Snapshot()) == []
    assert found(served(request_count=1000, failed_count=3, p95_ms=40.0)) == []


def test_requests_that_fail_count_from_a_least_number_on():
    assert found(served(request_count=100, failed_count=10)) == [
        "10.0 % of the requests to bank fail"
    ]
    assert found(served(request_count=10, failed_count=10)) == []


def test_most_requests_failing_is_critical():
    (finding,) = checks.findings(served(request_count=100, failed_count=60), RULES, now=NOW)

    assert finding.entry.severity is Severity.CRITICAL


def test_answers_200_that_are_errors_are_told_although_no_request_failed():
    snapshot = served(request_count=100, semantic_count=1, semantic_sample="no column “agee”")

    (finding,) = checks.findings(snapshot, RULES, now=NOW)

    assert finding.entry.title == "bank answers 200 with errors inside"
    assert "agee" in finding.entry.detail


def test_suspect_answers_are_counted_by_what_they_mean():
    rows = [
        {"service": "bank", "answer": '"{\\"error\\": \\"no column agee\\"}"'},
        {"service": "bank", "answer": '{"result": ["error"]}'},
        {"service": "other", "answer": '{"message": "boom"}'},
    ]

    assert [(name, count) for name, count, _ in semantic_failures(rows)] == [
        ("bank", 1),
        ("other", 1),
    ]


def test_a_slow_deployment_is_told_with_its_p95():
    snapshot = served(p95_ms=1500.0, p95_request_count=50)

    assert found(snapshot) == ["bank is slow"]
    assert found(served(p95_ms=1500.0, p95_request_count=5)) == []


def test_one_deployment_is_one_cause():
    snapshot = replace(
        served(request_count=100, failed_count=90, p95_ms=9e4, p95_request_count=100),
        seen=Seen(deployments=(deployment(state=DeploymentState.UNHEALTHY),)),
        probes={"bank": Probe(deployment="bank", enabled=True)},
        probed={"bank": [result(False, 1), result(False, 2)]},
    )

    every = checks.findings(snapshot, RULES, now=NOW)

    assert found(snapshot) == ["Deployment bank does not answer"]
    assert {each.explained_by for each in every} == {"", "deployment/bank"}


def result(ok, minutes_ago):
    return ProbeResult(
        deployment="bank", at=NOW - minutes(minutes_ago), ok=ok, duration_ms=5.0,
        reason="" if ok else "The deployment refused the connection.", request_id="probe-1",
        root_ok=ok,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [("", 0), ("x", 0), ("xx", 1), ("xox", 0), ("oxx", 0), ("xxxo", 1)],
)
def test_a_probe_is_told_after_failures_in_a_row(outcomes, expected):
    results = [result(word == "o", number) for number, word in enumerate(outcomes)]
    snapshot = Snapshot(
        seen=Seen(deployments=(deployment(),)),
        probes={"bank": Probe(deployment="bank", enabled=True)},
        probed={"bank": results},
    )

    assert len(found(snapshot)) == expected


def test_steady_telemetry_that_stops_is_told():
    assert found(served(recent_count=0)) == ["No telemetry from bank"]
    assert found(served()) == []


def test_a_burst_that_is_over_is_no_silence():
    assert found(served(recent_count=0, active_hours=2)) == []


def test_a_deployment_that_was_just_updated_may_be_silent():
    fresh = replace(served(recent_count=0), seen=Seen(deployments=(deployment(age_min=5),)))

    assert found(fresh) == []


def test_a_deployment_nobody_ever_asked_is_not_quiet():
    assert found(Snapshot(seen=Seen(deployments=(deployment(),)))) == []


def test_probes_that_leave_no_trace_show_that_telemetry_is_broken():
    snapshot = Snapshot(
        seen=Seen(deployments=(deployment(),)),
        probes={"bank": Probe(deployment="bank", enabled=True)},
        probed={"bank": [result(True, number) for number in range(0, 70, 5)]},
    )

    assert found(snapshot) == ["No telemetry from bank"]


def test_a_run_that_takes_much_longer_than_its_earlier_ones_is_late():
    earlier = [pipeline_run(f"r{n}", began_min=1440 * n, took_min=10) for n in (1, 2, 3)]
    late = pipeline_run("r0", RunStatus.RUNNING, began_min=40)

    assert found(Snapshot(seen=Seen(pipeline_runs=(late, *earlier)))) == [
        "A pipeline run of e is late"
    ]
    assert found(Snapshot(seen=Seen(pipeline_runs=(late, *earlier[:2])))) == []


def test_a_pipeline_run_that_is_not_started_is_stuck():
    waiting = pipeline_run("r0", RunStatus.QUEUED, began_min=15)

    assert found(Snapshot(seen=Seen(pipeline_runs=(waiting,)))) == [
        "A pipeline run of e is not being started"
    ]


@pytest.mark.parametrize(
    ("firing", "title"),
    [
        ({"missed_count": 3, "run_id": "r", "late_min": 0}, "Schedule Nightly missed 3 times"),
        ({"run_id": None, "late_min": 0}, "Schedule Nightly submitted nothing"),
        ({"run_id": "r", "late_min": 30}, "Schedule Nightly fired late"),
        ({"run_id": "r", "late_min": 1}, None),
    ],
)
def test_a_schedule_that_missed_or_was_late_is_told_by_its_newest_firing(firing, title):
    due = NOW - minutes(100)
    late = firing.pop("late_min")
    newest = Firing(due_at=due, fired_at=due + minutes(late), **firing)
    snapshot = Snapshot(seen=Seen(schedules=(schedule(),)), firings={"s1": (newest,)})

    assert found(snapshot) == ([title] if title else [])


def test_an_active_schedule_of_a_disabled_pipeline_is_told():
    disabled = Snapshot(
        seen=Seen(schedules=(schedule(),)), pipelines=(pipeline(AssetStatus.DISABLED),)
    )
    asleep = replace(disabled, seen=Seen(schedules=(schedule(status=AssetStatus.DISABLED),)))

    assert found(disabled) == ["Pipeline Retraining is not Active"]
    assert found(asleep) == []


def test_a_disabled_pipeline_is_told_behind_its_endpoint_too():
    endpoint = PipelineEndpoint(
        id="e1", name="retrain", status=AssetStatus.ACTIVE, endpoint="/x", default_version="0",
        versions={"0": "p1"},
    )  # fmt: skip
    snapshot = Snapshot(
        seen=Seen(schedules=(schedule(endpoint="e1"),)),
        pipelines=(pipeline(AssetStatus.DISABLED),),
        endpoints=(endpoint,),
    )

    assert found(snapshot) == ["Pipeline Retraining is not Active"]
    closed = replace(snapshot, endpoints=(replace(endpoint, status=AssetStatus.DISABLED),))
    assert found(closed) == ["Endpoint retrain is not Active"]


BAND = Band(experiment="e", metric="AUC_weighted", fail_below=0.94, warn_below=0.945)


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (0.93, Verdict.FAIL),
        (0.94, Verdict.WARN),
        (0.945, Verdict.PASS),
        (None, Verdict.FAIL),
        (float("nan"), Verdict.FAIL),
    ],
)
def test_a_metric_is_held_against_its_band(value, verdict):
    assert bands.verdict(BAND, value) is verdict


def test_a_metric_out_of_its_band_is_told_once_for_the_run():
    metrics = {"AUC_weighted": 0.91, "accuracy": 0.5}
    expected = (BAND, Band(experiment="e", metric="accuracy", warn_above=0.4))
    snapshot = Snapshot(checks={"e": bands.checks("run1", metrics, expected, at=NOW)})

    (finding,) = checks.findings(snapshot, RULES, now=NOW)

    assert finding.entry.title == "e: AUC_weighted, accuracy out of band"
    assert "0.91" in finding.entry.detail
    assert finding.entry.address["run"] == "run1"
    assert finding.entry.severity is Severity.CRITICAL


def test_a_metric_that_only_warns_is_a_notice():
    snapshot = Snapshot(checks={"e": bands.checks("r", {"AUC_weighted": 0.942}, [BAND], at=NOW)})

    (finding,) = checks.findings(snapshot, RULES, now=NOW)

    assert finding.entry.severity is Severity.NOTICE


@pytest.mark.parametrize(
    "limits",
    [{}, {"fail_below": 0.9, "warn_below": 0.8}, {"fail_below": 0.9, "fail_above": 0.1}],
)
def test_a_band_nothing_can_be_in_is_refused(limits):
    with pytest.raises(InvalidRequestError, match="AUC"):
        check_band(Band(experiment="e", metric="AUC", **limits))


def test_a_rule_that_is_off_finds_nothing():
    off = AlertRule(key="p95", enabled=False, severity=Severity.WARNING, values={})

    assert found(served(p95_ms=9e9, p95_request_count=99), catalog.with_defaults([off])) == []


def test_a_rule_is_as_serious_as_it_was_made():
    loud = replace(RULES["p95"], severity=Severity.CRITICAL)
    snapshot = served(p95_ms=9e9, p95_request_count=99)

    (finding,) = checks.findings(snapshot, catalog.with_defaults([loud]), now=NOW)

    assert finding.entry.severity is Severity.CRITICAL


def test_a_threshold_out_of_reason_is_refused_with_its_bounds():
    wrong = replace(RULES["p95"], values={"p95_ms": -1})

    with pytest.raises(InvalidRequestError, match="p95 above.*0.1"):
        catalog.check(wrong)


def test_every_rule_knows_what_it_asks():
    for rule in catalog.CATALOG.values():
        assert rule.sources or rule.key == "cannot_look"
        catalog.check(rule.standard)


def test_a_pipeline_run_that_azure_lists_among_the_runs_is_told_once():
    failed = replace(pipeline_run("r1", RunStatus.FAILED, began_min=60, took_min=5), error="boom")
    among = Run(
        id="r1", number=1, experiment="e", kind=RunKind.PIPELINE, display_name="",
        status=RunStatus.FAILED,
        created_at=failed.created_at, started_at=failed.started_at, ended_at=failed.ended_at,
    )  # fmt: skip
    waiting = pipeline_run("r2", RunStatus.QUEUED, began_min=60)
    queued = replace(among, id="r2", number=2, experiment="f", status=RunStatus.QUEUED,
                     created_at=waiting.created_at, started_at=None, ended_at=None)  # fmt: skip
    seen = Seen(runs=(among, queued), pipeline_runs=(failed, waiting))

    assert sorted(found(Snapshot(seen=seen))) == [
        "Run 1 of e failed",
        "Run 2 of f is not being started",
    ]
