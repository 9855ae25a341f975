"""Every kind of background work of a local workspace."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from services.local.duty import Duty
from services.local.store import Store

EVERY = ("telemetry", "deployment", "run", "load_test", "pipeline", "flow")


def duties(home: Path, store: Store) -> tuple[Duty, ...]:
    """One of each; telemetry first, since the others report to it."""
    found: list[Duty] = []
    for name in EVERY:
        if importlib.util.find_spec(f"services.local.{name}_duty") is None:
            continue
        module = importlib.import_module(f"services.local.{name}_duty")
        duty = getattr(module, name.title().replace("_", "") + "Duty")
        found.append(duty(home, store))
    return tuple(found)
