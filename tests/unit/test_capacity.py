"""The search for how many at a time hold: which step comes next, and what is concluded."""

from __future__ import annotations

import pytest

from services import capacity
from services.capacity import CapacityPlan, Step
from services.errors import InvalidRequestError
from services.load_test_rules import GuardRails

PLAN = CapacityPlan(deployment="bank", payload="{}")


def searched(holds, plan: CapacityPlan = PLAN) -> list[Step]:
    """Every step of a search in which `holds` decides."""
    done: list[Step] = []
    while (concurrency := capacity.next_concurrency(done, plan)) is not None:
        assert len(done) < 20
        done.append(
            Step(
                concurrency=concurrency,
                load_test_id=str(concurrency),
                requests_per_s=1.0,
                p95_ms=1.0,
                failure_share=0.0,
                broken="" if holds(concurrency) else "too slow",
            )
        )
    return done


@pytest.mark.parametrize("limit", [*range(1, 20), 31, 63])
def test_the_largest_number_that_holds_is_found(limit):
    found = searched(lambda concurrency: concurrency <= limit)

    assert capacity.conclusion(found) == (f"{limit} at a time hold. At {limit + 1}: too slow.")
    assert len(found) <= 13


def test_nothing_that_breaks_ends_at_the_bound():
    assert capacity.conclusion(searched(lambda _: True)) == "Nothing broke up to 64 at a time."


def test_a_deployment_that_holds_nothing_is_told_so():
    found = searched(lambda _: False)

    assert len(found) == 1
    assert capacity.conclusion(found) == "Not even one at a time holds: too slow."


def test_a_search_over_the_budget_of_one_load_test_is_refused():
    with pytest.raises(InvalidRequestError, match="counts as one load test"):
        capacity.check_plan(PLAN, GuardRails(request_budget=4_999))
    capacity.check_plan(PLAN, GuardRails(request_budget=5_000))


def test_steps_too_small_for_a_p95_are_refused():
    with pytest.raises(InvalidRequestError, match="at least 59"):
        capacity.check_plan(
            CapacityPlan(deployment="b", payload="", step_requests=58), GuardRails()
        )
