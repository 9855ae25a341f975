"""Fills a workspace by doing the whole flow: ``python -m services.local.demo [HOME]``."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from services.domain import ComponentState, FlowStep, FlowStepState
from services.errors import ConflictError, ServiceError, UnavailableError
from services.local import processes
from services.local.workspace import LocalWorkspace, open_workspace

POLL_S = 0.5
START_LIMIT_S = 60.0
MARKS = {FlowStepState.DONE: "✓", FlowStepState.FAILED: "✗", FlowStepState.RUNNING: "…"}


def main(home: Path) -> int:
    """Perform the flow and say how each step went; 0 when all were done."""
    try:
        workspace = open_workspace(home)
        with _supervised(workspace):
            with contextlib.suppress(ConflictError):  # one is running: watch that one
                workspace.flow.begin()
            return _watch(workspace)
    except ServiceError as error:
        _say(str(error))
        return 1


@contextlib.contextmanager
def _supervised(workspace: LocalWorkspace) -> Iterator[None]:
    """With the workspace's supervisor, ours if none is running."""
    log = workspace.home / "logs" / "supervisor.log"
    ours = processes.spawn("services.local.supervisor", str(workspace.home), "--lifeline", log=log)
    try:
        _await_supervisor(workspace, log)
        yield
    finally:
        if ours.poll() is None:
            os.kill(ours.pid, signal.SIGTERM)
            ours.wait()
        if ours.stdin is not None:
            ours.stdin.close()


def _await_supervisor(workspace: LocalWorkspace, log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while workspace.components()[0].state is not ComponentState.RUNNING:
        if time.monotonic() > deadline:
            raise UnavailableError(f"The supervisor did not start; its log is {log}.")
        time.sleep(POLL_S / 5)


def _watch(workspace: LocalWorkspace) -> int:
    told: dict[str, FlowStep] = {}
    while True:
        progress = workspace.flow.progress()
        for step in progress.steps:
            if step.state in MARKS and told.get(step.key) != step:
                told[step.key] = step
                _say(f"{MARKS[step.state]} {step.title}: {step.detail}")
        if not progress.running:
            return 1 if progress.error else 0
        time.sleep(POLL_S)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    default = os.environ.get("DASHBOARD_HOME") or "~/.azureml-dashboard"
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else default)))
