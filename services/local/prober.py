"""Has deployments probed, for whichever workspace they belong to."""

from __future__ import annotations

import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Protocol

from services.alerts import probing
from services.alerts.records import Probe, ProbeResult
from services.app_insights import wire
from services.errors import ServiceError
from services.local.clock import Clock
from services.ports import Workspace

log = logging.getLogger(__name__)

PROBES_AT_ONCE = 4


class Tracker(Protocol):
    """Where availability telemetry goes."""

    def track(self, envelope: wire.Envelope) -> None: ...


class Prober:
    """Probes that are due, each on a thread, none twice at once."""

    def __init__(self, workspace: Workspace, sender: Tracker | None, *, clock: Clock) -> None:
        """
        Args:
            sender: None where nothing is posted: somebody else pays for that telemetry.
        """
        self._workspace, self._sender, self._clock = workspace, sender, clock
        self._examples = probing.Examples(workspace)
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
            found = probing.probe(self._workspace, probe, now=self._clock, examples=self._examples)
            if not found.ok and not self._should_answer(found):
                return
            self._workspace.probes.record(found)
            if self._sender is not None:
                self._sender.track(probing.envelope(found, location=socket.gethostname()))
            if not found.ok:
                log.info("the probe of %s failed: %s", probe.deployment, found.reason)
        except Exception:
            log.exception("the probe of %s could not be carried out", probe.deployment)
        finally:
            with self._lock:
                self._under_way.discard(probe.deployment)

    def _should_answer(self, found: ProbeResult) -> bool:
        """On its way up its silence is no outage; one that is gone, or whose workspace cannot
        be asked for its address and key, has none either."""
        try:
            return self._workspace.deployments.get(found.deployment).state.settled
        except ServiceError as error:
            log.info("the probe of %s says nothing about it: %s", found.deployment, error)
            return False

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
