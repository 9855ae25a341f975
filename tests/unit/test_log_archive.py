"""Tails of a log joined into one history."""

from hypothesis import given
from hypothesis import strategies as st

from services import log_archive

LINES = st.lists(st.sampled_from(["GET / 200", "tick", "boom", ""]), min_size=1, max_size=30)


def tails(log, ends, limit):
    return [log[max(0, end - limit) : end] for end in ends]


def stitched(each_tail):
    """Stretches without a gap."""
    stretches = [[]]
    for tail in each_tail:
        found = log_archive.joined(stretches[-1], tail)
        if found.gap:
            stretches.append([])
        stretches[-1].extend(found.new)
    return stretches


@given(steps=st.lists(st.integers(0, 12), min_size=1, max_size=20), limit=st.integers(1, 8))
def test_overlapping_tails_give_the_log_itself_and_a_gap_stands_where_lines_are_missing(
    steps, limit
):
    ends = [sum(steps[: place + 1]) for place in range(len(steps))]
    log = [f"2026-11-22 10:00:{number:02d} line {number}" for number in range(ends[-1])]

    stretches = stitched(tails(log, ends, limit))

    expected, reached = [[]], 0
    for end in ends:
        first = max(0, end - limit)
        if end == reached:
            continue
        if first >= reached and expected[-1]:  # nothing of what was known is in this tail
            expected.append([])
        expected[-1].extend(log[max(first, reached) : end])
        reached = end
    assert stretches == expected


@given(known=LINES, tail=LINES)
def test_whatever_the_lines_the_history_ends_with_the_tail_and_nothing_known_is_lost(known, tail):
    found = log_archive.joined(known, tail)

    history = [*([] if found.gap else known), *found.new]
    assert history[-len(tail) :] == tail
    assert found.gap or history[: len(known)] == known


@given(known=LINES, tail=LINES)
def test_the_overlap_is_the_longest_there_is(known, tail):
    longest = max(
        size
        for size in range(min(len(known), len(tail)) + 1)
        if known[len(known) - size :] == tail[:size]
    )

    assert log_archive.overlap(known, tail) == longest


def test_one_line_alike_is_no_overlap_unless_it_carries_an_instant():
    assert log_archive.joined(["a", "starting"], ["starting", "b"]).gap
    assert not log_archive.joined(["a", "10:00:01 starting"], ["10:00:01 starting", "b"]).gap


def test_a_line_that_has_not_ended_is_not_kept_yet():
    assert log_archive.lines("one\r\ntwo\nthr") == ("one", "two")
    assert log_archive.lines("") == ()
