"""Who may do what: three roles, enforced here, in front of every port.

A page may hide a button; what counts is that the port refuses. Every method of every
port is listed below: one that is in neither table is refused to everybody but admins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import wraps
from typing import Any

from services.errors import AccessDeniedError, InvalidRequestError
from services.ports import Workspace


class Role(StrEnum):
    VIEWER = "viewer"  # reads everything but secrets
    OPERATOR = "operator"  # runs the service day to day
    ADMIN = "admin"  # also deletes, and changes who is told what

    def may(self, needed: Role) -> bool:
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who asks. Their name stands in the audit log."""

    name: str
    role: Role


_acting: ContextVar[str] = ContextVar("acting", default="")


def acting() -> str:
    """Whose request is being served; empty: this process's own."""
    return _acting.get()


@contextmanager
def acting_as(name: str) -> Iterator[None]:
    """What is changed in here was changed by `name`."""
    token = _acting.set(name)
    try:
        yield
    finally:
        _acting.reset(token)


READS: Mapping[str, frozenset[str]] = {
    "datasets": frozenset(
        {"list", "versions", "get", "inspect", "head", "profile", "contract", "samples"}
    ),
    "runs": frozenset(
        {"experiments", "list", "get", "children", "metrics", "table", "ensemble", "explanation"}
        | {"logs", "files", "file", "automl_settings"}
    ),
    "baselines": frozenset({"list"}),
    "models": frozenset({"list", "get", "contract"}),
    "evaluations": frozenset({"list", "get"}),
    "deployments": frozenset({"list", "get", "transitions", "keys_replaced_at", "logs", "swagger"}),
    "scoring": frozenset({"contract"}),
    "rotations": frozenset({"latest"}),
    "scored": frozenset({"list", "get"}),
    "golden": frozenset({"verdicts"}),
    "telemetry": frozenset(
        {"resource", "connection_string", "arrival_delay", "sampled_pct", "query", "panel", "kql"}
    ),
    "load_tests": frozenset({"list", "get", "report_text"}),
    "load_test_rules": frozenset({"list", "get"}),
    "capacity": frozenset({"list", "get"}),
    "pipelines": frozenset(
        {"list", "get", "graph", "runs", "run", "steps", "steps_of", "logs", "batch_output"}
        | {"endpoints"}
    ),
    "schedules": frozenset({"list", "with_last_runs", "get", "firings"}),
    "audit": frozenset({"list", "record"}),
    "flow": frozenset({"progress"}),
    "alerts": frozenset(
        {"incidents", "evaluated_at", "unanswered", "rules", "quiet_hours", "channels"}
        | {"deliveries"}
    ),
    "bands": frozenset({"list", "checks"}),
    "probes": frozenset({"list", "results"}),
    "log_archive": frozenset({"search", "keep"}),  # what is kept changes nothing of the workspace
    "retraining": frozenset({"policies", "decisions", "measured"}),
}

CHANGES: Mapping[str, Mapping[str, Role]] = {
    "datasets": {"register": Role.OPERATOR, "register_sample": Role.OPERATOR},
    "runs": {"begin_automl": Role.OPERATOR, "cancel": Role.OPERATOR},
    "baselines": {"pin": Role.OPERATOR, "unpin": Role.OPERATOR},
    "models": {"register": Role.OPERATOR, "update": Role.OPERATOR},
    "evaluations": {"begin": Role.OPERATOR},
    "deployments": {
        "begin_create": Role.OPERATOR,
        "begin_update": Role.OPERATOR,
        "delete": Role.ADMIN,
        "keys": Role.OPERATOR,
        "begin_regenerate_key": Role.OPERATOR,
    },
    "scoring": {"score": Role.OPERATOR},
    "rotations": dict.fromkeys(("begin", "advance", "give_up"), Role.OPERATOR),
    "scored": dict.fromkeys(("remember", "name", "expect", "delete"), Role.OPERATOR),
    "golden": {"record": Role.OPERATOR, "overrule": Role.ADMIN},
    "telemetry": {},
    "load_tests": {
        "begin": Role.OPERATOR,
        "stop": Role.OPERATOR,
        "import_report": Role.OPERATOR,
        "delete": Role.ADMIN,
    },
    "capacity": {"begin": Role.OPERATOR, "stop": Role.OPERATOR},
    "load_test_rules": {
        "set_thresholds": Role.OPERATOR,
        "set_guard_rails": Role.ADMIN,
        "pin": Role.OPERATOR,
        "unpin": Role.OPERATOR,
    },
    "pipelines": {
        "publish_retraining": Role.OPERATOR,
        "publish_batch_inference": Role.OPERATOR,
        "enable": Role.OPERATOR,
        "disable": Role.OPERATOR,
        "submit": Role.OPERATOR,
        "retry": Role.OPERATOR,
        "submit_endpoint": Role.OPERATOR,
        "cancel": Role.OPERATOR,
        "create_endpoint": Role.OPERATOR,
        "add_endpoint_version": Role.OPERATOR,
        "set_default_version": Role.OPERATOR,
        "enable_endpoint": Role.OPERATOR,
        "disable_endpoint": Role.OPERATOR,
        "rest_token": Role.OPERATOR,
    },
    "schedules": {
        "create": Role.OPERATOR,
        "update": Role.OPERATOR,
        "enable": Role.OPERATOR,
        "disable": Role.OPERATOR,
        "delete": Role.ADMIN,
        "pause": Role.OPERATOR,
    },
    "audit": {},
    "flow": {"begin": Role.OPERATOR},
    "alerts": {
        "acknowledge": Role.OPERATOR,
        "silence": Role.OPERATOR,
        "set_rule": Role.ADMIN,
        "set_quiet_hours": Role.ADMIN,
        "save_channel": Role.ADMIN,
        "delete_channel": Role.ADMIN,
        "begin_test": Role.ADMIN,
    },
    "bands": {"save": Role.OPERATOR, "delete": Role.OPERATOR},
    "probes": {"save": Role.OPERATOR, "record": Role.OPERATOR},
    "log_archive": {},
    "retraining": dict.fromkeys(("save", "approve", "reject"), Role.OPERATOR),
}


