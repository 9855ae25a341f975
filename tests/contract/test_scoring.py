"""What every workspace promises about asking a deployment for predictions."""

from __future__ import annotations

import json

import pytest

from services import data_contract, scoring_payload
from services.errors import NotFoundError
from services.local.workspace import LocalWorkspace
from services.ports import Scoring, Workspace
from tests.contract.served import healthy


@pytest.fixture(scope="module")
def deployment(workspace: Workspace, engine: LocalWorkspace) -> str:
    return healthy(workspace, engine)


@pytest.fixture
def scoring(workspace: Workspace) -> Scoring:
    return workspace.scoring


def test_a_typical_row_is_answered_with_one_result(scoring, deployment):
    payload = scoring_payload.typical(scoring.contract(deployment))

    answer = scoring.score(deployment, payload.text(indent=None))

    assert answer.ok, answer.error
    assert (answer.status, answer.attempts, len(answer.results)) == (200, 1, 1)
    assert answer.duration_ms > 0
    assert answer.sent_at.tzinfo is not None


def test_several_rows_are_answered_in_their_order(scoring, deployment):
    row = data_contract.example_row(scoring.contract(deployment))

    alone = scoring.score(deployment, json.dumps({"data": [row]}))
    together = scoring.score(deployment, json.dumps({"data": [row] * 5}))

    assert together.results == alone.results * 5


def test_probabilities_come_with_the_names_of_the_classes(scoring, deployment):
    contract = scoring.contract(deployment)
    if not contract.classes:
        pytest.skip("the deployed model is no classifier")
    labels = scoring_payload.typical(contract)

    asked = scoring.score(deployment, labels.asking_probabilities(True).text())

    assert asked.ok, asked.error
    (shares,) = asked.probabilities
    assert set(shares) == set(contract.classes)
    assert sum(shares.values()) == pytest.approx(1, abs=1e-6)
    assert asked.results == scoring.score(deployment, labels.text()).results


def test_a_row_no_model_can_read_is_refused_in_the_answer_not_raised(scoring, deployment):
    answer = scoring.score(deployment, json.dumps({"data": [{"no such column": "abc"}]}))

    assert not answer.ok
    assert answer.error
    assert answer.results == ()


def test_a_body_that_is_no_json_is_refused_in_the_answer(scoring, deployment):
    answer = scoring.score(deployment, "{")

    assert not answer.ok
    assert answer.status is not None and answer.status >= 400


def test_no_key_is_part_of_an_answer(workspace, scoring, deployment):
    keys = workspace.deployments.keys(deployment)
    payload = scoring_payload.typical(scoring.contract(deployment))

    answer = scoring.score(deployment, payload.text())

    assert keys.primary not in repr(answer)
    assert keys.secondary not in repr(answer)


def test_an_unknown_deployment_is_not_found(scoring, name):
    with pytest.raises(NotFoundError, match=name):
        scoring.score(name, "{}")
    with pytest.raises(NotFoundError, match=name):
        scoring.contract(name)
