"""Azure Resource Manager: the subscription, the workspace, its Application Insights component."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.local.telemetry import identity
from tests.azure_double.answers import error, state
from tests.azure_double.state import (
    ARM,
    COMPONENT,
    CUSTOMER,
    INGESTION,
    INSIGHTS,
    LOG_ANALYTICS,
    REGION,
    RESOURCE_GROUP,
    STORAGE,
    SUBSCRIPTION,
    TENANT,
    WORKSPACE,
)

API = f"https://{REGION}.api.azureml.ms"
GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers"


def subscriptions(request: Request) -> Response:
    subscription = {
        "id": f"/subscriptions/{SUBSCRIPTION}",
        "subscriptionId": SUBSCRIPTION,
        "tenantId": TENANT,
        "displayName": "Loopback",
        "state": "Enabled",
    }
    return JSONResponse({"value": [subscription], "count": {"type": "Total", "value": 1}})


def workspace(request: Request) -> Response:
    found = request.path_params
    if (found["subscription"], found["group"], found["name"]) != (
        SUBSCRIPTION,
        RESOURCE_GROUP,
        WORKSPACE,
    ):
        return error(
            404,
            "ResourceNotFound",
            f"The Resource 'Microsoft.MachineLearningServices/workspaces/{found['name']}' "
            f"under resource group '{found['group']}' was not found.",
        )
    return JSONResponse(_workspace(state(request).workspace_id))


def workspaces(request: Request) -> Response:
    return JSONResponse({"value": [_workspace(state(request).workspace_id)]})


def _workspace(workspace_id: str) -> dict[str, object]:
    group = ARM.rsplit("/providers/", 1)[0]
    return {
        "id": ARM,
        "name": WORKSPACE,
        "type": "Microsoft.MachineLearningServices/workspaces",
        "location": REGION,
        "tags": {},
        "sku": {"name": "Basic", "tier": "Basic"},
        "identity": {"type": "SystemAssigned", "tenantId": TENANT, "principalId": workspace_id},
        "properties": {
            "workspaceId": workspace_id,
            "friendlyName": WORKSPACE,
            "description": "",
            "creationTime": "2021-01-16T12:00:00.0000000Z",
            "provisioningState": "Succeeded",
            "discoveryUrl": f"{API}/discovery",
            "mlFlowTrackingUri": f"azureml://{REGION}.api.azureml.ms/mlflow/v1.0{ARM}",
            "applicationInsights": COMPONENT,
            "storageAccount": f"{group}/providers/Microsoft.Storage/storageAccounts/{STORAGE}",
            "keyVault": f"{group}/providers/Microsoft.KeyVault/vaults/kv-loopback",
            "containerRegistry": None,
            "v1LegacyMode": False,
            "hbiWorkspace": False,
            "notebookInfo": None,
        },
    }


def component(request: Request) -> Response:
    """The Application Insights resource; its app id and key are the local telemetry server's.

    Knobs: ``ingestion_mode`` "LogAnalytics" makes it workspace-based, ``log_analytics`` names
    another workspace behind it, ``sampling_pct`` is the share it keeps, ``app_id`` another id.
    """
    if request.path_params["name"] != INSIGHTS:
        return error(404, "ResourceNotFound", "The Resource was not found.")
    access = identity.access(state(request).workspace.store)
    memory = state(request).memory
    mode = memory.get("ingestion_mode", "ApplicationInsights")
    behind = memory.get("log_analytics", LOG_ANALYTICS)
    properties = {
        "AppId": memory.get("app_id") or access.application_id,
        "ApplicationId": INSIGHTS,
        "InstrumentationKey": access.instrumentation_key,
        "ConnectionString": f"InstrumentationKey={access.instrumentation_key};"
        f"IngestionEndpoint=https://{INGESTION}/;ApplicationId={access.application_id}",
        "IngestionMode": mode,
        "WorkspaceResourceId": behind if mode == "LogAnalytics" else None,
        "SamplingPercentage": memory.get("sampling_pct"),
        "provisioningState": "Succeeded",
    }
    return JSONResponse(
        {
            "id": COMPONENT,
            "name": INSIGHTS,
            "type": "microsoft.insights/components",
            "location": REGION,
            "kind": "web",
            "properties": properties,
        }
    )


def log_analytics(request: Request) -> Response:
    """The workspace behind a workspace-based component."""
    if request.url.path != LOG_ANALYTICS:
        return error(404, "ResourceNotFound", "The Resource was not found.")
    properties = {"customerId": CUSTOMER, "provisioningState": "Succeeded"}
    return JSONResponse(
        {"id": LOG_ANALYTICS, "name": "law-loopback", "location": REGION, "properties": properties}
    )


def permissions(request: Request) -> Response:
    """What the caller's roles allow on the workspace; everything unless a test says otherwise."""
    everything = [{"actions": ["*"], "notActions": []}]
    return JSONResponse({"value": state(request).memory.get("permissions", everything)})


def cloud_metadata(request: Request) -> Response:
    """Endpoints of the public cloud, which the SDK asks for when nobody names a cloud."""
    return JSONResponse(
        [
            {
                "name": "AzureCloud",
                "portal": "https://portal.azure.com",
                "authentication": {
                    "loginEndpoint": "https://login.microsoftonline.com/",
                    "audiences": ["https://management.core.windows.net/"],
                    "tenant": "common",
                    "identityProvider": "AAD",
                },
                "resourceManager": "https://management.azure.com/",
                "suffixes": {"storage": "core.windows.net", "keyVaultDns": "vault.azure.net"},
            }
        ]
    )


routes = [
    Route("/subscriptions", subscriptions),
    Route("/metadata/endpoints", cloud_metadata),
    Route(f"{GROUP}/Microsoft.MachineLearningServices/workspaces", workspaces),
    Route(f"{GROUP}/Microsoft.MachineLearningServices/workspaces/{{name}}", workspace),
    Route(f"{GROUP}/Microsoft.OperationalInsights/workspaces/{{name}}", log_analytics),
    Route(
        f"{GROUP}/Microsoft.MachineLearningServices/workspaces/{{name}}"
        "/providers/Microsoft.Authorization/permissions",
        permissions,
    ),
    Route(f"{GROUP}/microsoft.insights/components/{{name}}", component),
    Route(f"{GROUP}/Microsoft.Insights/components/{{name}}", component),
]
