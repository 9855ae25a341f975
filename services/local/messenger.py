"""Sends the messages about incidents that are due."""

from __future__ import annotations

import logging
import threading

from services.alerts import messages, sending
from services.local.alert_outbox import Due, Outbox
from services.local.alert_secrets import ChannelSecrets
from services.local.clock import Clock
from services.ports import Workspace

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0


class Messenger:
    """Sends what is due, one message after the other, on a thread of its own."""

    def __init__(
        self, workspace: Workspace, outbox: Outbox, secrets: ChannelSecrets, *, clock: Clock
    ) -> None:
        self._workspace, self._outbox, self._secrets = workspace, outbox, secrets
        self._clock = clock

    def run(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            try:
                self.send_due(stopping)
            except Exception:
                log.exception("messages could not be sent; they are tried again")
            stopping.wait(LOOK_EVERY_S)

    def send_due(self, stopping: threading.Event | None = None) -> int:
        """Send what is due now; how many messages were tried."""
        claimed = self._outbox.claim(now=self._clock(), limit=1)
        count = 0
        while claimed and not (stopping and stopping.is_set()):
            for message in claimed:
                self._send(message)
                count += 1
            claimed = self._outbox.claim(now=self._clock(), limit=1)
        return count

    def _send(self, due: Due) -> None:
        channels = {each.id: each for each in self._workspace.alerts.channels()}
        channel = channels.get(due.channel_id)
        if channel is None:
            return  # deleted meanwhile, and its messages with it
        if not channel.enabled and due.incident is not None:
            self._outbox.failed(due, "The channel was turned off.", now=self._clock(), final=True)
            return
        message = (
            messages.of_test(due.id, workspace=self._workspace.name, at=due.created_at)
            if due.incident is None
            else messages.of_incident(
                due.incident, due.event, workspace=self._workspace.name, at=due.created_at
            )
        )
        try:
            sending.send(channel, message, secret=self._secrets.read(channel.id))
        except sending.SendError as error:
            log.warning("%s was not delivered to %s: %s", message.id, channel.name, error)
            self._outbox.failed(due, str(error), now=self._clock(), final=error.final)
        else:
            log.info("%s was delivered to %s", message.id, channel.name)
            self._outbox.sent(due, now=self._clock())
