"""The question behind each panel, in KQL: one set of templates, three spellings.

*classic* asks an Application Insights resource, *workspace* the Log Analytics workspace behind
it, *local* our own telemetry server. They differ in the names of tables and columns and in
how much has to be repaired while asking: Azure ML's scoring servers write result code "0" and
duration 0 and keep the truth in ``customDimensions``; the local server repairs rows as they
arrive, because doing it per query costs many times more.

Columns of the answers (instants are UTC, ``_ms`` milliseconds, ``_pct`` percent):

    SUMMARY               requests, failed, mean_ms, p50_ms, p95_ms, p99_ms, last_seen
    LATENCY               t, requests, mean_ms, p50_ms, p95_ms, p99_ms
    REQUESTS              t, service, requests, failed
    FAILURES              t, code, requests, failed
    RESULT_CODES          code, requests, failed, p95_ms
    AVAILABILITY_TRAFFIC  t, requests, bad, availability_pct     bad: answered 5xx
    AVAILABILITY_TESTS    t, runs, good, availability_pct
    SLOWEST               timestamp, service, operation, code, ok, duration_ms, request_id, instance
    EXCEPTIONS            type, problem, exceptions, first_seen, last_seen, sample
    TRACES                timestamp, service, severity, text, request_id, properties
    CAPTURED              as TRACES
    ARRIVALS              service, requests, rows, last_seen           fewer rows: sampled
    DEPLOYMENTS           service, requests, failed, mean_ms, p50_ms, p95_ms, p99_ms, last_seen

    OVERVIEW              part, t, service, requests, failed, p50_ms, p95_ms
                          part: "whole", "bin" (with t) or "service" (with service)
    SUSPECT_ANSWERS       timestamp, service, request_id, answer   2xx whose body speaks of an error
    BIN_…                 the rows of one bin: see ``kql_details``

``t`` is the start of a bin. Bins without rows are absent: their absence is the answer. Requests
are counted with ``itemCount``, so that sampled rows stand for all they represent.

Source: learn.microsoft.com, "Application Insights telemetry data model" and "Convert classic
resources" for the columns; azureml-inference-server-http 1.4.1 and 1.5.1 for what they write.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from services.app_insights import kql_details
from services.domain import Panel, TimeWindow

ROW_LIMIT = 200  # of the panels that list rows


class Variant(StrEnum):
    CLASSIC = "classic"
    WORKSPACE = "workspace"
    LOCAL = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What one variant calls the tables and columns the templates use."""

    requests: str = "requests"
    exceptions: str = "exceptions"
    traces: str = "traces"
    tests: str = "availabilityResults"
    timestamp: str = "timestamp"
    dimensions: str = "customDimensions"
    id: str = "id"
    name: str = "name"
    code: str = "resultCode"
    success: str = "success"
    duration: str = "duration"
    role: str = "cloud_RoleName"
    instance: str = "cloud_RoleInstance"
    operation: str = "operation_Id"
    count: str = "itemCount"
    type: str = "type"
    problem: str = "problemId"
    outer_message: str = "outerMessage"
    message: str = "message"
    severity: str = "severityLevel"


CLASSIC_NAMES = Names()
WORKSPACE_NAMES = Names(
    requests="AppRequests",
    exceptions="AppExceptions",
    traces="AppTraces",
    tests="AppAvailabilityResults",
    timestamp="TimeGenerated",
    dimensions="Properties",
    id="Id",
    name="Name",
    code="ResultCode",
    success="Success",
    duration="DurationMs",
    role="AppRoleName",
    instance="AppRoleInstance",
    operation="OperationId",
    count="ItemCount",
    type="ExceptionType",
    problem="ProblemId",
    outer_message="OuterMessage",
    message="Message",
    severity="SeverityLevel",
)


def text(
    panel: Panel,
    window: TimeWindow,
    *,
    deployment: str | None,
    variant: Variant = Variant.LOCAL,
    resource_id: str = "",
    own_traffic: bool = True,
) -> str:
    """The KQL that answers `panel` over `window`, of one deployment or of all.

    Args:
        own_traffic: False leaves out what load tests and probes sent.
        resource_id: the one component whose rows count, of the several that may share a Log
            Analytics workspace; empty where the resource asked holds no others.
    """
    names = WORKSPACE_NAMES if variant is Variant.WORKSPACE else CLASSIC_NAMES
    repaired = variant is Variant.LOCAL
    return _PANELS[panel](_Question(names, window, deployment, repaired, resource_id, own_traffic))


