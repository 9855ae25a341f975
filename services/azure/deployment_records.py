"""Web services as Azure describes them, made our records (pure)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from services.azure.sdk_errors import message_of
from services.domain import Deployment, DeploymentState
from services.passages import Passage

log = logging.getLogger(__name__)

UNREADABLE_AT = datetime(1970, 1, 1, tzinfo=UTC)
TOKEN_AUTH = "Microsoft Entra token"
STATES: Mapping[str, DeploymentState] = {
    "Transitioning": DeploymentState.TRANSITIONING,
    "Creating": DeploymentState.TRANSITIONING,
    "Updating": DeploymentState.TRANSITIONING,
    "Deleting": DeploymentState.TRANSITIONING,
    "Healthy": DeploymentState.HEALTHY,
    "Unhealthy": DeploymentState.UNHEALTHY,
    "Unschedulable": DeploymentState.UNHEALTHY,
    "Failed": DeploymentState.FAILED,
}
WITHOUT_ERROR: Mapping[str, str] = {
    "Unhealthy": "Azure cannot reach it at the moment; its log may say why.",
    "Unschedulable": "Azure has no room for it at the moment (Unschedulable); "
    "ask for fewer cores or less memory, or wait.",
    "Failed": "Azure gave no reason; its log may say more.",
}


def record(item: Any) -> Deployment:
    """One item of the list; one that cannot be read is listed as Unknown, and says so."""
    try:
        return _record(item)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        log.warning("a web service cannot be read: %r", error)
        return _unreadable(item, error)


def failure(error: Any) -> str:
    """Azure's reason, in a line: its message and the first detail that says more."""
    if not isinstance(error, Mapping):
        return message_of(RuntimeError(str(error))) if error else ""
    parts = [str(error.get("message") or error.get("code") or "")]
    details = error.get("details")
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, Mapping) and detail.get("message"):
            parts.append(str(detail["message"]))
            break
    lines = [" ".join(part.split()).rstrip(".") for part in parts if part.strip()]
    return f"{message_of(RuntimeError(': '.join(lines)))}." if lines else ""


def instant(text: str) -> datetime:
    """An instant as the services write it: up to seven digits, and Z or nothing for UTC.

    Raises:
        ValueError: it is none.
    """
    read = datetime.fromisoformat(text)
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)


def handed_over(passage: Passage) -> Deployment:
    """What is asked of Azure and not there yet, or never arrived."""
    wanted = passage.wanted
    state = DeploymentState.TRANSITIONING if passage.open else DeploymentState.FAILED
    return Deployment(
        name=passage.deployment,
        model_id=wanted["model"],
        state=state,
        scoring_uri=None,
        swagger_uri=None,
        auth_enabled=wanted["auth"],
        telemetry_enabled=wanted["telemetry"],
        created_at=passage.started_at,
        updated_at=passage.ended_at or passage.started_at,
        state_since=passage.ended_at or passage.started_at,
        compute_type="ACI",
        cpu_cores=wanted["cpu_cores"],
        memory_gb=wanted["memory_gb"],
        description=wanted["description"],
        error=passage.error,
    )


def _record(item: Mapping[str, Any]) -> Deployment:
    word, name = item["state"], item["name"]
    needs = item.get("containerResourceRequirements") or {}
    created_at = instant(item["createdTime"])
    uri = item.get("scoringUri") or None
    tokens = bool(item.get("aadAuthEnabled"))
    reason = failure(item.get("error")) or WITHOUT_ERROR.get(word, "")
    state = _state(word)
    well = state in (DeploymentState.HEALTHY, DeploymentState.TRANSITIONING)
    return Deployment(
        name=_text(name),
        model_id=_model_id(item),
        state=state,
        scoring_uri=uri,
        swagger_uri=uri and f"{uri.rpartition('/')[0]}/swagger.json",
        auth_enabled=bool(item.get("authEnabled")) or tokens,
        telemetry_enabled=bool(item.get("appInsightsEnabled")),
        created_at=created_at,
        updated_at=instant(item["updatedTime"]) if item.get("updatedTime") else created_at,
        compute_type=_text(item["computeType"]),
        cpu_cores=_number(needs.get("cpu")),
        memory_gb=_number(needs.get("memoryInGB")),
        description=item.get("description") or "",
        error="" if well else reason,
        tags=_strings(item.get("kvTags")),
        properties={
            **_properties(item.get("properties")),
            **({"authentication": TOKEN_AUTH} if tokens else {}),
            **({"azure_state": word} if word != state.value else {}),
        },
    )


def _unreadable(item: Any, error: Exception) -> Deployment:
    described = item if isinstance(item, Mapping) else {}
    missing = f"it has no {error}" if isinstance(error, KeyError) else "a value is not as expected"
    return Deployment(
        name=str(described.get("name") or "(no name)"),
        model_id="",
        state=DeploymentState.UNKNOWN,
        scoring_uri=None,
        swagger_uri=None,
        auth_enabled=True,
        telemetry_enabled=False,
        created_at=UNREADABLE_AT,
        updated_at=UNREADABLE_AT,
        compute_type=str(described.get("computeType") or "Unknown"),
        error=f"Azure's description of it cannot be read: {missing}.",
    )


def _state(word: str) -> DeploymentState:
    known = STATES.get(word)
    if known is None:
        log.warning("Azure ML reports a deployment state we do not know: %r", word)
        return DeploymentState.UNKNOWN
    return known


def _model_id(item: Mapping[str, Any]) -> str:
    """The first model's id: what we deploy has one."""
    models = item.get("models")
    if models:
        return _text(models[0]["id"])
    ids = (item.get("environmentImageRequest") or {}).get("modelIds")
    return _text(ids[0]) if ids else ""


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("no text where a name was expected")
    return value


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _properties(values: Any) -> dict[str, str]:
    """Without where its code came from: a repository's address may hold a password."""
    return {
        name: value
        for name, value in _strings(values).items()
        if not name.startswith(("azureml.git.", "mlflow.source.git."))
    }


def _strings(values: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in (values or {}).items()}
