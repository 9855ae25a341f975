"""The policy of the closed loop, on thirty retrains and case by case."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from services.alerts.records import Band
from services.domain import RunStatus
from services.retraining_policy import (
    Candidate,
    Check,
    Decision,
    DecisionState,
    Golden,
    Mark,
    Policy,
    judge,
    replay,
    steps,
)

POLICY = Policy(pipeline_id="p", deployment="bank", model_name="bank")
BAND = Band(experiment="bank", metric="AUC_weighted", fail_below=0.94, warn_below=0.945)
BANDS = [BAND]


def candidate(auc: float | None = 0.95, **rest: object) -> Candidate:
    metrics = {} if auc is None else {"AUC_weighted": auc}
    usual = {"run_id": "r", "status": RunStatus.COMPLETED, "metrics": metrics}
    return Candidate(**{**usual, **rest})


def thirty() -> list[Candidate]:
    """A month: two failed, the metric sways across its band, one golden case breaks once."""
    return [
        candidate(
            0.9445 + 0.006 * math.sin(day),
            run_id=f"day {day}",
            status=RunStatus.FAILED if day in (9, 21) else RunStatus.COMPLETED,
            golden=Golden(3, ("Retired: Row 1 is “no”.",) if day == 26 else ()),
        )
        for day in range(30)
    ]


def test_a_month_of_retrains_is_accepted_and_rejected_one_by_one():
    judged = replay(POLICY, thirty(), BANDS)

    rejected = [each.run_id for each, judgement in judged if not judgement.accepted]
    assert rejected == [f"day {day}" for day in (4, 5, 9, 11, 17, 18, 21, 23, 24, 26)]
    assert len(judged) == 30
    assert [judgement for _, judgement in judged] == [
        judge(POLICY, each, BANDS) for each in thirty()
    ]


@pytest.mark.parametrize(
    ("given", "accepted", "mark"),
    [
        (candidate(0.95), True, Mark.PASSED),
        (candidate(0.942), True, Mark.WARNED),
        (candidate(0.93), False, Mark.FAILED),
        (candidate(None), False, Mark.FAILED),
        (candidate(math.nan), False, Mark.FAILED),
    ],
)
def test_metrics_are_held_against_their_bands(given, accepted, mark):
    judgement = judge(POLICY, given, BANDS)

    assert judgement.accepted is accepted
    assert judgement.checks[1].mark is mark


def test_a_strict_policy_does_not_take_a_warning():
    strict = Policy(pipeline_id="p", deployment="bank", model_name="bank", warn_passes=False)

    assert not judge(strict, candidate(0.942), BANDS).accepted


def test_the_reason_names_metric_value_and_band():
    why = judge(POLICY, candidate(0.93), BANDS).why

    assert why == (
        "Outside its band: AUC_weighted is 0.93, expected at least 0.94 (warns below 0.945)."
    )


def test_after_a_failed_retraining_nothing_else_is_asked():
    judgement = judge(POLICY, candidate(status=RunStatus.FAILED, error="Out of memory."), BANDS)

    assert [check.name for check in judgement.checks] == ["Retrain"]
    assert judgement.why == "The run is Failed. Out of memory."


def test_without_bands_the_range_is_not_asked_and_says_so():
    check = judge(POLICY, candidate(), ()).checks[1]

    assert (check.mark, check.reason) == (
        Mark.SKIPPED, "No metric of its experiment has a band.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("golden", "mark"),
    [
        (Golden(3), Mark.PASSED),
        (Golden(3, ("Retired: Row 1 is wrong.",)), Mark.FAILED),
        (Golden(0), Mark.FAILED),  # an empty set proves nothing
        (None, Mark.SKIPPED),
    ],
)
def test_the_golden_set_decides(golden, mark):
    judgement = judge(POLICY, candidate(golden=golden), BANDS)

    assert judgement.checks[2].mark is mark
    assert judgement.accepted is (mark is not Mark.FAILED)


def test_a_policy_may_do_without_the_golden_set():
    lenient = Policy(pipeline_id="p", deployment="bank", model_name="bank", golden=False)

    assert judge(lenient, candidate(golden=Golden(0)), BANDS).accepted


def decision(state: DecisionState, **rest: object) -> Decision:
    at = datetime(2024, 5, 31, 9, tzinfo=UTC)
    usual = {
        "run_id": "r", "pipeline_id": "p", "policy": POLICY, "state": state, "golden": None,
        "checks": (Check("Retrain", Mark.PASSED, "The run completed."),), "model_id": "bank:2",
        "begun_at": at, "decided_at": at, "answered_at": at, "answered_by": "anna", "note": "",
        "ended_at": None, "error": "",
    }  # fmt: skip
    return Decision(**{**usual, **rest})


def way(given: Decision) -> list[tuple[str, Mark]]:
    return [(each.name, each.mark) for each in steps(given)]


DONE = [("Retrain", Mark.PASSED), ("Register", Mark.PASSED)]
APPROVED = [*DONE, ("Approval", Mark.PASSED)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (decision(DecisionState.DECIDING, model_id=None, answered_at=None), DONE[:1]),
        (decision(DecisionState.REJECTED, model_id=None, answered_at=None), DONE[:1]),
        (
            decision(DecisionState.WAITING, answered_at=None),
            [*DONE, ("Approval", Mark.WAITING)],
        ),
        (decision(DecisionState.DECLINED), [*DONE, ("Approval", Mark.FAILED)]),
        (decision(DecisionState.APPROVED), [*APPROVED, ("Deploy", Mark.WAITING)]),
        (decision(DecisionState.DEPLOYED), [*APPROVED, ("Deploy", Mark.PASSED)]),
        (decision(DecisionState.DEPLOYED, error="It"), [*APPROVED, ("Deploy", Mark.WARNED)]),
        (decision(DecisionState.FAILED, error="No."), [*APPROVED, ("Deploy", Mark.FAILED)]),
        (
            decision(DecisionState.FAILED, error="No.", model_id=None, answered_at=None),
            [*DONE[:1], ("Judge", Mark.FAILED)],
        ),
    ],
)  # fmt: skip
def test_the_way_of_a_run_is_told_as_far_as_it_has_come(given, expected):
    assert way(given) == expected


def test_who_answered_and_why_is_part_of_the_way():
    told = [each.reason for each in steps(decision(DecisionState.DECLINED, note="Friday"))]

    assert told[-1] == "anna rejected it: Friday"
