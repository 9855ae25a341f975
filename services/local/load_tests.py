"""Load tests of a local workspace: asked for here, carried out by ``load_test_worker``."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import shutil
import sqlite3
from pathlib import Path

from services import apache_bench, load_test_rules
from services.bench_answers import AnswerReader
from services.domain import Deployment, LoadTest, LoadTestPlan, LoadTestState
from services.errors import ConflictError, InvalidRequestError, NotFoundError, UnavailableError
from services.local import audit, load_test_handover
from services.local.clock import Clock, utc_now
from services.local.load_test_rows import answers_json, record, report_json
from services.local.load_test_rules import LocalLoadTestRules
from services.local.store import Store, stamp
from services.ports import Deployments, LoadTests

log = logging.getLogger(__name__)

PAYLOAD_LIMIT_BYTES = 1_000_000
NAME_LIMIT = 120


class LocalLoadTests(LoadTests):
    """The plan, the payload's hash and the deployment's settings are fixed when it is asked for."""

    def __init__(
        self,
        home: Path,
        store: Store,
        *,
        clock: Clock = utc_now,
        workspace: str = "",
        deployments: Deployments | None = None,
    ) -> None:
        """
        Args:
            workspace: which one, where the deployments live elsewhere; empty: this one.
            deployments: those of that workspace.
        """
        self._home, self._store, self._clock = home, store, clock
        self._workspace, self._elsewhere = workspace, deployments
        self._rules = LocalLoadTestRules(store, workspace=workspace)

    def list(self, deployment: str | None = None) -> tuple[LoadTest, ...]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM load_tests WHERE workspace = ? AND (? IS NULL OR deployment = ?)"
                " ORDER BY created_at DESC, id",
                (self._workspace, deployment, deployment),
            ).fetchall()
        return tuple(map(record, rows))

    def get(self, load_test_id: str) -> LoadTest:
        with self._store.reading() as db:
            row = db.execute(
                "SELECT * FROM load_tests WHERE id = ? AND workspace = ?",
                (load_test_id, self._workspace),
            ).fetchone()
        if row is None:
            raise NotFoundError("load test", load_test_id)
        return record(row)

    def begin(self, plan: LoadTestPlan, *, confirmed: str = "") -> LoadTest:
        apache_bench.check_plan(plan)
        check_payload(plan.payload)
        apache_bench.executable()
        target = self._deployments().get(plan.deployment)
        if target.scoring_uri is not None:
            load_test_rules.check_confirmed(target.name, target.scoring_uri, confirmed)
        plan = load_test_rules.guarded(plan, self._rules.get(plan.deployment).guard_rails)
        load_test_id = secrets.token_hex(6)
        self._hand_over(load_test_id, target)
        try:
            with self._store.transaction() as db:
                self._insert(db, load_test_id, plan, target)
        except sqlite3.IntegrityError as error:
            shutil.rmtree(folder(self._home, load_test_id), ignore_errors=True)
            raise ConflictError(
                f"A load test of “{plan.deployment}” has not ended; wait for it or stop it."
            ) from error
        log.info("load test %s of %s asked for", load_test_id, plan.deployment)
        return self.get(load_test_id)

    def stop(self, load_test_id: str) -> None:
        test = self.get(load_test_id)
        if test.state.settled:
            return
        now = stamp(self._clock())
        with self._store.transaction() as db:
            # One that never started has nobody to end it.
            db.execute(
                "UPDATE load_tests SET ended_at = ?, outcome = ?"
                " WHERE id = ? AND started_at IS NULL AND ended_at IS NULL",
                (now, LoadTestState.STOPPED, load_test_id),
            )
            db.execute(
                "UPDATE load_tests SET stop_asked_at = ? WHERE id = ? AND ended_at IS NULL",
                (now, load_test_id),
            )
            audit.record(
                db,
                action="load_test.stop",
                subject=f"load_test/{load_test_id}",
                workspace=self._workspace,
            )
        if test.started_at is None:
            load_test_handover.discard(folder(self._home, load_test_id))

    def import_report(self, name: str, text: str) -> LoadTest:
        name = name.strip()
        if not name or len(name) > NAME_LIMIT:
            raise InvalidRequestError(f"Name the report, in at most {NAME_LIMIT} characters.")
        reader = AnswerReader()
        reader.feed(text.encode())
        report = apache_bench.read_report(text)
        load_test_id, now = secrets.token_hex(6), stamp(self._clock())
        self._keep(load_test_id, reader.report())
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO load_tests (workspace, id, name, imported, created_at, started_at,"
                " ended_at, outcome, done_count, report, answers, warnings)"
                " VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    self._workspace,
                    load_test_id,
                    name,
                    now,
                    now,
                    now,
                    LoadTestState.COMPLETED,
                    report.complete_count,
                    report_json(report),
                    answers_json(reader.tally()) if reader.count and reader.judged else None,
                    json.dumps(apache_bench.warnings(text)),
                ),
            )
            audit.record(
                db,
                action="load_test.import",
                subject=f"load_test/{load_test_id}",
                after={"name": name, "requests": report.complete_count},
                workspace=self._workspace,
            )
        return self.get(load_test_id)

    def report_text(self, load_test_id: str) -> str:
        self.get(load_test_id)
        path = folder(self._home, load_test_id) / "report.txt"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def delete(self, load_test_id: str) -> None:
        try:
            test = self.get(load_test_id)
        except NotFoundError:
            return
        if not test.state.settled:
            raise ConflictError(f"The load test “{test.name}” is still running; stop it first.")
        with self._store.transaction() as db:
            db.execute("DELETE FROM load_tests WHERE id = ?", (load_test_id,))
            audit.record(
                db,
                action="load_test.delete",
                subject=f"load_test/{load_test_id}",
                before={"name": test.name},
                workspace=self._workspace,
            )
        shutil.rmtree(folder(self._home, load_test_id), ignore_errors=True)

    def _insert(
        self, db: sqlite3.Connection, load_test_id: str, plan: LoadTestPlan, target: Deployment
    ) -> None:
        db.execute(
            "INSERT INTO load_tests (workspace, id, name, created_at, deployment, payload,"
            " payload_sha256, requests, seconds, concurrency, keep_alive, timeout_s,"
            " request_budget, stop_at_failure_pct, model_id, settings)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._workspace,
                load_test_id,
                _name(plan),
                stamp(self._clock()),
                plan.deployment,
                plan.payload,
                hashlib.sha256(plan.payload.encode()).hexdigest(),
                plan.requests,
                plan.seconds,
                plan.concurrency,
                plan.keep_alive,
                plan.timeout_s,
                plan.request_budget,
                plan.stop_at_failure_pct,
                target.model_id,
                json.dumps(settings(target)),
            ),
        )
        audit.record(
            db,
            action="load_test.begin",
            subject=f"load_test/{load_test_id}",
            after={"deployment": plan.deployment, "plan": _name(plan)},
            workspace=self._workspace,
        )

    def _deployments(self) -> Deployments:
        from services.local.deployments import LocalDeployments

        here = LocalDeployments(self._home, self._store, clock=self._clock)
        return self._elsewhere or here

    def _hand_over(self, load_test_id: str, target: Deployment) -> None:
        """The address and key of a deployment elsewhere, for the worker's eyes only."""
        if self._elsewhere is None:
            return
        if target.scoring_uri is None:
            raise UnavailableError(f"“{target.name}” has no scoring URI yet; it is {target.state}.")
        key = self._elsewhere.keys(target.name).primary if target.auth_enabled else None
        load_test_handover.discard_old(self._home / "load_tests")
        load_test_handover.leave(folder(self._home, load_test_id), target.scoring_uri, key)

    def _keep(self, load_test_id: str, report: str) -> None:
        place = folder(self._home, load_test_id)
        place.mkdir(parents=True, exist_ok=True)
        (place / "report.txt").write_text(report, encoding="utf-8")


