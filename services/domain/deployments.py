"""Deployments, their states and their keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class DeploymentState(StrEnum):
    """Azure ML's own words, so a screen, a log line and the portal agree."""

    TRANSITIONING = "Transitioning"
    HEALTHY = "Healthy"
    UNHEALTHY = "Unhealthy"
    FAILED = "Failed"
    UNKNOWN = "Unknown"  # a word we have not met; the adapter logs it

    @property
    def settled(self) -> bool:
        return self is not DeploymentState.TRANSITIONING


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A registered model served over HTTP."""

    name: str
    model_id: str  # "name:version"
    state: DeploymentState
    scoring_uri: str | None  # None until the server has an address
    swagger_uri: str | None
    auth_enabled: bool
    telemetry_enabled: bool
    created_at: datetime
    updated_at: datetime
    state_since: datetime | None = None  # when it entered this state, where that is known
    compute_type: str = "Local"  # "ACI", "AKS" on Azure
    cpu_cores: float | None = None
    memory_gb: float | None = None
    description: str = ""
    error: str = ""  # one sentence, when Unhealthy or Failed
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)  # its scoring core and parity


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One passage through Transitioning: a creation or an update."""

    kind: str  # "create", "update model", "update telemetry", "restart"
    started_at: datetime
    ended_at: datetime | None
    outcome: DeploymentState | None  # None while it lasts


class KeyKind(StrEnum):
    PRIMARY = "Primary"
    SECONDARY = "Secondary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Two interchangeable secrets; either one authorises a scoring request."""

    primary: str = field(repr=False)
    secondary: str = field(repr=False)
    primary_regenerated_at: datetime | None = None
    secondary_regenerated_at: datetime | None = None
