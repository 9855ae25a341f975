"""What the closed loop of a retraining pipeline knows, read and remembered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dashboard import reads, session
from dashboard.memory import remembered
from services.domain import PipelineRun, RunStatus
from services.retraining_policy import Candidate, Decision, Golden, Policy

MOST = 200  # runs a policy is replayed on


@remembered(reads.DESK)
def policies() -> tuple[Policy, ...]:
    return session.workspace().retraining.policies()


@remembered(reads.DESK)
def decisions(pipeline_id: str) -> tuple[Decision, ...]:
    return session.workspace().retraining.decisions(pipeline_id)


def candidates(
    runs: Sequence[PipelineRun], golden: Mapping[str, Golden | None]
) -> tuple[Candidate, ...]:
    """Past runs as a policy sees them, in their order; those under way or canceled are left out.

    Args:
        golden: run id → what the golden set said about it when it was decided about.
    """
    ended = [run for run in runs if run.status in (RunStatus.COMPLETED, RunStatus.FAILED)][:MOST]
    metrics = _metrics(ended)
    return tuple(
        Candidate(
            run_id=run.id,
            status=run.status,
            error=run.error,
            metrics=metrics.get(run.training_run_id or "", {}),
            golden=golden.get(run.id),
        )
        for run in ended
    )


def _metrics(runs: Sequence[PipelineRun]) -> Mapping[str, Mapping[str, float]]:
    """Training run id → the metrics of its best child."""
    best = {
        run.id: run.best_child_id or run.id
        for experiment in sorted({each.experiment for each in runs})
        for run in reads.runs(experiment)
    }
    wanted = [each.training_run_id for each in runs if each.training_run_id in best]
    sources = {run_id: best[run_id] for run_id in wanted if run_id is not None}
    found = reads.metrics(tuple(sources.values())) if sources else {}
    return {run_id: found.get(source, {}) for run_id, source in sources.items()}
