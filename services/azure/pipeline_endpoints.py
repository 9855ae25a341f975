"""Pipeline endpoints: stable addresses in front of successive published pipelines."""

from __future__ import annotations

from typing import Any

from services.azure import pipeline_records as records
from services.azure.connection import Connection
from services.azure.pipelines_service import PipelinesService
from services.domain import AssetStatus, PipelineEndpoint, check_asset_name
from services.errors import ConflictError, NotFoundError

KIND = "pipeline endpoint"
AT_MOST = "500"  # the service's own default is fewer


class PipelineEndpoints:
    """A change reads the whole entity, changes one field of it and puts it back."""

    def __init__(self, connection: Connection, service: PipelinesService) -> None:
        self._connection = connection
        self._service = service

    def list(self) -> tuple[PipelineEndpoint, ...]:
        answer = self._service.call(
            KIND,
            "",
            lambda: self._service.send(
                "GET",
                "PipelineEndpoints",
                query={"activeOnly": "false"},
                headers={"BatchSize": AT_MOST},
            ),
        )
        if isinstance(answer, list):
            answer.sort(key=_created, reverse=True)
        return tuple(records.each(answer, records.endpoint, records.unreadable_endpoint))

    def get(self, endpoint_id: str) -> PipelineEndpoint:
        return _record(self._entity(endpoint_id))

    def create(self, name: str, pipeline_id: str, *, description: str) -> PipelineEndpoint:
        check_asset_name(KIND, name)
        if self._named(name):
            raise ConflictError(f"A pipeline endpoint named “{name}” exists already.")
        body = {"Name": name, "Description": description, "PipelineId": pipeline_id}
        created = _record(self._service.post("PipelineEndpoints/Create", body, KIND, name))
        self._note("create", name, after={"id": created.id, "pipeline_id": pipeline_id})
        return created

    def add_version(
        self, endpoint_id: str, pipeline_id: str, *, make_default: bool
    ) -> PipelineEndpoint:
        entity = self._entity(endpoint_id)
        versions = list(entity.get("PipelineVersionList") or ())
        for each in versions:  # Source: azureml-pipeline-core 1.62.0 refuses it too
            if each["PipelineId"] == pipeline_id:
                raise ConflictError(
                    f"The pipeline is version {each['Version']} of this endpoint already."
                )
        version = str(max((int(each["Version"]) for each in versions), default=-1) + 1)
        changes: dict[str, Any] = {
            "PipelineVersionList": [*versions, {"Version": version, "PipelineId": pipeline_id}]
        }
        if make_default:
            changes["DefaultVersion"] = version
        changed = self._put(entity, changes)
        after = {"version": int(version), "pipeline_id": pipeline_id, "default": make_default}
        self._note("add_version", changed.name, after=after)
        return changed

    def set_default(self, endpoint_id: str, version: str) -> PipelineEndpoint:
        entity = self._entity(endpoint_id)
        before = _record(entity)
        check_version(before, version)
        changed = self._put(entity, {"DefaultVersion": version})
        self._note(
            "set_default_version",
            changed.name,
            before={"version": before.default_version},
            after={"version": version},
        )
        return changed

    def set_status(self, endpoint_id: str, status: AssetStatus) -> None:
        entity = self._entity(endpoint_id)
        before = records.asset_status(entity.get("EntityStatus"))
        if before is status:
            return
        changed = self._put(entity, {"EntityStatus": status.value})
        verb = "enable" if status is AssetStatus.ACTIVE else "disable"
        self._note(verb, changed.name, before={"status": before}, after={"status": status})

    # --- within ---

    def _entity(self, endpoint_id: str) -> records.Json:
        path = f"PipelineEndpoints/Id/{endpoint_id}"
        return records.entity(self._service.get(path, KIND, endpoint_id), KIND)

    def _named(self, name: str) -> bool:
        try:
            return bool(self._service.get("PipelineEndpoints/Name", KIND, name, Name=name))
        except NotFoundError:
            return False

    def _put(self, entity: records.Json, changes: dict[str, Any]) -> PipelineEndpoint:
        endpoint_id = entity["Id"]
        answer = self._service.put(
            f"PipelineEndpoints/{endpoint_id}", {**entity, **changes}, KIND, endpoint_id
        )
        return _record(answer)

    def _note(
        self,
        verb: str,
        name: str,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        self._connection.journal.record(
            f"pipeline_endpoint.{verb}", f"pipeline endpoint/{name}", before=before, after=after
        )


def check_version(endpoint: PipelineEndpoint, version: str) -> None:
    """Raises NotFoundError: the endpoint has no such version."""
    if version not in endpoint.versions:
        raise NotFoundError(f"version of the pipeline endpoint “{endpoint.name}”", version)


def _record(answer: Any) -> PipelineEndpoint:
    return records.one(answer, KIND, records.endpoint)


def _created(item: Any) -> str:
    return str(item.get("CreatedDate") or "") if isinstance(item, dict) else ""
