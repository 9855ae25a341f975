"""When a load test ends by itself."""

from __future__ import annotations

from services.load_test_stop import FailureWatch, StallWatch


def stopped_after(limit_pct, answers) -> int | None:
    """After how many answers it is to stop."""
    watch = FailureWatch(limit_pct)
    for number, failed in enumerate(answers, 1):
        watch.note(failed, "status 503")
        if watch.reason:
            return number
    return None


def test_one_in_five_failing_stops_within_ten():
    assert stopped_after(20.0, [number % 5 == 0 for number in range(1, 1000)]) == 10


def test_one_failure_alone_never_stops():
    assert stopped_after(20.0, [True] + [False] * 500) is None


def test_one_in_ten_failing_goes_on():
    assert stopped_after(20.0, [number % 10 == 0 for number in range(1, 1000)]) is None


def test_a_deployment_that_breaks_late_is_noticed_by_its_last_fifty():
    assert stopped_after(20.0, [False] * 10_000 + [True] * 100) == 10_010


def test_switched_off_it_never_stops():
    assert stopped_after(None, [True] * 1000) is None


def test_the_reason_says_how_many_and_what():
    watch = FailureWatch(20.0)
    watch.note(True, "status 503")
    watch.note(True, "status 503")

    assert watch.reason == (
        "It stopped by itself: 2 of 2 requests failed (status 503), and 20 % is the limit."
    )


def test_answers_that_keep_coming_are_waited_for():
    watch = StallWatch(timeout_s=10, seconds=None, printed_at_once=1)

    for count in range(100):
        watch.note(count, 20.0 * count)

    assert watch.reason == ""


def test_an_answer_without_end_ends_the_test():
    watch = StallWatch(timeout_s=10, seconds=None, printed_at_once=1)
    watch.note(7, 0.0)

    watch.note(7, 25.0)
    assert watch.reason == ""
    watch.note(7, 25.1)

    assert "time limit of 10 s" in watch.reason


def test_a_test_limited_by_time_is_not_waited_for_much_longer():
    watch = StallWatch(timeout_s=1, seconds=3, printed_at_once=30)

    for count, now_s in enumerate((0.0, 9.0, 9.9)):
        watch.note(count, now_s)
        assert watch.reason == ""
    watch.note(3, 10.1)

    assert watch.reason
