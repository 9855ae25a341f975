"""Azure ML's own scoring server, unmodified, sending to the local telemetry server."""

import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
import requests

from services.app_insights import captured
from services.domain import Panel, TimeWindow
from services.local.store import Store
from services.local.telemetry import LocalTelemetry, identity
from tests.recorded import telemetry as recorded

pytest.importorskip("azureml_inference_server_http", reason="it is installed for the tests only")

SCRIPT = """
import json
import time

def init():
    pass

def run(raw):
    data = json.loads(raw)["data"]
    if data == "fail":
        raise ValueError("no such row")
    time.sleep(0.02)
    print(json.dumps({"input": data, "output": ["no"]}))
    return ["no"]
"""


def until(condition, what, *, limit_s=120.0):
    deadline = time.monotonic() + limit_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} not within {limit_s:.0f} s"
        time.sleep(0.1)
    return found


def answers(address):
    try:
        return requests.get(address, timeout=2).ok
    except requests.RequestException:
        return False


@pytest.fixture
def server(tmp_path):
    """The server with telemetry on; yields its scoring address and the telemetry port."""
    store = Store(tmp_path / "workspace.db")
    (tmp_path / "score.py").write_text(SCRIPT)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with recorded.answering(tmp_path) as address:
        environment = {
            **os.environ,
            "AML_APP_INSIGHTS_ENABLED": "true",
            "AML_APP_INSIGHTS_KEY": identity.access(store).instrumentation_key,
            "APPLICATIONINSIGHTS_CONNECTION_STRING": identity.connection_string(store),
            # Nothing of this may reach anybody but us.
            "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
            "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
            "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true",
            "SERVICE_NAME": "bank",
            "OTEL_BSP_SCHEDULE_DELAY": "500",
            "TMPDIR": str(tmp_path),
        }
        with (tmp_path / "server.log").open("wb") as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    "from azureml_inference_server_http.amlserver import run; run()",
                    *("--entry_script", "score.py", "--port", str(port)),
                ],
                cwd=tmp_path,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            until(
                lambda: answers(f"http://127.0.0.1:{port}/") or process.poll() is not None,
                "the server",
            )
            assert process.poll() is None, (tmp_path / "server.log").read_text()
            assert address
            yield f"http://127.0.0.1:{port}/score", LocalTelemetry(tmp_path, store)
        finally:
            os.killpg(process.pid, signal.SIGTERM)  # the server is a process of its own
            process.wait(timeout=60)


def test_what_it_gets_wrong_is_put_right(server):
    address, telemetry = server
    before = datetime.now(UTC)
    window = TimeWindow(
        start=before - timedelta(minutes=5),
        end=before + timedelta(minutes=10),
        bin=timedelta(minutes=1),
    )
    for data in ("a", "b", "c", "fail"):
        requests.post(address, json={"data": data}, timeout=60)

    until(
        lambda: (
            telemetry.panel(Panel.SUMMARY, window, "bank").frame["requests"].iloc[0] == 4
            and len(telemetry.panel(Panel.TRACES, window).frame) >= 3
            and len(telemetry.panel(Panel.EXCEPTIONS, window).frame) >= 1
        ),
        "its telemetry",
    )

    codes = telemetry.panel(Panel.RESULT_CODES, window, "bank").frame.set_index("code")
    assert codes["requests"].to_dict() == {"200": 3, "500": 1}
    assert codes["failed"].to_dict() == {"200": 0, "500": 1}
    slowest = telemetry.panel(Panel.SLOWEST, window, "bank").frame
    assert (slowest.loc[slowest["ok"], "duration_ms"] >= 20).all()
    captured = telemetry.panel(Panel.CAPTURED, window, "bank").frame
    assert '{"input": "a", "output": ["no"]}' in captured["text"].str.strip().tolist()
    exceptions = telemetry.panel(Panel.EXCEPTIONS, window, "bank").frame
    assert exceptions["exceptions"].sum() == 1


def test_what_a_script_prints_is_read_back_row_by_row_and_a_cut_one_is_flagged(server):
    """The input and output of each request, as the page shows them and drift reads them."""
    address, telemetry = server
    before = datetime.now(UTC)
    window = TimeWindow(
        start=before - timedelta(minutes=5),
        end=before + timedelta(minutes=10),
        bin=timedelta(minutes=1),
    )
    rows = [{"age": 38, "job": "admin."}, {"age": 61, "job": "retired"}]
    for data in (rows, rows[:1], "x" * 70_000):
        assert requests.post(address, json={"data": data}, timeout=60).ok

    def found():
        frame = telemetry.panel(Panel.CAPTURED, window, "bank").frame
        return captured.read(frame.to_dict("records"))

    until(lambda: len(found()) == 3, "what was printed")

    whole = [each for each in found() if not each.truncated]
    assert {each.output for each in whole} == {'["no"]'}
    assert sorted(row["age"] for row in captured.scored_rows(found(), "bank")) == [38, 38, 61]
    (cut,) = [each for each in found() if each.truncated]
    assert cut.input.startswith('{"input": "xxx')
