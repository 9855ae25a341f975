"""What is said of an incident, and that no secret is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts import addresses, messages, quiet
from services.alerts.records import (
    Channel,
    ChannelKind,
    Event,
    Incident,
    MailSecurity,
    QuietHours,
    WebhookFormat,
)
from services.attention import Severity
from services.errors import InvalidRequestError

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)  # a Sunday
KEY = "qW3rTy7uIoPaSdFgHjKlZxCvBnM12345"


def incident(title="Deployment bank has failed", detail="Its server ended."):
    return Incident(
        id="inc-1", rule="deployment_unwell", cause="deployment/bank", severity=Severity.CRITICAL,
        title=title, detail=detail, page="deployment_health", address={"deployment": "bank"},
        opened_at=NOW, resolved_at=NOW + timedelta(minutes=12),
        resolution="It is over, after 12 min.",
    )  # fmt: skip


def message(event=Event.OPENED, **texts):
    return messages.of_incident(incident(**texts), event, workspace="bank-ws", at=NOW)


def test_a_message_says_what_where_and_since_when():
    assert message().text.splitlines() == [
        "[Critical] Deployment bank has failed",
        "Its server ended.",
        "Workspace: bank-ws",
        "Noticed: 2026-11-22 09:00:00 UTC",
        "Incident: inc-1",
    ]


def test_a_resolution_says_how_long_it_lasted():
    text = message(Event.RESOLVED).text

    assert text.startswith("[Resolved] Deployment bank has failed")
    assert "Lasted: 12 min" in text


def test_the_same_message_has_the_same_id_however_often_it_is_made():
    assert message().id == message().id == "inc-1-opened"
    assert message(Event.RESOLVED).id == "inc-1-resolved"


@pytest.mark.parametrize(
    "detail",
    [
        f"Authorization: Bearer {KEY}",
        f"primary_key={KEY}",
        f'{{"api-key": "{KEY}"}}',
        f"the key is {KEY}",
        f"posting to https://hooks.example/services?sig={KEY}&x=1 failed",
        f"cannot open https://user:{KEY}@example.org/x",
        f"InstrumentationKey=00000000-0000-{KEY}",
        f"token eyJhbGciOiJI.{KEY}.abc",
    ],
)
@pytest.mark.parametrize("layout", WebhookFormat)
def test_nothing_that_looks_like_a_secret_is_said(detail, layout):
    said = message(detail=detail)
    mail = messages.email(said, sender="a@example.org", recipients=["b@example.org"])

    assert KEY not in json.dumps(messages.webhook_body(said, layout))
    assert KEY not in mail.as_string()


@pytest.mark.parametrize(
    "text",
    [
        "Run AutoML_5f0c8d2e-1c1b-4c59-9f3e-0c6f8f2d6b1a failed",
        "p95 is 1,500 ms over the last 15 min, above 1,000 ms.",
        "AUC_weighted is 0.93, expected at least 0.94 (warns below 0.945).",
    ],
)
def test_ordinary_words_are_left_alone(text):
    if "AutoML_" not in text:
        assert messages.clean(text, 600) == text
    assert "failed" not in text or messages.clean(text, 600).endswith("failed")


@given(st.text(max_size=300))
def test_any_text_makes_a_message_of_one_line_that_every_channel_can_carry(text):
    said = message(title=text, detail=text)
    mail = messages.email(said, sender="a@example.org", recipients=["b@example.org"])

    assert "\n" not in said.title
    assert len(said.title) <= messages.TITLE_LIMIT
    assert mail["Subject"]
    assert mail.as_bytes()
    for layout in WebhookFormat:
        json.dumps(messages.webhook_body(said, layout)).encode()


def test_slack_gets_text_without_its_own_markup():
    body = messages.webhook_body(message(title="<!channel> & more"), WebhookFormat.SLACK)

    assert "&lt;!channel&gt; &amp; more" in body["text"]


def test_teams_gets_an_adaptive_card():
    body = messages.webhook_body(message(), WebhookFormat.TEAMS)

    card = body["attachments"][0]["content"]
    assert card["type"] == "AdaptiveCard"
    assert "Deployment bank has failed" in card["body"][0]["text"]


def test_a_mail_is_recognised_when_it_comes_twice_and_answers_its_beginning():
    opened = messages.email(message(), sender="a@e.org", recipients=["b@e.org"])
    resolved = messages.email(message(Event.RESOLVED), sender="a@e.org", recipients=["b@e.org"])

    assert resolved["In-Reply-To"] == opened["Message-ID"]


# --- where messages may go --------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "",
        "hooks.example/x",
        "ftp://example.org",
        "http://example.org/hook",
        "https://",
        "https://a b",
    ],
)
def test_an_address_that_cannot_be_posted_to_safely_is_refused_unquoted(address):
    with pytest.raises(InvalidRequestError) as refusal:
        addresses.webhook_host(address)

    assert not address or address not in str(refusal.value)


def test_of_a_webhook_only_its_host_is_shown():
    channel = Channel(id="1", name="team", kind=ChannelKind.WEBHOOK)

    shown = addresses.checked(channel, f"https://hooks.example/T/{KEY}?sig=abc")

    assert shown.target == "hooks.example"
    assert KEY not in repr(shown)


def mail(**changes):
    settings = {
        "host": "smtp.example.org", "sender": "a@example.org", "recipients": ("b@example.org",),
    }  # fmt: skip
    return Channel(id="1", name="mail", kind=ChannelKind.EMAIL, **settings | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"host": ""},
        {"recipients": ()},
        {"recipients": ("b@example.org\r\nBcc: x@example.org",)},
        {"sender": "nobody"},
        {"security": MailSecurity.NONE},
        {"username": "me"},
        {"port": 0},
    ],
)
def test_a_mail_channel_that_could_not_be_sent_to_is_refused(changes):
    with pytest.raises(InvalidRequestError):
        addresses.checked(mail(**changes), None)


# --- quiet hours ------------------------------------------------------------------

NIGHT = QuietHours(enabled=True, start=time(22, 0), end=time(7, 0), time_zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("at", "until"),
    [
        (datetime(2026, 11, 22, 20, 59, tzinfo=UTC), None),
        (datetime(2026, 11, 22, 21, 0, tzinfo=UTC), datetime(2026, 11, 23, 6, 0, tzinfo=UTC)),
        (datetime(2026, 11, 23, 5, 59, tzinfo=UTC), datetime(2026, 11, 23, 6, 0, tzinfo=UTC)),
        (datetime(2026, 11, 23, 6, 0, tzinfo=UTC), None),
    ],
)
def test_a_night_crosses_midnight_in_its_own_zone(at, until):
    assert quiet.until(NIGHT, at, Severity.WARNING) == until


def test_what_is_critical_passes_unless_told_otherwise():
    at = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
    strict = QuietHours(enabled=True, time_zone="UTC", critical_passes=False)

    assert quiet.until(NIGHT, at, Severity.CRITICAL) is None
    assert quiet.until(strict, at, Severity.CRITICAL) is not None


def test_a_window_belongs_to_the_day_it_begins_on():
    saturday_night = QuietHours(enabled=True, days=(5,))  # Saturday 22:00 to Sunday 07:00

    assert quiet.until(saturday_night, NOW.replace(hour=6), Severity.WARNING) is not None
    assert quiet.until(saturday_night, NOW.replace(hour=23), Severity.WARNING) is None


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
    st.times(),
    st.times(),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
)
def test_what_waits_waits_for_less_than_a_day_and_then_goes(at, start, end, zone):
    hours = QuietHours(
        enabled=True, start=start, end=end, time_zone=zone, days=(0, 2, 4), critical_passes=False
    )
    at = at.replace(tzinfo=UTC)

    until = quiet.until(hours, at, Severity.CRITICAL)

    if until is not None:
        assert at < until <= at + timedelta(hours=26)


def test_an_unknown_zone_is_refused():
    with pytest.raises(InvalidRequestError, match="Mars"):
        quiet.check(QuietHours(time_zone="Mars/Base"))
