"""Key rotations: where each stands is in the store, what is true is asked of the deployment."""

from __future__ import annotations

import secrets
import sqlite3
from datetime import datetime

from services import scoring
from services.domain import Keys
from services.errors import ConflictError, InvalidRequestError, NotFoundError, ServiceError
from services.local.audit import record
from services.local.clock import Clock, utc_now
from services.local.store import Store, instant, stamp
from services.ports import Deployments, Scoring
from services.rotation import Rotation, Rotations, RotationStep, fingerprint
from services.scoring_payload import typical

REFUSED = (401, 403)
VERIFY_TIMEOUT_S = 15.0
NO_ROWS = '{"data": []}'  # for a deployment about whose input nothing is known


class LocalRotations(Rotations):
    def __init__(
        self,
        store: Store,
        deployments: Deployments,
        scoring: Scoring,
        *,
        workspace: str = "",
        clock: Clock = utc_now,
    ) -> None:
        """
        Args:
            workspace: which one that lives elsewhere; empty: this one.
        """
        self._store, self._workspace, self._clock = store, workspace, clock
        self._deployments, self._scoring = deployments, scoring

    def latest(self, deployment: str) -> Rotation | None:
        with self._store.reading() as db:
            row = db.execute(
                "SELECT * FROM rotations WHERE workspace = ? AND deployment = ?"
                " ORDER BY ended_at IS NOT NULL, id DESC LIMIT 1",
                (self._workspace, deployment),
            ).fetchone()
        return None if row is None else _rotation(row)

    def begin(self, deployment: str) -> Rotation:
        if not self._deployments.get(deployment).auth_enabled:
            raise InvalidRequestError(f"“{deployment}” accepts anonymous calls and has no keys.")
        now = stamp(self._clock())
        try:
            with self._store.transaction() as db:
                db.execute(
                    "INSERT INTO rotations"
                    " (workspace, deployment, step, started_at, step_at, salt)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        self._workspace,
                        deployment,
                        RotationStep.TO_SECONDARY,
                        now,
                        now,
                        secrets.token_hex(8),
                    ),
                )
                self._noted(db, "rotation.begin", deployment, "")
        except sqlite3.IntegrityError as error:
            raise ConflictError(f"The keys of “{deployment}” are being rotated already.") from error
        return self._under_way(deployment)

    def advance(self, deployment: str, step: RotationStep) -> Rotation:
        rotation = self._under_way(deployment)
        if rotation.step is not step:
            return rotation
        if step.by_operator:
            keys = self._deployments.keys(deployment)
            before = fingerprint(keys, step.following.kind, rotation.salt)
            self._move_on(rotation, before=before)
        elif step in (RotationStep.ROLL_PRIMARY, RotationStep.ROLL_SECONDARY):
            self._roll(rotation)
        else:
            self._verify(rotation)
        found = self.latest(deployment)
        assert found is not None
        return found

    def give_up(self, deployment: str) -> None:
        with self._store.transaction() as db:
            ended = db.execute(
                "UPDATE rotations SET ended_at = ?"
                " WHERE workspace = ? AND deployment = ? AND ended_at IS NULL",
                (stamp(self._clock()), self._workspace, deployment),
            )
            if ended.rowcount:
                self._noted(db, "rotation.give_up", deployment, "")

    def _roll(self, rotation: Rotation) -> None:
        """Ask for the key once; go on when it is another one."""
        kind = rotation.step.kind
        keys = self._deployments.keys(rotation.deployment)
        if fingerprint(keys, kind, rotation.salt) != rotation.before:
            self._move_on(rotation)
            return
        now = self._clock()
        if rotation.asked_recently(now) or not self._claim(rotation, now):
            return
        try:
            self._deployments.begin_regenerate_key(rotation.deployment, kind)
        except ServiceError as error:
            self._hold(rotation, str(error))

    def _claim(self, rotation: Rotation, now: datetime) -> bool:
        """Whether this caller is the one that asks for the key; another tab may be faster."""
        seen = None if rotation.asked_at is None else stamp(rotation.asked_at)
        with self._store.transaction() as db:
            claimed = db.execute(
                "UPDATE rotations SET asked_at = ?, problem = '' WHERE workspace = ?"
                " AND deployment = ? AND step = ? AND asked_at IS ? AND ended_at IS NULL",
                (stamp(now), self._workspace, rotation.deployment, rotation.step, seen),
            )
        return claimed.rowcount == 1

    def _verify(self, rotation: Rotation) -> None:
        """Both keys must be accepted: the new one, and the one that callers use."""
        problem = self._refusal(rotation.deployment, self._deployments.keys(rotation.deployment))
        if problem:
            self._hold(rotation, problem)
        else:
            self._move_on(rotation)

    def _refusal(self, deployment: str, keys: Keys) -> str:
        uri = self._deployments.get(deployment).scoring_uri
        if uri is None:
            return f"“{deployment}” has no scoring URI yet; verify again when it is healthy."
        payload = self._payload(deployment)
        for word, key in (("primary", keys.primary), ("secondary", keys.secondary)):
            answer = scoring.send(uri, payload, key=key, timeout_s=VERIFY_TIMEOUT_S)
            if answer.status is None or answer.status in (*REFUSED, 502, 503, 504):
                said = f"HTTP {answer.status}" if answer.status else "no answer"
                return f"A request with the {word} key got {said}; verify again in a moment."
        return ""

    def _payload(self, deployment: str) -> str:
        try:
            return typical(self._scoring.contract(deployment)).text(indent=None)
        except NotFoundError:
            return NO_ROWS

    def _move_on(self, rotation: Rotation, *, before: str = "") -> None:
        """Unless somebody else has: two tabs may press the same button."""
        step, now = rotation.step.following, stamp(self._clock())
        with self._store.transaction() as db:
            moved = db.execute(
                "UPDATE rotations SET step = ?, step_at = ?, asked_at = NULL, problem = '',"
                " before = ?, ended_at = ? WHERE workspace = ? AND deployment = ?"
                " AND step = ? AND ended_at IS NULL",
                (
                    step,
                    now,
                    before,
                    now if step is RotationStep.DONE else None,
                    self._workspace,
                    rotation.deployment,
                    rotation.step,
                ),
            )
            if moved.rowcount:
                self._noted(db, "rotation.step", rotation.deployment, rotation.step)

    def _hold(self, rotation: Rotation, problem: str) -> None:
        with self._store.transaction() as db:
            db.execute(
                "UPDATE rotations SET problem = ?, asked_at = NULL WHERE workspace = ?"
                " AND deployment = ? AND step = ? AND ended_at IS NULL",
                (problem, self._workspace, rotation.deployment, rotation.step),
            )

    def _under_way(self, deployment: str) -> Rotation:
        found = self.latest(deployment)
        if found is None or not found.under_way:
            raise NotFoundError("key rotation under way for", deployment)
        return found

    def _noted(self, db: sqlite3.Connection, action: str, deployment: str, done: str) -> None:
        record(
            db,
            action=action,
            subject=f"deployment/{deployment}",
            after={"done": done} if done else {},
            workspace=self._workspace,
        )


def _rotation(row: sqlite3.Row) -> Rotation:
    started_at, step_at = instant(row["started_at"]), instant(row["step_at"])
    assert started_at is not None  # the columns are NOT NULL
    assert step_at is not None
    return Rotation(
        deployment=row["deployment"],
        step=RotationStep(row["step"]),
        started_at=started_at,
        step_at=step_at,
        asked_at=instant(row["asked_at"]),
        problem=row["problem"],
        ended_at=instant(row["ended_at"]),
        salt=row["salt"],
        before=row["before"],
    )
