"""Everything that can be done here, as SDK v1 and SDK v2 write it."""

from __future__ import annotations

from services.migration import pipelines, serving, training
from services.migration.code import Action

ACTIONS: tuple[Action, ...] = (*training.ACTIONS, *serving.ACTIONS, *pipelines.ACTIONS)
