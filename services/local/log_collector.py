"""Reads the end of every deployment's log now and then, and keeps what is new in it."""

from __future__ import annotations

import logging
import threading

from services.errors import ServiceError
from services.log_archive import TAIL_LINES
from services.ports import Workspace

log = logging.getLogger(__name__)

EVERY_S = 30.0


class LogCollector:
    """On a thread of its own: a slow disk or a slow service keeps nobody else waiting."""

    def __init__(self, workspace: Workspace, *, every_s: float = EVERY_S) -> None:
        self._workspace, self._every_s = workspace, every_s
        self._seen: dict[str, int] = {}  # deployment → the last tail's fingerprint

    def run(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            try:
                self.collect()
            except ServiceError as error:
                log.warning("no log was collected: %s", error)
            except Exception:
                log.exception("logs could not be collected; they are read again")
            stopping.wait(self._every_s)

    def collect(self) -> int:
        """Read each log once; how many lines were new."""
        count = 0
        for deployment in self._workspace.deployments.list():
            try:
                count += self._read(deployment.name)
            except ServiceError as error:  # the others' logs are read all the same
                log.info("the log of %s was not collected: %s", deployment.name, error)
        return count

    def _read(self, name: str) -> int:
        tail = self._workspace.deployments.logs(name, line_limit=TAIL_LINES)
        fingerprint = hash(tail.text)
        if self._seen.get(name) == fingerprint:
            return 0
        count = self._workspace.log_archive.keep(name, tail)
        self._seen[name] = fingerprint
        return count
