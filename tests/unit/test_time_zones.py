"""Azure's zone names and the IANA zones behind them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from services import time_zones
from services.errors import InvalidRequestError


def test_every_zone_is_one_the_system_knows():
    for zone in time_zones.AZURE_ZONES.values():
        assert ZoneInfo(zone).key == zone


@pytest.mark.parametrize("zone", time_zones.OFFERED)
def test_an_offered_zone_goes_to_azure_and_comes_back(zone):
    assert time_zones.iana_name(time_zones.azure_name(zone)) == zone


@pytest.mark.parametrize(
    ("zone", "azure"),
    [
        ("Europe/Berlin", "W. Europe Standard Time"),
        ("America/New_York", "Eastern Standard Time"),
        ("Asia/Kolkata", "India Standard Time"),
        ("Asia/Kamchatka", "Russia Time Zone 11"),
        ("Etc/GMT+2", "UTC-02"),
        ("UTC", "UTC"),
    ],
)
def test_zones_have_the_names_azure_uses(zone, azure):
    assert time_zones.azure_name(zone) == azure


@pytest.mark.parametrize(
    ("zone", "offered"),
    [
        ("Europe/Rome", "Europe/Berlin"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("America/Toronto", "America/New_York"),
        ("Etc/UTC", "UTC"),
        ("Europe/Berlin", "Europe/Berlin"),
        ("Antarctica/Troll", None),
        ("Mars/Base", None),
        ("", None),
    ],
)
def test_a_browsers_zone_finds_one_with_the_same_clock(zone, offered):
    assert time_zones.azure_equivalent(zone) == offered


def test_a_name_azure_does_not_use_is_refused():
    with pytest.raises(InvalidRequestError, match="Mars Standard Time"):
        time_zones.iana_name("Mars Standard Time")
