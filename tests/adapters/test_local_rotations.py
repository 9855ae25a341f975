"""Guided key rotation against a real scoring server, with a caller who never stops."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import requests

from services.domain import KeyKind
from services.errors import ConflictError, NotFoundError
from services.local.deployments import LocalDeployments
from services.local.rotations import LocalRotations
from services.rotation import RotationStep
from tests import scoring_models
from tests.scoring_home import ScoringHome

LIMIT_S = 60.0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScoringHome]:
    home = ScoringHome(tmp_path_factory.mktemp("workspace"))
    scoring_models.register(home.path, home.workspace.store, "bank:1", "logistic")
    home.start()
    yield home
    while home.supervisors:
        home.end()


@pytest.fixture(scope="module")
def bank(home) -> str:
    return home.deploy("bank")


@pytest.fixture
def rotations(home, bank) -> Iterator[LocalRotations]:
    yield home.workspace.rotations
    home.workspace.rotations.give_up(bank)


class Caller:
    """Asks without a pause, with the key it was last given; remembers every status."""

    def __init__(self, uri: str, key: str) -> None:
        self.key, self.statuses = key, []
        self._uri, self._stopping = uri, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        with requests.Session() as session:
            while not self._stopping.is_set():
                answer = session.post(
                    self._uri,
                    data=scoring_models.payload(),
                    headers={
                        "Authorization": f"Bearer {self.key}",
                        "Content-Type": "application/json",
                    },
                    timeout=30,
                )
                self.statuses.append(answer.status_code)
                time.sleep(0.005)

    def __enter__(self) -> Caller:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(timeout=30)


class Silent:
    """Deployments that count, and do not carry out, wishes for a new key."""

    def __init__(self, deployments: LocalDeployments) -> None:
        self.keys, self.get, self.asked = deployments.keys, deployments.get, []

    def begin_regenerate_key(self, *wish: object) -> None:
        self.asked.append(wish)


def advanced(rotations, bank, step):
    """Advance until it has left `step`."""
    deadline = time.monotonic() + LIMIT_S
    while (found := rotations.advance(bank, step)).step is step:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def test_a_whole_rotation_refuses_nobody(home, bank, rotations):
    before = home.deployments.keys(bank)
    uri = home.deployments.get(bank).scoring_uri
    with Caller(uri, before.primary) as caller:
        rotations.begin(bank)
        caller.key = before.secondary
        for step in list(RotationStep)[:3]:
            assert advanced(rotations, bank, step).step is step.following
        caller.key = home.deployments.keys(bank).primary
        for step in list(RotationStep)[3:-1]:
            assert advanced(rotations, bank, step).step is step.following

    after = home.deployments.keys(bank)
    assert {before.primary, before.secondary}.isdisjoint({after.primary, after.secondary})
    assert set(caller.statuses) == {200}
    assert rotations.latest(bank).ended_at is not None


def test_one_killed_after_the_key_was_asked_for_does_not_ask_twice(home, bank, rotations):
    rotations.begin(bank)
    to_roll = rotations.advance(bank, RotationStep.TO_SECONDARY)
    assert to_roll.step is RotationStep.ROLL_PRIMARY
    rotations.advance(bank, RotationStep.ROLL_PRIMARY)  # asks, and is killed at once
    silent = Silent(home.deployments)
    another = LocalRotations(home.workspace.store, silent, home.workspace.scoring)

    found = advanced(another, bank, RotationStep.ROLL_PRIMARY)

    assert found.step is RotationStep.VERIFY_PRIMARY
    assert silent.asked == []


def test_a_key_replaced_behind_its_back_counts_as_replaced(home, bank, rotations):
    rotations.begin(bank)
    rotations.advance(bank, RotationStep.TO_SECONDARY)
    before = home.deployments.keys(bank).primary
    home.deployments.begin_regenerate_key(bank, KeyKind.PRIMARY)
    deadline = time.monotonic() + LIMIT_S
    while home.deployments.keys(bank).primary == before:
        assert time.monotonic() < deadline
        time.sleep(0.05)

    found = rotations.advance(bank, RotationStep.ROLL_PRIMARY)
    assert found.step is RotationStep.VERIFY_PRIMARY


def test_a_step_that_another_tab_has_done_is_not_followed_by_the_next(home, bank, rotations):
    rotations.begin(bank)
    rotations.advance(bank, RotationStep.TO_SECONDARY)
    silent = Silent(home.deployments)
    another = LocalRotations(home.workspace.store, silent, home.workspace.scoring)

    found = another.advance(bank, RotationStep.TO_SECONDARY)

    assert (found.step, found.asked_at) == (RotationStep.ROLL_PRIMARY, None)
    assert silent.asked == []


def test_two_at_once_are_refused_and_none_cannot_be_advanced(bank, rotations):
    rotations.begin(bank)
    with pytest.raises(ConflictError):
        rotations.begin(bank)
    rotations.give_up(bank)
    rotations.give_up(bank)
    with pytest.raises(NotFoundError):
        rotations.advance(bank, RotationStep.TO_SECONDARY)


def test_no_key_is_written_down(home, bank, rotations):
    keys = home.deployments.keys(bank)
    rotations.begin(bank)
    rotations.advance(bank, RotationStep.TO_SECONDARY)
    with home.workspace.store.reading() as db:
        rows = [tuple(row) for row in db.execute("SELECT * FROM rotations")]
    assert keys.primary not in str(rows)
    assert keys.secondary not in str(rows)
    assert keys.primary not in str(home.workspace.audit.list())
