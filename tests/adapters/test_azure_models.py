"""What is particular to models of an Azure ML workspace: requests, oddities, trouble, contracts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from services.azure.workspace import AzureWorkspace
from services.domain import (
    ColumnContract,
    ColumnType,
    DataContract,
    DataSource,
    Model,
    Run,
    SourceKind,
)
from services.errors import (
    AccessDeniedError,
    ConflictError,
    NotFoundError,
    ServiceError,
    UnavailableError,
)
from services.local.score_script import write_scoring_files
from tests.azure_double.faults import Fault
from tests.azure_double.hand import Double, double
from tests.azure_double.opened import open_azure
from tests.recorded import runs

ROWS = b"age,job,y\n37,admin.,no\n41,retired,yes\n22,student,yes\n"


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    with double(tmp_path_factory.mktemp("azure")) as azure, azure.surroundings():
        yield azure


@pytest.fixture(scope="module")
def workspace(azure: Double) -> AzureWorkspace:
    """Opened once; signing in and finding the services is not counted."""
    workspace = open_azure(azure)
    workspace.models.list()
    return workspace


@pytest.fixture(scope="module")
def parent(azure: Double) -> Run:
    """A search on a dataset that is there."""
    engine = azure.engine
    upload = DataSource(kind=SourceKind.UPLOAD, location="people.csv", content=ROWS)
    dataset = engine.datasets.register("people", upload)
    run_id = runs.automl(engine.home, engine.store, dataset_id=dataset.id)
    return engine.runs.get(run_id)


@pytest.fixture(scope="module")
def model(azure: Double, parent: Run) -> Model:
    """Registered by somebody else: Azure keeps no algorithm, dataset or score of it."""
    return azure.engine.models.register(parent.id, "seeded")


@pytest.fixture(autouse=True)
def _as_usual(azure: Double) -> Iterator[None]:
    """A test leaves no trouble behind, and asked for nothing that nobody foresaw."""
    azure.asked()
    yield
    azure.misbehave()
    azure.turn(page_size=100, **{"more models": []})
    assert azure.unknown() == []


def entry(name: str, **changes: Any) -> dict[str, Any]:
    known = {
        "id": f"{name}:1",
        "name": name,
        "version": 1,
        "createdTime": "2024-01-01T00:00:00.1234567+00:00",
        "url": "aml://asset/1",
    }
    return known | changes


def test_a_list_costs_one_request_and_asks_for_no_run_or_experiment(azure, workspace, model):
    listed = workspace.models.list()

    (asked,) = azure.asked()
    assert "/models?count=255" in asked
    assert model.id in [each.id for each in listed]


def test_looking_writes_nothing(azure, workspace, model):
    workspace.models.list()
    workspace.models.get(model.id)
    workspace.models.contract(model.id)
    with pytest.raises(NotFoundError):
        workspace.models.contract("nobody:1")

    assert {each.split(" ")[0] for each in azure.asked()} == {"GET"}


def test_every_page_of_a_list_is_read(azure, workspace, model):
    more = [entry(f"many-{number}") for number in range(5)]
    azure.turn(**{"more models": more, "page_size": 2})

    listed = {each.name for each in workspace.models.list()}

    assert {f"many-{number}" for number in range(5)} | {model.name} <= listed
    assert len(azure.asked()) > 2


@pytest.mark.parametrize(
    "odd",
    [
        entry("odd", createdTime="yesterday"),
        entry("odd", createdTime=None),
        entry("odd", version=None),
        {"name": "odd"},
    ],
)
def test_an_entry_that_is_not_understood_is_shown_as_such_among_the_others(
    azure, workspace, model, odd
):
    azure.turn(**{"more models": [odd]})

    listed = {each.name: each for each in workspace.models.list()}

    assert "could not be understood" in listed["odd"].description
    assert listed[model.name].version == model.version


def test_what_the_service_leaves_out_is_unknown(azure, workspace):
    azure.turn(**{"more models": [entry("bare", kvTags=None, properties={"dataset_id": "a-guid"})]})

    bare = workspace.models.get("bare:1")

    assert (bare.run_id, bare.experiment, bare.dataset_id) == (None, None, None)
    assert (bare.algorithm, bare.framework, bare.description) == ("", "", "")
    assert (dict(bare.tags), bare.size_bytes) == ({}, None)
    with pytest.raises(NotFoundError, match="data contract"):
        workspace.models.contract("bare:1")


def test_a_framework_is_named_with_its_version(azure, workspace):
    known = entry("known", framework="ScikitLearn", frameworkVersion="1.0.2")
    azure.turn(**{"more models": [known, entry("own", framework="Custom")]})

    listed = {each.name: each.framework for each in workspace.models.list()}

    assert (listed["known"], listed["own"]) == ("ScikitLearn 1.0.2", "")


def test_a_registration_points_at_the_runs_file_and_notes_its_descent(azure, workspace, parent):
    registered = workspace.models.register(parent.id, "described", tags={"team": "risk"})

    asked = azure.asked()
    assert not any("blob.core" in each for each in asked)  # nothing is downloaded
    assert not any(each.startswith("POST") and "/history/" in each for each in asked)
    assert len(asked) <= 7
    assert registered.dataset_id == "people:1"
    assert registered.properties["label"] == "y"
    assert registered.properties["primary_metric"] == parent.primary_metric
    assert float(registered.properties["score"]) == pytest.approx(parent.score)
    event = workspace.audit.list()[0]
    assert (event.action, event.subject) == ("model.register", f"model/{registered.id}")


def test_a_description_and_tags_can_be_emptied(azure, workspace, parent):
    made = workspace.models.register(parent.id, "emptied", description="old", tags={"a": "b"})

    changed = workspace.models.update(made.id, description="", tags={})

    assert (changed.description, dict(changed.tags)) == ("", {})
    event = workspace.audit.list()[0]
    assert event.action == "model.update"
    assert event.before == {"description": "old", "tags": {"a": "b"}}


def test_a_change_of_nothing_writes_nothing(azure, workspace, model):
    workspace.models.update(model.id, description=model.description)

    assert {each.split(" ")[0] for each in azure.asked()} == {"GET"}


def outputs(azure: Double, model: Model) -> Path:
    return azure.engine.home / "runs" / str(model.run_id) / "outputs"


@pytest.fixture
def without_contract(azure: Double, workspace: AzureWorkspace, parent: Run) -> Iterator[Model]:
    """As AutoML in Azure leaves it: our contract is not among the run's files."""
    registered = workspace.models.register(parent.id, "foreign")
    file = outputs(azure, registered) / "contract.json"
    kept = file.read_bytes()
    file.unlink()
    yield registered
    file.write_bytes(kept)