def role_of(name: str, roles: Mapping[str, Sequence[str]]) -> Role | None:
    """The highest role whose patterns match; None lets them in nowhere.

    Args:
        name: an e-mail address, in any case.
        roles: role → patterns, ``*@example.org`` among them.

    Raises:
        InvalidRequestError: a role is unknown, or its patterns are no list.
    """
    found = [
        role
        for role, patterns in _checked(roles).items()
        if any(fnmatchcase(name.casefold(), pattern.casefold()) for pattern in patterns)
    ]
    return max(found, key=list(Role).index, default=None)


def _checked(roles: Mapping[str, Sequence[str]]) -> Mapping[Role, Sequence[str]]:
    if unknown := [each for each in roles if each not in list(Role)]:
        raise InvalidRequestError(
            f"“{unknown[0]}” is no role: the roles are {', '.join(Role)}. "
            "Correct the [roles] section of secrets.toml."
        )
    if wrong := [each for each, patterns in roles.items() if isinstance(patterns, str)]:
        raise InvalidRequestError(
            f"The addresses of the role “{wrong[0]}” are no list. Write them in square brackets "
            "in the [roles] section of secrets.toml."
        )
    return {Role(role): patterns for role, patterns in roles.items()}


def needed(port: str, method: str) -> Role:
    """The least role that may call this."""
    if method in READS.get(port, frozenset()):
        return Role.VIEWER
    return CHANGES.get(port, {}).get(method, Role.ADMIN)


class GuardedWorkspace:
    """A workspace as one actor may use it. Stands in for `Workspace` wherever one is asked for."""

    def __init__(self, workspace: Workspace, actor: Actor) -> None:
        self._workspace, self._actor = workspace, actor

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._workspace, name)
        return _GuardedPort(found, name, self._workspace, self._actor) if name in READS else found


class _GuardedPort:
    """One port, asked by one actor."""

    def __init__(self, port: object, name: str, workspace: Workspace, actor: Actor) -> None:
        self._port, self._name = port, name
        self._workspace, self._actor = workspace, actor

    def __getattr__(self, method: str) -> Any:
        least = needed(self._name, method)
        if not self._actor.role.may(least):
            return self._refuse(method, least)
        found = getattr(self._port, method)
        return self._attributed(found) if callable(found) else found

    def _attributed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def attributed(*args: Any, **kwargs: Any) -> Any:
            with acting_as(self._actor.name):
                return function(*args, **kwargs)

        return attributed

    def _refuse(self, method: str, least: Role) -> Callable[..., Any]:
        def refused(*_: Any, **__: Any) -> Any:
            with acting_as(self._actor.name):
                self._workspace.audit.record(
                    "access.refused",
                    f"{self._name}/{method}",
                    after={"role": self._actor.role.value, "needed": least.value},
                )
            raise AccessDeniedError(
                f"Your role, {self._actor.role}, does not allow this: it takes {least}. "
                "Ask an admin of this dashboard."
            )

        return refused
