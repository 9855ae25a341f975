"""Metrics of runs: the service as it is (one metric at a time), and as it was (fifty runs)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.errors import NotFoundError
from services.local.runs import TABLES
from tests.azure_double.answers import error, state, with_json
from tests.azure_double.run_artifacts import container_of
from tests.azure_double.state import ARM, State

OLD_SERVICE = "metrics.old_service"  # in the double's memory: False when it is switched off
SCALAR, CREATED = "azureml.v1.scalar", "2024-05-01T09:00:00.0000000Z"
BASE, HISTORY = f"/metric/v2.0{ARM}/runs/{{run}}", f"/history/v1.0{ARM}"


def listed(request: Request, asked: Any) -> Response:
    double, run_id = state(request), request.path_params["run"]
    try:
        names = [*_scalars(double, run_id), *_charts(double, run_id)]
    except NotFoundError:
        return error(404, "UserError", f"Run {run_id} was not found.")
    kinds = {name: "Artifact" if name in TABLES else "Double" for name in names}
    start = int(asked.get("continuationToken") or 0)
    end = start + double.page_size
    return JSONResponse(
        {
            "value": [
                {"metricKey": {"namespace": "", "name": name}, "columns": {name: kinds[name]}}
                for name in names[start:end]
            ],
            "continuationToken": str(end) if end < len(names) else None,
        }
    )


def full(request: Request, asked: Any) -> Response:
    double, run_id, name = state(request), request.path_params["run"], asked["metricName"]
    container = container_of(run_id)
    try:
        if name in _scalars(double, run_id):
            kind, shape, value = "Double", SCALAR, _scalars(double, run_id)[name]
        elif name in _charts(double, run_id):
            kind, shape = "Artifact", f"azureml.v2.{name}"
            value = f"aml://artifactId/ExperimentRun/{container}/{name}"
        else:
            raise NotFoundError("metric", name)
    except NotFoundError:
        return error(404, "UserError", f"Metric {name} of run {run_id} was not found.")
    return JSONResponse(
        {
            "dataContainerId": container,
            "name": name,
            "columns": {name: kind},
            "properties": {"uxMetricType": shape},
            "value": [{"metricId": name, "createdUtc": CREATED, "step": 0, "data": {name: value}}],
            "continuationToken": None,
        }
    )


def queried(request: Request, asked: Any) -> Response:
    """Every metric of up to fifty runs in one answer."""
    double = state(request)
    if double.memory.get(OLD_SERVICE) is False:
        return error(404, "ServiceGone", "This version of the metrics service is retired.")
    found = [
        _old_record(run_id, name, value)
        for run_id in re.findall(r"RunId eq ([^\s()]+)", asked.get("filter") or "")
        for name, value in _scalars(double, run_id, missing_ok=True).items()
    ]
    start = int(asked.get("continuationToken") or 0)
    end = start + min(double.page_size, asked.get("top") or 500)
    return JSONResponse(
        {
            "value": found[start:end],
            "continuationToken": str(end) if end < len(found) else None,
        }
    )


def _old_record(run_id: str, name: str, value: float) -> dict[str, Any]:
    return {
        "runId": run_id,
        "metricId": f"{run_id}/{name}",
        "name": name,
        "metricType": SCALAR,
        "createdUtc": CREATED,
        "description": "",
        "label": "",
        "numCells": 1,
        "dataLocation": None,
        "cells": [{name: value}],
        "schema": {
            "numProperties": 1,
            "properties": [{"propertyId": name, "name": name, "type": "Double"}],
        },
    }


def _scalars(double: State, run_id: str, *, missing_ok: bool = False) -> Mapping[str, float]:
    if not missing_ok:
        double.workspace.runs.get(run_id)
    return double.workspace.runs.metrics([run_id])[run_id]


def _charts(double: State, run_id: str) -> list[str]:
    return [path for path in double.workspace.runs.files(run_id) if path in TABLES]


routes = [
    Route(f"{BASE}/list", with_json(listed), methods=["POST"]),
    Route(f"{BASE}/full", with_json(full), methods=["POST"]),
    Route(
        f"{HISTORY}/experiments/{{experiment}}/metrics:query", with_json(queried), methods=["POST"]
    ),
]
