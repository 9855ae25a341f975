"""What every back end promises about deployments."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import requests

from services.domain import DeploymentState, KeyKind
from services.errors import ConflictError, InvalidRequestError, NotFoundError, UnavailableError
from tests import scoring_models

FIRST, SECOND = "contract-model:1", "contract-model:2"


@pytest.fixture(scope="module", autouse=True)
def models(engine) -> None:
    """Two versions of a model."""
    scoring_models.register(engine.home, engine.store, FIRST, "logistic")
    scoring_models.register(engine.home, engine.store, SECOND, "trees")


@pytest.fixture
def deployments(workspace):
    """The port under test. Whatever was there before the test is left alone."""
    port = workspace.deployments
    before = {each.name for each in port.list()}
    yield port
    for each in port.list():
        if each.name not in before:
            port.delete(each.name)


@pytest.fixture
def settled(deployments, until):
    """The deployment once it has settled."""

    def settled(name):
        until(lambda: deployments.get(name).state.settled)
        return deployments.get(name)

    return settled


@pytest.fixture(scope="module")
def standing(workspace):
    """One healthy deployment for the tests that only ask."""
    port, name = workspace.deployments, "contract-standing"
    port.begin_create(name, FIRST, description="for the tests that only ask")
    yield name
    port.delete(name)


@pytest.fixture
def healthy(standing, settled) -> str:
    assert settled(standing).state is DeploymentState.HEALTHY
    return standing


def score(deployment, key=None, body=None):
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    body = body or scoring_models.payload()
    return requests.post(deployment.scoring_uri, data=body, headers=headers, timeout=10)


def test_an_unknown_name_is_not_found(deployments, name):
    for ask in (deployments.get, deployments.keys, deployments.logs, deployments.swagger):
        with pytest.raises(NotFoundError, match=name):
            ask(name)
    with pytest.raises(NotFoundError, match=name):
        deployments.begin_update(name, telemetry=True)
    with pytest.raises(NotFoundError, match=name):
        deployments.begin_regenerate_key(name, KeyKind.PRIMARY)


@pytest.mark.parametrize(
    "wrong", ["ab", "Bank", "1bank", "bank-", "b" * 33, "ba nk", "<b>bank</b>"]
)
def test_a_name_azure_would_refuse_is_refused(deployments, wrong):
    with pytest.raises(InvalidRequestError, match="3 to 32 lowercase"):
        deployments.begin_create(wrong, FIRST)


def test_a_model_that_is_not_registered_is_not_found(deployments, name):
    with pytest.raises(NotFoundError, match="contract-model:99"):
        deployments.begin_create(name, "contract-model:99")

    assert name not in [each.name for each in deployments.list()]


def test_a_model_id_without_a_version_is_refused(deployments, name):
    with pytest.raises(InvalidRequestError, match="name:version"):
        deployments.begin_create(name, "contract-model")


def test_a_created_deployment_becomes_healthy_and_says_where_it_is(deployments, healthy):
    deployment = deployments.get(healthy)

    assert deployment.model_id == FIRST
    assert re.fullmatch(r"https?://[^/]+.*/score", deployment.scoring_uri)
    assert deployment.swagger_uri == deployment.scoring_uri.removesuffix("score") + "swagger.json"
    assert deployment.auth_enabled
    assert not deployment.telemetry_enabled
    assert deployment.description == "for the tests that only ask"
    assert timedelta(0) <= datetime.now(UTC) - deployment.created_at < timedelta(hours=1)
    assert not deployment.error


def test_a_taken_name_is_refused_even_before_it_is_healthy(deployments, name):
    created = deployments.begin_create(name, FIRST)

    assert created.state is DeploymentState.TRANSITIONING
    with pytest.raises(ConflictError, match=name):
        deployments.begin_create(name, FIRST)


def test_the_newest_deployment_is_listed_first(deployments, healthy, name):
    deployments.begin_create(name, FIRST)

    names = [each.name for each in deployments.list()]

    assert names.index(name) < names.index(healthy)


def test_deleting_twice_succeeds(deployments, name):
    deployments.begin_create(name, FIRST)

    deployments.delete(name)
    deployments.delete(name)

    assert name not in [each.name for each in deployments.list()]


def test_a_deleted_deployment_stops_answering(deployments, name, settled, until):
    deployments.begin_create(name, FIRST, auth=False)
    gone = settled(name)

    deployments.delete(name)

    def refused():
        try:
            return score(gone).status_code >= 500
        except requests.ConnectionError:
            return True

    until(refused)


def test_either_key_scores_and_no_other(deployments, healthy):
    deployment, keys = deployments.get(healthy), deployments.keys(healthy)

    assert keys.primary != keys.secondary
    assert [score(deployment, key).status_code for key in (keys.primary, keys.secondary)] == [
        200
    ] * 2
    assert score(deployment, "wrong").status_code == 401
    assert score(deployment).status_code == 401


def test_keys_do_not_appear_in_a_records_text(deployments, healthy):
    keys = deployments.keys(healthy)

    assert keys.primary not in repr(keys)
    assert keys.secondary not in repr(keys)


@pytest.mark.parametrize("kind", KeyKind)
def test_a_regenerated_key_replaces_the_old_one_and_leaves_the_other(
    deployments, healthy, until, kind
):
    before, since = deployments.keys(healthy), deployments.keys_replaced_at(healthy).get(kind)

    deployments.begin_regenerate_key(healthy, kind)
    until(lambda: deployments.keys(healthy) != before)

    after, deployment = deployments.keys(healthy), deployments.get(healthy)
    both = (before.primary, after.primary), (before.secondary, after.secondary)
    changed, kept = both if kind is KeyKind.PRIMARY else both[::-1]
    assert [score(deployment, key).status_code for key in changed] == [401, 200]
    assert kept[0] == kept[1]
    assert score(deployment, kept[0]).status_code == 200
    until(lambda: deployments.keys_replaced_at(healthy).get(kind) not in (None, since))


def test_a_deployment_for_anonymous_callers_has_no_keys(deployments, name, settled):
    deployments.begin_create(name, FIRST, auth=False)

    with pytest.raises(InvalidRequestError, match="no keys"):
        deployments.keys(name)
    with pytest.raises(InvalidRequestError, match="no keys"):
        deployments.begin_regenerate_key(name, KeyKind.PRIMARY)
    assert deployments.keys_replaced_at(name) == {}
    assert score(settled(name)).status_code == 200


def test_application_insights_is_turned_on_through_transitioning_and_reads_back(
    deployments, healthy, settled
):
    updating = deployments.begin_update(healthy, telemetry=True)

    assert updating.state is DeploymentState.TRANSITIONING
    after = settled(healthy)
    assert (after.state, after.telemetry_enabled) == (DeploymentState.HEALTHY, True)
    assert after.updated_at > after.created_at

    deployments.begin_update(healthy, telemetry=False)
    assert settled(healthy).telemetry_enabled is False


def test_another_model_version_takes_over(deployments, healthy, settled):
    deployments.begin_update(healthy, model_id=SECOND)

    after = settled(healthy)

    assert (after.state, after.model_id) == (DeploymentState.HEALTHY, SECOND)
    deployments.begin_update(healthy, model_id=FIRST)
    assert settled(healthy).model_id == FIRST


def test_an_update_that_changes_nothing_is_no_transition(deployments, healthy):
    before = deployments.transitions(healthy)

    same = deployments.begin_update(healthy, model_id=FIRST, telemetry=False)

    assert same.state is DeploymentState.HEALTHY
    assert deployments.transitions(healthy) == before


def test_an_update_waits_for_the_one_before(deployments, name):
    deployments.begin_create(name, FIRST)

    with pytest.raises(ConflictError, match="transition"):
        deployments.begin_update(name, telemetry=True)


def test_updating_to_a_model_that_is_not_registered_changes_nothing(deployments, healthy):
    with pytest.raises(NotFoundError, match="contract-model:99"):
        deployments.begin_update(healthy, model_id="contract-model:99")

    assert deployments.get(healthy).model_id == FIRST


def test_passages_through_transitioning_are_remembered(deployments, name, settled):
    deployments.begin_create(name, FIRST)
    settled(name)
    deployments.begin_update(name, telemetry=True)
    settled(name)

    update, create = deployments.transitions(name)

    assert (create.kind, update.kind) == ("create", "update telemetry")
    assert create.outcome is update.outcome is DeploymentState.HEALTHY
    assert create.started_at < create.ended_at <= update.started_at < update.ended_at
    assert {create, update} <= set(deployments.transitions())


def test_the_log_says_what_was_asked_and_how_much_of_it_is_shown(deployments, healthy, until):
    score(deployments.get(healthy), deployments.keys(healthy).primary)
    until(lambda: "POST /score 200" in deployments.logs(healthy).text)

    tail = deployments.logs(healthy, line_limit=2)

    assert tail.limit == 2
    assert tail.line_count == len(tail.text.splitlines()) == 2
    assert not tail.complete
    assert deployments.logs(healthy).complete


def test_no_key_is_in_the_log(deployments, healthy):
    keys = deployments.keys(healthy)
    score(deployments.get(healthy), keys.primary)

    text = deployments.logs(healthy).text

    assert keys.primary not in text
    assert keys.secondary not in text


def test_a_deployment_describes_itself(deployments, healthy):
    document = deployments.swagger(healthy)

    assert document["info"]["title"] == healthy
    assert {"/", "/score"} <= set(document["paths"])


def test_what_has_no_address_yet_cannot_be_asked_to_describe_itself(deployments, name):
    deployments.begin_create(name, FIRST)

    with pytest.raises(UnavailableError, match=name):
        deployments.swagger(name)
