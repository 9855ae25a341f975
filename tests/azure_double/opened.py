"""The Azure workspace of a double, as the dashboard would open it."""

from __future__ import annotations

import os
from pathlib import Path

from services.azure.deadlines import Deadlines
from services.azure.sign_in import AzureConfig
from services.azure.workspace import AzureWorkspace
from services.local.desk import LocalDesk
from tests.azure_double.hand import Double


def open_azure(azure: Double, *, limit_s: float = 15.0) -> AzureWorkspace:
    """To be called, and its workspace used, inside `Double.surroundings`."""
    config = AzureConfig.read(Path(os.environ["DASHBOARD_WORKSPACE_CONFIG"]))
    desk = LocalDesk(azure.engine.home, azure.engine.store, workspace=config.workspace_name)
    return AzureWorkspace(config, desk, deadlines=Deadlines(limit_s))
