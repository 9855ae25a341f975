"""How candidates stand, how the search got there, and the table of all their metrics."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from services import leaderboard
from services.domain import Run, RunKind, RunStatus

START = datetime(2024, 5, 1, 9, 0, tzinfo=UTC)


def _run(number: int, score: float | None = None, **fields: object) -> Run:
    given = {
        "id": f"AutoML_1_{number}",
        "experiment": "bank",
        "number": number,
        "kind": RunKind.AUTOML_CHILD,
        "display_name": f"candidate {number}",
        "status": RunStatus.COMPLETED,
        "created_at": START,
        "started_at": START,
        "ended_at": START + timedelta(seconds=10 * number),
        "primary_metric": "AUC_weighted",
        "score": score,
        **fields,
    }
    return Run(**given)  # type: ignore[arg-type]


def test_the_best_candidate_comes_first():
    children = [_run(1, 0.91), _run(2, 0.95), _run(3, 0.93)]

    standings = leaderboard.standings(children, best_id="AutoML_1_2")

    assert [each.run.number for each in standings] == [2, 3, 1]
    assert [each.rank for each in standings] == [1, 2, 3]
    assert [each.best for each in standings] == [True, False, False]


def test_a_smaller_error_is_the_better_one():
    children = [
        _run(number, score, primary_metric="normalized_root_mean_squared_error")
        for number, score in ((1, 0.08), (2, 0.05))
    ]

    assert [each.run.number for each in leaderboard.standings(children)] == [2, 1]


def test_of_equals_the_one_the_back_end_calls_best_comes_first():
    children = [_run(1, 0.95), _run(2, 0.95)]

    standings = leaderboard.standings(children, best_id="AutoML_1_2")

    assert standings[0].run.number == 2


def test_candidates_without_a_score_follow_those_at_work_first():
    failed = _run(1, None, status=RunStatus.FAILED)
    working = _run(3, None, status=RunStatus.RUNNING, ended_at=None)
    not_a_number = _run(4, float("nan"))

    standings = leaderboard.standings([failed, _run(2, 0.9), working, not_a_number])

    assert [each.run.number for each in standings] == [2, 3, 1, 4]
    assert [each.rank for each in standings] == [1, None, None, None]


def test_lift_is_held_against_knowing_nothing():
    (standing,) = leaderboard.standings([_run(1, 0.95)], naive=0.5)

    assert standing.lift == pytest.approx(0.45)


def test_the_course_follows_the_order_of_finishing_and_never_gets_worse():
    parent = _run(0, kind=RunKind.AUTOML)
    late = _run(1, 0.91, ended_at=START + timedelta(seconds=60))
    children = [late, _run(2, 0.95), _run(3, 0.93), _run(4, None, status=RunStatus.FAILED)]

    course = leaderboard.course(parent, children)

    assert [(each.after_s, each.score) for each in course] == [(20, 0.95), (30, 0.93), (60, 0.91)]
    assert [each.best_so_far for each in course] == [0.95, 0.95, 0.95]


def test_a_search_that_has_not_started_has_no_course():
    assert leaderboard.course(_run(0, started_at=None), [_run(1, 0.9)]) == ()


def test_the_timeout_is_never_used_more_than_whole():
    parent = _run(0, ended_at=None)

    half = leaderboard.share_of_timeout(parent, timeout_s=60, now=START + timedelta(seconds=30))
    over = leaderboard.share_of_timeout(parent, timeout_s=60, now=START + timedelta(seconds=90))

    assert (half, over) == (0.5, 1.0)


def test_the_previous_best_is_the_last_comparable_run_before():
    def parent(number: int, *, hours: int, **fields: object) -> Run:
        return _run(number, 0.9, created_at=START + timedelta(hours=hours), **fields)

    runs = [
        parent(1, hours=1),
        parent(2, hours=2),
        parent(3, hours=3, status=RunStatus.FAILED),
        parent(4, hours=4, primary_metric="accuracy"),
        parent(5, hours=5, experiment="other"),
        parent(7, hours=7),
    ]

    found = leaderboard.previous_best(parent(6, hours=6), runs)

    assert found is not None and found.number == 2
    assert leaderboard.previous_best(runs[0], runs) is None


def test_the_metric_table_reads_back_as_it_was_with_blanks_where_nothing_was_logged():
    standings = leaderboard.standings([_run(1, 0.91), _run(2, 0.95)])
    metrics = {
        "AutoML_1_1": {"AUC_weighted": 0.91, "log_loss": 0.31},
        "AutoML_1_2": {"AUC_weighted": 0.95, "accuracy": 0.1 + 0.2},
    }

    frame = leaderboard.metric_frame(standings, metrics)
    again = pd.read_csv(io.StringIO(frame.to_csv()), index_col="metric")

    assert list(frame.columns) == ["1 candidate 2", "2 candidate 1"]
    assert list(frame.index) == ["AUC_weighted", "accuracy", "log_loss"]
    assert pd.isna(frame.loc["accuracy", "2 candidate 1"])
    assert "0.31,\n" not in frame.to_csv() and ",,0.31" in frame.to_csv()
    pd.testing.assert_frame_equal(again, frame, check_index_type=False, check_column_type=False)
