"""Answers one evaluation: ``python -m services.local.evaluation_worker HOME EVALUATION_ID``."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

log = logging.getLogger(__name__)

ASK_AGAIN = "ask again"


def main(arguments: Sequence[str]) -> int:
    from services.local import full_disk, lifeline

    lifeline.follow()
    warnings.filterwarnings("ignore", module=r"sklearn\.")  # a slice may hold one class only
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    return full_disk.working(lambda: _answer(Path(arguments[0]), arguments[1]))


def _answer(home: Path, evaluation_id: str) -> int:
    from services.errors import ServiceError
    from services.local import durable, evaluations, full_disk
    from services.local.store import Store

    store = Store(home / "workspace.db")
    plan = evaluations.start(store, evaluation_id)
    if plan is None:
        return 0
    log.info("looking at %s", plan)
    try:
        from services.local.evaluating import Evaluator  # the learning libraries: seconds

        evaluations.finish(store, evaluation_id, result=Evaluator(home, store).answer(plan))
    except ServiceError as error:
        evaluations.finish(store, evaluation_id, error=str(error))
        log.error("%s", error)
        return 1
    except Exception as error:
        said = (
            "Looking at the predictions stopped at an error its log explains: "
            f"{type(error).__name__}."
        )
        if durable.disk_full(error):
            said = full_disk.told(ASK_AGAIN)
        evaluations.finish(store, evaluation_id, error=said)
        log.exception("stopped")
        raise
    log.info("answered")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
