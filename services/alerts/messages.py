"""What is said of an incident: as text, as JSON for webhooks, as an e-mail. Pure.

A message goes to places we do not know, so nothing that could be a secret is in it: what
looks like a credential is struck out, and no request or answer of a caller is quoted whole.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from services.alerts.incidents import in_words
from services.alerts.records import Event, Incident, WebhookFormat
from services.attention import Severity

TITLE_LIMIT, DETAIL_LIMIT = 200, 600
STRUCK_OUT = "[removed]"
TEST_TITLE = "A test of this channel"

_SECRETS = (
    re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{8,}"),
    re.compile(
        r"(?i)\b([\w-]*(?:key|secret|token|password|pwd|signature|authorization)[\w-]*|sig)"
        r"(\"?\s*[=:]\s*\"?)[^\s\"'&;,}]{4,}"
    ),
)
_JSON_WEB_TOKEN = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")
# A key by its looks: long, and of digits, small and capital letters; no UUID and no path is.
_KEY = re.compile(
    r"(?<![A-Za-z0-9+/_-])(?=[^\s]*\d)(?=[^\s]*[a-z])(?=[^\s]*[A-Z])[A-Za-z0-9+/_-]{24,}={0,2}"
)
_USER_INFO = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@]+@")
_QUERY = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s?]+)\?\S+")
_MARKS = {
    Severity.CRITICAL: "\U0001f534",
    Severity.WARNING: "\U0001f7e0",
    Severity.NOTICE: "\U0001f535",
}
_RESOLVED_MARK = "\U0001f7e2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing to say, the same on every channel."""

    id: str  # the same however often it is sent: receivers recognise what they have
    event: Event
    workspace: str
    title: str
    detail: str
    severity: Severity
    at: datetime
    incident_id: str = ""
    rule: str = ""
    page: str = ""
    opened_at: datetime | None = None
    resolved_at: datetime | None = None

    @property
    def subject(self) -> str:
        word = {
            Event.OPENED: self.severity.value,
            Event.RESOLVED: "Resolved",
            Event.TEST: "Test",
        }[self.event]
        return f"[{word}] {self.title}"

    @property
    def text(self) -> str:
        """Some lines for people."""
        lines = [self.subject, self.detail, f"Workspace: {self.workspace}"]
        if self.opened_at is not None:
            lines.append(f"Noticed: {self.opened_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")
        if self.resolved_at is not None and self.opened_at is not None:
            lines.append(f"Lasted: {in_words(self.resolved_at - self.opened_at)}")
        if self.incident_id:
            lines.append(f"Incident: {self.incident_id}")
        return "\n".join(line for line in lines if line)


def of_incident(incident: Incident, event: Event, *, workspace: str, at: datetime) -> Message:
    """The message about an incident that opened or was resolved."""
    resolved = event is Event.RESOLVED
    return Message(
        id=f"{incident.id}-{event.value}",
        event=event,
        workspace=clean(workspace, TITLE_LIMIT),
        title=clean(incident.title, TITLE_LIMIT),
        detail=clean(incident.resolution if resolved else incident.detail, DETAIL_LIMIT),
        severity=incident.severity,
        at=at,
        incident_id=incident.id,
        rule=incident.rule,
        page=incident.page,
        opened_at=incident.opened_at,
        resolved_at=incident.resolved_at if resolved else None,
    )


def of_test(delivery_id: int, *, workspace: str, at: datetime) -> Message:
    """What the test button sends."""
    return Message(
        id=f"test-{delivery_id}-{at:%Y%m%d%H%M%S}",
        event=Event.TEST,
        workspace=clean(workspace, TITLE_LIMIT),
        title=TEST_TITLE,
        detail="Incidents of this workspace will arrive here.",
        severity=Severity.NOTICE,
        at=at,
    )


def clean(text: str, limit: int) -> str:
    """One line without control characters and without what looks like a secret."""
    line = " ".join("".join(map(_printable, text)).split())
    line = _USER_INFO.sub(rf"\1{STRUCK_OUT}@", line)
    line = _QUERY.sub(rf"\1?{STRUCK_OUT}", line)
    line = _SECRETS[0].sub(rf"\1 {STRUCK_OUT}", line)
    line = _SECRETS[1].sub(rf"\1\2{STRUCK_OUT}", line)
    line = _KEY.sub(STRUCK_OUT, _JSON_WEB_TOKEN.sub(STRUCK_OUT, line))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _printable(character: str) -> str:
    return " " if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") else character


# --- webhooks ---------------------------------------------------------------------


def webhook_body(message: Message, layout: WebhookFormat) -> dict[str, Any]:
    """The JSON to post."""
    if layout is WebhookFormat.SLACK:
        return {"text": f"{_mark(message)} {_slack(message.text)}"}
    if layout is WebhookFormat.TEAMS:
        return _adaptive_card(message)
    return {
        "text": message.text,
        "id": message.id,
        "event": message.event.value,
        "workspace": message.workspace,
        "incident": {
            "id": message.incident_id,
            "rule": message.rule,
            "severity": message.severity.value,
            "title": message.title,
            "detail": message.detail,
            "page": message.page,
            "opened_at": _instant(message.opened_at),
            "resolved_at": _instant(message.resolved_at),
        },
    }


def _mark(message: Message) -> str:
    return _RESOLVED_MARK if message.event is Event.RESOLVED else _MARKS[message.severity]


def _slack(text: str) -> str:
    """Source: api.slack.com, "Formatting text": these three are escaped, nothing else."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _adaptive_card(message: Message) -> dict[str, Any]:
    """Source: learn.microsoft.com, "Create incoming webhooks with Workflows for Teams"."""
    lines: Sequence[str] = message.text.splitlines()
    blocks = [{"type": "TextBlock", "text": line, "wrap": True} for line in lines[1:]]
    heading = {
        "type": "TextBlock",
        "text": f"{_mark(message)} {lines[0]}",
        "weight": "Bolder",
        "size": "Medium",
        "wrap": True,
    }
    return {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "body": [heading, *blocks],
                },
            }
        ],
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds")


# --- e-mail -----------------------------------------------------------------------


def email(message: Message, *, sender: str, recipients: Sequence[str]) -> EmailMessage:
    """An e-mail that a mail program recognises when it comes twice, and threads with its end."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = message.subject
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    mail["Date"] = message.at
    mail["Message-ID"] = _message_id(message.id)
    if message.event is Event.RESOLVED:
        opened = _message_id(f"{message.incident_id}-{Event.OPENED.value}")
        mail["In-Reply-To"] = opened
        mail["References"] = opened
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text + "\n")
    return mail


def _message_id(text: str) -> str:
    return f"<{text}@alerts.azureml-dashboard.invalid>"
