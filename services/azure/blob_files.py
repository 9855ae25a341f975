"""Files on a blob datastore, with the datastore's own credential.

The credential is fetched for one reading or writing and kept nowhere. Nothing the
storage service says is repeated: its texts may hold a signature.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.azure.sdk_errors import status_of
from services.errors import (
    AccessDeniedError,
    InvalidRequestError,
    OperationFailedError,
    ServiceError,
    UnavailableError,
)

if TYPE_CHECKING:
    from azureml.core import Workspace as SdkWorkspace

    from services.azure.sign_in import Tokens

TIMEOUT_S = 10
STORAGE = "https://storage.azure.com/"
TOKEN_LIFETIME_S = 300


@dataclass(frozen=True, slots=True)
class Content:
    """The beginning of a file, or all of it."""

    data: bytes
    size_bytes: int  # of the whole file

    @property
    def complete(self) -> bool:
        return len(self.data) == self.size_bytes


class BlobFiles:
    """A container that a datastore of the workspace stands for."""

    def __init__(self, name: str, container: str, service: Any) -> None:
        self.name = name
        self._container = container
        self._service = service

    @classmethod
    def open(cls, workspace: SdkWorkspace, name: str | None, tokens: Tokens) -> BlobFiles:
        """The datastore of this name, or the workspace's default. One request, or two.

        Raises:
            OperationFailedError: there is no such datastore.
            InvalidRequestError: it is no blob container.
        """
        from azureml.core import Datastore

        try:
            store = Datastore.get(workspace, name) if name else Datastore.get_default(workspace)
        except Exception as error:  # the SDK's own have no common base
            status = status_of(error)
            if status == 403:
                raise AccessDeniedError(
                    f"Your role does not allow the credential of {_called(name)} to be read: it "
                    "takes the permission datastores/listsecrets, as the role AzureML Data "
                    "Scientist has it."
                ) from error
            if status != 404:
                raise
            raise OperationFailedError(
                f"Datastore “{name}” is not in this workspace any more: register it again in "
                "Azure ML studio."
                if name
                else "This workspace has no default datastore: set one in Azure ML studio."
            ) from error
        if store.datastore_type not in ("AzureBlob", "AzureDataLakeGen2"):
            raise InvalidRequestError(
                f"Datastore “{store.name}” is of type {store.datastore_type}; "
                "only blob containers are read and written from here."
            )
        return cls(store.name, store.container_name, _service(store, tokens))

    def read(self, path: str, *, limit_bytes: int) -> Content:
        """The first `limit_bytes` of a file.

        Raises:
            OperationFailedError: the file is gone.
            AccessDeniedError: the storage account refuses the datastore's credential.
        """
        with self._explained(path):
            answer = self._blob(path).download_blob(
                offset=0, length=limit_bytes, max_concurrency=1, **_patience()
            )
            data = answer.readall()
            whole = str(answer.properties.content_range or "").rpartition("/")[2]
        return Content(data, int(whole) if whole.isdigit() else len(data))

    def write(self, path: str, data: bytes) -> None:
        """Store a new file; one that is there is left alone.

        Raises:
            AccessDeniedError: as `read`.
        """
        with self._explained(path):
            self._blob(path).upload_blob(data, overwrite=False, max_concurrency=1, **_patience())

    def address(self, workspace: SdkWorkspace, path: str) -> str:
        """How a definition names one of its files."""
        return (
            f"azureml://subscriptions/{workspace.subscription_id}"
            f"/resourcegroups/{workspace.resource_group}/workspaces/{workspace.name}"
            f"/datastores/{self.name}/paths/{path}"
        )

    def _blob(self, path: str) -> Any:
        return self._service.get_blob_client(container=self._container, blob=path)

    @contextmanager
    def _explained(self, path: str) -> Iterator[None]:
        """The storage service's errors as ours, without its words."""
        place = f"“{path}” on datastore “{self.name}”"
        try:
            yield
        except ServiceError:
            raise
        except Exception as error:  # azure.core's, and what its transport raises
            status = getattr(error, "status_code", None)
            if status == 404:
                raise OperationFailedError(
                    f"The file {place} is gone: register the dataset again."
                ) from error
            if status in (401, 403):
                raise AccessDeniedError(
                    f"The storage account refuses the credential of datastore “{self.name}”, or "
                    "its firewall does not let this machine in."
                ) from error
            if status is not None and status < 500 and status != 429:
                raise OperationFailedError(
                    f"The storage account refused {place} (HTTP {status})."
                ) from error
            raise UnavailableError(f"The storage account did not answer for {place}.") from error


def _called(name: str | None) -> str:
    return f"datastore “{name}”" if name else "the default datastore"


def _service(store: Any, tokens: Tokens) -> Any:
    """The SDK's client of the storage account; with our sign-in where the datastore has no key."""
    from azureml._vendor.azure_storage.blob import BlobServiceClient

    if getattr(store, "account_key", None) or getattr(store, "sas_token", None):
        return store.blob_service
    url = f"https://{store.account_name}.blob.{store.endpoint or 'core.windows.net'}"
    return BlobServiceClient(url, credential=_SignedIn(tokens))


class _SignedIn:
    """Our sign-in as the storage client wants it."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def get_token(self, *scopes: str, **_: Any) -> Any:
        from azure.core.credentials import AccessToken

        return AccessToken(self._tokens.get(STORAGE), int(time.time()) + TOKEN_LIFETIME_S)


def _patience() -> dict[str, Any]:
    """No second try, which would come after 15 s, and short waits where the SDK's are endless."""
    return {"retry_total": 0, "connection_timeout": TIMEOUT_S, "read_timeout": TIMEOUT_S}
