"""The dataset step: which version of the rows this run works on."""

from __future__ import annotations

from services.local.datasets import LocalDatasets
from services.local.pipeline_definitions import split_reference
from services.local.pipeline_steps.context import StepContext


def act(context: StepContext) -> None:
    """Find the dataset, its newest version where ``latest`` is asked for.

    Raises:
        NotFoundError: it is not registered, or no longer.
    """
    name, version = split_reference(context.values["dataset"])
    found = LocalDatasets(context.home, context.store).get(name, version)
    context.results.dataset_id = found.id
    context.say(
        f"{context.values['dataset']} is {found.id}: {found.row_count:,} rows,"
        f" {found.column_count} columns, registered {found.created_at:%Y-%m-%d %H:%M} UTC"
        + (" (synthetic)" if found.synthetic else "")
    )
