"""What is written about pipeline runs: by whoever submits them, the worker that does
them and the duty that finds them ended. Every method is one short transaction.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from services.domain import AssetStatus, PipelineKind, RunStatus, check_asset_name
from services.errors import ConflictError, NotFoundError
from services.local import audit
from services.local.clock import Clock, utc_now
from services.local.pipeline_definitions import definition, merged
from services.local.store import Store, stamp

_UNSETTLED_SQL = "status NOT IN ('Completed', 'Failed', 'Canceled')"


class PipelineJournal:
    """Rows of pipeline runs and the folders beside them. A settled run is never changed back."""

    def __init__(self, home: Path, store: Store, *, clock: Clock = utc_now) -> None:
        self._home = home
        self._store = store
        self._clock = clock

    def folder(self, run_id: str) -> Path:
        """Where a run keeps its logs and, when it scores, its output."""
        return self._home / "pipelines" / run_id

    def log(self, run_id: str, node_id: str | None = None) -> Path:
        """The log of one step, or of the whole run."""
        folder = self.folder(run_id) / "logs"
        return folder / f"{node_id}.log" if node_id else folder / "run.log"

    def output(self, run_id: str) -> Path:
        """The folder of a batch inference's scored rows, one Parquet file per chunk."""
        return self.folder(run_id) / "output"

    def submit(
        self,
        db: sqlite3.Connection,
        pipeline_id: str,
        experiment: str,
        *,
        parameters: Mapping[str, str],
        run_source: str,
        schedule_id: str | None = None,
        actor: str | None = None,
    ) -> str:
        """A new run for the supervisor to start, in the caller's transaction; its id.

        Raises:
            NotFoundError: no published pipeline has this id.
            ConflictError: it is disabled.
            InvalidRequestError: a parameter is unknown or its value cannot be used.
        """
        check_asset_name("experiment", experiment)
        row = db.execute("SELECT * FROM pipelines WHERE id = ?", (pipeline_id,)).fetchone()
        if row is None:
            raise NotFoundError("published pipeline", pipeline_id)
        if row["status"] != AssetStatus.ACTIVE:
            raise ConflictError(
                f"The pipeline “{row['name']}” is disabled; enable it to submit it again."
            )
        kind = PipelineKind(row["kind"])
        values = merged(kind, json.loads(row["fixed"]), json.loads(row["defaults"]), parameters)
        run_id = str(uuid.uuid4())
        db.execute(
            "INSERT INTO pipeline_runs (id, pipeline_id, experiment, status, created_at,"
            " schedule_id, run_source, parameters) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                run_id,
                pipeline_id,
                experiment,
                RunStatus.QUEUED,
                stamp(self._clock()),
                schedule_id,
                run_source,
                json.dumps(values),
            ),
        )
        db.executemany(
            "INSERT INTO pipeline_steps (run_id, position, node_id, name, status)"
            " VALUES (?, ?, ?, ?, ?)",
            [
                (run_id, position, node.id, node.name, RunStatus.NOT_STARTED)
                for position, node in enumerate(definition(kind).graph.nodes)
            ],
        )
        audit.record(
            db,
            action="pipeline.submit",
            subject=f"pipeline/{pipeline_id}",
            after={"run_id": run_id, "experiment": experiment, "parameters": dict(parameters)},
            actor=actor or (f"schedule/{schedule_id}" if schedule_id else None),
        )
        return run_id

    def enter(self, run_id: str) -> None:
        """The worker has begun."""
        with self._store.transaction() as db:
            db.execute(
                "UPDATE pipeline_runs SET status = ?, started_at = coalesce(started_at, ?)"
                f" WHERE id = ? AND {_UNSETTLED_SQL} AND cancel_requested_at IS NULL",
                (RunStatus.RUNNING, stamp(self._clock()), run_id),
            )

    def begin_step(self, run_id: str, node_id: str) -> None:
        with self._store.transaction() as db:
            db.execute(
                "UPDATE pipeline_steps SET status = ?, started_at = ?"
                " WHERE run_id = ? AND node_id = ?",
                (RunStatus.RUNNING, stamp(self._clock()), run_id, node_id),
            )

    def end_step(self, run_id: str, node_id: str, status: RunStatus, *, error: str = "") -> None:
        with self._store.transaction() as db:
            db.execute(
                "UPDATE pipeline_steps SET status = ?, ended_at = ?, error = ?"
                " WHERE run_id = ? AND node_id = ?",
                (status, stamp(self._clock()), error, run_id, node_id),
            )

    def settle(self, run_id: str, status: RunStatus, *, error: str = "") -> None:
        """End an unsettled run as `status`; the step at work ends the same way."""
        now = stamp(self._clock())
        with self._store.transaction() as db:
            changed = db.execute(
                "UPDATE pipeline_runs SET status = ?, ended_at = ?, error = ?,"
                f" started_at = coalesce(started_at, ?) WHERE id = ? AND {_UNSETTLED_SQL}",
                (status, now, error, now, run_id),
            ).rowcount
            if changed:
                db.execute(
                    "UPDATE pipeline_steps SET status = ?, ended_at = ?, error = ?"
                    " WHERE run_id = ? AND status = ?",
                    (status, now, error, run_id, RunStatus.RUNNING),
                )

    def note(
        self, run_id: str, *, training_run_id: str | None = None, model_id: str | None = None
    ) -> None:
        """Keep what a step started, made or used."""
        with self._store.transaction() as db:
            db.execute(
                "UPDATE pipeline_runs SET training_run_id = coalesce(?, training_run_id),"
                " model_id = coalesce(?, model_id) WHERE id = ?",
                (training_run_id, model_id, run_id),
            )

    def progress(self, run_id: str, *, total: int, done: int, failed: int) -> None:
        """How many rows of a batch inference are scored."""
        with self._store.transaction() as db:
            db.execute(
                "UPDATE pipeline_runs SET total_count = ?, done_count = ?, failed_count = ?,"
                " last_progress_at = ? WHERE id = ?",
                (total, done, failed, stamp(self._clock()), run_id),
            )

    def request_cancel(self, run_id: str) -> None:
        """Ask for an end; a run that has not left the queue ends at once."""
        now = stamp(self._clock())
        with self._store.transaction() as db:
            changed = db.execute(
                "UPDATE pipeline_runs SET cancel_requested_at = ?,"
                " ended_at = CASE status WHEN 'Queued' THEN ? END,"
                " status = CASE status WHEN 'Queued' THEN 'Canceled' ELSE 'CancelRequested' END"
                f" WHERE id = ? AND {_UNSETTLED_SQL} AND cancel_requested_at IS NULL",
                (now, now, run_id),
            ).rowcount
            if changed:
                audit.record(db, action="pipeline.cancel", subject=f"pipeline run/{run_id}")

    def unsettled(self) -> Sequence[sqlite3.Row]:
        """Runs that have not ended, oldest first."""
        with self._store.reading() as db:
            return db.execute(
                f"SELECT * FROM pipeline_runs WHERE {_UNSETTLED_SQL} ORDER BY created_at, id"
            ).fetchall()
