"""Run history's own answers, in the fewest requests its service allows.

The SDK's ``Run`` objects are passed by: each keeps itself alive for ever, reading one of a
pipeline costs three more requests, and asking for an experiment by name creates it.

Source: azureml-core 1.61.0, ``core/run.py`` (a class-wide queue holds every Run),
``WorkspaceClient.get_or_create_experiment``, ``_odata/constants.py`` (the filters).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from services.azure import rest, sdk
from services.azure.connection import Connection
from services.azure.sdk_errors import translated
from services.errors import NotFoundError, UnavailableError

if TYPE_CHECKING:
    from azureml.core import Workspace as SdkWorkspace

log = logging.getLogger(__name__)

Json = Mapping[str, Any]
T = TypeVar("T")

ROOTS = "(ParentRunId eq null)"
NEWEST_FIRST, OLDEST_FIRST = "StartTimeUtc desc", "StartTimeUtc asc"
AT_ONCE = 500  # runs per page: what the SDK asks for
SETTLED = frozenset({"Completed", "Finished", "Failed", "Canceled"})


class RunHistory:
    """Experiments and runs as Azure describes them.

    Remembers where a run is kept and what an experiment is called: neither ever changes.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._names: dict[str, str] = {}  # experiment id → name
        self._homes: dict[str, str] = {}  # run id → experiment id
        self._settled: set[str] = set()

    def experiments(self) -> tuple[Json, ...]:
        """One request for every page of them."""
        return self._connection.call("experiment", self._experiments)

    def roots(self, experiments: Sequence[str], *, limit: int) -> Mapping[str, Sequence[Json]]:
        """Experiment → its runs without a parent, newest first; side by side, one request each.

        An experiment there is not has none. To be told so takes one request more: a service
        that has lost its way answers the same.

        Raises:
            UnavailableError: it does not know an experiment it lists.
        """
        tasks = [partial(self._roots, name, limit) for name in experiments]
        found = side_by_side(self._connection, "run", "asked for the runs", tasks)
        lost = [name for name, runs in zip(experiments, found, strict=True) if runs is None]
        if lost:
            self._check_gone(lost)
        return {name: runs or () for name, runs in zip(experiments, found, strict=True)}

    def _check_gone(self, experiments: Sequence[str]) -> None:
        listed = {str(each.get("name")) for each in self.experiments() if _is_record(each)}
        for name in experiments:
            if name in listed:
                raise UnavailableError(
                    f"Azure ML lists the experiment “{name}” and does not find its runs."
                )
            log.info("there is no experiment %s any more", name)

    def run(self, run_id: str) -> Json:
        """One request.

        Raises:
            NotFoundError: no run has this id.
        """

        def asked(workspace: SdkWorkspace) -> Json:
            return self._noted(history_run(workspace, run_id))

        return self._connection.call("run", asked, name=run_id)

    def children(self, run_id: str) -> tuple[Json, ...]:
        """Those a run started. One request for every page of them, where the run is known.

        Raises:
            NotFoundError: no run has this id.
        """
        experiment = self.experiment_of(run_id)

        def asked(workspace: SdkWorkspace) -> tuple[Json, ...]:
            client = history_client(workspace)
            path = self._path(workspace, client.run.get_child, experiment, run_id)
            query = {"$orderby": OLDEST_FIRST, "$top": str(AT_ONCE)}
            found = rest.pages(client, path, query, token="$continuationToken")
            return tuple(self._noted(each) for each in found if not _hidden(each))

        return self._connection.call("run", asked, name=run_id)

    def details(self, run_id: str) -> Json:
        """As people look at it, with addresses of its logs. One request, where it is known.

        Raises:
            NotFoundError: no run has this id.
        """
        experiment = self.experiment_of(run_id)

        def asked(workspace: SdkWorkspace) -> Json:
            client = history_client(workspace)
            path = self._path(workspace, client.run.get_details, experiment, run_id)
            return _run(rest.get(client, path))

        return self._connection.call("run", asked, name=run_id)

    def experiment_of(self, run_id: str) -> str:
        """The name of a run's experiment; no request where both have been seen before.

        Empty where its record does not say.

        Raises:
            NotFoundError: no run has this id.
        """
        home = self._homes.get(run_id) or self.run(run_id).get("experimentId")
        if not home:
            return ""
        if home not in self._names:
            self._names[home] = self._connection.call("run", partial(_name_of, home), name=run_id)
        return self._names[home]

    def known(self, run_id: str) -> str | None:
        """The name of its experiment, if that is known without asking."""
        return self._names.get(self._homes.get(run_id, ""))

    def settled(self, run_id: str) -> bool:
        """Whether it was seen to have ended: from then on nothing about it changes."""
        return run_id in self._settled

    def _experiments(self, workspace: SdkWorkspace) -> tuple[Json, ...]:
        client = history_client(workspace)
        path = rest.path_of(client.experiment.get_by_query, **scope(workspace))
        found = tuple(queried(client, path, {"viewType": "ActiveOnly"}))
        for each in found:
            if isinstance(each, Mapping) and each.get("experimentId") and each.get("name"):
                self._names[each["experimentId"]] = each["name"]
        return found

    def _roots(self, experiment: str, limit: int) -> Sequence[Json] | None:
        """None where the service says that it knows no such experiment."""
        workspace = self._connection.workspace
        client = history_client(workspace)
        path = self._path(workspace, client.run.get_by_query, experiment)
        asked = {"filter": ROOTS, "orderby": NEWEST_FIRST, "top": min(limit, AT_ONCE)}
        found: list[Json] = []
        try:
            with translated("experiment", experiment):
                for each in queried(client, path, asked):
                    if not _hidden(each):
                        found.append(self._noted(each))
                    if len(found) >= limit:
                        break
        except NotFoundError:
            return None
        return found

    def _noted(self, run: Json) -> Json:
        if isinstance(run, Mapping) and run.get("runId") and run.get("experimentId"):
            self._homes[run["runId"]] = run["experimentId"]
            if run.get("status") in SETTLED:
                self._settled.add(run["runId"])
        return run

    def _path(
        self, workspace: SdkWorkspace, operation: Any, experiment: str, run_id: str | None = None
    ) -> str:
        named = {"runId": run_id} if run_id else {}
        return rest.path_of(operation, **scope(workspace), experimentName=experiment, **named)


