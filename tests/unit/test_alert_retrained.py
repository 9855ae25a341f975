"""What is told about retrained models that wait, were rejected or could not be deployed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.alerts import checks
from services.alerts import rules as catalog
from services.alerts.incidents import Memory, decide
from services.alerts.records import Band, BandCheck, Source, Verdict
from services.alerts.snapshot import Snapshot
from services.attention import Seen, Severity
from services.domain import AssetStatus, PipelineRun, PublishedPipeline, RunStatus
from services.retraining_policy import Check, Decision, DecisionState, Mark, Policy

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
RULES = catalog.with_defaults(())
PASSED = (Check("Retrain", Mark.PASSED, "The run completed."),)
OUT_OF_RANGE = (*PASSED, Check("Metric range", Mark.FAILED, "Outside its band: AUC is 0.7."))
GOLDEN = (*PASSED, Check("Golden set", Mark.FAILED, "1 of 3 golden cases is wrong: Anna"))


def decision(state, *, run_id="r1", hours_ago=1.0, checked=PASSED, answered=False, error=""):
    at = NOW - timedelta(hours=hours_ago)
    return Decision(
        run_id=run_id, pipeline_id="p1", state=state, checks=checked, golden=None,
        policy=Policy(pipeline_id="p1", deployment="bank", model_name="bank"),
        model_id="bank:7", begun_at=at, decided_at=at, answered_at=at if answered else None,
        answered_by="", note="", ended_at=at, error=error,
    )  # fmt: skip


def snapshot(*decisions, **more):
    pipeline = PublishedPipeline(
        id="p1", name="Retraining", version="1", status=AssetStatus.ACTIVE, endpoint="/x",
        created_at=NOW,
    )  # fmt: skip
    return Snapshot(pipelines=(pipeline,), decisions={"p1": decisions}, **more)


def found(seen, rules=RULES):
    return [each.entry for each in checks.findings(seen, rules, now=NOW) if not each.explained_by]


def titles(seen):
    return [each.title for each in found(seen)]


def test_a_model_that_waits_for_long_is_told_and_a_short_wait_is_not():
    assert titles(snapshot(decision(DecisionState.WAITING, hours_ago=3.9))) == []
    (entry,) = found(snapshot(decision(DecisionState.WAITING, hours_ago=4.1)))

    assert entry.title == "bank:7 of Retraining waits for approval"
    assert entry.address == {"view": "Retraining", "retraining": "p1"}


def test_it_is_one_incident_until_somebody_answers():
    def look(memory, known, *decisions):
        return decide(
            checks.findings(snapshot(*decisions), RULES, now=NOW), RULES, known, memory,
            missing=frozenset(), now=NOW, new_id=lambda: "i1",
        )  # fmt: skip

    long = decision(DecisionState.WAITING, hours_ago=9)
    first = look(Memory(), ())
    second = look(first.memory, (), long)
    third = look(second.memory, second.opened, long)
    answered = look(third.memory, second.opened, replace(long, state=DecisionState.DECLINED))

    assert [each.rule for each in second.opened] == ["retrain_waiting"]
    assert third.opened == third.resolved == ()
    assert [each.id for each in answered.resolved] == ["i1"]


def test_while_decisions_do_not_answer_the_incident_stays():
    opened = decide(
        checks.findings(snapshot(decision(DecisionState.WAITING, hours_ago=9)), RULES, now=NOW),
        RULES, (), Memory(), missing=frozenset(), now=NOW, new_id=lambda: "i1",
    ).opened  # fmt: skip
    blind = decide(
        (), RULES, opened, Memory(), missing=frozenset({Source.DECISIONS}), now=NOW,
        new_id=lambda: "i2",
    )  # fmt: skip

    assert len(opened) == 1
    assert blind.resolved == ()


def test_a_rejection_says_why_and_the_next_accepted_model_answers_it():
    rejected = decision(DecisionState.REJECTED, checked=GOLDEN)
    (entry,) = found(snapshot(rejected))

    assert entry.title == "The last model of Retraining was rejected"
    assert "golden cases" in entry.detail
    later = decision(DecisionState.WAITING, run_id="r2", hours_ago=0.5)
    assert titles(snapshot(later, rejected)) == []


def test_the_one_being_judged_answers_nothing_yet():
    rejected = decision(DecisionState.REJECTED, checked=GOLDEN)
    judged = decision(DecisionState.DECIDING, run_id="r2", hours_ago=0.1)

    assert titles(snapshot(judged, rejected)) == ["The last model of Retraining was rejected"]


def test_a_failed_run_is_told_by_its_own_rule():
    failed = decision(
        DecisionState.REJECTED, checked=(Check("Retrain", Mark.FAILED, "The run is Failed."),)
    )

    assert titles(snapshot(failed)) == []


def test_a_rejection_by_range_follows_from_the_band_that_was_left():
    rejected = decision(DecisionState.REJECTED, checked=OUT_OF_RANGE)
    run = PipelineRun(
        id="r1", pipeline_id="p1", experiment="bank", status=RunStatus.COMPLETED, created_at=NOW,
        started_at=NOW, ended_at=NOW,
    )  # fmt: skip
    left = BandCheck(
        run_id="t1", band=Band(experiment="bank", metric="AUC", fail_below=0.9), value=0.7,
        verdict=Verdict.FAIL, at=NOW,
    )  # fmt: skip
    seen = Seen(pipeline_runs=(run,))

    assert titles(snapshot(rejected, seen=seen)) == ["The last model of Retraining was rejected"]
    assert titles(snapshot(rejected, seen=seen, checks={"bank": (left,)})) == [
        "bank: AUC out of band"
    ]


def test_a_deployment_that_went_wrong_is_critical():
    (entry,) = found(
        snapshot(decision(DecisionState.FAILED, answered=True, error="The server did not start."))
    )

    assert (entry.severity, entry.detail) == (Severity.CRITICAL, "The server did not start.")
    assert entry.title == "The last model of Retraining could not be deployed"
    deployed = decision(DecisionState.DEPLOYED, run_id="r2", hours_ago=0.1)
    assert titles(snapshot(deployed, decision(DecisionState.FAILED, answered=True))) == []
