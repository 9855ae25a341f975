"""Web services of Azure ML: what they cost to look at, and what goes wrong with them."""

from __future__ import annotations

import re
import time

import pytest

from services.domain import DeploymentState, KeyKind
from services.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
)
from tests import scoring_models
from tests.azure_double.faults import Fault
from tests.azure_double.hand import double
from tests.azure_double.opened import open_azure

MODEL, OTHER, BROKEN = "bank-model:1", "bank-model:2", "broken-model:1"
NAME = "standing"
LIMIT_S = 120.0
ASKING = {
    "list": lambda port: port.list(),
    "get": lambda port: port.get(NAME),
    "keys": lambda port: port.keys(NAME),
    "logs": lambda port: port.logs(NAME),
    "swagger": lambda port: port.swagger(NAME),
    "transitions": lambda port: port.transitions(NAME),
    "update": lambda port: port.begin_update(NAME, telemetry=True),
    "regenerate": lambda port: port.begin_regenerate_key(NAME, KeyKind.PRIMARY),
    "create": lambda port: port.begin_create("in-trouble", MODEL),
}
WHOLE = re.compile(r"/subscriptions/.*/workspaces/[^/?]+")


@pytest.fixture(scope="module")
def azure(tmp_path_factory):
    """A workspace with one healthy deployment, made by somebody else."""
    with double(tmp_path_factory.mktemp("azure")) as azure, azure.surroundings():
        engine = azure.engine
        scoring_models.register(engine.home, engine.store, MODEL, "logistic")
        scoring_models.register(engine.home, engine.store, OTHER, "logistic")
        scoring_models.register(engine.home, engine.store, BROKEN, "logistic")
        (engine.home / "models/broken-model/1/model.pkl").write_bytes(b"no pickle")
        engine.deployments.begin_create(NAME, MODEL, description="for everybody")
        _wait(lambda: engine.deployments.get(NAME).state is DeploymentState.HEALTHY)
        yield azure


@pytest.fixture(autouse=True)
def _no_trouble(azure):
    azure.misbehave()
    azure.turn(dressed={})
    azure.asked()
    yield
    azure.misbehave()
    assert azure.unknown() == []


@pytest.fixture(scope="module")
def workspace(azure):
    return open_azure(azure)


@pytest.fixture(scope="module")
def impatient(azure):
    """The same workspace, with a deadline that a test can wait for."""
    workspace = open_azure(azure, limit_s=2.0)
    workspace.connection.call("workspace", lambda opened: opened.name, limit_s=60.0)
    return workspace.deployments


@pytest.fixture
def deployments(workspace, azure):
    port = workspace.deployments
    port.list()
    azure.asked()
    yield port
    azure.misbehave()
    azure.turn(dressed={})
    for each in port.list():
        if each.name != NAME:
            port.delete(each.name)


