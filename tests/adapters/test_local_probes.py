"""Probes of deployments: what they post, what counts as well, and when they are due."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest

from services.alerts.records import (
    Probe,
)
from services.domain import DeploymentState
from services.errors import InvalidRequestError, NotFoundError
from services.local.prober import Prober
from tests import stub_deployment
from tests.recorded import alerts, overview

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def titles(workspace):
    return [each.title for each in workspace.alerts.incidents() if each.open]


# --- probes -----------------------------------------------------------------------


class Collected:
    """In the place of the telemetry sender."""

    def __init__(self) -> None:
        self.envelopes = []

    def track(self, envelope) -> None:
        self.envelopes.append(envelope)


def test_an_interval_nobody_should_probe_at_is_refused(workspace):
    overview.deployment(workspace.store, "bank", at=NOW)

    with pytest.raises(InvalidRequestError, match="seconds"):
        workspace.probes.save(Probe(deployment="bank", enabled=True, interval_s=1))
    with pytest.raises(NotFoundError):
        workspace.probes.save(Probe(deployment="none", enabled=True))


def test_uptime_reads_80_percent_after_two_failures_of_ten(workspace, now):
    from services.alerts.uptime import uptime

    overview.deployment(workspace.store, "bank", at=NOW)
    alerts.probed(workspace, "bank", "ooxoooxooo", now=now())

    found = uptime(workspace.probes.results("bank"))

    assert found.share == 0.8
    assert "refused" in found.last_failure.reason


def _probe_once(workspace, now):
    sender = Collected()
    prober = Prober(workspace, sender, clock=now)
    before = len(workspace.probes.results("bank"))
    prober.begin_due()
    deadline = time.monotonic() + 30
    while len(workspace.probes.results("bank")) == before or prober._under_way:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    prober.close()
    return sender.envelopes


def _served_by(workspace, port):
    stub_deployment.deploy(workspace.home, workspace.store, port)
    stub_deployment.report_healthy(workspace.store)
    workspace.probes.save(Probe(deployment="bank", enabled=True, interval_s=60))


def test_a_probe_posts_the_example_row_with_its_key_and_its_own_tag(workspace, now):
    with stub_deployment.serving() as stub:
        _served_by(workspace, stub.port)
        (envelope,) = _probe_once(workspace, now)

    (result,) = workspace.probes.results("bank")
    assert (result.ok, result.root_ok, result.reason) == (True, True, "")
    assert stub.requests[0]["authorization"] == f"Bearer {stub_deployment.PRIMARY}"
    assert stub.requests[0]["x-ms-client-request-id"] == result.request_id
    assert result.request_id.startswith("probe-")
    assert stub.bodies[0] == {
        "data": [{"age": 38, "job": "admin.", "pdays": 999, "euribor3m": 4.857}]
    }
    assert envelope["data"]["baseType"] == "AvailabilityData"
    assert envelope["data"]["baseData"]["success"] is True
    assert stub_deployment.PRIMARY not in json.dumps(envelope)


def test_a_root_that_answers_is_no_health_while_scoring_answers_errors(workspace, now):
    with stub_deployment.serving(answer=lambda *_: (200, stub_deployment.BAD)) as stub:
        _served_by(workspace, stub.port)
        (envelope,) = _probe_once(workspace, now)

    (result,) = workspace.probes.results("bank")
    assert (result.ok, result.root_ok) == (False, True)
    assert "the column age is missing" in result.reason
    assert envelope["data"]["baseData"]["success"] is False


def test_a_server_that_is_gone_fails_the_probe_and_two_in_a_row_are_told(workspace, watch, now):
    with stub_deployment.serving() as stub:
        _served_by(workspace, stub.port)
    for _ in range(2):
        now.pass_by(seconds=61)
        _probe_once(workspace, now)

    watch.evaluate(now=now())

    assert titles(workspace) == ["Probes of bank fail"]
    assert "refused" in workspace.alerts.incidents()[0].detail


def test_a_probe_waits_for_its_interval_also_after_a_restart(workspace, now):
    with stub_deployment.serving() as stub:
        _served_by(workspace, stub.port)
        _probe_once(workspace, now)
        now.pass_by(seconds=30)
        Prober(workspace, Collected(), clock=now).begin_due()
        time.sleep(0.2)
        assert len(stub.requests) == 1

        now.pass_by(seconds=31)
        _probe_once(workspace, now)
        assert len(stub.requests) == 2


def test_a_clock_that_was_set_back_does_not_stop_the_probes(workspace, now):
    with stub_deployment.serving() as stub:
        _served_by(workspace, stub.port)
        _probe_once(workspace, now)
        now.pass_by(hours=-5)
        _probe_once(workspace, now)

    assert len(workspace.probes.results("bank")) == 2


def test_a_deployment_on_its_way_up_is_not_counted_as_down(workspace, now):
    overview.deployment(workspace.store, "bank", state=DeploymentState.TRANSITIONING, at=NOW)
    workspace.probes.save(Probe(deployment="bank", enabled=True))
    prober = Prober(workspace, Collected(), clock=now)

    prober.begin_due()
    prober._pool.shutdown(wait=True)

    assert workspace.probes.results("bank") == ()
