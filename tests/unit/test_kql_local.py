"""KQL over the local store: the same answers as numpy, and no more than answers."""

import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from services.app_insights import kql, repair, wire
from services.domain import Panel, TimeWindow
from services.errors import InvalidRequestError, UnavailableError
from services.local.telemetry import runner, tables
from services.local.telemetry.store import Batch, TelemetryStore

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
BIN = timedelta(minutes=5)
WINDOW = TimeWindow(start=START, end=START + timedelta(hours=1), bin=BIN)


def request(at, duration_ms, code="200", deployment="bank"):
    return wire.request_envelope(
        at=at,
        request_id=f"{at.timestamp()}",
        name="POST /score",
        url="http://127.0.0.1/score",
        duration_ms=duration_ms,
        result_code=code,
        properties={"Service Name": deployment},
    )


@pytest.fixture(scope="module")
def spread():
    """(instant, milliseconds, code) of 3,000 requests in the hour and 200 around it."""
    chance = random.Random(3)
    return [
        (
            START + timedelta(seconds=chance.uniform(-120, 3720)),
            round(chance.lognormvariate(3, 0.8), 3),
            chance.choice(["200"] * 9 + ["400", "500"]),
        )
        for _ in range(3200)
    ]


@pytest.fixture(scope="module")
def store(tmp_path_factory, spread):
    store = TelemetryStore(tmp_path_factory.mktemp("telemetry") / "telemetry.duckdb")
    envelopes = [request(*each) for each in spread]
    envelopes += [request(START + timedelta(minutes=7), 9999.0, "500", deployment="other")]
    store.append([Batch([repair.row(each) for each in envelopes], "the-batch")])
    yield store
    store.close()


@pytest.fixture
def ask(store):
    def ask(text, timeout_s=30.0):
        with store.cursor() as cursor:
            answer = runner.run(cursor, text, timeout_s=timeout_s)
        names = [name for name, _ in answer.columns]
        return [dict(zip(names, row, strict=True)) for row in answer.rows]

    return ask


@pytest.fixture
def panel(ask):
    return lambda panel, deployment="bank": ask(kql.text(panel, WINDOW, deployment=deployment))


