"""A training worker that kills itself at the step that the file ``kill-at`` names.

``python -m tests.faults.mortal_training HOME RUN`` trains; ``HOME --lifeline`` is a supervisor
that has its runs trained by it.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from services.local import duties, supervisor, training_worker
from services.local.duty import Program
from services.local.run_duty import RunDuty

KILL_AT = "kill-at"
STEPS = {  # what is about to be done, by the method that does it
    "preparing the data": ("services.local.automl_recorder", "Recorder.describe_parent"),
    "recording the first candidate": ("services.local.automl_recorder", "Recorder.finished"),
    "choosing the ensembles": ("services.local.automl.combination", "Combiner.voting"),
    "recording an ensemble": ("services.local.automl_recorder", "Recorder.ensemble_finished"),
    "explaining": ("services.local.automl_run", "Finale._explain"),
    "recording its end": ("services.local.run_journal", "RunJournal.settle"),
}


class MortalRunDuty(RunDuty):
    def programs(self) -> Sequence[Program]:
        return [replace(each, module="tests.faults.mortal_training") for each in super().programs()]


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(home: str, what: str) -> int:
    if what == "--lifeline":
        duties.RunDuty = MortalRunDuty  # type: ignore[misc]
        return supervisor.main([home, what])
    if step := STEPS.get((Path(home) / KILL_AT).read_text("utf-8")):
        module, (owner, function) = step[0], step[1].split(".")
        setattr(getattr(importlib.import_module(module), owner), function, die)
    return training_worker.main([home, what])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
