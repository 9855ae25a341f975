"""Runs the steps of one pipeline run: ``python -m services.local.pipeline_worker HOME RUN``."""

from __future__ import annotations

import importlib
import json
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.domain import GraphNode, PipelineKind, RunStatus
from services.errors import NotFoundError, OperationFailedError, ServiceError
from services.local import durable, full_disk, lifeline
from services.local.pipeline_definitions import definition
from services.local.pipeline_journal import PipelineJournal
from services.local.pipeline_steps.context import StepCanceledError, StepContext
from services.local.store import Store

log = logging.getLogger(__name__)

FORMAT = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
_ACTIONS = {
    "dataset": "dataset",
    "automl_module": "automl",
    "register_model": "register",
    "model": "model",
    "score": "score",
}


def perform(journal: PipelineJournal, context: StepContext, node: GraphNode) -> None:
    """Do one step, with a log of its own, and record how it ended.

    Raises:
        ServiceError, StepCanceledError: it did not complete; the step says why already.
    """
    log.info("%s begins", node.name)
    journal.begin_step(context.run_id, node.id)
    with _logged_to(journal.log(context.run_id, node.id)):
        try:
            # Steps need pandas and a model's packages: imported when their turn comes.
            step = importlib.import_module(f"services.local.pipeline_steps.{_ACTIONS[node.id]}")
            step.act(context)
        except StepCanceledError as error:
            journal.end_step(context.run_id, node.id, RunStatus.CANCELED, error=str(error))
            raise
        except Exception as error:
            log.error("%s", _explained(error))
            journal.end_step(context.run_id, node.id, RunStatus.FAILED, error=_sentence(error))
            raise
    journal.end_step(context.run_id, node.id, RunStatus.COMPLETED)


def _sentence(error: Exception) -> str:
    if isinstance(error, ServiceError):
        return str(error)
    if durable.disk_full(error):
        return full_disk.told("submit it again")
    return f"The step met an error of its own ({type(error).__name__}: {error})."


def _explained(error: Exception) -> str:
    """What the step's log says: our sentence, or where an unforeseen error came from."""
    if isinstance(error, OperationFailedError) and error.log_tail:
        return f"{error}\n{error.log_tail}"
    if isinstance(error, ServiceError):
        return str(error)
    return "".join(traceback.format_exception(error))


@contextmanager
def _logged_to(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(FORMAT)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


def run(home: Path, run_id: str) -> RunStatus:
    """Do the steps in order; the first that does not complete ends the run."""
    store = Store(home / "workspace.db")
    journal = PipelineJournal(home, store)
    with store.reading() as db:
        row = db.execute(
            "SELECT pipeline_runs.*, kind, fixed FROM pipeline_runs"
            " JOIN pipelines ON pipelines.id = pipeline_id WHERE pipeline_runs.id = ?",
            (run_id,),
        ).fetchone()
    if row is None:
        raise NotFoundError("pipeline run", run_id)
    context = StepContext(
        home=home,
        store=store,
        journal=journal,
        run_id=run_id,
        experiment=row["experiment"],
        values=json.loads(row["parameters"]),
        fixed=json.loads(row["fixed"]),
    )
    journal.enter(run_id)
    for node in definition(PipelineKind(row["kind"])).graph.nodes:
        try:
            perform(journal, context, node)
        except StepCanceledError as error:
            journal.settle(run_id, RunStatus.CANCELED, error=str(error))
            return RunStatus.CANCELED
        except Exception as error:  # the run's row says so; the log has it all
            journal.settle(run_id, RunStatus.FAILED, error=f"{node.name}: {_sentence(error)}")
            return RunStatus.FAILED
    journal.settle(run_id, RunStatus.COMPLETED)
    return RunStatus.COMPLETED


def main(home: Path, run_id: str) -> int:
    handler = logging.StreamHandler()
    handler.setFormatter(FORMAT)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    lifeline.follow()
    return full_disk.working(lambda: _work(home, run_id))


def _work(home: Path, run_id: str) -> int:
    status = run(home, run_id)
    log.info("the run %s", status)
    return 0 if status is RunStatus.COMPLETED else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
