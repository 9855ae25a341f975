"""Registering in the local workspace: files and row appear together, or not at all."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.errors import InvalidRequestError, NotFoundError
from services.local.audit import LocalAuditLog
from services.local.models import LocalModels
from services.local.store import Store
from tests.recorded import runs


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "workspace.db")


@pytest.fixture
def models(tmp_path, store):
    return LocalModels(tmp_path, store)


@pytest.fixture
def run_id(tmp_path, store):
    return runs.automl(tmp_path, store)


def files(folder):
    return sorted(each.relative_to(folder).as_posix() for each in folder.rglob("*"))


def test_a_version_holds_everything_the_run_left_behind(tmp_path, models, run_id):
    model = models.register(run_id, "bank")

    outputs = tmp_path / "runs" / model.run_id / "outputs"
    assert files(models.folder("bank", 1)) == files(outputs)
    assert model.size_bytes == (outputs / "model.pkl").stat().st_size
    assert model.properties["primary_metric"] == "AUC_weighted"
    assert model.properties["parent_run_id"] == run_id
    assert model.properties["label"] == "y"
    assert 0.5 < float(model.properties["score"]) < 1


def test_a_version_does_not_change_when_its_run_does(tmp_path, models, run_id):
    model = models.register(run_id, "bank")
    before = (models.folder("bank", 1) / "model.pkl").read_bytes()

    (tmp_path / "runs" / model.run_id / "outputs" / "model.pkl").write_bytes(b"something else")

    assert (models.folder("bank", 1) / "model.pkl").read_bytes() == before


def test_a_power_cut_between_files_and_row_leaves_no_gap_and_no_ghost(
    tmp_path, models, run_id, monkeypatch
):
    def power_cut(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("services.local.models.audit.record", power_cut)
        models.register(run_id, "bank")
    assert models.list() == ()
    (models.folder("bank", 1) / "left-behind").touch()

    model = models.register(run_id, "bank")

    assert model.version == 1
    assert "left-behind" not in files(models.folder("bank", 1))
    assert [each.name for each in (tmp_path / "models").iterdir()] == ["bank"]


def test_two_at_once_are_two_versions(models, run_id):
    with ThreadPoolExecutor(4) as pool:
        registered = list(pool.map(lambda _: models.register(run_id, "bank"), range(8)))

    assert sorted(each.version for each in registered) == list(range(1, 9))
    assert all((models.folder("bank", each.version) / "model.pkl").exists() for each in registered)


def test_a_run_whose_files_are_gone_has_no_model(tmp_path, models, run_id):
    for outputs in (tmp_path / "runs").glob("*/outputs"):
        shutil.rmtree(outputs)

    with pytest.raises(InvalidRequestError, match="left no model"):
        models.register(run_id, "bank")


def test_a_search_without_a_completed_child_has_none_either(tmp_path, store, models):
    waiting = runs.unsettled(tmp_path, store, children=0)

    with pytest.raises(InvalidRequestError, match="wait"):
        models.register(waiting, "bank")


def test_the_best_child_of_a_search_under_way_can_be_registered(tmp_path, store, models):
    running = runs.unsettled(tmp_path, store, children=2)

    assert models.register(running, "bank").properties["parent_run_id"] == running


def test_a_model_without_a_contract_says_so(models, run_id):
    model = models.register(run_id, "bank")
    (models.folder("bank", 1) / "contract.json").unlink()

    with pytest.raises(NotFoundError, match="contract"):
        models.contract(model.id)


def test_every_change_is_in_the_audit_log(store, models, run_id):
    model = models.register(run_id, "bank", tags={"stage": "new"})
    models.update(model.id, description="checked")
    models.update(model.id, description="checked")  # changes nothing

    events = LocalAuditLog(store).list(subject=f"model/{model.id}")

    assert [event.action for event in events] == ["model.update", "model.register"]
    assert events[0].before["description"] == ""
    assert events[0].after["description"] == "checked"
