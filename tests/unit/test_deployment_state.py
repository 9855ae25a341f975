"""The state of a deployment: what follows from what was decided and what is seen."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from services.domain import DeploymentState
from services.local import deployment_state, processes
from services.local.process_table import Observation
from services.local.processes import ProcessRef

START = datetime(2024, 5, 1, 9, 0, tzinfo=UTC)
NOBODY = ProcessRef(pid=2**22 - 1, started_at=1.0)

ROW = {
    "incarnation": "x", "generation": 1, "updated_at": START.isoformat(), "port": 1,
    "served_generation": None, "served_at": None, "served_pid": None, "served_started_at": None,
    "failed_at": None, "error": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def alive() -> ProcessRef:
    found = processes.reference(os.getpid())
    assert found is not None
    return found


def seen(ref, **changes):
    facts = {
        "key": "deployment/bank", "generation": "x", "ref": ref, "spawned_at": START,
        "exited_at": None, "exit_code": None, "restart_count": 0, "restart_at": None,
        "answering": True, "answered": True, "answered_at": START,
    }  # fmt: skip
    return Observation(**{**facts, **changes})


def served(ref, **changes):
    by = {"served_pid": ref.pid, "served_started_at": ref.started_at}
    return {**ROW, "served_generation": 1, "served_at": START.isoformat(), **by, **changes}


def state(row, observation, *, later_s=5.0, supervised=True, answers=True):
    now = START + timedelta(seconds=later_s)
    return deployment_state.health(
        row, observation, supervised=supervised, now=now, answers=lambda port: answers
    )


def test_a_decision_nobody_acted_on_yet_is_in_transition():
    assert state(ROW, None).state is DeploymentState.TRANSITIONING


def test_a_start_that_was_interrupted_ends_as_failed():
    found = state(ROW, None, later_s=61)

    assert found.state is DeploymentState.FAILED
    assert "not started within 60 s" in found.error


def test_without_a_supervisor_it_waits_rather_than_fails():
    found = state(ROW, None, later_s=61, supervised=False)

    assert found.state is DeploymentState.UNHEALTHY
    assert "make run" in found.error


def test_a_process_of_an_earlier_deployment_of_that_name_does_not_count(alive):
    assert state(served(alive), seen(alive, generation="y")).state is DeploymentState.TRANSITIONING


def test_a_server_that_loads_its_model_is_in_transition(alive):
    assert state(ROW, seen(alive, answering=False)).state is DeploymentState.TRANSITIONING


def test_a_server_that_says_it_serves_is_healthy_before_the_first_probe(alive):
    assert state(served(alive), seen(alive, answering=None)).state is DeploymentState.HEALTHY


def test_what_another_process_said_is_not_believed(alive):
    row = served(ProcessRef(alive.pid, alive.started_at - 60))

    assert state(row, seen(alive)).state is DeploymentState.TRANSITIONING


def test_a_decision_it_has_not_taken_up_yet_is_a_transition(alive):
    assert state(served(alive, generation=2), seen(alive)).state is DeploymentState.TRANSITIONING


def test_one_missed_probe_is_checked_before_it_counts(alive):
    silent = seen(alive, answering=False)

    assert state(served(alive), silent, answers=True).state is DeploymentState.HEALTHY
    assert state(served(alive), silent, answers=False).state is DeploymentState.UNHEALTHY


def test_a_server_that_is_gone_is_unhealthy_with_the_reason():
    gone = seen(NOBODY, exited_at=START, exit_code=-9)
    found = state(served(NOBODY), gone)

    assert found.state is DeploymentState.UNHEALTHY
    assert "by signal 9" in found.error


def test_a_server_that_starts_again_is_unhealthy_until_it_serves(alive):
    assert state(served(NOBODY), seen(alive, restart_count=1)).state is DeploymentState.UNHEALTHY


def test_what_was_given_up_stays_failed_with_its_reason(alive):
    row = served(alive, failed_at=START.isoformat(), error="It broke.")

    found = state(row, seen(alive))

    assert (found.state, found.error, found.since) == (DeploymentState.FAILED, "It broke.", START)


def test_a_workspace_nobody_keeps_running_serves_nothing():
    found = state(served(NOBODY), seen(NOBODY, exited_at=START), supervised=False)

    assert found.state is DeploymentState.UNHEALTHY
    assert "supervisor" in found.error
