"""The contract of alerts, metric bands and probes, which are kept beside the workspace."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time

import pytest

from services.alerts.records import Band, Channel, ChannelKind, Probe, ProbeResult, QuietHours
from services.alerts.rules import CATALOG
from services.attention import Severity
from services.domain import Capability
from services.errors import InvalidRequestError, NotFoundError


def test_every_back_end_is_watched(workspace):
    assert workspace.can(Capability.ALERTS)


def test_somebody_looks_at_the_local_workspace_or_nobody_says_so(workspace, engine, until):
    """The watcher of an Azure workspace belongs to the dashboard, and none runs here."""
    until(lambda: engine.alerts.evaluated_at() is not None)

    assert (workspace.alerts.evaluated_at() is None) is (workspace is not engine)


def test_rules_come_with_good_defaults_and_are_changed(workspace):
    rules = {each.key: each for each in workspace.alerts.rules()}
    assert list(rules) == list(CATALOG)
    changed = replace(rules["p95"], severity=Severity.CRITICAL, enabled=False)

    workspace.alerts.set_rule(changed)

    assert next(each for each in workspace.alerts.rules() if each.key == "p95") == changed
    workspace.alerts.set_rule(rules["p95"])
    with pytest.raises(InvalidRequestError):
        workspace.alerts.set_rule(replace(changed, values={"p95_ms": -1.0}))


def test_what_is_changed_is_noted(workspace):
    workspace.alerts.set_rule(
        next(each for each in workspace.alerts.rules() if each.key == "run_late")
    )

    newest = workspace.audit.list()[0]
    assert (newest.action, newest.subject) == ("alert.rule", "rule/run_late")


def test_quiet_hours_are_kept(workspace):
    quiet = QuietHours(enabled=True, start=clock_time(21, 30), time_zone="Europe/Zurich")

    workspace.alerts.set_quiet_hours(quiet)

    assert workspace.alerts.quiet_hours() == quiet
    workspace.alerts.set_quiet_hours(QuietHours())


def test_a_channel_is_kept_without_its_secret(workspace):
    made = workspace.alerts.save_channel(
        Channel(id="", name="Team", kind=ChannelKind.WEBHOOK),
        secret="http://127.0.0.1:9/hook/a-secret-path",
    )

    assert made in workspace.alerts.channels()
    assert "a-secret-path" not in repr(made)
    workspace.alerts.delete_channel(made.id)
    workspace.alerts.delete_channel(made.id)
    assert made not in workspace.alerts.channels()
    with pytest.raises(NotFoundError):
        workspace.alerts.begin_test(made.id)


def test_what_is_not_there_is_not_found(workspace):
    with pytest.raises(NotFoundError):
        workspace.alerts.acknowledge("inc-none")
    with pytest.raises(NotFoundError):
        workspace.alerts.silence("inc-none", datetime.now(UTC) + timedelta(hours=1))


def test_bands_are_set_and_dropped(workspace, name):
    band = Band(experiment=name, metric="AUC_weighted", fail_below=0.9, warn_below=0.92)

    workspace.bands.save(band)
    workspace.bands.save(replace(band, metric="accuracy"))

    assert [each.metric for each in workspace.bands.list(name)] == ["AUC_weighted", "accuracy"]
    assert band in workspace.bands.list()
    assert workspace.bands.checks(name) == ()
    for metric in ("AUC_weighted", "accuracy", "accuracy"):
        workspace.bands.delete(name, metric)
    assert workspace.bands.list(name) == ()
    with pytest.raises(InvalidRequestError):
        workspace.bands.save(Band(experiment=name, metric="m", fail_below=2, fail_above=1))


def test_only_what_is_deployed_is_probed(workspace, name):
    with pytest.raises(NotFoundError):
        workspace.probes.save(Probe(deployment=name, enabled=True))
    assert name not in [each.deployment for each in workspace.probes.list()]


def test_what_probes_found_is_kept_newest_first(workspace, name):
    now = datetime.now(UTC)
    found = [
        ProbeResult(
            deployment=name, at=now - timedelta(minutes=number), ok=number != 1,
            duration_ms=4.5, reason="" if number != 1 else "It answered 502.",
            request_id=f"probe-{number}", root_ok=True,
        )
        for number in range(3)
    ]  # fmt: skip
    for each in reversed(found):
        workspace.probes.record(each)

    assert list(workspace.probes.results(name)) == found
    assert list(workspace.probes.results(name, limit=1)) == found[:1]
