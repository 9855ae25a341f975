"""What is usual for a passage through Transitioning, and when to worry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services import transition_times
from services.domain import DeploymentState, Transition

START = datetime(2024, 5, 1, 9, 0, tzinfo=UTC)


def passage(seconds, *, kind="create", outcome=DeploymentState.HEALTHY):
    ended_at = None if seconds is None else START + timedelta(seconds=seconds)
    return Transition(
        kind=kind, started_at=START, ended_at=ended_at, outcome=outcome if ended_at else None
    )


def test_the_limit_is_the_95th_percentile_of_earlier_passages():
    usual = transition_times.usual([passage(n) for n in range(1, 101)], "create")

    assert usual.count == 100
    assert usual.median == timedelta(seconds=50)
    assert usual.limit == timedelta(seconds=95)
    assert not usual.worrying(timedelta(seconds=95))
    assert usual.worrying(timedelta(seconds=96))


def test_passages_of_another_kind_or_another_end_do_not_count():
    others = [
        passage(500, kind="update model"),
        passage(500, outcome=DeploymentState.FAILED),
        passage(None),
    ]

    usual = transition_times.usual([*others, *(passage(20) for _ in range(3))], "create")

    assert (usual.count, usual.limit) == (3, timedelta(seconds=20))


def test_with_too_little_history_a_general_limit_is_used():
    assert transition_times.usual([], "create").limit == transition_times.GENERAL_LIMIT
    few = transition_times.usual([passage(5), passage(7)], "create")
    assert (few.median, few.limit) == (timedelta(seconds=5), transition_times.GENERAL_LIMIT)


def test_nobody_worries_within_seconds_however_quick_it_has_been():
    usual = transition_times.usual([passage(0.2)] * 10, "create")

    assert not usual.worrying(timedelta(seconds=9))


def test_the_present_passage_is_the_one_that_has_not_ended():
    open_one = passage(None)

    assert transition_times.present([passage(3), open_one]) is open_one
    assert transition_times.present([passage(3)]) is None
