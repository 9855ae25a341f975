"""Watches the Azure workspace that the environment describes: ``python -m dashboard.watch``.

The dashboard starts it with its own settings, secrets among them, in the environment: a
command line would show them to everybody on the machine.
"""

from __future__ import annotations

import logging
import sys

from dashboard import opening
from dashboard.settings import Settings
from services.errors import ServiceError

log = logging.getLogger(__name__)

HELD_ELSEWHERE = 75  # exit code: another process watches it (EX_TEMPFAIL)


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings = Settings.from_env()
    log.info("watching an Azure workspace every %d s", settings.watch_every_s)
    try:
        watched = opening.watch_azure(settings)
    except ServiceError as error:
        log.error("%s", error)
        return 1
    return 0 if watched else HELD_ELSEWHERE


if __name__ == "__main__":
    sys.exit(main())
