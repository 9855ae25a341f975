"""The engine's pipelines, graphs, runs and endpoints in the pipelines service's words."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from services.domain import (
    AssetStatus,
    GraphNode,
    PipelineEndpoint,
    PipelineKind,
    PipelineRun,
    PublishedPipeline,
    RunStatus,
    StepRun,
)
from services.local.pipeline_definitions import definition
from tests.azure_double.answers import instant
from tests.azure_double.arm import API
from tests.azure_double.state import ARM, State

BASE = f"/pipelines/v1.0{ARM}"
EXTRAS = "pipelines.extras"  # in the double's memory: id → fields the engine does not keep
DATA_TYPES = (
    "AnyFile",
    "AnyDirectory",
    "AzureBlobReference",
    "AzureDataLakeReference",
    "AzureFilesReference",
    "AzureSqlDatabaseReference",
    "AzurePostgresDatabaseReference",
    "AzureDataLakeGen2Reference",
    "AzureMLDataset",
    "AzureMySqlDatabaseReference",
    "DBFSReference",
)
RUN_CODES = {
    RunStatus.COMPLETED: "Finished",
    RunStatus.FAILED: "Failed",
    RunStatus.CANCELED: "Canceled",
    RunStatus.QUEUED: "NotStarted",
    RunStatus.NOT_STARTED: "NotStarted",
}
STEP_TYPES = {"automl_module": "AutoMLStep"}
KINDS = (PipelineKind.RETRAINING, PipelineKind.BATCH_INFERENCE)


def with_extras(double: State, entity: dict[str, Any]) -> dict[str, Any]:
    """The entity with what a caller put into it, or a test wants answered."""
    return _merged(entity, double.memory.get(EXTRAS, {}).get(entity["Id"], {}))


def _merged(entity: Mapping[str, Any], extras: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(entity)
    for name, value in extras.items():
        nested = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = _merged(merged[name], value) if nested else value
    return merged


def keep_extras(double: State, entity_id: str, sent: Mapping[str, Any], own: set[str]) -> None:
    """What was sent and the engine does not keep: every field that is not in `own`."""
    extras = {name: value for name, value in sent.items() if name not in own}
    with double.lock:
        double.memory.setdefault(EXTRAS, {})[entity_id] = extras


def pipeline(double: State, each: PublishedPipeline) -> dict[str, Any]:
    return with_extras(
        double,
        {
            "Id": each.id,
            "Name": each.name,
            "Description": each.description,
            "Version": each.version,
            "GraphId": graph_id(each.kind),
            "TotalRunSteps": len(definition(each.kind).graph.nodes),
            "ParameterAssignments": {one.name: one.default for one in each.parameters},
            "DataSetDefinitionValueAssignments": {},
            "Url": f"{API}{BASE}/PipelineRuns/PipelineSubmit/{each.id}",
            "CreatedDate": instant(each.created_at),
            "LastModifiedDate": instant(each.created_at),
            "EntityStatus": each.status.value,
            "ContinueRunOnStepFailure": False,
            "Properties": {},
            "EnableNotification": False,
            "Etag": '"0"',
        },
    )


def endpoint(double: State, each: PipelineEndpoint) -> dict[str, Any]:
    return with_extras(
        double,
        {
            "Id": each.id,
            "Name": each.name,
            "Description": each.description,
            "DefaultVersion": each.default_version,
            "PipelineVersionList": [
                {"Version": version, "PipelineId": pipeline_id}
                for version, pipeline_id in each.versions.items()
            ],
            "Url": f"{API}{BASE}/PipelineRuns/PipelineEndpointSubmit/Id/{each.id}",
            "SwaggerUrl": f"{API}{BASE}/PipelineEndpoints/{each.id}/swagger",
            "CreatedDate": _endpoint_created(double, each.id),
            "LastModifiedDate": _endpoint_created(double, each.id),
            "EntityStatus": each.status.value,
            "Properties": {},
            "tags": {},
            "Etag": '"0"',
        },
    )


def _endpoint_created(double: State, endpoint_id: str) -> str:
    """The record has no date; the engine's row has."""
    with double.workspace.store.reading() as db:
        row = db.execute(
            "SELECT created_at FROM pipeline_endpoints WHERE id = ?", (endpoint_id,)
        ).fetchone()
    return str(row["created_at"])


# --- runs -------------------------------------------------------------------------


def run(double: State, each: PipelineRun) -> dict[str, Any]:
    kind = double.workspace.pipelines.get(each.pipeline_id).kind
    return with_extras(
        double,
        {
            "Id": each.id,
            "Description": each.experiment,
            "Status": {
                "StatusCode": RUN_CODES.get(each.status, "Running"),
                "StatusDetail": each.error or None,
                "CreationTime": instant(each.started_at or each.created_at),
                "EndTime": instant(each.ended_at),
            },
            "GraphId": graph_id(kind),
            "IsSubmitted": True,
            "HasErrors": bool(each.error),
            "HasWarnings": False,
            "ParameterAssignments": dict(each.parameters),
            "DataSetDefinitionValueAssignments": {},
            "RunHistoryExperimentName": each.experiment,
            "PipelineId": each.pipeline_id,
            "RunSource": each.run_source,
            "RunType": "Schedule" if each.schedule_id else "HTTP",
            "ScheduleId": each.schedule_id,
            "TotalRunSteps": len(definition(kind).graph.nodes),
            "tags": {},
            "Properties": {},
            "EntityStatus": "Active",
            "CreatedDate": instant(each.created_at),
            "LastModifiedDate": instant(each.ended_at or each.started_at or each.created_at),
            "Etag": '"0"',
        },
    )


