"""Keeps one scoring server running per deployment, and gives up on one that cannot."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from services.local import deployment_rows, deployment_state
from services.local.clock import Clock, utc_now
from services.local.duty import Duty, Exit, ExitCause, Program
from services.local.process_table import ProcessTable
from services.local.store import Store

log = logging.getLogger(__name__)

CANNOT_SERVE = 3  # exit code: trying again would end the same way; the row says why
TIDY_EVERY = timedelta(seconds=30)
UNUSED_CORES_KEPT = 5  # the latest: the way back to the version before is quick

# One thread each: on a busy machine OpenMP's threads wait for each other longer than they work.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONUNBUFFERED": "1",
    "TZ": "UTC",
}


class DeploymentDuty(Duty):
    """Its programs are servers: one that ends by itself is started again, with back-off."""

    def __init__(self, home: Path, store: Store, *, clock: Clock = utc_now) -> None:
        self._home = home
        self._store = store
        self._clock = clock
        self._table = ProcessTable(store)
        self._tidied_at: datetime | None = None
        self._waited: dict[str, timedelta] = {}  # for a server to be ready, by incarnation

    def programs(self) -> Sequence[Program]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT name, incarnation, port FROM deployments WHERE failed_at IS NULL"
            ).fetchall()
        return [self._program(row["name"], row["incarnation"], row["port"]) for row in rows]

    def _program(self, name: str, incarnation: str, port: int | None) -> Program:
        return Program(
            key=deployment_rows.process_key(name),
            module="services.local.scoring_server",
            args=(str(self._home), name),
            log=deployment_rows.log_file(self._home, name),
            server=True,
            generation=incarnation,
            health_url=None if port is None else f"http://127.0.0.1:{port}/",
            env={"SERVICE_NAME": name, **ENVIRONMENT},
        )

    def exited(self, exit: Exit) -> None:
        name = exit.key.partition("/")[2]
        if exit.cause is not ExitCause.ITSELF:
            return
        if exit.code == CANNOT_SERVE:
            reason = "Its server could not start; the last lines of its log say why."
        elif exit.crash_loop:
            reason = (
                f"Its server ended {exit.recent_count} times within a minute, "
                f"last {_how(exit.code)}; its log says more."
            )
        else:
            return
        with self._store.transaction() as db:
            deployment_rows.give_up(db, name, exit.generation, reason, exit.at)
        log.warning("%s is given up: %s", name, reason)

    def tick(self, now: datetime) -> None:
        since = None if self._tidied_at is None else now - self._tidied_at
        if since is not None and timedelta(0) <= since < TIDY_EVERY:
            return
        self._tidied_at = now
        self._give_up_the_stuck(now, since)
        self._remove_leftovers()

    def _give_up_the_stuck(self, now: datetime, since: timedelta | None) -> None:
        """A server that is still preparing after minutes will not come up.

        Args:
            since: how long ago the last look was, by a clock that may have been set meanwhile.
        """
        passed = min(max(since or timedelta(0), timedelta(0)), 2 * TIDY_EVERY)
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM deployments WHERE failed_at IS NULL AND served_generation IS NULL"
            ).fetchall()
        for row in rows:
            seen = self._table.observed(deployment_rows.process_key(row["name"]))
            if seen is None or seen.generation != row["incarnation"]:
                continue
            known = self._waited.get(row["incarnation"])
            waited = now - seen.spawned_at if known is None else known + passed
            self._waited[row["incarnation"]] = max(waited, timedelta(0))
            if waited > deployment_state.PREPARE_LIMIT:
                minutes = deployment_state.PREPARE_LIMIT.seconds // 60
                reason = f"Its server was not ready within {minutes} minutes."
                with self._store.transaction() as db:
                    deployment_rows.give_up(db, row["name"], row["incarnation"], reason, now)

    def _remove_leftovers(self) -> None:
        """Folders of deployments that were deleted, and cores no deployment uses any more."""
        with self._store.reading() as db:
            rows = db.execute("SELECT name, model_id, served_model_id FROM deployments").fetchall()
        names = {row["name"] for row in rows}
        seen = self._table.all("deployment/")
        for folder in sorted((self._home / "deployments").glob("[!.]*")):
            server = seen.get(deployment_rows.process_key(folder.name))
            if folder.name not in names and not (server and server.running):
                shutil.rmtree(folder, ignore_errors=True)
        models = {row[column] for row in rows for column in ("model_id", "served_model_id")}
        used = {deployment_rows.core_folder(self._home, model) for model in models if model}
        unused = set(deployment_rows.cores(self._home).glob("*")) - used
        for core in sorted(unused, key=lambda each: each.stat().st_mtime)[:-UNUSED_CORES_KEPT]:
            shutil.rmtree(core, ignore_errors=True)


def _how(code: int | None) -> str:
    if code is None:
        return "unseen"
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"
