"""Keeps the local workspace's supervisor alive for as long as the dashboard lives.

The supervisor holds a pipe to this process. However the dashboard ends, by Ctrl-C, by
SIGTERM or by SIGKILL, the pipe closes, and the supervisor stops everything it started.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[1]
MODULE = "services.local.supervisor"
HELD_ELSEWHERE = 75  # its exit code when another supervisor has the workspace
LOOK_AGAIN_S = 5.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
STEADY_S = 60.0  # one that lived this long starts the pauses over
GRACE_S = 20.0  # to stop every server and worker
LOG_LIMIT_BYTES = 5_000_000


@contextlib.asynccontextmanager
async def supervised(home: Path) -> AsyncIterator[None]:
    """Within this block a supervisor runs the workspace in `home`: ours, or another's."""
    keeper = asyncio.create_task(_keep(home), name="supervisor")
    try:
        yield
    finally:
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper


async def _keep(home: Path) -> None:
    loop = asyncio.get_running_loop()
    pause_s = FIRST_PAUSE_S
    while True:
        began = loop.time()
        code = await _run(home)
        if code == HELD_ELSEWHERE:
            await asyncio.sleep(LOOK_AGAIN_S)
            continue
        pause_s = FIRST_PAUSE_S if loop.time() - began > STEADY_S else pause_s
        log.warning("the supervisor ended with %s; starting another in %.1f s", code, pause_s)
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


async def _run(home: Path) -> int:
    """One supervisor, from start to end. Cancelling stops it first."""
    with _log(home) as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", MODULE, str(home), "--lifeline"),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the dashboard, which then stops it
        )
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), GRACE_S)
    except TimeoutError:
        log.warning("the supervisor did not stop within %.0f s; ending it", GRACE_S)
        process.kill()
        await process.wait()


def _log(home: Path) -> BinaryIO:
    """A file, never a pipe: the supervisor must not wait for a reader. One old file is kept."""
    path = home / "logs" / "supervisor.log"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")
