"""Numbers and instants as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import formats

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.004, "0.00 ms"),
        (0.84, "0.84 ms"),
        (9.994, "9.99 ms"),
        (9.996, "10.0 ms"),
        (12.34, "12.3 ms"),
        (99.96, "100 ms"),
        (250.4, "250 ms"),
        (999.4, "999 ms"),
        (999.6, "1.00 s"),
        (2919.946, "2.92 s"),
        (59_400, "59 s"),
        (59_600, "1 min"),
        (125_000, "2 min 5 s"),
        (None, "–"),
    ],
)
def test_a_duration_keeps_three_digits(value, text):
    assert formats.milliseconds(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (48, "48 s"), (3600, "1 h"), (11_520, "3 h 12 min"), (353_000, "4 d 2 h")],
)
def test_a_length_of_time_has_its_two_largest_units(seconds, text):
    assert formats.duration(timedelta(seconds=seconds)) == text


def test_units_that_are_not_neighbours_are_not_joined():
    assert formats.duration(timedelta(days=1, seconds=5)) == "1 d"


@pytest.mark.parametrize(
    ("number", "text"),
    [(950, "950"), (999.6, "1 k"), (32_950, "33 k"), (1_250_000, "1.25 M"), (None, "–")],
)
def test_a_large_number_is_shortened(number, text):
    assert formats.compact(number) == text


def test_counts_percents_sizes_and_scores():
    assert formats.count(32_950) == "32,950"
    assert formats.plural(1, "row") == "1 row"
    assert formats.plural(2, "entry", "entries") == "2 entries"
    assert formats.percent(0.07) == "7.0 %"
    assert formats.size(4_200_000) == "4.2 MB"
    assert formats.size(12) == "12 B"
    assert formats.metric(0.94641) == "0.9464"


def test_nothing_is_a_dash_and_never_zero():
    assert {f(None) for f in (formats.count, formats.percent, formats.size, formats.metric)} == {
        "–"
    }


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (NOON - timedelta(hours=1), "12:00:00"),
        (NOON - timedelta(days=2), "20 Nov, 13:00"),
        (NOON - timedelta(days=400), "18 Oct 2025, 14:00"),
        (NOON.replace(hour=23, minute=30) - timedelta(days=1), "00:30:00"),
    ],
)
def test_an_instant_is_told_in_the_viewers_zone(at, text):
    assert formats.instant(at, zone=BERLIN, now=NOON) == text


def test_the_hover_tells_it_in_utc():
    assert formats.utc(NOON.astimezone(BERLIN)) == "2026-11-22 12:00:00 UTC"


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=2), "just now"),
        (timedelta(minutes=3, seconds=20), "3 min ago"),
        (timedelta(hours=-2), "in 2 h"),
        (timedelta(days=4, hours=3), "4 d ago"),
    ],
)
def test_an_age_is_one_unit(ago, text):
    assert formats.age(NOON - ago, now=NOON) == text


@given(st.text())
def test_markup_of_unknown_origin_stays_text(text):
    escaped = formats.plain(text)

    assert escaped.replace("\\\\", "").count("<") == escaped.replace("\\\\", "").count("\\<")
    assert len(escaped) >= len(text)


def test_a_name_that_is_markup_is_shown_as_it_stands():
    assert formats.plain("<b>*a*</b>") == "\\<b\\>\\*a\\*\\</b\\>"