def task(each: PipelineRun, step: StepRun) -> dict[str, Any]:
    """A step's ``TaskStatus``; an AutoML step's run is the AutoML parent itself."""
    run_id = f"{each.id}-{step.node_id}"
    if step.node_id == "automl_module" and each.training_run_id:
        run_id = each.training_run_id
    return {
        "StatusCode": step_code(step.status),
        "StatusDetail": step.error or None,
        "CreationTime": instant(each.created_at),
        "ScheduleTime": instant(step.started_at),
        "StartTime": instant(step.started_at),
        "EndTime": instant(step.ended_at),
        "RequestId": None,
        "RunId": run_id if step.started_at else None,
        "ReuseInfo": None,
        "RealTimeLogPath": None,
        "HasWarnings": False,
    }


def step_code(status: RunStatus) -> str:
    return "Queued" if status is RunStatus.QUEUED else RUN_CODES.get(status, "Running")


def status_of(word: str) -> AssetStatus:
    """As callers write it: the word, or the number older clients send."""
    return AssetStatus({"0": "Active", "2": "Disabled"}.get(word, word))


# --- graphs -----------------------------------------------------------------------


def graph_id(kind: PipelineKind) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"graph/{kind}"))


def graph(kind: PipelineKind) -> dict[str, Any]:
    """Every step is a module, joined as ``run_after`` would."""
    shape = definition(kind).graph
    return {
        "Id": graph_id(kind),
        "ModuleNodes": [_module_node(kind, node) for node in shape.nodes],
        "DatasetNodes": [],
        "Edges": [
            {
                "SourceOutputPort": {"NodeId": start, "PortName": "_run_after_output"},
                "DestinationInputPort": {"NodeId": end, "PortName": f"after_{start}"},
            }
            for start, end in shape.edges
        ],
        "EntityStatus": "Active",
        "DefaultCompute": None,
    }


def graph_interface(kind: PipelineKind) -> dict[str, Any]:
    return {
        "Parameters": [
            {"Name": name, "Documentation": each.description, "DefaultValue": "", "Type": "2"}
            for name, each in definition(kind).parameters.items()
        ],
        "MetadataParameters": [],
        "DataPathParameters": [],
        "DataPathParameterList": [],
        "Ports": {"Inputs": [], "Outputs": []},
    }


def module_id(kind: PipelineKind, node_id: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"module/{kind}/{node_id}"))


def _module_node(kind: PipelineKind, node: GraphNode) -> dict[str, Any]:
    return {
        "Id": node.id,
        "ModuleId": module_id(kind, node.id),
        "ModuleType": None,
        "Comment": node.name,
        "ModuleParameters": [],
        "ModuleMetadataParameters": [],
        "ModuleOutputSettings": [],
        "ModuleInputSettings": [],
        "UseGraphDefaultCompute": False,
        "RegenerateOutput": False,
    }


def module(wanted: str) -> dict[str, Any] | None:
    for kind in KINDS:
        shape = definition(kind).graph
        for node in shape.nodes:
            if module_id(kind, node.id) == wanted:
                before = [start for start, end in shape.edges if end == node.id]
                return _module(wanted, node, [f"after_{start}" for start in before])
    return None


def _module(wanted: str, node: GraphNode, inputs: list[str]) -> dict[str, Any]:
    output = "_run_after_output"
    return {
        "Data": {
            "Id": wanted,
            "Name": node.name,
            "Description": node.name,
            "IsDeterministic": False,
            "StepType": STEP_TYPES.get(node.kind, "PythonScriptStep"),
            "ModuleExecutionType": "escloud",
            "EntityStatus": "Active",
            "UploadState": "Completed",
            "StructuredInterface": {
                "CommandLinePattern": "",
                "Inputs": [
                    {"Name": each, "Label": each, "DataTypeIdsList": ["AnyFile"]} for each in inputs
                ],
                "Outputs": [{"Name": output, "Label": output, "DataTypeId": "AnyFile"}],
                "Parameters": [],
                "MetadataParameters": [],
            },
        },
        "Interface": {
            "Parameters": [],
            "MetadataParameters": [],
            "DataPathParameters": [],
            "Ports": {
                "Inputs": [{"Name": each, "DataTypesIds": ["AnyFile"]} for each in inputs],
                "Outputs": [{"Name": output, "DataTypeId": "AnyFile"}],
            },
        },
    }
