"""The workspace under contract, once per adapter."""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.local import processes
from services.ports import Workspace

LIMIT_S = 120.0


def _local(home: Path) -> Iterator[Workspace]:
    """A local workspace with its supervisor at work."""
    from services.local.workspace import open_workspace

    workspace = open_workspace(home)
    supervisor = processes.spawn(
        "services.local.supervisor", str(home), "--lifeline", log=home / "logs" / "supervisor.log"
    )
    yield workspace
    os.kill(supervisor.pid, signal.SIGTERM)
    supervisor.wait(timeout=60)
    if supervisor.stdin is not None:
        supervisor.stdin.close()


@pytest.fixture(scope="module", params=[pytest.param(_local, id="local")])
def workspace(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workspace]:
    """One workspace per test file. A test leaves what it did not make alone."""
    yield from request.param(tmp_path_factory.mktemp("workspace"))


@pytest.fixture
def name() -> str:
    return f"contract-{secrets.token_hex(4)}"


@pytest.fixture
def until() -> Callable[[Callable[[], object]], object]:
    """Ask again until the answer is true; answers it."""

    def until(condition: Callable[[], object], *, limit_s: float = LIMIT_S) -> object:
        deadline = time.monotonic() + limit_s
        while not (answer := condition()):
            assert time.monotonic() < deadline, f"not within {limit_s:.0f} s"
            time.sleep(0.05)
        return answer

    return until
