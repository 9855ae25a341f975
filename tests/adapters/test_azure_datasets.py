"""What is particular to datasets of an Azure ML workspace: requests, oddities, trouble, secrets."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from services.azure import dataset_rows, datasets
from services.azure.workspace import AzureWorkspace
from services.domain import DataSource, SourceKind
from services.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    OperationFailedError,
    ServiceError,
    UnavailableError,
)
from tests.azure_double.datastores import KEY, address
from tests.azure_double.faults import Fault
from tests.azure_double.hand import Double, double
from tests.azure_double.opened import open_azure

TEXT = b"age,job,y\n37,admin.,no\n41,retired,yes\n22,student,yes\n"
SAVED = "00000000-0000-0000-0000-000000000001"
SIGNATURE = "c2hhcmVkLWFjY2Vzcw"


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    with double(tmp_path_factory.mktemp("azure")) as azure, azure.surroundings():
        upload = DataSource(kind=SourceKind.UPLOAD, location="people.csv", content=TEXT)
        azure.engine.datasets.register("people", upload)
        yield azure


@pytest.fixture(scope="module")
def workspace(azure: Double) -> AzureWorkspace:
    """Opened once; signing in and finding the services is not counted."""
    workspace = open_azure(azure)
    workspace.datasets.list()
    return workspace


@pytest.fixture(autouse=True)
def _as_usual(azure: Double) -> Iterator[None]:
    """A test leaves no trouble behind, and asked for nothing that nobody foresaw."""
    azure.asked()
    yield
    azure.misbehave()
    usual: dict[str, Any] = {"more datasets": [], "datastore": {}, "old definitions": False}
    azure.turn(page_size=100, **usual)
    assert azure.unknown() == []


def entry(name: str, script: str, **changes: Any) -> dict[str, Any]:
    """A dataset that somebody registered with a definition of their own."""
    latest = {
        "versionId": "1",
        "savedDatasetId": SAVED,
        "createdTime": "2024-01-01T00:00:00.1234567Z",
        "properties": {},
        "dataflow": json.dumps({"blocks": [], "meta": {"RsDataflow": script}}),
    }
    known = {"datasetId": name, "name": name, "datasetType": "tabular", "tags": None}
    return known | {"createdTime": latest["createdTime"], "latest": latest} | changes


def delimited(path: str, *steps: str) -> str:
    lines = "".join(f"  - {step}\n" for step in steps)
    return (
        f'paths:\n  - pattern: "{path}"\ntransformations:\n'
        f"  - read_delimited:\n      delimiter: ','\n      encoding: utf8\n{lines}"
    )


def people(azure: Double) -> str:
    assert azure.engine.datasets.get("people").version == 1
    return address("registered/people/1/original.csv")


def test_a_list_costs_one_request_and_a_dataset_with_its_rows_four(azure, workspace):
    def asked(question: Callable[[], object]) -> int:
        azure.asked()
        question()
        return len(azure.asked())

    assert asked(workspace.datasets.list) == 1
    assert asked(lambda: workspace.datasets.get("people")) == 1
    assert asked(lambda: workspace.datasets.versions("people")) == 2
    assert asked(lambda: workspace.datasets.head("people", 1, 2)) == 3
    assert asked(lambda: workspace.datasets.profile("people", 1)) == 3


def test_looking_writes_nothing(azure, workspace):
    workspace.datasets.list()
    workspace.datasets.versions("people")
    workspace.datasets.contract("people", 1, label="y")
    for name, version in (("nobody", 1), ("people", 7)):
        with pytest.raises(NotFoundError):
            workspace.datasets.head(name, version, 1)

    assert {each.split(" ")[0] for each in azure.asked()} == {"GET"}


def test_every_page_of_a_list_is_read(azure, workspace):
    more = [entry(f"many-{number}", delimited("https://x/a.csv")) for number in range(5)]
    azure.turn(**{"more datasets": more, "page_size": 2})

    listed = {each.name for each in workspace.datasets.list()}

    assert {f"many-{number}" for number in range(5)} | {"people"} <= listed
    assert len(azure.asked()) == -(-len(listed) // 2)


@pytest.mark.parametrize(
    "odd",
    [
        entry("odd", "", latest=None),
        entry("odd", "", latest={"versionId": "one"}),
        entry("odd", "", latest={"versionId": "1", "createdTime": "yesterday"}),
        {"name": "odd"},
    ],
)
def test_an_entry_that_is_not_understood_is_shown_as_such_among_the_others(azure, workspace, odd):
    azure.turn(**{"more datasets": [odd]})

    listed = {each.name: each for each in workspace.datasets.list()}

    assert "could not be understood" in listed["odd"].description
    assert listed["people"].version == 1


def test_what_the_service_leaves_out_is_unknown(azure, workspace):
    azure.turn(**{"more datasets": [entry("bare", "", description=None)]})

    bare = workspace.datasets.get("bare")

    assert (bare.row_count, bare.column_count, bare.size_bytes) == (None, None, None)
    assert (bare.source, bare.description, dict(bare.tags)) == ("", "", {})


def test_a_definition_of_an_older_kind_is_translated_by_the_service(azure, workspace):
    azure.turn(**{"old definitions": True})

    assert workspace.datasets.head("people", 1, 1)["age"].tolist() == [37]
    assert len(azure.asked()) == 4


@pytest.mark.parametrize(
    ("steps", "obstacle"),
    [
        (("take: 2",), "it has the step “take”"),
        (("filter: 'col(\"age\") > 3'",), "it has the step “filter”"),
        (("drop_columns: age",), "it has the step “drop columns”"),
    ],
)
def test_what_only_azures_engine_reads_says_what_to_install(azure, workspace, steps, obstacle):
    azure.turn(**{"more datasets": [entry("stepped", delimited(people(azure), *steps))]})

    with pytest.raises(InvalidRequestError, match=obstacle) as refused:
        workspace.datasets.head("stepped", 1, 1)

    assert "requirements-azure-data.txt" in str(refused.value)


def test_a_dataset_of_files_has_no_rows(azure, workspace):
    script = f"paths:\n  - file: {people(azure)}\n"
    azure.turn(**{"more datasets": [entry("pictures", script, datasetType="file")]})

    with pytest.raises(InvalidRequestError, match="made of files, not of rows"):
        workspace.datasets.profile("pictures", 1)


def test_steps_that_leave_the_rows_alone_are_no_obstacle(azure, workspace):
    script = delimited(people(azure), "drop_columns: Path", "convert_column_types: []")
    azure.turn(**{"more datasets": [entry("typed", script)]})

    assert len(workspace.datasets.head("typed", 1, 9)) == 3


def test_the_beginning_of_a_long_file_is_enough_for_its_head(azure, workspace, monkeypatch):
    rows = "".join(f'{number},"said\n{number}"\n' for number in range(500))
    upload = DataSource(kind=SourceKind.UPLOAD, location="a.csv", content=f"n,t\n{rows}".encode())
    workspace.datasets.register("long", upload)
    monkeypatch.setattr(dataset_rows, "HEAD_BYTES", 1_000)

    assert workspace.datasets.head("long", 1, 2)["n"].tolist() == [0, 1]
    assert len(workspace.datasets.head("long", 1, 400)) == 400
    assert workspace.datasets.profile("long", 1).row_count == 500


@pytest.mark.parametrize("cut", range(30, 42))
def test_a_cut_anywhere_in_a_file_loses_no_row_of_its_head(azure, workspace, monkeypatch, cut):
    """Also one that ends inside a quoted value of several lines."""
    content = b'n,t\n1,"a\nb"\n2,"c\nd"\n3,"e\nf"\n4,"g\nh"\n'
    name = f"cut-{cut}"
    workspace.datasets.register(
        name, DataSource(kind=SourceKind.UPLOAD, location="a.csv", content=content)
    )
    monkeypatch.setattr(dataset_rows, "HEAD_BYTES", cut)

    head = workspace.datasets.head(name, 1, 2)

    assert head.to_dict("list") == {"n": [1, 2], "t": ["a\nb", "c\nd"]}


def test_too_long_a_file_is_refused_before_it_is_read(azure, workspace, monkeypatch):
    monkeypatch.setattr(dataset_rows, "CONTENT_LIMIT_BYTES", 10)

    with pytest.raises(InvalidRequestError, match="all of it would have to be read"):
        workspace.datasets.profile("people", 1)


def test_a_file_that_is_gone_is_no_missing_dataset(azure, workspace):
    azure.turn(**{"more datasets": [entry("gone", delimited(address("x/gone.csv")))]})

    with pytest.raises(OperationFailedError, match=r"“x/gone\.csv” .* is gone"):
        workspace.datasets.head("gone", 1, 1)


def test_a_datastore_that_is_gone_is_named(azure, workspace):
    script = delimited("azureml://datastores/elsewhere/paths/a.csv")
    azure.turn(**{"more datasets": [entry("gone", script)]})

    with pytest.raises(OperationFailedError, match="Datastore “elsewhere” is not in this"):
        workspace.datasets.head("gone", 1, 1)


def test_rows_are_read_with_a_shared_access_signature(azure, workspace):
    azure.turn(
        datastore={
            "credentialType": "Sas",
            "accountKey": None,
            "sasToken": f"sv=2019-07-07&sig={SIGNATURE}",
            "isSas": True,
        }
    )

    assert len(workspace.datasets.head("people", 1, 9)) == 3
    assert SIGNATURE in azure.asked()[-1]


def test_rows_are_read_as_ourselves_where_the_datastore_has_no_credential(azure, workspace):
    azure.turn(datastore={"credentialType": "None", "accountKey": None, "credential": None})

    assert len(workspace.datasets.head("people", 1, 9)) == 3


def test_a_registration_is_noted_and_never_holds_the_addresss_secret(azure, workspace):
    source = DataSource(kind=SourceKind.URL, location="https://me:pw@h.example:8/a.csv?sig=abc")

    assert datasets._shown(source) == "https://h.example:8/a.csv"

    upload = DataSource(kind=SourceKind.UPLOAD, location="people.csv", content=TEXT)
    dataset = workspace.datasets.register("noted", upload)
    event = workspace.audit.list()[0]
    assert (event.action, event.subject) == ("dataset.register", f"dataset/{dataset.id}")
    assert (dataset.row_count, dataset.column_count) == (3, 3)
    assert dataset.source == "people.csv"


def test_a_registration_is_three_requests_and_a_name_may_hold_a_space(azure, workspace):
    upload = DataSource(kind=SourceKind.UPLOAD, location="my people (1).csv", content=TEXT)

    workspace.datasets.register("my people (new)", upload)

    verbs = [each.split(" ")[0] for each in azure.asked()]
    assert verbs == ["GET", "PUT", "POST"]
    assert len(workspace.datasets.head("my people (new)", 1, 5)) == 3


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
]


@pytest.mark.parametrize(("trouble", "expected"), TROUBLE, ids=str)
def test_trouble_with_the_service_is_told_in_a_sentence(azure, workspace, trouble, expected):
    azure.misbehave(Fault(pattern="/dataset/v1.0", **trouble))

    with pytest.raises(expected):
        workspace.datasets.list()
    with pytest.raises(expected):
        workspace.datasets.get("people")


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        ({"status": 403}, AccessDeniedError),
        ({"status": 404}, OperationFailedError),
        ({"status": 409}, OperationFailedError),
        ({"status": 429}, UnavailableError),
        ({"status": 500}, UnavailableError),
        ({"drop": True}, UnavailableError),
    ],
    ids=str,
)
def test_trouble_with_the_storage_account_tells_no_key(azure, workspace, trouble, expected, caplog):
    caplog.set_level(logging.DEBUG)
    azure.misbehave(Fault(pattern=r"blob\.core\.windows\.net", **trouble))

    with pytest.raises(expected) as told:
        workspace.datasets.head("people", 1, 1)

    everything = "".join(traceback.format_exception(told.value)) + caplog.text
    assert KEY not in everything
    assert "SharedKey" not in everything


def test_whoever_may_not_read_credentials_learns_what_it_takes(azure, workspace):
    azure.misbehave(Fault(pattern="/datastore/v1.0", status=403))
    upload = DataSource(kind=SourceKind.UPLOAD, location="people.csv", content=TEXT)

    with pytest.raises(AccessDeniedError, match="datastore “workspaceblobstore” to be read"):
        workspace.datasets.head("people", 1, 1)
    with pytest.raises(AccessDeniedError, match="default datastore to be read"):
        workspace.datasets.register("refused", upload)


def test_trouble_with_the_datastore_tells_no_key(azure, workspace, caplog):
    caplog.set_level(logging.DEBUG)
    azure.misbehave(Fault(pattern="/datastores/", remove="containerName"))

    with pytest.raises(ServiceError) as told:
        workspace.datasets.head("people", 1, 1)

    assert KEY not in "".join(traceback.format_exception(told.value)) + caplog.text


def test_a_service_that_never_answers_ends_at_the_deadline(azure):
    impatient = open_azure(azure, limit_s=2.0)
    impatient.datasets.list()
    azure.misbehave(Fault(pattern="/dataset/v1.0", delay_s=20.0))

    for ask in (
        impatient.datasets.list,
        lambda: impatient.datasets.get("people"),
        lambda: impatient.datasets.head("people", 1, 1),
    ):
        with pytest.raises(UnavailableError, match="did not answer within 2 s"):
            ask()


def test_parquet_and_its_types_come_back(azure, workspace, tmp_path: Path):
    frame = pd.DataFrame({"n": [1, 2], "x": [0.5, None], "s": ["a", None]})
    frame.to_parquet(tmp_path / "a.parquet")
    source = DataSource(kind=SourceKind.PATH, location=str(tmp_path / "a.parquet"))

    workspace.datasets.register("columns", source)

    pd.testing.assert_frame_equal(
        workspace.datasets.head("columns", 1, 9), frame, check_dtype=False
    )
