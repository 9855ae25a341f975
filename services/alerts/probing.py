"""One probe of one deployment: GET / and a canned scoring request, tagged as a probe."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

from services import data_contract, scoring
from services.alerts.records import PROBE_PREFIX, Probe, ProbeResult
from services.app_insights import wire
from services.domain import Deployment
from services.errors import InvalidRequestError, NotFoundError, ServiceError
from services.ports import Workspace

TIMEOUT_S = 10.0
TAG_HEADER = "x-ms-client-request-id"
TEST_NAME = "probe"


class Examples:
    """A row each deployment accepts; worked out once for each model it serves."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._known: dict[tuple[str, str], str] = {}

    def of(self, deployment: Deployment) -> str:
        """Raises InvalidRequestError: nothing says what it accepts."""
        served = deployment.name, deployment.model_id
        if served not in self._known:
            self._known[served] = _example(self._workspace, deployment.name)
        return self._known[served]


def probe(
    workspace: Workspace, wanted: Probe, *, now: Callable[[], datetime], examples: Examples
) -> ProbeResult:
    """What the deployment answers. Whatever goes wrong with it is in the result."""
    at, request_id = now(), f"{PROBE_PREFIX}{uuid.uuid4().hex}"
    began = time.perf_counter()
    try:
        deployment = workspace.deployments.get(wanted.deployment)
        root = _root(deployment)
        ok, duration_ms, reason = _score(workspace, deployment, wanted, request_id, examples)
    except ServiceError as error:
        ok, duration_ms, reason = False, (time.perf_counter() - began) * 1000, str(error)
        root = str(error)
    if ok and root:
        reason = ""  # a gateway may answer only what is scored; an answered score is health
    return ProbeResult(
        deployment=wanted.deployment,
        at=at,
        ok=ok,
        duration_ms=duration_ms,
        reason=reason,
        request_id=request_id,
        root_ok=not root,
    )


def _score(
    workspace: Workspace,
    deployment: Deployment,
    wanted: Probe,
    request_id: str,
    examples: Examples,
) -> tuple[bool, float, str]:
    if deployment.scoring_uri is None:
        return False, 0.0, f"It has no scoring URI yet; it is {deployment.state}."
    key = workspace.deployments.keys(deployment.name).primary if deployment.auth_enabled else None
    with scoring.ScoringClient(
        deployment.scoring_uri,
        key=key,
        timeout_s=TIMEOUT_S,
        retries=scoring.Retries(attempt_limit=1),  # a probe tells what a caller would meet
        headers={TAG_HEADER: request_id},
    ) as client:
        answer = client.send(wanted.payload or examples.of(deployment))
    return answer.ok, answer.duration_ms, answer.error


def _example(workspace: Workspace, deployment: str) -> str:
    try:
        contract = workspace.scoring.contract(deployment)
    except NotFoundError as error:
        raise InvalidRequestError(
            "Nothing is known about its input: give the probe a JSON body to post."
        ) from error
    return json.dumps({"data": [data_contract.example_row(contract)]}, default=str)


def _root(deployment: Deployment) -> str:
    """Why GET / is not well; empty when it answers 200. Alone it never counts as health."""
    import requests

    if deployment.scoring_uri is None:
        return "no address"
    parts = urlsplit(deployment.scoring_uri)
    path = parts.path.rsplit("/", 1)[0] + "/"  # AKS puts a deployment's own root below its name
    session = requests.Session()
    session.trust_env = parts.hostname not in ("127.0.0.1", "localhost", "::1")
    try:
        with (
            session,
            session.get(
                urlunsplit((parts.scheme, parts.netloc, path, "", "")),
                timeout=TIMEOUT_S,
                allow_redirects=False,
                stream=True,
            ) as answer,
        ):
            return "" if answer.status_code == 200 else f"answered {answer.status_code}"
    except requests.RequestException as error:
        return type(error).__name__


def envelope(result: ProbeResult, *, location: str) -> wire.Envelope:
    """The probe as Application Insights keeps availability tests."""
    return wire.availability_envelope(
        at=result.at,
        test_id=result.request_id,
        name=f"{TEST_NAME}: {result.deployment}",
        duration_ms=result.duration_ms,
        success=result.ok,
        location=location,
        message=result.reason,
        properties={
            "Service Name": result.deployment,
            "Client Request Id": result.request_id,
            "GET /": "200" if result.root_ok else "not answered",
        },
    )
