"""What is written about runs: by the dashboard that queues them, the worker that does
them and the duty that finds them ended. Every method is one short transaction.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from services.domain import (
    AutoMLSettings,
    MetricGoal,
    RunKind,
    RunStatus,
    metric_goal,
)
from services.local import audit
from services.local.clock import Clock, utc_now
from services.local.store import Store, stamp

_UNSETTLED_SQL = "status NOT IN ('Completed', 'Failed', 'Canceled')"
MAIN_LOG = "logs/azureml_automl.log"


class SearchCanceledError(Exception):
    """The run was asked to end. Never leaves its worker."""


class RunJournal:
    """Rows of runs and the folders beside them. A settled run is never changed back."""

    def __init__(self, home: Path, store: Store, *, clock: Clock = utc_now) -> None:
        self._home = home
        self._store = store
        self._clock = clock

    def folder(self, run_id: str) -> Path:
        """Where a run keeps its files: ``outputs/``, ``logs/`` and its chart artifacts."""
        return self._home / "runs" / run_id

    def queue_automl(self, settings: AutoMLSettings, properties: Mapping[str, str]) -> str:
        """A new parent run for the supervisor to start; its id."""
        run_id = f"AutoML_{uuid.uuid4()}"
        now = stamp(self._clock())
        self._make_folders(run_id)
        with self._store.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO experiments (name, created_at) VALUES (?, ?)",
                (settings.experiment, now),
            )
            db.execute(
                "INSERT INTO runs (id, experiment, number, kind, display_name, status, created_at,"
                " primary_metric, dataset_id, settings, properties)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    run_id,
                    settings.experiment,
                    _next_number(db, settings.experiment),
                    RunKind.AUTOML,
                    run_id,
                    RunStatus.QUEUED,
                    now,
                    settings.primary_metric,
                    settings.dataset_id,
                    json.dumps(asdict(settings)),
                    json.dumps(dict(properties)),
                ),
            )
            audit.record(db, action="run.start", subject=f"run/{run_id}", after=asdict(settings))
        return run_id

    def start_child(
        self,
        parent_id: str,
        iteration: int,
        name: str,
        properties: Mapping[str, str],
        *,
        status: RunStatus = RunStatus.RUNNING,
    ) -> str:
        """A new child, at work from now on; its id is the parent's and the iteration.

        Args:
            status: Preparing announces a child that has not begun; starting it again
                then is its beginning.
        """
        run_id = f"{parent_id}_{iteration}"
        now = stamp(self._clock())
        self._make_folders(run_id)
        with self._store.transaction() as db:
            parent = db.execute("SELECT * FROM runs WHERE id = ?", (parent_id,)).fetchone()
            db.execute(
                "INSERT INTO runs (id, experiment, number, kind, display_name, status, created_at,"
                " started_at, parent_id, position, primary_metric, dataset_id, properties)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET status = excluded.status,"
                " started_at = excluded.started_at, properties = excluded.properties"
                " WHERE status = 'Preparing'",
                (
                    run_id,
                    parent["experiment"],
                    _next_number(db, parent["experiment"]),
                    RunKind.AUTOML_CHILD,
                    name,
                    status,
                    now,
                    None if status is RunStatus.PREPARING else now,
                    parent_id,
                    iteration,
                    parent["primary_metric"],
                    parent["dataset_id"],
                    json.dumps(dict(properties)),
                ),
            )
        return run_id

    def enter(self, run_id: str, status: RunStatus) -> None:
        """Move an unsettled run on; the first move out of the queue is its start."""
        with self._store.transaction() as db:
            db.execute(
                "UPDATE runs SET status = ?, started_at = coalesce(started_at, ?)"
                f" WHERE id = ? AND {_UNSETTLED_SQL} AND cancel_requested_at IS NULL",
                (status, stamp(self._clock()), run_id),
            )

    def describe(
        self,
        run_id: str,
        *,
        properties: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Add to or replace some of a run's properties and tags."""
        with self._store.transaction() as db:
            _describe(db, run_id, properties or {}, tags or {})

    def complete_child(
        self,
        run_id: str,
        *,
        score: float,
        metrics: Mapping[str, float],
        tables: Mapping[str, Any] | None = None,
        properties: Mapping[str, str] | None = None,
    ) -> None:
        """Store what a child achieved, and let its parent follow the best one.

        Args:
            score: what candidates are ranked by.
            metrics: Azure's names; a metric that is not a number is left out.
            tables: chart artifacts by name, in Azure's JSON.
        """
        for name, table in (tables or {}).items():
            self.write(run_id, name, json.dumps(table).encode())
        with self._store.transaction() as db:
            db.execute(
                "UPDATE runs SET status = ?, ended_at = ?, score = ?"
                f" WHERE id = ? AND {_UNSETTLED_SQL}",
                (RunStatus.COMPLETED, stamp(self._clock()), score, run_id),
            )
            db.executemany(
                "INSERT OR REPLACE INTO metrics (run_id, name, value) VALUES (?, ?, ?)",
                [(run_id, name, value) for name, value in metrics.items() if value == value],
            )
            _describe(db, run_id, {"score": repr(score), **(properties or {})}, {})
            _follow_best_child(db, run_id)

    def settle(self, run_id: str, status: RunStatus, *, error: str = "") -> None:
        """End an unsettled run as `status`; children still open are canceled."""
        now = stamp(self._clock())
        with self._store.transaction() as db:
            db.execute(
                "UPDATE runs SET status = ?, ended_at = ?"
                f" WHERE parent_id = ? AND {_UNSETTLED_SQL}",
                (RunStatus.CANCELED, now, run_id),
            )
            db.execute(
                "UPDATE runs SET status = ?, ended_at = ?, error = ?,"
                f" started_at = coalesce(started_at, ?) WHERE id = ? AND {_UNSETTLED_SQL}",
                (status, now, error, now, run_id),
            )

    def request_cancel(self, run_id: str) -> None:
        """Ask for an end; a run that has not left the queue ends at once."""
        now = stamp(self._clock())
        with self._store.transaction() as db:
            changed = db.execute(
                "UPDATE runs SET cancel_requested_at = ?,"
                " ended_at = CASE status WHEN 'Queued' THEN ? END,"
                " status = CASE status WHEN 'Queued' THEN 'Canceled' ELSE 'CancelRequested' END"
                f" WHERE id = ? AND {_UNSETTLED_SQL} AND cancel_requested_at IS NULL",
                (now, now, run_id),
            ).rowcount
            if changed:
                audit.record(db, action="run.cancel", subject=f"run/{run_id}")

    def cancel_requests(self, parent_id: str) -> frozenset[str]:
        """The parent and those of its children that were asked to end and have not."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT id FROM runs WHERE (id = ? OR parent_id = ?)"
                f" AND cancel_requested_at IS NOT NULL AND {_UNSETTLED_SQL}",
                (parent_id, parent_id),
            ).fetchall()
        return frozenset(row["id"] for row in rows)

    def write(self, run_id: str, path: str, content: bytes) -> Path:
        """Put an artifact in a run's folder; a reader never sees half of it."""
        target = self.folder(run_id) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.part")
        draft.write_bytes(content)
        return draft.replace(target)

    def share(self, source: Path, run_id: str, path: str) -> None:
        """Let a run have a file another one wrote, without a second copy where possible."""
        target = self.folder(run_id) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        try:
            target.hardlink_to(source)
        except OSError:  # a file system without hard links
            shutil.copyfile(source, target)

    def _make_folders(self, run_id: str) -> None:
        for name in ("outputs", "logs"):
            (self.folder(run_id) / name).mkdir(parents=True, exist_ok=True)


