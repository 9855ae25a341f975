"""What a scoring server reports of load tests and probes can be left out again, and no more."""

from datetime import UTC, datetime, timedelta

import pytest

from services.alerts.records import PROBE_PREFIX
from services.apache_bench import TAG_PREFIX
from services.app_insights import kql, repair
from services.domain import Panel, TimeWindow
from services.local.serving.reporter import Answered, Reporter
from services.local.serving.scorers import Scored
from services.local.telemetry import runner
from services.local.telemetry.store import Batch, TelemetryStore

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
WINDOW = TimeWindow(start=START, end=START + timedelta(hours=1), bin=timedelta(minutes=5))
CLIENTS = [f"{TAG_PREFIX}7"] * 40 + [f"{PROBE_PREFIX}a"] * 3 + ["", "crm", "my-loadtest-1"] * 2


class Sent:
    """Stands in for the sender: keeps what it is given."""

    def __init__(self):
        self.envelopes = []

    def track(self, envelope):
        self.envelopes.append(envelope)


def reported():
    sent = Sent()
    reporter = Reporter(sent, service="bank", workspace="here")
    for number, client in enumerate(CLIENTS):
        failed = ValueError("boom") if number % 2 else None
        reporter.report(
            Answered(
                at=START + timedelta(seconds=number),
                method="POST",
                path="/score",
                url="http://127.0.0.1/score",
                status=500 if failed else 200,
                duration_ms=900.0 if client.startswith(TAG_PREFIX) else 10.0,
                request_id=f"r{number}",
                client_request_id=client,
                body=b'{"data": []}',
                answer=b"[]",
                scored=Scored(status=500 if failed else 200, body=b"[]", error=failed),
            )
        )
    return sent.envelopes


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    store = TelemetryStore(tmp_path_factory.mktemp("telemetry") / "telemetry.duckdb")
    store.append([Batch([repair.row(each) for each in reported()])])

    def ask(panel, *, own_traffic):
        text = kql.text(panel, WINDOW, deployment="bank", own_traffic=own_traffic)
        with store.cursor() as cursor:
            answer = runner.run(cursor, text, timeout_s=30.0)
        names = [name for name, _ in answer.columns]
        return [dict(zip(names, row, strict=True)) for row in answer.rows]

    yield ask
    store.close()


def test_the_counts_drop_by_exactly_what_was_sent_by_the_benchmark_and_the_probes(ask):
    (every,), (others,) = (ask(Panel.SUMMARY, own_traffic=own) for own in (True, False))

    assert every["requests"] - others["requests"] == 40 + 3
    assert (every["p95_ms"], others["p95_ms"]) == (900.0, 10.0)


@pytest.mark.parametrize("panel", [Panel.BIN_REQUESTS, Panel.BIN_EXCEPTIONS, Panel.BIN_TRACES])
def test_the_rows_of_a_bin_are_those_of_others(ask, panel):
    clients = {row["client_id"] for row in ask(panel, own_traffic=False)}

    assert clients == {"", "crm", "my-loadtest-1"}
    assert {row["client_id"] for row in ask(panel, own_traffic=True)} == set(CLIENTS)
