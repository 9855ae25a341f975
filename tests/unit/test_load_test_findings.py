"""What the figures of a load test mean."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services import apache_bench
from services import load_test_findings as findings
from services.domain import AnswerTally, LoadTest, LoadTestState
from services.load_test_findings import Side
from tests.ab_reports import WITH_FAILURES

REPORT = apache_bench.read_report(WITH_FAILURES)
AT = datetime(2026, 1, 1, tzinfo=UTC)


def outcome(report=REPORT, answers=None) -> LoadTest:
    return LoadTest(
        id="1",
        name="t",
        state=LoadTestState.COMPLETED,
        created_at=AT,
        started_at=AT,
        ended_at=AT,
        deployment=None,
        model_id=None,
        plan=None,
        payload_sha256=None,
        done_count=200,
        report=report,
        answers=answers,
        semantic_failure_count=answers.semantic_failure_count if answers else None,
    )


def test_causes_go_from_the_connection_inwards_and_only_those_that_occurred():
    answers = AnswerTally(
        result_codes={"200": 170, "429": 10, "503": 20}, semantic_failure_count=4, unlike_count=1
    )

    found = findings.causes(outcome(answers=answers))

    assert [(each.side, each.name, each.count) for each in found] == [
        (Side.CLIENT, "Connect", 1),
        (Side.CLIENT, "Receive", 9),
        (Side.CLIENT, "Exceptions", 7),
        (Side.CLIENT, "Write errors", 2),
        (Side.STATUS, "Status 429", 10),
        (Side.STATUS, "Status 503", 20),
        (Side.SEMANTIC, "Error inside a 200", 4),
        (Side.SEMANTIC, "Unlike the checked answer", 1),
    ]


def test_a_report_without_answers_still_knows_how_many_were_not_2xx():
    assert ("Status not 2xx", 30) in [
        (each.name, each.count) for each in findings.causes(outcome())
    ]


def test_an_answer_counted_twice_by_ab_is_one_failure():
    # Without -l an error page fails by its length and by its status.
    report = replace(REPORT, failures={"Length": 30}, failed_count=30, non_2xx_count=30)

    assert findings.failure_count(outcome(report)) == 30


def test_failures_of_different_kinds_add_up():
    answers = AnswerTally(result_codes={"200": 170, "503": 30}, semantic_failure_count=4)

    assert findings.failure_count(outcome(answers=answers)) == 17 + 30 + 4


def test_connections_that_failed_count_among_what_was_tried():
    report = replace(REPORT, failures={"Connect": 200}, failed_count=200, non_2xx_count=0)

    assert findings.failure_share(outcome(report)) == 0.5


def test_nothing_measured_has_no_failures_and_no_share():
    assert findings.causes(outcome(None)) == ()
    assert findings.failure_share(outcome(None)) is None


def test_the_margin_is_sixty_seconds_less_the_slowest_request():
    assert findings.margin_ms(REPORT) == 60_000 - 160
    assert findings.margin_ms(replace(REPORT, max_ms=61_000)) == -1_000


@pytest.mark.parametrize(
    ("rank", "count", "said"),
    [
        (95, 10, "p95 not supported by 10 samples: it needs 59"),
        (95, 59, ""),
        (99, 298, "p99 not supported by 298 samples: it needs 299"),
        (99, 299, ""),
    ],
)
def test_a_percentile_says_when_the_sample_is_too_small(rank, count, said):
    assert findings.unsupported(rank, replace(REPORT, complete_count=count)) == said
