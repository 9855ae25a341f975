"""Pinned baselines: at most one per experiment, kept for whoever opens the workspace."""

from __future__ import annotations


def pins(workspace):
    return {pin.experiment: pin.run_id for pin in workspace.baselines.list()}


def test_a_pin_is_kept_until_another_run_takes_its_place(workspace, name):
    workspace.baselines.pin(name, "one")
    workspace.baselines.pin(name, "two")

    assert pins(workspace)[name] == "two"


def test_experiments_have_a_pin_each(workspace, name):
    workspace.baselines.pin(f"{name}-a", "one")
    workspace.baselines.pin(f"{name}-b", "two")

    assert pins(workspace)[f"{name}-a"] == "one"
    assert pins(workspace)[f"{name}-b"] == "two"


def test_unpinning_twice_succeeds(workspace, name):
    workspace.baselines.pin(name, "one")

    workspace.baselines.unpin(name)
    workspace.baselines.unpin(name)

    assert name not in pins(workspace)


def test_every_change_is_in_the_audit_log(workspace, name):
    workspace.baselines.pin(name, "one")
    workspace.baselines.pin(name, "two")
    workspace.baselines.unpin(name)

    events = workspace.audit.list(subject=f"experiment/{name}")
    assert [(event.action, event.before, event.after) for event in events] == [
        ("baseline.unpin", {"run_id": "two"}, {}),
        ("baseline.pin", {"run_id": "one"}, {"run_id": "two"}),
        ("baseline.pin", {}, {"run_id": "one"}),
    ]
