"""Tells a damaged telemetry file from a wrong question, and says what to do about it."""

from __future__ import annotations

from pathlib import Path

import duckdb

from services.errors import OperationFailedError, ServiceError, UnavailableError
from services.local import damage

CODE = "TelemetryFileDamaged"  # of an answer whose message is the sentence below


class DamagedFileError(Exception):
    """What was asked for cannot be read from the file."""


def check(error: duckdb.Error) -> None:
    """Nothing else is ever read by a query, so what fails to be read is the file.

    Raises:
        DamagedFileError: `error` says that the file is damaged.
    """
    if isinstance(error, duckdb.FatalException | duckdb.SerializationException):
        raise DamagedFileError(_reason(error)) from error
    text = str(error)
    if "checksum" in text or (isinstance(error, duckdb.IOException) and "read" in text):
        raise DamagedFileError(_reason(error)) from error


def not_opened(path: Path, error: duckdb.Error) -> ServiceError:
    """Why the file cannot be opened, in words."""
    text = str(error)
    if "lock" in text and isinstance(error, duckdb.IOException):
        return OperationFailedError(
            f"The telemetry file {path} cannot be opened: another process has it open."
        )
    if "No space left" in text:
        return UnavailableError(
            f"The telemetry file {path} cannot be opened: the disk is full. Free some space there."
        )
    return OperationFailedError(f"{sentence(path, error)} It was left untouched.")


def sentence(path: Path, reason: object) -> str:
    """Which file, what is wrong with it, and what the operator can do. Keeps a copy of it."""
    copy = damage.kept_copy(path, pending=f"{path.name}.wal")
    kept = f"a copy was kept as {copy.name}" if copy else "it was left as it is"
    return (
        f"The telemetry file {path} is damaged ({_reason(reason)}); {kept}. Everything else goes "
        "on. Stop the dashboard and restore the file from a backup, or move it away to start "
        "with an empty one."
    )


def _reason(error: object) -> str:
    text = str(error).strip().splitlines()[0].rstrip(".!")
    return text if len(text) <= 200 else f"{text[:200]}…"
