"""The golden set as a gate: no model serves that answers one of its cases wrongly."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.access import Actor, GuardedWorkspace, Role
from services.domain import DeploymentState
from services.errors import AccessDeniedError, InvalidRequestError, NotFoundError
from services.scored.gate import Asker
from tests import scoring_models
from tests.scoring_home import ScoringHome

FIRST, SECOND = "bank:1", "bank:2"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScoringHome]:
    home = ScoringHome(tmp_path_factory.mktemp("workspace"))
    scoring_models.register(home.path, home.workspace.store, FIRST, "logistic")
    scoring_models.register(home.path, home.workspace.store, SECOND, "trees")
    home.start()
    yield home
    home.end()


@pytest.fixture
def case(home, request) -> Iterator[tuple[str, str, str]]:
    """A deployment that serves FIRST, its one golden case, and what that answers."""
    name = home.deploy(f"bank-{abs(hash(request.node.name)) % 10**6}")
    payload = scoring_models.payload()
    answer = home.workspace.scoring.score(name, payload)
    kept = home.workspace.scored.remember(name, FIRST, payload, answer)
    home.workspace.scored.name(kept.id, "The administrator")
    home.workspace.scored.expect(kept.id, answer.results)
    yield name, kept.id, answer.results[0]
    home.workspace.deployments.delete(name)


def updated(home: ScoringHome, name: str, model_id: str):
    home.deployments.begin_update(name, model_id=model_id)
    home.settle(name)
    return home.deployments.get(name)


def test_a_flipped_label_turns_the_gate_red_and_it_names_the_case(home, case):
    name, request_id, answer = case
    home.workspace.scored.expect(request_id, ["neither"])

    found = updated(home, name, SECOND)

    assert (found.state, found.model_id) == (DeploymentState.HEALTHY, FIRST)
    assert "The administrator" in found.error and "instead of “neither”" in found.error
    assert home.workspace.scoring.score(name, scoring_models.payload()).results == (answer,)
    verdict = home.workspace.golden.verdicts(name)[0]
    assert (verdict.model_id, verdict.asked_by, verdict.count) == (SECOND, Asker.GATE, 1)
    assert verdict.wrong[0].startswith("The administrator: ")
    assert home.deployments.transitions(name)[0].outcome is DeploymentState.FAILED


def test_a_model_that_answers_every_case_is_served(home, case):
    name, request_id, _ = case
    wrong = updated(home, name, SECOND)  # whatever it answers is made the right answer
    if wrong.model_id != SECOND:
        home.workspace.golden.overrule(name, SECOND, reason="to hear its answer")
        home.settle(name)
    answer = home.workspace.scoring.score(name, scoring_models.payload()).results
    home.workspace.scored.expect(request_id, None)
    updated(home, name, FIRST)
    home.workspace.scored.expect(request_id, answer)

    found = updated(home, name, SECOND)

    assert (found.model_id, found.error) == (SECOND, "")
    assert home.workspace.golden.verdicts(name)[0].passed


def test_an_admin_overrules_it_once_with_a_reason(home, case):
    name, request_id, _ = case
    home.workspace.scored.expect(request_id, ["neither"])
    operator = GuardedWorkspace(home.workspace, Actor("op@example.org", Role.OPERATOR))
    with pytest.raises(AccessDeniedError):
        operator.golden.overrule(name, SECOND, reason="it is urgent")
    with pytest.raises(InvalidRequestError):
        home.workspace.golden.overrule(name, SECOND, reason=" ")

    home.workspace.golden.overrule(name, SECOND, reason="the label is wrong")
    home.settle(name)

    assert home.deployments.get(name).model_id == SECOND
    noted = [each for each in home.workspace.audit.list() if "overrule" in each.action]
    assert noted[0].after == {"model": SECOND, "reason": "the label is wrong"}
    assert updated(home, name, FIRST).model_id == SECOND  # the next one is asked again


def test_a_new_deployment_of_a_name_with_kept_cases_is_asked_too(home, case):
    name, request_id, _ = case
    home.workspace.scored.expect(request_id, ["neither"])
    home.deployments.delete(name)

    home.deployments.begin_create(name, FIRST)
    home.settle(name)

    found = home.deployments.get(name)
    assert found.state is DeploymentState.FAILED
    assert "The administrator" in found.error


def test_a_server_that_comes_back_is_no_deploy(home, case):
    name, request_id, _ = case
    home.workspace.scored.expect(request_id, ["neither"])

    home.server(name).kill()
    home.until(lambda: home.state(name) is not DeploymentState.HEALTHY)
    home.until(lambda: home.state(name) is DeploymentState.HEALTHY, name)

    assert home.deployments.get(name).error == ""
    assert home.workspace.golden.verdicts(name) == ()


def test_what_is_not_deployed_cannot_be_overruled(home):
    with pytest.raises(NotFoundError):
        home.workspace.golden.overrule("nobody", FIRST, reason="because")