def by_bin(spread):
    bins = {}
    for at, milliseconds, code in spread:
        if WINDOW.start <= at < WINDOW.end:
            bins.setdefault((at - START) // BIN, []).append((milliseconds, code))
    return {(START + BIN * place).replace(tzinfo=None): found for place, found in bins.items()}


# --- numbers ---


def test_percentiles_equal_numpys_nearest_rank_in_every_bin(panel, spread):
    expected = by_bin(spread)

    rows = panel(Panel.LATENCY)

    assert [row["t"] for row in rows] == sorted(expected)
    for row in rows:
        milliseconds = [each for each, _ in expected[row["t"]]]
        assert row["requests"] == len(milliseconds)
        assert row["mean_ms"] == pytest.approx(np.mean(milliseconds))
        for rank in (50, 95, 99):
            assert row[f"p{rank}_ms"] == np.percentile(milliseconds, rank, method="inverted_cdf")


def test_percentiles_of_the_window_are_of_all_its_requests_not_averages(panel, spread):
    inside = [each for found in by_bin(spread).values() for each, _ in found]

    (row,) = panel(Panel.SUMMARY)

    assert row["requests"] == len(inside)
    assert row["p95_ms"] == np.percentile(inside, 95, method="inverted_cdf")


def test_failures_are_counted_by_result_code_in_every_bin(panel, spread):
    expected = {
        (place, code): sum(1 for _, each in found if each == code)
        for place, found in by_bin(spread).items()
        for code in {each for _, each in found}
    }

    rows = panel(Panel.FAILURES)

    assert {(row["t"], row["code"]): row["requests"] for row in rows} == expected
    assert all(row["failed"] == (row["requests"] if row["code"] >= "400" else 0) for row in rows)


def test_availability_from_traffic_blames_the_server_only_for_5xx(panel, spread):
    expected = by_bin(spread)

    for row in panel(Panel.AVAILABILITY_TRAFFIC):
        bad = sum(1 for _, code in expected[row["t"]] if code.startswith("5"))
        assert row["bad"] == bad
        assert row["availability_pct"] == pytest.approx(100 * (1 - bad / len(expected[row["t"]])))


def test_the_bins_of_a_window_add_up_to_its_total(panel):
    (total,) = panel(Panel.SUMMARY, None)

    volumes = panel(Panel.REQUESTS, None)

    assert sum(row["requests"] for row in volumes) == total["requests"]
    assert {row["service"] for row in volumes} == {"bank", "other"}


def test_one_deployment_is_told_from_another(panel):
    assert [row["duration_ms"] for row in panel(Panel.SLOWEST, "other")] == [9999.0]
    assert {row["service"]: row["requests"] for row in panel(Panel.DEPLOYMENTS, None)}["other"] == 1


def test_no_traffic_is_no_rows_and_no_percentage(ask):
    long_ago = TimeWindow(start=START - timedelta(days=9), end=START - timedelta(days=8), bin=BIN)

    for each in Panel:
        rows = ask(kql.text(each, long_ago, deployment="bank"))
        if each is Panel.SUMMARY:
            assert [row["p95_ms"] for row in rows] == [None]
        else:
            assert rows == []


# --- translation ---


def test_the_same_question_about_another_hour_is_not_translated_again(ask):
    ask(kql.text(Panel.LATENCY, WINDOW, deployment="bank"))
    misses = runner._translated.cache_info().misses
    later = TimeWindow(start=START + BIN, end=START + 3 * BIN, bin=BIN)

    rows = ask(kql.text(Panel.LATENCY, later, deployment="bank"))

    assert runner._translated.cache_info().misses == misses
    assert [row["t"] for row in rows] == [
        (START + BIN).replace(tzinfo=None),
        (START + 2 * BIN).replace(tzinfo=None),
    ]


def test_instants_inside_texts_stay_as_they_are(ask):
    text = "datetime(2026-11-22T10:00:00Z)"

    (row,) = ask(f"print x = {kql.literal(text)}, y = {text}")

    assert row == {"x": text, "y": datetime(2026, 11, 22, 10)}


@pytest.mark.parametrize("value", ['iris "svc"\\x\n\t{0}é', "'; DROP TABLE requests; --", "%_\\"])
def test_a_literal_means_the_text_itself(ask, value):
    (row,) = ask(f"print x = {kql.literal(value)}")

    assert row == {"x": value}


@pytest.mark.parametrize("bin", ["1m", "15m", "2h", "6h", "1d", "7d"])
def test_tuning_the_sql_changes_no_answer(store, bin):
    import duckdb_kql

    text = (
        "requests | where timestamp >= datetime(2026-11-22T10:10:00.5Z)"
        f" | summarize n = count(), ms = max(duration) by t = bin(timestamp, {bin})"
        " | order by t asc"
    )
    plain = str(duckdb_kql.to_sql(text))
    cursor = store.cursor()

    tuned = cursor.execute(runner.to_sql(text)).fetchall()

    assert runner.to_sql(text) != plain
    if bin == "7d":  # Kusto counts from the year 1, a Monday
        assert [row[0].weekday() for row in tuned] == [0]
    else:
        assert tuned == cursor.execute(plain).fetchall()


def test_now_is_asked_when_the_query_runs(ask):
    (first,), (second,) = ask("print now()"), ask("print now()")

    assert first != second


# --- what is refused ---


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("requests | where durationMs > 3", "no column “durationMs”"),
        ("nothing | count", "no table “nothing”; there are requests"),
        ("requests | summarize count( by name", "Line 1, column 32"),
        ("requests | make-series count() on timestamp step 1h", "make-series"),
        (".drop table requests", "Only queries"),
        (".set x <| requests", "Only queries"),
        ("requests | take 1; traces | take 1", "one query"),
        ("", "Line 1"),
    ],
)
def test_a_wrong_query_is_a_sentence(ask, text, sentence):
    with pytest.raises(InvalidRequestError, match=sentence) as caught:
        ask(text)

    assert "\n" not in str(caught.value)


def test_a_query_reaches_no_file(store):
    import duckdb

    with pytest.raises(duckdb.Error, match="disabled"):
        store.cursor().execute("SELECT * FROM read_csv('/etc/passwd')")
    with pytest.raises(duckdb.Error, match="locked"):
        store.cursor().execute("SET enable_external_access = true")


def test_a_query_that_takes_too_long_is_stopped(ask):
    endless = " | ".join(
        [
            "range x from 1 to 30000 step 1",
            "extend k = 1",
            "join kind=inner (range y from 1 to 30000 step 1 | extend k = 1) on k",
            "summarize sum(x * y % 7)",
        ]
    )

    with pytest.raises(UnavailableError, match="stopped after 0.2 s"):
        ask(endless, timeout_s=0.2)


# --- the store ---


def test_a_batch_is_known_by_its_name(store):
    assert store.has_batch("the-batch")
    assert not store.has_batch("another")


def test_what_is_too_old_is_forgotten(tmp_path):
    store = TelemetryStore(tmp_path / "telemetry.duckdb")
    envelopes = [request(START + timedelta(days=day), 5) for day in range(4)]
    store.append([Batch([repair.row(each) for each in envelopes])])

    deleted = store.delete_before(START + timedelta(days=2))

    assert deleted == 2
    assert store.cursor().execute("SELECT count(*) FROM requests").fetchall() == [(2,)]
    store.close()


def test_a_store_is_found_again_as_it_was_left(tmp_path):
    path = tmp_path / "telemetry.duckdb"
    store = TelemetryStore(path)
    store.append([Batch([repair.row(request(START, 5))])])
    store.close()

    again = TelemetryStore(path)

    assert again.cursor().execute("SELECT count(*) FROM requests").fetchall() == [(1,)]
    assert path.stat().st_mode & 0o077 == 0
    again.close()


def test_every_table_can_be_asked_for_every_column(store):
    for table in tables.TABLES:
        columns = ", ".join(tables.columns(table))
        with store.cursor() as cursor:
            runner.run(cursor, f"{table} | project {columns} | take 1", timeout_s=30)