def literal(value: str) -> str:
    """A KQL string literal that means exactly `value`."""
    escaped = "".join(_ESCAPES.get(character, character) for character in value)
    return '"' + _CONTROL.sub(_as_code_point, escaped) + '"'


def _as_code_point(found: re.Match[str]) -> str:
    return "\\u" + format(ord(found[0]), "04x")


_ESCAPES: Mapping[str, str] = MappingProxyType(
    {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def instant(at: datetime) -> str:
    """A KQL datetime literal."""
    utc = at.astimezone(UTC).replace(tzinfo=None)
    return f"datetime({utc.isoformat()}Z)"


def timespan(length: timedelta) -> str:
    """A KQL timespan literal in its largest whole unit: ``5m``, ``1h``, ``1500ms``."""
    for unit, size in _UNITS:
        if length % size == timedelta(0):
            return f"{length // size}{unit}"
    return f"{length // timedelta(microseconds=1)}microseconds"


_UNITS = (
    ("d", timedelta(days=1)),
    ("h", timedelta(hours=1)),
    ("m", timedelta(minutes=1)),
    ("s", timedelta(seconds=1)),
    ("ms", timedelta(milliseconds=1)),
)


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked of whom, and the clauses the panels share."""

    names: Names
    window: TimeWindow
    deployment: str | None
    repaired: bool  # rows hold the truth in their own columns
    resource_id: str = ""
    own_traffic: bool = True

    @property
    def during(self) -> str:
        """The explicit, half-open filter both engines skip data by."""
        column = self.names.timestamp
        start, end = instant(self.window.start), instant(self.window.end)
        ours = f"\n| where _ResourceId =~ {literal(self.resource_id)}" if self.resource_id else ""
        return f"| where {column} >= {start} and {column} < {end}{ours}"

    @property
    def bin(self) -> str:
        return f"t = bin(timestamp, {timespan(self.window.bin)})"

    @property
    def of_deployment(self) -> str:
        return "" if self.deployment is None else f"\n| where service == {literal(self.deployment)}"

    def others(self, dimensions: str) -> str:
        """The clause that leaves load tests and probes out, where that is asked for."""
        if self.own_traffic:
            return ""
        return kql_details.of_others(dimensions or self.names.dimensions) + "\n"

    @property
    def requests(self) -> str:
        """``R``: one row per request, with the columns the panels speak of."""
        names = self.names
        if self.repaired:
            service, prepared = names.role, self.others("")
            code, ok, ms = names.code, names.success, names.duration
            operation, request_id = names.name, names.id
        else:
            prepared = f"| extend cd = todynamic({names.dimensions})\n{self.others('cd')}"
            service = f'coalesce(tostring(cd["Service Name"]), {names.role})'
            code = f'coalesce(tostring(cd["resultCode"]), {names.code})'
            ok = f'tobool(coalesce(tostring(cd["success"]), tostring({names.success})))'
            ms = f'coalesce(totimespan(tostring(cd["duration"])) / 1ms, {names.duration})'
            operation = f'coalesce(tostring(cd["name"]), {names.name})'
            request_id = f'coalesce(tostring(cd["Request Id"]), {names.id})'
        return (
            f"let R = {names.requests}\n{self.during}\n{prepared}"
            f"| project timestamp = {names.timestamp}, service = {service}, code = {code},\n"
            f"    ok = {ok}, ms = {ms},\n"
            f"    operation = {operation}, request_id = {request_id},\n"
            f"    operation_id = {names.operation}, instance = {names.instance},"
            f" n = {names.count}{self.of_deployment};\n"
        )

    @property
    def durations(self) -> str:
        """Mean and nearest-rank percentiles. The local engine has no weighted ones, and its
        rows are never sampled, so that there each row stands for itself."""
        mean = "mean_ms = sum(ms * n) / sum(n)"
        if self.repaired:
            each = ", ".join(f"p{rank}_ms = percentile(ms, {rank})" for rank in (50, 95, 99))
            return f"{mean}, {each}"
        return f"{mean}, (p50_ms, p95_ms, p99_ms) = percentilesw(ms, n, 50, 95, 99)"

    def rows(self, table: str, *columns: str) -> str:
        """Rows of a table other than requests: ``timestamp``, ``service``, ``cd``, ``n`` and
        `columns`."""
        names = self.names
        cd, service = f"todynamic({names.dimensions})", names.role
        if not self.repaired:
            service = (
                f'coalesce(tostring(todynamic({names.dimensions})["Service Name"]), {service})'
            )
        else:
            cd = names.dimensions
        shared = f"timestamp = {names.timestamp}, service = {service}, cd = {cd}, n = {names.count}"
        projected = f"| project {shared},\n    {', '.join(columns)}"
        return f"{table}\n{self.during}\n{projected}\n{self.others('cd')}".rstrip("\n")


_COUNTS = "requests = sum(n), failed = sumif(n, ok == false)"


def _summary(ask: _Question) -> str:
    return (
        f"{ask.requests}R\n| summarize {_COUNTS},\n    {ask.durations}, last_seen = max(timestamp)"
    )


def _overview(ask: _Question) -> str:
    """Three answers in one, told apart by ``part``."""
    columns = "requests, failed, p50_ms, p95_ms"
    return (
        f"{ask.requests}union\n"
        f"    (R | summarize {_COUNTS}, {ask.durations}\n"
        f'    | where requests > 0 | project part = "whole", {columns}),\n'
        f"    (R | summarize {_COUNTS}, {ask.durations} by {ask.bin}\n"
        f'    | project part = "bin", t, {columns}),\n'
        f"    (R | summarize {_COUNTS} by service\n"
        '    | project part = "service", service, requests, failed)\n'
        "| project part, t, service, requests, failed, p50_ms, p95_ms\n"
        "| order by part asc, t asc, requests desc"
    )


def _deployments(ask: _Question) -> str:
    return f"{_summary(ask)} by service\n| order by requests desc, service asc"


def _arrivals(ask: _Question) -> str:
    return (
        f"{ask.requests}R\n| summarize requests = sum(n), rows = count(),"
        " last_seen = max(timestamp) by service\n| order by last_seen desc"
    )


def _latency(ask: _Question) -> str:
    return (
        f"{ask.requests}R\n| summarize requests = sum(n), {ask.durations}\n    by {ask.bin}\n"
        "| order by t asc"
    )


def _requests(ask: _Question) -> str:
    return (
        f"{ask.requests}R\n| summarize {_COUNTS} by {ask.bin}, service\n"
        "| order by t asc, service asc"
    )


def _failures(ask: _Question) -> str:
    return f"{ask.requests}R\n| summarize {_COUNTS} by {ask.bin}, code\n| order by t asc, code asc"


def _result_codes(ask: _Question) -> str:
    p95 = "percentile(ms, 95)" if ask.repaired else "percentilew(ms, n, 95)"
    return (
        f"{ask.requests}R\n| summarize {_COUNTS}, p95_ms = {p95} by code\n"
        "| order by requests desc, code asc"
    )


def _availability_traffic(ask: _Question) -> str:
    return (
        f'{ask.requests}R\n| summarize requests = sum(n), bad = sumif(n, code startswith "5")'
        f" by {ask.bin}\n"
        "| extend availability_pct = 100.0 * (requests - bad) / requests\n| order by t asc"
    )


def _availability_tests(ask: _Question) -> str:
    """A test counts for a deployment when it names it: as its service, or as its own name."""
    names = ask.names
    service, good = names.role, f"{names.success} == true"
    if not ask.repaired:
        properties = f"todynamic({names.dimensions})"
        service = f'coalesce(tostring({properties}["Service Name"]), {names.name})'
        good = f"tobool(tostring({names.success}))"
    return (
        f"{names.tests}\n{ask.during}\n"
        f"| project timestamp = {names.timestamp}, service = {service},"
        f" good = {good}, n = {names.count}{ask.of_deployment}\n"
        f"| summarize runs = sum(n), good = sumif(n, good) by {ask.bin}\n"
        "| extend availability_pct = 100.0 * good / runs\n| order by t asc"
    )


def _slowest(ask: _Question) -> str:
    return (
        f"{ask.requests}R\n| top {ROW_LIMIT} by ms desc\n"
        "| project timestamp, service, operation, code, ok, duration_ms = ms, request_id, instance"
    )


def _suspect_answers(ask: _Question) -> str:
    """A scoring script that catches its own error answers 200: only the body tells.

    Source: azureml-inference-server-http 1.5.1, which keeps the body as ``Response Value``.
    """
    rows = ask.rows(
        ask.names.requests, f"code = {ask.names.code}", f"operation_id = {ask.names.operation}"
    )
    code = 'coalesce(tostring(cd["resultCode"]), code)'
    return (
        f"{rows}{ask.of_deployment}\n"
        '| extend answer = tostring(cd["Response Value"])'
        f"{'' if ask.repaired else f', code = {code}'}\n"
        '| where code startswith "2" and (answer contains "error" or answer contains "message")\n'
        f"| top {ROW_LIMIT} by timestamp desc\n"
        "| project timestamp, service,"
        ' request_id = coalesce(tostring(cd["Request Id"]), operation_id), answer'
    )


def _exceptions(ask: _Question) -> str:
    """On Azure an exception may lack its service: then its request tells whose it is."""
    names = ask.names
    rows = ask.rows(
        names.exceptions,
        f"type = {names.type}",
        f"problem = {names.problem}",
        f"message = {names.outer_message}",
        f"operation_id = {names.operation}",
    )
    counted = (
        "| summarize exceptions = sum(n), first_seen = min(timestamp), last_seen = max(timestamp),"
        " sample = take_any(message) by type, problem\n| order by exceptions desc, type asc"
    )
    if ask.repaired or ask.deployment is None:
        return f"{rows}{ask.of_deployment}\n{counted}"
    return (
        f"{ask.requests}"
        "let ids = R | where isnotempty(request_id) | distinct request_id;\n"
        "let ops = R | where isnotempty(operation_id)"
        ' and operation_id != "00000000000000000000000000000000" | distinct operation_id;\n'
        f"{rows}\n"
        '| extend packed = parse_json(replace_string(tostring(cd["custom_dimensions"]),'
        ' "\'", "\\""))\n'
        '| extend rid = coalesce(tostring(cd["Request Id"]), tostring(packed["Request Id"]))\n'
        f"| where service == {literal(ask.deployment)} or rid in (ids) or operation_id in (ops)\n"
        f"{counted}"
    )


def _lines(ask: _Question, condition: str) -> str:
    """Old scoring images print as ``STDOUT`` with the text in a property."""
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
    return (
        f"{rows}{ask.of_deployment}\n{condition}| top {ROW_LIMIT} by timestamp desc\n"
        "| project timestamp, service, severity, text,"
        ' request_id = coalesce(tostring(cd["Request Id"]), operation_id),'
        " properties = tostring(cd)"
    )


def _traces(ask: _Question) -> str:
    return _lines(ask, "")


def _captured(ask: _Question) -> str:
    """What ``score.py`` printed as JSON, and what model data collection sent."""
    return _lines(ask, '| where text startswith "{" or text == "model_data_collection"\n')


_PANELS: Mapping[Panel, Callable[[_Question], str]] = MappingProxyType(
    {
        Panel.SUMMARY: _summary,
        Panel.LATENCY: _latency,
        Panel.REQUESTS: _requests,
        Panel.FAILURES: _failures,
        Panel.RESULT_CODES: _result_codes,
        Panel.AVAILABILITY_TRAFFIC: _availability_traffic,
        Panel.AVAILABILITY_TESTS: _availability_tests,
        Panel.SLOWEST: _slowest,
        Panel.EXCEPTIONS: _exceptions,
        Panel.TRACES: _traces,
        Panel.CAPTURED: _captured,
        Panel.DEPLOYMENTS: _deployments,
        Panel.OVERVIEW: _overview,
        Panel.SUSPECT_ANSWERS: _suspect_answers,
        Panel.ARRIVALS: _arrivals,
        Panel.BIN_REQUESTS: kql_details.bin_requests,
        Panel.BIN_EXCEPTIONS: kql_details.bin_exceptions,
        Panel.BIN_TRACES: kql_details.bin_traces,
    }
)
