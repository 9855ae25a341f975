"""Registered tabular data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from services.domain import (
    DataContract,
    Dataset,
    DatasetProfile,
    DataSource,
    Inspection,
    SampleDataset,
)

if TYPE_CHECKING:
    import pandas as pd


class Datasets(ABC):
    """Registered tabular data."""

    @abstractmethod
    def list(self) -> tuple[Dataset, ...]:
        """The latest version of every dataset, newest first."""

    @abstractmethod
    def versions(self, name: str) -> tuple[Dataset, ...]:
        """Every version of one dataset, newest first.

        Raises:
            NotFoundError: nothing is registered under `name`.
        """

    @abstractmethod
    def get(self, name: str, version: int | None = None) -> Dataset:
        """One version, the latest when `version` is None.

        Raises:
            NotFoundError: no such name or version.
        """

    @abstractmethod
    def register(
        self,
        name: str,
        source: DataSource,
        *,
        description: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> Dataset:
        """Store what `source` holds as the next version of `name`.

        Raises:
            InvalidRequestError: the name or the contents cannot be accepted; of a file
                that cannot be read the message names the line and the reason.
            UnavailableError: the URL did not answer.
        """

    @abstractmethod
    def inspect(self, source: DataSource) -> Inspection:
        """What `register` would store, without storing it. `Capability.INSPECT_SOURCE`.

        Raises:
            InvalidRequestError, UnavailableError: as `register`.
        """

    @abstractmethod
    def head(self, name: str, version: int, row_count: int) -> pd.DataFrame:
        """The first rows, in file order, with the file's columns.

        Raises:
            NotFoundError: no such name or version.
        """

    @abstractmethod
    def profile(self, name: str, version: int) -> DatasetProfile:
        """Types, missing values, ranges and frequent values of every column.

        Raises:
            NotFoundError: no such name or version.
        """

    @abstractmethod
    def contract(self, name: str, version: int, *, label: str | None = None) -> DataContract:
        """What a row must look like, derived from the data; `label` is left out of the features.

        Raises:
            NotFoundError: no such name or version.
            InvalidRequestError: `label` is no column of it.
        """

    @abstractmethod
    def samples(self) -> tuple[SampleDataset, ...]:
        """What can be registered with one click. Empty without `Capability.SAMPLE_DATASETS`."""

    @abstractmethod
    def register_sample(self, sample_id: str) -> Dataset:
        """Fetch or generate a sample and register it as the next version of its name.

        Raises:
            NotFoundError: no sample has this id.
            UnavailableError: it is downloaded, and its address did not answer.
            InvalidRequestError: the downloaded contents are not the expected ones.
        """
