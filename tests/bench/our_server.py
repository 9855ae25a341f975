"""The dashboard's server without a supervisor: for a workspace whose processes are recorded.

``DASHBOARD_HOME=… python -m tests.bench.our_server PORT``
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dashboard import security, server

ROOT = Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    os.chdir(ROOT)
    app = server.create(hosts=security.LOOPBACK_HOSTS)
    app.run(config={"server.address": "127.0.0.1", "server.port": int(sys.argv[1])})
