"""The whole flow with a model that is there already, so that it takes seconds. It kills itself
where the file ``kill-at`` says: ``<step> begun``, after its first word, or ``<step> made``, when
all is done but not recorded yet.

``python -m tests.faults.quick_flow HOME`` performs it; with ``--lifeline`` it is a supervisor
that has it performed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from services.local import duties, flow_worker, supervisor
from services.local.duty import Program
from services.local.flow_duty import FlowDuty
from services.local.flow_steps import STEPS, Journey, Say, Step

DATASET, MODEL = "people:1", "bank-marketing:1"  # there already
KILL_AT = "kill-at"


class QuickFlowDuty(FlowDuty):
    def programs(self) -> Sequence[Program]:
        return [replace(each, module="tests.faults.quick_flow") for each in super().programs()]


def chosen(journey: Journey, say: Say) -> str:
    say(f"{DATASET} is there")
    return DATASET


def found(journey: Journey, say: Say) -> str:
    journey.results["model"] = MODEL
    say(f"{MODEL} is there")
    return MODEL


INSTEAD = {"dataset": chosen, "training": found}


def mortal(step: Step, kill_at: str) -> Step:
    act = INSTEAD.get(step.key, step.act)

    def perform(journey: Journey, say: Say) -> str:
        def said(detail: str, *, made: str = "") -> None:
            say(detail, made=made)
            if kill_at == f"{step.key} begun":
                os.kill(os.getpid(), signal.SIGKILL)

        result = act(journey, said)
        if kill_at == f"{step.key} made":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return replace(step, act=perform)


def main(home: Path, *options: str) -> int:
    if options:
        duties.FlowDuty = QuickFlowDuty  # type: ignore[misc]
        return supervisor.main([str(home), *options])
    kill_at = (home / KILL_AT).read_text("utf-8")
    flow_worker.STEPS = tuple(mortal(step, kill_at) for step in STEPS)
    return flow_worker.main(home)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
