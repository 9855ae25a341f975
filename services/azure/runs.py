"""Experiments and runs of an Azure ML workspace."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from services.azure import rest
from services.azure.connection import Connection
from services.azure.run_datasets import DatasetNames
from services.azure.run_explanations import RunExplanations
from services.azure.run_files import RunFiles
from services.azure.run_history import Json, RunHistory, history_client, post, scope
from services.azure.run_metrics import RunMetrics
from services.azure.run_records import (
    ensemble_members,
    experiment_record,
    run_record,
    saved_dataset_id,
    without_signatures,
)
from services.azure.run_settings import automl_settings
from services.azure.sdk_errors import translated
from services.domain import (
    AutoMLSettings,
    EnsembleMember,
    Experiment,
    Explanation,
    LogTail,
    Run,
    RunKind,
)
from services.errors import InvalidRequestError, NotFoundError
from services.ports import Runs

if TYPE_CHECKING:
    from azureml.core import Workspace as SdkWorkspace

log = logging.getLogger(__name__)

TABLES = ("accuracy_table", "confusion_matrix", "predicted_true", "residuals")
LOG_BYTES = 4_000_000  # of a log's end, at most
# The log that tells most, by the names AutoML, script runs and pipelines have given it.
MAIN_LOGS = (
    "azureml_automl.log",
    "user_logs/std_log.txt",
    "70_driver_log.txt",
    "driver_log",
    "executionlogs.txt",
    "stderrlogs.txt",
    "stdoutlogs.txt",
)
CANCELED = "Microsoft.MachineLearning.Run.Canceled"
NOT_STARTED_FROM_HERE = (
    "Training on Azure means submitting a published pipeline: choose one on the Pipelines page "
    "and give it the dataset and the label as parameters."
)
_LATEST = datetime.max.replace(tzinfo=UTC)


class AzureRuns(Runs):
    """Reads never write: no experiment is asked for by a name it may not have.

    A list of one experiment is one request, of all of them one more than there are
    experiments; a run with its children is two.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._history = RunHistory(connection)
        self._datasets = DatasetNames(connection)
        self._metrics = RunMetrics(connection, self._history)
        self._files = RunFiles(connection)
        self._explanations = RunExplanations(connection, self._files)

    def experiments(self) -> tuple[Experiment, ...]:
        found = filter(None, map(experiment_record, self._history.experiments()))
        return tuple(sorted(found, key=lambda each: each.created_at, reverse=True))

    def list(self, experiment: str | None = None, *, limit: int = 500) -> tuple[Run, ...]:
        names = [experiment] if experiment else [each.name for each in self.experiments()]
        found = self._history.roots(names, limit=limit)
        datasets = self._datasets.of(
            saved_dataset_id(each) for items in found.values() for each in items
        )
        runs = [
            run_record(each, experiment=name, datasets=datasets)
            for name, items in found.items()
            for each in items
        ]
        return tuple(sorted(runs, key=lambda run: run.created_at, reverse=True)[:limit])

    def get(self, run_id: str) -> Run:
        run = self._record(self._history.run(run_id))
        if run.kind is RunKind.AUTOML and run.best_child_id and run.score is None:
            best = self._history.run(run.best_child_id)  # where the parent has not noted it
            run = replace(run, score=run_record(best, experiment="", datasets={}).score)
        return run

    def children(self, run_id: str) -> tuple[Run, ...]:
        found = self._history.children(run_id)
        experiment = self._history.experiment_of(run_id)
        runs = [run_record(each, experiment=experiment, datasets={}) for each in found]
        return tuple(sorted(runs, key=_by_start))

    def metrics(self, run_ids: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
        return self._metrics.of(run_ids)

    def table(self, run_id: str, name: str) -> Mapping[str, Any]:
        if name not in TABLES:
            raise NotFoundError("chart", name)
        kind = f"{name.replace('_', ' ')} of the run"
        try:
            text = self._files.read(run_id, name)
        except NotFoundError as error:
            raise NotFoundError(kind, run_id) from error
        with translated(kind, run_id):
            table: Mapping[str, Any] = json.loads(text)
            if not table["data"]:
                raise ValueError("no data in it")
        return table

    def ensemble(self, run_id: str) -> tuple[EnsembleMember, ...]:
        with translated("ensemble of the run", run_id):
            return ensemble_members(self._history.run(run_id).get("properties") or {})

    def explanation(self, run_id: str) -> Explanation:
        try:
            return self._explanations.of(run_id)
        except NotFoundError as error:
            best = self._record(self._history.run(run_id)).best_child_id
            if best is None:
                raise NotFoundError("explanation of the run", run_id) from error
        return self._explanations.of(best)

    def logs(self, run_id: str, *, line_limit: int = 1000) -> LogTail:
        addresses: Mapping[str, str] = self._history.details(run_id).get("logFiles") or {}
        name = _main_log(addresses)
        if name is None:
            return LogTail(text="", line_count=0, limit=line_limit, complete=True)
        content = self._files.fetch(
            addresses[name], kind=f"log of the run {run_id}", name=name, last_bytes=LOG_BYTES
        )
        lines = without_signatures(content.decode(errors="replace")).splitlines()
        shown = lines[-line_limit:] if line_limit else []
        return LogTail(
            text="\n".join(shown),
            line_count=len(shown),
            limit=line_limit,
            complete=len(shown) == len(lines) and len(content) < LOG_BYTES,
        )

    def files(self, run_id: str) -> tuple[str, ...]:
        return self._files.paths(run_id)

    def file(self, run_id: str, path: str) -> bytes:
        return self._files.read(run_id, path, large=True)

    def begin_automl(self, settings: AutoMLSettings) -> Run:
        raise InvalidRequestError(NOT_STARTED_FROM_HERE)

    def automl_settings(self, run_id: str) -> AutoMLSettings:
        try:
            run = self._record(self._history.run(run_id))
        except NotFoundError as error:
            raise NotFoundError("AutoML run", run_id) from error
        if run.kind is not RunKind.AUTOML:
            raise NotFoundError("AutoML run", run_id)
        with translated("settings of the run", run_id):
            return automl_settings(run)

    def cancel(self, run_id: str) -> None:
        item = self._history.run(run_id)
        run = self._record(item)
        if run.status.settled:
            return
        address = item.get("cancelUri") or run.properties.get("CancelUri")
        self._connection.call("run", partial(_cancel, run, address), name=run_id)
        self._connection.journal.record("run.cancel", f"run/{run_id}")
        log.info("asked %s to end", run_id)

    def _record(self, item: Json) -> Run:
        experiment = self._history.experiment_of(str(item.get("runId")))
        datasets = self._datasets.of([saved_dataset_id(item)])
        return run_record(item, experiment=experiment, datasets=datasets)


def _cancel(run: Run, address: str | None, workspace: SdkWorkspace) -> None:
    """Tell the service that runs it; where it names none, tell run history.

    Our token goes to the workspace's own host and to no other, whatever a run says.
    """
    client = history_client(workspace)
    if address and urlsplit(address)[:2] == urlsplit(client.config.base_url)[:2]:
        post(client, urlsplit(address).path, reading=False)
        return
    path = rest.path_of(
        client.events.post, **scope(workspace), experimentName=run.experiment, runId=run.id
    )
    event = {"name": CANCELED, "timestamp": datetime.now(UTC).isoformat()}
    post(client, path, event, reading=False)


def _main_log(names: Iterable[str]) -> str | None:
    ordered = sorted(names)
    for wanted in MAIN_LOGS:
        for name in ordered:
            if wanted in name:
                return name
    return ordered[-1] if ordered else None


def _by_start(run: Run) -> tuple[datetime, int]:
    """In the order they started; one that has not comes last."""
    iteration = run.properties.get("iteration", "")
    return run.started_at or _LATEST, int(iteration) if iteration.isdigit() else 0
