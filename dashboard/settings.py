"""Every setting: what it is called outside, what it is for, and what holds without it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[1]


class Backend(StrEnum):
    LOCAL = "local"
    AZURE = "azure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is in force; the README lists the same names."""

    backend: Backend
    home: Path  # the local workspace's folder, and what the dashboard keeps for others
    workspace_config: Path  # config.json, downloaded from the Azure ML portal
    watch_every_s: int  # 0: an Azure workspace is not watched
    variables: Mapping[str, str] = field(repr=False)  # all of it by variable; holds secrets

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Settings from variables; paths are absolute.

        Raises:
            ValueError: an unknown back end, in a sentence that names it.
        """
        values = {setting.variable: setting.value(env) for setting in SETTINGS}
        if values[BACKEND] not in list(Backend):
            raise ValueError(f"DASHBOARD_BACKEND is “{values[BACKEND]}”; it can be local or azure.")
        return cls(
            backend=Backend(values[BACKEND]),
            home=Path(values[HOME]).expanduser().absolute(),
            workspace_config=Path(values[WORKSPACE_CONFIG]).expanduser().absolute(),
            watch_every_s=_watch_every_s(values[WATCH]),
            variables={name: value for name, value in values.items() if value},
        )


def _watch_every_s(text: str) -> int:
    """Raises ValueError with a sentence."""
    if text.isdigit() and (int(text) == 0 or 10 <= int(text) <= 3600):
        return int(text)
    raise ValueError(
        f"DASHBOARD_AZURE_WATCH_S is “{text}”; it can be 10 to 3600 seconds, or 0 for never."
    )


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its variable, its default, and what it is for."""

    variable: str
    default: str
    meaning: str
    alias: str = ""  # what scripts for SDK v1 call it
    secret: bool = False

    def value(self, env: Mapping[str, str]) -> str:
        """An empty variable counts as not set."""
        return self.given(env) or self.default

    def given(self, env: Mapping[str, str]) -> str:
        """What somebody has set; empty when nobody has."""
        return env.get(self.variable) or env.get(self.alias) or ""


BACKEND, HOME, WORKSPACE_CONFIG = (
    "DASHBOARD_BACKEND",
    "DASHBOARD_HOME",
    "DASHBOARD_WORKSPACE_CONFIG",
)
SUBSCRIPTION, GROUP, WORKSPACE = (
    "AZURE_SUBSCRIPTION_ID",
    "AZURE_RESOURCE_GROUP",
    "AZURE_ML_WORKSPACE",
)
SIGN_IN, CLOUD = "DASHBOARD_AZURE_SIGN_IN", "DASHBOARD_AZURE_CLOUD"
TENANT, CLIENT, SECRET = "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"
TOKEN = "DASHBOARD_AZURE_TOKEN"
WATCH = "DASHBOARD_AZURE_WATCH_S"

SIGN_INS = {
    "service-principal": "Service principal",
    "managed-identity": "Managed identity",
    "cli": "Azure CLI",
    "token": "Access token",
}
CLOUDS = {
    "AzureCloud": "Azure",
    "AzureChinaCloud": "Azure China",
    "AzureUSGovernment": "Azure US Government",
}

_OLD = "AZUREML_SERVICE_PRINCIPAL_"
SETTINGS = (
    Setting(BACKEND, Backend.LOCAL, "Which workspace to open: local or azure."),
    Setting(HOME, "~/.azureml-dashboard", "The local workspace's folder, with all it keeps."),
    Setting(WORKSPACE_CONFIG, "config.json", "The file that names the Azure workspace to open."),
    Setting(SUBSCRIPTION, "", "Its subscription's id, instead of the file."),
    Setting(GROUP, "", "Its resource group, instead of the file."),
    Setting(WORKSPACE, "", "Its name, instead of the file."),
    Setting(
        SIGN_IN,
        "service-principal",
        "How to sign in: service-principal, managed-identity, cli or token.",
    ),
    Setting(CLOUD, "AzureCloud", "AzureCloud, AzureChinaCloud or AzureUSGovernment."),
    Setting(TENANT, "", "The service principal's tenant.", alias=f"{_OLD}TENANT_ID"),
    Setting(CLIENT, "", "The service principal, or a user-assigned identity.", alias=f"{_OLD}ID"),
    Setting(SECRET, "", "Its secret. Never shown.", alias=f"{_OLD}PASSWORD", secret=True),
    Setting(TOKEN, "", "A bearer token for Azure Resource Manager. Never shown.", secret=True),
    Setting(WATCH, "60", "How often an Azure workspace is watched, in seconds; 0 for never."),
)
