"""Keys: which are accepted, and for how long."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from services.local.serving.keyring import KeyRing

NOW = datetime(2024, 5, 1, 9, 0, tzinfo=UTC)
RING = KeyRing(required=True, primary=b"first", secondary=b"second")


@pytest.mark.parametrize(
    "header", [b"Bearer first", b"Bearer second", b"bearer first", b"BEARER  first "]
)
def test_either_key_is_accepted(header):
    assert RING.accepts(header, NOW)


@pytest.mark.parametrize(
    "header",
    [b"", b"first", b"Bearer", b"Bearer ", b"Bearer firs", b"Bearer first2", b"Basic first",
     b"Bearer \xff\xfe", b"Bearer first second", b"Bearerfirst"],
)  # fmt: skip
def test_nothing_else_is(header):
    assert not RING.accepts(header, NOW)


def test_without_keys_everybody_is_accepted():
    assert KeyRing(required=False).accepts(b"", NOW)


def test_before_the_keys_are_known_nobody_is():
    assert not KeyRing(required=True, primary=b"x").accepts(b"Bearer ", NOW)


def test_a_temporary_key_is_accepted_until_its_end():
    lent = {hashlib.sha256(b"lent").hexdigest(): NOW + timedelta(seconds=10)}
    ring = KeyRing(required=True, primary=b"first", secondary=b"second", temporary=lent)

    assert ring.accepts(b"Bearer lent", NOW)
    assert not ring.accepts(b"Bearer lent", NOW + timedelta(seconds=10))
    assert not ring.accepts(b"Bearer another", NOW)


def test_a_keys_text_is_in_no_description_of_the_ring():
    assert "first" not in repr(RING)
