"""Every setting, read once from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[1]


class Backend(StrEnum):
    LOCAL = "local"
    AZURE = "azure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What may be chosen from outside; the README lists the same names."""

    backend: Backend
    home: Path  # the local workspace's folder
    workspace_config: Path  # config.json, downloaded from the Azure ML portal

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Settings from ``DASHBOARD_*``; paths are absolute.

        Raises:
            ValueError: an unknown back end, in a sentence that names it.
        """
        values = {setting.name: setting.value(env) for setting in SETTINGS}
        if values["backend"] not in list(Backend):
            raise ValueError(
                f"DASHBOARD_BACKEND is “{values['backend']}”; it can be local or azure."
            )
        return cls(
            backend=Backend(values["backend"]),
            home=Path(values["home"]).expanduser().absolute(),
            workspace_config=Path(values["workspace_config"]).expanduser().absolute(),
        )


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its field, its default, and what it is for."""

    name: str
    default: str
    meaning: str

    @property
    def variable(self) -> str:
        return f"DASHBOARD_{self.name.upper()}"

    def value(self, env: Mapping[str, str]) -> str:
        """An empty variable counts as not set."""
        return env.get(self.variable) or self.default

    def origin(self, env: Mapping[str, str]) -> str:
        """Where the value in force came from, for people."""
        return "environment" if env.get(self.variable) else "default"


SETTINGS = (
    Setting("backend", Backend.LOCAL, "Which workspace to open: local or azure."),
    Setting("home", "~/.azureml-dashboard", "The local workspace's folder, with all it keeps."),
    Setting("workspace_config", "config.json", "The file that names the Azure workspace to open."),
)

assert [each.name for each in SETTINGS] == [each.name for each in fields(Settings)]
