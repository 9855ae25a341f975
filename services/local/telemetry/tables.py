"""The tables telemetry is kept in, and the views that give them Application Insights' columns.

What varies is stored; what is constant or follows from the rest (a performance bucket, the
columns of browsers) is a column of the view, so that a query written for Azure finds every
column it may name. ``success`` is a truth value here, as in the workspace tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TEXT, INSTANT, NUMBER, COUNT, TRUTH, JSON = (
    "VARCHAR",
    "TIMESTAMP",
    "DOUBLE",
    "INTEGER",
    "BOOLEAN",
    "JSON",
)

_COMMON = {
    "timestamp": INSTANT,
    "operation_Id": TEXT,
    "operation_Name": TEXT,
    "operation_ParentId": TEXT,
    "application_Version": TEXT,
    "cloud_RoleName": TEXT,
    "cloud_RoleInstance": TEXT,
    "sdkVersion": TEXT,
    "itemCount": COUNT,
    "customDimensions": JSON,
    "customMeasurements": JSON,
}

_CALL = {
    "id": TEXT,
    "name": TEXT,
    "resultCode": TEXT,
    "success": TRUTH,
    "duration": NUMBER,
}

STORED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "requests": {**_COMMON, **_CALL, "url": TEXT},
        "dependencies": {**_COMMON, **_CALL, "target": TEXT, "type": TEXT, "data": TEXT},
        "exceptions": {
            **_COMMON,
            "type": TEXT,
            "problemId": TEXT,
            "handledAt": TEXT,
            "method": TEXT,
            "assembly": TEXT,
            "outerType": TEXT,
            "outerMessage": TEXT,
            "innermostType": TEXT,
            "innermostMessage": TEXT,
            "severityLevel": COUNT,
            "details": JSON,
        },
        "traces": {**_COMMON, "message": TEXT, "severityLevel": COUNT},
        "customEvents": {**_COMMON, "name": TEXT},
        "customMetrics": {
            **_COMMON,
            "name": TEXT,
            "valueCount": COUNT,
            "valueSum": NUMBER,
            "valueMin": NUMBER,
            "valueMax": NUMBER,
            "valueStdDev": NUMBER,
        },
        "availabilityResults": {
            **_COMMON,
            "id": TEXT,
            "name": TEXT,
            "location": TEXT,
            "success": TRUTH,
            "message": TEXT,
            "duration": NUMBER,
        },
    }
)

_ITEM_TYPES = {
    "requests": "request",
    "dependencies": "dependency",
    "exceptions": "exception",
    "traces": "trace",
    "customEvents": "customEvent",
    "customMetrics": "customMetric",
    "availabilityResults": "availabilityResult",
}

_BUCKET = (
    "CASE WHEN \"duration\" < 250 THEN '<250ms' WHEN \"duration\" < 500 THEN '250ms-500ms'"
    " WHEN \"duration\" < 1000 THEN '500ms-1sec' WHEN \"duration\" < 3000 THEN '1sec-3sec'"
    " WHEN \"duration\" < 7000 THEN '3sec-7sec' WHEN \"duration\" < 15000 THEN '7sec-15sec'"
    " WHEN \"duration\" < 30000 THEN '15sec-30sec' WHEN \"duration\" < 60000 THEN '30sec-1min'"
    " WHEN \"duration\" < 120000 THEN '1min-2min' WHEN \"duration\" < 300000 THEN '2min-5min'"
    " ELSE '>=5min' END"
)

# Column → expression, for columns nothing of ours fills. Azure has the empty text there too.
_UNFILLED = {
    column: "''"
    for column in (
        "operation_SyntheticSource",
        "session_Id",
        "user_Id",
        "user_AuthenticatedId",
        "user_AccountId",
        "client_Type",
        "client_Model",
        "client_OS",
        "client_IP",
        "client_City",
        "client_StateOrProvince",
        "client_CountryOrRegion",
        "client_Browser",
        "appId",
        "appName",
        "iKey",
        "itemId",
        "_ResourceId",
    )
}
_DERIVED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "requests": {"source": "''", "performanceBucket": _BUCKET},
        "dependencies": {"performanceBucket": _BUCKET},
        "exceptions": {
            "message": '"outerMessage"',
            "outerAssembly": '"assembly"',
            "outerMethod": '"method"',
            "innermostAssembly": "''",
            "innermostMethod": "''",
        },
        "customMetrics": {"value": '"valueSum"'},
        "availabilityResults": {"size": "NULL::DOUBLE", "performanceBucket": _BUCKET},
    }
)

TABLES = tuple(STORED)


def columns(table: str) -> tuple[str, ...]:
    """Every column a query may name, stored ones first."""
    return (*STORED[table], *_computed(table))


def schema_statements() -> tuple[str, ...]:
    """Statements that create whatever is missing. Running them again changes nothing."""
    statements = ["CREATE SCHEMA IF NOT EXISTS stored"]
    for table, stored in STORED.items():
        spelled = ", ".join(f'"{name}" {kind}' for name, kind in stored.items())
        computed = ", ".join(f'{value} AS "{name}"' for name, value in _computed(table).items())
        statements += [
            f'CREATE TABLE IF NOT EXISTS stored."{table}" ({spelled})',
            f'CREATE OR REPLACE VIEW "{table}" AS SELECT *, {computed} FROM stored."{table}"',
        ]
    statements.append("CREATE TABLE IF NOT EXISTS stored.batches (id VARCHAR, received TIMESTAMP)")
    return tuple(statements)


def _computed(table: str) -> dict[str, str]:
    return {
        **_DERIVED.get(table, {}),
        **_UNFILLED,
        "itemType": f"'{_ITEM_TYPES[table]}'",
    }
