"""The model step: which registered model this run scores with."""

from __future__ import annotations

from services.errors import NotFoundError
from services.local.models import LocalModels
from services.local.pipeline_definitions import split_reference
from services.local.pipeline_steps.context import StepContext


def act(context: StepContext) -> None:
    """Find the model, its newest version where ``latest`` is asked for.

    Raises:
        NotFoundError: it is not registered.
    """
    models = LocalModels(context.home, context.store)
    name, version = split_reference(context.values["model"])
    if version is None:
        versions = [each.version for each in models.list() if each.name == name]
        if not versions:
            raise NotFoundError("model", name)
        version = max(versions)
    model = models.get(f"{name}:{version}")
    context.results.model_id = model.id
    context.journal.note(context.run_id, model_id=model.id)
    context.say(f"{context.values['model']} is {model.id}: {model.algorithm}")
