"""Fills a workspace in a second: ``python -m tests.recorded HOME``.

In a process of its own, because some recordings name this process as a server that
answers, and a real supervisor ends what it finds recorded as left running.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from services.local.workspace import open_workspace
from tests.recorded import alerts, overview, telemetry

if __name__ == "__main__":
    home = Path(sys.argv[1]).resolve()
    workspace = open_workspace(home)
    overview.filled(workspace)
    alerts.month(workspace)
    telemetry.traffic(home, count=2_000, end=datetime.now(UTC))
