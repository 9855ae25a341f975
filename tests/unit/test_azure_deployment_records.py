"""What Azure says of a web service, read without Azure."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.azure import deployment_records, service_description, swagger_contract
from services.domain import ColumnType, DeploymentState
from services.errors import InvalidRequestError, UnavailableError
from services.local.serving import swagger
from tests import scoring_models


def service(**changes):
    described = {
        "name": "bank",
        "state": "Healthy",
        "createdTime": "2024-05-01T09:00:00.1234567Z",
        "updatedTime": "2024-05-02T09:00:00.1234567+00:00",
        "computeType": "ACI",
        "scoringUri": "http://bank.westeurope.azurecontainer.io/score",
        "authEnabled": True,
        "appInsightsEnabled": False,
        "containerResourceRequirements": {"cpu": 0.5, "memoryInGB": 1.0},
        "description": None,
        "kvTags": None,
        "properties": {},
        "models": [{"id": "bank-model:3"}],
        "error": None,
    }
    return {**described, **changes}


def test_a_service_becomes_a_deployment():
    found = deployment_records.record(service())

    assert (found.name, found.model_id) == ("bank", "bank-model:3")
    assert found.state is DeploymentState.HEALTHY
    assert found.swagger_uri == "http://bank.westeurope.azurecontainer.io/swagger.json"
    assert (found.cpu_cores, found.memory_gb) == (0.5, 1.0)
    assert found.created_at == datetime(2024, 5, 1, 9, 0, 0, 123456, tzinfo=UTC)
    assert found.updated_at > found.created_at
    assert not found.error


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("Transitioning", DeploymentState.TRANSITIONING),
        ("Deleting", DeploymentState.TRANSITIONING),
        ("Healthy", DeploymentState.HEALTHY),
        ("Unhealthy", DeploymentState.UNHEALTHY),
        ("Unschedulable", DeploymentState.UNHEALTHY),
        ("Failed", DeploymentState.FAILED),
        ("Enchanted", DeploymentState.UNKNOWN),
    ],
)
def test_every_word_of_azure_has_a_state(word, state):
    assert deployment_records.record(service(state=word)).state is state


def test_a_word_that_is_not_ours_is_kept_and_explained():
    found = deployment_records.record(service(state="Unschedulable"))

    assert found.properties["azure_state"] == "Unschedulable"
    assert "no room" in found.error


def test_a_failure_is_told_in_one_line():
    error = {
        "code": "KubernetesDeploymentFailed",
        "message": "Kubernetes Deployment failed",
        "details": [{"code": "CrashLoopBackOff", "message": "Your container crashed.\nLook."}],
    }

    found = deployment_records.record(service(state="Failed", error=error))

    assert found.error == "Kubernetes Deployment failed: Your container crashed. Look."


@pytest.mark.parametrize("missing", ["state", "createdTime", "computeType"])
def test_a_service_without_a_needed_field_is_listed_as_unreadable(missing):
    damaged = {key: value for key, value in service().items() if key != missing}

    found = deployment_records.record(damaged)

    assert (found.name, found.state) == ("bank", DeploymentState.UNKNOWN)
    assert missing in found.error


@pytest.mark.parametrize("item", [None, "text", {}, {"name": 3}, service(createdTime="yesterday")])
def test_anything_else_is_unreadable_too(item):
    assert deployment_records.record(item).state is DeploymentState.UNKNOWN


def test_where_its_code_came_from_is_not_repeated():
    remote = {"azureml.git.repository_uri": "https://user:s3cret@host/r", "kept": "yes"}

    found = deployment_records.record(service(properties=remote))

    assert dict(found.properties) == {"kept": "yes"}


def test_a_service_that_wants_tokens_is_not_open_to_everybody():
    found = deployment_records.record(service(authEnabled=False, aadAuthEnabled=True))

    assert found.auth_enabled
    assert service_description.wants_token(found)


def test_a_log_is_whole_when_fewer_lines_came_than_were_asked_for():
    assert service_description.tail("one\ntwo\n", 2).complete
    cut = service_description.tail("one\ntwo\nthree\n", 2)
    assert (cut.text, cut.line_count, cut.complete) == ("two\nthree\n", 2, False)


@pytest.mark.parametrize("answer", [None, {}, {"primaryKey": "a"}, {"primaryKey": "a", "b": 1}])
def test_keys_that_are_not_there_are_missed_without_repeating_what_is(answer):
    with pytest.raises(UnavailableError, match="lacks") as caught:
        service_description.keys(answer, "bank")
    assert "“a”" not in str(caught.value)


def test_a_service_made_from_an_image_takes_no_other_model():
    with pytest.raises(InvalidRequestError, match="deployed from an image"):
        service_description.check_takes_models(service(imageId="bank:1"))


@pytest.mark.parametrize("version", ["2", "3"])
def test_an_api_description_names_the_columns_of_a_row(version):
    contract = scoring_models.contract()
    documents = swagger.documents("bank", contract, rows=[scoring_models.ROW], result=["no"])

    found = swagger_contract.read(documents[version])

    assert [each.name for each in found.columns] == [each.name for each in contract.columns]
    assert [each.type for each in found.columns] == [each.type for each in contract.columns]
    assert [each.example for each in found.columns] == list(scoring_models.ROW.values())


def test_the_second_scoring_scripts_nesting_is_seen_through():
    row = {"type": "object", "properties": {"when": {"type": "string", "format": "date-time"}}}
    document = {
        "definitions": {
            "ServiceInput": {
                "type": "object",
                "properties": {
                    "Inputs": {
                        "type": "object",
                        "properties": {"data": {"type": "array", "items": row}},
                    },
                    "GlobalParameters": {"type": "object"},
                },
                "example": {"Inputs": {"data": [{"when": "2000-01-01"}]}},
            }
        }
    }

    (column,) = swagger_contract.read(document).columns

    assert (column.name, column.type) == ("when", ColumnType.DATETIME)
    assert column.example == "2000-01-01"


@pytest.mark.parametrize("document", [{}, {"definitions": {"ServiceInput": {"type": "object"}}}])
def test_a_description_without_a_table_gives_no_contract(document):
    assert swagger_contract.read(document) is None
