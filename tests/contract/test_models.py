"""What every back end promises about registered models."""

from __future__ import annotations

import pytest

from services.domain import DataSource, RunStatus, SourceKind
from services.errors import InvalidRequestError, NotFoundError
from tests.recorded import runs


@pytest.fixture(scope="module")
def parent(workspace, engine):
    """A search that completed, on a dataset that is there."""
    source = DataSource(kind=SourceKind.UPLOAD, location="bank.csv", content=b"age,y\n37,no\n")
    dataset = engine.datasets.register("bank", source)
    run = workspace.runs.get(runs.automl(engine.home, engine.store, dataset_id=dataset.id))
    assert run.dataset_id == dataset.id
    return run


@pytest.fixture
def models(workspace):
    return workspace.models


def test_an_unknown_model_is_not_found(models, name):
    with pytest.raises(NotFoundError, match=name):
        models.get(f"{name}:1")
    with pytest.raises(NotFoundError, match=name):
        models.update(f"{name}:1", description="nobody")
    with pytest.raises(NotFoundError, match=name):
        models.contract(f"{name}:1")


@pytest.mark.parametrize("model_id", ["bank", "bank:", ":1", "bank:first"])
def test_an_id_of_another_form_is_refused(models, model_id):
    with pytest.raises(InvalidRequestError, match="name:version"):
        models.get(model_id)


def test_a_registered_model_is_there_with_its_descent(models, parent, name):
    model = models.register(parent.best_child_id, name, description="as planned", tags={"a": "b"})

    assert model == models.get(model.id)
    assert (model.name, model.version, model.id) == (name, 1, f"{name}:1")
    assert model.run_id == parent.best_child_id
    assert model.experiment == parent.experiment
    assert model.dataset_id == parent.dataset_id
    assert (model.description, dict(model.tags)) == ("as planned", {"a": "b"})
    assert model.created_at.tzinfo is not None


def test_a_parent_stands_for_its_best_child(models, parent, name):
    assert models.register(parent.id, name).run_id == parent.best_child_id


def test_the_same_name_again_is_the_next_version(models, parent, name):
    versions = [models.register(parent.best_child_id, name).version for _ in range(3)]

    listed = [each.version for each in models.list() if each.name == name]

    assert versions == [1, 2, 3]
    assert listed == [3, 2, 1]


def test_another_name_starts_at_one(models, parent, name):
    models.register(parent.best_child_id, name)

    assert models.register(parent.best_child_id, f"{name}-b").version == 1


def test_the_list_is_newest_first(models, parent, name):
    for suffix in ("z", "a"):
        models.register(parent.best_child_id, f"{name}-{suffix}")

    instants = [each.created_at for each in models.list()]

    assert instants == sorted(instants, reverse=True)


@pytest.mark.parametrize("wrong", ["", "../escape", "a/b", " x", "x" * 256])
def test_a_name_that_could_not_be_part_of_a_path_is_refused(models, parent, wrong):
    with pytest.raises(InvalidRequestError):
        models.register(parent.best_child_id, wrong)


def test_an_unknown_run_is_not_found(models, name):
    with pytest.raises(NotFoundError):
        models.register("AutoML_nobody_0", name)

    assert name not in [each.name for each in models.list()]


def test_a_run_without_a_model_is_refused(workspace, models, parent, name):
    failed = next(
        (each for each in workspace.runs.children(parent.id) if each.status is RunStatus.FAILED),
        None,
    )
    if failed is None:
        pytest.skip("every child run of this workspace's search completed")

    with pytest.raises(InvalidRequestError, match=failed.id):
        models.register(failed.id, name)


def test_what_is_written_about_a_model_can_be_changed(models, parent, name):
    model = models.register(parent.best_child_id, name, description="old", tags={"stage": "new"})

    tagged = models.update(model.id, tags={"stage": "production"})
    described = models.update(model.id, description="in use")

    assert (tagged.description, dict(tagged.tags)) == ("old", {"stage": "production"})
    assert (described.description, dict(described.tags)) == ("in use", {"stage": "production"})
    assert models.get(model.id) == described


def test_changing_one_version_leaves_the_others(models, parent, name):
    first, second = (models.register(parent.best_child_id, name) for _ in range(2))

    models.update(second.id, description="only this one")

    assert models.get(first.id).description == ""


def test_a_model_says_what_its_rows_look_like(models, parent, name):
    model = models.register(parent.best_child_id, name)

    contract = models.contract(model.id)

    assert contract.columns
    assert contract.label not in [column.name for column in contract.columns]
