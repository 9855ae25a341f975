"""Registered data of the local workspace: a row in the store, its files beside it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from services import data_contract, profiles, tabular
from services.domain import (
    DataContract,
    Dataset,
    DatasetProfile,
    DataSource,
    Inspection,
    SampleDataset,
    check_asset_name,
)
from services.errors import NotFoundError, OperationFailedError, UnavailableError
from services.local import samples
from services.local.audit import record
from services.local.clock import Clock, utc_now
from services.local.dataset_files import PROFILE, ROWS, DatasetFiles
from services.local.store import Store, instant, stamp
from services.ports import Datasets
from services.sources import content_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

INSPECTED_ROWS = 10


class LocalDatasets(Datasets):
    """A version never changes once registered, so whoever read it may remember it."""

    def __init__(self, home: Path, store: Store, *, clock: Clock = utc_now) -> None:
        self._store = store
        self._clock = clock
        self._files = DatasetFiles(home)

    def list(self) -> tuple[Dataset, ...]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM datasets AS one WHERE version ="
                " (SELECT MAX(version) FROM datasets WHERE name = one.name)"
                " ORDER BY created_at DESC, name"
            ).fetchall()
        return tuple(map(_dataset, rows))

    def versions(self, name: str) -> tuple[Dataset, ...]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM datasets WHERE name = ? ORDER BY version DESC", (name,)
            ).fetchall()
        if not rows:
            raise NotFoundError("dataset", name)
        return tuple(map(_dataset, rows))

    def get(self, name: str, version: int | None = None) -> Dataset:
        with self._store.reading() as db:
            row = db.execute(
                "SELECT * FROM datasets WHERE name = ? AND (? IS NULL OR version = ?)"
                " ORDER BY version DESC LIMIT 1",
                (name, version, version),
            ).fetchone()
        if row is None:
            raise NotFoundError("dataset", name if version is None else f"{name}:{version}")
        return _dataset(row)

    def register(
        self,
        name: str,
        source: DataSource,
        *,
        description: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> Dataset:
        check_asset_name("dataset", name)
        content = content_of(source)
        reading = _read(content, source)
        return self._add(name, source.location, content, reading, description, tags or {})

    def inspect(self, source: DataSource) -> Inspection:
        reading = _read(content_of(source), source)
        head = reading.table.slice(0, INSPECTED_ROWS)
        frame = _as_frame(reading.table)
        return Inspection(
            row_count=len(frame),
            columns={str(name): profiles.column_type(frame[name]).value for name in frame},
            format=reading.format,
            delimiter=reading.delimiter,
            decimal=reading.decimal,
            encoding=reading.encoding,
            head=tuple(head.to_pylist()),
            warnings=reading.warnings,
        )

    def head(self, name: str, version: int, row_count: int) -> pd.DataFrame:
        import pyarrow as pa
        import pyarrow.parquet as pq  # a third of a second

        with _intact(name, version), pq.ParquetFile(self._rows(name, version)) as file:
            batches = file.iter_batches(batch_size=max(row_count, 1))
            first = pa.Table.from_batches([next(batches)]) if row_count > 0 else None
            table = first if first is not None else file.schema_arrow.empty_table()
        return _as_frame(table)

    def frame(self, name: str, version: int) -> pd.DataFrame:
        """Every row, in file order, for a worker to train on or to score.

        Columns are int64, float64 (also of whole numbers with gaps), bool, datetime64
        without a zone in UTC, or pandas' ``str``.

        Raises:
            NotFoundError: no such name or version.
            OperationFailedError: its file is gone or damaged.
        """
        import pyarrow.parquet as pq

        with _intact(name, version):
            return _as_frame(pq.read_table(self._rows(name, version)))

    def profile(self, name: str, version: int) -> DatasetProfile:
        path = self._folder(name, version) / PROFILE
        with _intact(name, version):
            return profiles.from_json(path.read_text(encoding="utf-8"))

    def contract(self, name: str, version: int, *, label: str | None = None) -> DataContract:
        profile = self.profile(name, version)
        return data_contract.derive(profile, label=label, dataset_id=f"{name}:{version}")

    def samples(self) -> tuple[SampleDataset, ...]:
        return samples.SAMPLES

    def register_sample(self, sample_id: str) -> Dataset:
        sample = samples.sample(sample_id)
        source = samples.source(sample)
        try:
            content = content_of(source)
        except UnavailableError as error:
            raise samples.unreachable(error) from error
        reading = _read(content, source)
        samples.check(sample, reading.table)
        tags = {"sample": sample.id} | ({"synthetic": "true"} if sample.synthetic else {})
        return self._add(sample.name, source.location, content, reading, sample.description, tags)

    def _add(
        self,
        name: str,
        location: str,
        content: bytes,
        reading: tabular.Reading,
        description: str,
        tags: Mapping[str, str],
    ) -> Dataset:
        profile = profiles.profile(_as_frame(reading.table))
        files = {
            f"original.{reading.format.lower()}": content,
            PROFILE: profiles.to_json(profile).encode(),
        }
        with self._files.prepared(files, reading.table) as folder, self._store.transaction() as db:
            version = 1 + int(
                db.execute(
                    "SELECT COALESCE(MAX(version), 0) FROM datasets WHERE name = ?", (name,)
                ).fetchone()[0]
            )
            values = {
                "name": name,
                "version": version,
                "created_at": stamp(self._clock()),
                "source": location,
                "row_count": profile.row_count,
                "column_count": len(profile.columns),
                "size_bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "description": description,
                "tags": json.dumps(dict(tags)),
            }
            marks = ", ".join(f":{column}" for column in values)
            db.execute(f"INSERT INTO datasets ({', '.join(values)}) VALUES ({marks})", values)
            after = {key: values[key] for key in ("source", "row_count", "column_count", "sha256")}
            record(db, action="dataset.register", subject=f"dataset/{name}:{version}", after=after)
            self._files.publish(folder, name, version)
        return self.get(name, version)

    def _rows(self, name: str, version: int) -> Path:
        return self._folder(name, version) / ROWS

    def _folder(self, name: str, version: int) -> Path:
        self.get(name, version)  # a name that is not registered never becomes part of a path
        return self._files.folder(name, version)


def _read(content: bytes, source: DataSource) -> tabular.Reading:
    return tabular.read(
        content, delimiter=source.delimiter, decimal=source.decimal, encoding=source.encoding
    )


def _as_frame(rows: pa.Table) -> pd.DataFrame:
    """The rows as pandas keeps them. Booleans and whole numbers stay so: they have no gaps."""
    frame: pd.DataFrame = rows.to_pandas()
    return frame


@contextmanager
def _intact(name: str, version: int) -> Iterator[None]:
    """What is in the store but not on the disk was removed or damaged behind our back."""
    try:
        yield
    except (OSError, ValueError) as error:  # pyarrow's errors are both
        raise OperationFailedError(
            f"The files of dataset “{name}:{version}” are gone or damaged: register it again."
        ) from error


def _dataset(row: sqlite3.Row) -> Dataset:
    created_at = instant(row["created_at"])
    assert created_at is not None  # the column is NOT NULL
    return Dataset(
        name=row["name"],
        version=row["version"],
        created_at=created_at,
        source=row["source"],
        row_count=row["row_count"],
        column_count=row["column_count"],
        size_bytes=row["size_bytes"],
        description=row["description"],
        tags=json.loads(row["tags"]),
    )
