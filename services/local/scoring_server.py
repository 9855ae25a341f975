"""Serves one deployment: ``python -m services.local.scoring_server HOME NAME``.

It listens first and answers 503 until its model is ready, so that its address is known at
once and never guessed. Afterwards it looks for new decisions several times a second and
takes them up between two requests: keys, Application Insights, another model version.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import gc
import logging
import os
import signal
import socket
import sys
import time
from pathlib import Path

import uvicorn

from services.local import deployment_rows, lifeline, processes
from services.local.deployment_duty import CANNOT_SERVE
from services.local.serving import loading, server_log
from services.local.serving.app import ScoringApp
from services.local.serving.decisions import Decided, Decisions
from services.local.serving.golden_check import GoldenCheck
from services.local.serving.loading import CannotServeError
from services.local.serving.reporter import Reporter
from services.local.store import Store

log = logging.getLogger("scoring")

LOOK_EVERY_S = 0.2
LOOK_ANYWAY_S = 5.0  # though nothing seems to have been written
TAKE_OVER_S = 5.0  # how long a predecessor may still hold the port
KEEP_ALIVE_S = 60  # longer than callers pool a connection, so that none is closed under them
DRAIN_S = 3  # for requests in progress when told to end
FLUSH_TELEMETRY_S = 1.0


class ScoringServer:
    """One process, one deployment."""

    def __init__(self, home: Path, name: str) -> None:
        self._home, self._name = home, name
        store = Store(home / "workspace.db")
        self._decisions, self._golden = Decisions(store, name), GoldenCheck(store, name)
        self._log = server_log.RequestLog(deployment_rows.log_file(home, name))
        self._app = ScoringApp(self._log, refresh_keys=self._refresh_keys)
        self._ref = processes.reference(os.getpid())
        self._served_generation = 0
        self._looked_at = 0.0
        self._exit_code = 0

    def run(self) -> int:
        """Serve until told to end; the exit code."""
        decided = self._decisions.read()
        if decided is None:
            log.info("nothing is deployed as %s any more", self._name)
            return 0
        self._app.keys = decided.keys
        listener = listen(decided.row["port"])
        port = listener.getsockname()[1]
        self._decisions.report_address(decided, port)
        log.info("%s listens on 127.0.0.1:%d", self._name, port)
        config = uvicorn.Config(
            self._app,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=DRAIN_S,
        )
        with asyncio.Runner(loop_factory=_new_loop) as runner:
            runner.run(self._serve(uvicorn.Server(config), listener))
        return self._exit_code

    async def _serve(self, server: uvicorn.Server, listener: socket.socket) -> None:
        upkeep = asyncio.create_task(self._keep_up(server))
        try:
            await server.serve(sockets=[listener])
        finally:
            upkeep.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await upkeep
            if self._app.reporter is not None:
                await asyncio.to_thread(self._app.reporter.close, FLUSH_TELEMETRY_S)
            self._log.flush()
            log.info("%s ended", self._name)

    async def _keep_up(self, server: uvicorn.Server) -> None:
        """Follow the decisions until the deployment is gone or cannot be served."""
        try:
            while await self._follow():
                await asyncio.sleep(LOOK_EVERY_S)
        except CannotServeError as error:
            log.error("%s", error)
            self._exit_code = CANNOT_SERVE
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("%s can no longer follow what is decided", self._name)
            self._exit_code = 1
        server.should_exit = True

    async def _follow(self) -> bool:
        """Look once; False when the deployment was deleted."""
        self._log.flush()
        due = time.monotonic() - self._looked_at >= LOOK_ANYWAY_S
        if not self._decisions.changed() and not due:
            return True
        self._looked_at = time.monotonic()
        decided = await asyncio.to_thread(self._decisions.read)
        if decided is None:
            log.info("%s was deleted", self._name)
            return False
        self._app.keys = decided.keys
        if decided.plans_keys:
            await asyncio.to_thread(self._decisions.adopt_keys, decided)
            log.info("a key was regenerated; the old one is refused from now on")
        if decided.generation != self._served_generation:
            await self._take_up(decided)
        return True

    async def _take_up(self, decided: Decided) -> None:
        await self._take_up_telemetry(decided.telemetry)
        served = self._app.engine
        if served is None or served.description.model_id != decided.model_id:
            try:
                await self._take_up_model(decided)
            except CannotServeError as error:
                if served is None:
                    await asyncio.to_thread(self._decisions.give_up, decided, str(error))
                    raise
                await asyncio.to_thread(self._decisions.take_back_model, decided, str(error))
                log.error("%s The model before goes on.", error)
                self._served_generation = decided.generation
                return
        assert self._app.engine is not None and self._ref is not None
        core = self._app.engine.description.core
        await asyncio.to_thread(self._decisions.report_serving, decided, self._ref, core)
        self._served_generation = decided.generation
        log.info(
            "serving generation %d: %s, Application Insights %s",
            decided.generation,
            decided.model_id,
            "on" if decided.telemetry else "off",
        )

    async def _take_up_model(self, decided: Decided) -> None:
        """Make the new engine in full, then let it take over between two requests."""
        started, model_id = time.perf_counter(), decided.model_id
        log.info("loading %s", model_id)
        files = loading.ModelFiles(self._home, model_id)
        chosen = await loading.prepared(files)
        engine = await asyncio.to_thread(loading.engine, self._name, files, chosen)
        await asyncio.to_thread(self._golden.check, engine, decided)
        before, self._app.engine = self._app.engine, engine
        if before is not None:
            before.retire()
        gc.collect()
        gc.freeze()  # what is loaded stays: later collections need not look at it
        log.info("%s ready after %.1f s", model_id, time.perf_counter() - started)

    async def _take_up_telemetry(self, enabled: bool) -> None:
        if enabled and self._app.reporter is None:
            self._app.reporter = await asyncio.to_thread(self._new_reporter)
        elif not enabled and self._app.reporter is not None:
            reporter, self._app.reporter = self._app.reporter, None
            await asyncio.to_thread(reporter.close, FLUSH_TELEMETRY_S)

    def _new_reporter(self) -> Reporter:
        from services.app_insights.sender import Sender
        from services.local.telemetry.identity import connection_string

        sender = Sender(
            functools.partial(connection_string, self._decisions.store),
            spool=deployment_rows.folder(self._home, self._name) / "telemetry",
            role=self._name,
        )
        return Reporter(sender, service=self._name, workspace=self._home.name.lstrip("."))

    def _refresh_keys(self) -> None:
        """A key that is not known may have been issued since the last look."""
        if self._decisions.changed():
            self._looked_at = 0.0  # `_follow` has yet to see the rest of what changed
            decided = self._decisions.read()
            if decided is not None:
                self._app.keys = decided.keys


def listen(port: int | None) -> socket.socket:
    """A listening socket on loopback, on `port` if that can be had.

    The port of a predecessor that is still ending is waited for; one that somebody else has
    taken is given up for a new one.
    """
    deadline = time.monotonic() + TAKE_OVER_S
    wanted = port or 0
    while True:
        # The protocol is named because asyncio turns Nagle's algorithm off only where it is.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", wanted))
            listener.listen(2048)
            return listener
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE:
                raise
        if time.monotonic() < deadline:
            time.sleep(0.1)
        else:
            log.warning("port %d was taken by another program; choosing a new one", wanted)
            wanted = 0


def _new_loop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


def main(home: Path, name: str) -> int:
    server_log.set_up()
    signal.signal(signal.SIGTERM, _end)
    sys.setswitchinterval(0.001)  # a large body on its thread must not hold up small ones
    lifeline.follow()
    return ScoringServer(home, name).run()


def _end(*_: object) -> None:
    """Before uvicorn has taken over the signal, and once it has served: it raises it again."""
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
