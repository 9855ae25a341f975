"""What happens in the dashboard itself, told to Application Insights: actions and failures.

They go where the workspace's telemetry goes, through the SDK Azure ML's users know. An
event that cannot be delivered is dropped: nothing waits for it and nothing depends on it.
"""

from __future__ import annotations

import json
import logging
import threading
import urllib.request
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from dashboard import session
from dashboard.settings import Backend
from services.app_insights.connection import Connection
from services.errors import ServiceError

if TYPE_CHECKING:
    from applicationinsights import TelemetryClient

log = logging.getLogger(__name__)

ROLE = "dashboard"
TIMEOUT_S = 5.0
JUST_NOW = timedelta(seconds=5)

_told_until = datetime.min.replace(tzinfo=UTC)
_lock = threading.Lock()


def acted() -> None:
    """Tell what was just changed, as the audit log has it: action and subject, no values."""
    global _told_until
    client = _client()
    if client is None:
        return
    with _lock:
        since = max(_told_until, datetime.now(UTC) - JUST_NOW)
        changes = [each for each in session.workspace().audit.list(limit=20) if each.at > since]
        _told_until = max([since, *(each.at for each in changes)])
    for change in reversed(changes):
        client.track_event(change.action, {"subject": change.subject, "actor": change.actor})


def failed(error: Exception) -> None:
    """Tell that a page failed, with the stack; Streamlit has logged it already."""
    client = _client()
    if client is not None:
        client.track_exception(type(error), error, error.__traceback__)


def _client() -> TelemetryClient | None:
    """The client for a local workspace's telemetry; None while nobody takes it in.

    On Azure the component is the customer's: nothing is sent there that they did not deploy.
    """
    found = ""
    try:
        workspace = session.workspace()
        if workspace.backend == Backend.LOCAL:
            found = workspace.telemetry.connection_string
    except ServiceError as error:
        log.debug("the dashboard's own events have nowhere to go: %s", error)
    return _connected(found) if found else None


@cache
def _connected(connection_string: str) -> TelemetryClient:
    # Imported when there is something to tell: opening a page need not wait for it.
    from applicationinsights import TelemetryClient, channel

    class Sender(channel.AsynchronousSender):  # type: ignore[misc]
        """Drops what cannot be sent: the SDK's own sender tries again without a pause."""

        def send(self, data_to_send: list[Any]) -> None:
            body = json.dumps([each.write() for each in data_to_send]).encode()
            request = urllib.request.Request(
                self.service_endpoint_uri, body, {"Content-Type": "application/json"}
            )
            try:
                urllib.request.urlopen(request, timeout=TIMEOUT_S).close()
            except OSError as error:
                log.debug("%s events were not delivered: %s", len(data_to_send), error)

    connection = Connection.parse(connection_string)
    queue = channel.AsynchronousQueue(Sender(f"{connection.ingestion_endpoint}v2/track"))
    client = TelemetryClient(connection.instrumentation_key, channel.TelemetryChannel(queue=queue))
    client.context.cloud.role = ROLE
    return client
