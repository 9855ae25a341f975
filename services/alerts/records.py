"""The words of alerting, one frozen record each. Instants are UTC, durations say their unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from types import MappingProxyType

from services.attention import Attention, Severity
from services.errors import InvalidRequestError

# --- what is found ----------------------------------------------------------------


class Source(StrEnum):
    """What a rule has to ask. While it does not answer, the rule's incidents stay as they are."""

    COMPONENTS = "the workspace's parts"
    DEPLOYMENTS = "deployments"
    RUNS = "runs"
    METRICS = "metrics of runs"
    PIPELINES = "pipelines"
    PIPELINE_RUNS = "pipeline runs"
    SCHEDULES = "schedules"
    FIRINGS = "firings of schedules"
    LOAD_TESTS = "load tests"
    TELEMETRY = "telemetry"
    PROBES = "probes"
    DECISIONS = "decisions about retrained models"
    GOLDEN = "golden sets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One cause, from when it was noticed until it was gone. It is told once, and once resolved."""

    id: str
    rule: str
    cause: str  # of all incidents with the same cause at most one is open
    severity: Severity
    title: str
    detail: str
    page: str  # where it is dealt with: its file, without ending
    address: Mapping[str, str]
    opened_at: datetime
    since: datetime | None = None  # when it began, where that is known
    resolved_at: datetime | None = None
    resolution: str = ""
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    note: str = ""
    silenced_until: datetime | None = None

    @property
    def open(self) -> bool:
        return self.resolved_at is None

    def silent(self, now: datetime) -> bool:
        """Somebody asked not to hear of it for a while."""
        return self.silenced_until is not None and now < self.silenced_until

    @property
    def entry(self) -> Attention:
        """The same as an entry of a list of what needs attention."""
        return Attention(
            severity=self.severity,
            title=self.title,
            detail=self.detail,
            page=self.page,
            address=self.address,
            since=self.since or self.opened_at,
            rule=self.rule,
            cause=self.cause,
        )


# --- rules ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """Whether one kind of trouble is looked for, how serious it is, and from when on."""

    key: str
    enabled: bool
    severity: Severity
    values: Mapping[str, float] = field(default_factory=dict)  # of its parameters, by name


# --- metric bands -----------------------------------------------------------------


class Verdict(StrEnum):
    PASS = "Pass"
    WARN = "Warn"
    FAIL = "Fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Where a metric of an experiment's runs should lie. A limit that is None does not bind."""

    experiment: str
    metric: str
    fail_below: float | None = None
    warn_below: float | None = None
    warn_above: float | None = None
    fail_above: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BandCheck:
    """One metric of one run, held against the band that was in force when the run ended."""

    run_id: str
    band: Band
    value: float | None  # None: the run did not log it, which fails
    verdict: Verdict
    at: datetime


def check_band(band: Band) -> None:
    """Refuse a band that no value could be in, or that says nothing.

    Raises:
        InvalidRequestError: which limits contradict each other.
    """
    limits = (band.fail_below, band.warn_below, band.warn_above, band.fail_above)
    given = [limit for limit in limits if limit is not None]
    if not given:
        raise InvalidRequestError(f"The band of {band.metric} has no limit; give at least one.")
    if given != sorted(given):
        raise InvalidRequestError(
            f"The limits of {band.metric} contradict each other; from fail below over warn below "
            "and warn above to fail above they must not fall."
        )


# --- channels ---------------------------------------------------------------------


class ChannelKind(StrEnum):
    WEBHOOK = "webhook"
    EMAIL = "e-mail"


class WebhookFormat(StrEnum):
    JSON = "JSON"
    SLACK = "Slack"
    TEAMS = "Teams"


class MailSecurity(StrEnum):
    STARTTLS = "STARTTLS"
    TLS = "TLS"
    NONE = "none"  # to this machine only


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Where incidents are sent. Its secret, a webhook's address or a password, is not in it."""

    id: str
    name: str
    kind: ChannelKind
    enabled: bool = True
    least: Severity = Severity.WARNING  # what is less serious is not sent
    target: str = ""  # for people: the webhook's host, or who gets the e-mail
    format: WebhookFormat = WebhookFormat.JSON
    host: str = ""  # of the SMTP server, like what follows
    port: int = 587
    security: MailSecurity = MailSecurity.STARTTLS
    sender: str = ""
    recipients: tuple[str, ...] = ()
    username: str = ""
    has_secret: bool = False


class Event(StrEnum):
    OPENED = "opened"
    RESOLVED = "resolved"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one channel and what became of it."""

    id: int
    channel_id: str
    channel: str
    event: Event
    incident_id: str | None  # None: a test
    title: str
    created_at: datetime
    due_at: datetime  # later than it was made: held back by quiet hours, or tried again
    attempts: int
    sent_at: datetime | None
    gave_up_at: datetime | None
    error: str  # of the last attempt, one sentence

    @property
    def settled(self) -> bool:
        return self.sent_at is not None or self.gave_up_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """When messages wait. A window may cross midnight; it belongs to the day it begins on."""

    enabled: bool = False
    start: time = time(22, 0)
    end: time = time(7, 0)
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)  # Monday is 0
    time_zone: str = "UTC"
    critical_passes: bool = True


# --- probes -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A request made regularly, so that an idle deployment can be told from a dead one."""

    deployment: str
    enabled: bool
    interval_s: int = 60
    payload: str = ""  # the body to post; empty: the example row of its data contract


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What one probe found. Only an answered scoring request counts as well."""

    deployment: str
    at: datetime
    ok: bool
    duration_ms: float  # of the scoring request; of GET / where nothing could be posted
    reason: str  # why it was not ok; empty when it was
    request_id: str
    root_ok: bool  # GET / answered 200


SHORTEST_INTERVAL_S, LONGEST_INTERVAL_S = 5, 3600
PROBE_PREFIX = "probe-"  # of the client's request id, by which telemetry tells probes apart


def check_probe(probe: Probe) -> None:
    """Refuse an interval nobody should probe at.

    Raises:
        InvalidRequestError: it is too short or too long.
    """
    if not SHORTEST_INTERVAL_S <= probe.interval_s <= LONGEST_INTERVAL_S:
        raise InvalidRequestError(
            f"A probe runs every {SHORTEST_INTERVAL_S} to {LONGEST_INTERVAL_S:,} seconds."
        )


NO_ADDRESS: Mapping[str, str] = MappingProxyType({})
