"""Settings: which workspace is open, what keeps it going, what it runs on."""

from __future__ import annotations


def test_it_opens(open_page):
    page = open_page("settings")

    assert not page.exception
    assert page.title[0].value == "Settings"


def test_an_address_chooses_the_time_window(open_page):
    page = open_page("settings", window="7d")

    assert page.selectbox(key="window").value == "7d"


def test_an_unknown_window_in_an_address_falls_back(open_page):
    page = open_page("settings", window="7000d")

    assert not page.exception
    assert page.selectbox(key="window").value == "24h"
