"""Schedules of an Azure ML workspace."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, NoReturn

from services import recurrence as rules
from services.azure import pipeline_records as records
from services.azure import schedule_records
from services.azure.connection import Connection
from services.azure.pipeline_endpoints import PipelineEndpoints
from services.azure.pipelines import KIND as PIPELINE
from services.azure.pipelines import check_parameters
from services.azure.pipelines_service import PipelinesService, RefusedError
from services.azure.schedule_entities import KIND, ScheduleEntities, name_of, status_of
from services.azure.schedule_pauses import SchedulePauses
from services.domain import (
    AssetStatus,
    Firing,
    PipelineRun,
    Recurrence,
    Schedule,
    check_asset_name,
)
from services.errors import InvalidRequestError, NotFoundError
from services.pauses import Ending, Pauses
from services.ports import Schedules
from services.schedule_changes import Changes

log = logging.getLogger(__name__)

BY_RECURRENCE = "0"


class AzureSchedules(Schedules):
    """`list` is one request. A change reads the whole entity, changes what was asked for and
    puts it back as it came. Pauses are kept on this machine."""

    def __init__(
        self,
        connection: Connection,
        pauses: Pauses,
        changes: Changes,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._connection = connection
        self._service = PipelinesService(connection)
        self._endpoints = PipelineEndpoints(connection, self._service)
        self._entities = ScheduleEntities(self._service, changes, clock)
        self._pauses = SchedulePauses(self._entities, pauses, connection.journal, clock=clock)

    def list(self) -> tuple[Schedule, ...]:
        paused = self._pauses.open()
        answer = self._service.get("Schedules", KIND, activeOnly="false")
        read = records.each(answer, self._entities.record, schedule_records.unreadable)
        known = self._entities.with_pasts(read)
        found = [self._pauses.shown(each, paused.get(each.id)) for each in known]
        return records.newest_first(found, lambda each: each.created_at)

    def with_last_runs(self, schedules: Sequence[Schedule]) -> tuple[Schedule, ...]:
        """One request for each, side by side."""
        ids = [each.id for each in schedules if each.id]
        runs = self._service.all("last run", "", [partial(self._last, each) for each in ids])
        last = dict(zip(ids, runs, strict=True))
        return tuple(replace(each, last_run=last.get(each.id)) for each in schedules)

    def get(self, schedule_id: str) -> Schedule:
        """Two requests: the schedule and its last run."""
        paused = self._pauses.open()
        read = records.one(self._entities.get(schedule_id), KIND, self._entities.record)
        (found,) = self._entities.with_pasts([read])
        return self.with_last_runs([self._pauses.shown(found, paused.get(found.id))])[0]

    def create(
        self,
        name: str,
        recurrence: Recurrence,
        *,
        pipeline_id: str | None = None,
        pipeline_endpoint_id: str | None = None,
        experiment: str,
        description: str = "",
        parameters: Mapping[str, str] | None = None,
    ) -> Schedule:
        """Two requests; three for an endpoint."""
        _check(name, recurrence, experiment)
        if (pipeline_id is None) == (pipeline_endpoint_id is None):
            raise InvalidRequestError(
                "A schedule submits either a pipeline or a pipeline endpoint."
            )
        self._check_target(pipeline_id, pipeline_endpoint_id, parameters or {})
        body = {
            "Name": name,
            "PipelineId": pipeline_id,
            "PipelineEndpointId": pipeline_endpoint_id,
            "PipelineSubmissionInfo": {
                "ExperimentName": experiment,
                "Description": description,
                "ParameterAssignments": dict(parameters or {}),
            },
            "Recurrence": schedule_records.write_recurrence(recurrence),
            "ScheduleType": BY_RECURRENCE,
        }
        created = self._entities.saved(self._service.post("Schedules/Create", body, KIND, name))
        self._note("create", name, after=_described(created))
        log.info("scheduled %s: %s", name, rules.in_words(recurrence))
        return created

    def update(
        self,
        schedule_id: str,
        *,
        name: str | None = None,
        recurrence: Recurrence | None = None,
        experiment: str | None = None,
        description: str | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> Schedule:
        entity = self._entities.get(schedule_id)
        before = records.one(entity, KIND, self._entities.record)
        if recurrence is not None:
            self._check_recurrence(before, recurrence)
        check_asset_name(KIND, name or before.name)
        if experiment is not None:
            check_asset_name("experiment", experiment)
        if parameters is not None:
            self._check_target(before.pipeline_id, before.pipeline_endpoint_id, parameters)
        given = {
            "ExperimentName": experiment,
            "Description": description,
            "ParameterAssignments": None if parameters is None else dict(parameters),
        }
        submission = {
            **(entity.get("PipelineSubmissionInfo") or {}),
            **{field: value for field, value in given.items() if value is not None},
        }
        changes: dict[str, Any] = {"PipelineSubmissionInfo": submission}
        if name is not None:
            changes["Name"] = name
        if recurrence is not None and recurrence != before.recurrence:
            changes["Recurrence"] = {
                **(entity.get("Recurrence") or {}),
                **schedule_records.write_recurrence(recurrence),
            }
        if {**entity, **changes} != entity:
            after = self._entities.put(entity, changes)
            self._note("update", after.name, before=_described(before), after=_described(after))
        return self.get(schedule_id)

    def enable(self, schedule_id: str) -> None:
        self._set_status(schedule_id, AssetStatus.ACTIVE)
        self._pauses.over(schedule_id, Ending.ENABLED)

    def disable(self, schedule_id: str) -> None:
        self._pauses.over(schedule_id, Ending.DISABLED)
        self._set_status(schedule_id, AssetStatus.DISABLED)

    def pause(
        self, schedule_ids: Sequence[str], *, reason: str, until: datetime
    ) -> tuple[str, ...]:
        return self._pauses.begin(schedule_ids, reason=reason, until=until)

    def resume_due(self) -> tuple[str, ...]:
        """For whoever watches this workspace, again and again; the names of what goes on."""
        return self._pauses.resume_due()

    def delete(self, schedule_id: str) -> NoReturn:
        """Source: azureml-pipeline-core 1.62.0, ``Schedule``, which can be disabled only."""
        raise InvalidRequestError("Azure ML keeps every schedule; disable it to stop it for good.")

    def firings(self, schedule_id: str, *, limit: int = 100) -> tuple[Firing, ...]:
        """Azure ML keeps no record of due times; each run it knows was one."""
        self._entities.get(schedule_id)
        answer = self._service.get(f"PipelineRuns/Schedule/{schedule_id}", KIND, schedule_id)
        runs = records.each(answer, records.run, records.unreadable_run)
        newest = records.newest_first(runs, lambda run: run.created_at)[:limit]
        return tuple(
            Firing(due_at=run.created_at, fired_at=run.created_at, run_id=run.id) for run in newest
        )

    # --- within ---

    def _last(self, schedule_id: str) -> PipelineRun | None:
        """One request; nothing for one that has not run, or that is gone."""
        try:
            answer = self._service.send("GET", f"PipelineRuns/Schedule/{schedule_id}/Last")
        except RefusedError as error:
            if error.status_code == 404:
                return None
            raise
        if answer is None:
            return None
        return records.each([answer], records.run, records.unreadable_run)[0]

    def _set_status(self, schedule_id: str, status: AssetStatus) -> None:
        entity = self._entities.get(schedule_id)
        before = status_of(entity)
        if before is status:
            return
        self._entities.set_status(entity, status)
        self._note(
            "enable" if status is AssetStatus.ACTIVE else "disable",
            name_of(entity),
            before={"status": before},
            after={"status": status},
        )

    def _check_recurrence(self, before: Schedule, recurrence: Recurrence) -> None:
        rules.check(recurrence)
        if before.irregular and recurrence != before.recurrence:
            raise InvalidRequestError(
                f"The recurrence of “{before.name}” cannot be changed here: {before.irregular}"
            )

    def _check_target(
        self, pipeline_id: str | None, endpoint_id: str | None, parameters: Mapping[str, str]
    ) -> None:
        """The target exists, and has these parameters today."""
        if endpoint_id is not None:
            endpoint = self._endpoints.get(endpoint_id)
            pipeline_id = endpoint.versions.get(endpoint.default_version)
            if pipeline_id is None:
                raise NotFoundError(
                    f"version of the pipeline endpoint “{endpoint.name}”", endpoint.default_version
                )
        answer = self._service.get(f"Pipelines/{pipeline_id}", PIPELINE, str(pipeline_id))
        check_parameters(records.one(answer, PIPELINE, records.pipeline), parameters)

    def _note(
        self,
        verb: str,
        name: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        self._connection.journal.record(
            f"schedule.{verb}", f"schedule/{name}", before=before, after=after
        )


def _check(name: str, recurrence: Recurrence, experiment: str) -> None:
    check_asset_name(KIND, name)
    check_asset_name("experiment", experiment)
    rules.check(recurrence)


def _described(schedule: Schedule) -> dict[str, Any]:
    """What the audit log says about a schedule."""
    return {
        "status": schedule.status,
        "experiment": schedule.experiment,
        "target": schedule.pipeline_id or schedule.pipeline_endpoint_id,
        "recurrence": schedule.irregular or rules.in_words(schedule.recurrence),
        "parameters": dict(schedule.parameters),
    }