def test_without_a_contract_the_rows_it_was_trained_on_tell(workspace, without_contract):
    contract = workspace.models.contract(without_contract.id)

    assert [column.name for column in contract.columns] == ["age", "job"]
    assert (contract.label, contract.classes) == ("y", ("no", "yes"))
    assert contract.columns[1].categories == ("admin.", "retired", "student")


def test_without_rows_the_scoring_script_tells(azure, workspace, without_contract):
    columns = (
        ColumnContract(name="age", type=ColumnType.INTEGER, nullable=False, example=37),
        ColumnContract(name="job", type=ColumnType.STRING, nullable=False, example="admin."),
    )
    folder = outputs(azure, without_contract)
    write_scoring_files(folder, DataContract(columns=columns, label="y"))
    azure.misbehave(Fault(pattern="/dataset/v1.0", status=403))

    contract = workspace.models.contract(without_contract.id)

    assert [(column.name, column.type, column.example) for column in contract.columns] == [
        ("age", ColumnType.INTEGER, 37),
        ("job", ColumnType.STRING, "admin."),
    ]


def test_rows_that_cannot_be_reached_are_no_missing_contract(azure, workspace, without_contract):
    script = outputs(azure, without_contract) / "scoring_file_v_1_0_0.py"
    script.unlink(missing_ok=True)
    azure.misbehave(Fault(pattern="/dataset/v1.0", status=503))

    with pytest.raises(UnavailableError):
        workspace.models.contract(without_contract.id)

    azure.misbehave(Fault(pattern="/dataset/v1.0", status=404))
    with pytest.raises(NotFoundError, match="data contract for model"):
        workspace.models.contract(without_contract.id)


TROUBLE: list[tuple[dict[str, Any], type[ServiceError]]] = [
    ({"status": 401}, AccessDeniedError),
    ({"status": 403}, AccessDeniedError),
    ({"status": 409}, ConflictError),
    ({"status": 429}, UnavailableError),
    ({"status": 500}, UnavailableError),
    ({"status": 503}, UnavailableError),
    ({"drop": True}, UnavailableError),
    ({"body": "<html>not json"}, UnavailableError),
    ({"body": "[1, 2]"}, UnavailableError),
    ({"remove": "name"}, UnavailableError),
]


@pytest.mark.parametrize(("trouble", "expected"), TROUBLE, ids=str)
def test_trouble_with_the_service_is_told_in_a_sentence(azure, workspace, model, trouble, expected):
    azure.misbehave(Fault(pattern="/modelmanagement/", **trouble))

    with pytest.raises(expected):
        workspace.models.get(model.id)
    if "remove" not in trouble:
        with pytest.raises(expected):
            workspace.models.list()


def test_a_service_that_never_answers_ends_at_the_deadline(azure, model, parent):
    impatient = open_azure(azure, limit_s=2.0)
    impatient.models.list()
    azure.misbehave(Fault(pattern="/modelmanagement/", delay_s=20.0))

    questions: list[Callable[[], object]] = [
        impatient.models.list,
        lambda: impatient.models.get(model.id),
        lambda: impatient.models.register(parent.id, "late"),
    ]
    for ask in questions:
        with pytest.raises(UnavailableError, match="did not answer within 2 s"):
            ask()
