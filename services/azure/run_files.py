"""Files of runs: which there are, and their contents, read past the SDK.

The SDK reads a blob by trying for 278 s before it gives up. Here the address is asked of
the artifact service and the blob read with a timeout. The address holds a signature that
opens the blob to whoever has it: no error of the transport, which quotes it, goes further.

Source: azureml-core 1.61.0, ``_file_utils/file_utils.py``; reference measurements of it.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from services.azure import rest
from services.azure.connection import Connection
from services.azure.run_history import scope
from services.azure.sdk_errors import translated
from services.errors import AccessDeniedError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    import requests
    from azureml.core import Workspace as SdkWorkspace

ORIGIN = "ExperimentRun"
TIMEOUT_S = 10
PATIENCE = 4  # deadlines a model may take: it is larger than an answer


class RunFiles:
    """Artifacts by the path that is listed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sessions = threading.local()

    def paths(self, run_id: str) -> tuple[str, ...]:
        """Sorted; one request for every page of them.

        Raises:
            NotFoundError: nothing was ever kept for this run.
        """

        def asked(workspace: SdkWorkspace) -> tuple[str, ...]:
            client = _client(workspace)
            path = rest.path_of(
                client.artifact.list_in_container,
                **scope(workspace),
                origin=ORIGIN,
                container=_container(run_id),
            )
            found = rest.pages(client, path, {}, token="continuationToken")
            return tuple(sorted(each["path"] for each in found))

        return self._connection.call("run", asked, name=run_id)

    def addresses(self, run_id: str, prefix: str) -> dict[str, str]:
        """Path → address, of every file whose path starts with `prefix`. One request a page."""

        def asked(workspace: SdkWorkspace) -> dict[str, str]:
            client = _client(workspace)
            path = rest.path_of(
                client.artifact.list_sas_by_prefix,
                **scope(workspace),
                origin=ORIGIN,
                container=_container(run_id),
                path=prefix,
            )
            found = rest.pages(client, path, {}, token="continuationToken")
            return {each["path"]: each["contentUri"] for each in found}

        return self._connection.call("run", asked, name=run_id)

    def read(self, run_id: str, path: str, *, large: bool = False) -> bytes:
        """One artifact: a request for its address, a request for its contents.

        Args:
            large: it may take several deadlines to arrive.

        Raises:
            NotFoundError: the run has no such file.
        """
        kind = f"file of the run {run_id}"
        if any(part in ("", ".", "..") for part in path.split("/")):
            raise NotFoundError(kind, path)  # not a path an artifact can have

        def asked(workspace: SdkWorkspace) -> str:
            client = _client(workspace)
            where = rest.path_of(
                client.artifact.get_content_information,
                **scope(workspace),
                origin=ORIGIN,
                container=_container(run_id),
                path=path,
            )
            return str(rest.get(client, where)["contentUri"])

        address = self._connection.call(kind, asked, name=path)
        return self.fetch(address, kind=kind, name=path, large=large)

    def fetch(
        self,
        address: str,
        *,
        kind: str,
        name: str,
        last_bytes: int | None = None,
        large: bool = False,
    ) -> bytes:
        """What is kept at an address, or its last bytes; `kind` and `name` are for the sentence.

        Raises:
            NotFoundError: nothing is kept there.
            AccessDeniedError: the storage account does not let this machine read it.
            UnavailableError: it did not answer in time.
        """
        limit_s = self._connection.deadlines.limit_s * (PATIENCE if large else 1)
        with translated(kind, name):
            return self._connection.deadlines.call(
                f"asked for {kind} “{name}”",
                partial(self.fetch_here, address, kind, name, last_bytes),
                limit_s=limit_s,
            )

    def fetch_here(
        self, address: str, kind: str, name: str, last_bytes: int | None = None
    ) -> bytes:
        """As `fetch`, on the calling thread, which is one that may be kept waiting."""
        import requests

        session = self._session()
        try:
            with session.get(address, timeout=TIMEOUT_S, stream=True) as answer:
                _check(answer, kind, name)
                size = int(answer.headers.get("Content-Length") or 0)
                if last_bytes is None or size <= last_bytes:
                    return answer.content
            end = {"x-ms-range": f"bytes={size - last_bytes}-{size - 1}"}
            with session.get(address, headers=end, timeout=TIMEOUT_S) as answer:
                _check(answer, kind, name)
                return answer.content
        except requests.ReadTimeout:
            raise UnavailableError(
                f"The workspace's storage account did not answer in time for {kind} “{name}”."
            ) from None
        except requests.RequestException:
            raise UnavailableError(
                f"The workspace's storage account could not be reached for {kind} “{name}”."
            ) from None

    def _session(self) -> requests.Session:
        """One for each thread: its connection to the storage account stays open."""
        import requests

        if not hasattr(self._sessions, "session"):
            self._sessions.session = requests.Session()
        session: requests.Session = self._sessions.session
        return session


def _check(answer: requests.Response, kind: str, name: str) -> None:
    if answer.status_code == 404:
        raise NotFoundError(kind, name)
    if answer.status_code in (401, 403):
        raise AccessDeniedError(
            f"The workspace's storage account does not let {kind} “{name}” be read; "
            "its firewall may not know this machine."
        )
    if answer.status_code not in (200, 206):
        raise UnavailableError(
            f"The workspace's storage account could not answer for {kind} “{name}” "
            f"(HTTP {answer.status_code})."
        )


def _container(run_id: str) -> str:
    """Source: run history, ``dataContainerId`` of every run."""
    return f"dcid.{run_id}"


def _client(workspace: SdkWorkspace) -> Any:
    return rest.patient(workspace.service_context._get_artifacts_restclient())
