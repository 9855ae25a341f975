"""Webhooks and mail: when they are sent, tried again and given up, and what stays secret."""

from __future__ import annotations

import json
import logging
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time

import pytest

from services.alerts import messages, sending
from services.alerts.records import (
    Channel,
    ChannelKind,
    Event,
    MailSecurity,
    QuietHours,
    WebhookFormat,
)
from services.alerts.rules import CATALOG
from services.attention import Severity
from services.errors import InvalidRequestError, NotFoundError
from services.local.alert_outbox import PAUSES
from tests import receivers
from tests.recorded import alerts, runs

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def failed_run(workspace, now, experiment="other"):
    return runs.failed(
        workspace.home, workspace.store, experiment=experiment, started=now() - timedelta(hours=1)
    )


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
