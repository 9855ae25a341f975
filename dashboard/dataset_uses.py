"""What was made from a dataset: the runs trained on it and the models registered from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.domain import Model, Run


@dataclass(slots=True)
class Uses:
    """Newest first, as the ports list them."""

    runs: list[Run] = field(default_factory=list)
    models: list[Model] = field(default_factory=list)


def by_version(runs: Iterable[Run], models: Iterable[Model]) -> Mapping[str, Uses]:
    """Dataset id (``name:version``) → what uses it."""
    return _grouped(runs, models, by_name=False)


def by_name(runs: Iterable[Run], models: Iterable[Model]) -> Mapping[str, Uses]:
    """Dataset name → what uses any version of it."""
    return _grouped(runs, models, by_name=True)


def _grouped(runs: Iterable[Run], models: Iterable[Model], *, by_name: bool) -> Mapping[str, Uses]:
    found: defaultdict[str, Uses] = defaultdict(Uses)

    def key(dataset_id: str) -> str:
        return dataset_id.rpartition(":")[0] if by_name else dataset_id

    for run in runs:
        if run.dataset_id:
            found[key(run.dataset_id)].runs.append(run)
    for model in models:
        if model.dataset_id:
            found[key(model.dataset_id)].models.append(model)
    return found
