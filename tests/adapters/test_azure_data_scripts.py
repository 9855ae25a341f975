"""What people's own scripts ask of datasets and models, through the SDK's classes, against
Azure on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.azure.dataset_rows import runtime_installed
from services.domain import DataSource, SourceKind
from tests.azure_double.hand import Double, double
from tests.azure_double.opened import open_azure
from tests.recorded import runs as recorded

ENGINES_TELEMETRY = "dc.services.visualstudio.com"  # where Azure's data engine reports its use
ROWS = b"age,job,y\n37,admin.,no\n41,retired,yes\n"


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    with double(tmp_path_factory.mktemp("azure")) as azure, azure.surroundings():
        engine = azure.engine
        upload = DataSource(kind=SourceKind.UPLOAD, location="people.csv", content=ROWS)
        for _ in range(2):
            engine.datasets.register("people", upload, description="two", tags={"team": "risk"})
        parent = recorded.automl(engine.home, engine.store, dataset_id="people:1")
        engine.models.register(parent, "bank", tags={"stage": "new"})
        yield azure


@pytest.fixture(scope="module")
def workspace(azure: Double):
    return open_azure(azure).connection.call("workspace", lambda found: found)


@pytest.fixture(autouse=True)
def _foreseen(azure: Double) -> Iterator[None]:
    yield
    asked = [each for each in azure.unknown() if ENGINES_TELEMETRY not in each]
    assert asked == []


def test_datasets_are_found_by_name_version_and_id(workspace):
    from azureml.core import Dataset

    latest = Dataset.get_by_name(workspace, "people")
    first = Dataset.get_by_name(workspace, "people", version=1)

    assert (latest.version, first.version) == (2, 1)
    assert (latest.description, latest.tags) == ("two", {"team": "risk"})
    assert Dataset.get_by_id(workspace, first.id).version == 1
    assert list(Dataset.get_all(workspace).keys()) == ["people"]


def test_a_dataset_that_is_not_there_is_told(workspace):
    from azureml.core import Dataset
    from azureml.exceptions import UserErrorException

    with pytest.raises(UserErrorException, match="nobody"):
        Dataset.get_by_name(workspace, "nobody")


def test_files_are_put_on_the_default_datastore(workspace, tmp_path: Path):
    from azureml.core import Datastore

    (tmp_path / "a.csv").write_bytes(ROWS)
    store = workspace.get_default_datastore()

    store.upload_files([str(tmp_path / "a.csv")], target_path="uploads", show_progress=False)

    assert Datastore.get(workspace, store.name).container_name == store.container_name
    blob = store.blob_service.get_blob_client(store.container_name, "uploads/a.csv")
    assert blob.download_blob().readall() == ROWS


def test_models_are_listed_with_the_runs_behind_them(workspace):
    from azureml.core import Model

    (found,) = [each for each in Model.list(workspace) if each.name == "bank"]

    assert (found.version, found.tags) == (1, {"stage": "new"})
    assert found.run.id == found.run_id
    assert [each.id for each in Model.list(workspace, name="bank", latest=True)] == ["bank:1"]


def test_a_run_registers_its_model_and_its_tags_are_changed(workspace):
    from azureml.core import Model, Run

    run = Run.get(workspace, Model(workspace, "bank").run_id)

    model = run.register_model("again", model_path="outputs/model.pkl", tags={"a": "1"})
    model.add_tags({"b": "2"})
    model.update(description="in use")

    again = Model(workspace, id=model.id)
    assert (again.tags, again.description) == ({"a": "1", "b": "2"}, "in use")
    assert again.run_id == run.id


def test_a_model_is_downloaded(azure, workspace, tmp_path: Path):
    from azureml.core import Model

    model = Model(workspace, "bank")

    path = Path(model.download(target_dir=str(tmp_path)))

    kept = azure.engine.home / "runs" / model.run_id / "outputs" / "model.pkl"
    assert path.read_bytes() == kept.read_bytes()


@pytest.mark.skipif(not runtime_installed(), reason="requirements-azure-data.txt is not installed")
def test_rows_come_through_azures_engine(workspace):
    from azureml.core import Dataset

    assert Dataset.get_by_name(workspace, "people").to_pandas_dataframe()["age"].tolist() == [
        37,
        41,
    ]
