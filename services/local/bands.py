"""Metric bands of a workspace, and what came of each run that was held against them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from services.alerts.bands import described
from services.alerts.ports import MetricBands
from services.alerts.records import Band, BandCheck, Verdict, check_band
from services.local import alert_rows as rows
from services.local import audit
from services.local.clock import Clock, utc_now
from services.local.store import Store, stamp


class LocalMetricBands(MetricBands):
    def __init__(
        self, home: Path, store: Store, *, workspace: str = "", clock: Clock = utc_now
    ) -> None:
        self._store, self._workspace, self._clock = store, workspace, clock

    def list(self, experiment: str | None = None) -> tuple[Band, ...]:
        with self._store.reading() as db:
            found = db.execute(
                "SELECT * FROM metric_bands WHERE workspace = ? AND (? IS NULL OR experiment = ?)"
                " ORDER BY experiment, metric",
                (self._workspace, experiment, experiment),
            ).fetchall()
        return tuple(map(rows.band, found))

    def save(self, band: Band) -> None:
        check_band(band)
        before = {each.metric: each for each in self.list(band.experiment)}.get(band.metric)
        with self._store.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO metric_bands (workspace, experiment, metric, fail_below,"
                " warn_below, warn_above, fail_above) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (self._workspace, band.experiment, band.metric, *rows.band_limits(band)),
            )
            audit.record(
                db,
                action="band.set",
                subject=f"experiment/{band.experiment}",
                before={band.metric: described(before)} if before else None,
                after={band.metric: described(band)},
                workspace=self._workspace,
            )

    def delete(self, experiment: str, metric: str) -> None:
        with self._store.transaction() as db:
            gone = db.execute(
                "DELETE FROM metric_bands WHERE workspace = ? AND experiment = ? AND metric = ?",
                (self._workspace, experiment, metric),
            ).rowcount
            if gone:
                audit.record(
                    db,
                    action="band.delete",
                    subject=f"experiment/{experiment}",
                    before={"metric": metric},
                    workspace=self._workspace,
                )

    def checks(self, experiment: str) -> tuple[BandCheck, ...]:
        with self._store.reading() as db:
            found = db.execute(
                "SELECT * FROM band_checks WHERE workspace = ? AND experiment = ?"
                " ORDER BY at DESC, run_id, metric",
                (self._workspace, experiment),
            ).fetchall()
        return tuple(map(rows.band_check, found))

    def record(self, checks: Iterable[BandCheck]) -> None:
        """Keep what came of a run, once; a run that was checked before keeps its verdicts.

        Each run becomes an event of the audit log, whoever looks at it later.
        """
        by_run: dict[str, list[BandCheck]] = {}
        for check in checks:
            by_run.setdefault(check.run_id, []).append(check)
        if not by_run:
            return
        with self._store.reading() as db:
            known = {
                (row["run_id"], row["metric"])
                for run_id in by_run
                for row in db.execute(
                    "SELECT run_id, metric FROM band_checks WHERE workspace = ? AND run_id = ?",
                    (self._workspace, run_id),
                )
            }
        if all((each.run_id, each.band.metric) in known for own in by_run.values() for each in own):
            return  # a write would wake everybody for nothing
        with self._store.transaction() as db:
            for run_id, own in by_run.items():
                new = [check for check in own if self._insert(db, check)]
                if new:
                    audit.record(
                        db,
                        action=f"run.band.{_word(new)}",
                        subject=f"run/{run_id}",
                        after={each.band.metric: f"{each.value}, {each.verdict}" for each in new},
                        actor="alerts",
                        workspace=self._workspace,
                    )

    def _insert(self, db: sqlite3.Connection, check: BandCheck) -> bool:
        return bool(
            db.execute(
                "INSERT OR IGNORE INTO band_checks (workspace, run_id, experiment, metric, value,"
                " verdict, fail_below, warn_below, warn_above, fail_above, at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    self._workspace,
                    check.run_id,
                    check.band.experiment,
                    check.band.metric,
                    check.value,
                    check.verdict,
                    *rows.band_limits(check.band),
                    stamp(check.at),
                ),
            ).rowcount
        )


def _word(checks: Iterable[BandCheck]) -> str:
    verdicts = {check.verdict for check in checks}
    for verdict in (Verdict.FAIL, Verdict.WARN):
        if verdict in verdicts:
            return verdict.lower()
    return Verdict.PASS.lower()
