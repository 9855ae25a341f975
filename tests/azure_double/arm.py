"""Azure Resource Manager: the subscription, the workspace, its Application Insights component."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.azure_double.answers import error, state
from tests.azure_double.state import (
    ARM,
    COMPONENT,
    INSIGHTS,
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
    """The Application Insights resource; the app id is the local telemetry server's own."""
    local = state(request).workspace.store
    app_id = local.setting("telemetry_app_id") or ""
    key = local.setting("telemetry_instrumentation_key") or ""
    return JSONResponse(
        {
            "id": COMPONENT,
            "name": INSIGHTS,
            "type": "microsoft.insights/components",
            "location": REGION,
            "kind": "web",
            "properties": {
                "AppId": app_id,
                "ApplicationId": INSIGHTS,
                "InstrumentationKey": key,
                "ConnectionString": f"InstrumentationKey={key}",
                "IngestionMode": state(request).memory.get("ingestion_mode", "ApplicationInsights"),
                "WorkspaceResourceId": state(request).memory.get("log_analytics"),
                "provisioningState": "Succeeded",
            },
        }
    )


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
    Route(f"{GROUP}/microsoft.insights/components/{{name}}", component),
    Route(f"{GROUP}/Microsoft.Insights/components/{{name}}", component),
]
