"""What was made from a dataset: the runs trained on it and the models registered from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dashboard import economy, readings, reads, session
from dashboard.readings import NotConfigured, Reading
from services.domain import Model, Run


@dataclass(frozen=True, slots=True)
class Uses:
    """Newest first, as the ports list them."""

    runs: tuple[Run, ...] = ()
    models: tuple[Model, ...] = ()

    def of_version(self, dataset_id: str) -> Uses:
        """Those of one ``name:version``."""
        return Uses(
            runs=tuple(run for run in self.runs if run.dataset_id == dataset_id),
            models=tuple(model for model in self.models if model.dataset_id == dataset_id),
        )

    def counts(self) -> tuple[dict[str, int], dict[str, int]]:
        """How many runs and how many models use any version of a dataset, by its name."""
        return _by_name(self.runs), _by_name(self.models)


ASKED = "dataset.uses"  # what `economy` calls them
DEAR = "On Azure, finding what uses a dataset asks about every experiment."


def find() -> Reading[Uses]:
    """Everything that uses any dataset, or why that is not known: an outage is no count of 0."""
    if not economy.wanted(ASKED):
        return NotConfigured(DEAR)
    return readings.take(
        lambda: Uses(runs=reads.runs(), models=reads.models()),
        identity=(session.workspace().location, "dataset uses"),
        is_empty=lambda _: False,
    )


def _by_name(users: Iterable[Run] | Iterable[Model]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for user in users:
        if user.dataset_id:
            name = user.dataset_id.rpartition(":")[0]
            counts[name] = counts.get(name, 0) + 1
    return counts
