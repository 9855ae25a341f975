"""Azure on loopback, by hand: ``python -m tests.azure_double [FOLDER]``.

Starts the double and the supervisor of the workspace behind it, prints the
environment to use as shell commands, and goes on until Ctrl-C.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import sys
import tempfile
from pathlib import Path

from services.local import lifeline, processes
from tests.azure_double.server import Serving, serving
from tests.azure_double.state import RESOURCE_GROUP, SUBSCRIPTION, WORKSPACE


async def main(folder: Path) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with serving(folder) as double:
        home = double.state.workspace.home
        supervisor = processes.spawn(
            "services.local.supervisor", str(home), "--lifeline", log=folder / "supervisor.log"
        )
        sys.stdout.write(_instructions(double, folder))
        sys.stdout.flush()
        await stopping.wait()
        os.kill(supervisor.pid, signal.SIGTERM)
        await asyncio.to_thread(supervisor.wait)


def _instructions(double: Serving, folder: Path) -> str:
    """The environment, and the ``config.json`` the portal would have offered."""
    config = folder / "config.json"
    config.write_text(
        json.dumps(
            {
                "subscription_id": SUBSCRIPTION,
                "resource_group": RESOURCE_GROUP,
                "workspace_name": WORKSPACE,
            },
            indent=2,
        )
    )
    sdk_home = folder / "home"
    sdk_home.mkdir(exist_ok=True)
    environment = {**double.environment(sdk_home), "DASHBOARD_WORKSPACE_CONFIG": str(config)}
    lines = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    return "\n".join([*lines, "# ready", ""])


if __name__ == "__main__":
    lifeline.follow()
    if len(sys.argv) > 1:
        asyncio.run(main(Path(sys.argv[1]).resolve()))
    else:
        with tempfile.TemporaryDirectory(prefix="azure-double-") as temporary:
            asyncio.run(main(Path(temporary)))
