"""Where a model comes from and where it went; what of it is stale, broken or not yet (pure).

Seven links, always in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from services.domain import (
    AssetStatus,
    Dataset,
    Deployment,
    DeploymentState,
    LoadTest,
    LoadTestState,
    Model,
    PublishedPipeline,
    Run,
    RunStatus,
    Schedule,
    split_id,
)


class Standing(StrEnum):
    SOUND = "sound"
    STALE = "stale"  # there, but something newer or other is meant by now
    BROKEN = "broken"  # it is named, and gone
    ABSENT = "not yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One link of the chain."""

    kind: str  # "dataset", "run", "best child", "model", "deployment", "load test", "schedule"
    label: str
    standing: Standing
    note: str = ""  # what is stale or broken, in few words
    page: str = ""  # a page's file; empty where there is nothing to open
    address: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What is known around one model. A run that is None is gone, or was never recorded."""

    model: Model
    run: Run | None
    parent: Run | None
    versions: Sequence[Dataset]  # of its dataset; empty when none is registered any more
    models: Sequence[Model]
    deployments: Sequence[Deployment]
    load_tests: Sequence[LoadTest]
    schedules: Sequence[Schedule]
    pipelines: Sequence[PublishedPipeline]


def strip(chain: Chain) -> tuple[Node, ...]:
    """The seven nodes, from the dataset version to the schedule that makes the next model."""
    deployment = _serving(chain)
    return (
        _dataset(chain),
        _parent(chain),
        _child(chain),
        _model(chain),
        _deployment(chain, deployment),
        _load_test(chain, deployment),
        _schedule(chain),
    )


def in_focus(models: Sequence[Model], deployments: Sequence[Deployment]) -> Model | None:
    """The model an overview speaks of: the one a healthy deployment serves, else the newest."""
    known = {model.id: model for model in models}
    healthy = [each for each in deployments if each.state is DeploymentState.HEALTHY]
    served = (known[each.model_id] for each in (*healthy, *deployments) if each.model_id in known)
    return next(served, models[0] if models else None)


def _dataset(chain: Chain) -> Node:
    asset_id = chain.model.dataset_id
    if asset_id is None:
        return Node(kind="dataset", label="dataset not recorded", standing=Standing.BROKEN)
    name, version = split_id("dataset", asset_id)
    known = {each.version for each in chain.versions}
    if version not in known:
        return Node(kind="dataset", label=asset_id, standing=Standing.BROKEN, note="gone")
    return _aged(
        "dataset",
        asset_id,
        newer=sum(each > version for each in known),
        page="dataset",
        address={"dataset": name, "version": str(version)},
    )


def _parent(chain: Chain) -> Node:
    if chain.run is not None and chain.run.parent_id is None:
        return Node(kind="run", label="no search", standing=Standing.ABSENT)
    if chain.parent is None:
        return Node(kind="run", label="run", standing=Standing.BROKEN, note="gone")
    parent = chain.parent
    failed = parent.status is not RunStatus.COMPLETED
    return Node(
        kind="run",
        label=f"AutoML run {parent.number}",
        standing=Standing.STALE if failed else Standing.SOUND,
        note=parent.status.value if failed else "",
        page="training_runs",
        address={"run": parent.id},
    )


def _child(chain: Chain) -> Node:
    model, run = chain.model, chain.run
    if run is None:
        note = "run is gone" if model.run_id else "registered without a run"
        return Node(kind="best child", label=note, standing=Standing.BROKEN)
    parent_id = run.parent_id or run.id
    other = chain.parent is not None and chain.parent.best_child_id not in (None, run.id)
    return Node(
        kind="best child",
        label=f"{model.algorithm or run.display_name} · run {run.number}",
        standing=Standing.STALE if other else Standing.SOUND,
        note="not the best of its search" if other else "",
        page="training_runs",
        address={"run": parent_id, "run-view": "Charts", "child": run.id}
        if run.parent_id
        else {"run": run.id},
    )


def _model(chain: Chain) -> Node:
    model = chain.model
    return _aged(
        "model", model.id, newer=_newer(chain, model.id), page="models", address={"model": model.id}
    )


def _serving(chain: Chain) -> Deployment | None:
    """The deployment the chain leads to: of this version, else of another one of its name."""
    own = [each for each in chain.deployments if each.model_id == chain.model.id]
    same_name = [
        each
        for each in chain.deployments
        if each.model_id.rpartition(":")[0] == chain.model.name and each not in own
    ]
    return next(iter((*own, *same_name)), None)


def _deployment(chain: Chain, deployment: Deployment | None) -> Node:
    if deployment is None:
        return Node(kind="deployment", label="not deployed", standing=Standing.ABSENT)
    registered = any(model.id == deployment.model_id for model in chain.models)
    newer = _newer(chain, deployment.model_id)
    notes = []
    if not registered:
        notes.append(f"serves {deployment.model_id}, which is gone")
    elif newer:
        notes.append(f"behind by {newer}")
    if deployment.state is not DeploymentState.HEALTHY:
        notes.append(deployment.state.value)
    others = sum(each.model_id == chain.model.id for each in chain.deployments) - 1
    return Node(
        kind="deployment",
        label=deployment.name + (f" and {others} more" if others > 0 else ""),
        standing=Standing.BROKEN if not registered else Standing.STALE if notes else Standing.SOUND,
        note=", ".join(notes),
        page="deployment_health",
        address={"deployment": deployment.name},
    )


def _load_test(chain: Chain, deployment: Deployment | None) -> Node:
    if deployment is None:
        return Node(kind="load test", label="no benchmark", standing=Standing.ABSENT)
    tests = [each for each in chain.load_tests if each.deployment == deployment.name]
    if not tests:
        return Node(
            kind="load test", label="no benchmark", standing=Standing.ABSENT,
            page="benchmark_results", address={"deployment": deployment.name},
        )  # fmt: skip
    last = max(tests, key=lambda each: each.created_at)
    other = last.model_id not in (None, deployment.model_id)
    failed = last.state is LoadTestState.FAILED
    return Node(
        kind="load test",
        label=f"{last.report.requests_per_s:,.0f} requests/s" if last.report else last.name,
        standing=Standing.STALE if other or failed else Standing.SOUND,
        note=f"measured {last.model_id}" if other else last.state.value if failed else "",
        page="benchmark_results",
        address={"load_test": last.id},
    )


def _schedule(chain: Chain) -> Node:
    feeding = [each for each in chain.schedules if _feeds(each, chain)]
    if not feeding:
        return Node(kind="schedule", label="no schedule", standing=Standing.ABSENT)
    active = [each for each in feeding if each.status is AssetStatus.ACTIVE]
    chosen = (active or feeding)[0]
    return Node(
        kind="schedule",
        label=chosen.name,
        standing=Standing.SOUND if active else Standing.STALE,
        note="" if active else chosen.status.value,
        page="pipeline_schedules",
        address={"view": "Schedules", "schedule": chosen.id},
    )


def _feeds(schedule: Schedule, chain: Chain) -> bool:
    """Whether its runs register under this model's name, or at least are of its experiment."""
    name = schedule.parameters.get("model_name")
    if name is None:
        pipeline = next((each for each in chain.pipelines if each.id == schedule.pipeline_id), None)
        known = {each.name: each.default for each in pipeline.parameters} if pipeline else {}
        name = known.get("model_name")
    if name:
        return name == chain.model.name
    return chain.model.experiment is not None and schedule.experiment == chain.model.experiment


def _newer(chain: Chain, model_id: str) -> int:
    """How many later versions of that model are registered."""
    name, _, version = model_id.rpartition(":")
    if not version.isdigit():
        return 0
    return sum(model.name == name and model.version > int(version) for model in chain.models)


def _aged(kind: str, label: str, *, newer: int, page: str, address: Mapping[str, str]) -> Node:
    return Node(
        kind=kind,
        label=label,
        standing=Standing.STALE if newer else Standing.SOUND,
        note=f"behind by {newer}" if newer else "",
        page=page,
        address=address,
    )
