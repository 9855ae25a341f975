"""Numbers runs have logged: of many runs in one request, of few from the service that has all.

Azure has two metrics services. The older answers for fifty runs at once; the newer one
metric of one run at a time, and is what the SDK reads from. Many runs are asked of the
older; whatever it does not know, of the newer, side by side.

Source: azureml-core 1.61.0, ``MetricsClient`` (``get_metrics_by_run_ids``,
``list_metric_names_for_run_id``, ``get_metric_dto_for_run_v2``, which hide every error).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from services.azure import rest
from services.azure.connection import Connection
from services.azure.run_history import (
    RunHistory,
    history_client,
    history_run,
    post,
    queried,
    scope,
    side_by_side,
)
from services.azure.sdk_errors import status_of, translated
from services.errors import NotFoundError, UnavailableError

log = logging.getLogger(__name__)

FEW = 1  # runs that are asked of the newer service straight away
AT_ONCE = 50  # runs the older service takes in one question
PER_PAGE = 500
KEPT = 50_000  # answers remembered; then it starts anew
SCALAR = "azureml.v1.scalar"
NUMBERS = frozenset({"double", "float", "int", "long"})
GONE = frozenset({400, 404, 405, 410, 501})  # how a retired service answers

Metrics = dict[str, dict[str, float]]
T = TypeVar("T")


class RunMetrics:
    """Remembers what the newer service said of settled runs: a question for many of them that
    ends at its deadline goes on where it ended when it is asked again."""

    def __init__(self, connection: Connection, history: RunHistory) -> None:
        self._connection = connection
        self._history = history
        self._kept: dict[tuple[str, str], Any] = {}  # run id, question → answer

    def of(self, run_ids: Sequence[str]) -> Metrics:
        """Run id → name → the value logged last; a run without metrics has an empty entry."""
        found: Metrics = {run_id: {} for run_id in run_ids}
        if len(run_ids) > FEW:
            self._add(found, self._old_questions(run_ids))
        unanswered = [run_id for run_id, values in found.items() if not values]
        if unanswered:
            listed = side_by_side(
                self._connection,
                "metric",
                "asked for the names of metrics",
                [partial(self._once, self._names, run_id) for run_id in unanswered],
            )
            self._add(
                found,
                [
                    partial(self._once, self._value, run_id, name)
                    for run_id, names in zip(unanswered, listed, strict=True)
                    for name in names
                ],
            )
        return found

    def _add(self, found: Metrics, questions: Sequence[Any]) -> None:
        for answer in side_by_side(self._connection, "metric", "asked for metrics", questions):
            for run_id, name, value in answer:
                if run_id in found and math.isfinite(value):
                    found[run_id][name] = value

    def _old_questions(self, run_ids: Iterable[str]) -> list[Any]:
        """One per fifty runs of an experiment; runs not seen before are left to the newer."""
        by_experiment: dict[str, list[str]] = {}
        for run_id in run_ids:
            if name := self._history.known(run_id):
                by_experiment.setdefault(name, []).append(run_id)
        return [
            partial(self._batch, name, some[start : start + AT_ONCE])
            for name, some in by_experiment.items()
            for start in range(0, len(some), AT_ONCE)
        ]

    def _batch(self, experiment: str, run_ids: Sequence[str]) -> list[tuple[str, str, float]]:
        workspace = self._connection.workspace
        client = history_client(workspace)
        path = rest.path_of(
            client.run_metric.get_by_query, **scope(workspace), experimentName=experiment
        )
        wanted = " or ".join(f"RunId eq {run_id}" for run_id in run_ids)
        asked = {"filter": wanted, "orderby": "RunId asc", "top": PER_PAGE}
        try:
            records = list(queried(client, path, asked))
        except Exception as error:  # the SDK's own have no common base
            if status_of(error) not in GONE:
                raise
            log.info("the older metrics service answers %s; asking the newer", status_of(error))
            records = []
        return [
            (record["runId"], name, float(cell[name]))
            for record in records
            if record.get("metricType") == SCALAR
            for cell in record.get("cells") or ()
            for name in cell
            if isinstance(cell[name], int | float)
        ]

    def _once(self, question: Callable[..., list[T]], run_id: str, name: str = "") -> list[T]:
        """The answer to a question about a run; about a settled one it is asked once."""
        kept: list[T] | None = self._kept.get((run_id, name))
        if kept is not None:
            return kept
        answer = question(run_id, name) if name else question(run_id)
        if self._history.settled(run_id):
            if len(self._kept) >= KEPT:
                self._kept.clear()
            self._kept[run_id, name] = answer
        return answer

    def _names(self, run_id: str) -> list[str]:
        """Of its numbers; charts are read as files."""
        workspace = self._connection.workspace
        client = rest.patient(workspace.service_context._get_metrics_restclient())
        path = rest.path_of(client.metric.list_metrics, **scope(workspace), runId=run_id)
        try:
            with translated("run", run_id):
                listed = list(queried(client, path, {}))
        except NotFoundError:
            self._check_gone(run_id)
            return []
        return [
            each["metricKey"]["name"]
            for each in listed
            if all(str(kind).lower() in NUMBERS for kind in (each.get("columns") or {}).values())
        ]

    def _check_gone(self, run_id: str) -> None:
        """A run there is not has no metrics; one there is has a list of them, empty or not.

        Raises:
            UnavailableError: the metrics service does not know a run that run history knows.
        """
        try:
            known = history_run(self._connection.workspace, run_id)
        except NotFoundError:
            return
        raise UnavailableError(
            f"Azure ML's metrics service does not know the run “{known['runId']}”."
        )

    def _value(self, run_id: str, name: str) -> list[tuple[str, str, float]]:
        workspace = self._connection.workspace
        client = rest.patient(workspace.service_context._get_metrics_restclient())
        path = rest.path_of(client.metric.get_full_fidelity, **scope(workspace), runId=run_id)
        try:
            with translated("metric", name):
                answer: Mapping[str, Any] = post(client, path, {"metricName": name})
        except NotFoundError as error:
            raise UnavailableError(
                f"Azure ML lists the metric “{name}” and does not find its values."
            ) from error
        values = [each["data"][name] for each in answer.get("value") or () if name in each["data"]]
        return [(run_id, name, float(values[-1]))] if values else []
