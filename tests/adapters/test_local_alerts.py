"""Alerting for real: a workspace is watched, a receiver is told, crashes are met."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from services.alerts.records import (
    Band,
    Verdict,
)
from services.alerts.watching import Watch
from services.app_insights import wire
from services.errors import UnavailableError
from services.local import processes
from services.local.alert_outbox import Outbox
from services.local.workspace import LocalWorkspace
from tests.recorded import alerts, overview, pipelines, runs, telemetry


def titles(workspace):
    return [each.title for each in workspace.alerts.incidents() if each.open]


def failed_run(workspace, now, experiment="other"):
    return runs.failed(
        workspace.home, workspace.store, experiment=experiment, started=now() - timedelta(hours=1)
    )


# --- from a look to a message -----------------------------------------------------


def test_a_failed_run_is_told_once_and_its_success_once(workspace, watch, messenger, hook, now):
    alerts.webhook(workspace, hook.url)
    failed_run(workspace, now)
    for _ in range(5):
        watch.evaluate(now=now())
        messenger.send_due()
        now.pass_by(seconds=10)
    assert titles(workspace) == ["Run 1 of other failed"]

    runs.automl(workspace.home, workspace.store, experiment="other", started=now())
    now.pass_by(hours=1)
    for _ in range(3):
        watch.evaluate(now=now())
        messenger.send_due()

    assert titles(workspace) == []
    assert [post["event"] for post in hook.posts] == ["opened", "resolved"]
    assert len({post["incident"]["id"] for post in hook.posts}) == 1
    assert {each["idempotency-key"] for each in hook.headers} == {
        f"{hook.posts[0]['incident']['id']}-opened",
        f"{hook.posts[0]['incident']['id']}-resolved",
    }


def test_a_metric_below_its_band_fails_the_run_and_is_told_once(
    workspace, watch, messenger, hook, now
):
    alerts.webhook(workspace, hook.url)
    run_id = runs.automl(
        workspace.home, workspace.store, experiment="retrain", started=now() - timedelta(hours=2)
    )
    workspace.bands.save(Band(experiment="retrain", metric="AUC_weighted", fail_below=0.999))

    for _ in range(3):
        watch.evaluate(now=now())
        messenger.send_due()

    (check,) = workspace.bands.checks("retrain")
    assert (check.run_id, check.verdict) == (run_id, Verdict.FAIL)
    assert len(hook.posts) == 1
    assert "AUC_weighted" in hook.posts[0]["incident"]["title"]
    events = [each for each in workspace.audit.list() if each.action == "run.band.fail"]
    assert [each.subject for each in events] == [f"run/{run_id}"]


def test_a_run_keeps_the_verdict_of_the_band_that_was_in_force(workspace, watch, now):
    runs.automl(
        workspace.home, workspace.store, experiment="retrain", started=now() - timedelta(hours=2)
    )
    workspace.bands.save(Band(experiment="retrain", metric="AUC_weighted", fail_below=0.999))
    watch.evaluate(now=now())

    workspace.bands.save(Band(experiment="retrain", metric="AUC_weighted", fail_below=0.1))
    watch.evaluate(now=now())

    (check,) = workspace.bands.checks("retrain")
    assert (check.verdict, check.band.fail_below) == (Verdict.FAIL, 0.999)
    assert titles(workspace) == []  # what counts now is the band that is set now


def test_runs_that_completed_while_nobody_looked_are_checked_too(workspace, watch, now):
    def completed(hours_ago):
        began = now() - timedelta(hours=hours_ago)
        return runs.automl(workspace.home, workspace.store, experiment="retrain", started=began)

    before = completed(30)
    workspace.bands.save(Band(experiment="retrain", metric="AUC_weighted", fail_below=0.5))
    watch.evaluate(now=now())
    missed, newest = completed(20), completed(10)

    watch.evaluate(now=now())

    assert [each.run_id for each in workspace.bands.checks("retrain")] == [newest, missed, before]


def test_a_missed_schedule_is_told(workspace, watch, now):
    pipelines.retraining(
        workspace.home, workspace.store, days=4, failed=(), missed=(1, 2), now=now()
    )

    watch.evaluate(now=now())

    assert titles(workspace) == ["Schedule Nightly retraining missed 2 times"]


def test_answers_that_are_errors_are_told_although_every_status_is_200(workspace, watch, now):
    overview.deployment(workspace.store, "bank", telemetry=True, at=now() - timedelta(hours=5))
    ids = {"Service Name": "bank", "Response Value": '"{\\"error\\": \\"no column agee\\"}"'}
    telemetry.items(
        workspace.home,
        [
            wire.request_envelope(
                at=now() - timedelta(minutes=number), request_id=f"r{number}", name="POST /score",
                url="http://h/score", duration_ms=5.0, result_code="200", properties=ids,
            )
            for number in range(3)
        ],
    )  # fmt: skip

    with telemetry.answering(workspace.home):
        watch.evaluate(now=now())

    (incident,) = workspace.alerts.incidents()
    assert incident.title == "bank answers 200 with errors inside"
    assert "3 answers" in incident.detail
    assert "agee" in incident.detail


def test_while_a_port_does_not_answer_its_incidents_stay(workspace, watch, now, monkeypatch):
    failed_run(workspace, now)
    watch.evaluate(now=now())

    def outage(*args, **kwargs):
        raise UnavailableError("The runs did not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(workspace.runs, "list", outage)
        watch.evaluate(now=now())
        assert titles(workspace) == ["Run 1 of other failed"]
        assert "runs" in workspace.alerts.unanswered()

    watch.evaluate(now=now())
    assert workspace.alerts.unanswered() == ()


# --- crashes ----------------------------------------------------------------------


def test_a_crash_between_sending_and_noting_it_sends_the_same_message_again(
    workspace, watch, outbox, messenger, hook, now, monkeypatch
):
    alerts.webhook(workspace, hook.url)
    failed_run(workspace, now)
    watch.evaluate(now=now())

    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(outbox, "sent", killed)
        messenger.send_due()
    Watch(workspace, Outbox(workspace.store)).evaluate(now=now())  # after a restart
    now.pass_by(minutes=2)
    messenger.send_due()

    assert len(hook.posts) == 2
    assert hook.headers[0]["idempotency-key"] == hook.headers[1]["idempotency-key"]
    assert hook.posts[0] == hook.posts[1]
    assert len(titles(workspace)) == 1


def test_a_crash_before_the_decision_is_written_forgets_nothing(
    workspace, watch, messenger, hook, now, monkeypatch
):
    alerts.webhook(workspace, hook.url)
    failed_run(workspace, now)

    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Outbox, "_put", killed)
        watch.evaluate(now=now())
    assert titles(workspace) == []

    Watch(workspace, Outbox(workspace.store)).evaluate(now=now())
    messenger.send_due()

    assert len(hook.posts) == 1


def test_the_watcher_killed_at_any_moment_tells_everything_once(tmp_path, hook):
    workspace = LocalWorkspace(tmp_path)
    overview.supervised(workspace.store)
    alerts.webhook(workspace, hook.url)
    watcher = [sys.executable, "-m", "services.local.watcher", str(tmp_path), "watcher"]
    log = (tmp_path / "watcher.log").open("wb")
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            watcher, cwd=processes.ROOT, stdin=subprocess.PIPE, stdout=log, stderr=log
        )
        started.append(child)
        return child

    def until(condition) -> None:
        deadline = time.monotonic() + 120
        while not condition():
            assert time.monotonic() < deadline, (tmp_path / "watcher.log").read_text()
            time.sleep(0.05)

    try:
        child = start()
        runs.failed(
            tmp_path, workspace.store, experiment="one",
            started=datetime.now(UTC) - timedelta(hours=1),
        )  # fmt: skip
        until(lambda: hook.posts)
        child.kill()
        child.wait()
        runs.failed(
            tmp_path, workspace.store, experiment="two",
            started=datetime.now(UTC) - timedelta(hours=1),
        )  # fmt: skip
        start()
        until(lambda: len(hook.posts) >= 2 and all(
            each.settled for each in workspace.alerts.deliveries()
        ))  # fmt: skip
    finally:
        for child in started:
            child.kill()
            child.wait()
        log.close()

    # At least once; what came twice has the id it had.
    assert {post["incident"]["title"] for post in hook.posts} == {
        "Run 1 of one failed",
        "Run 1 of two failed",
    }
    assert len({each["idempotency-key"] for each in hook.headers}) == 2
    assert len(workspace.alerts.incidents()) == 2


def test_the_watcher_ends_with_its_supervisor(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-m", "services.local.watcher", str(tmp_path), "watcher"],
        cwd=processes.ROOT, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert child.stdin is not None
    child.stdin.close()

    assert child.wait(timeout=60) is not None
    assert not psutil.pid_exists(child.pid) or child.returncode is not None
