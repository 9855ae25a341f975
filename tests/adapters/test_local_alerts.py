"""Alerting for real: a workspace is watched, receivers on loopback are told, crashes are met."""

from __future__ import annotations

import json
import logging
import stat
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path

import psutil
import pytest

from services.alerts import messages, sending
from services.alerts.records import (
    Band,
    Channel,
    ChannelKind,
    Event,
    MailSecurity,
    Probe,
    QuietHours,
    Verdict,
    WebhookFormat,
)
from services.alerts.rules import CATALOG
from services.alerts.watching import Watch
from services.app_insights import wire
from services.attention import Severity
from services.domain import DeploymentState
from services.errors import InvalidRequestError, NotFoundError, UnavailableError
from services.local import processes
from services.local.alert_outbox import PAUSES, Outbox
from services.local.alert_secrets import ChannelSecrets
from services.local.messenger import Messenger
from services.local.prober import Prober
from services.local.workspace import LocalWorkspace
from tests import receivers, stub_deployment
from tests.recorded import alerts, overview, pipelines, runs, telemetry

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


class Now:
    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, **length: float) -> None:
        self.at += timedelta(**length)


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def workspace(tmp_path: Path, now: Now) -> LocalWorkspace:
    opened = LocalWorkspace(tmp_path, clock=now)
    overview.supervised(opened.store)
    return opened


@pytest.fixture
def outbox(workspace) -> Outbox:
    return Outbox(workspace.store)


@pytest.fixture
def watch(workspace, outbox) -> Watch:
    return Watch(workspace, outbox)


@pytest.fixture
def messenger(workspace, outbox, now) -> Messenger:
    return Messenger(workspace, outbox, ChannelSecrets(workspace.home), clock=now)


@pytest.fixture
def hook():
    with receivers.webhook() as taken:
        yield taken


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


# --- channels ---------------------------------------------------------------------


def test_the_test_button_sends_at_once_even_at_night(workspace, messenger, hook):
    workspace.alerts.set_quiet_hours(
        QuietHours(enabled=True, start=clock_time(0, 0), end=clock_time(23, 59))
    )
    channel = alerts.webhook(workspace, hook.url)
    delivery_id = workspace.alerts.begin_test(channel.id)

    messenger.send_due()

    assert hook.posts[0]["event"] == "test"
    (delivery,) = workspace.alerts.deliveries()
    assert (delivery.id, delivery.event) == (delivery_id, Event.TEST)
    assert delivery.sent_at is not None


def test_a_message_is_tried_again_and_given_up_in_the_end(workspace, watch, messenger, hook, now):
    alerts.webhook(workspace, hook.url)
    hook.answers = [503] * 20
    failed_run(workspace, now)
    watch.evaluate(now=now())

    for _ in range(10):
        messenger.send_due()
        now.pass_by(hours=1)

    assert len(hook.posts) == len(PAUSES) + 1
    (delivery,) = workspace.alerts.deliveries()
    assert delivery.gave_up_at is not None
    assert "503" in delivery.error


@pytest.mark.parametrize("status", [400, 404, 302])
def test_what_will_never_be_taken_is_not_repeated(workspace, watch, messenger, hook, now, status):
    alerts.webhook(workspace, hook.url)
    hook.answers = [status]
    failed_run(workspace, now)
    watch.evaluate(now=now())

    messenger.send_due()
    now.pass_by(hours=1)
    messenger.send_due()

    assert len(hook.posts) == 1


def test_the_end_waits_for_its_beginning(workspace, watch, messenger, hook, now):
    alerts.webhook(workspace, hook.url)
    hook.answers = [503]
    failed_run(workspace, now)
    watch.evaluate(now=now())
    messenger.send_due()
    runs.automl(workspace.home, workspace.store, experiment="other", started=now())
    now.pass_by(seconds=2)
    watch.evaluate(now=now())
    messenger.send_due()
    assert [post["event"] for post in hook.posts] == ["opened"]

    now.pass_by(minutes=5)
    messenger.send_due()

    assert [post["event"] for post in hook.posts] == ["opened", "opened", "resolved"]


