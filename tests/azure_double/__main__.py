"""Azure on loopback, by hand: ``python -m tests.azure_double [--demo] [FOLDER]``.

Starts the double and the supervisor of the workspace behind it, prints the environment to
use as shell commands, leaves the same in ``FOLDER/environment``, and goes on until Ctrl-C.
"""

from __future__ import annotations

import argparse
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


async def main(folder: Path, *, demo: bool) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with serving(folder) as double:
        home = double.state.workspace.home
        if demo:
            from tests.azure_double import seed  # scikit-learn, for its models

            await asyncio.to_thread(seed.fill, double.state.workspace)
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
    exports = "".join(
        f"export {name}={shlex.quote(value)}\n" for name, value in environment.items()
    )
    place = folder / "environment"
    place.write_text(exports)
    place.chmod(0o600)
    return (
        f"{exports}# In another terminal:\n#   . {shlex.quote(str(place))}\n"
        "#   DASHBOARD_BACKEND=azure make run\n# ready\n"
    )


if __name__ == "__main__":
    lifeline.follow()
    asked = argparse.ArgumentParser(prog="python -m tests.azure_double", description=__doc__)
    asked.add_argument("folder", nargs="?", type=Path, help="kept; a temporary one without")
    asked.add_argument("--demo", action="store_true", help="with something on every page")
    options = asked.parse_args()
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
        asyncio.run(main(options.folder.resolve(), demo=options.demo))
    else:
        with tempfile.TemporaryDirectory(prefix="azure-double-") as temporary:
            asyncio.run(main(Path(temporary), demo=options.demo))
