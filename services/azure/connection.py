"""The SDK's workspace, opened once, and the one way every call of it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from services.azure import resource_manager, sdk
from services.azure.deadlines import Deadlines
from services.azure.sdk_errors import status_of, translated
from services.azure.shared import Shared
from services.azure.sign_in import MANAGEMENT, AzureConfig, Tokens
from services.errors import InvalidRequestError, UnavailableError

if TYPE_CHECKING:
    from azureml.core import Workspace as SdkWorkspace

T = TypeVar("T")

WORKSPACE_API = "2022-05-01"


class Journal(Protocol):
    """Where the dashboard notes what it changed; Azure keeps no such list that SDK v1 can read."""

    def record(
        self,
        action: str,
        subject: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Note one change. Values are plain and never secret.

        Args:
            action: noun and verb, ``deployment.create``.
            subject: kind and name, ``deployment/bank``.
        """


class Connection:
    """The SDK's workspace, opened at the first call, and the way every call takes.

    Each adapter holds one and asks `call`; nothing else of the SDK is shared.
    """

    def __init__(
        self, config: AzureConfig, journal: Journal, *, deadlines: Deadlines | None = None
    ) -> None:
        self.config = config
        self.journal = journal
        self.tokens = Tokens(config)
        self.deadlines = deadlines or Deadlines()
        self._opening: Shared[SdkWorkspace] = Shared(self._open, limit_s=self.deadlines.limit_s)

    def call(
        self,
        kind: str,
        function: Callable[[SdkWorkspace], T],
        *,
        name: str = "",
        limit_s: float | None = None,
    ) -> T:
        """What `function` makes of the SDK's workspace, within the deadline.

        Args:
            kind, name: what is asked for, for the sentence shown when it fails.

        Raises:
            ServiceError: whatever went wrong, retold.
        """
        doing = f"asked for {kind} “{name}”" if name else f"asked for the {kind}s"
        sdk.load()
        with translated(kind, name):
            return self.deadlines.call(doing, lambda: function(self.workspace), limit_s=limit_s)

    @property
    def workspace(self) -> SdkWorkspace:
        """Three requests, once, however many ask first at the same time. A failure is not
        remembered: the next call tries again."""
        return self._opening.get()

    def _open(self) -> SdkWorkspace:
        self._look_for_workspace()
        return open_sdk_workspace(self.config, self.tokens)

    def _look_for_workspace(self) -> None:
        """Ask once, plainly: the SDK asks the same again and again until somebody's patience
        ends, and then nobody knows what was wrong."""
        with translated("workspace", self.config.workspace_name):
            try:
                found = resource_manager.read(
                    self.management + self.arm_id,
                    WORKSPACE_API,
                    self.tokens.get(f"{self.management}/"),
                    timeout_s=self.deadlines.limit_s,
                )
            except Exception as error:
                if status_of(error) == 404:
                    raise _no_such_workspace(self.config) from error
                raise
            if not isinstance(found["properties"], Mapping):
                raise ValueError("the answer is no workspace")

    @cached_property
    def arm_id(self) -> str:
        config = self.config
        return (
            f"/subscriptions/{config.subscription_id}/resourceGroups/{config.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{config.workspace_name}"
        )

    @property
    def management(self) -> str:
        return MANAGEMENT[self.config.cloud]


def open_sdk_workspace(config: AzureConfig, tokens: Tokens) -> SdkWorkspace:
    """``Workspace.get`` with our sign-in.

    Raises:
        InvalidRequestError: the subscription or resource group holds no such workspace.
        UnavailableError: Azure Resource Manager did not answer.

    Source: azureml-core 1.61.0 answers a hollow workspace when the second of its two
    requests cannot be made; reading ``discovery_url`` tells.
    """
    sdk.prepare()
    from azureml.core import Workspace  # seconds to import

    try:
        workspace = Workspace.get(
            config.workspace_name,
            auth=authentication(config, tokens),
            subscription_id=config.subscription_id,
            resource_group=config.resource_group,
        )
    except Exception as error:
        if "Workspace not found" in str(error):
            raise _no_such_workspace(config) from error
        raise
    try:
        if workspace.discovery_url:
            return workspace
    except Exception as error:
        raise UnavailableError("Azure Resource Manager did not answer.") from error
    raise UnavailableError("Azure Resource Manager did not answer.")


def _no_such_workspace(config: AzureConfig) -> InvalidRequestError:
    return InvalidRequestError(
        f"The resource group {config.resource_group} has no workspace "
        f"{config.workspace_name}: check both names on the Settings page."
    )


def authentication(config: AzureConfig, tokens: Tokens) -> Any:
    """The SDK's own class for tokens from elsewhere, with a cloud so that it asks nobody."""
    sdk.prepare()
    from azureml.core.authentication import TokenAuthentication

    return TokenAuthentication(tokens.get, cloud=config.cloud.value)
