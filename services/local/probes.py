"""Which deployments are probed, and what the probes found."""

from __future__ import annotations

from collections.abc import Sequence

from services.alerts.ports import Probes
from services.alerts.records import Probe, ProbeResult, check_probe
from services.domain import Deployment
from services.local import alert_rows as rows
from services.local import audit
from services.local.clock import Clock, utc_now
from services.local.store import Store, stamp
from services.ports import Deployments


class LocalProbes(Probes):
    def __init__(
        self,
        deployments: Deployments,
        store: Store,
        *,
        workspace: str = "",
        clock: Clock = utc_now,
    ) -> None:
        """
        Args:
            deployments: of the workspace that is probed, wherever it lives.
        """
        self._deployments, self._store = deployments, store
        self._workspace, self._clock = workspace, clock

    def list(self) -> tuple[Probe, ...]:
        with self._store.reading() as db:
            found = db.execute(
                "SELECT * FROM probes WHERE workspace = ? ORDER BY deployment", (self._workspace,)
            ).fetchall()
        return tuple(map(rows.probe, found))

    def save(self, probe: Probe) -> None:
        check_probe(probe)
        self._deployments.get(probe.deployment)
        before = {each.deployment: each for each in self.list()}.get(probe.deployment)
        with self._store.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO probes"
                " (workspace, deployment, enabled, interval_s, payload) VALUES (?, ?, ?, ?, ?)",
                (
                    self._workspace,
                    probe.deployment,
                    probe.enabled,
                    probe.interval_s,
                    probe.payload,
                ),
            )
            audit.record(
                db,
                action="probe.set",
                subject=f"deployment/{probe.deployment}",
                before={"enabled": before.enabled, "interval_s": before.interval_s}
                if before
                else None,
                after={"enabled": probe.enabled, "interval_s": probe.interval_s},
                workspace=self._workspace,
            )

    def results(self, deployment: str, *, limit: int = 1000) -> tuple[ProbeResult, ...]:
        with self._store.reading() as db:
            found = db.execute(
                "SELECT * FROM probe_results WHERE workspace = ? AND deployment = ?"
                " ORDER BY at DESC LIMIT ?",
                (self._workspace, deployment, limit),
            ).fetchall()
        return tuple(map(rows.probe_result, found))

    def record(self, result: ProbeResult) -> None:
        with self._store.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO probe_results (workspace, deployment, at, ok, root_ok,"
                " duration_ms, reason, request_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    self._workspace,
                    result.deployment,
                    stamp(result.at),
                    result.ok,
                    result.root_ok,
                    result.duration_ms,
                    result.reason,
                    result.request_id,
                ),
            )


def unprobed(store: Store, deployments: Sequence[Deployment]) -> list[Deployment]:
    """Those whose only availability test is GET /, since nobody has them scored regularly."""
    with store.reading() as db:
        rows = db.execute(
            "SELECT deployment FROM probes WHERE workspace = '' AND enabled"
        ).fetchall()
    probed = {row["deployment"] for row in rows}
    return [each for each in deployments if each.name not in probed]
