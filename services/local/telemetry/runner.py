"""KQL over the telemetry store: translated to SQL once per shape of query, then run.

A dashboard asks the same questions of ever new windows. Translating takes tens of
milliseconds, so instants are taken out of the text first and put into the finished SQL: the
same question about another hour costs no translation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

import duckdb

from services.errors import InvalidRequestError, UnavailableError
from services.local.telemetry import damaged_file, tables
from services.local.telemetry.limits import TimeLimits
from services.local.telemetry.tuning import tuned

ROW_LIMIT = 500_000  # as the service's own limit
_LIMITS = TimeLimits()


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows as the wire has them; `truncated` when there were more than `ROW_LIMIT`."""

    columns: tuple[tuple[str, str], ...]  # name, KQL type
    rows: list[tuple[Any, ...]]
    truncated: bool = False


def run(cursor: duckdb.DuckDBPyConnection, kql: str, *, timeout_s: float) -> Answer:
    """The answer to a read-only query.

    Raises:
        InvalidRequestError: the query is wrong, or uses KQL this engine lacks.
        UnavailableError: it took longer than `timeout_s`.
        DamagedFileError: what it needs cannot be read from the file.
    """
    sql = to_sql(kql)
    limit = _LIMITS.set(timeout_s, cursor.interrupt)
    try:
        cursor.execute(sql)
        described = cursor.description or []
        rows = cursor.fetchmany(ROW_LIMIT + 1)
    except duckdb.InterruptException as error:
        raise UnavailableError(
            f"The query was stopped after {timeout_s:g} s; ask about a shorter time."
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise InvalidRequestError(
            "The query needs more memory than telemetry is given; ask about a shorter time."
        ) from error
    except duckdb.Error as error:
        damaged_file.check(error)
        raise InvalidRequestError(_sentence(error)) from error
    finally:
        _LIMITS.lift(limit)
    types = [str(each[1]) for each in described]
    columns = tuple(
        (str(each[0]), _kusto_type(sql)) for each, sql in zip(described, types, strict=True)
    )
    return Answer(columns, _on_the_wire(types, rows[:ROW_LIMIT]), len(rows) > ROW_LIMIT)


# --- translation ------------------------------------------------------------------

_INSTANT = re.compile(r"(?<=datetime\()\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z(?=\))")
_PLACE = "0002-02-02T02:02:02.{:06}Z"  # stands for an instant; no telemetry is this old


def to_sql(kql: str) -> str:
    """The SQL that answers a KQL query.

    Raises:
        InvalidRequestError: the query is wrong, changes something, or uses KQL this
            engine lacks.
    """
    if _PLACE[:20] in kql:
        return _translated(kql)
    instants: list[str] = []

    def place(found: re.Match[str]) -> str:
        instants.append(found[0])
        return _PLACE.format(len(instants))

    sql = _translated(_INSTANT.sub(place, kql))
    for position, instant in enumerate(instants, start=1):
        sql = sql.replace(_PLACE.format(position), instant)
    return sql


@lru_cache(maxsize=512)
def _translated(kql: str) -> str:
    import duckdb_kql  # a quarter of a second, most of it the grammar

    schema = {table: list(tables.columns(table)) for table in tables.TABLES}
    try:
        return tuned(str(duckdb_kql.to_sql(kql, schema=schema, allow_write=False)))
    except duckdb_kql.KqlError as error:
        raise InvalidRequestError(_kql_sentence(error)) from error
    except RecursionError as error:
        raise InvalidRequestError("The query is nested too deeply.") from error


# --- values -----------------------------------------------------------------------

_TYPES = {
    "VARCHAR": "string",
    "BOOLEAN": "bool",
    "TINYINT": "int",
    "SMALLINT": "int",
    "INTEGER": "int",
    "BIGINT": "long",
    "UBIGINT": "long",
    "HUGEINT": "long",
    "FLOAT": "real",
    "DOUBLE": "real",
    "TIMESTAMP": "datetime",
    "TIMESTAMP WITH TIME ZONE": "datetime",
    "INTERVAL": "timespan",
    "JSON": "dynamic",
    "UUID": "guid",
}


def _kusto_type(sql_type: str) -> str:
    return "real" if sql_type.startswith("DECIMAL") else _TYPES.get(sql_type, "dynamic")


def _on_the_wire(sql_types: Sequence[str], rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Values JSON can carry; where no column needs a change it costs next to nothing."""
    changes = {
        position: change
        for position, kind in enumerate(sql_types)
        if (change := _CHANGES.get(kind.partition("(")[0])) is not None
        and not (change is _long and _fit([row[position] for row in rows]))
    }
    if not rows or not changes:
        return rows
    columns = list(zip(*rows, strict=True))
    for position, change in changes.items():
        columns[position] = tuple(
            None if each is None else change(each) for each in columns[position]
        )
    return list(zip(*columns, strict=True))


def _fit(values: Sequence[int | None]) -> bool:
    """Whether all can be written as JSON's integers."""
    known: Any = values if None not in values else [each for each in values if each is not None]
    return not known or (min(known) >= -(2**63) and max(known) < 2**63)


def _timespan(length: timedelta) -> str:
    days, seconds = divmod(abs(length), timedelta(days=1))
    hours, rest = divmod(seconds, timedelta(hours=1))
    minutes, rest = divmod(rest, timedelta(minutes=1))
    sign = "-" if length < timedelta(0) else ""
    return f"{sign}{days}.{hours:02}:{minutes:02}:{rest.total_seconds():09.6f}"


def _long(value: int) -> int | float:
    return value if abs(value) < 2**63 else float(value)


_CHANGES: dict[str, Callable[[Any], Any]] = {
    "INTERVAL": _timespan,
    "HUGEINT": _long,
    "UBIGINT": _long,
    "UUID": str,
    "DECIMAL": float,
}


# --- what went wrong --------------------------------------------------------------


def _kql_sentence(error: Exception) -> str:
    text = str(error).split(" expecting {", 1)[0].split("; near ", 1)[0]
    if "control command" in text or "ingestion command" in text:
        return "Only queries can be run here, no commands."
    if "multi-statement" in text:
        return "Only one query can be run at a time; use let for its parts."
    if unknown := re.search(r"unsupported KQL construct [\"']?(?:\w+:)?(\w[\w-]*)", text):
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", unknown[1].removesuffix("Operator")).lower()
        return (
            f"The local telemetry engine does not offer “{words}”; Application Insights itself may."
        )
    if place := re.search(r"could not parse KQL at (\d+):(\d+): (.*)", text, re.DOTALL):
        line, column, reason = place.groups()
        return f"Line {line}, column {int(column) + 1}: {' '.join(reason.split())}."
    return f"{text.splitlines()[0].rstrip('.')}."


def _sentence(error: duckdb.Error) -> str:
    text = str(error)
    if missing := re.search(r'Referenced column "([^"]+)" not found', text):
        return f"There is no column “{missing[1]}” at that point of the query."
    if missing := re.search(r"Table with name (\S+) does not exist", text):
        return f"There is no table “{missing[1]}”; there are {', '.join(tables.TABLES)}."
    first = text.splitlines()[0]
    return f"The query could not be run: {first.partition(': ')[2] or first}."
