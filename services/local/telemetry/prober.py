"""Availability tests: whether each deployment answers, asked regularly, so that an idle
deployment can be told from a dead one."""

from __future__ import annotations

import http.client
import socket
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from services.app_insights import wire
from services.domain import Deployment, DeploymentState
from services.local.clock import Clock, utc_now

TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Prober:
    """One test of every deployment whose telemetry is on and that was up before."""

    deployments: Callable[[], Sequence[Deployment]]
    clock: Clock = utc_now

    def __call__(self) -> list[wire.Envelope]:
        tested = [each for each in self.deployments() if _to_test(each)]
        if not tested:
            return []
        with ThreadPoolExecutor(min(8, len(tested)), thread_name_prefix="probe") as pool:
            return list(pool.map(self._test, tested))

    def _test(self, deployment: Deployment) -> wire.Envelope:
        at, began = self.clock(), time.perf_counter()
        reason = _unwell(deployment.scoring_uri or "")
        return _envelope(deployment.name, at, (time.perf_counter() - began) * 1000.0, reason)


def _to_test(deployment: Deployment) -> bool:
    """Not one that is on its way up, whose silence is no outage."""
    settled = deployment.state in (DeploymentState.HEALTHY, DeploymentState.UNHEALTHY)
    return deployment.telemetry_enabled and settled and deployment.scoring_uri is not None


def _unwell(scoring_uri: str) -> str:
    """What is wrong with its health address; empty when it answers 200."""
    connection = http.client.HTTPConnection(urlsplit(scoring_uri).netloc, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/")
        status = connection.getresponse().status
        return "" if status == 200 else f"answered {status}"
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()


def _envelope(name: str, at: datetime, duration_ms: float, reason: str) -> wire.Envelope:
    return wire.availability_envelope(
        at=at,
        test_id=uuid.uuid4().hex,
        name=name,
        duration_ms=duration_ms,
        success=not reason,
        location=socket.gethostname(),
        message=reason,
        properties={"Service Name": name},
    )