def _wait(condition):
    deadline = time.monotonic() + LIMIT_S
    while not (answer := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return answer


def asked(azure) -> list[str]:
    """What was asked, without the workspace's long name."""
    return [WHOLE.sub("", each) for each in azure.asked()]


# --- what looking costs -------------------------------------------------------------


def test_a_list_costs_one_request(deployments, azure):
    deployments.list()

    assert asked(azure) == [
        "GET westeurope.api.azureml.ms/modelmanagement/v1.0/services?expand=true -> 200"
    ]


def test_a_list_of_two_pages_costs_two(deployments, azure):
    azure.engine.deployments.begin_create("second", MODEL)
    azure.turn(page_size=1)
    try:
        names = [each.name for each in deployments.list()]
    finally:
        azure.turn(page_size=100)

    assert sorted(names) == ["second", NAME]
    assert len(asked(azure)) == 2


@pytest.mark.parametrize(
    ("asking", "cost"), [("get", 1), ("keys", 2), ("logs", 1), ("swagger", 2), ("transitions", 0)]
)
def test_looking_costs_little_and_changes_nothing(deployments, azure, asking, cost):
    ASKING[asking](deployments)

    requests = asked(azure)
    assert len(requests) == cost, requests
    assert all(each.startswith("GET ") or "listkeys" in each for each in requests)


def test_scoring_costs_a_look_the_keys_and_the_request(workspace, deployments, azure):
    answer = workspace.scoring.score(NAME, scoring_models.payload())

    assert answer.ok, answer.error
    assert [each.split(" ")[0] for each in asked(azure)] == ["GET", "POST", "POST"]


# --- what Azure says ----------------------------------------------------------------


def test_one_damaged_service_does_not_hide_the_others(deployments, azure):
    azure.engine.deployments.begin_create("damaged", MODEL)
    azure.turn(dressed={"damaged": {"lacks": ["createdTime"]}})

    found = {each.name: each for each in deployments.list()}

    assert found["damaged"].state is DeploymentState.UNKNOWN
    assert "createdTime" in found["damaged"].error
    assert found[NAME].state is DeploymentState.HEALTHY


def test_a_service_on_kubernetes_is_one_among_others(deployments, azure):
    azure.turn(dressed={NAME: {"aks": True}})

    (found,) = deployments.list()

    assert (found.compute_type, found.state) == ("AKS", DeploymentState.HEALTHY)
    assert deployments.keys(NAME).primary


def test_a_service_that_takes_tokens_has_no_keys_and_is_scored_with_one(
    workspace, deployments, azure
):
    azure.turn(dressed={NAME: {"aks": True, "authEnabled": False, "aadAuthEnabled": True}})

    with pytest.raises(InvalidRequestError, match="Entra tokens"):
        deployments.keys(NAME)
    assert workspace.scoring.score(NAME, scoring_models.payload()).ok
    assert any("/token" in each for each in asked(azure))


def test_what_somebody_else_changes_is_a_passage_too(deployments, azure):
    azure.turn(dressed={NAME: {"state": "Transitioning"}})
    assert deployments.get(NAME).state is DeploymentState.TRANSITIONING
    (begun, *_) = deployments.transitions(NAME)
    assert (begun.ended_at, begun.outcome) == (None, None)

    azure.turn(dressed={})
    deployments.get(NAME)

    (ended, *_) = deployments.transitions(NAME)
    assert ended.outcome is DeploymentState.HEALTHY
    assert ended.ended_at > ended.started_at == begun.started_at


# --- changing -----------------------------------------------------------------------


def test_switching_application_insights_names_that_setting_and_no_other(deployments, azure):
    before = deployments.get(NAME)
    azure.asked()

    deployments.begin_update(NAME, telemetry=True)
    changes = [each for each in asked(azure) if not each.startswith("GET ")]
    _wait(lambda: deployments.get(NAME).state.settled)

    after = deployments.get(NAME)
    assert len(changes) == 1 and changes[0].startswith("PATCH ")
    assert after.telemetry_enabled
    for kept in ("model_id", "auth_enabled", "description", "cpu_cores", "tags", "properties"):
        assert getattr(after, kept) == getattr(before, kept)
    deployments.begin_update(NAME, telemetry=False)
    _wait(lambda: deployments.get(NAME).state.settled)


def test_a_refused_update_is_told_at_once_and_leaves_no_passage_open(deployments, azure):
    azure.misbehave(Fault(pattern="PATCH .*/services/", status=403))

    with pytest.raises(AccessDeniedError, match="role"):
        deployments.begin_update(NAME, telemetry=True)

    azure.misbehave()
    found = deployments.get(NAME)
    assert (found.state, found.telemetry_enabled) == (DeploymentState.HEALTHY, False)
    assert "was not made" in found.error
    deployments.begin_update(NAME, telemetry=True)
    _wait(lambda: deployments.get(NAME).state.settled)
    assert not deployments.get(NAME).error
    deployments.begin_update(NAME, telemetry=False)
    _wait(lambda: deployments.get(NAME).state.settled)


def test_an_update_is_over_when_its_operation_is(deployments, azure):
    azure.misbehave(Fault(pattern="GET .*/operations/", body='{"state": "Running"}'))
    deployments.begin_update(NAME, telemetry=True)
    _wait(lambda: azure.engine.deployments.get(NAME).telemetry_enabled)

    assert deployments.get(NAME).state is DeploymentState.TRANSITIONING

    reason = '{"state": "Failed", "error": {"message": "No image could be built"}}'
    azure.misbehave(Fault(pattern="GET .*/operations/", body=reason))
    found = deployments.get(NAME)
    assert found.error == "The last update failed: No image could be built."
    assert deployments.transitions(NAME)[0].outcome is DeploymentState.FAILED
    azure.misbehave()
    deployments.begin_update(NAME, telemetry=False)
    _wait(lambda: deployments.get(NAME).state.settled)


def test_a_key_is_regenerated_in_the_background(deployments, azure):
    before = deployments.keys(NAME)
    azure.misbehave(Fault(pattern="GET .*/operations/", delay_s=3.0))

    deployments.begin_regenerate_key(NAME, KeyKind.SECONDARY)

    with pytest.raises(ConflictError, match="being regenerated"):
        deployments.begin_regenerate_key(NAME, KeyKind.PRIMARY)
    azure.misbehave()
    _wait(lambda: deployments.keys(NAME).secondary != before.secondary)
    _wait(lambda: deployments.keys(NAME).secondary_regenerated_at)
    after = deployments.keys(NAME)
    assert (after.primary, after.primary_regenerated_at) == (before.primary, None)


def test_a_key_that_was_not_regenerated_after_all_is_told_of(workspace, deployments, azure):
    reason = '{"state": "Failed", "error": {"message": "Key vault is locked"}}'
    azure.misbehave(Fault(pattern="GET .*/operations/", body=reason))

    deployments.begin_regenerate_key(NAME, KeyKind.PRIMARY)

    _wait(lambda: deployments.get(NAME).error)
    expected = "The primary key was not regenerated: Key vault is locked."
    assert deployments.get(NAME).error == expected
    event = workspace.audit.list(subject=f"deployment/{NAME}")[0]
    assert (event.action, event.after["reason"]) == ("deployment.regenerate key failed", expected)
    azure.misbehave()
    deployments.begin_regenerate_key(NAME, KeyKind.PRIMARY)
    _wait(lambda: not deployments.get(NAME).error)


def workspace_of(deployments):
    return deployments._passages


# --- deploying ----------------------------------------------------------------------


def test_a_deployment_is_handed_to_azure_with_the_models_own_script(deployments, azure):
    created = deployments.begin_create(
        "handed-over", MODEL, telemetry=True, cpu_cores=0.5, memory_gb=0.5, description="new"
    )

    assert created.state is DeploymentState.TRANSITIONING
    assert "handed-over" in [each.name for each in deployments.list()]
    _wait(lambda: deployments.get("handed-over").state.settled)
    found = deployments.get("handed-over")
    assert (found.state, found.telemetry_enabled) == (DeploymentState.HEALTHY, True)
    assert (found.cpu_cores, found.memory_gb, found.description) == (0.5, 0.5, "new")
    requests = asked(azure)
    assert any("contentinfo" in each and "scoring_file_v_1_0_0.py" in each for each in requests)
    assert not [each for each in requests if "POST" in each and "/experiments" in each]
    (passage,) = deployments.transitions("handed-over")
    assert (passage.kind, passage.outcome) == ("create", DeploymentState.HEALTHY)


def test_a_server_that_never_comes_up_ends_as_failed_with_its_reason(deployments):
    deployments.begin_create("never-up", BROKEN)

    _wait(lambda: deployments.get("never-up").state.settled)

    found = deployments.get("never-up")
    assert found.state is DeploymentState.FAILED
    assert "cannot be loaded" in found.error
    assert deployments.logs("never-up").text
    assert deployments.transitions("never-up")[0].outcome is DeploymentState.FAILED


@pytest.mark.parametrize(
    ("status", "sentence"),
    [(400, "Trouble on request"), (403, "role"), (409, "name is taken"), (500, "HTTP 500")],
)
def test_what_azure_refuses_in_the_background_is_seen_and_can_be_cleared_away(
    workspace, deployments, azure, status, sentence
):
    azure.misbehave(Fault(pattern=r"POST .*/services$", status=status))
    deployments.begin_create("refused", MODEL)

    _wait(lambda: deployments.get("refused").state.settled)

    found = deployments.get("refused")
    assert found.state is DeploymentState.FAILED
    assert found.error.startswith("The deployment was not accepted: ")
    assert sentence in found.error
    assert found.error in deployments.logs("refused").text
    assert "refused" in [each.name for each in deployments.list()]
    with pytest.raises(ConflictError, match="refused"):
        deployments.begin_create("refused", MODEL)
    with pytest.raises(InvalidRequestError, match="never reached Azure"):
        deployments.begin_update("refused", telemetry=True)
    event = workspace.audit.list(subject="deployment/refused")[0]
    assert event.action == "deployment.create failed"
    deployments.delete("refused")
    with pytest.raises(NotFoundError):
        deployments.get("refused")


def test_a_failed_deployment_is_tried_again_by_an_update_to_its_model(deployments, azure):
    deployments.begin_create("tried-again", BROKEN)
    _wait(lambda: deployments.get("tried-again").state is DeploymentState.FAILED)
    azure.asked()

    deployments.begin_update("tried-again", model_id=BROKEN)

    _wait(lambda: deployments.get("tried-again").state.settled)
    assert deployments.transitions("tried-again")[0].kind == "update model"
    assert [each for each in asked(azure) if each.startswith("PATCH ")]


def test_a_model_without_a_scoring_script_is_said_to_have_none(deployments, azure):
    (azure.engine.home / "models/bank-model/2/scoring_file_v_1_0_0.py").unlink(missing_ok=True)
    deployments.begin_create("scriptless", OTHER)

    _wait(lambda: deployments.get("scriptless").state.settled)

    assert "no scoring_file_v_1_0_0.py" in deployments.get("scriptless").error


def test_what_is_deleted_while_it_is_handed_over_does_not_come_alive(deployments, azure):
    azure.misbehave(Fault(pattern="GET .*contentinfo", delay_s=1.5))
    deployments.begin_create("withdrawn", MODEL)

    deployments.delete("withdrawn")

    assert "withdrawn" not in [each.name for each in deployments.list()]
    with pytest.raises(NotFoundError):
        deployments.get("withdrawn")
    _wait(lambda: "withdrawn" not in workspace_of(deployments).latest())
    assert "withdrawn" not in [each.name for each in azure.engine.deployments.list()]


# --- trouble ------------------------------------------------------------------------

SERVICES = r"(GET|POST) .*/modelmanagement/.*/services"
TROUBLE = {
    "401": (Fault(pattern=SERVICES, status=401), AccessDeniedError, "sign-in"),
    "403": (Fault(pattern=SERVICES, status=403), AccessDeniedError, "role"),
    "409": (Fault(pattern=SERVICES, status=409), ConflictError, "still working"),
    "429": (Fault(pattern=SERVICES, status=429), UnavailableError, "throttling"),
    "500": (Fault(pattern=SERVICES, status=500), UnavailableError, "HTTP 500"),
    "503": (Fault(pattern=SERVICES, status=503), UnavailableError, "HTTP 503"),
    "timeout": (Fault(pattern=SERVICES, delay_s=6.0), UnavailableError, "did not answer|reached"),
    "garbage": (Fault(pattern=SERVICES, body="<html>"), UnavailableError, "not be understood"),
    "dropped": (Fault(pattern=SERVICES, drop=True), UnavailableError, "could not be reached"),
}


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("asking", [each for each in ASKING if each != "transitions"])
def test_trouble_is_a_sentence(impatient, azure, asking, trouble):
    fault, error, sentence = TROUBLE[trouble]
    azure.misbehave(fault)

    with pytest.raises(error, match=sentence) as caught:
        ASKING[asking](impatient)

    text = str(caught.value)
    assert "Headers" not in text and "Bearer" not in text and "\n" not in text


@pytest.mark.parametrize(
    ("asking", "key"),
    [("list", "value"), ("keys", "primaryKey"), ("logs", "content")],
)
def test_an_answer_that_lacks_what_is_asked_for_is_not_understood(impatient, azure, asking, key):
    azure.misbehave(Fault(pattern=SERVICES, remove=key))

    with pytest.raises(UnavailableError, match="not be understood|lacks|no log"):
        ASKING[asking](impatient)


def test_a_service_that_is_gone_is_not_found(impatient, azure):
    azure.misbehave(Fault(pattern=SERVICES, status=404))

    with pytest.raises(NotFoundError, match=NAME):
        impatient.keys(NAME)


def test_reading_is_tried_again_and_changing_is_not(impatient, azure):
    azure.misbehave(Fault(pattern="GET .*/services", status=503, times=1))
    assert impatient.get(NAME).name == NAME
    azure.misbehave(Fault(pattern="PATCH .*/services", status=503, times=1))
    azure.asked()

    with pytest.raises(UnavailableError):
        impatient.begin_update(NAME, telemetry=True)

    assert len([each for each in asked(azure) if each.startswith("PATCH")]) == 1


# --- secrets ------------------------------------------------------------------------


def test_keys_reach_nothing_that_stays(workspace, deployments, azure, caplog):
    caplog.set_level("DEBUG")
    keys = deployments.keys(NAME)
    workspace.scoring.score(NAME, scoring_models.payload())
    deployments.begin_regenerate_key(NAME, KeyKind.PRIMARY)
    _wait(lambda: deployments.keys(NAME).primary != keys.primary)
    new = deployments.keys(NAME)

    seen = caplog.text + repr(workspace.audit.list()) + repr(workspace_of(deployments).all(None))
    for key in (keys.primary, keys.secondary, new.primary):
        assert key not in seen
