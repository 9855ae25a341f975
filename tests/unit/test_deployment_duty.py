"""What the supervisor is told about deployments, and what an exit of a server means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.domain import DeploymentState
from services.local import deployment_rows
from services.local.deployment_duty import CANNOT_SERVE, UNUSED_CORES_KEPT, DeploymentDuty
from services.local.deployments import LocalDeployments
from services.local.duty import Exit, ExitCause
from services.local.store import Store
from tests.recorded import deployments as recorded

NOW = datetime(2024, 5, 1, 9, 30, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "workspace.db")


@pytest.fixture
def duty(tmp_path, store) -> DeploymentDuty:
    return DeploymentDuty(tmp_path, store)


@pytest.fixture
def bank(tmp_path, store) -> str:
    return recorded.deployment(tmp_path, store, "bank")


def ended(**changes) -> Exit:
    facts = {
        "key": "deployment/bank", "generation": "of-bank", "cause": ExitCause.ITSELF, "code": 1,
        "answered": True, "recent_count": 1, "log_tail": "", "at": NOW,
    }  # fmt: skip
    return Exit(**{**facts, **changes})


def row(store):
    with store.reading() as db:
        return deployment_rows.read(db, "bank")


def test_a_server_is_wanted_for_every_deployment_that_was_not_given_up(tmp_path, store, duty, bank):
    recorded.deployment(tmp_path, store, "given-up", state=DeploymentState.FAILED)

    (program,) = duty.programs()

    assert program.key == "deployment/bank"
    assert program.args == (str(tmp_path), "bank")
    assert program.server
    assert program.health_url == f"http://127.0.0.1:{recorded.UNUSED_PORT}/"
    assert program.env["OMP_NUM_THREADS"] == "1"


def test_a_crash_is_no_failure_yet(store, duty, bank):
    duty.exited(ended())

    assert row(store)["failed_at"] is None


@pytest.mark.parametrize("cause", [ExitCause.SHUTDOWN, ExitCause.LOST, ExitCause.UNWANTED])
def test_an_end_that_was_not_its_own_is_no_failure(store, duty, bank, cause):
    duty.exited(ended(cause=cause, recent_count=9, code=CANNOT_SERVE))

    assert row(store)["failed_at"] is None


def test_crashing_again_and_again_is_a_failure_with_the_reason(store, duty, bank):
    duty.exited(ended(recent_count=4, code=-9))

    assert row(store)["failed_at"] is not None
    assert "4 times within a minute, last by signal 9" in row(store)["error"]
    assert duty.programs() == []


def test_a_server_that_says_it_cannot_serve_is_not_tried_again(store, duty, bank):
    duty.exited(ended(code=CANNOT_SERVE))

    assert row(store)["failed_at"] is not None


def test_the_servers_own_sentence_stays(store, duty, bank):
    with store.transaction() as db:
        deployment_rows.give_up(db, "bank", "of-bank", "The model is gone.", NOW)

    duty.exited(ended(code=CANNOT_SERVE))

    assert row(store)["error"] == "The model is gone."


def test_an_exit_of_an_earlier_deployment_of_that_name_means_nothing(store, duty, bank):
    duty.exited(ended(generation="of-another", code=CANNOT_SERVE))

    assert row(store)["failed_at"] is None


def test_a_server_that_is_never_ready_is_given_up(tmp_path, store, duty):
    recorded.deployment(tmp_path, store, "bank", state=DeploymentState.TRANSITIONING, at=NOW)

    duty.tick(NOW + timedelta(minutes=4))
    assert row(store)["failed_at"] is None
    for seconds in (40, 80, 120):
        duty.tick(NOW + timedelta(minutes=4, seconds=seconds))

    assert "not ready within 5 minutes" in row(store)["error"]


def test_what_a_deleted_deployment_left_is_removed(tmp_path, store, duty, bank):
    folder = deployment_rows.folder(tmp_path, "bank")
    LocalDeployments(tmp_path, store).delete("bank")
    with store.transaction() as db:
        db.execute("UPDATE processes SET exited_at = ?", (NOW.isoformat(),))

    duty.tick(NOW)

    assert not folder.exists()


def test_cores_in_use_stay_and_of_the_others_only_the_latest(tmp_path, store, duty, bank):
    used = deployment_rows.core_folder(tmp_path, recorded.MODEL)
    others = [deployment_rows.core_folder(tmp_path, f"old:{n}") for n in range(9)]
    for core in (used, *others):
        core.mkdir(parents=True)

    duty.tick(NOW)

    assert used.exists()
    assert sum(core.exists() for core in others) == UNUSED_CORES_KEPT
