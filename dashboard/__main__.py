"""Starts the dashboard: ``python -m dashboard [--port 8501] [--address 127.0.0.1]``.

It also keeps the local workspace's supervisor running, so that one command serves
everything and Ctrl-C ends everything; load tests of an Azure workspace run under it too.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
from collections.abc import Sequence
from typing import Any

from dashboard import choices
from dashboard.settings import ROOT
from services.errors import ServiceError


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m dashboard",
        description="Start the dashboard and all that a local workspace needs.",
    )
    parser.add_argument("--port", type=int, help="8501, or the next one that is free")
    parser.add_argument("--address", default="127.0.0.1", help="this machine only by default")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        settings = choices.settings()
    except ServiceError as error:
        parser.error(str(error))
    for variable, path in (
        ("DASHBOARD_HOME", settings.home),
        ("DASHBOARD_WORKSPACE_CONFIG", settings.workspace_config),
    ):
        if os.environ.get(variable):  # it may be relative to the folder we are about to leave
            os.environ[variable] = str(path)
    os.chdir(ROOT)  # Streamlit reads .streamlit/config.toml from the working folder
    from dashboard import security, server  # seconds to import; --help need not wait

    loopback = options.address in security.LOOPBACK_HOSTS
    hosts = security.LOOPBACK_HOSTS if loopback else ("*",)
    app = server.create(home=settings.home, hosts=hosts)
    overrides: dict[str, Any] = {"server.address": options.address}
    if options.port is not None:
        overrides["server.port"] = options.port
    if loopback:  # a page elsewhere must not reach us through a name it controls
        overrides["server.allowedHosts"] = list(security.LOOPBACK_HOSTS)
    else:  # or Streamlit asks a server on the internet for this machine's address
        overrides["browser.serverAddress"] = "localhost"
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C, after everything was stopped
        app.run(config=overrides)
    return 0


if __name__ == "__main__":
    sys.exit(main())
