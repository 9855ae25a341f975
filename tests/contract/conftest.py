"""The workspace under contract, once per adapter."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from services.local import processes
from services.local.chores import keep_doing
from services.local.workspace import LocalWorkspace, open_workspace
from services.ports import Workspace
from tests.azure_double.hand import Double, double

LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Subject:
    """A workspace under contract, and where a test may prepare what it finds there."""

    workspace: Workspace
    engine: LocalWorkspace  # the local workspace itself, or the one behind the double
    azure: Double | None = None


@contextlib.contextmanager
def _local(folder: Path) -> Iterator[Subject]:
    """A local workspace with its supervisor at work."""
    workspace = open_workspace(folder)
    supervisor = processes.spawn(
        "services.local.supervisor", str(folder), "--lifeline", log=folder / "logs/supervisor.log"
    )
    yield Subject(workspace, workspace)
    os.kill(supervisor.pid, signal.SIGTERM)
    supervisor.wait(timeout=60)
    if supervisor.stdin is not None:
        supervisor.stdin.close()


@contextlib.contextmanager
def _azure(folder: Path) -> Iterator[Subject]:
    """An Azure ML workspace on loopback, through the unmodified SDK, and what is due there done
    as by its watcher."""
    from services.azure import pipeline_retries
    from tests.azure_double.opened import open_azure

    eager = patch.object(pipeline_retries, "LOOK_EVERY", timedelta(0))
    with double(folder) as azure, azure.surroundings(), eager:
        workspace, stopping = open_azure(azure), threading.Event()
        doing = [
            threading.Thread(target=keep_doing, args=(chore, stopping), daemon=True)
            for chore in (workspace.schedules.resume_due, workspace.pipelines.retry_due)
        ]
        for each in doing:
            each.start()
        yield Subject(workspace, azure.engine, azure)
        stopping.set()
        for each in doing:
            each.join()


@pytest.fixture(
    scope="module", params=[pytest.param(_local, id="local"), pytest.param(_azure, id="azure")]
)
def subject(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Subject]:
    with request.param(tmp_path_factory.mktemp("workspace")) as subject:
        yield subject


@pytest.fixture(scope="module")
def workspace(subject: Subject) -> Workspace:
    """One workspace per test file. A test leaves what it did not make alone."""
    return subject.workspace


@pytest.fixture(scope="module")
def engine(subject: Subject) -> LocalWorkspace:
    """Where a test prepares what its workspace is to hold."""
    return subject.engine


@pytest.fixture(autouse=True)
def _foreseen(subject: Subject) -> Iterator[None]:
    """A request that the double does not know fails the test that made it."""
    yield
    if subject.azure is not None:
        assert subject.azure.unknown() == []


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
