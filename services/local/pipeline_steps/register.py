"""The register_model step: the best model of the search becomes a registered version."""

from __future__ import annotations

from services.local.models import LocalModels
from services.local.pipeline_steps.context import StepContext


def act(context: StepContext) -> None:
    """Register the best child's model under the name the pipeline was given, if any.

    Raises:
        InvalidRequestError: the search left no model.
    """
    name = context.values["model_name"]
    if not name:
        context.say("No model name is given, so nothing is registered.")
        return
    model = LocalModels(context.home, context.store).register(
        context.results.training_run_id,
        name,
        description="Registered by a retraining pipeline",
        tags={"pipeline_run_id": context.run_id},
    )
    context.results.model_id = model.id
    context.journal.note(context.run_id, model_id=model.id)
    context.say(f"Registered {model.id}: {model.algorithm}, from {model.run_id}")