def _next_number(db: sqlite3.Connection, experiment: str) -> int:
    row = db.execute(
        "SELECT coalesce(max(number), 0) + 1 AS number FROM runs WHERE experiment = ?",
        (experiment,),
    ).fetchone()
    return int(row["number"])


def _describe(
    db: sqlite3.Connection, run_id: str, properties: Mapping[str, str], tags: Mapping[str, str]
) -> None:
    db.execute(
        "UPDATE runs SET properties = json_patch(properties, ?), tags = json_patch(tags, ?)"
        " WHERE id = ?",
        (json.dumps(dict(properties)), json.dumps(dict(tags)), run_id),
    )


def _follow_best_child(db: sqlite3.Connection, child_id: str) -> None:
    row = db.execute(
        "SELECT parent_id, primary_metric FROM runs WHERE id = ?", (child_id,)
    ).fetchone()
    if row["parent_id"] is None:
        return
    order = "ASC" if metric_goal(row["primary_metric"]) is MetricGoal.MINIMIZE else "DESC"
    best = db.execute(
        "SELECT id, score FROM runs WHERE parent_id = ? AND status = 'Completed'"
        f" AND score IS NOT NULL ORDER BY score {order}, position LIMIT 1",
        (row["parent_id"],),
    ).fetchone()
    if best is None:
        return
    db.execute(
        "UPDATE runs SET best_child_id = ?, score = ? WHERE id = ?",
        (best["id"], best["score"], row["parent_id"]),
    )
    _describe(db, row["parent_id"], {}, {"automl_best_child_run_id": best["id"]})
