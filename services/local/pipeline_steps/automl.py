"""The automl_module step: one AutoML run, done by the workspace's own training worker."""

from __future__ import annotations

import time

from services.domain import Run, RunStatus
from services.errors import OperationFailedError
from services.local.pipeline_definitions import automl_settings
from services.local.pipeline_steps.context import StepCanceledError, StepContext
from services.local.runs import LocalRuns
from services.ports import Runs

POLL_S = 0.5


def act(context: StepContext) -> None:
    """Start the search, as the page that starts training does, and follow it to its end.

    Raises:
        InvalidRequestError, NotFoundError: the dataset cannot be trained on.
        OperationFailedError: the search ended as Failed.
        StepCanceledError: somebody canceled it.
    """
    runs = LocalRuns(context.home, context.store)
    settings = automl_settings(
        context.values,
        context.fixed,
        experiment=context.experiment,
        dataset_id=context.results.dataset_id,
    )
    run = runs.begin_automl(settings)
    context.results.training_run_id = run.id
    context.journal.note(context.run_id, training_run_id=run.id)
    context.say(
        f"Started {run.id} in the experiment {run.experiment}:"
        f" {settings.primary_metric} of {settings.label_column_name},"
        f" {settings.experiment_timeout_minutes:g} minutes"
    )
    run = _follow(context, runs, run)
    if run.status is RunStatus.CANCELED:
        raise StepCanceledError(f"The AutoML run {run.id} was canceled.")
    if run.status is not RunStatus.COMPLETED:
        tail = runs.logs(run.id, line_limit=40).text
        reason = f" {run.error}" if run.error else ""
        raise OperationFailedError(f"The AutoML run {run.id} {run.status}.{reason}", log_tail=tail)
    score = f"{run.primary_metric} {run.score:.4f}" if run.score is not None else "no score"
    context.say(f"Completed: best child {run.best_child_id}, {score}")


def _follow(context: StepContext, runs: Runs, run: Run) -> Run:
    """Wait for the end, with a line in the log for every candidate that ends."""
    told: set[str] = set()
    while not (run := runs.get(run.id)).status.settled:
        _tell(context, runs, run, told)
        time.sleep(POLL_S)
    _tell(context, runs, run, told)
    return run


def _tell(context: StepContext, runs: Runs, run: Run, told: set[str]) -> None:
    for child in runs.children(run.id):
        if child.status.settled and child.id not in told:
            told.add(child.id)
            score = f"{child.score:.4f}" if child.score is not None else child.error
            context.say(f"  {len(told):3}  {child.display_name}: {child.status} {score}".rstrip())
