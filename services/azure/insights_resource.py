"""The Application Insights component of a workspace, and where its rows can be asked for.

Source: azure-rest-api-specs, ``Microsoft.Insights/components`` 2020-02-02 and
``Microsoft.OperationalInsights/workspaces`` 2022-10-01; learn.microsoft.com, "Azure Monitor
Logs API": addresses, audiences and roles.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from services.app_insights import wire
from services.app_insights.kql import Variant
from services.azure import resource_manager
from services.azure.connection import Connection
from services.azure.sign_in import APPLICATION_INSIGHTS, LOG_ANALYTICS
from services.errors import InvalidRequestError

log = logging.getLogger(__name__)

KIND = "Application Insights resource"
COMPONENT_API = "2020-02-02"
LOG_ANALYTICS_API = "2022-10-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightsResource:
    """What Azure Resource Manager says of a component, as far as queries need it."""

    id: str  # its ARM id
    name: str
    variant: Variant
    collection: str  # "apps" or "workspaces"
    app_id: str  # of the component, or the customer id of its Log Analytics workspace
    base_url: str  # its audience too
    connection_string: str = field(repr=False)
    sampled_pct: float = 100.0

    @property
    def shared(self) -> bool:
        """Whether what is asked may hold rows of other components as well."""
        return self.variant is Variant.WORKSPACE


def find(connection: Connection) -> InsightsResource:
    """The component the workspace names: one request, and one more for a workspace-based one.

    Raises:
        InvalidRequestError: the workspace has none.
        NotFoundError: it was deleted.
        AccessDeniedError: the role does not allow looking at it.
    """
    component_id = connection.call(KIND, _component_id)
    if not component_id:
        raise InvalidRequestError(
            "This workspace names no Application Insights resource, so nothing can be asked; "
            "give it one in the portal."
        )
    return connection.call(
        KIND, lambda _: _described(connection, component_id), name=_name(component_id)
    )


def _described(connection: Connection, component_id: str) -> InsightsResource:
    answer = _get(connection, component_id, COMPONENT_API)
    properties = answer["properties"]
    customer_id = _customer_id(connection, properties)
    base = LOG_ANALYTICS if customer_id else APPLICATION_INSIGHTS
    return InsightsResource(
        id=component_id,
        name=_name(component_id),
        variant=Variant.WORKSPACE if customer_id else Variant.CLASSIC,
        collection="workspaces" if customer_id else "apps",
        app_id=customer_id or str(properties["AppId"]),
        base_url=base[connection.config.cloud],
        connection_string=str(properties.get("ConnectionString") or ""),
        sampled_pct=wire.number(properties.get("SamplingPercentage")) or 100.0,
    )


def _name(arm_id: str) -> str:
    return arm_id.rsplit("/", 1)[-1]


def _component_id(workspace: Any) -> str:
    """The SDK has read it with the workspace itself; its public method would ask again.

    Source: azureml-core 1.61.0, ``Workspace.get_details``.
    """
    known = getattr(workspace, "_workspace_autorest_object", None)
    if known is not None:
        return str(getattr(known, "application_insights", "") or "")
    return str(workspace.get_details().get("applicationInsights") or "")


def _customer_id(connection: Connection, properties: Mapping[str, Any]) -> str:
    """The customer id of the Log Analytics workspace behind a component; empty for a classic one.

    It often lies in a group nobody gave the operator a role in. Then the component itself is
    asked, which answers for its own rows under their classic names.
    """
    workspace_id = properties.get("WorkspaceResourceId")
    if properties.get("IngestionMode") != "LogAnalytics" or not workspace_id:
        return ""
    try:
        answer = _get(connection, str(workspace_id), LOG_ANALYTICS_API)
        return str(answer["properties"]["customerId"])
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status not in (403, 404):
            raise
        log.info("the Log Analytics workspace cannot be looked at (HTTP %s)", status)
        return ""


def _get(connection: Connection, arm_id: str, version: str) -> dict[str, Any]:
    return resource_manager.read(
        f"{connection.management}{arm_id}",
        version,
        connection.tokens.get(connection.management),
        timeout_s=connection.deadlines.limit_s,
    )
