"""What an end of the flow's worker means to the operator."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.domain import FlowStepState
from services.local import full_disk
from services.local.clock import utc_now
from services.local.duty import Exit, ExitCause
from services.local.flow import LocalFlow
from services.local.flow_duty import FlowDuty
from services.local.store import Store


@pytest.mark.parametrize(
    ("cause", "code", "sentence"),
    [
        (ExitCause.ITSELF, -9, "The flow's worker was killed by signal 9 before"),
        (ExitCause.ITSELF, 1, "The flow's worker ended with code 1 before"),
        (ExitCause.ITSELF, full_disk.EXIT_CODE, "The disk of the workspace was full."),
        (ExitCause.LOST, None, "The flow was interrupted: the workspace's supervisor had died"),
    ],
)
def test_the_step_it_was_at_failed_and_the_operator_knows_what_to_do(
    tmp_path: Path, cause, code, sentence
):
    store = Store(tmp_path / "workspace.db")
    flow, duty = LocalFlow(tmp_path, store), FlowDuty(tmp_path, store)
    flow.begin()
    (program,) = duty.programs()

    duty.exited(
        Exit(
            key="flow",
            generation=program.generation,
            cause=cause,
            code=code,
            answered=False,
            recent_count=1,
            log_tail="",
            at=utc_now(),
        )
    )

    progress = flow.progress()
    assert progress.error.startswith(sentence) and progress.error.endswith("again.")
    assert [step.state for step in progress.steps] == [
        FlowStepState.FAILED,
        *[FlowStepState.WAITING] * 6,
    ]
    assert duty.programs() == ()