def test_at_night_messages_wait_and_what_is_over_by_morning_is_never_told(
    workspace, watch, messenger, hook, now
):
    now.at = NOW.replace(hour=23)
    workspace.alerts.set_quiet_hours(QuietHours(enabled=True))
    alerts.webhook(workspace, hook.url)
    failed_run(workspace, now)
    failed_run(workspace, now, "brief")
    watch.evaluate(now=now())
    runs.automl(workspace.home, workspace.store, experiment="brief", started=now())
    now.pass_by(hours=1)
    watch.evaluate(now=now())
    messenger.send_due()
    assert hook.posts == []

    now.pass_by(hours=8)
    watch.evaluate(now=now())
    messenger.send_due()

    assert [post["incident"]["title"] for post in hook.posts] == ["Run 1 of other failed"]


def test_a_channel_hears_only_what_is_serious_enough_for_it(workspace, watch, messenger, hook, now):
    alerts.webhook(workspace, hook.url, least=Severity.CRITICAL)
    failed_run(workspace, now)
    watch.evaluate(now=now())
    messenger.send_due()
    assert hook.posts == []

    rule = CATALOG["run_failed"].standard
    workspace.alerts.set_rule(replace(rule, severity=Severity.CRITICAL))
    watch.evaluate(now=now())
    messenger.send_due()

    assert len(hook.posts) == 1


def test_a_channel_that_was_deleted_is_not_told(workspace, watch, messenger, hook, now):
    channel = alerts.webhook(workspace, hook.url)
    failed_run(workspace, now)
    watch.evaluate(now=now())
    workspace.alerts.delete_channel(channel.id)

    messenger.send_due()

    assert hook.posts == []
    assert not list((workspace.home / "secrets").iterdir())


def test_a_clock_that_is_set_back_delays_no_message(workspace, watch, messenger, hook, now):
    alerts.webhook(workspace, hook.url)
    failed_run(workspace, now)
    watch.evaluate(now=now())
    now.pass_by(hours=-1)

    messenger.send_due()

    assert len(hook.posts) == 1


def test_a_channel_that_was_turned_off_is_not_told(workspace, watch, messenger, hook, now):
    channel = alerts.webhook(workspace, hook.url)
    failed_run(workspace, now)
    watch.evaluate(now=now())
    workspace.alerts.save_channel(replace(channel, enabled=False))

    messenger.send_due()

    assert hook.posts == []
    assert "turned off" in workspace.alerts.deliveries()[0].error


@pytest.mark.parametrize("layout", WebhookFormat)
def test_every_layout_is_posted(workspace, messenger, hook, layout):
    channel = alerts.webhook(workspace, hook.url, format=layout)
    workspace.alerts.begin_test(channel.id)

    messenger.send_due()

    assert messages.TEST_TITLE in json.dumps(hook.posts[0])


# --- secrets ----------------------------------------------------------------------


def test_the_secret_is_readable_by_its_owner_only_and_nowhere_else(
    workspace, watch, messenger, hook, now, caplog
):
    caplog.set_level(logging.DEBUG)
    channel = alerts.webhook(workspace, hook.url)
    hook.answers = [503, 500]
    failed_run(workspace, now)
    watch.evaluate(now=now())
    messenger.send_due()

    (file,) = (workspace.home / "secrets").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert file.read_text() == hook.url
    shown = repr((workspace.alerts.channels(), workspace.alerts.deliveries(), channel))
    ours = "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith("urllib3")
    )
    stored = b"".join(path.read_bytes() for path in workspace.home.glob("workspace.db*"))
    for secret in ("a-secret-path", "another-secret"):
        assert secret not in shown
        assert secret not in ours
        assert secret.encode() not in stored


def test_an_unreachable_webhook_is_told_without_its_address(workspace, messenger):
    with receivers.webhook() as gone:
        channel = alerts.webhook(workspace, gone.url)
    workspace.alerts.begin_test(channel.id)

    messenger.send_due()

    (delivery,) = workspace.alerts.deliveries()
    assert "cannot be reached" in delivery.error
    assert "secret" not in delivery.error


def test_saving_a_channel_without_a_secret_keeps_the_one_it_has(workspace, messenger, hook):
    channel = alerts.webhook(workspace, hook.url)

    renamed = workspace.alerts.save_channel(replace(channel, name="Other"))
    workspace.alerts.begin_test(renamed.id)
    messenger.send_due()

    assert renamed.target == channel.target
    assert len(hook.posts) == 1


