"""Registered tabular data, where it comes from, and what its columns hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.errors import InvalidRequestError


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A registered, versioned reference to tabular data."""

    name: str
    version: int
    created_at: datetime
    source: str  # where it came from, for people: a file name, a path, a URL
    row_count: int | None = None  # None when the back end cannot tell without reading it
    column_count: int | None = None
    size_bytes: int | None = None
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.name}:{self.version}"

    @property
    def readable(self) -> bool:
        """False of what the back end lists but cannot describe; `description` says so."""
        return self.version > 0

    @property
    def synthetic(self) -> bool:
        """Made by a generator. Said wherever the dataset appears."""
        return self.tags.get("synthetic") == "true"


class SourceKind(StrEnum):
    UPLOAD = "upload"
    PATH = "local path"
    URL = "URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """Where the rows of a new dataset come from."""

    kind: SourceKind
    location: str  # the file's name, its path, or its URL
    content: bytes | None = field(default=None, repr=False)  # an upload's bytes
    sha256: str | None = None  # refuse other contents
    delimiter: str | None = None  # None: find out
    decimal: str | None = None  # "." or ","; None: find out
    encoding: str | None = None  # None: find out


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What registering a source would store, found out without storing it."""

    row_count: int
    columns: Mapping[str, str]  # name → type word, in file order
    format: str  # "CSV" or "Parquet"
    delimiter: str | None
    decimal: str | None
    encoding: str | None
    head: tuple[Mapping[str, Any], ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleDataset:
    """A dataset this workspace offers to register with one click."""

    id: str
    name: str  # of the dataset it registers
    title: str
    description: str
    needs_network: bool
    synthetic: bool


class ColumnType(StrEnum):
    INTEGER = "integer"
    NUMBER = "number"
    STRING = "string"
    BOOLEAN = "boolean"
    DATETIME = "datetime"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnProfile:
    name: str
    type: ColumnType
    missing_count: int
    distinct_count: int
    minimum: float | str | None  # numbers and instants (ISO text); None for the rest
    maximum: float | str | None
    mean: float | None
    standard_deviation: float | None
    quartiles: tuple[float, float, float] | None
    top_values: tuple[tuple[str, int], ...]  # most frequent first, at most a hundred
    histogram: tuple[tuple[float, float, int], ...]  # (from, to, count), sentinels left out
    ordinary_range: tuple[float, float] | None = None  # of a number, sentinels left out
    sentinels: tuple[float, ...] = ()  # values that stand for "none", like pdays = 999
    typical: Any = None  # a real value: a number's lower median, else the most frequent


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetProfile:
    row_count: int
    duplicate_count: int
    columns: tuple[ColumnProfile, ...]

    def column(self, name: str) -> ColumnProfile:
        for column in self.columns:
            if column.name == name:
                return column
        raise InvalidRequestError(f"The dataset has no column “{name}”.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnContract:
    """What one value of a row must look like, and what a form should offer."""

    name: str
    type: ColumnType
    nullable: bool
    minimum: float | None = None  # seen in the data: outside is unusual, not wrong
    maximum: float | None = None
    categories: tuple[str, ...] = ()  # every value seen, when they are few
    sentinels: tuple[float, ...] = ()  # values that stand for "none", like pdays = 999
    example: Any = None  # a real value: median, or the most frequent


@dataclass(frozen=True, slots=True, kw_only=True)
class DataContract:
    """What a row must look like: feeds the form, the CSV check and the scoring server."""

    columns: tuple[ColumnContract, ...]  # features, in order
    label: str | None = None
    classes: tuple[str, ...] = ()  # the label's values as text; empty for regression
    dataset_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblem:
    """One objection to one row of data."""

    row: int | None  # counted from 1; None when there is only one row
    column: str  # empty when the row as a whole is meant
    message: str  # a sentence that names the row and the column
    blocking: bool  # no model can read the row; otherwise it is only unlike the data
