"""The workspace's Application Insights: ``python -m services.local.telemetry_server HOME KEY``.

One process owns the telemetry file; everybody else sends and asks over loopback HTTP, as they
would with Azure. It keeps its port from one life to the next, because senders know it.
"""

from __future__ import annotations

import gc
import logging
import socket
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import uvicorn

from services.errors import ServiceError
from services.local import lifeline
from services.local.deployments import LocalDeployments
from services.local.probes import unprobed
from services.local.store import Store
from services.local.telemetry import identity
from services.local.telemetry.app import application
from services.local.telemetry.prober import Prober
from services.local.telemetry.store import TelemetryStore

log = logging.getLogger(__name__)

RETENTION_DAYS = "90"  # as Application Insights keeps data by default


def listening(port: int) -> socket.socket:
    """A loopback socket on `port`, or on a free one where that is taken."""
    for candidate in (port, 0):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", candidate))
        except OSError:
            listener.close()
            log.warning("port %d is taken; choosing another", candidate)
            continue
        return listener
    raise OSError("no loopback port is free")


def main(arguments: Sequence[str]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    home = Path(arguments[0])
    lifeline.follow()
    store = None
    try:
        store = Store(home / "workspace.db")
        telemetry = TelemetryStore(home / "telemetry" / "telemetry.duckdb")
    except ServiceError as error:
        log.error("%s", error)
        if store is not None:
            identity.told(store, str(error))
        return 1
    identity.told(store, "")
    retention = timedelta(days=int(store.setting_or("telemetry_retention_days", RETENTION_DAYS)))
    listener = listening(int(store.setting(identity.PORT) or 0))
    port = listener.getsockname()[1]
    store.set_setting(identity.PORT, str(port))
    log.info("telemetry at http://127.0.0.1:%d, kept for %d days", port, retention.days)
    deployments = LocalDeployments(home, store)
    server = uvicorn.Server(
        uvicorn.Config(
            application(
                telemetry,
                identity.access(store),
                retention=retention,
                tests=Prober(lambda: unprobed(store, deployments.list())),
            ),
            access_log=False,
            log_config=None,
            lifespan="on",
            timeout_keep_alive=75,
            timeout_graceful_shutdown=4,
        )
    )
    gc.freeze()  # what is loaded stays
    gc.set_threshold(50_000)  # items come and go by the thousand and hold no cycles
    server.run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
