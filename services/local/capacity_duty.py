"""Carries capacity searches on, one load test after the other.

Where a search stands is told from its load tests each time, so a supervisor that was
killed goes on where it was. Only the address and key of a deployment that lives
elsewhere are lost with it, and the search then says where it stopped.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from services import capacity
from services.capacity import Step
from services.domain import LoadTest, LoadTestState
from services.local import load_test_handover
from services.local.capacity import plan_of, tests_of
from services.local.clock import Clock, utc_now
from services.local.duty import Duty, Exit, Program
from services.local.load_test_handover import Handover
from services.local.load_tests import folder
from services.local.store import Store, stamp

log = logging.getLogger(__name__)
HANDOVER_LOST = "the supervisor was started again and no longer knows the deployment's key"


class CapacityDuty(Duty):
    """Has no programs of its own: its steps are load tests like any other."""

    def __init__(self, home: Path, store: Store, clock: Clock = utc_now) -> None:
        self._home, self._store, self._clock = home, store, clock
        self._handovers: dict[str, Handover] = {}

    def programs(self) -> Sequence[Program]:
        return ()

    def exited(self, exit: Exit) -> None:
        return None

    def tick(self, now: datetime) -> None:
        with self._store.reading() as db:
            rows = db.execute("SELECT * FROM capacity_searches WHERE ended_at IS NULL").fetchall()
            searches = [(row, tests_of(db, row["id"])) for row in rows]
        for row, tests in searches:
            if all(test.state.settled for test in tests):
                self._go_on(row, tests, now)

    def _go_on(self, row: sqlite3.Row, tests: Sequence[LoadTest], now: datetime) -> None:
        """Begin the next step of a search, or end it."""
        plan = plan_of(row)
        done = capacity.steps(tests, plan)
        concurrency = capacity.next_concurrency(done, plan)
        if row["stop_asked_at"] is not None:
            self._end(row, LoadTestState.STOPPED, f"{capacity.so_far(done)}.", now)
        elif concurrency is None:
            self._end(row, LoadTestState.COMPLETED, capacity.conclusion(done), now)
        elif problem := _given_up(tests, concurrency):
            self._stopped_at(row, done, concurrency, problem, now)
        elif _spent(tests) + capacity.requests_of(concurrency, plan) > plan.request_budget:
            problem = f"the budget of {plan.request_budget:,} requests does not allow that step"
            self._stopped_at(row, done, concurrency, problem, now, LoadTestState.COMPLETED)
        elif row["workspace"] and self._handover(row["id"]) is None:
            self._stopped_at(row, done, concurrency, HANDOVER_LOST, now)
        else:
            self._begin(row, concurrency, capacity.requests_of(concurrency, plan), now)

    def _handover(self, search_id: str) -> Handover | None:
        if search_id not in self._handovers:
            taken = load_test_handover.take(folder(self._home, search_id))
            if taken is None:
                return None
            self._handovers[search_id] = taken
        return self._handovers[search_id]

    def _begin(self, row: sqlite3.Row, concurrency: int, requests: int, now: datetime) -> None:
        load_test_id = secrets.token_hex(6)
        place = folder(self._home, load_test_id)
        if handover := self._handovers.get(row["id"]):
            load_test_handover.pass_on(place, handover)
        values = {
            "id": load_test_id,
            "search_id": row["id"],
            "name": f"{row['deployment']}: capacity step, {concurrency} at a time",
            "created_at": stamp(now),
            "payload_sha256": hashlib.sha256(row["payload"].encode()).hexdigest(),
            "requests": requests,
            "request_budget": requests,
            "concurrency": concurrency,
            "keep_alive": 0,
            "timeout_s": 60,
            **{name: row[name] for name in KEPT},
        }
        columns, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
        try:
            with self._store.transaction() as db:
                db.execute(f"INSERT INTO load_tests ({columns}) VALUES ({marks})", values)
        except sqlite3.IntegrityError:  # somebody else loads the deployment: after them
            load_test_handover.discard(place)

    def _stopped_at(
        self,
        row: sqlite3.Row,
        done: Sequence[Step],
        concurrency: int,
        problem: str,
        now: datetime,
        outcome: LoadTestState = LoadTestState.FAILED,
    ) -> None:
        reason = (
            f"It ended before {concurrency} at a time: {problem.rstrip('.')}. "
            f"{capacity.so_far(done)}."
        )
        self._end(row, outcome, reason, now)

    def _end(self, row: sqlite3.Row, outcome: LoadTestState, reason: str, now: datetime) -> None:
        self._handovers.pop(row["id"], None)
        load_test_handover.discard(folder(self._home, row["id"]))
        with self._store.transaction() as db:
            db.execute(
                "UPDATE capacity_searches SET ended_at = ?, outcome = ?, reason = ?"
                " WHERE id = ? AND ended_at IS NULL",
                (stamp(now), outcome, reason, row["id"]),
            )
        log.info("capacity search %s of %s ended: %s", row["id"], row["deployment"], reason)


KEPT = ("workspace", "deployment", "payload", "stop_at_failure_pct", "model_id", "settings")


def _given_up(tests: Sequence[LoadTest], concurrency: int) -> str:
    """Why a step is not tried again; empty: it is."""
    failed = [
        test
        for test in tests
        if capacity.interrupted(test) and test.plan and test.plan.concurrency == concurrency
    ]
    return failed[-1].error or "it measured nothing" if len(failed) >= capacity.ATTEMPTS else ""


def _spent(tests: Sequence[LoadTest]) -> int:
    return sum(test.done_count for test in tests)
