"""Trying a connection step by step, so that what fails has a name and a next move."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from services.azure import sdk
from services.azure.connection import Connection
from services.azure.sdk_errors import translated
from services.azure.sign_in import AzureConfig, SignIn
from services.azure.workspace import AzureWorkspace
from services.domain import ConnectionStep, StepOutcome
from services.errors import (
    AccessDeniedError,
    InvalidRequestError,
    NotFoundError,
    ServiceError,
    SignInError,
    UnavailableError,
)

TIMEOUT_S = 10.0
NEEDED = ("Credentials", "Subscription", "Workspace")
PROVIDER = "Microsoft.MachineLearningServices/workspaces"
CHANGES = {  # what an operator does here → the action a role must contain
    "register": f"{PROVIDER}/models/write",
    "deploy": f"{PROVIDER}/services/aci/write",
    "read keys": f"{PROVIDER}/services/aci/listkeys/action",
    "submit pipelines": f"{PROVIDER}/experiments/runs/submit/action",
}
SIGN_IN_HINTS = {  # Entra's code → what to do; Source: learn.microsoft.com, "AADSTS error codes"
    "AADSTS90002": "The tenant does not exist: check the tenant id.",
    "Unable to get authority": "The tenant does not exist: check the tenant id.",  # MSAL's words
    "AADSTS900023": "The tenant id is not a tenant's: copy it from the Entra overview page.",
    "AADSTS700016": "This tenant does not know the client id: check both ids.",
    "AADSTS7000215": "The client secret is wrong: copy its value, not its id.",
    "AADSTS7000222": "The client secret has expired: create another one.",
    "AADSTS7000112": "The service principal is disabled: enable it in Entra.",
}


@dataclass(frozen=True, slots=True)
class _Found:
    """What a step found out; `complete` unless only some of it works."""

    detail: str
    complete: bool = True


def steps(workspace: AzureWorkspace) -> Iterator[ConnectionStep]:
    """Credentials, subscription, workspace, role, Application Insights: each as it was tried.

    After a failure the steps that need it are not tried; Application Insights needs no role.
    """
    broken = False
    for title, attempt in _ATTEMPTS.items():
        if broken:
            yield ConnectionStep(
                title=title, outcome=StepOutcome.NOT_TRIED, detail="An earlier step failed."
            )
            continue
        step = _tried(title, partial(attempt, workspace))
        broken = step.outcome is StepOutcome.FAILED and title in NEEDED
        yield step


def require(workspace: AzureWorkspace) -> None:
    """Sign in and find the workspace, or say what is in the way.

    Raises:
        ServiceError: the first of the steps everything else needs that failed.
    """
    for attempt in (_credentials, _subscription, _workspace):
        attempt(workspace)
    sdk.load()


def _tried(title: str, attempt: Callable[[], _Found]) -> ConnectionStep:
    began = time.monotonic()
    try:
        found = attempt()
        outcome = StepOutcome.PASSED if found.complete else StepOutcome.PARTLY
        detail = found.detail
    except ServiceError as error:
        outcome, detail = StepOutcome.FAILED, str(error)
    return ConnectionStep(
        title=title,
        outcome=outcome,
        detail=detail,
        elapsed_ms=(time.monotonic() - began) * 1000,
    )


def _credentials(workspace: AzureWorkspace) -> _Found:
    connection = workspace.connection
    try:
        _token(connection)
    except AccessDeniedError as error:
        hint = next((hint for code, hint in SIGN_IN_HINTS.items() if code in str(error)), "")
        raise AccessDeniedError(hint or str(error)) from error
    return _Found(f"Signed in with {_who(connection.config)}.")


def _who(config: AzureConfig) -> str:
    if config.sign_in is SignIn.SERVICE_PRINCIPAL:
        return f"the service principal {config.client_id}"
    if config.sign_in is SignIn.MANAGED_IDENTITY:
        return f"the managed identity {config.client_id}".strip()
    return "the Azure CLI's account" if config.sign_in is SignIn.CLI else "the token given"


def _subscription(workspace: AzureWorkspace) -> _Found:
    wanted = workspace.connection.config.subscription_id
    answer = _asked(workspace.connection, "/subscriptions", "2022-12-01", "subscription")
    seen = {str(each.get("subscriptionId")): each for each in answer.get("value", ())}
    if wanted in seen:
        return _Found(f"{seen[wanted].get('displayName', wanted)} ({wanted}).")
    others = ", ".join(f"{each.get('displayName')} ({id})" for id, each in seen.items())
    raise AccessDeniedError(
        f"This sign-in does not see the subscription {wanted}. "
        + (f"It sees {others}: check the id." if others else "It sees none: give it a role.")
    )


def _workspace(workspace: AzureWorkspace) -> _Found:
    connection, config = workspace.connection, workspace.connection.config
    try:
        answer = _asked(connection, connection.arm_id, "2022-05-01", "Azure ML workspace")
    except NotFoundError as error:
        raise InvalidRequestError(
            f"The resource group {config.resource_group} has no workspace "
            f"{config.workspace_name}: check both names."
        ) from error
    except SignInError:
        raise
    except AccessDeniedError as error:
        raise AccessDeniedError(
            f"This sign-in may not see the workspace {config.workspace_name}: give it the role "
            "Reader, or AzureML Data Scientist, on it."
        ) from error
    return _Found(f"{config.workspace_name} in {answer.get('location', 'an unknown region')}.")


def _role(workspace: AzureWorkspace) -> _Found:
    """What may be read, by asking each family of services; what may be changed, by the role."""
    families: Mapping[str, Callable[[], object]] = {
        "datasets": lambda: workspace.datasets.list(),
        "runs": lambda: workspace.runs.experiments(),
        "models": lambda: workspace.models.list(),
        "deployments": lambda: workspace.deployments.list(),
        "pipelines": lambda: workspace.pipelines.list(),
        "schedules": lambda: workspace.schedules.list(),
    }
    with ThreadPoolExecutor(len(families)) as side_by_side:
        said = dict(zip(families, side_by_side.map(_refusal, families.values()), strict=True))
    refused = {name: sentence for name, sentence in said.items() if sentence}
    if len(refused) == len(families):
        raise AccessDeniedError(
            f"None of the workspace's services answers: {next(iter(refused.values()))}"
        )
    changes = _may_change(workspace.connection)
    if not refused:
        return _Found(f"Reads everything. {changes}")
    readable = ", ".join(name for name in families if name not in refused)
    problems = " ".join(f"Not {name}: {said}" for name, said in refused.items())
    return _Found(f"Reads {readable}. {problems} {changes}", complete=False)


def _refusal(ask: Callable[[], object]) -> str:
    try:
        ask()
    except ServiceError as error:
        return str(error)
    return ""


def _may_change(connection: Connection) -> str:
    """In words. A role that may only read opens every page and fails at the first change."""
    place = f"{connection.arm_id}/providers/Microsoft.Authorization/permissions"
    try:
        answer = _asked(connection, place, "2022-04-01", "permission")
    except ServiceError:
        return "What it may change could not be found out."
    allowed = [name for name, action in CHANGES.items() if _allows(answer.get("value", ()), action)]
    if len(allowed) == len(CHANGES):
        return "May change everything."
    if not allowed:
        return "May change nothing: for that it needs the role AzureML Data Scientist."
    return f"Of the changes it may only {', '.join(allowed)}."


def _allows(permissions: Sequence[Mapping[str, Any]], action: str) -> bool:
    """Azure's rule: one assignment allows it and does not take it back.

    Source: learn.microsoft.com, "Understand Azure role definitions".
    """

    def named(patterns: Sequence[str]) -> bool:
        return any(fnmatchcase(action.casefold(), each.casefold()) for each in patterns)

    return any(
        named(each.get("actions") or ()) and not named(each.get("notActions") or ())
        for each in permissions
    )


def _insights(workspace: AzureWorkspace) -> _Found:
    try:
        answer = workspace.telemetry.query("requests | take 1")
    except NotFoundError as error:
        raise InvalidRequestError(
            "The workspace names no Application Insights resource that exists: link one in the "
            "Azure portal."
        ) from error
    except SignInError:
        raise
    except AccessDeniedError as error:
        raise AccessDeniedError(
            f"{error} Give this sign-in the role Monitoring Reader on the Application Insights "
            "resource."
        ) from error
    rows = "has requests" if len(answer.frame) else "has no request yet"
    return _Found(f"{workspace.telemetry.resource} answers and {rows}.")


def _token(connection: Connection) -> str:
    with translated("sign-in"):
        return connection.deadlines.call(
            "signing in", lambda: connection.tokens.get(f"{connection.management}/")
        )


def _asked(connection: Connection, path: str, version: str, kind: str) -> Mapping[str, Any]:
    """One question to Azure Resource Manager.

    Raises:
        ServiceError: as everywhere; a 404 of one thing is `NotFoundError`.
    """
    import requests  # a connection test is rare

    token = _token(connection)
    with translated(kind, path.rpartition("/")[2]):
        answer = requests.get(
            f"{connection.management}{path}",
            params={"api-version": version},
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT_S,
        )
        answer.raise_for_status()
        content = answer.json()
    if not isinstance(content, dict):
        raise UnavailableError("Azure Resource Manager's answer could not be understood.")
    return content


_ATTEMPTS: Mapping[str, Callable[[AzureWorkspace], _Found]] = {
    "Credentials": _credentials,
    "Subscription": _subscription,
    "Workspace": _workspace,
    "Role": _role,
    "Application Insights": _insights,
}
