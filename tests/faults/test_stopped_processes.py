"""SIGSTOP: what hangs is not shown as well, and goes on where it was once it is let go."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from services import scoring
from services.app_insights import wire
from services.app_insights.sender import Sender
from services.domain import ComponentState, DeploymentState
from services.errors import UnavailableError
from services.local.clock import utc_now
from services.local.telemetry import identity
from tests import receivers, scoring_models
from tests.recorded import alerts, runs
from tests.scoring_home import ScoringHome

ROW = (2, "SIGSTOP")
LIMIT_S = 120.0
STOP_S = 30.0  # of the supervisor, which has no limit that ends it sooner


def until(condition: Callable[[], object]) -> object:
    deadline = time.monotonic() + LIMIT_S
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


@contextmanager
def stopped(process: psutil.Process) -> Iterator[None]:
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScoringHome]:
    home = ScoringHome(tmp_path_factory.mktemp("workspace"))
    scoring_models.register(home.path, home.workspace.store, "bank:1")
    home.start()
    home.deploy("bank")
    until(lambda: home.workspace.components()[1].state is ComponentState.RUNNING)
    yield home
    while home.supervisors:
        home.end()


def process(home: ScoringHome, key: str) -> psutil.Process:
    seen = until(lambda: (found := home.table.observed(key)) and found.running and found)
    return psutil.Process(seen.ref.pid)


def test_the_supervisor_for_30_seconds(home, figures):
    supervisor = psutil.Process(home.supervisors[0].pid)
    with figures.timed(
        "supervisor", f"stopped for {STOP_S:.0f} s, its scoring server killed"
    ) as said:
        with stopped(supervisor):
            began = time.monotonic()
            assert home.ask("bank").status_code == 200  # what runs goes on
            until(lambda: home.workspace.components()[0].state is ComponentState.FAILED)
            shown = home.workspace.components()[0]
            said.append(f"after {time.monotonic() - began:.0f} s: {shown.state}, “{shown.detail}”")
            home.server("bank").kill()
            until(lambda: home.state("bank") is DeploymentState.UNHEALTHY)
            said.append("the killed server reads Unhealthy at once")
            time.sleep(max(0.0, STOP_S - (time.monotonic() - began)))
            assert home.state("bank") is DeploymentState.UNHEALTHY
        until(lambda: home.workspace.components()[0].state is ComponentState.RUNNING)
        until(lambda: home.state("bank") is DeploymentState.HEALTHY)
        assert home.ask("bank").status_code == 200
        said.append("let go: Running, the server is back and Healthy")


def test_a_scoring_server(home, figures):
    deployment = home.deployments.get("bank")
    key = home.deployments.keys("bank").primary
    with figures.timed("scoring server", "stopped") as said:
        with stopped(home.server("bank")):
            began = time.monotonic()
            answer = scoring.send(
                deployment.scoring_uri, scoring_models.payload(), key=key, timeout_s=2.0
            )
            said.append(f"Live scoring after 2 s: “{answer.error}”")
            assert not answer.ok
            until(lambda: home.state("bank") is DeploymentState.UNHEALTHY)
            said.append(f"Unhealthy after {time.monotonic() - began:.0f} s")
        until(lambda: home.state("bank") is DeploymentState.HEALTHY)
        assert home.ask("bank").status_code == 200
        said.append("let go: Healthy, answers")


def test_the_telemetry_server(home, tmp_path, figures):
    port = home.workspace.telemetry
    with figures.timed("telemetry server", "stopped while 300 items are sent") as said:
        with stopped(process(home, "telemetry")):
            sender = Sender(
                identity.connection_string(home.workspace.store),
                spool=tmp_path / "spool",
                role="test",
                timeout_s=2.0,
            )
            for _ in range(300):
                sender.track(wire.event_envelope(at=utc_now(), name="held"))
            with pytest.raises(UnavailableError) as refused:
                port.query("requests | count", timeout_s=2.0)
            said.append(f"a panel after 2 s: “{refused.value}”")
            until(lambda: home.workspace.components()[1].state is ComponentState.FAILED)
            said.append("shown as Failed")
        until(lambda: home.workspace.components()[1].state is ComponentState.RUNNING)

        def count() -> int:
            found = port.query('customEvents | where name == "held" | count', timeout_s=30)
            return int(found.frame.iloc[0, 0])

        until(lambda: count() >= 300)
        time.sleep(3)  # were one batch sent twice, it would come now
        assert count() == 300
        sender.close(5)
        said.append("let go: 300 of 300 stored, once each")


def test_the_watcher(home, figures):
    workspace = home.workspace
    with receivers.webhook() as hook:
        alerts.webhook(workspace, hook.url)
        with figures.timed("watcher", "stopped for 10 s, a run fails meanwhile") as said:
            with stopped(process(home, "watcher")):
                failed_at = datetime.now(UTC) - timedelta(minutes=5)
                runs.failed(home.path, workspace.store, experiment="held", started=failed_at)
                time.sleep(10)
                assert not hook.posts
            until(lambda: [p for p in hook.posts if "held" in p["incident"]["title"]])
            time.sleep(3)
            told = [p for p in hook.posts if "held" in p["incident"]["title"]]
            assert len(told) == 1
            said.append("let go: told once")