def folder(home: Path, load_test_id: str) -> Path:
    """Where a load test's payload, report and files of ``ab`` are."""
    return home / "load_tests" / load_test_id


def _name(plan: LoadTestPlan) -> str:
    amount = f"{plan.requests:,} requests" if plan.requests is not None else f"{plan.seconds} s"
    kept = ", keep-alive" if plan.keep_alive else ""
    return f"{plan.deployment}: {amount}, {plan.concurrency} at a time{kept}"


def settings(target: Deployment) -> dict[str, str]:
    """What else may explain a difference between two tests of one deployment."""
    return {
        "State": target.state.value,
        "Key required": "yes" if target.auth_enabled else "no",
        "Application Insights": "on" if target.telemetry_enabled else "off",
        "Compute": target.compute_type,
        **({"CPU cores": f"{target.cpu_cores:g}"} if target.cpu_cores else {}),
        **({"Memory": f"{target.memory_gb:g} GB"} if target.memory_gb else {}),
        "Updated": f"{target.updated_at:%Y-%m-%d %H:%M:%S} UTC",
        **{_words(name): value for name, value in target.properties.items()},
    }


def _words(name: str) -> str:
    """``core_reason`` → ``Core reason``."""
    return name.replace("_", " ").capitalize()


def check_payload(payload: str) -> None:
    if len(payload.encode()) > PAYLOAD_LIMIT_BYTES:
        raise InvalidRequestError("The payload of a load test has at most 1 MB.")
    try:
        json.loads(payload)
    except ValueError as error:
        raise InvalidRequestError(f"The payload is not JSON: {error}.") from error
