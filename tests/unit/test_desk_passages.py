"""What is remembered of changes of deployments that live elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.domain import DeploymentState
from services.local.desk_passages import DeskPassages
from services.local.store import Store
from services.passages import Scope

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "workspace.db")


@pytest.fixture
def passages(store):
    return DeskPassages(store, "ws", clock=lambda: NOON)


def test_one_passage_at_a_time(passages):
    first = passages.begin("bank", "create", {"model": "m:1"})

    assert passages.begin("bank", "update model", {}) is None
    assert passages.begin("other", "create", {}) is not None
    passages.end(first, DeploymentState.HEALTHY)
    assert passages.begin("bank", "update model", {}) is not None


def test_a_key_may_be_replaced_meanwhile(passages):
    passages.begin("bank", "create", {})

    assert passages.begin("bank", "regenerate Primary key", {}, scope=Scope.KEYS) is not None
    assert [each.kind for each in passages.all("bank")] == ["create"]
    assert passages.latest(Scope.KEYS)["bank"].kind == "regenerate Primary key"


def test_another_workspaces_passages_are_not_seen(passages, store):
    passages.begin("bank", "create", {})

    assert DeskPassages(store, "elsewhere").latest() == {}
    assert DeskPassages(store, "elsewhere").all(None) == ()


def test_what_is_withdrawn_while_it_is_handed_over_is_to_be_undone(passages):
    passage = passages.begin("bank", "create", {})

    assert passages.withdraw("bank")

    assert passages.latest()["bank"].withdrawn
    assert not passages.accepted(passage, "operation")
    passages.end(passage, DeploymentState.UNKNOWN)
    assert passages.latest() == {}
    assert [each.outcome for each in passages.all("bank")] == [DeploymentState.UNKNOWN]


def test_a_deleted_deployment_leaves_its_history(passages):
    passage = passages.begin("bank", "create", {})
    passages.accepted(passage, None)
    passages.end(passage, DeploymentState.FAILED, error="no room")

    assert passages.withdraw("bank")
    assert not passages.withdraw("bank")

    assert passages.latest() == {}
    assert [each.error for each in passages.all(None)] == ["no room"]


def test_an_end_is_noted_once_and_never_before_the_beginning(passages):
    passage = passages.begin("bank", "create", {})

    passages.end(passage, DeploymentState.HEALTHY, at=NOON - timedelta(hours=1))
    passages.end(passage, DeploymentState.FAILED, error="late")

    (found,) = passages.all("bank")
    assert (found.outcome, found.error) == (DeploymentState.HEALTHY, "")
    assert found.ended_at == found.started_at == NOON


def test_what_others_began_is_accepted_already(passages):
    passages.begin("bank", "update", {}, since=NOON - timedelta(minutes=3))

    found = passages.latest()["bank"]

    assert found.started_at == found.accepted_at == NOON - timedelta(minutes=3)
