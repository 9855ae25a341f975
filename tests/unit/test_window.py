"""The time window every page follows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import streamlit as st
from hypothesis import given, strategies

from dashboard import shell

MOMENTS = strategies.datetimes(
    min_value=datetime(2020, 1, 1), max_value=datetime(2035, 1, 1), timezones=strategies.just(UTC)
)


@given(MOMENTS)
def test_it_holds_the_whole_span_up_to_now_and_starts_on_a_whole_bin(now):
    window = shell.window(now=now)

    assert window.end - timedelta(seconds=5) < now <= window.end
    assert window.length >= timedelta(hours=24)
    assert window.length < timedelta(hours=24) + window.bin
    assert window.start.timestamp() % window.bin.total_seconds() == 0


def test_reruns_of_one_moment_ask_the_same_question():
    now = datetime(2026, 11, 22, 12, 0, 1, tzinfo=UTC)

    assert shell.window(now=now) == shell.window(now=now + timedelta(seconds=3))


@pytest.mark.parametrize("span", ["1h", "6h", "24h", "7d", "30d"])
def test_no_window_draws_more_points_than_a_chart_can_show(span, monkeypatch):
    monkeypatch.setitem(st.session_state, "window", span)

    window = shell.window()

    assert 24 <= window.length / window.bin <= 200
