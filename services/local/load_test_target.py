"""What ``ab`` is pointed at: a deployment of this machine, or a relay to one elsewhere."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import selectors
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from services.domain import Deployment, LoadTest, LoadTestPlan
from services.errors import OperationFailedError, UnavailableError
from services.local import load_test_handover, processes
from services.local.deployments import LocalDeployments
from services.local.load_test_handover import Handover
from services.local.load_tests import folder
from services.local.scoring_relay import OVERHEAD_PATH
from services.local.store import Store

CREDENTIAL_SLACK_S = 120.0
CREDENTIAL_LIMIT_S = 6 * 3600.0
RELAY_STARTS_WITHIN_S = 20.0
RELAY_ENDS_WITHIN_S = 5.0
ASKING_TIMEOUT_S = 5.0
NOTHING_LEFT = (
    "The address and key for this test were not handed over in time; start the test again."
)
RELAYED = (
    "A relay on this machine stood between ab and the deployment, so that the key is in no "
    "command line; connection times are those to the relay"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where requests go. `credential` is worthless after the test."""

    uri: str
    credential: str | None = field(repr=False)
    relayed: bool = False

    def warnings(self) -> tuple[str, ...]:
        """What a reader of the figures should know about the way there."""
        if not self.relayed:
            return ()
        told = self._overhead()
        if not told.get("count"):
            return (RELAYED,)
        return (f"{RELAYED}, and it added {told['mean_ms']:.2f} ms each",)

    def _overhead(self) -> Mapping[str, float]:
        """How many requests the relay saw and what it added; nothing once it is stopped with us."""
        import requests

        address = f"{self.uri.rpartition('/')[0]}{OVERHEAD_PATH}"
        headers = {"Authorization": f"Bearer {self.credential}"}
        with requests.Session() as session:
            session.trust_env = False
            told: dict[str, float] = {}
            with contextlib.suppress(requests.RequestException, ValueError):
                told = session.get(address, headers=headers, timeout=ASKING_TIMEOUT_S).json()
        return told


@contextmanager
def reached(home: Path, store: Store, test: LoadTest, workspace: str) -> Iterator[Target]:
    """The target of a test, for as long as it lasts.

    Args:
        workspace: where the deployment lives; empty: here.

    Raises:
        UnavailableError: it has no address yet.
        NotFoundError: it is gone.
        OperationFailedError: nobody handed over where it is.
    """
    assert test.plan is not None  # imported reports have no target
    if not workspace:
        with _here(LocalDeployments(home, store), test.plan) as target:
            yield target
        return
    handover = load_test_handover.take(folder(home, test.id))
    if handover is None:
        raise OperationFailedError(NOTHING_LEFT)
    with elsewhere(handover, test.plan, folder(home, test.id) / "relay.log") as target:
        yield target


@contextmanager
def _here(deployments: LocalDeployments, plan: LoadTestPlan) -> Iterator[Target]:
    """With a key that lives for this run alone, since ``ps`` shows it."""
    target: Deployment = deployments.get(plan.deployment)
    if target.scoring_uri is None:
        raise UnavailableError(f"“{target.name}” has no scoring URI yet.")
    if not target.auth_enabled:
        yield Target(uri=target.scoring_uri, credential=None)
        return
    expected_s = plan.seconds or (plan.requests or 0) * plan.timeout_s / plan.concurrency
    lifetime_s = min(expected_s + CREDENTIAL_SLACK_S, CREDENTIAL_LIMIT_S)
    key = deployments.issue_temporary_key(target.name, lifetime_s)
    try:
        yield Target(uri=target.scoring_uri, credential=key)
    finally:
        deployments.revoke_temporary_key(target.name, key)


@contextmanager
def elsewhere(handover: Handover, plan: LoadTestPlan, errors: Path) -> Iterator[Target]:
    """Through a relay, which alone knows the key: it gets it over a pipe."""
    credential = secrets.token_urlsafe(24)
    route = {
        "uri": handover.uri,
        "key": handover.key,
        "credential": credential,
        "timeout_s": plan.timeout_s,
        "connections": plan.concurrency,
    }
    with errors.open("wb") as error_file:
        relay = subprocess.Popen(
            [sys.executable, "-m", "services.local.scoring_relay"],
            cwd=processes.ROOT,
            env={**os.environ, **handover.surroundings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=error_file,
        )
    try:
        assert relay.stdin is not None and relay.stdout is not None
        relay.stdin.write(json.dumps(route).encode() + b"\n")
        relay.stdin.flush()
        port = _port(relay)
        yield Target(uri=f"http://127.0.0.1:{port}/score", credential=credential, relayed=True)
    finally:
        _end(relay)


def _port(relay: subprocess.Popen[bytes]) -> int:
    assert relay.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(relay.stdout, selectors.EVENT_READ)
        heard = selector.select(timeout=RELAY_STARTS_WITHIN_S)
    line = relay.stdout.readline() if heard else b""
    if not line.strip().isdigit():
        raise OperationFailedError(
            "The relay to the deployment did not start; look at relay.log in the test's folder."
        )
    return int(line)


def _end(relay: subprocess.Popen[bytes]) -> None:
    """Its lifeline ends, and so does it."""
    for pipe in (relay.stdin, relay.stdout):
        if pipe is not None:
            pipe.close()
    try:
        relay.wait(timeout=RELAY_ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        relay.kill()
        relay.wait()
