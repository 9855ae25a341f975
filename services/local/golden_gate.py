"""Verdicts of golden sets in the store, and the word of an admin against one."""

from __future__ import annotations

import json
import sqlite3

from services.errors import InvalidRequestError, NotFoundError
from services.local import audit, deployment_rows
from services.local.store import Store, instant, stamp
from services.ports import Deployments
from services.scored.gate import KEPT, Asker, GoldenGate, GoldenVerdict


class LocalGoldenGate(GoldenGate):
    def __init__(
        self, store: Store, deployments: Deployments | None = None, *, workspace: str = ""
    ) -> None:
        """
        Args:
            deployments: those that are gated; None where the back end switches unasked.
            workspace: which one that lives elsewhere; empty: this one.
        """
        self._store, self._deployments, self._workspace = store, deployments, workspace

    def verdicts(self, deployment: str, *, limit: int = 20) -> tuple[GoldenVerdict, ...]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM golden_verdicts WHERE workspace = ? AND deployment = ?"
                " ORDER BY id DESC LIMIT ?",
                (self._workspace, deployment, limit),
            ).fetchall()
        return tuple(map(_verdict, rows))

    def record(self, verdict: GoldenVerdict) -> None:
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO golden_verdicts (workspace, deployment, model_id, asked_by, at,"
                " case_count, wrong, cases) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    self._workspace,
                    verdict.deployment,
                    verdict.model_id,
                    verdict.asked_by,
                    stamp(verdict.at),
                    verdict.count,
                    json.dumps(list(verdict.wrong), ensure_ascii=False),
                    verdict.cases,
                ),
            )
            db.execute(
                "DELETE FROM golden_verdicts WHERE workspace = ? AND deployment = ? AND id NOT IN"
                " (SELECT id FROM golden_verdicts WHERE workspace = ? AND deployment = ?"
                " ORDER BY id DESC LIMIT ?)",
                (*(self._workspace, verdict.deployment) * 2, KEPT),
            )

    def overrule(self, deployment: str, model_id: str, *, reason: str) -> None:
        if self._deployments is None:
            raise InvalidRequestError(
                "Azure ML switches to a model before it can be asked, so nothing is held back here."
            )
        if not reason.strip():
            raise InvalidRequestError("Say why it is served although golden cases fail.")
        with self._store.transaction() as db:
            if (row := deployment_rows.read(db, deployment)) is None:
                raise NotFoundError("deployment", deployment)
            db.execute(
                "UPDATE deployments SET golden_overruled = ? WHERE name = ?", (model_id, deployment)
            )
            audit.record(
                db,
                action="deployment.overrule golden set",
                subject=f"deployment/{deployment}",
                before={"model": row["served_model_id"]},
                after={"model": model_id, "reason": reason.strip()},
            )
        self._deployments.begin_update(deployment, model_id=model_id)


def _verdict(row: sqlite3.Row) -> GoldenVerdict:
    at = instant(row["at"])
    assert at is not None  # the column is NOT NULL
    return GoldenVerdict(
        deployment=row["deployment"],
        model_id=row["model_id"],
        asked_by=Asker(row["asked_by"]),
        at=at,
        count=row["case_count"],
        wrong=tuple(json.loads(row["wrong"])),
        cases=row["cases"],
    )
