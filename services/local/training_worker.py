"""Trains one AutoML run: ``python -m services.local.training_worker HOME RUN_ID``.

The pool's processes load this module too, so it imports little.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

log = logging.getLogger(__name__)

CANCELED = 3  # an exit code
START_AGAIN = "start it again"


def main(arguments: Sequence[str]) -> int:
    from services.local import full_disk, lifeline

    # A fold of few rows may hold one class; the metrics themselves say what that leaves undefined.
    warnings.filterwarnings("ignore", module=r"sklearn\.")
    lifeline.follow()
    home, run_id = Path(arguments[0]), arguments[1]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    return full_disk.working(lambda: _train(home, run_id))


def _train(home: Path, run_id: str) -> int:
    from services.domain import RunStatus
    from services.errors import ServiceError
    from services.local import durable, full_disk
    from services.local.automl_run import AutoMLRun
    from services.local.run_journal import RunJournal, SearchCanceledError
    from services.local.runs import LocalRuns
    from services.local.store import Store

    store = Store(home / "workspace.db")
    journal = RunJournal(home, store)
    settings = LocalRuns(home, store).automl_settings(run_id)
    log.info("starting %s: %s", run_id, settings)
    try:
        AutoMLRun(home, store, run_id).run(settings)
    except SearchCanceledError:
        journal.settle(run_id, RunStatus.CANCELED)
        log.info("canceled")
        return CANCELED
    except ServiceError as error:
        journal.settle(run_id, RunStatus.FAILED, error=str(error))
        log.error("%s", error)
        return 1
    except Exception as error:
        said = f"Training stopped at an error the log explains: {type(error).__name__}."
        if durable.disk_full(error):
            said = full_disk.told(START_AGAIN)
        journal.settle(run_id, RunStatus.FAILED, error=said)
        log.exception("training stopped")
        raise
    log.info("completed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
