"""What the closed loop of a retraining pipeline knows, read and remembered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dashboard import economy, reads, session
from dashboard.memory import remembered
from dashboard.pipeline_facts import Catalog
from services.domain import PipelineKind, PipelineRun, PublishedPipeline, RunStatus
from services.retraining_policy import Candidate, Decision, Golden, Measured, Policy

MOST = 200  # runs a policy is replayed on


@remembered(reads.DESK)
def policies() -> tuple[Policy, ...]:
    return session.workspace().retraining.policies()


@remembered(reads.DESK)
def decisions(pipeline_id: str) -> tuple[Decision, ...]:
    return session.workspace().retraining.decisions(pipeline_id)


@remembered(reads.DESK)
def measured(pipeline_id: str) -> Mapping[str, Measured]:
    """Pipeline run id → what it trained, where the runs themselves do not say."""
    port = session.workspace().retraining
    return {each.run_id: each for each in port.measured(pipeline_id)}


def offered(catalog: Catalog) -> Mapping[str, PublishedPipeline]:
    """Pipelines that retrain, by id, those that ran last first.

    Where each read is counted, all that may retrain, those that are held first.
    """
    kinds = {PipelineKind.RETRAINING}
    if economy.metered():
        kinds.add(PipelineKind.OTHER)
        first = [each.pipeline_id for each in policies() if each.enabled]
    else:
        first = [run.pipeline_id for run in reads.pipeline_runs()]
    found = {each.id: each for each in catalog.pipelines.values() if each.kind in kinds}
    return {each: found[each] for each in dict.fromkeys([*first, *found]) if each in found}


def runs(pipeline_id: str) -> tuple[PipelineRun, ...]:
    """Of the pipeline, newest first, with what each trained and made as far as that is known."""
    found = reads.pipeline_runs(pipeline_id=pipeline_id)
    if not economy.metered():
        return found
    known = measured(pipeline_id)
    registered = {each.run_id: each.model_id for each in decisions(pipeline_id)}
    return tuple(
        replace(
            run,
            training_run_id=known[run.id].training_run_id,
            model_id=registered.get(run.id) or known[run.id].model_id,
        )
        if run.id in known
        else run
        for run in found
    )


def candidates(
    runs: Sequence[PipelineRun], golden: Mapping[str, Golden | None]
) -> tuple[Candidate, ...]:
    """Past runs as a policy sees them, in their order; those under way or canceled are left out.

    Args:
        golden: run id → what the golden set said about it when it was decided about.
    """
    ended = [run for run in runs if _known(run)][:MOST]
    found = metrics(ended)
    return tuple(
        Candidate(
            run_id=run.id,
            status=run.status,
            error=run.error,
            metrics=found.get(run.training_run_id or "", {}),
            golden=golden.get(run.id),
        )
        for run in ended
    )


def unread(runs: Sequence[PipelineRun]) -> frozenset[str]:
    """Completed runs of which nobody has read yet what they trained; none where that is free."""
    return frozenset(
        run.id for run in runs if run.status is RunStatus.COMPLETED and not _known(run)
    )


def _known(run: PipelineRun) -> bool:
    if run.status is RunStatus.COMPLETED and economy.metered():
        return run.id in measured(run.pipeline_id)
    return run.status in (RunStatus.COMPLETED, RunStatus.FAILED)


def metrics(runs: Sequence[PipelineRun]) -> Mapping[str, Mapping[str, float]]:
    """Training run id → the metrics of its best child, of those that completed."""
    if economy.metered():
        known = [measured(each) for each in {run.pipeline_id for run in runs}]
        return {
            each.training_run_id: each.metrics
            for of_one in known
            for each in of_one.values()
            if each.training_run_id is not None
        }
    best = {
        run.id: run.best_child_id or run.id
        for experiment in sorted({each.experiment for each in runs})
        for run in reads.runs(experiment)
    }
    done = [run.training_run_id for run in runs if run.status is RunStatus.COMPLETED]
    sources = {each: best[each] for each in done if each is not None and each in best}
    found = reads.metrics(tuple(sources.values())) if sources else {}
    return {run_id: found.get(source, {}) for run_id, source in sources.items()}