def history_client(workspace: SdkWorkspace) -> Any:
    """The SDK's REST client of run history."""
    return rest.patient(workspace.service_context._get_run_history_restclient())


def history_run(workspace: SdkWorkspace, run_id: str) -> Json:
    """A run as run history has it; on the thread of the caller.

    Raises:
        NotFoundError: no run has this id.
    """
    client = history_client(workspace)
    path = rest.path_of(client.run.get_workspace_run, **scope(workspace), runId=run_id)
    with translated("run", run_id):
        return _run(rest.get(client, path))


def scope(workspace: SdkWorkspace) -> dict[str, str]:
    """The placeholders every address of a workspace's services starts with."""
    return {
        "subscriptionId": workspace.subscription_id,
        "resourceGroupName": workspace.resource_group,
        "workspaceName": workspace.name,
    }


def post(client: Any, path: str, body: Json | None = None, *, reading: bool = True) -> Any:
    """The JSON of one answer to a posted question; None where it is empty.

    Args:
        reading: nothing is changed by it, so that it may be asked twice.

    Raises:
        HttpOperationError: Azure refused.
        ValueError: what came back is no JSON.
    """
    from msrest.exceptions import HttpOperationError

    service = rest.patient(client)._client
    headers = {"Accept": "application/json", "Content-Type": "application/json"}

    def asked() -> Any:
        request = service.post(service.format_url(path), {})
        return service.send(request, headers, dict(body or {}), stream=False)

    answer = rest.insisting(asked) if reading else asked()
    if not 200 <= answer.status_code < 300:
        raise HttpOperationError(client._deserialize, answer)
    return json.loads(answer.content) if answer.content else None


def queried(client: Any, path: str, body: Json) -> Iterator[Any]:
    """Every entry of a list that is asked for by posting, page after page."""
    asked = dict(body)
    for _ in range(rest.PAGE_LIMIT):
        answer = post(client, path, asked)
        yield from answer["value"] or ()
        following = answer.get("continuationToken")
        if not following or asked.get("continuationToken") == following:
            return
        asked["continuationToken"] = following


def side_by_side(
    connection: Connection, kind: str, doing: str, tasks: Sequence[Callable[[], T]]
) -> list[T]:
    """What the tasks answer, in their order, within one deadline.

    Raises:
        ServiceError: whatever went wrong with the first that failed, retold.
    """
    sdk.load()
    with translated(kind):
        return connection.deadlines.all(doing, tasks)


def _run(answer: Any) -> Json:
    if not isinstance(answer, Mapping) or not answer.get("runId"):
        raise ValueError("the answer is no run")
    return answer


def _name_of(experiment_id: str, workspace: SdkWorkspace) -> str:
    client = history_client(workspace)
    path = rest.path_of(client.experiment.get_by_id, **scope(workspace), experimentId=experiment_id)
    return str(rest.get(client, path)["name"])


def _is_record(item: Any) -> bool:
    return isinstance(item, Mapping)


def _hidden(run: Any) -> bool:
    return isinstance(run, Mapping) and run.get("hidden") is True
