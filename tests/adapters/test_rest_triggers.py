"""Submitting pipelines over HTTP, as a caller written for Azure ML would."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import uvicorn
from starlette.applications import Starlette

from dashboard import routes_pipelines
from services.domain import AutoMLSettings, DataSource, SourceKind
from services.local.pipelines import LocalPipelines
from services.local.workspace import open_workspace
from services.ports import RetrainingPlan

ROWS = b"age,y\n" + b"".join(b"%d,%d\n" % (20 + n % 40, n % 2) for n in range(80))


@pytest.fixture
def pipelines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalPipelines:
    opened = open_workspace(tmp_path)
    source = DataSource(kind=SourceKind.UPLOAD, location="people.csv", content=ROWS)
    opened.datasets.register("people", source)
    monkeypatch.setattr(routes_pipelines.session, "workspace", lambda: opened)
    return opened.pipelines


@pytest.fixture
def pipeline(pipelines: LocalPipelines):
    settings = AutoMLSettings(experiment="people", dataset_id="people:1", label_column_name="y")
    plan = RetrainingPlan(settings=settings, model_name="answers")
    return pipelines.publish_retraining("Retrain", plan)


@pytest.fixture
def address() -> Iterator[str]:
    """The routes on a real server on loopback."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=routes_pipelines.routes)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=30)
    listener.close()


@pytest.fixture
def post(address: str, pipelines: LocalPipelines):
    def post(path: str, body: object = None, *, token: str | None = None, **options: object):
        given = {"Authorization": f"Bearer {pipelines.rest_token() if token is None else token}"}
        return requests.post(
            address + path, **({"json": body, "headers": given, "timeout": 30} | options)
        )

    return post


def test_a_submission_answers_the_runs_id_and_status(post, pipelines, pipeline):
    answer = post(
        pipeline.endpoint,
        {
            "ExperimentName": "people",
            "RunSource": "SDK",
            "ParameterAssignments": {"experiment_timeout_minutes": 5, "model_name": "other"},
            "DataPathAssignments": {},
        },
    )

    assert answer.status_code == 200
    run = pipelines.run(answer.json()["Id"])
    assert answer.json()["Status"] == {"StatusCode": "NotStarted"}
    assert (run.experiment, run.run_source) == ("people", "SDK")
    assert run.parameters["experiment_timeout_minutes"] == "5"
    assert run.parameters["model_name"] == "other"
    assert run.parameters["label_column_name"] == "y"


def test_an_endpoint_submits_its_default_version_or_the_one_in_the_address(
    post, pipelines, pipeline
):
    endpoint = pipelines.create_endpoint("retrain", pipeline.id)

    default = post(endpoint.endpoint, {"ExperimentName": "people"})
    asked = post(f"{endpoint.endpoint}/0?pipelineVersion=0", {"ExperimentName": "people"})
    unknown = post(f"{endpoint.endpoint}/7", {"ExperimentName": "people"})

    for answer in (default, asked):
        assert pipelines.run(answer.json()["Id"]).pipeline_id == pipeline.id
    assert pipelines.run(default.json()["Id"]).run_source == "REST"
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Basic {token}",
        "Bearer {token}x",
        "{token}",
        "Bearer é",
    ],
)
def test_without_the_token_nothing_is_submitted(post, pipelines, pipeline, authorization):
    header = authorization.format(token=pipelines.rest_token())

    answer = post(
        pipeline.endpoint,
        {"ExperimentName": "people"},
        headers={"Authorization": header.encode("utf-8")},
    )

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "REST token" in answer.json()["error"]["message"]
    assert pipelines.rest_token() not in answer.text
    assert pipelines.runs() == ()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "not JSON"),
        (b"ExperimentName=people", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "JSON object"),
        (b"{}", "ExperimentName"),
        (b'{"ExperimentName": 7}', "ExperimentName"),
        (b'{"ExperimentName": "../people"}', "experiment name"),
        (b'{"ExperimentName": "p", "ParameterAssignments": []}', "ParameterAssignments"),
        (b'{"ExperimentName": "p", "ParameterAssignments": {"dataset": {}}}', "dataset"),
        (b'{"ExperimentName": "p", "ParameterAssignments": {"colour": "blue"}}', "colour"),
        (b'{"ExperimentName": "p", "DataPathAssignments": {"x": {}}}', "DataPathAssignments"),
        (b'{"ExperimentName": "' + b"p" * 1_100_000 + b'"}', "larger"),
    ],
    ids=range(12),
)
def test_a_bad_body_is_refused_with_a_sentence(post, pipelines, pipeline, body, sentence):
    answer = post(pipeline.endpoint, json=None, data=body)

    assert answer.status_code == 400
    assert sentence in answer.json()["error"]["message"]
    assert pipelines.runs() == ()


def test_an_unknown_pipeline_is_not_found_and_a_disabled_one_is_a_conflict(
    post, pipelines, pipeline
):
    body = {"ExperimentName": "people"}
    pipelines.disable(pipeline.id)

    disabled = post(pipeline.endpoint, body)
    unknown = post(pipeline.endpoint.replace(pipeline.id, "nobody"), body)

    assert (disabled.status_code, unknown.status_code) == (409, 404)
    assert "disabled" in disabled.json()["error"]["message"]


def test_it_is_posted_to_not_read(address, pipeline):
    assert requests.get(address + pipeline.endpoint, timeout=30).status_code == 405
