"""What the double knows: the workspace behind it, what was asked, and what is to go wrong."""

from __future__ import annotations

import secrets
import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from services.local.workspace import LocalWorkspace
from tests.azure_double.faults import Fault

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
SUBSCRIPTION = "7f9d4a3e-5b1c-4b6e-9d2f-0c8e1a7b6d54"
RESOURCE_GROUP = "rg-loopback"
WORKSPACE = "ws-loopback"
REGION = "westeurope"
STORAGE = "stloopback"
INSIGHTS = "appi-loopback"
INGESTION = "westeurope-5.in.applicationinsights.azure.com"
CLIENT = "0e7b4c58-2a53-4b62-8f6f-1d1f7c9b2a10"

ARM = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RESOURCE_GROUP}"
    f"/providers/Microsoft.MachineLearningServices/workspaces/{WORKSPACE}"
)
COMPONENT = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RESOURCE_GROUP}"
    f"/providers/microsoft.insights/components/{INSIGHTS}"
)

LOG_ANALYTICS = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-logs"
    "/providers/Microsoft.OperationalInsights/workspaces/law-loopback"
)
CUSTOMER = "9c2f6a35-3d0b-4e43-a7a1-6c1f0d1e8b77"  # of that Log Analytics workspace


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that reached the double."""

    method: str
    host: str
    path: str  # with its query
    status: int

    def __str__(self) -> str:
        return f"{self.method} {self.host}{self.path} -> {self.status}"


@dataclass(slots=True)
class State:
    """Shared by every route; `lock` guards what is not the workspace's own."""

    workspace: LocalWorkspace
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    workspace_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    page_size: int = 100
    latency_s: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)  # container/path → contents
    operations: dict[str, dict[str, Any]] = field(default_factory=dict)
    memory: dict[str, Any] = field(default_factory=dict)  # what a family of routes remembers
    lock: threading.RLock = field(default_factory=threading.RLock)