def test_a_webhook_without_an_address_is_refused(workspace):
    with pytest.raises(InvalidRequestError, match="address"):
        workspace.alerts.save_channel(Channel(id="", name="Team", kind=ChannelKind.WEBHOOK))


def test_what_is_not_there_is_not_found(workspace):
    for act in (
        lambda: workspace.alerts.acknowledge("inc-none"),
        lambda: workspace.alerts.silence("inc-none", NOW),
        lambda: workspace.alerts.begin_test("none"),
    ):
        with pytest.raises(NotFoundError):
            act()


# --- e-mail -----------------------------------------------------------------------


def mail_channel(port, **settings):
    values = {
        "id": "", "name": "Mail", "kind": ChannelKind.EMAIL, "host": "127.0.0.1", "port": port,
        "security": MailSecurity.NONE, "sender": "alerts@example.org",
        "recipients": ("ops@example.org", "more@example.org"),
    }  # fmt: skip
    return Channel(**values | settings)


def test_a_mail_arrives_with_its_account(workspace, watch, messenger, now):
    with receivers.mail_server() as server:
        workspace.alerts.save_channel(
            mail_channel(server.port, username="me"), secret="the-password"
        )
        failed_run(workspace, now)
        watch.evaluate(now=now())
        messenger.send_due()

    (mail,) = server.mails
    assert mail["Subject"] == "[Warning] Run 1 of other failed"
    assert mail["To"] == "ops@example.org, more@example.org"
    assert "the-password" not in mail.as_string()
    assert len(server.logins) == 1


@pytest.mark.parametrize(("code", "final"), [(451, False), (554, True)])
def test_a_mail_that_is_refused_is_repeated_only_where_that_helps(code, final):
    said = messages.of_test(1, workspace="w", at=NOW)
    with receivers.mail_server() as server:
        server.refuse = code
        with pytest.raises(sending.SendError, match=str(code)) as refusal:
            sending.send(mail_channel(server.port), said, secret="")

    assert refusal.value.final is final


def test_a_wrong_password_is_said_without_it():
    said = messages.of_test(1, workspace="w", at=NOW)
    with receivers.mail_server() as server:
        server.accept_login = False
        with pytest.raises(sending.SendError, match="did not accept the account") as refusal:
            sending.send(mail_channel(server.port, username="me"), said, secret="the-password")

    assert "the-password" not in str(refusal.value)


def test_a_server_without_starttls_is_not_sent_to_in_the_clear():
    said = messages.of_test(1, workspace="w", at=NOW)
    with receivers.mail_server() as server, pytest.raises(sending.SendError, match="STARTTLS"):
        sending.send(mail_channel(server.port, security=MailSecurity.STARTTLS), said, secret="")

    assert server.mails == []


def test_a_certificate_nobody_vouches_for_is_not_accepted(self_signed):
    said = messages.of_test(1, workspace="w", at=NOW)
    with receivers.webhook(context=self_signed) as hook:
        channel = Channel(id="1", name="t", kind=ChannelKind.WEBHOOK, target="127.0.0.1")
        with pytest.raises(sending.SendError, match="certificate"):
            sending.send(channel, said, secret=hook.url)
    with (
        receivers.mail_server(context=self_signed) as server,
        pytest.raises(sending.SendError, match="certificate"),
    ):
        sending.send(mail_channel(server.port, security=MailSecurity.STARTTLS), said, secret="")

    assert (hook.posts, server.mails) == ([], [])


