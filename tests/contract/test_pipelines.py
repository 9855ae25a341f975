"""What every workspace promises about published pipelines, their endpoints and their runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from services.domain import (
    AssetStatus,
    AutoMLSettings,
    Capability,
    DataSource,
    PipelineKind,
    PipelineRun,
    PublishedPipeline,
    RunStatus,
    SourceKind,
)
from services.errors import ConflictError, InvalidRequestError, NotFoundError
from services.local.workspace import LocalWorkspace
from services.ports import BatchInferencePlan, Pipelines, RetrainingPlan, Workspace

UNKNOWN = "00000000-0000-0000-0000-000000000000"
ROWS = "age,income,job,y\n" + "".join(
    f"{18 + n % 60},{900 + 37 * n % 5000},job {n % 4},{'yes' if n % 60 > 33 else 'no'}\n"
    for n in range(300)
)


@pytest.fixture
def pipelines(workspace: Workspace) -> Pipelines:
    return workspace.pipelines


@pytest.fixture(scope="module")
def dataset_id(engine: LocalWorkspace) -> str:
    source = DataSource(kind=SourceKind.UPLOAD, location="people.csv", content=ROWS.encode())
    return engine.datasets.register("contract-people", source).id


def plan(dataset_id: str, **settings: object) -> RetrainingPlan:
    defaults = {"experiment": "contract-retraining", "experiment_timeout_minutes": 0.2}
    return RetrainingPlan(
        settings=AutoMLSettings(
            **{**defaults, "dataset_id": dataset_id, "label_column_name": "y", **settings}
        ),
        model_name="contract-answers",
    )


@pytest.fixture
def publish(engine: LocalWorkspace, pipelines: Pipelines, dataset_id: str) -> Callable[..., str]:
    """Publish retraining, as a notebook does where the dashboard cannot; its id."""

    def publish(name: str, **rest: str) -> str:
        return engine.pipelines.publish_retraining(name, plan(dataset_id), **rest).id

    return publish


@pytest.fixture
def pipeline(pipelines: Pipelines, publish: Callable[..., str], name: str) -> PublishedPipeline:
    return pipelines.get(publish(name, description="for a test"))


@pytest.fixture
def publishing(workspace: Workspace) -> None:
    if not workspace.can(Capability.PUBLISH_PIPELINE):
        pytest.skip("this workspace publishes from code only")


# --- published pipelines ----------------------------------------------------------


def test_a_published_pipeline_is_listed_first_and_active(pipelines, pipeline, name):
    newest = pipelines.list()[0]

    assert newest == pipeline == pipelines.get(pipeline.id)
    assert (newest.name, newest.description) == (name, "for a test")
    assert newest.status is AssetStatus.ACTIVE
    assert newest.endpoint.endswith(f"/PipelineRuns/PipelineSubmit/{pipeline.id}")


def test_what_the_dashboard_published_says_what_it_does(pipeline, publishing):
    assert pipeline.kind is PipelineKind.RETRAINING
    assert all(each.description for each in pipeline.parameters)


def test_publishing_from_code_only_says_how(workspace, pipelines, dataset_id, name):
    if workspace.can(Capability.PUBLISH_PIPELINE):
        pytest.skip("this workspace publishes from the dashboard too")
    batch = BatchInferencePlan(model_id="answers:1", dataset_id=dataset_id)

    with pytest.raises(InvalidRequestError, match="notebook"):
        pipelines.publish_retraining(name, plan(dataset_id))
    with pytest.raises(InvalidRequestError, match="notebook"):
        pipelines.publish_batch_inference(name, batch)


def test_its_parameters_have_defaults(pipeline, dataset_id):
    defaults = {each.name: each.default for each in pipeline.parameters}

    assert defaults["dataset"] == f"{dataset_id.rpartition(':')[0]}:latest"
    assert defaults["label_column_name"] == "y"
    assert defaults["primary_metric"] == "AUC_weighted"


def test_publishing_a_name_again_makes_a_further_version(pipelines, pipeline, publish):
    again = pipelines.get(publish(pipeline.name))

    assert again.id != pipeline.id
    assert again.version != pipeline.version


def test_the_graph_connects_the_dataset_to_automl(pipelines, pipeline):
    graph = pipelines.graph(pipeline.id)

    kinds = {node.id: node.kind for node in graph.nodes}
    assert "automl_module" in kinds.values()
    assert all(start in kinds and end in kinds for start, end in graph.edges)


def test_disabling_twice_is_one_state_and_enabling_undoes_it(pipelines, pipeline):
    pipelines.disable(pipeline.id)
    pipelines.disable(pipeline.id)
    assert pipelines.get(pipeline.id).status is AssetStatus.DISABLED
    assert pipeline.id in [each.id for each in pipelines.list()]

    pipelines.enable(pipeline.id)
    assert pipelines.get(pipeline.id).status is AssetStatus.ACTIVE


def test_a_disabled_pipeline_cannot_be_submitted(pipelines, pipeline):
    pipelines.disable(pipeline.id)

    with pytest.raises(ConflictError, match="disabled"):
        pipelines.submit(pipeline.id, "contract")

    pipelines.enable(pipeline.id)


ABSENT: dict[str, Callable[[Pipelines], object]] = {
    "get": lambda port: port.get(UNKNOWN),
    "graph": lambda port: port.graph(UNKNOWN),
    "enable": lambda port: port.enable(UNKNOWN),
    "disable": lambda port: port.disable(UNKNOWN),
    "submit": lambda port: port.submit(UNKNOWN, "contract"),
    "run": lambda port: port.run(UNKNOWN),
    "steps": lambda port: port.steps(UNKNOWN),
    "logs": lambda port: port.logs(UNKNOWN),
    "cancel": lambda port: port.cancel(UNKNOWN),
    "batch_output": lambda port: port.batch_output(UNKNOWN),
    "create_endpoint": lambda port: port.create_endpoint("contract-nowhere", UNKNOWN),
    "set_default_version": lambda port: port.set_default_version(UNKNOWN, "0"),
    "enable_endpoint": lambda port: port.enable_endpoint(UNKNOWN),
    "submit_endpoint": lambda port: port.submit_endpoint(UNKNOWN, "contract"),
}


@pytest.mark.parametrize("method", ABSENT)
def test_what_does_not_exist_is_not_found(pipelines, method):
    with pytest.raises(NotFoundError):
        ABSENT[method](pipelines)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"label_column_name": "nobody"}, "nobody"),
        ({"primary_metric": "r2_score"}, "r2_score"),
        ({"experiment_timeout_minutes": 0}, "timeout"),
    ],
)
def test_a_plan_that_cannot_be_run_is_not_published(
    pipelines, dataset_id, name, settings, sentence, publishing
):
    with pytest.raises(InvalidRequestError, match=sentence):
        pipelines.publish_retraining(name, plan(dataset_id, **settings))


def test_a_plan_for_an_unknown_dataset_is_not_published(pipelines, name, publishing):
    with pytest.raises(NotFoundError, match="nobody"):
        pipelines.publish_retraining(name, plan("nobody:1"))


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"colour": "blue"}, "no parameter “colour”"),
        ({"dataset": "people"}, "name:version"),
        ({"experiment_timeout_minutes": "soon"}, "minutes"),
        ({"max_concurrent_iterations": "0"}, "whole number"),
        ({"primary_metric": "beauty"}, "beauty"),
        ({"enable_early_stopping": "maybe"}, "true, false"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_refused(pipelines, pipeline, parameters, sentence):
    with pytest.raises(InvalidRequestError, match=sentence):
        pipelines.submit(pipeline.id, "contract", parameters=parameters)


# --- runs -------------------------------------------------------------------------


def test_a_submitted_run_is_listed_under_its_pipeline(pipelines, pipeline):
    run = pipelines.submit(pipeline.id, "contract")

    assert run.experiment == "contract"
    assert run.id in [each.id for each in pipelines.runs(pipeline_id=pipeline.id)]
    assert run.id in [each.id for each in pipelines.runs()]
    assert run.schedule_id is None
    pipelines.cancel(run.id)


def test_a_canceled_run_ends_as_canceled(pipelines, pipeline, until):
    run = pipelines.submit(pipeline.id, "contract")

    pipelines.cancel(run.id)
    until(lambda: pipelines.run(run.id).status.settled)
    pipelines.cancel(run.id)

    assert pipelines.run(run.id).status is RunStatus.CANCELED


def finished(pipelines: Pipelines, run: PipelineRun, until: Callable[..., object]) -> PipelineRun:
    until(lambda: pipelines.run(run.id).status.settled)
    run = pipelines.run(run.id)
    assert run.status is RunStatus.COMPLETED, f"{run.error}\n{pipelines.logs(run.id).text}"
    return run


def test_retraining_searches_and_registers_then_the_model_scores_in_batch(
    workspace, engine, pipelines, pipeline, dataset_id, name, until
):
    started = pipelines.submit(pipeline.id, "contract-retraining")

    run = finished(pipelines, started, until)

    model = workspace.models.get(engine.pipelines.run(run.id).model_id)
    training = workspace.runs.get(run.training_run_id)
    steps = pipelines.steps(run.id)
    assert model.name == "contract-answers"
    assert training.status is RunStatus.COMPLETED
    assert [step.node_id for step in steps] == [n.id for n in pipelines.graph(pipeline.id).nodes]
    assert all(step.status is RunStatus.COMPLETED for step in steps)
    assert all(step.started_at <= step.ended_at for step in steps)
    assert pipelines.steps_of([run.id, UNKNOWN]) == {run.id: steps, UNKNOWN: ()}
    assert "Registered contract-answers" in pipelines.logs(run.id, "register_model").text

    if not workspace.can(Capability.BATCH_INFERENCE):
        return
    assert run.model_id == model.id
    batch = pipelines.publish_batch_inference(
        name, BatchInferencePlan(model_id=model.id, dataset_id=dataset_id, chunk_rows=128)
    )
    scored = finished(pipelines, pipelines.submit(batch.id, "contract-batch"), until)

    output = pipelines.batch_output(scored.id)
    assert (scored.batch.total_count, scored.batch.done_count) == (300, 300)
    assert len(output) == 300
    assert set(output["prediction"]) == {"yes", "no"}
    assert output["error"].isna().all()


def test_a_run_says_why_it_failed(pipelines, pipeline, until):
    run = pipelines.submit(pipeline.id, "contract", parameters={"dataset": "nobody:1"})

    until(lambda: pipelines.run(run.id).status.settled)

    assert pipelines.run(run.id).status is RunStatus.FAILED
    assert "nobody:1" in pipelines.run(run.id).error
    assert "nobody:1" in pipelines.logs(run.id, "dataset").text


@pytest.fixture
def failed(pipelines, pipeline, until) -> PipelineRun:
    """One that will fail again: what it needs is not there."""
    run = pipelines.submit(pipeline.id, "contract", parameters={"dataset": "nobody:1"})
    until(lambda: pipelines.run(run.id).status.settled)
    return pipelines.run(run.id)


def attempts(pipelines: Pipelines, run: PipelineRun) -> list[PipelineRun]:
    """Newest first."""
    return [each for each in pipelines.runs(pipeline_id=run.pipeline_id) if each.retry_of == run.id]


def over(pipelines: Pipelines, run: PipelineRun, count: int) -> bool:
    made = attempts(pipelines, run)
    return len(made) >= count and all(each.status.settled for each in made)


def test_a_retry_has_the_same_parameters_and_stops_at_n(pipelines, failed, until):
    attempt = pipelines.retry(failed.id, at_most=2)

    assert attempt.retry_of == failed.id
    assert attempt.parameters == failed.parameters
    assert (attempt.experiment, attempt.pipeline_id) == (failed.experiment, failed.pipeline_id)
    assert pipelines.run(failed.id).retry_of is None
    until(lambda: over(pipelines, failed, 2))
    first, second = attempts(pipelines, failed)[::-1]
    assert first.id == attempt.id
    assert second.parameters == failed.parameters
    until(lambda: _retried(pipelines, failed, at_most=1))  # the other two are done with
    until(lambda: over(pipelines, failed, 3))
    assert len(attempts(pipelines, failed)) == 3


def _retried(pipelines: Pipelines, run: PipelineRun, *, at_most: int) -> bool:
    try:
        pipelines.retry(run.id, at_most=at_most)
    except ConflictError:
        return False  # it is being retried still
    return True


def test_an_attempt_that_is_canceled_is_the_last(pipelines, failed, until):
    attempt = pipelines.retry(failed.id, at_most=5)
    pipelines.cancel(attempt.id)
    until(lambda: pipelines.run(attempt.id).status.settled)
    canceled = pipelines.run(attempt.id).status is RunStatus.CANCELED  # or it failed before

    until(lambda: canceled or over(pipelines, failed, 5))
    until(lambda: _retried(pipelines, failed, at_most=1))
    until(lambda: over(pipelines, failed, 2))
    assert len(attempts(pipelines, failed)) == (2 if canceled else 6)


def test_what_is_under_way_or_retried_already_is_not_retried(pipelines, pipeline, failed, until):
    under_way = pipelines.submit(pipeline.id, "contract")
    with pytest.raises(ConflictError, match="Only a failed run"):
        pipelines.retry(under_way.id)
    pipelines.cancel(under_way.id)

    pipelines.retry(failed.id, at_most=10)
    with pytest.raises(ConflictError, match="being retried already"):
        pipelines.retry(failed.id)
    pipelines.disable(pipeline.id)  # which ends it
    until(lambda: over(pipelines, failed, 1))


def test_what_cannot_be_retried_is_refused(pipelines, pipeline, failed):
    with pytest.raises(NotFoundError):
        pipelines.retry(UNKNOWN)
    for at_most in (0, 11):
        with pytest.raises(InvalidRequestError, match="between 1 and 10"):
            pipelines.retry(failed.id, at_most=at_most)
    pipelines.disable(pipeline.id)
    with pytest.raises(ConflictError, match="disabled"):
        pipelines.retry(failed.id)
    pipelines.enable(pipeline.id)
    assert attempts(pipelines, failed) == []
    assert pipelines.retry(failed.id).retry_of == failed.id


def test_a_step_that_does_not_exist_has_no_log(pipelines, pipeline):
    run = pipelines.submit(pipeline.id, "contract")
    pipelines.cancel(run.id)

    with pytest.raises(NotFoundError, match="deploy"):
        pipelines.logs(run.id, "deploy")


# --- pipeline endpoints -----------------------------------------------------------


def test_an_endpoint_stands_in_front_of_successive_pipelines(pipelines, pipeline, publish, name):
    second = pipelines.get(publish(pipeline.name))
    endpoint = pipelines.create_endpoint(name, pipeline.id, description="stable")
    first_version = endpoint.default_version

    endpoint = pipelines.add_endpoint_version(endpoint.id, second.id)

    assert endpoint in pipelines.endpoints()
    assert endpoint.versions[first_version] == pipeline.id
    assert endpoint.versions[endpoint.default_version] == second.id
    back = pipelines.set_default_version(endpoint.id, first_version)
    assert back.default_version == first_version


def test_an_endpoint_submits_its_default_version_or_the_one_asked_for(
    pipelines, pipeline, publish, name
):
    second = pipelines.get(publish(pipeline.name))
    endpoint = pipelines.create_endpoint(name, pipeline.id)
    pipelines.add_endpoint_version(endpoint.id, second.id, make_default=False)
    other = next(v for v, each in pipelines.endpoints()[0].versions.items() if each == second.id)

    default = pipelines.submit_endpoint(endpoint.id, "contract")
    asked = pipelines.submit_endpoint(endpoint.id, "contract", version=other)

    assert (default.pipeline_id, asked.pipeline_id) == (pipeline.id, second.id)
    for run in (default, asked):
        pipelines.cancel(run.id)


def test_an_endpoints_name_is_taken_once(pipelines, pipeline, name):
    pipelines.create_endpoint(name, pipeline.id)

    with pytest.raises(ConflictError, match=name):
        pipelines.create_endpoint(name, pipeline.id)


def test_a_disabled_endpoint_refuses_and_its_pipeline_does_not(pipelines, pipeline, name):
    endpoint = pipelines.create_endpoint(name, pipeline.id)
    pipelines.disable_endpoint(endpoint.id)

    with pytest.raises(ConflictError, match="disabled"):
        pipelines.submit_endpoint(endpoint.id, "contract")

    pipelines.cancel(pipelines.submit(pipeline.id, "contract").id)
    pipelines.enable_endpoint(endpoint.id)
    pipelines.cancel(pipelines.submit_endpoint(endpoint.id, "contract").id)


def test_an_unknown_version_is_not_found(pipelines, pipeline, name):
    endpoint = pipelines.create_endpoint(name, pipeline.id)

    with pytest.raises(NotFoundError, match="99"):
        pipelines.set_default_version(endpoint.id, "99")
    with pytest.raises(NotFoundError, match="99"):
        pipelines.submit_endpoint(endpoint.id, "contract", version="99")


def test_there_is_a_token_for_the_rest_endpoints(pipelines):
    assert pipelines.rest_token()
