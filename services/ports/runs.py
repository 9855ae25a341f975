"""Experiments, their runs, and the run others are held against."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from services.domain import (
    AutoMLSettings,
    Baseline,
    EnsembleMember,
    Experiment,
    Explanation,
    LogTail,
    Run,
)


class Runs(ABC):
    """Experiments and their runs."""

    @abstractmethod
    def experiments(self) -> tuple[Experiment, ...]:
        """Every experiment, newest first."""

    @abstractmethod
    def list(self, experiment: str | None = None, *, limit: int = 500) -> tuple[Run, ...]:
        """Runs without a parent, newest first, of one experiment or of all."""

    @abstractmethod
    def get(self, run_id: str) -> Run:
        """The run as it is at this moment.

        Raises:
            NotFoundError: no run has this id.
        """

    @abstractmethod
    def children(self, run_id: str) -> tuple[Run, ...]:
        """The runs it started, in the order they started. Cheap: scores come with them.

        Raises:
            NotFoundError: no run has this id.
        """

    @abstractmethod
    def metrics(self, run_ids: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
        """Run id → metric name → value. A metric a run lacks is absent, never 0."""

    @abstractmethod
    def table(self, run_id: str, name: str) -> Mapping[str, Any]:
        """A chart artifact in Azure's JSON: ``confusion_matrix``, ``accuracy_table``,
        ``residuals`` or ``predicted_true``.

        Raises:
            NotFoundError: the run has no such artifact.

        Source: azureml-training-tabular, schema versions 1.0.0 and 1.0.1 (accuracy_table).
        """

    @abstractmethod
    def ensemble(self, run_id: str) -> tuple[EnsembleMember, ...]:
        """Members of an ensemble run, heaviest first; empty for other runs."""

    @abstractmethod
    def explanation(self, run_id: str) -> Explanation:
        """Global feature importance.

        Raises:
            NotFoundError: none was computed for this run.
        """

    @abstractmethod
    def logs(self, run_id: str, *, line_limit: int = 1000) -> LogTail:
        """The end of the run's main log.

        Raises:
            NotFoundError: no run has this id.
        """

    @abstractmethod
    def files(self, run_id: str) -> tuple[str, ...]:
        """Paths of the run's artifacts, sorted."""

    @abstractmethod
    def file(self, run_id: str, path: str) -> bytes:
        """One artifact.

        Raises:
            NotFoundError: the run has no such file.
        """

    @abstractmethod
    def begin_automl(self, settings: AutoMLSettings) -> Run:
        """Queue an AutoML parent run. `Capability.AUTOML_TRAINING`.

        Raises:
            InvalidRequestError: the settings contradict each other or the dataset.
            NotFoundError: the dataset is not registered.
        """

    @abstractmethod
    def automl_settings(self, run_id: str) -> AutoMLSettings:
        """What an AutoML parent was started with, to show it or to start it again.

        Raises:
            NotFoundError: no AutoML parent has this id.
        """

    @abstractmethod
    def cancel(self, run_id: str) -> None:
        """Ask the run and its children to end as Canceled. A settled run stays as it is.

        Raises:
            NotFoundError: no run has this id.
        """


class Baselines(ABC):
    """Pinned runs, at most one per experiment. Kept by the dashboard: Azure has no such thing."""

    @abstractmethod
    def list(self) -> tuple[Baseline, ...]:
        """Every pin, by experiment. The run it names may be gone by now."""

    @abstractmethod
    def pin(self, experiment: str, run_id: str) -> Baseline:
        """Hold the runs of `experiment` against this one from now on."""

    @abstractmethod
    def unpin(self, experiment: str) -> None:
        """Hold them against none. Unpinning what is not pinned succeeds."""
