"""Pipeline endpoints: stable names in front of successive published pipelines."""

from __future__ import annotations

import sqlite3
import uuid
from pathlib import Path

from services.domain import AssetStatus, PipelineEndpoint, check_asset_name
from services.errors import ConflictError, NotFoundError
from services.local import audit
from services.local import pipeline_records as records
from services.local.clock import Clock, utc_now
from services.local.store import Store, stamp


class EndpointTable:
    """Versions count from 0, as on Azure, and are never taken away."""

    def __init__(self, home: Path, store: Store, *, clock: Clock = utc_now) -> None:
        self._home = home
        self._store = store
        self._clock = clock

    def list(self) -> tuple[PipelineEndpoint, ...]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM pipeline_endpoints ORDER BY created_at DESC, id"
            ).fetchall()
            return tuple(self._record(db, row) for row in rows)

    def create(self, name: str, pipeline_id: str, *, description: str) -> PipelineEndpoint:
        check_asset_name("pipeline endpoint", name)
        endpoint_id = str(uuid.uuid4())
        try:
            with self._store.transaction() as db:
                db.execute(
                    "INSERT INTO pipeline_endpoints (id, name, status, created_at, description,"
                    " default_version) VALUES (?, ?, ?, ?, ?, 0)",
                    (endpoint_id, name, AssetStatus.ACTIVE, stamp(self._clock()), description),
                )
                _add_version(db, endpoint_id, 0, pipeline_id)
                audit.record(
                    db,
                    action="pipeline_endpoint.create",
                    subject=f"pipeline endpoint/{name}",
                    after={"id": endpoint_id, "pipeline_id": pipeline_id},
                )
        except sqlite3.IntegrityError as error:
            raise ConflictError(f"A pipeline endpoint named “{name}” exists already.") from error
        return self._get(endpoint_id)

    def add_version(
        self, endpoint_id: str, pipeline_id: str, *, make_default: bool
    ) -> PipelineEndpoint:
        with self._store.transaction() as db:
            row = _row(db, endpoint_id)
            version = max(int(each) for each in _versions(db, endpoint_id)) + 1
            _add_version(db, endpoint_id, version, pipeline_id)
            if make_default:
                _set_default(db, endpoint_id, version)
            audit.record(
                db,
                action="pipeline_endpoint.add_version",
                subject=f"pipeline endpoint/{row['name']}",
                after={"version": version, "pipeline_id": pipeline_id, "default": make_default},
            )
        return self._get(endpoint_id)

    def set_default(self, endpoint_id: str, version: str) -> PipelineEndpoint:
        with self._store.transaction() as db:
            row = _row(db, endpoint_id)
            if version not in _versions(db, endpoint_id):
                raise NotFoundError(f"version of the pipeline endpoint “{row['name']}”", version)
            _set_default(db, endpoint_id, int(version))
            audit.record(
                db,
                action="pipeline_endpoint.set_default_version",
                subject=f"pipeline endpoint/{row['name']}",
                before={"version": row["default_version"]},
                after={"version": int(version)},
            )
        return self._get(endpoint_id)

    def set_status(self, endpoint_id: str, status: AssetStatus) -> None:
        with self._store.transaction() as db:
            row = _row(db, endpoint_id)
            db.execute(
                "UPDATE pipeline_endpoints SET status = ? WHERE id = ?", (status, endpoint_id)
            )
            record_status(db, "pipeline endpoint", row["name"], row["status"], status)

    def _get(self, endpoint_id: str) -> PipelineEndpoint:
        with self._store.reading() as db:
            return self._record(db, _row(db, endpoint_id))

    def _record(self, db: sqlite3.Connection, row: sqlite3.Row) -> PipelineEndpoint:
        return records.endpoint(row, _versions(db, row["id"]), submit_path=submit_path(self._home))


def submit_path(home: Path) -> str:
    """Where the REST triggers of this workspace are, on the dashboard's own address."""
    name = home.name.lstrip(".") or "local"
    return (
        "/pipelines/v1.0/subscriptions/local/resourceGroups/local/providers"
        f"/Microsoft.MachineLearningServices/workspaces/{name}/PipelineRuns"
    )


def pipeline_behind(db: sqlite3.Connection, endpoint_id: str, version: str | None) -> str:
    """The published pipeline an endpoint would submit.

    Raises:
        NotFoundError: no such endpoint or version.
        ConflictError: the endpoint is disabled.
    """
    row = _row(db, endpoint_id)
    if row["status"] != AssetStatus.ACTIVE:
        raise ConflictError(
            f"The pipeline endpoint “{row['name']}” is disabled; enable it to submit it again."
        )
    wanted = str(row["default_version"]) if version is None else version
    try:
        return _versions(db, endpoint_id)[wanted]
    except KeyError as error:
        raise NotFoundError(f"version of the pipeline endpoint “{row['name']}”", wanted) from error


def record_status(
    db: sqlite3.Connection, kind: str, name: str, before: str, after: AssetStatus
) -> None:
    """Audit that something was enabled or disabled, unless it was so already."""
    if before != after:
        verb = "enable" if after is AssetStatus.ACTIVE else "disable"
        audit.record(
            db,
            action=f"{kind.replace(' ', '_')}.{verb}",
            subject=f"{kind}/{name}",
            before={"status": before},
            after={"status": after},
        )


def _row(db: sqlite3.Connection, endpoint_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM pipeline_endpoints WHERE id = ?", (endpoint_id,)
    ).fetchone()
    if row is None:
        raise NotFoundError("pipeline endpoint", endpoint_id)
    return row


def _versions(db: sqlite3.Connection, endpoint_id: str) -> dict[str, str]:
    rows = db.execute(
        "SELECT version, pipeline_id FROM pipeline_endpoint_versions WHERE endpoint_id = ?"
        " ORDER BY version",
        (endpoint_id,),
    )
    return {str(row["version"]): row["pipeline_id"] for row in rows}


def _add_version(db: sqlite3.Connection, endpoint_id: str, version: int, pipeline_id: str) -> None:
    db.execute(
        "INSERT INTO pipeline_endpoint_versions (endpoint_id, version, pipeline_id)"
        " VALUES (?, ?, ?)",
        (endpoint_id, version, pipeline_id),
    )


def _set_default(db: sqlite3.Connection, endpoint_id: str, version: int) -> None:
    db.execute(
        "UPDATE pipeline_endpoints SET default_version = ? WHERE id = ?", (version, endpoint_id)
    )
