"""What a step is given, and what it leaves for the steps after it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.local.pipeline_journal import PipelineJournal
from services.local.store import Store

log = logging.getLogger(__name__)


class StepCanceledError(Exception):
    """What the step waited for was canceled by somebody; the message says what."""


@dataclass(slots=True, kw_only=True)
class Results:
    """What the steps so far have found or made."""

    dataset_id: str = ""
    model_id: str = ""
    training_run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContext:
    home: Path
    store: Store
    journal: PipelineJournal
    run_id: str
    experiment: str
    values: Mapping[str, str]  # every parameter of the pipeline
    fixed: Mapping[str, Any]
    results: Results = field(default_factory=Results)

    def say(self, text: str) -> None:
        """Add a line to the step's log."""
        log.info("%s", text)