@pytest.fixture
def self_signed(tmp_path):
    import ssl

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1)).not_valid_after(today + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path / "self-signed.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


# --- probes -----------------------------------------------------------------------


class Collected:
    """In the place of the telemetry sender."""

    def __init__(self) -> None:
        self.envelopes = []

    def track(self, envelope) -> None:
        self.envelopes.append(envelope)


def test_an_interval_nobody_should_probe_at_is_refused(workspace):
    overview.deployment(workspace.store, "bank", at=NOW)

    with pytest.raises(InvalidRequestError, match="seconds"):
        workspace.probes.save(Probe(deployment="bank", enabled=True, interval_s=1))
    with pytest.raises(NotFoundError):
        workspace.probes.save(Probe(deployment="none", enabled=True))


def test_uptime_reads_80_percent_after_two_failures_of_ten(workspace, now):
    from services.alerts.uptime import uptime

    overview.deployment(workspace.store, "bank", at=NOW)
    alerts.probed(workspace, "bank", "ooxoooxooo", now=now())

    found = uptime(workspace.probes.results("bank"))

    assert found.share == 0.8
    assert "refused" in found.last_failure.reason


def _probe_once(workspace, now):
    sender = Collected()
    prober = Prober(workspace, sender, clock=now)
    before = len(workspace.probes.results("bank"))
    prober.begin_due()
    deadline = time.monotonic() + 30
    while len(workspace.probes.results("bank")) == before or prober._under_way:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    prober.close()
    return sender.envelopes


def _served_by(workspace, port):
    stub_deployment.deploy(workspace.home, workspace.store, port)
    stub_deployment.report_healthy(workspace.store)
    workspace.probes.save(Probe(deployment="bank", enabled=True, interval_s=60))


def test_a_probe_posts_the_example_row_with_its_key_and_its_own_tag(workspace, now):
    with stub_deployment.serving() as stub:
        _served_by(workspace, stub.port)
        (envelope,) = _probe_once(workspace, now)

    (result,) = workspace.probes.results("bank")
    assert (result.ok, result.root_ok, result.reason) == (True, True, "")
    assert stub.requests[0]["authorization"] == f"Bearer {stub_deployment.PRIMARY}"
    assert stub.requests[0]["x-ms-client-request-id"] == result.request_id
    assert result.request_id.startswith("probe-")
    assert stub.bodies[0] == {
        "data": [{"age": 38, "job": "admin.", "pdays": 999, "euribor3m": 4.857}]
    }
    assert envelope["data"]["baseType"] == "AvailabilityData"
    assert envelope["data"]["baseData"]["success"] is True
    assert stub_deployment.PRIMARY not in json.dumps(envelope)


def test_a_root_that_answers_is_no_health_while_scoring_answers_errors(workspace, now):
    with stub_deployment.serving(answer=lambda *_: (200, stub_deployment.BAD)) as stub:
        _served_by(workspace, stub.port)
        (envelope,) = _probe_once(workspace, now)

    (result,) = workspace.probes.results("bank")
    assert (result.ok, result.root_ok) == (False, True)
    assert "the column age is missing" in result.reason
    assert envelope["data"]["baseData"]["success"] is False


def test_a_server_that_is_gone_fails_the_probe_and_two_in_a_row_are_told(workspace, watch, now):
    with stub_deployment.serving() as stub:
        _served_by(workspace, stub.port)
    for _ in range(2):
        now.pass_by(seconds=61)
        _probe_once(workspace, now)

    watch.evaluate(now=now())

    assert titles(workspace) == ["Probes of bank fail"]
    assert "refused" in workspace.alerts.incidents()[0].detail


def test_a_probe_waits_for_its_interval_also_after_a_restart(workspace, now):
    with stub_deployment.serving() as stub:
        _served_by(workspace, stub.port)
        _probe_once(workspace, now)
        now.pass_by(seconds=30)
        Prober(workspace, Collected(), clock=now).begin_due()
        time.sleep(0.2)
        assert len(stub.requests) == 1

        now.pass_by(seconds=31)
        _probe_once(workspace, now)
        assert len(stub.requests) == 2


def test_a_clock_that_was_set_back_does_not_stop_the_probes(workspace, now):
    with stub_deployment.serving() as stub:
        _served_by(workspace, stub.port)
        _probe_once(workspace, now)
        now.pass_by(hours=-5)
        _probe_once(workspace, now)

    assert len(workspace.probes.results("bank")) == 2


def test_a_deployment_on_its_way_up_is_not_counted_as_down(workspace, now):
    overview.deployment(workspace.store, "bank", state=DeploymentState.TRANSITIONING, at=NOW)
    workspace.probes.save(Probe(deployment="bank", enabled=True))
    prober = Prober(workspace, Collected(), clock=now)

    prober.begin_due()
    prober._pool.shutdown(wait=True)

    assert workspace.probes.results("bank") == ()
