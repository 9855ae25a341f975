"""Keeps the local workspace's supervisor, and an Azure workspace's watcher, alive.

Both hold a pipe to this process. However the dashboard ends, by Ctrl-C, by SIGTERM or by
SIGKILL, the pipe closes; the supervisor stops everything it started, and the watcher ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from dashboard import choices
from dashboard.settings import SETTINGS, Backend, Settings
from services.errors import ServiceError

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[1]
HELD_ELSEWHERE = 75  # the exit code of one whose workspace another already has
LOOK_AGAIN_S = 5.0
CHOSEN_EVERY_S = 2.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
STEADY_S = 60.0  # one that lived this long starts the pauses over
GRACE_S = 20.0  # to stop every server and worker
LOG_LIMIT_BYTES = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A process that is started again whenever it ends."""

    name: str
    arguments: tuple[str, ...]  # of python; everybody on the machine can read them
    log: Path
    environment: Mapping[str, str] | None = field(default=None, repr=False)
    look_again_s: float = LOOK_AGAIN_S  # while another has its workspace


@contextlib.asynccontextmanager
async def supervised(home: Path) -> AsyncIterator[None]:
    """Within this block a supervisor runs the workspace in `home`, and the Azure workspace
    that is chosen, if one is, has a watcher: ours, or another's."""
    supervisor = Kept(
        name="supervisor",
        arguments=("-m", "services.local.supervisor", str(home), "--lifeline"),
        log=home / "logs" / "supervisor.log",
    )
    keepers = [
        asyncio.create_task(_keep(supervisor), name="supervisor"),
        asyncio.create_task(_keep_watching(), name="watcher"),
    ]
    try:
        yield
    finally:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)


def watcher(settings: Settings) -> Kept | None:
    """Who watches what is chosen; nobody of ours watches a local workspace."""
    if settings.backend is not Backend.AZURE or not settings.watch_every_s:
        return None
    ours = {name for each in SETTINGS for name in (each.variable, each.alias)}
    inherited = {name: value for name, value in os.environ.items() if name not in ours}
    return Kept(
        name="watcher",
        arguments=("-m", "dashboard.watch"),
        log=settings.home / "logs" / "watcher-azure.log",
        environment={**inherited, **settings.variables},
        look_again_s=LONGEST_PAUSE_S,
    )


async def _keep_watching() -> None:
    """Follow what the settings page chooses: another workspace, another watcher."""
    watched: Settings | None = None
    keeper: asyncio.Task[None] | None = None
    try:
        while True:
            chosen = _chosen(watched)
            if chosen is not None and chosen != watched:
                await _cancelled(keeper)
                watched, kept = chosen, watcher(chosen)
                keeper = asyncio.create_task(_keep(kept)) if kept else None
            await asyncio.sleep(CHOSEN_EVERY_S)
    finally:
        await _cancelled(keeper)


def _chosen(before: Settings | None) -> Settings | None:
    try:
        return choices.settings()
    except ServiceError as error:  # the settings page says so too
        log.warning("what is chosen cannot be read: %s", error)
        return before


async def _cancelled(keeper: asyncio.Task[None] | None) -> None:
    if keeper is not None:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)


async def _keep(kept: Kept) -> None:
    loop = asyncio.get_running_loop()
    pause_s = FIRST_PAUSE_S
    while True:
        began = loop.time()
        try:
            code = await _run(kept)
        except OSError as error:  # a full disk has no room for its log; it may have later
            log.warning("the %s could not be started: %s", kept.name, error)
            code = 1
        if code == HELD_ELSEWHERE:
            await asyncio.sleep(kept.look_again_s)
            continue
        pause_s = FIRST_PAUSE_S if loop.time() - began > STEADY_S else pause_s
        log.warning("the %s ended with %s; starting another in %.1f s", kept.name, code, pause_s)
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


async def _run(kept: Kept) -> int:
    """One process, from start to end. Cancelling stops it first."""
    with _log(kept.log) as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *kept.arguments),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the dashboard, which then stops it
            env=kept.environment,
        )
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            await _stop(kept, process)


async def _stop(kept: Kept, process: asyncio.subprocess.Process) -> None:
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), GRACE_S)
    except TimeoutError:
        log.warning("the %s did not stop within %.0f s; ending it", kept.name, GRACE_S)
        process.kill()
        await process.wait()


def _log(path: Path) -> BinaryIO:
    """A file, never a pipe: nobody must wait for a reader. One old file is kept."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")
