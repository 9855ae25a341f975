"""The rows behind one bin of a chart, and whose traffic is left out of every panel.

Columns of the answers, oldest row first, at most `ROW_LIMIT`:

    BIN_REQUESTS    timestamp, service, operation, code, ok, duration_ms, request_id, client_id, n
    BIN_EXCEPTIONS  timestamp, service, type, text, problem, request_id, client_id, n
    BIN_TRACES      timestamp, service, severity, text, request_id, client_id, n

``client_id`` is what the caller sent as ``x-ms-client-request-id``; ``n`` how many rows a
sampled one stands for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.alerts.records import PROBE_PREFIX
from services.apache_bench import TAG_PREFIX

if TYPE_CHECKING:
    from services.app_insights.kql import _Question

ROW_LIMIT = 1000  # of each table

# Source: azureml-inference-server-http 1.4.1, which keeps the header under this name.
CLIENT_ID = 'coalesce(tostring(cd["Client Request Id"]), "")'


def of_others(dimensions: str) -> str:
    """The clause that leaves out load tests and probes; `dimensions` is the dynamic column."""
    client = CLIENT_ID.replace("cd[", f"{dimensions}[")
    return (
        f'| where not({client} startswith "{TAG_PREFIX}")'
        f' and not({client} startswith "{PROBE_PREFIX}")'
    )


def bin_requests(ask: _Question) -> str:
    names = ask.names
    code, ok, ms, operation, request_id = "code", "ok", "ms", "operation", "id"
    if not ask.repaired:
        code = 'coalesce(tostring(cd["resultCode"]), code)'
        ok = 'tobool(coalesce(tostring(cd["success"]), tostring(ok)))'
        ms = 'coalesce(totimespan(tostring(cd["duration"])) / 1ms, ms)'
        operation = 'coalesce(tostring(cd["name"]), operation)'
        request_id = 'coalesce(tostring(cd["Request Id"]), id)'
    rows = ask.rows(
        names.requests,
        f"code = {names.code}",
        f"ok = {names.success}",
        f"ms = {names.duration}",
        f"operation = {names.name}",
        f"id = {names.id}",
    )
    return (
        f"{rows}{ask.of_deployment}\n| top {ROW_LIMIT} by timestamp asc\n"
        f"| project timestamp, service, operation = {operation}, code = {code}, ok = {ok},"
        f" duration_ms = {ms}, request_id = {request_id}, client_id = {CLIENT_ID}, n"
    )


def bin_exceptions(ask: _Question) -> str:
    names = ask.names
    rows = ask.rows(
        names.exceptions,
        f"type = {names.type}",
        f"problem = {names.problem}",
        f"text = {names.outer_message}",
        f"operation_id = {names.operation}",
    )
    return _lines(ask, rows, "type, text, problem")


def bin_traces(ask: _Question) -> str:
    names = ask.names
    said = names.message
    if not ask.repaired:
        content = f'tostring(todynamic({names.dimensions})["Content"])'
        said = f'iff({names.message} == "STDOUT", {content}, {names.message})'
    rows = ask.rows(
        names.traces,
        f"severity = {names.severity}",
        f"text = {said}",
        f"operation_id = {names.operation}",
    )
    return _lines(ask, rows, "severity, text")


def _lines(ask: _Question, rows: str, columns: str) -> str:
    return (
        f"{rows}{ask.of_deployment}\n| top {ROW_LIMIT} by timestamp asc\n"
        f"| project timestamp, service, {columns},"
        ' request_id = coalesce(tostring(cd["Request Id"]), operation_id),'
        f" client_id = {CLIENT_ID}, n"
    )
