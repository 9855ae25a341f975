"""The chain around a model: what is stale says by how much, what is gone is broken, not blank."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services import lineage
from services.domain import (
    AssetStatus,
    Dataset,
    Deployment,
    DeploymentState,
    Frequency,
    LoadTest,
    LoadTestState,
    Model,
    PipelineParameter,
    PublishedPipeline,
    Recurrence,
    Run,
    RunKind,
    RunStatus,
    Schedule,
)
from services.lineage import Chain, Standing

AT = datetime(2024, 5, 1, tzinfo=UTC)
KINDS = ["dataset", "run", "best child", "model", "deployment", "load test", "schedule"]


def model(version=1):
    return Model(
        name="bank", version=version, created_at=AT, run_id="parent_0", experiment="marketing",
        dataset_id="data:1", algorithm="LightGBM",
    )  # fmt: skip


def run(run_id, *, parent=None, best=None):
    return Run(
        id=run_id, experiment="marketing", number=1, kind=RunKind.AUTOML, display_name=run_id,
        status=RunStatus.COMPLETED, created_at=AT, parent_id=parent, best_child_id=best,
    )  # fmt: skip


def dataset(version=1):
    return Dataset(name="data", version=version, created_at=AT, source="a file")


def deployment(model_id="bank:1", *, name="live", state=DeploymentState.HEALTHY):
    return Deployment(
        name=name, model_id=model_id, state=state, scoring_uri=None, swagger_uri=None,
        auth_enabled=True, telemetry_enabled=True, created_at=AT, updated_at=AT,
    )  # fmt: skip


def load_test(model_id="bank:1"):
    return LoadTest(
        id="test", name="ab", state=LoadTestState.COMPLETED, created_at=AT, started_at=AT,
        ended_at=AT, deployment="live", model_id=model_id, plan=None, payload_sha256=None,
        done_count=10, report=None,
    )  # fmt: skip


def schedule(status=AssetStatus.ACTIVE, *, experiment="marketing", **parameters):
    return Schedule(
        id="daily", name="daily", status=status, recurrence=Recurrence(frequency=Frequency.DAY),
        experiment=experiment, pipeline_id="retrain", parameters=parameters,
    )  # fmt: skip


PIPELINE = PublishedPipeline(
    id="retrain", name="retrain", version="1", status=AssetStatus.ACTIVE, endpoint="",
    created_at=AT, parameters=(PipelineParameter(name="model_name", default="bank"),),
)  # fmt: skip

SOUND = Chain(
    model=model(),
    run=run("parent_0", parent="parent"),
    parent=run("parent", best="parent_0"),
    versions=(dataset(),),
    models=(model(),),
    deployments=(deployment(),),
    load_tests=(load_test(),),
    schedules=(schedule(),),
    pipelines=(PIPELINE,),
)


def node(kind, **changes):
    nodes = lineage.strip(replace(SOUND, **changes))
    assert [each.kind for each in nodes] == KINDS
    return nodes[KINDS.index(kind)]


def test_seven_sound_links_lead_from_the_data_to_the_next_retrain():
    nodes = lineage.strip(SOUND)

    assert [each.kind for each in nodes] == KINDS
    assert {each.standing for each in nodes} == {Standing.SOUND}
    assert all(each.page and each.address for each in nodes)


def test_a_service_two_versions_old_is_behind_by_two():
    found = node("deployment", models=(model(3), model(2), model()))

    assert (found.standing, found.note) == (Standing.STALE, "behind by 2")


def test_a_newer_dataset_version_makes_the_data_stale():
    assert node("dataset", versions=(dataset(), dataset(2))).note == "behind by 1"


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("dataset", {"versions": ()}),
        ("run", {"parent": None}),
        ("best child", {"run": None}),
        ("deployment", {"deployments": (deployment("bank:9"),)}),
    ],
)
def test_what_is_gone_is_broken_and_says_so(kind, changes):
    found = node(kind, **changes)

    assert found.standing is Standing.BROKEN
    assert "gone" in f"{found.label} {found.note}"


@pytest.mark.parametrize("kind", ["deployment", "load test", "schedule"])
def test_what_was_not_made_yet_is_no_fault(kind):
    nothing = {"deployments": (), "load_tests": (), "schedules": ()}

    assert node(kind, **nothing).standing is Standing.ABSENT


def test_another_child_became_the_best():
    assert "not the best" in node("best child", parent=run("parent", best="parent_1")).note


def test_a_benchmark_of_another_version_is_stale():
    assert node("load test", load_tests=(load_test("bank:7"),)).note == "measured bank:7"


def test_an_unwell_deployment_says_its_state():
    assert node("deployment", deployments=(deployment(state=DeploymentState.FAILED),)).note == (
        "Failed"
    )


@pytest.mark.parametrize(
    ("made", "standing"),
    [
        (schedule(AssetStatus.DISABLED), Standing.STALE),
        (schedule(model_name="other"), Standing.ABSENT),
        (schedule(experiment="elsewhere", model_name="bank"), Standing.SOUND),
    ],
)
def test_the_schedule_is_the_one_that_makes_this_model(made, standing):
    assert node("schedule", schedules=(made,)).standing is standing


def test_a_schedule_of_the_same_experiment_counts_where_no_name_is_known():
    assert node("schedule", pipelines=()).standing is Standing.SOUND
    assert node("schedule", pipelines=(), schedules=(schedule(experiment="x"),)).standing is (
        Standing.ABSENT
    )


def test_the_overview_speaks_of_the_model_in_service():
    models = model(2), model()

    assert lineage.in_focus(models, [deployment("bank:1")]) == model()
    assert lineage.in_focus(models, []) == model(2)
    assert lineage.in_focus((), [deployment()]) is None
