"""A schedule's past, as far as the changes made from here lead back without a gap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.domain import AssetStatus, Frequency, Recurrence, Schedule, Stretch
from services.schedule_changes import Change, with_past

CREATED = datetime(2024, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def schedule(days: float | None, *, active: bool = True) -> Schedule:
    return Schedule(
        id="s",
        name="nightly",
        status=AssetStatus.ACTIVE if active else AssetStatus.DISABLED,
        recurrence=Recurrence(frequency=Frequency.DAY),
        experiment="e",
        pipeline_id="p",
        created_at=CREATED,
        changed_at=None if days is None else CREATED + days * DAY,
    )


def change(before: float, after: float, *, active: bool = True, same: bool = True) -> Change:
    return Change(
        schedule_id="s",
        was_changed_at=CREATED + before * DAY,
        changed_at=CREATED + after * DAY,
        was_active=active,
        same_recurrence=same,
    )


def stretch(start: float, end: float | None = None) -> Stretch:
    return Stretch(start=CREATED + start * DAY, end=None if end is None else CREATED + end * DAY)


def test_without_a_note_only_what_followed_the_last_change_is_known():
    assert with_past(schedule(3), []).stretches == (stretch(3),)
    assert with_past(schedule(3), []).known_since == CREATED + 3 * DAY
    assert with_past(schedule(3, active=False), []).stretches == ()


def test_a_pause_from_here_is_a_gap_between_two_stretches():
    changes = [change(4, 5, active=False), change(0, 4)]

    known = with_past(schedule(5), changes)

    assert known.stretches == (stretch(0, 4), stretch(5))
    assert known.known_since == CREATED


def test_a_change_elsewhere_breaks_the_chain():
    """It was found changed on day 2, and the note before it had left it on day 1."""
    changes = [change(2, 4), change(0, 1)]

    known = with_past(schedule(4), changes)

    assert known.stretches == (stretch(2, 4), stretch(4))
    assert known.known_since == CREATED + 2 * DAY


def test_changed_elsewhere_since_then_nothing_earlier_is_known():
    known = with_past(schedule(6), [change(4, 5, active=False), change(0, 4)])

    assert known.known_since == CREATED + 6 * DAY


def test_before_it_got_this_recurrence_nothing_is_expected():
    known = with_past(schedule(5), [change(4, 5), change(0, 4, same=False)])

    assert known.stretches == (stretch(4, 5), stretch(5))


def test_without_any_time_nothing_is_known():
    nameless = Schedule(
        id="s", name="n", status=AssetStatus.ACTIVE, experiment="e", pipeline_id="p",
        recurrence=Recurrence(frequency=Frequency.DAY),
    )  # fmt: skip

    assert with_past(nameless, [change(0, 1)]) == nameless


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans()), max_size=30))
def test_whatever_was_noted_stretches_are_in_order_and_apart(noted):
    found = with_past(schedule(9), [change(a, b, active=on) for a, b, on in noted]).stretches

    assert found[-1].end is None
    for one, following in zip(found, found[1:], strict=False):
        assert one.start < one.end <= following.start
