"""The pipelines service's schedules; the engine's supervisor fires them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.domain import AssetStatus, Frequency, Recurrence, Schedule, WeekDay
from services.time_zones import azure_name, iana_name
from tests.azure_double import pipeline_entities as entities
from tests.azure_double.answers import error, instant, state, with_json
from tests.azure_double.pipeline_entities import BASE
from tests.azure_double.state import State

MANY = 10_000
ENGINES_OWN = {"Id", "Name", "EntityStatus", "PipelineId", "PipelineEndpointId", "LastModifiedDate"}
CHANGES = ("schedule.update", "schedule.enable", "schedule.disable")  # in the engine's audit log
PARTS_OWN = {
    "PipelineSubmissionInfo": {"ExperimentName", "Description", "ParameterAssignments"},
    "Recurrence": {"Frequency", "Interval", "StartTime", "TimeZone", "Schedule"},
}


def schedules(request: Request) -> Response:
    double = state(request)
    wanted = request.path_params.get("id")  # of a target all are listed
    active_only = wanted is None and request.query_params["activeOnly"].lower() == "true"
    found = [
        entity(double, each)
        for each in double.workspace.schedules.list()
        if (each.status is AssetStatus.ACTIVE or not active_only)
        and wanted in (None, each.pipeline_id, each.pipeline_endpoint_id)
    ]
    return JSONResponse([*found, *double.memory.get("schedules.more", [])])


def schedule(request: Request) -> Response:
    return _answer(request, request.path_params["id"])


def create(request: Request, sent: Any) -> Response:
    double, submission = state(request), sent["PipelineSubmissionInfo"]
    if str(sent["ScheduleType"]) != "0":
        return error(400, "UserError", "The double fires schedules by their recurrence only.")
    created = double.workspace.schedules.create(
        sent["Name"],
        recurrence(sent["Recurrence"]),
        pipeline_id=sent.get("PipelineId"),
        pipeline_endpoint_id=sent.get("PipelineEndpointId"),
        experiment=submission["ExperimentName"],
        description=submission.get("Description") or "",
        parameters=submission.get("ParameterAssignments") or {},
    )
    _keep(double, created.id, sent)
    return _answer(request, created.id)


def change(request: Request, sent: Any) -> Response:
    """A whole entity; what the engine does not know is kept as it was sent."""
    double, wanted = state(request), request.path_params["id"]
    port, submission = double.workspace.schedules, sent["PipelineSubmissionInfo"]
    unchanged = sent["Recurrence"] == entity(double, port.get(wanted))["Recurrence"]
    port.update(
        wanted,
        name=sent["Name"],
        recurrence=None if unchanged else recurrence(sent["Recurrence"]),
        experiment=submission["ExperimentName"],
        description=submission.get("Description") or "",
        parameters=submission.get("ParameterAssignments") or {},
    )
    active = entities.status_of(sent["EntityStatus"]) is AssetStatus.ACTIVE
    (port.enable if active else port.disable)(wanted)
    _keep(double, wanted, sent, whole="Recurrence" if unchanged else "")
    return _answer(request, wanted)


def runs(request: Request) -> Response:
    double = state(request)
    return JSONResponse([entities.run(double, each) for each in _runs(request)])


def last_run(request: Request) -> Response:
    found = _runs(request)
    if not found:
        return Response(status_code=204)
    return JSONResponse(entities.run(state(request), found[0]))


def _runs(request: Request) -> Any:
    local, wanted = state(request).workspace, request.path_params["id"]
    local.schedules.get(wanted)
    return local.pipelines.runs(schedule_id=wanted, limit=MANY)


def _answer(request: Request, wanted: str) -> Response:
    double = state(request)
    return JSONResponse(entity(double, double.workspace.schedules.get(wanted)))


def entity(double: State, each: Schedule) -> dict[str, Any]:
    """The engine's schedule in Azure's words, with what the engine does not keep."""
    return entities.with_extras(
        double,
        {
            "Id": each.id,
            "Name": each.name,
            "PipelineId": each.pipeline_id,
            "PipelineEndpointId": each.pipeline_endpoint_id,
            "ProvisioningStatus": "Completed",
            "PipelineSubmissionInfo": {
                "ExperimentName": each.experiment,
                "Description": each.description,
                "ParameterAssignments": dict(each.parameters),
                "RunSource": "Schedule",
                "RunType": "Schedule",
                "ScheduleId": each.id,
                "EnableNotification": False,
                "tags": {},
                "Properties": {},
            },
            "Recurrence": _recurrence(each.recurrence),
            "ScheduleType": "Recurrence",
            "DataStoreTriggerInfo": None,
            "EntityStatus": each.status.value,
            "CreatedDate": instant(each.created_at),
            "LastModifiedDate": instant(_changed_at(double, each)),
            "Etag": '"0"',
        },
    )


def _changed_at(double: State, each: Schedule) -> datetime | None:
    """By whomever; the engine notes when."""
    events = double.workspace.audit.list(subject=f"schedule/{each.name}", limit=MANY)
    changes = [event.at for event in events if event.action in CHANGES]
    return max(changes, default=each.created_at)


def _keep(double: State, schedule_id: str, sent: Mapping[str, Any], *, whole: str = "") -> None:
    """What the engine does not keep; of the part named by `whole`, everything."""
    fields = dict(sent)
    for part, own in PARTS_OWN.items():
        if part != whole and isinstance(sent.get(part), dict):
            fields[part] = {name: each for name, each in sent[part].items() if name not in own}
    entities.keep_extras(double, schedule_id, fields, ENGINES_OWN)


def recurrence(sent: Mapping[str, Any]) -> Recurrence:
    slots = sent.get("Schedule") or {}
    start = sent.get("StartTime")
    return Recurrence(
        frequency=Frequency(sent["Frequency"]),
        interval=sent["Interval"],
        start_time=datetime.fromisoformat(start) if start else None,
        time_zone=iana_name(sent.get("TimeZone") or "UTC"),
        hours=tuple(slots.get("Hours") or ()),
        minutes=tuple(slots.get("Minutes") or ()),
        week_days=tuple(WeekDay(each) for each in slots.get("WeekDays") or ()),
    )


def _recurrence(each: Recurrence) -> dict[str, Any]:
    slots = {
        "Hours": list(each.hours) or None,
        "Minutes": list(each.minutes) or None,
        "WeekDays": [day.value for day in each.week_days] or None,
    }
    return {
        "Frequency": each.frequency.value,
        "Interval": each.interval,
        "StartTime": each.start_time.isoformat() if each.start_time else None,
        "TimeZone": azure_name(each.time_zone),
        "Schedule": slots if any(slots.values()) else None,
    }


routes = [
    Route(f"{BASE}/Schedules", schedules),
    Route(f"{BASE}/Schedules/Create", with_json(create), methods=["POST"]),
    Route(f"{BASE}/Schedules/Pipeline/{{id}}", schedules),
    Route(f"{BASE}/Schedules/PipelineEndpoint/{{id}}", schedules),
    Route(f"{BASE}/Schedules/{{id}}", schedule),
    Route(f"{BASE}/Schedules/{{id}}", with_json(change), methods=["PUT"]),
    Route(f"{BASE}/PipelineRuns/Schedule/{{id}}", runs),
    Route(f"{BASE}/PipelineRuns/Schedule/{{id}}/Last", last_run),
]
