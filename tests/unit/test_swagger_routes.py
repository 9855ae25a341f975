"""Swagger UI's routes: the framed page, the document, and the way to the deployment."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from dashboard import routes_swagger, session, tickets
from services.domain import Keys
from services.errors import NotFoundError, UnavailableError
from tests.stub_deployment import GOOD, PRIMARY, serving

DOCUMENT = {
    "openapi": "3.0.3",
    "paths": {"/": {}},
    "components": {"securitySchemes": {"Bearer": {"type": "apiKey"}}, "schemas": {}},
}


class Port:
    """Deployments as the routes ask for them: one, at an address the test knows."""

    def __init__(self, uri: str | None) -> None:
        self.uri, self.asked_for_keys = uri, 0

    def get(self, name):
        if name != "bank":
            raise NotFoundError("deployment", name)
        return SimpleNamespace(scoring_uri=self.uri, auth_enabled=True)

    def swagger(self, name):
        self.get(name)
        return DOCUMENT

    def keys(self, name):
        self.asked_for_keys += 1
        return Keys(primary=PRIMARY, secondary="s")


@pytest.fixture
def stub():
    with serving() as stub:

        def answer(number, document):
            given = stub.requests[-1].get("authorization")
            return (200, GOOD) if given == f"Bearer {PRIMARY}" else (401, "{}")

        stub.answer = answer
        yield stub


@pytest.fixture
def port(stub, monkeypatch) -> Port:
    port = Port(f"http://127.0.0.1:{stub.port}/score")
    monkeypatch.setattr(session, "workspace", lambda: SimpleNamespace(deployments=port))
    return port


@pytest.fixture
def client(port) -> TestClient:
    return TestClient(Starlette(routes=routes_swagger.routes))


def score(client, **headers):
    return client.post(
        "/api/deployments/bank/server/score", json={"data": [{"age": 41}]}, headers=headers
    )


def test_the_page_may_be_framed_by_ours_and_loads_nothing_from_elsewhere(client):
    answer = client.get("/api/deployments/bank/documentation")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
    assert "//" not in answer.text.replace("<!doctype html>", "")
    assert "<script>" not in answer.text


@pytest.mark.parametrize("name", ["swagger-ui-bundle.js", "swagger-ui.css", "start.js", "LICENSE"])
def test_its_files_are_here(client, name):
    assert client.get(f"/api/swagger-ui/{name}").status_code == 200


def test_the_document_leads_back_here_and_wants_a_bare_key(client):
    document = client.get("/api/deployments/bank/swagger.json").json()

    assert document["servers"] == [{"url": "server"}]
    assert document["components"]["securitySchemes"]["Bearer"]["scheme"] == "bearer"
    assert DOCUMENT["components"]["securitySchemes"]["Bearer"]["type"] == "apiKey"  # untouched


def test_a_request_reaches_the_deployment_and_comes_back(client, stub):
    answer = score(client, Authorization=f"Bearer {PRIMARY}")

    assert (answer.status_code, answer.json()) == (200, json.loads(GOOD))
    assert answer.headers["content-security-policy"].startswith("sandbox")


def test_without_a_key_or_a_ticket_none_is_added(client, port):
    assert score(client).status_code == 401
    assert score(client, **{"X-Dashboard-Ticket": "made up"}).status_code == 401
    assert port.asked_for_keys == 0


def test_a_ticket_stands_for_the_key_which_never_comes_back(client):
    ticket = tickets.issue("bank")

    answer = score(client, **{"X-Dashboard-Ticket": ticket})

    assert answer.status_code == 200
    assert PRIMARY not in answer.text + str(answer.headers)


def test_a_ticket_for_one_deployment_opens_no_other(client):
    ticket = tickets.issue("another")

    assert score(client, **{"X-Dashboard-Ticket": ticket}).status_code == 401


def test_a_withdrawn_or_old_ticket_opens_nothing(client, monkeypatch):
    withdrawn, old = tickets.issue("bank"), tickets.issue("bank")
    tickets.withdraw(withdrawn)
    assert not tickets.admits(withdrawn, "bank")

    monkeypatch.setattr(tickets, "LIFETIME_S", 0.0)
    tickets.admits(old, "bank")  # its last use
    assert not tickets.admits(old, "bank")


def test_cookies_of_the_dashboard_stay_here(client, stub, monkeypatch):
    seen = []
    monkeypatch.setattr(
        routes_swagger, "_forwarded", lambda *args: seen.append(args) or routes_swagger.Response()
    )
    client.cookies.set("_streamlit_xsrf", "secret")

    score(client)

    (_, _, _, headers, _, _) = seen[0]
    assert "cookie" not in headers


@pytest.mark.parametrize("path", ["other", "../admin", "score/../x", "//example.com"])
def test_no_other_path_is_forwarded(client, path, monkeypatch):
    monkeypatch.setattr(routes_swagger, "_forwarded", lambda *_: pytest.fail("forwarded"))

    assert client.get(f"/api/deployments/bank/server/{path}").status_code == 404


def test_what_is_not_there_is_said_in_json(client, port):
    assert client.get("/api/deployments/none/swagger.json").status_code == 404
    assert "none" in client.get("/api/deployments/none/server/").json()["message"]
    port.uri = None
    assert "no address yet" in client.get("/api/deployments/bank/server/").json()["message"]
    port.uri = "http://127.0.0.1:9/score"
    assert client.get("/api/deployments/bank/server/").status_code == 503


def test_an_outage_of_the_workspace_is_a_503(client, port, monkeypatch):
    def outage(name):
        raise UnavailableError("Azure ML did not answer.")

    monkeypatch.setattr(port, "swagger", outage)

    assert client.get("/api/deployments/bank/swagger.json").status_code == 503


def test_a_body_over_the_limit_is_not_forwarded(client, monkeypatch):
    monkeypatch.setattr(routes_swagger, "BODY_LIMIT_BYTES", 10)

    assert score(client).status_code == 413
