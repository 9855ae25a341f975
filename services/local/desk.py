"""What the dashboard keeps on this machine for a workspace that lives elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from services.domain import FlowProgress
from services.errors import InvalidRequestError
from services.local.audit import LocalAuditLog, record
from services.local.baselines import LocalBaselines
from services.local.load_tests import LocalLoadTests
from services.local.store import Store
from services.ports import Deployments, Flow


class LocalDesk:
    """The audit log and the load tests of one workspace, in the store of another."""

    def __init__(self, home: Path, store: Store, *, workspace: str) -> None:
        """
        Args:
            workspace: which one; tells apart what is kept for several.
        """
        self._home, self._store, self._workspace = home, store, workspace

    @cached_property
    def journal(self) -> DeskJournal:
        return DeskJournal(self._store, self._workspace)

    @cached_property
    def audit(self) -> LocalAuditLog:
        return LocalAuditLog(self._store, workspace=self._workspace)

    @cached_property
    def baselines(self) -> LocalBaselines:
        return LocalBaselines(self._store, workspace=self._workspace)

    @cached_property
    def flow(self) -> Flow:
        return NoFlow()

    def load_tests(self, deployments: Deployments) -> LocalLoadTests:
        return LocalLoadTests(self._home, self._store)


class DeskJournal:
    """Notes changes as they were made; there is no transaction to share with Azure."""

    def __init__(self, store: Store, workspace: str) -> None:
        self._store, self._workspace = store, workspace

    def record(
        self,
        action: str,
        subject: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        with self._store.transaction() as db:
            record(
                db,
                action=action,
                subject=subject,
                before=before,
                after=after,
                workspace=self._workspace,
            )


class NoFlow(Flow):
    """The demonstration trains and deploys at will: on somebody's cloud it is not offered."""

    def progress(self) -> FlowProgress:
        return FlowProgress(steps=(), started_at=None, ended_at=None)

    def begin(self) -> FlowProgress:
        raise InvalidRequestError(
            "The whole flow runs on a local workspace only: it would train and deploy on Azure, "
            "at your cost. Open a local workspace to see it."
        )
