"""A running child of the supervisor, and the probes that ask servers whether they are well."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from services.local.duty import ExitCause, Program

PROBE_TIMEOUT_S = 2.0
PROBE_EVERY_S = 2.0
_LOOK = os.WEXITED | os.WNOHANG | os.WNOWAIT


class Child:
    """One process we started. Only its own group is ever signalled."""

    def __init__(self, program: Program, popen: subprocess.Popen[bytes]) -> None:
        self.program = program
        self.cause = ExitCause.ITSELF
        self.answered = False
        self.next_probe_at = 0.0  # monotonic
        self._popen = popen
        self._kill_at: float | None = None

    def ask_to_stop(self, cause: ExitCause = ExitCause.UNWANTED) -> None:
        """Begin the conversation: SIGTERM now, SIGKILL after the program's grace."""
        if self._kill_at is None:
            self.cause = cause
            self._kill_at = time.monotonic() + self.program.grace_s
            self._signal(signal.SIGTERM)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def unsettled(self) -> bool:
        """It is being stopped, has ended, or is a server that has not answered yet."""
        awaited = self.program.health_url is not None and not self.answered
        if self._kill_at is not None or awaited:
            return True
        return self._has_exited()

    def ended(self) -> int | None:
        """Its exit code once it has ended and nothing of its group is left, else None."""
        if self._kill_at is not None and time.monotonic() > self._kill_at:
            self._signal(signal.SIGKILL)
        if not self._has_exited():
            return None
        if self._popen.returncode is None:
            # A zombie's group number cannot have been given to a stranger yet.
            self._signal(signal.SIGKILL)
        code = self._popen.wait()
        if self._popen.stdin is not None:
            with contextlib.suppress(OSError):
                self._popen.stdin.close()
        return code

    def _has_exited(self) -> bool:
        """Whether it has; without collecting it, so that its group can still be told apart."""
        try:
            return os.waitid(os.P_PID, self._popen.pid, _LOOK) is not None
        except ChildProcessError:  # already collected, by `processes.stop`
            self._popen.poll()
            return True

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, number)


@dataclass(frozen=True, slots=True)
class Probe:
    key: str
    at: datetime
    answering: bool


class Probes:
    """Health probes on threads of their own, so that a silent server delays nobody."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="probe")
        self._running: dict[str, Future[bool]] = {}

    def take(self, children: Iterable[Child], now: datetime) -> list[Probe]:
        """Collect finished probes and begin those that are due."""
        finished = [
            Probe(key, now, future.result())
            for key, future in self._running.items()
            if future.done()
        ]
        for probe in finished:
            del self._running[probe.key]
        answers = {probe.key: probe.answering for probe in finished}
        clock = time.monotonic()
        for child in children:
            key, url = child.program.key, child.program.health_url
            child.answered |= answers.get(key, False)
            if url and key not in self._running and clock >= child.next_probe_at:
                child.next_probe_at = clock + (PROBE_EVERY_S if child.answered else 0.0)
                self._running[key] = self._pool.submit(answers_well, url)
        return finished

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def answers_well(url: str, *, timeout_s: float = PROBE_TIMEOUT_S) -> bool:
    """Whether a GET of a loopback URL is answered with 200 in time."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=timeout_s)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
