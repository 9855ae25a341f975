"""Scored requests in the store: of this workspace, or of one that lives elsewhere."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from services.domain import ScoringAnswer
from services.errors import InvalidRequestError, NotFoundError
from services.local.audit import record
from services.local.store import Store, instant, stamp
from services.scored.records import REMEMBERED, ScoredRequest, ScoredRequests

BODY_LIMIT = 64_000  # characters of an answer's body that are kept


class LocalScoredRequests(ScoredRequests):
    def __init__(self, store: Store, *, workspace: str = "") -> None:
        """
        Args:
            workspace: which one that lives elsewhere; empty: this one.
        """
        self._store, self._workspace = store, workspace

    def list(self, deployment: str | None = None, *, limit: int = 200) -> tuple[ScoredRequest, ...]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM (SELECT *, row_number() OVER (ORDER BY sent_at DESC, id) AS place"
                " FROM scored_requests WHERE workspace = ? AND (? IS NULL OR deployment = ?))"
                " WHERE place <= ? OR name <> '' ORDER BY place",
                (self._workspace, deployment, deployment, limit),
            ).fetchall()
        return tuple(map(_request, rows))

    def get(self, request_id: str) -> ScoredRequest:
        with self._store.reading() as db:
            return self._found(db, request_id)

    def remember(
        self, deployment: str, model_id: str, payload: str, answer: ScoringAnswer, *, of: str = ""
    ) -> ScoredRequest:
        request_id = secrets.token_hex(6)
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO scored_requests"
                " (id, workspace, deployment, model_id, payload, answer, sent_at, repeats)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    request_id,
                    self._workspace,
                    deployment,
                    model_id,
                    payload,
                    _answer_json(answer),
                    stamp(answer.sent_at),
                    of,
                ),
            )
            db.execute(
                "DELETE FROM scored_requests WHERE workspace = ? AND name = '' AND id NOT IN"
                " (SELECT id FROM scored_requests WHERE workspace = ? AND name = ''"
                " ORDER BY sent_at DESC, id LIMIT ?)",
                (self._workspace, self._workspace, REMEMBERED),
            )
            return self._found(db, request_id)

    def name(self, request_id: str, name: str) -> ScoredRequest:
        with self._store.transaction() as db:
            before = self._found(db, request_id)
            if not name.strip() and before.golden:
                raise InvalidRequestError(
                    "A golden case needs a name. Take it out of the golden set first."
                )
            self._set(db, before, "name", name.strip())
            return self._found(db, request_id)

    def expect(self, request_id: str, results: Sequence[Any] | None) -> ScoredRequest:
        with self._store.transaction() as db:
            before = self._found(db, request_id)
            if results is not None:
                _check(before, results)
            value = None if results is None else json.dumps(list(results), ensure_ascii=False)
            self._set(db, before, "expected", value)
            return self._found(db, request_id)

    def delete(self, request_id: str) -> None:
        with self._store.transaction() as db:
            gone = db.execute(
                "DELETE FROM scored_requests WHERE id = ? AND workspace = ?",
                (request_id, self._workspace),
            )
            if gone.rowcount:
                self._noted(db, "request.delete", request_id, {}, {})

    def _set(
        self, db: sqlite3.Connection, before: ScoredRequest, column: str, value: str | None
    ) -> None:
        db.execute(f"UPDATE scored_requests SET {column} = ? WHERE id = ?", (value, before.id))
        was = before.name if column == "name" else before.expected
        self._noted(db, f"request.{column}", before.id, {column: was}, {column: value})

    def _found(self, db: sqlite3.Connection, request_id: str) -> ScoredRequest:
        row = db.execute(
            "SELECT * FROM scored_requests WHERE id = ? AND workspace = ?",
            (request_id, self._workspace),
        ).fetchone()
        if row is None:
            raise NotFoundError("scored request", request_id)
        return _request(row)

    def _noted(
        self,
        db: sqlite3.Connection,
        action: str,
        request_id: str,
        before: dict[str, Any],
        after: dict[str, Any],
    ) -> None:
        record(
            db,
            action=action,
            subject=f"request/{request_id}",
            before=before,
            after=after,
            workspace=self._workspace,
        )


def _check(request: ScoredRequest, results: Sequence[Any]) -> None:
    if not request.name:
        raise InvalidRequestError("Give the request a name before it becomes a golden case.")
    count = len(request.answer.results)
    if not results or (count and len(results) != count):
        raise InvalidRequestError(
            f"The request has {count or 'at least one'} row{'' if count == 1 else 's'}: "
            "give one expected result for each."
        )


def _request(row: sqlite3.Row) -> ScoredRequest:
    sent_at = instant(row["sent_at"])
    assert sent_at is not None  # the column is NOT NULL
    expected = None if row["expected"] is None else tuple(json.loads(row["expected"]))
    return ScoredRequest(
        id=row["id"],
        deployment=row["deployment"],
        model_id=row["model_id"],
        payload=row["payload"],
        answer=_answer(row["answer"]),
        sent_at=sent_at,
        name=row["name"],
        expected=expected,
        of=row["repeats"],
    )


def _answer_json(answer: ScoringAnswer) -> str:
    kept = asdict(answer) | {
        "body": answer.body[:BODY_LIMIT],
        "sent_at": stamp(answer.sent_at),
        "headers": dict(answer.headers),
    }
    return json.dumps(kept, ensure_ascii=False)


def _answer(text: str) -> ScoringAnswer:
    stored: dict[str, Any] = json.loads(text)
    stored["sent_at"] = instant(stored["sent_at"])
    stored["results"] = tuple(stored["results"])
    stored["probabilities"] = tuple(stored["probabilities"])
    return ScoringAnswer(**stored)
