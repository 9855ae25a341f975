"""The files of a dataset version: the rows as Parquet, the file they came in, their profile.

A version appears whole or not at all: its files are written beside, brought to the disk,
and moved into place by one rename.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from services.errors import OperationFailedError
from services.local import durable

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = "data.parquet"
PROFILE = "profile.json"
ROW_GROUP = 32_768  # so that a preview reads little of a large file


class DatasetFiles:
    def __init__(self, home: Path) -> None:
        self._root = home / "datasets"
        self._incoming = self._root / durable.INCOMING

    def folder(self, name: str, version: int) -> Path:
        return self._root / name / str(version)

    @contextmanager
    def prepared(self, files: Mapping[str, bytes], rows: pa.Table) -> Iterator[Path]:
        """A folder with everything in it and on the disk; gone after the block unless moved.

        Raises:
            OperationFailedError: the disk is full or the folder cannot be written.
        """
        import pyarrow.parquet as pq

        try:
            self._incoming.mkdir(parents=True, exist_ok=True, mode=0o700)
            durable.sweep(self._incoming)
            folder = Path(tempfile.mkdtemp(dir=self._incoming))
        except OSError as error:
            raise _not_written(error) from error
        try:
            try:
                pq.write_table(rows, folder / ROWS, compression="zstd", row_group_size=ROW_GROUP)
                for name, content in files.items():
                    (folder / name).write_bytes(content)
                for path in (*folder.iterdir(), folder):
                    durable.flush(path)
            except OSError as error:
                raise _not_written(error) from error
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, prepared: Path, name: str, version: int) -> None:
        """Move a prepared folder to its place. Call it while holding the store's write lock.

        What lies there has no row in the store, so a crash left it behind; it is replaced.
        """
        target = self.folder(name, version)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                shutil.rmtree(target)
            prepared.rename(target)
            durable.flush(target.parent)
        except OSError as error:
            raise _not_written(error) from error


def _not_written(error: OSError) -> OperationFailedError:
    return OperationFailedError(f"The dataset could not be written: {durable.reason(error)}.")
