"""The engine's runs in run history's words: parents, children, pipeline runs, their steps."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from services.domain import PipelineRun, Run, RunKind, RunStatus, StepRun
from tests.azure_double import datasets
from tests.azure_double.answers import instant
from tests.azure_double.arm import API
from tests.azure_double.run_artifacts import container_of
from tests.azure_double.state import ARM, State

MANY = 10_000
OVERRIDES = "runs.overrides"  # in the double's memory: run id → fields to answer otherwise
RUN_TYPES = {RunKind.AUTOML: "automl", RunKind.AUTOML_CHILD: None}


def experiment_id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"experiment/{name}"))


def saved_dataset_id(dataset_id: str) -> str:
    """The id under which Azure keeps one version of a dataset, for good."""
    return str(uuid.uuid5(datasets.SPACE, dataset_id))


def everything(double: State, experiment: str | None = None) -> Iterator[dict[str, Any]]:
    """Every run there is, of one experiment or of all, in no order."""
    engine = double.workspace
    for parent in engine.runs.list(experiment, limit=MANY):
        children = engine.runs.children(parent.id)
        yield _known(double, _automl(parent, children))
        for child in children:
            yield _known(double, _automl_child(child))
    for run in engine.pipelines.runs(limit=MANY):
        if experiment in (None, run.experiment):
            yield _known(double, _pipeline(run))
            for step in engine.pipelines.steps(run.id):
                yield _known(double, _step(run, step))


def _known(double: State, record: dict[str, Any]) -> dict[str, Any]:
    """With what a test wants answered otherwise."""
    return record | double.memory.get(OVERRIDES, {}).get(record["runId"], {})


def _automl(run: Run, children: tuple[Run, ...]) -> dict[str, Any]:
    properties = dict(run.properties)
    settings = json.loads(properties.pop("AMLSettingsJsonString", "{}"))
    dataset = saved_dataset_id(run.dataset_id) if run.dataset_id else None
    prepared = json.dumps({"training_data": {"datasetId": dataset}, "datasets": 0})
    return _record(
        run,
        properties={
            **properties,
            "AMLSettingsJsonString": json.dumps(_in_azures_words(run, settings, dataset)),
            "DataPrepJsonString": prepared.replace('"', '\\"'),  # so Azure writes it
            "ClientType": "SDK",
            "CancelUri": f"{API}/jasmine/v1.0{ARM}/experimentids/"
            f"{experiment_id(run.experiment)}/cancel/{run.id}",
        },
        tags={**run.tags, **_summary(children)},
        run_type="automl",
        orchestrator="AutoML",
    )


def _in_azures_words(
    run: Run, settings: Mapping[str, Any], dataset: str | None
) -> Mapping[str, Any]:
    """Azure's names where the engine's differ, and numbers where it has none."""
    renamed = dict(settings)
    for ours, theirs in (
        ("enable_voting_ensemble", "enable_ensembling"),
        ("enable_stack_ensemble", "enable_stack_ensembling"),
    ):
        renamed[theirs] = renamed.pop(ours, True)
    renamed["validation_size"] = renamed.get("validation_size") or 0.0
    return {"path": None, "name": run.experiment, "dataset_id": dataset, **renamed}


def _summary(children: tuple[Run, ...]) -> Mapping[str, str]:
    """What AutoML writes on the parent about its children, one tag per fact."""
    done = [each for each in children if each.score is not None]
    facts = {
        "iteration": [each.properties.get("iteration", str(each.number)) for each in done],
        "score": [repr(each.score) for each in done],
        "run_algorithm": [each.properties.get("run_algorithm", "") for each in done],
        "run_preprocessor": [each.properties.get("run_preprocessor", "") for each in done],
    }
    return {f"{name}_000": ";".join(values) for name, values in facts.items() if values}


def _automl_child(run: Run) -> dict[str, Any]:
    return _record(run, properties=run.properties, tags=run.tags, run_type=None, orchestrator=None)


def _record(
    run: Run,
    *,
    properties: Mapping[str, str],
    tags: Mapping[str, str],
    run_type: str | None,
    orchestrator: str | None,
) -> dict[str, Any]:
    return _common(run.id, run.experiment, run.status, number=run.number, error=run.error) | {
        "parentRunId": run.parent_id,
        "rootRunId": run.parent_id or run.id,
        "createdUtc": instant(run.created_at),
        "startTimeUtc": instant(run.started_at),
        "endTimeUtc": instant(run.ended_at),
        "runType": run_type,
        "runTypeV2": {"orchestrator": orchestrator, "traits": []} if orchestrator else None,
        "displayName": run.id,
        "properties": dict(properties),
        "tags": dict(tags),
    }


def _pipeline(run: PipelineRun) -> dict[str, Any]:
    return _common(run.id, run.experiment, run.status, error=run.error) | {
        "rootRunId": run.id,
        "createdUtc": instant(run.created_at),
        "startTimeUtc": instant(run.started_at),
        "endTimeUtc": instant(run.ended_at),
        "runType": "azureml.PipelineRun",
        "displayName": run.id,
        "properties": {
            "azureml.runsource": "azureml.PipelineRun",
            "runSource": run.run_source,
            "runType": "Schedule" if run.schedule_id else "HTTP",
            "azureml.parameters": json.dumps(dict(run.parameters)),
            "azureml.pipelineid": run.pipeline_id,
        },
    }


def _step(run: PipelineRun, step: StepRun) -> dict[str, Any]:
    started_at = step.started_at or run.created_at
    step_id = f"{run.id}-{step.node_id}"  # without a slash: it is part of addresses
    return _common(step_id, run.experiment, step.status, error=step.error) | {
        "name": step.name,
        "parentRunId": run.id,
        "rootRunId": run.id,
        "createdUtc": instant(started_at),
        "startTimeUtc": instant(step.started_at),
        "endTimeUtc": instant(step.ended_at),
        "runType": "azureml.StepRun",
        "displayName": step.name,
        "properties": {"azureml.runsource": "azureml.StepRun", "azureml.nodeid": step.node_id},
        "tags": {"azureml.nodeid": step.node_id, "azureml.pipeline": run.id},
    }


def _common(
    run_id: str, experiment: str, status: RunStatus, *, number: int = 1, error: str = ""
) -> dict[str, Any]:
    return {
        "runId": run_id,
        "runNumber": number,
        "experimentId": experiment_id(experiment),
        "parentRunId": None,
        "status": status.value,
        "name": run_id,
        "target": "local",
        "dataContainerId": container_of(run_id),
        "cancelUri": None,
        "hidden": False,
        "description": None,
        "createdBy": {"userObjectId": None, "userTenantId": None, "userName": "Loopback"},
        "error": {"error": {"code": "UserError", "message": error}} if error else None,
        "runTypeV2": None,
        "tags": {},
    }
