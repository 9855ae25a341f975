"""Notices trouble and tells of it: ``python -m services.local.watcher HOME KEY``.

One per workspace, kept by its supervisor. It evaluates the rules, probes deployments and
sends messages; everything it knows is in the store, so that it may be killed at any moment.
"""

from __future__ import annotations

import gc
import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

from services.alerts import messages, probing, sending
from services.alerts.records import Probe, ProbeResult
from services.alerts.watching import Watch
from services.app_insights.sender import Sender
from services.errors import ServiceError
from services.local import lifeline
from services.local.alert_outbox import Due, Outbox
from services.local.alert_secrets import ChannelSecrets
from services.local.clock import Clock, utc_now
from services.local.log_collector import LogCollector
from services.local.workspace import LocalWorkspace, open_workspace

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
EVALUATE_EVERY_S = 10.0
FORGET_EVERY_S = 24 * 3600.0
PROBES_AT_ONCE = 4


class Prober:
    """Probes that are due, each on a thread, none twice at once."""

    def __init__(self, workspace: LocalWorkspace, sender: Sender, *, clock: Clock) -> None:
        self._workspace, self._sender, self._clock = workspace, sender, clock
        self._pool = ThreadPoolExecutor(PROBES_AT_ONCE, thread_name_prefix="probe")
        self._last: dict[str, datetime] = {}
        self._under_way: set[str] = set()
        self._lock = threading.Lock()

    def begin_due(self) -> None:
        now = self._clock()
        for probe in self._workspace.probes.list():
            if probe.enabled and probe.deployment not in self._under_way and self._due(probe, now):
                self._last[probe.deployment] = now
                with self._lock:
                    self._under_way.add(probe.deployment)
                self._pool.submit(self._carry_out, probe)

    def _due(self, probe: Probe, now: datetime) -> bool:
        if probe.deployment not in self._last:
            results = self._workspace.probes.results(probe.deployment, limit=1)
            if results:
                self._last[probe.deployment] = results[0].at
        last = self._last.get(probe.deployment)
        interval = timedelta(seconds=probe.interval_s)
        return last is None or now - last >= interval or last > now  # the clock was set back

    def _carry_out(self, probe: Probe) -> None:
        try:
            found = probing.probe(self._workspace, probe, now=self._clock)
            if self._in_transition(found):
                return
            self._workspace.probes.record(found)
            self._sender.track(probing.envelope(found, location=socket.gethostname()))
            if not found.ok:
                log.info("the probe of %s failed: %s", probe.deployment, found.reason)
        except Exception:
            log.exception("the probe of %s could not be carried out", probe.deployment)
        finally:
            with self._lock:
                self._under_way.discard(probe.deployment)

    def _in_transition(self, found: ProbeResult) -> bool:
        """On its way up its silence is no outage; a deployment that is gone has none either."""
        try:
            return not self._workspace.deployments.get(found.deployment).state.settled
        except ServiceError as error:
            log.info("nothing is probed under %s any more: %s", found.deployment, error)
            return True

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class Messenger:
    """Sends what is due, one message after the other, on a thread of its own."""

    def __init__(
        self, workspace: LocalWorkspace, outbox: Outbox, secrets: ChannelSecrets, *, clock: Clock
    ) -> None:
        self._workspace, self._outbox, self._secrets = workspace, outbox, secrets
        self._clock = clock

    def run(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            try:
                self.send_due(stopping)
            except Exception:
                log.exception("messages could not be sent; they are tried again")
            stopping.wait(LOOK_EVERY_S)

    def send_due(self, stopping: threading.Event | None = None) -> int:
        """Send what is due now; how many messages were tried."""
        claimed = self._outbox.claim(now=self._clock(), limit=1)
        count = 0
        while claimed and not (stopping and stopping.is_set()):
            for message in claimed:
                self._send(message)
                count += 1
            claimed = self._outbox.claim(now=self._clock(), limit=1)
        return count

    def _send(self, due: Due) -> None:
        channels = {each.id: each for each in self._workspace.alerts.channels()}
        channel = channels.get(due.channel_id)
        if channel is None:
            return  # deleted meanwhile, and its messages with it
        if not channel.enabled and due.incident is not None:
            self._outbox.failed(due, "The channel was turned off.", now=self._clock(), final=True)
            return
        message = (
            messages.of_test(due.id, workspace=self._workspace.name, at=due.created_at)
            if due.incident is None
            else messages.of_incident(
                due.incident, due.event, workspace=self._workspace.name, at=due.created_at
            )
        )
        try:
            sending.send(channel, message, secret=self._secrets.read(channel.id))
        except sending.SendError as error:
            log.warning("%s was not delivered to %s: %s", message.id, channel.name, error)
            self._outbox.failed(due, str(error), now=self._clock(), final=error.final)
        else:
            log.info("%s was delivered to %s", message.id, channel.name)
            self._outbox.sent(due, now=self._clock())


def main(arguments: Sequence[str]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    home, stopping = Path(arguments[0]), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    lifeline.follow()
    try:
        workspace = open_workspace(home)
    except ServiceError as error:
        log.error("%s", error)
        return 1
    outbox = Outbox(workspace.store)
    messenger = Messenger(workspace, outbox, ChannelSecrets(home), clock=utc_now)
    sender = Sender(
        lambda: workspace.telemetry.connection_string,
        spool=home / "telemetry" / "spool" / "watcher",
        role="probe",
    )
    prober = Prober(workspace, sender, clock=utc_now)
    watch = Watch(workspace, outbox)
    thread = threading.Thread(target=messenger.run, args=(stopping,), name="messenger", daemon=True)
    thread.start()
    collector = LogCollector(workspace)
    threading.Thread(target=collector.run, args=(stopping,), name="logs", daemon=True).start()
    gc.freeze()
    log.info("watching %s", home)
    evaluate_at = forget_at = time.monotonic()
    while not stopping.is_set():
        try:
            prober.begin_due()
            if time.monotonic() >= evaluate_at:
                watch.evaluate(now=utc_now())
                evaluate_at = time.monotonic() + EVALUATE_EVERY_S
            if time.monotonic() >= forget_at:
                outbox.forget(now=utc_now())
                forget_at = time.monotonic() + FORGET_EVERY_S
        except ServiceError as error:
            log.warning("a look was given up: %s", error)
        except Exception:  # messages and probes go on; that nobody looks is said on the pages
            log.exception("a look failed")
            evaluate_at = time.monotonic() + EVALUATE_EVERY_S
        stopping.wait(LOOK_EVERY_S)
    prober.close()
    sender.close(2.0)
    log.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
