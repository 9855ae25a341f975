"""Notices trouble and tells of it: ``python -m services.local.watcher HOME KEY``.

One per workspace, kept by its supervisor; the dashboard keeps another one for an Azure
workspace it has opened. It evaluates the rules, probes deployments and sends messages;
everything it knows is in the store, so that it may be killed at any moment.
"""

from __future__ import annotations

import fcntl
import gc
import hashlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

from services.alerts.gathering import Gatherer
from services.alerts.golden_rounds import GoldenRounds
from services.alerts.records import Source
from services.alerts.watching import Watch
from services.app_insights.sender import Sender
from services.errors import ServiceError
from services.local import lifeline, soundness
from services.local.alert_outbox import Outbox
from services.local.alert_secrets import ChannelSecrets
from services.local.chores import Chore, keep_doing
from services.local.clock import Clock, utc_now
from services.local.log_collector import LogCollector
from services.local.messenger import Messenger
from services.local.prober import Prober
from services.local.store import Store
from services.local.workspace import open_workspace
from services.ports import Workspace

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
GRACE_S = 3.0
FORGET_EVERY_S = 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often what is asked."""

    evaluate_s: float = 10.0
    logs_s: float = 30.0
    golden_s: float = 30.0  # between looks for a golden set that is due
    patience: Mapping[Source, timedelta] = field(default_factory=dict)  # as `Gatherer` takes it
    limit_s: float | None = None  # of one look; what was not asked by then counts as unanswered


class Watcher:
    """Watches one workspace, wherever it lives; what it finds is kept in `store`."""

    def __init__(
        self,
        workspace: Workspace,
        home: Path,
        store: Store,
        *,
        key: str = "",
        rhythm: Rhythm,
        sender: Sender | None,
        chores: Sequence[Chore] = (),
        clock: Clock = utc_now,
    ) -> None:
        """
        Args:
            key: of a workspace that lives elsewhere; empty: the one in `home`.
            sender: of availability telemetry; None where probes stay here.
            chores: what no supervisor does there when it is due.
        """
        self._rhythm, self._sender, self._clock = rhythm, sender, clock
        self._store = store.path
        self._outbox = Outbox(store, workspace=key)
        self._messenger = Messenger(workspace, self._outbox, ChannelSecrets(home), clock=clock)
        self._prober = Prober(workspace, sender, clock=clock)
        self._collector = LogCollector(workspace, every_s=rhythm.logs_s)
        self._chores = chores
        self._golden = GoldenRounds(workspace, clock=clock, look_every_s=rhythm.golden_s)
        gatherer = Gatherer(workspace, patience=rhythm.patience, limit_s=rhythm.limit_s)
        self._watch = Watch(workspace, self._outbox, gatherer)

    def run(self, stopping: threading.Event) -> None:
        threads: list[tuple[str, Callable[[threading.Event], None]]] = [
            ("messenger", self._messenger.run),
            ("logs", self._collector.run),
            ("golden", self._golden.run),
            *(("chore", partial(keep_doing, each)) for each in self._chores),
            ("soundness", partial(soundness.watch, self._store, clock=self._clock)),
        ]
        for name, target in threads:
            threading.Thread(target=target, args=(stopping,), name=name, daemon=True).start()
        probing = threading.Thread(target=self._probe, args=(stopping,), name="due", daemon=True)
        probing.start()
        evaluate_at = forget_at = time.monotonic()
        while not stopping.is_set():
            try:
                if time.monotonic() >= evaluate_at:
                    evaluate_at = time.monotonic() + self._rhythm.evaluate_s
                    self._watch.evaluate(now=self._clock())
                if time.monotonic() >= forget_at:
                    self._outbox.forget(now=self._clock())
                    forget_at = time.monotonic() + FORGET_EVERY_S
            except ServiceError as error:
                log.warning("a look was given up: %s", error)
                evaluate_at = time.monotonic()
            except Exception:  # messages and probes go on; that nobody looks is said on the pages
                log.exception("a look failed")
            stopping.wait(LOOK_EVERY_S)
        self._prober.close()
        if self._sender is not None:
            self._sender.close(2.0)

    def _probe(self, stopping: threading.Event) -> None:
        """Not behind a look, which waits for whoever is slow to answer."""
        while not stopping.is_set():
            try:
                self._prober.begin_due()
            except ServiceError as error:
                log.warning("no probe was begun: %s", error)
            except Exception:
                log.exception("probes could not be begun; they are tried again")
            stopping.wait(LOOK_EVERY_S)


def hold(home: Path, key: str) -> int | None:
    """The descriptor of the lock of a watched workspace, or None when somebody watches it.

    Keep it open for as long as the process lives; the system releases it after any end.
    """
    name = hashlib.sha256(key.encode()).hexdigest()[:16]
    descriptor = os.open(home / f"watcher-{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def run_until_told(watcher: Watcher) -> None:
    """As a program: until SIGTERM, or until whoever holds standard input is gone."""
    stopping = threading.Event()

    def stop(*_: object) -> None:
        stopping.set()
        late = threading.Timer(GRACE_S, os._exit, [0])  # a look may wait for its deadline
        late.daemon = True
        late.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    lifeline.follow()
    gc.freeze()
    watcher.run(stopping)
    log.info("stopped")


def main(arguments: Sequence[str]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    home = Path(arguments[0])
    try:
        workspace = open_workspace(home)
    except ServiceError as error:
        log.error("%s", error)
        return 1
    sender = Sender(
        lambda: workspace.telemetry.connection_string,
        spool=home / "telemetry" / "spool" / "watcher",
        role="probe",
    )
    log.info("watching %s", home)
    run_until_told(Watcher(workspace, home, workspace.store, rhythm=Rhythm(), sender=sender))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
