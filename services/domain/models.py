"""Registered models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The registered result of training; its id is ``name:version``."""

    name: str
    version: int
    created_at: datetime
    run_id: str | None = None
    experiment: str | None = None
    dataset_id: str | None = None
    algorithm: str = ""
    framework: str = ""
    description: str = ""
    size_bytes: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)  # primary metric, score, label …

    @property
    def id(self) -> str:
        return f"{self.name}:{self.version}"

    @property
    def readable(self) -> bool:
        """False of what the back end lists but cannot describe; `description` says so."""
        return self.version > 0
