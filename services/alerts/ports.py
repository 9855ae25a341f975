"""What may be asked of a workspace's alerting. Kept beside the workspace, on either back end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime

from services.alerts.records import (
    AlertRule,
    Band,
    BandCheck,
    Channel,
    Delivery,
    Incident,
    Probe,
    ProbeResult,
    QuietHours,
)


class Alerts(ABC):
    """Incidents, the rules that find them, and who is told."""

    @abstractmethod
    def incidents(self, *, limit: int = 200) -> tuple[Incident, ...]:
        """Open ones first, worst first; then resolved ones, newest first, up to `limit` of them."""

    @abstractmethod
    def acknowledge(self, incident_id: str, *, note: str = "") -> None:
        """Note that somebody is at it. Raises NotFoundError: no such incident."""

    @abstractmethod
    def silence(self, incident_id: str, until: datetime | None) -> None:
        """Keep it off lists until then; None: show it again. Raises NotFoundError."""

    @abstractmethod
    def evaluated_at(self) -> datetime | None:
        """When the rules were last applied; None: never."""

    @abstractmethod
    def unanswered(self) -> tuple[str, ...]:
        """What did not answer at the last evaluation, in words: its rules could not be applied."""

    @abstractmethod
    def rules(self) -> tuple[AlertRule, ...]:
        """Every rule, as changed or as it comes, in the catalog's order."""

    @abstractmethod
    def set_rule(self, rule: AlertRule) -> None:
        """Raises InvalidRequestError: unknown, or a threshold is out of reason."""

    @abstractmethod
    def quiet_hours(self) -> QuietHours:
        """When messages wait."""

    @abstractmethod
    def set_quiet_hours(self, quiet: QuietHours) -> None:
        """Raises InvalidRequestError: nobody could keep them."""

    @abstractmethod
    def channels(self) -> tuple[Channel, ...]:
        """Where incidents are sent, oldest first. Secrets are not in them, and cannot be read."""

    @abstractmethod
    def save_channel(self, channel: Channel, *, secret: str | None = None) -> Channel:
        """Add a channel, or change the one with its id.

        Args:
            channel: with an empty id it is a new one.
            secret: a webhook's address, or the password of an SMTP account; None leaves
                what is stored.

        Raises:
            InvalidRequestError: it could not be sent to; the message says why.
        """

    @abstractmethod
    def delete_channel(self, channel_id: str) -> None:
        """With its secret and the messages that wait. Deleting what is gone succeeds."""

    @abstractmethod
    def begin_test(self, channel_id: str) -> int:
        """Send a test message now, quiet hours or not; the id of its delivery.

        Raises:
            NotFoundError: no such channel.
        """

    @abstractmethod
    def deliveries(self, *, limit: int = 100) -> tuple[Delivery, ...]:
        """Messages and what became of them, newest first."""


class MetricBands(ABC):
    """Where the metrics of an experiment's runs should lie."""

    @abstractmethod
    def list(self, experiment: str | None = None) -> tuple[Band, ...]:
        """By experiment and metric, of one experiment or of all."""

    @abstractmethod
    def save(self, band: Band) -> None:
        """Set the band of one metric, in place of the one it had.

        Raises:
            InvalidRequestError: its limits contradict each other, or there is none.
        """

    @abstractmethod
    def delete(self, experiment: str, metric: str) -> None:
        """Expect nothing of this metric. Deleting what is gone succeeds."""

    @abstractmethod
    def checks(self, experiment: str) -> tuple[BandCheck, ...]:
        """What came of each run's checks, newest run first."""


class Probes(ABC):
    """Requests made regularly to deployments that were chosen for it."""

    @abstractmethod
    def list(self) -> tuple[Probe, ...]:
        """Every probe that was ever set, by deployment."""

    @abstractmethod
    def save(self, probe: Probe) -> None:
        """Turn a deployment's probe on or off, or change it.

        Raises:
            NotFoundError: no such deployment.
            InvalidRequestError: nobody should probe this often, or this rarely.
        """

    @abstractmethod
    def record(self, result: ProbeResult) -> None:
        """Keep what one probe found."""

    @abstractmethod
    def results(self, deployment: str, *, limit: int = 1000) -> tuple[ProbeResult, ...]:
        """Newest first."""
