"""Decisions about load tests: one set per deployment, kept for whoever opens the workspace."""

from __future__ import annotations

import pytest

from services.errors import InvalidRequestError
from services.load_test_rules import GuardRails, LoadTestRule, Thresholds


def test_nothing_decided_means_the_defaults(workspace, name):
    rule = workspace.load_test_rules.get(name)

    assert rule.thresholds == Thresholds()
    assert rule.baseline_id is None
    assert rule.guard_rails.stop_at_failure_pct == 20.0
    assert rule.guard_rails.request_budget > 0


def test_what_is_decided_is_kept_and_one_decision_leaves_the_others(workspace, name):
    rules = workspace.load_test_rules
    wanted = Thresholds(p95_ms=250.0, failure_pct=0.0, requests_per_s=40.0)
    rules.set_thresholds(name, wanted)
    rules.set_guard_rails(name, GuardRails(request_budget=500, stop_at_failure_pct=None))
    rules.pin(name, "one")
    kept = rules.pin(name, "two")

    assert kept == LoadTestRule(
        deployment=name,
        thresholds=wanted,
        guard_rails=GuardRails(request_budget=500, stop_at_failure_pct=None),
        baseline_id="two",
    )
    assert rules.get(name) == kept
    assert kept in rules.list()


def test_unpinning_twice_succeeds(workspace, name):
    workspace.load_test_rules.pin(name, "one")
    workspace.load_test_rules.unpin(name)

    assert workspace.load_test_rules.unpin(name).baseline_id is None


@pytest.mark.parametrize(
    "thresholds",
    [Thresholds(p95_ms=0), Thresholds(failure_pct=100), Thresholds(requests_per_s=-1)],
)
def test_limits_that_mean_nothing_are_refused(workspace, name, thresholds):
    with pytest.raises(InvalidRequestError):
        workspace.load_test_rules.set_thresholds(name, thresholds)


@pytest.mark.parametrize(
    "guard_rails",
    [GuardRails(request_budget=0), GuardRails(stop_at_failure_pct=0)],
)
def test_guard_rails_that_bound_nothing_are_refused(workspace, name, guard_rails):
    with pytest.raises(InvalidRequestError):
        workspace.load_test_rules.set_guard_rails(name, guard_rails)


def test_every_decision_is_in_the_audit_log(workspace, name):
    workspace.load_test_rules.pin(name, "one")
    workspace.load_test_rules.unpin(name)

    events = workspace.audit.list(subject=f"deployment/{name}")
    assert [(event.action, event.before, event.after) for event in events] == [
        ("load_test_rule.unpin", {"baseline_id": "one"}, {"baseline_id": None}),
        ("load_test_rule.pin", {}, {"baseline_id": "one"}),
    ]
