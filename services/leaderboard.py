"""How the candidates of a search stand, and how it got there (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from services import naive_baseline
from services.domain import MetricGoal, Run, RunStatus, metric_goal

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One candidate's place."""

    run: Run
    rank: int | None  # from 1; None without a score
    best: bool
    lift: float | None  # better than naive by, in the metric's unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One finished candidate on the way of a search."""

    name: str
    after_s: float  # since the search started
    score: float
    best_so_far: float


def standings(
    children: Sequence[Run], *, best_id: str | None = None, naive: float | None = None
) -> tuple[Standing, ...]:
    """Candidates by score, best first; then those still going, then those without a score.

    Args:
        best_id: which one the back end calls the best; of equals it comes first.
        naive: what knowing nothing scores on the same metric.
    """
    scored = children_with_score(children)
    scored.sort(key=lambda run: (_key(run), run.id != best_id, run.number))
    ranked = tuple(
        Standing(run=run, rank=rank, best=run.id == best_id, lift=_lift(run, naive))
        for rank, run in enumerate(scored, start=1)
    )
    placed = {standing.run.id for standing in ranked}
    rest = sorted(
        (run for run in children if run.id not in placed),
        key=lambda run: (run.status.settled, run.number),
    )
    return ranked + tuple(Standing(run=run, rank=None, best=False, lift=None) for run in rest)


def course(parent: Run, children: Sequence[Run]) -> tuple[Scored, ...]:
    """Every candidate that finished with a score, in the order they finished."""
    start = parent.started_at
    if start is None:
        return ()
    finished = [run for run in children_with_score(children) if run.ended_at is not None]
    finished.sort(key=lambda run: run.ended_at or start)
    way: list[Scored] = []
    for run in finished:
        assert run.score is not None and run.ended_at is not None  # kept only with both
        best = run.score if not way else _better(run, run.score, way[-1].best_so_far)
        after_s = max(0.0, (run.ended_at - start).total_seconds())
        way.append(
            Scored(name=run.display_name, after_s=after_s, score=run.score, best_so_far=best)
        )
    return tuple(way)


def share_of_timeout(parent: Run, *, timeout_s: float, now: datetime) -> float:
    """How much of its time a search has used, 0 to 1."""
    elapsed = parent.duration(now)
    if elapsed is None or timeout_s <= 0:
        return 0.0
    return min(1.0, elapsed.total_seconds() / timeout_s)


def previous_best(parent: Run, runs: Iterable[Run]) -> Run | None:
    """The last completed run before this one in its experiment, ranked by the same metric."""
    earlier = [
        run
        for run in runs
        if run.experiment == parent.experiment
        and run.primary_metric == parent.primary_metric
        and run.status is RunStatus.COMPLETED
        and run.score is not None
        and run.created_at < parent.created_at
    ]
    return max(earlier, key=lambda run: run.created_at, default=None)


def metric_frame(
    standings: Sequence[Standing], metrics: Mapping[str, Mapping[str, float]]
) -> pd.DataFrame:
    """Every metric of every ranked candidate.

    Returns:
        One row per metric, the primary one first, then by name; one column per candidate,
        best first, named by rank and algorithm. A metric a candidate lacks is missing.
    """
    import pandas as pd  # seconds to import

    ranked = [each for each in standings if each.rank is not None]
    primary = ranked[0].run.primary_metric if ranked else None
    names = sorted(
        {name for each in ranked for name in metrics.get(each.run.id, ())},
        key=lambda name: (name != primary, name.casefold()),
    )
    return pd.DataFrame(
        [[metrics.get(each.run.id, {}).get(name) for each in ranked] for name in names],
        index=pd.Index(names, name="metric"),
        columns=[f"{each.rank} {each.run.display_name}" for each in ranked],
        dtype="float64",
    )


def children_with_score(children: Iterable[Run]) -> list[Run]:
    """The candidates that can be ranked: a score that is a number."""
    return [run for run in children if run.score is not None and run.score == run.score]


def _key(run: Run) -> float:
    assert run.score is not None
    return run.score if metric_goal(run.primary_metric or "") is MetricGoal.MINIMIZE else -run.score


def _better(run: Run, one: float, other: float) -> float:
    minimize = metric_goal(run.primary_metric or "") is MetricGoal.MINIMIZE
    return min(one, other) if minimize else max(one, other)


def _lift(run: Run, naive: float | None) -> float | None:
    if naive is None or run.score is None:
        return None
    return naive_baseline.lift(run.primary_metric or "", run.score, naive)
