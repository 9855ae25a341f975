"""Signing in without a browser: for a container that nobody sits in front of."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from services.errors import AccessDeniedError, InvalidRequestError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

REFRESH_BEFORE_S = 300
TIMEOUT_S = 10


class SignIn(StrEnum):
    """Which credential to use; never one that would wait for somebody to type a code."""

    SERVICE_PRINCIPAL = "service-principal"
    MANAGED_IDENTITY = "managed-identity"
    CLI = "cli"
    TOKEN = "token"


class Cloud(StrEnum):
    PUBLIC = "AzureCloud"
    CHINA = "AzureChinaCloud"
    US_GOVERNMENT = "AzureUSGovernment"


AUTHORITY = {
    Cloud.PUBLIC: "login.microsoftonline.com",
    Cloud.CHINA: "login.chinacloudapi.cn",
    Cloud.US_GOVERNMENT: "login.microsoftonline.us",
}
MANAGEMENT = {
    Cloud.PUBLIC: "https://management.azure.com",
    Cloud.CHINA: "https://management.chinacloudapi.cn",
    Cloud.US_GOVERNMENT: "https://management.usgovcloudapi.net",
}
APPLICATION_INSIGHTS = {
    Cloud.PUBLIC: "https://api.applicationinsights.io",
    Cloud.CHINA: "https://api.applicationinsights.azure.cn",
    Cloud.US_GOVERNMENT: "https://api.applicationinsights.us",
}
LOG_ANALYTICS = {
    Cloud.PUBLIC: "https://api.loganalytics.io",
    Cloud.CHINA: "https://api.loganalytics.azure.cn",
    Cloud.US_GOVERNMENT: "https://api.loganalytics.us",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureConfig:
    """Which workspace to open, and as whom."""

    subscription_id: str
    resource_group: str
    workspace_name: str
    sign_in: SignIn = SignIn.SERVICE_PRINCIPAL
    cloud: Cloud = Cloud.PUBLIC
    tenant_id: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    @classmethod
    def read(cls, path: Path, env: Mapping[str, str] = os.environ) -> Self:
        """The portal's ``config.json``, or three ids in the environment; the environment wins.

        Raises:
            InvalidRequestError: neither says which workspace, or a choice is unknown.
        """
        return cls(**_ids(path, env), **_credentials(env))


def _ids(path: Path, env: Mapping[str, str]) -> dict[str, Any]:
    stored: dict[str, Any] = {}
    if path.is_file():
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidRequestError(
                f"{path} is not the config.json of an Azure ML workspace: {error}."
            ) from error
    ids = {
        "subscription_id": env.get("AZURE_SUBSCRIPTION_ID") or stored.get("subscription_id"),
        "resource_group": env.get("AZURE_RESOURCE_GROUP") or stored.get("resource_group"),
        "workspace_name": env.get("AZURE_ML_WORKSPACE") or stored.get("workspace_name"),
    }
    if missing := [name for name, value in ids.items() if not value]:
        raise InvalidRequestError(
            f"Which Azure ML workspace to open is not known: {', '.join(missing)} is missing. "
            f"Save the portal's config.json as {path}, or set AZURE_SUBSCRIPTION_ID, "
            "AZURE_RESOURCE_GROUP and AZURE_ML_WORKSPACE."
        )
    return {name: str(value) for name, value in ids.items()}


def _credentials(env: Mapping[str, str]) -> dict[str, Any]:
    try:
        sign_in = SignIn(env.get("DASHBOARD_AZURE_SIGN_IN") or SignIn.SERVICE_PRINCIPAL)
        cloud = Cloud(env.get("DASHBOARD_AZURE_CLOUD") or Cloud.PUBLIC)
    except ValueError as error:
        raise InvalidRequestError(
            f"{error}. DASHBOARD_AZURE_SIGN_IN is one of {', '.join(SignIn)}; "
            f"DASHBOARD_AZURE_CLOUD is one of {', '.join(Cloud)}."
        ) from error
    return {
        "sign_in": sign_in,
        "cloud": cloud,
        "tenant_id": _first(env, "AZURE_TENANT_ID", "AZUREML_SERVICE_PRINCIPAL_TENANT_ID"),
        "client_id": _first(env, "AZURE_CLIENT_ID", "AZUREML_SERVICE_PRINCIPAL_ID"),
        "client_secret": _first(env, "AZURE_CLIENT_SECRET", "AZUREML_SERVICE_PRINCIPAL_PASSWORD"),
        "token": env.get("DASHBOARD_AZURE_TOKEN", ""),
    }


def _first(env: Mapping[str, str], *names: str) -> str:
    return next((env[name] for name in names if env.get(name)), "")


class Tokens:
    """Access tokens by audience, remembered until shortly before they expire.

    The SDK asks four times to list experiments; its own managed identity class would
    ask the metadata service four times too.
    """

    def __init__(self, config: AzureConfig) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[str, float]] = {}
        self._credential: TokenCredential | None = None

    def get(self, audience: str) -> str:
        """A token for one audience, which may end in a slash.

        Raises:
            AccessDeniedError: no token can be had; the message names what is missing.
        """
        if self._config.sign_in is SignIn.TOKEN:
            return self._static()
        with self._lock:
            kept, expires_at = self._kept.get(audience, ("", 0.0))
            if time.time() < expires_at - REFRESH_BEFORE_S:
                return kept
            token = self._signed_in().get_token(f"{audience}/.default")
            self._kept[audience] = (token.token, token.expires_on)
            return token.token

    def _static(self) -> str:
        if not self._config.token:
            raise AccessDeniedError("There is no token to use: set DASHBOARD_AZURE_TOKEN.")
        return self._config.token

    def _signed_in(self) -> TokenCredential:
        if self._credential is None:
            self._credential = _credential(self._config)
        return self._credential


def _credential(config: AzureConfig) -> TokenCredential:
    from azure import identity  # half a second to import

    patience: dict[str, Any] = {
        "retry_total": 1,
        "connection_timeout": TIMEOUT_S,
        "read_timeout": TIMEOUT_S,
    }
    if config.sign_in is SignIn.MANAGED_IDENTITY:
        return identity.ManagedIdentityCredential(client_id=config.client_id or None, **patience)
    if config.sign_in is SignIn.CLI:
        return identity.AzureCliCredential(process_timeout=TIMEOUT_S)
    missing = [
        variable
        for variable, value in (
            ("AZURE_TENANT_ID", config.tenant_id),
            ("AZURE_CLIENT_ID", config.client_id),
            ("AZURE_CLIENT_SECRET", config.client_secret),
        )
        if not value
    ]
    if missing:
        raise AccessDeniedError(
            f"The service principal is not complete: set {' and '.join(missing)}, "
            "or choose another sign-in with DASHBOARD_AZURE_SIGN_IN."
        )
    return identity.ClientSecretCredential(
        config.tenant_id,
        config.client_id,
        config.client_secret,
        authority=AUTHORITY[config.cloud],
        **patience,
    )
