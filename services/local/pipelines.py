"""Published pipelines of the local workspace: rows that the supervisor turns into processes."""

from __future__ import annotations

import json
import logging
import secrets
import sqlite3
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.domain import (
    AssetStatus,
    LogTail,
    PipelineEndpoint,
    PipelineGraph,
    PipelineKind,
    PipelineRun,
    PublishedPipeline,
    RunStatus,
    StepRun,
    check_asset_name,
)
from services.errors import NotFoundError
from services.local import audit, pipeline_definitions, processes, retries
from services.local import pipeline_records as records
from services.local.clock import Clock, utc_now
from services.local.pipeline_endpoints import (
    EndpointTable,
    pipeline_behind,
    record_status,
    submit_path,
)
from services.local.pipeline_journal import PipelineJournal
from services.local.process_table import ProcessTable
from services.local.runs import LocalRuns
from services.local.store import Store, stamp
from services.ports import BatchInferencePlan, Pipelines, RetrainingPlan

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

_IDS_AT_ONCE = 500  # SQLite accepts more parameters, but not in every build


class LocalPipelines(Pipelines):
    """Submitting writes a row; the supervisor starts its worker. A run that claims to be at
    work is Not responding once its worker is gone, until the supervisor has decided."""

    def __init__(self, home: Path, store: Store, *, clock: Clock = utc_now) -> None:
        self._home = home
        self._store = store
        self._clock = clock
        self._journal = PipelineJournal(home, store, clock=clock)
        self._endpoints = EndpointTable(home, store, clock=clock)
        self._workers = ProcessTable(store)

    # --- published pipelines ---

    def list(self) -> tuple[PublishedPipeline, ...]:
        with self._store.reading() as db:
            rows = db.execute("SELECT * FROM pipelines ORDER BY created_at DESC, id").fetchall()
        return tuple(map(self._pipeline, rows))

    def get(self, pipeline_id: str) -> PublishedPipeline:
        with self._store.reading() as db:
            return self._pipeline(_pipeline_row(db, pipeline_id))

    def graph(self, pipeline_id: str) -> PipelineGraph:
        return pipeline_definitions.definition(self.get(pipeline_id).kind).graph

    def publish_retraining(
        self, name: str, plan: RetrainingPlan, *, description: str = ""
    ) -> PublishedPipeline:
        # Looks at the dataset, which takes pandas: seconds to import.
        from services.local import automl_request
        from services.local.datasets import LocalDatasets

        if plan.model_name:
            check_asset_name("model", plan.model_name)
        automl_request.checked(plan.settings, LocalDatasets(self._home, self._store))
        defaults, fixed = pipeline_definitions.retraining(plan)
        return self._publish(name, PipelineKind.RETRAINING, defaults, fixed, description)

    def publish_batch_inference(
        self, name: str, plan: BatchInferencePlan, *, description: str = ""
    ) -> PublishedPipeline:
        from services.local.datasets import LocalDatasets
        from services.local.models import LocalModels

        dataset, version = pipeline_definitions.split_reference(plan.dataset_id)
        LocalDatasets(self._home, self._store).get(dataset, version)
        model, model_version = pipeline_definitions.split_reference(plan.model_id)
        models = LocalModels(self._home, self._store)
        if model_version is not None:
            models.get(plan.model_id)
        elif model not in {each.name for each in models.list()}:
            raise NotFoundError("model", model)
        defaults, fixed = pipeline_definitions.batch_inference(plan)
        return self._publish(name, PipelineKind.BATCH_INFERENCE, defaults, fixed, description)

    def enable(self, pipeline_id: str) -> None:
        self._set_status(pipeline_id, AssetStatus.ACTIVE)

    def disable(self, pipeline_id: str) -> None:
        self._set_status(pipeline_id, AssetStatus.DISABLED)

    def submit(
        self,
        pipeline_id: str,
        experiment: str,
        *,
        parameters: Mapping[str, str] | None = None,
        run_source: str = "Dashboard",
    ) -> PipelineRun:
        with self._store.transaction() as db:
            run_id = self._journal.submit(
                db, pipeline_id, experiment, parameters=parameters or {}, run_source=run_source
            )
        log.info("submitted pipeline %s as run %s", pipeline_id, run_id)
        return self.run(run_id)

    # --- runs ---

    def runs(
        self,
        *,
        pipeline_id: str | None = None,
        schedule_id: str | None = None,
        limit: int = 200,
    ) -> tuple[PipelineRun, ...]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM pipeline_runs WHERE (? IS NULL OR pipeline_id = ?)"
                " AND (? IS NULL OR schedule_id = ?) ORDER BY created_at DESC, id LIMIT ?",
                (pipeline_id, pipeline_id, schedule_id, schedule_id, limit),
            ).fetchall()
        return tuple(self._observed(rows))

    def run(self, run_id: str) -> PipelineRun:
        return next(iter(self._observed([self._run_row(run_id)])))

    def steps(self, run_id: str) -> tuple[StepRun, ...]:
        self._run_row(run_id)
        return self.steps_of([run_id])[run_id]

    def steps_of(self, run_ids: Sequence[str]) -> Mapping[str, tuple[StepRun, ...]]:
        found: dict[str, tuple[StepRun, ...]] = {run_id: () for run_id in run_ids}
        with self._store.reading() as db:
            for start in range(0, len(run_ids), _IDS_AT_ONCE):
                some = [*run_ids[start : start + _IDS_AT_ONCE]]
                marks = ", ".join("?" * len(some))
                found |= records.steps(
                    db.execute(
                        f"SELECT * FROM pipeline_steps WHERE run_id IN ({marks})"
                        " ORDER BY run_id, position",
                        some,
                    )
                )
        return found

    def logs(self, run_id: str, node_id: str | None = None, *, line_limit: int = 1000) -> LogTail:
        if node_id is not None and node_id not in [each.node_id for each in self.steps(run_id)]:
            raise NotFoundError(f"step of the run {run_id}", node_id)
        self._run_row(run_id)
        text, complete = processes.tail(self._journal.log(run_id, node_id), line_limit)
        return LogTail(
            text=text, line_count=len(text.splitlines()), limit=line_limit, complete=complete
        )

    def cancel(self, run_id: str) -> None:
        row = self._run_row(run_id)
        self._journal.request_cancel(run_id)
        if row["training_run_id"] is not None:
            LocalRuns(self._home, self._store).cancel(row["training_run_id"])
        log.info("asked pipeline run %s to end", run_id)

    def retry(self, run_id: str, *, at_most: int = 1) -> PipelineRun:
        with self._store.transaction() as db:
            attempt = retries.begin(db, self._journal, run_id, at_most=at_most, now=self._clock())
        log.info("retrying run %s, at most %d times: %s", run_id, at_most, attempt)
        return self.run(attempt)

    def batch_output(self, run_id: str) -> pd.DataFrame:
        self._run_row(run_id)
        parts = sorted(self._journal.output(run_id).glob("*.parquet"))
        if not parts:
            raise NotFoundError("output of the pipeline run", run_id)
        import pandas as pd  # seconds to import

        return pd.concat(map(pd.read_parquet, parts), ignore_index=True)

    # --- pipeline endpoints ---

    def endpoints(self) -> tuple[PipelineEndpoint, ...]:
        return self._endpoints.list()

    def create_endpoint(
        self, name: str, pipeline_id: str, *, description: str = ""
    ) -> PipelineEndpoint:
        self.get(pipeline_id)
        return self._endpoints.create(name, pipeline_id, description=description)

    def add_endpoint_version(
        self, endpoint_id: str, pipeline_id: str, *, make_default: bool = True
    ) -> PipelineEndpoint:
        self.get(pipeline_id)
        return self._endpoints.add_version(endpoint_id, pipeline_id, make_default=make_default)

    def set_default_version(self, endpoint_id: str, version: str) -> PipelineEndpoint:
        return self._endpoints.set_default(endpoint_id, version)

    def enable_endpoint(self, endpoint_id: str) -> None:
        self._endpoints.set_status(endpoint_id, AssetStatus.ACTIVE)

    def disable_endpoint(self, endpoint_id: str) -> None:
        self._endpoints.set_status(endpoint_id, AssetStatus.DISABLED)

    def submit_endpoint(
        self,
        endpoint_id: str,
        experiment: str,
        *,
        version: str | None = None,
        parameters: Mapping[str, str] | None = None,
        run_source: str = "Dashboard",
    ) -> PipelineRun:
        with self._store.transaction() as db:
            run_id = self._journal.submit(
                db,
                pipeline_behind(db, endpoint_id, version),
                experiment,
                parameters=parameters or {},
                run_source=run_source,
            )
        log.info("submitted pipeline endpoint %s as run %s", endpoint_id, run_id)
        return self.run(run_id)

    def rest_token(self) -> str:
        return self._store.setting_or("pipelines_rest_token", secrets.token_urlsafe(32))

    # --- within ---

    def _publish(
        self,
        name: str,
        kind: PipelineKind,
        defaults: Mapping[str, str],
        fixed: Mapping[str, Any],
        description: str,
    ) -> PublishedPipeline:
        check_asset_name("pipeline", name)
        pipeline_definitions.merged(kind, fixed, defaults, {})
        pipeline_id = str(uuid.uuid4())
        with self._store.transaction() as db:
            newest = db.execute(
                "SELECT coalesce(max(version), 0) AS version FROM pipelines WHERE name = ?", (name,)
            ).fetchone()
            db.execute(
                "INSERT INTO pipelines (id, name, version, kind, status, created_at, description,"
                " defaults, fixed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    pipeline_id,
                    name,
                    newest["version"] + 1,
                    kind,
                    AssetStatus.ACTIVE,
                    stamp(self._clock()),
                    description,
                    json.dumps(dict(defaults)),
                    json.dumps(dict(fixed)),
                ),
            )
            audit.record(
                db,
                action="pipeline.publish",
                subject=f"pipeline/{pipeline_id}",
                after={"name": name, "kind": kind, "parameters": dict(defaults)},
            )
        log.info("published %s %s as %s", kind, name, pipeline_id)
        return self.get(pipeline_id)

    def _set_status(self, pipeline_id: str, status: AssetStatus) -> None:
        with self._store.transaction() as db:
            row = _pipeline_row(db, pipeline_id)
            db.execute("UPDATE pipelines SET status = ? WHERE id = ?", (status, pipeline_id))
            record_status(db, "pipeline", pipeline_id, row["status"], status)

    def _pipeline(self, row: sqlite3.Row) -> PublishedPipeline:
        return records.pipeline(row, submit_path=submit_path(self._home))

    def _run_row(self, run_id: str) -> sqlite3.Row:
        with self._store.reading() as db:
            row: sqlite3.Row | None = db.execute(
                "SELECT * FROM pipeline_runs WHERE id = ?", (run_id,)
            ).fetchone()
        if row is None:
            raise NotFoundError("pipeline run", run_id)
        return row

    def _observed(self, rows: Iterable[sqlite3.Row]) -> Iterable[PipelineRun]:
        for row in rows:
            worker = None
            if row["status"] == RunStatus.RUNNING:
                worker = self._workers.observed(worker_key(row["id"]))
                if worker is None or not worker.running:
                    yield records.run(row, status=RunStatus.NOT_RESPONDING)
                    continue
            yield records.run(row)


def worker_key(run_id: str) -> str:
    """What the supervisor calls the program that does this run."""
    return f"pipeline/{run_id}"


def _pipeline_row(db: sqlite3.Connection, pipeline_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM pipelines WHERE id = ?", (pipeline_id,)
    ).fetchone()
    if row is None:
        raise NotFoundError("published pipeline", pipeline_id)
    return row
