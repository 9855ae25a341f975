"""The dataset and model pages over an Azure ML workspace: what they show, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.domain import DataSource, SourceKind
from tests.azure_double.faults import Fault
from tests.azure_double.hand import Double, double
from tests.recorded import datasets as recorded_datasets
from tests.recorded import runs as recorded_runs


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    """A dataset, a search on it, and its best model registered by somebody's script."""
    with double(tmp_path_factory.mktemp("azure")) as azure:
        engine = azure.engine
        dataset = recorded_datasets.people(engine, "bank")
        parent = recorded_runs.automl(engine.home, engine.store, dataset_id=dataset.id)
        engine.models.register(parent, "bank-model", tags={"stage": "new"})
        yield azure


@pytest.fixture
def open_azure_page(home, azure, monkeypatch, request) -> Iterator[object]:
    """As `open_page`, with the page's workspace on Azure."""
    for name, value in azure.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DASHBOARD_BACKEND", "azure")
    azure.misbehave()
    azure.asked()
    yield request.getfixturevalue("open_page")
    azure.misbehave()
    assert azure.unknown() == []


def test_a_dataset_is_listed_profiled_and_previewed(open_azure_page, azure):
    page = open_azure_page("dataset", dataset="bank")

    assert not page.exception
    assert page.dataframe[0].value["Dataset"].tolist() == ["bank"]
    assert any(
        each.value.startswith("**40 rows") or "40 rows" in each.value for each in page.markdown
    )

    azure.asked()
    page = open_azure_page("dataset", dataset="bank", **{"dataset-view": "Preview"})

    assert not page.exception
    assert len(page.dataframe[-1].value) == 10


def test_the_dataset_page_writes_nothing_and_asks_for_the_list_once(open_azure_page, azure):
    open_azure_page("dataset", dataset="bank")

    seen = azure.asked()
    assert len([each for each in seen if "/datasets?" in each]) == 1
    assert len([each for each in seen if "/dataset/v1.0" in each or "/datastore/v1.0" in each]) <= 5
    assert not [each for each in seen if each.startswith("POST") and "login" not in each]


def test_a_file_is_registered_in_the_workspace(open_azure_page, azure):
    from dashboard import session

    upload = DataSource(kind=SourceKind.UPLOAD, location="a.csv", content=b"a,b\n1,2\n")
    open_azure_page("dataset")
    session.workspace().datasets.register("uploaded", upload)

    page = open_azure_page("dataset", dataset="uploaded")

    assert not page.exception
    assert azure.engine.datasets.get("uploaded").row_count == 1


def test_a_storage_account_that_refuses_leaves_the_list(open_azure_page, azure):
    azure.misbehave(Fault(pattern=r"blob\.core", status=403))

    page = open_azure_page("dataset", dataset="bank")

    assert not page.exception
    assert page.dataframe[0].value["Dataset"].tolist()[-1] == "bank"
    assert any("refuses the credential" in each.value for each in page.error)


@pytest.mark.parametrize("view", ["Overview", "Inputs", "Notes"])
def test_a_model_is_shown_with_its_descent(open_azure_page, azure, view):
    page = open_azure_page("models", model="bank-model:1", **{"model-view": view})

    assert not page.exception
    assert not page.error
    assert "bank-model:1" in page.dataframe[0].value["Model"].iloc[0]


def test_the_models_page_asks_for_its_list_once_and_creates_nothing(open_azure_page, azure):
    open_azure_page("models", model="bank-model:1")

    seen = azure.asked()
    assert len([each for each in seen if "/models?count=" in each]) == 1
    writes = ("PUT", "PATCH", "DELETE")
    assert not [each for each in seen if each.startswith(writes)]
    assert not [each for each in seen if each.startswith("POST") and "/experiments/" in each]
