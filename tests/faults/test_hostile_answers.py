"""What deployments, telemetry, logs and folders are called by others stands on pages as text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.app_insights import wire
from services.local import deployment_rows
from tests.faults.hostile import CLEAN, Seen
from tests.recorded import telemetry
from tests.recorded.telemetry import Request
from tests.stub_deployment import CONTRACT, Stub, deploy, report_healthy, serving

ROW = (9, "Markup in what others answer")
WORD = CLEAN.replace("\n", " ")
FOLDER = (
    "w [link](evil) ![pixel](evil) $x^2$ :material_skull: :red[red] **bold** `code` ~~gone~~ <b>"
)
TABLES = ("Requests", "Failures", "Exceptions", "Traces", "Inputs and outputs", "Query")
ANSWERS = {
    "a label": (200, json.dumps(json.dumps({"result": [CLEAN]}))),
    "labels nobody knows": (200, json.dumps({"result": [{CLEAN: CLEAN}]})),
    "an error inside a 200": (200, json.dumps(json.dumps({"error": CLEAN}))),
    "a refused row": (400, CLEAN),
    "no permission": (401, json.dumps({"message": CLEAN})),
    "a server error": (500, CLEAN),
    "a server error as JSON": (500, json.dumps({"error": {"message": CLEAN, "code": CLEAN}})),
    "a web page": (502, f"<html><title>{CLEAN}</title></html>"),
}


@pytest.fixture
def home(home, request, tmp_path, monkeypatch) -> Path:
    """As ever, or with another name."""
    folder = tmp_path / getattr(request, "param", home.name)
    monkeypatch.setenv("DASHBOARD_HOME", str(folder))
    return folder


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as stub:
        yield stub


@pytest.mark.parametrize("what", ANSWERS)
def test_live_scoring(home, local_workspace, open_page, stub, figures, what):
    contract = replace(
        CONTRACT,
        columns=tuple(
            replace(each, name=f"{each.name} {WORD}") if each.name == "age" else each
            for each in CONTRACT.columns
        ),
        classes=("no", CLEAN),
    )
    deploy(home, local_workspace.store, stub.port, contract=contract)
    stub.answer = lambda number, body: ANSWERS[what]
    stub.headers = {"x-ms-client-request-id": WORD.encode("ascii", "replace").decode()}

    seen = Seen()
    page = open_page("live_scoring")
    seen.look(page)
    page.button(key="live_scoring.score").click().run()
    seen.look(page)

    assert stub.requests and seen.hostile
    figures.add("Live scoring", what, said(seen))
    assert not seen.wrong, seen.report()


def test_the_documentation_and_the_log_of_a_deployment(
    home, local_workspace, open_page, stub, figures
):
    schema = {"type": "object", "description": CLEAN, "properties": {CLEAN: {"type": CLEAN}}}
    stub.swagger = {
        "swagger": "2.0",
        "info": {"title": CLEAN, "version": CLEAN, "description": CLEAN},
        "paths": {
            f"/{CLEAN}": {"post": {"summary": CLEAN, "operationId": CLEAN, "responses": {}}},
            "/score": {
                "post": {
                    "summary": CLEAN,
                    "parameters": [{"name": CLEAN, "in": "body", "schema": schema}],
                    "responses": {"200": {"description": CLEAN, "schema": schema}},
                }
            },
        },
        "definitions": {CLEAN: schema},
    }
    deploy(home, local_workspace.store, stub.port)
    report_healthy(local_workspace.store)
    log = deployment_rows.log_file(home, "bank")
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(f"\x1b[31m{CLEAN}\x1b[0m\n2026-01-01 ERROR {WORD}\r\n{WORD}\x08\n" * 5, "utf-8")

    seen = Seen()
    for view in ("Overview", "API documentation", "Log"):
        seen.look(open_page("deployment_health", deployment="bank", view=view))

    figures.add("Deployment health", "swagger and log", said(seen))
    assert not seen.wrong, seen.report()


def test_app_insights(home, local_workspace, open_page, figures):
    deploy(home, local_workspace.store, 9)
    now = datetime.now(UTC)
    given = [
        Request(
            at=now - timedelta(minutes=number),
            result_code=("200", CLEAN[:60])[number % 2],
            request_id=f"r{number}",
        )
        for number in range(1, 60)
    ]
    described = {"Service Name": "bank", "Request Id": "r1", CLEAN[:100]: CLEAN}
    envelopes = [telemetry.envelope(each, at=now, request_id=each.request_id) for each in given]
    for number in range(1, 30):
        at = now - timedelta(minutes=number, seconds=-1)
        own = {**described, "Request Id": f"r{number}"}
        printed = CLEAN if number % 2 else json.dumps({"input": {"data": [{CLEAN: CLEAN}]}})
        envelopes += [
            wire.trace_envelope(at=at, message=printed, operation_id=f"r{number}", properties=own),
            wire.exception_envelope(
                at=at, error=ValueError(CLEAN), operation_id=f"r{number}", properties=own
            ),
            wire.availability_envelope(
                at=at,
                test_id=f"t{number}",
                name="bank",
                duration_ms=2.0,
                success=False,
                location=CLEAN,
                message=CLEAN,
            ),
        ]
    telemetry.items(home, envelopes)

    seen = Seen()
    with telemetry.answering(home):
        for details in (
            "Requests",
            "Failures",
            "Exceptions",
            "Traces",
            "Inputs and outputs",
            "Query",
        ):
            for deployment in ("bank", ""):
                seen.look(open_page("app_insights", deployment=deployment, details=details))

    figures.add("App Insights metrics", "codes, traces, exceptions, rows, probes", said(seen))
    assert not seen.wrong, seen.report()


@pytest.mark.parametrize("home", [FOLDER], indirect=True, ids=["hostile"])
@pytest.mark.parametrize("name", ["overview", "settings", "migration", "dataset", "alerts"])
def test_a_folder_with_a_hostile_name(home, open_page, figures, name):
    seen = Seen()
    parts = ("Settings", "Changes", "Versions", "Switch workspace")
    for address in [{"part": part} for part in parts] if name == "settings" else [{}]:
        seen.look(open_page(name, **address))

    figures.add(name, "in a workspace folder with a hostile name", said(seen))
    assert not seen.wrong, seen.report()


def said(seen: Seen) -> str:
    return f"{seen.texts} texts read, {seen.hostile} with hostile parts, as text"
