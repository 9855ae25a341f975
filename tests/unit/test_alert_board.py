"""The overview's list: what a look finds, and incidents a look cannot see, each cause once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.alerts import board
from services.alerts import rules as catalog
from services.alerts.records import Incident
from services.attention import Attention, Severity

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
RULES = catalog.with_defaults(())


def incident(rule, cause, title="noticed", **values):
    return Incident(
        id=f"inc-{cause}", rule=rule, cause=cause, severity=RULES[rule].severity, title=title,
        detail="It is so.", page="app_insights", opened_at=NOW,
        **{"address": {"deployment": "bank"}} | values,
    )  # fmt: skip


def seen(rule, cause, title="seen"):
    return Attention(
        severity=RULES[rule].severity, title=title, detail="", page="training_runs", rule=rule,
        cause=cause, address={"deployment": "bank"},
    )  # fmt: skip


def entries(live=(), incidents=(), *, rules=RULES, complete=True):
    return board.entries(live, incidents, rules, now=NOW, complete=complete)


def titles(*args, **options):
    return [each.title for each in entries(*args, **options)]


def test_a_cause_that_is_seen_and_noticed_is_one_entry():
    live = [seen("run_failed", "experiment/e")]

    assert titles(live, [incident("run_failed", "experiment/e")]) == ["seen"]


def test_what_a_look_cannot_see_comes_from_the_watcher():
    incidents = [incident("p95", "p95/bank", "slow"), incident("metric_band", "band/e", "band")]

    assert titles((), incidents) == ["band", "slow"]


def test_what_a_look_should_have_seen_and_has_not_is_over():
    failed = incident("run_failed", "experiment/e")

    assert titles((), [failed]) == []
    assert titles((), [failed], complete=False) == ["noticed"]


def test_a_pipeline_run_that_is_stuck_is_not_seen_by_a_look():
    assert titles((), [incident("run_stuck", "pipeline-run/r/stuck")]) == ["noticed"]
    assert titles((), [incident("run_stuck", "run/r")]) == []


def test_a_schedule_that_missed_stays_while_one_that_is_overdue_is_seen():
    assert titles((), [incident("schedule_missed", "schedule/s/firing")]) == ["noticed"]
    assert titles((), [incident("schedule_missed", "schedule/s")]) == []


def test_one_deployment_is_one_entry_whoever_noticed_what():
    live = [seen("deployment_unwell", "deployment/bank", "down")]
    noticed = [incident("probe_failed", "probe/bank"), incident("p95", "p95/bank")]

    assert titles(live, noticed) == ["down"]


def test_what_is_resolved_or_silenced_is_not_listed():
    slow = incident("p95", "p95/bank")
    over = replace(slow, resolved_at=NOW)
    silent = replace(slow, silenced_until=NOW + timedelta(minutes=1))

    assert titles((), [over]) == []
    assert titles((), [silent]) == []
    assert titles((), [replace(silent, silenced_until=NOW)]) == ["noticed"]


def test_silence_covers_what_is_seen_of_the_same_cause():
    silent = incident("run_failed", "experiment/e", silenced_until=NOW + timedelta(hours=1))

    assert titles([seen("run_failed", "experiment/e")], [silent]) == []


def test_who_is_at_it_is_said():
    slow = incident("p95", "p95/bank", acknowledged_at=NOW, acknowledged_by="kim", note="scaling")

    (entry,) = entries((), [slow])

    assert entry.detail == "It is so. Acknowledged by kim: scaling"


def test_a_rule_that_is_off_lists_nothing_and_one_that_was_raised_is_worse():
    live = [seen("run_failed", "experiment/e")]
    off = {**RULES, "run_failed": replace(RULES["run_failed"], enabled=False)}
    loud = {**RULES, "run_failed": replace(RULES["run_failed"], severity=Severity.CRITICAL)}

    assert titles(live, rules=off) == []
    assert entries(live, rules=loud)[0].severity is Severity.CRITICAL
