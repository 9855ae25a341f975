"""Experiments and runs of the local workspace, read from the store and the run folders."""

from __future__ import annotations

import ast
import json
import logging
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from services.domain import (
    AutoMLSettings,
    EnsembleMember,
    Experiment,
    Explanation,
    LogTail,
    Run,
    RunKind,
    RunStatus,
    Task,
)
from services.errors import NotFoundError
from services.local import processes
from services.local.clock import Clock, utc_now
from services.local.process_table import ProcessTable
from services.local.run_journal import MAIN_LOG, RunJournal
from services.local.store import Store, instant
from services.ports import Runs

log = logging.getLogger(__name__)

TABLES = ("accuracy_table", "confusion_matrix", "predicted_true", "residuals")
EXPLANATION = "explanation/global.json"
_AT_WORK = frozenset({RunStatus.PREPARING, RunStatus.RUNNING, RunStatus.FINALIZING})
_PARAMETERS_AT_ONCE = 500  # SQLite accepts more, but not in every build


class LocalRuns(Runs):
    """Reads are one query each. A run that claims to be at work is Not responding once its
    worker is gone; the supervisor then decides what became of it."""

    def __init__(self, home: Path, store: Store, *, clock: Clock = utc_now) -> None:
        self._home = home
        self._store = store
        self._clock = clock
        self._journal = RunJournal(home, store, clock=clock)
        self._workers = ProcessTable(store)

    def experiments(self) -> tuple[Experiment, ...]:
        with self._store.reading() as db:
            rows = db.execute("SELECT * FROM experiments ORDER BY created_at DESC, name").fetchall()
        return tuple(map(_experiment, rows))

    def list(self, experiment: str | None = None, *, limit: int = 500) -> tuple[Run, ...]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM runs WHERE parent_id IS NULL AND (? IS NULL OR experiment = ?)"
                " ORDER BY created_at DESC, number DESC LIMIT ?",
                (experiment, experiment, limit),
            ).fetchall()
        return tuple(self._observed(rows))

    def get(self, run_id: str) -> Run:
        return next(iter(self._observed([self._row(run_id)])))

    def children(self, run_id: str) -> tuple[Run, ...]:
        self._row(run_id)
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM runs WHERE parent_id = ? ORDER BY position", (run_id,)
            ).fetchall()
        return tuple(map(_run, rows))

    def metrics(self, run_ids: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
        found: dict[str, dict[str, float]] = {run_id: {} for run_id in run_ids}
        with self._store.reading() as db:
            for start in range(0, len(run_ids), _PARAMETERS_AT_ONCE):
                some = list(run_ids[start : start + _PARAMETERS_AT_ONCE])
                marks = ", ".join("?" * len(some))
                for row in db.execute(
                    f"SELECT run_id, name, value FROM metrics WHERE run_id IN ({marks})"
                    " ORDER BY run_id, name",
                    some,
                ):
                    found[row["run_id"]][row["name"]] = row["value"]
        return found

    def table(self, run_id: str, name: str) -> Mapping[str, Any]:
        if name not in TABLES:
            raise NotFoundError("chart", name)
        try:
            table: Mapping[str, Any] = json.loads(self.file(run_id, name))
        except NotFoundError as error:
            raise NotFoundError(f"{name.replace('_', ' ')} of the run", run_id) from error
        return table

    def ensemble(self, run_id: str) -> tuple[EnsembleMember, ...]:
        properties = _run(self._row(run_id)).properties
        members = [
            EnsembleMember(run_id=each, algorithm=algorithm, weight=weight)
            for each, algorithm, weight in zip(
                _listed(properties, "ensembled_run_ids"),
                _listed(properties, "ensembled_algorithms"),
                _listed(properties, "ensemble_weights"),
                strict=True,
            )
        ]
        return tuple(sorted(members, key=lambda member: -member.weight))

    def explanation(self, run_id: str) -> Explanation:
        run = self.get(run_id)
        explained = run.best_child_id if run.kind is RunKind.AUTOML else run_id
        try:
            found = json.loads(self.file(explained or run_id, EXPLANATION))
        except NotFoundError as error:
            raise NotFoundError("explanation of the run", run_id) from error
        return Explanation(
            method=found["method"],
            raw=tuple((name, value) for name, value in found["raw"]),
            engineered=tuple((name, value) for name, value in found["engineered"]),
            fidelity=found["fidelity"],
            row_count=found["row_count"],
        )

    def logs(self, run_id: str, *, line_limit: int = 1000) -> LogTail:
        self._row(run_id)
        text, complete = processes.tail(self._journal.folder(run_id) / MAIN_LOG, line_limit)
        return LogTail(
            text=text, line_count=len(text.splitlines()), limit=line_limit, complete=complete
        )

    def files(self, run_id: str) -> tuple[str, ...]:
        self._row(run_id)
        folder = self._journal.folder(run_id)
        return tuple(
            sorted(
                name
                for path in folder.rglob("*")
                if path.is_file() and not is_hidden(name := path.relative_to(folder).as_posix())
            )
        )

    def file(self, run_id: str, path: str) -> bytes:
        self._row(run_id)
        folder = self._journal.folder(run_id).resolve()
        target = (folder / path).resolve()
        if not target.is_relative_to(folder) or not target.is_file():
            raise NotFoundError(f"file of the run {run_id}", path)
        return target.read_bytes()

    def begin_automl(self, settings: AutoMLSettings) -> Run:
        # Looks at the dataset, which takes pandas: seconds to import.
        from services.local import automl_request
        from services.local.datasets import LocalDatasets

        datasets = LocalDatasets(self._home, self._store)
        settings = automl_request.checked(settings, datasets)
        run_id = self._journal.queue_automl(settings, automl_request.parent_properties(settings))
        log.info("queued %s on %s", run_id, settings.dataset_id)
        return self.get(run_id)

    def automl_settings(self, run_id: str) -> AutoMLSettings:
        with self._store.reading() as db:
            row = db.execute("SELECT settings FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None or row["settings"] is None:
            raise NotFoundError("AutoML run", run_id)
        return read_settings(row["settings"])

    def cancel(self, run_id: str) -> None:
        self._row(run_id)
        self._journal.request_cancel(run_id)
        log.info("asked %s to end", run_id)

    def _row(self, run_id: str) -> sqlite3.Row:
        with self._store.reading() as db:
            row: sqlite3.Row | None = db.execute(
                "SELECT * FROM runs WHERE id = ?", (run_id,)
            ).fetchone()
        if row is None:
            raise NotFoundError("run", run_id)
        return row

    def _observed(self, rows: Iterable[sqlite3.Row]) -> Iterable[Run]:
        for row in rows:
            run = _run(row)
            if run.kind is RunKind.AUTOML and run.status in _AT_WORK:
                worker = self._workers.observed(worker_key(run.id))
                if worker is None or not worker.running:
                    run = _run(row, status=RunStatus.NOT_RESPONDING)
            yield run


def is_hidden(path: str) -> bool:
    """Whether it is a worker's own: a draft, or something in its scratch folder."""
    return any(part.startswith(".") for part in path.split("/"))


def worker_key(run_id: str) -> str:
    """What the supervisor calls the program that does this run."""
    return f"run/{run_id}"


def read_settings(text: str) -> AutoMLSettings:
    """The settings a run was queued with, from the store's JSON."""
    stored = json.loads(text)
    return AutoMLSettings(**{**stored, "task": Task(stored["task"])})


def _experiment(row: sqlite3.Row) -> Experiment:
    created_at = instant(row["created_at"])
    assert created_at is not None  # the column is NOT NULL
    return Experiment(name=row["name"], created_at=created_at)


@lru_cache(2048)  # a list has all its runs, and a row that is the same is read once
def _run(row: sqlite3.Row, *, status: RunStatus | None = None) -> Run:
    created_at = instant(row["created_at"])
    assert created_at is not None  # the column is NOT NULL
    return Run(
        id=row["id"],
        experiment=row["experiment"],
        number=row["number"],
        kind=RunKind(row["kind"]),
        display_name=row["display_name"],
        status=status or RunStatus(row["status"]),
        created_at=created_at,
        started_at=instant(row["started_at"]),
        ended_at=instant(row["ended_at"]),
        parent_id=row["parent_id"],
        primary_metric=row["primary_metric"],
        score=row["score"],
        best_child_id=row["best_child_id"],
        error=row["error"],
        dataset_id=row["dataset_id"],
        properties=json.loads(row["properties"]),
        tags=json.loads(row["tags"]),
    )


def _listed(properties: Mapping[str, str], name: str) -> Sequence[Any]:
    """A property AutoML writes as a Python list, ``['LightGBM', 'XGBoostClassifier']``."""
    listed: Sequence[Any] = ast.literal_eval(properties.get(name, "[]"))
    return listed
