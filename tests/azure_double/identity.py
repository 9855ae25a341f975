"""Signing in: Microsoft Entra, and the metadata service of a virtual machine."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.azure_double.answers import state, token
from tests.azure_double.state import CLIENT, TENANT

LOGIN = "https://login.microsoftonline.com"


def openid_configuration(request: Request) -> Response:
    tenant = request.path_params["tenant"]
    if tenant not in (TENANT, "common", "organizations"):
        body = {
            "error": "invalid_tenant",
            "error_description": f"AADSTS90002: Tenant '{tenant}' not found.",
            "error_codes": [90002],
        }
        return JSONResponse(body, 400)
    return JSONResponse(
        {
            "token_endpoint": f"{LOGIN}/{tenant}/oauth2/v2.0/token",
            "authorization_endpoint": f"{LOGIN}/{tenant}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{LOGIN}/{tenant}/oauth2/v2.0/devicecode",
            "issuer": f"{LOGIN}/{tenant}/v2.0",
            "jwks_uri": f"{LOGIN}/{tenant}/discovery/v2.0/keys",
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
        }
    )


def instance_discovery(request: Request) -> Response:
    return JSONResponse(
        {
            "tenant_discovery_endpoint": f"{LOGIN}/{TENANT}/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [
                {
                    "preferred_network": "login.microsoftonline.com",
                    "preferred_cache": "login.windows.net",
                    "aliases": ["login.microsoftonline.com", "login.windows.net"],
                }
            ],
        }
    )


async def issue_token(request: Request) -> Response:
    """Client credentials only: the right secret, or the sentence Entra says."""
    form = await request.form()
    if form.get("client_id") != CLIENT or form.get("client_secret") != state(request).client_secret:
        body = {
            "error": "invalid_client",
            "error_description": "AADSTS7000215: Invalid client secret provided.",
            "error_codes": [7000215],
        }
        return JSONResponse(body, 401)
    scope = str(form.get("scope") or form.get("resource") or "")
    return JSONResponse(token(scope.removesuffix("/.default")))


def managed_identity(request: Request) -> Response:
    if request.headers.get("Metadata", "").lower() != "true":
        return JSONResponse({"error": "bad_request_102"}, 400)
    return JSONResponse(token(request.query_params.get("resource", "")) | {"client_id": CLIENT})


login_routes = [
    Route("/{tenant}/v2.0/.well-known/openid-configuration", openid_configuration),
    Route("/{tenant}/discovery/instance", instance_discovery),
    Route("/{tenant}/oauth2/v2.0/token", issue_token, methods=["POST"]),
    Route("/{tenant}/oauth2/token", issue_token, methods=["POST"]),
]
machine_routes = [Route("/metadata/identity/oauth2/token", managed_identity)]
