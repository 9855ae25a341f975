"""Registered models: a row per version, and a folder with the files a scoring server loads."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
import uuid
from collections.abc import Mapping
from pathlib import Path

from services import data_contract
from services.domain import DataContract, Model, RunStatus, check_asset_name, split_id
from services.errors import InvalidRequestError, NotFoundError, OperationFailedError
from services.local import audit, durable
from services.local.clock import Clock, utc_now
from services.local.store import Store, instant, stamp
from services.ports import Models

log = logging.getLogger(__name__)

MODEL_FILE = "model.pkl"
FRAMEWORK = "ScikitLearn"  # Azure's word for a pickled estimator with its interface


class LocalModels(Models):
    """A version's files are complete before its row exists, and never change afterwards."""

    def __init__(self, home: Path, store: Store, *, clock: Clock = utc_now) -> None:
        self._home = home
        self._store = store
        self._clock = clock

    def list(self) -> tuple[Model, ...]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM models ORDER BY created_at DESC, version DESC, name"
            ).fetchall()
        return tuple(map(_model, rows))

    def get(self, model_id: str) -> Model:
        name, version = split_id("model", model_id)
        with self._store.reading() as db:
            row = _row(db, name, version)
        return _model(row)

    def register(
        self,
        run_id: str,
        name: str,
        *,
        description: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> Model:
        check_asset_name("model", name)
        with self._store.reading() as db:
            run = _run_with_model(db, run_id)
        source = self._home / "runs" / run["id"] / "outputs"
        if not (source / MODEL_FILE).is_file():
            raise InvalidRequestError(
                f"Run {run['id']} left no model behind; choose a child run that completed."
            )
        incoming = self._home / "models" / f"{durable.INCOMING}-{uuid.uuid4()}"
        try:
            durable.sweep(self._home / "models", f"{durable.INCOMING}*")
            shutil.copytree(source, incoming)
            for path in (*incoming.rglob("*"), incoming):
                durable.flush(path)
            version = self._accept(incoming, run, name, description=description, tags=tags or {})
        except OSError as error:  # a copy of many files fails with a list of what went wrong
            raise OperationFailedError(
                f"The model could not be written: {durable.reason(error)}."
            ) from error
        finally:
            shutil.rmtree(incoming, ignore_errors=True)
        log.info("registered %s:%s from %s", name, version, run["id"])
        return self.get(f"{name}:{version}")

    def update(
        self,
        model_id: str,
        *,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Model:
        name, version = split_id("model", model_id)
        with self._store.transaction() as db:
            row = _row(db, name, version)
            before = {"description": row["description"], "tags": json.loads(row["tags"])}
            after = {
                "description": before["description"] if description is None else description,
                "tags": before["tags"] if tags is None else dict(tags),
            }
            db.execute(
                "UPDATE models SET description = ?, tags = ? WHERE name = ? AND version = ?",
                (after["description"], json.dumps(after["tags"]), name, version),
            )
            if after != before:
                audit.record(
                    db,
                    action="model.update",
                    subject=f"model/{model_id}",
                    before=before,
                    after=after,
                )
        return self.get(model_id)

    def contract(self, model_id: str) -> DataContract:
        name, version = split_id("model", model_id)
        with self._store.reading() as db:
            _row(db, name, version)
        try:
            text = (self.folder(name, version) / "contract.json").read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise NotFoundError("data contract for model", model_id) from error
        return data_contract.from_json(text)

    def folder(self, name: str, version: int) -> Path:
        """Where the files of a version are."""
        return self._home / "models" / name / str(version)

    def _accept(
        self,
        incoming: Path,
        run: sqlite3.Row,
        name: str,
        *,
        description: str,
        tags: Mapping[str, str],
    ) -> int:
        """Move the files into place and write the row, as one version that nobody else has."""
        with self._store.transaction() as db:
            version = _next_version(db, name)
            target = self.folder(name, version)
            if target.exists():  # left by a crash between the move and the commit
                shutil.rmtree(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            size_bytes = (incoming / MODEL_FILE).stat().st_size
            properties = _properties(run, incoming)
            incoming.rename(target)
            db.execute(
                "INSERT INTO models (name, version, created_at, run_id, experiment, dataset_id,"
                " algorithm, framework, description, size_bytes, tags, properties)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    name,
                    version,
                    stamp(self._clock()),
                    run["id"],
                    run["experiment"],
                    run["dataset_id"],
                    run["display_name"],
                    FRAMEWORK,
                    description,
                    size_bytes,
                    json.dumps(dict(tags)),
                    json.dumps(properties),
                ),
            )
            audit.record(
                db,
                action="model.register",
                subject=f"model/{name}:{version}",
                after={"run_id": run["id"], "tags": dict(tags)},
            )
        return version


def _run_with_model(db: sqlite3.Connection, run_id: str) -> sqlite3.Row:
    """The run itself, or the best child of a parent."""
    run: sqlite3.Row | None = _run(db, run_id)
    if run is None:
        raise NotFoundError("run", run_id)
    if run["best_child_id"] is not None:
        run = _run(db, run["best_child_id"])
        assert run is not None  # a child is never deleted
    if run["status"] != RunStatus.COMPLETED:
        raise InvalidRequestError(
            f"Run {run['id']} is {run['status']} and has no model to register;"
            " wait until a child run has completed."
        )
    return run


def _run(db: sqlite3.Connection, run_id: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchone()
    return row


def _next_version(db: sqlite3.Connection, name: str) -> int:
    row = db.execute(
        "SELECT coalesce(max(version), 0) + 1 AS version FROM models WHERE name = ?", (name,)
    ).fetchone()
    return int(row["version"])


def _properties(run: sqlite3.Row, folder: Path) -> dict[str, str]:
    """What a list of models should say without opening the run."""
    known = {
        "primary_metric": run["primary_metric"],
        "score": None if run["score"] is None else repr(run["score"]),
        "parent_run_id": run["parent_id"],
    }
    contract = folder / "contract.json"
    if contract.is_file():
        known["label"] = data_contract.from_json(contract.read_text(encoding="utf-8")).label
    return {name: str(value) for name, value in known.items() if value is not None}


def _row(db: sqlite3.Connection, name: str, version: int) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM models WHERE name = ? AND version = ?", (name, version)
    ).fetchone()
    if row is None:
        raise NotFoundError("model", f"{name}:{version}")
    return row


def _model(row: sqlite3.Row) -> Model:
    created_at = instant(row["created_at"])
    assert created_at is not None  # the column is NOT NULL
    return Model(
        name=row["name"],
        version=row["version"],
        created_at=created_at,
        run_id=row["run_id"],
        experiment=row["experiment"],
        dataset_id=row["dataset_id"],
        algorithm=row["algorithm"],
        framework=row["framework"],
        description=row["description"],
        size_bytes=row["size_bytes"],
        tags=json.loads(row["tags"]),
        properties=json.loads(row["properties"]),
    )
