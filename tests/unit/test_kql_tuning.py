"""Queries rewritten to cost less: the same rows, whatever is asked."""

from datetime import UTC, datetime, timedelta

import duckdb
import duckdb_kql
import pytest

from services.app_insights import kql
from services.domain import Panel, TimeWindow
from services.local.telemetry import runner, tables
from services.local.telemetry.flattening import flattened
from services.local.telemetry.tuning import tuned

START = datetime(2026, 11, 22, tzinfo=UTC)
WINDOW = TimeWindow(start=START, end=START + timedelta(hours=1), bin=timedelta(minutes=5))
SCHEMA = {table: list(tables.columns(table)) for table in tables.TABLES}
ROWS = """
INSERT INTO stored.requests BY NAME
SELECT TIMESTAMP '2026-11-22 00:00:00' + to_seconds(i * 7) AS "timestamp",
       [NULL, '', 'bank', 'it''s', '_s0'][i % 5 + 1] AS "cloud_RoleName",
       'POST /score' AS "name", (i // 3)::VARCHAR AS "id", 'op' AS "operation_Id",
       ['200', '400', '500'][i % 3 + 1] AS "resultCode", i % 3 = 0 AS "success",
       (i * 37 % 101)::DOUBLE AS "duration", 1 + i % 2 AS "itemCount",
       '{"Service Name": "bank", "k": "v' || i % 4 || '"}' AS "customDimensions"
FROM range(400) AS r(i)
"""
ASKED = [
    "requests",
    "requests | take 3 | count",
    "requests | where cloud_RoleName == 'bank' | count",
    "requests | distinct cloud_RoleName",
    "requests | distinct cloud_RoleName, success | count",
    "requests | project service = cloud_RoleName | where not(service == 'bank') | count",
    "requests | project service = cloud_RoleName | where service != 'bank' | count",
    'requests | project service = cloud_RoleName | where service == "it\'s" | count',
    "requests | project service = cloud_RoleName | where service == '_s0' | count",
    "requests | extend service = customDimensions.k | where service == 'v1' | count",
    "requests | project service = todynamic(customDimensions).k | where service == 'v1' | count",
    "requests | where url == 'quantile_disc(\"a\", CAST(50 AS BIGINT) / 100.0)' | count",
    "requests | project service = cloud_RoleName, x = 1 | extend ok = service == 'bank'"
    " | summarize n = countif(ok), m = count() by service | order by service asc, n asc",
    "requests | summarize n = count() by performanceBucket | order by performanceBucket asc",
    "requests | where itemType == 'request' | summarize n = sum(itemCount)",
    "requests | extend twice = duration * 2 | top 3 by twice desc | project twice",
    "requests | summarize p = percentile(duration, 95), q = percentile(duration, 50)"
    " by bin(timestamp, 10m) | order by timestamp asc",
    "let R = requests | where duration > 50; R | summarize n = count() by resultCode"
    " | order by resultCode asc",
    "let R = requests | where duration > 50; let S = R | where success; S | count",
    "requests | join kind=inner (requests | project id, other = duration) on id | count",
    "union requests, (requests | where success) | count",
    "requests | where name has 'score' and customDimensions contains 'v2' | count",
    "requests | order by timestamp desc | project timestamp, duration | take 4",
    "requests | order by duration asc, timestamp asc | take 4",
    "traces | count",
    "exceptions | where message == '' | count",
    "requests | project-away customDimensions | take 2",
    "requests | summarize arg_max(timestamp, *) by resultCode | project resultCode, id"
    " | order by resultCode asc",
    "requests | where url == 'SELECT * FROM \"requests\"' | count",
    "requests | where id in ((requests | where success | project id)) | count",
    "requests | summarize make_set(resultCode) by success | project success",
    "requests | summarize n = dcount(id), m = sum(duration * itemCount)",
]


@pytest.fixture(scope="module")
def stored():
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        for statement in tables.schema_statements():
            db.execute(statement)
        db.execute(ROWS)
        yield db


def rows(db, sql):
    """As text: NaN equals itself, and an order nobody asked for does not count."""
    found = db.execute(sql)
    return [str(each[:2]) for each in found.description], sorted(map(repr, found.fetchall()))


@pytest.mark.parametrize("text", ASKED)
def test_the_rows_are_those_of_the_plain_translation(stored, text):
    plain = duckdb_kql.to_sql(text, schema=SCHEMA, allow_write=False)

    assert rows(stored, tuned(plain)) == rows(stored, plain)


@pytest.mark.parametrize("deployment", [None, "bank", "it's", "_s0", "nobody"])
@pytest.mark.parametrize("panel", list(Panel))
def test_every_panel_answers_as_the_plain_translation(stored, panel, deployment):
    text = kql.text(panel, WINDOW, deployment=deployment)
    plain = duckdb_kql.to_sql(text, schema=SCHEMA, allow_write=False)

    assert rows(stored, runner.to_sql(text)) == rows(stored, plain)


def test_a_panel_reads_the_columns_it_names_and_no_view():
    sql = runner.to_sql(kql.text(Panel.LATENCY, WINDOW, deployment="bank"))

    assert 'FROM stored."requests" WHERE' in sql
    assert 'FROM "requests"' not in sql
    assert "typeof" not in sql
    assert '"operation_Id"' not in sql
    assert "WITH" not in sql


@pytest.mark.parametrize(
    "sql",
    [
        "WITH a AS (SELECT 1 AS x), b AS (SELECT * FROM a) SELECT * FROM a, b",
        "WITH a AS (SELECT 1 AS x) SELECT a.x, (SELECT max(x) FROM a) AS m FROM a",
        "WITH RECURSIVE a AS (SELECT 1 AS x) SELECT * FROM a",
        "WITH a AS MATERIALIZED (SELECT 1 AS x) SELECT * FROM a",
        "SELECT 1 AS x",
    ],
)
def test_a_step_read_twice_stays_a_step(sql):
    assert flattened(sql) == sql


def test_steps_of_the_same_name_inside_each_other():
    sql = (
        "WITH a AS (WITH b AS (SELECT ')' AS x) SELECT x || '(' AS x FROM b),"
        " b AS (SELECT x || 'b' AS x FROM a) SELECT * FROM b ORDER BY x"
    )

    assert "WITH" not in flattened(sql)
    assert duckdb.sql(flattened(sql)).fetchall() == duckdb.sql(sql).fetchall() == [(")(b",)]


def test_a_text_that_looks_like_sql_stays_a_text():
    text = "requests | where url == 'SELECT * FROM \"requests\"' | count"

    assert "'SELECT * FROM \"requests\"'" in runner.to_sql(text)
