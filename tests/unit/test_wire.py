"""The Application Insights wire format: what is built, and what is read from anybody."""

import gzip
import json
import math
from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.app_insights import repair, wire
from services.errors import InvalidRequestError

AT = datetime(2026, 11, 22, 9, 30, 15, 123456, tzinfo=UTC)

texts = st.text(max_size=40)
durations = st.floats(min_value=0, max_value=40 * 86_400_000, allow_nan=False)
instants = st.datetimes(
    min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)
)


def envelopes():
    properties = st.dictionaries(texts, texts, max_size=4)
    measurements = st.dictionaries(texts, st.floats(allow_nan=False), max_size=3)
    return st.one_of(
        st.builds(
            wire.request_envelope,
            at=instants,
            request_id=texts,
            name=texts,
            url=texts,
            duration_ms=durations,
            result_code=st.sampled_from(["200", "400", "401", "500"]),
            properties=properties,
            measurements=measurements,
        ),
        st.builds(
            wire.trace_envelope,
            at=instants,
            message=texts,
            severity=st.integers(0, 4),
            operation_id=texts,
            properties=properties,
        ),
        st.builds(
            wire.availability_envelope,
            at=instants,
            test_id=texts,
            name=texts.filter(bool),
            duration_ms=durations,
            success=st.booleans(),
            location=texts,
        ),
        st.builds(wire.event_envelope, at=instants, name=texts.filter(bool), properties=properties),
    )


# --- durations and instants ---


@settings(deadline=None)
@given(durations)
def test_a_duration_survives_the_wire_to_the_microsecond(duration_ms):
    assert wire.duration_ms(wire.duration_text(duration_ms)) == pytest.approx(
        duration_ms, abs=0.0006
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00:00:00.206", 206.0),
        ("0.00:00:00.005", 5.0),
        ("1.02:03:04.5000000", 93_784_500.0),
        ("23:59:59", 86_399_000.0),
    ],
)
def test_durations_as_the_sdks_write_them_are_understood(text, expected):
    assert wire.duration_ms(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "206", "1:2", "-00:00:01", "00:00:01.1.1", "x" * 1000])
def test_a_text_that_is_no_duration_is_refused(text):
    with pytest.raises(InvalidRequestError, match="no duration"):
        wire.duration_ms(text)


@settings(deadline=None)
@given(st.datetimes(min_value=datetime(1970, 1, 2), timezones=st.just(UTC)), st.integers(-12, 14))
def test_an_instant_survives_the_wire_whatever_its_zone(at, offset):
    there = timezone(timedelta(hours=offset))
    try:
        local = at.astimezone(there)
    except OverflowError:
        return

    assert wire.instant(wire.instant_text(local)) == at


@pytest.mark.parametrize("digits", range(8))
def test_an_instant_may_have_up_to_seven_digits_of_a_second(digits):
    fraction = "." + "1234567"[:digits] if digits else ""

    read = wire.instant(f"2026-11-22T09:30:15{fraction}Z")

    assert abs(read - AT.replace(microsecond=0)).total_seconds() < 0.2


# --- posted bodies ---


@settings(deadline=None)
@given(st.lists(envelopes(), min_size=1, max_size=5), st.booleans(), st.booleans())
def test_what_is_built_is_read_back_in_every_form_a_body_may_have(items, lines, zipped):
    body = (
        b"\n".join(orjson.dumps(each) for each in items)
        if lines
        else json.dumps(items).encode("utf-8")
    )

    read = wire.decode(
        gzip.compress(body) if zipped else body, content_encoding="gzip" if zipped else ""
    )

    assert list(read.items) == items


@settings(deadline=None)
@given(envelopes())
def test_what_is_built_becomes_a_row_with_every_stored_column(envelope):
    from services.local.telemetry import tables

    table, values = repair.row(envelope)

    assert set(values) == set(tables.STORED[table])
    assert values["timestamp"] == wire.instant(envelope["time"]).replace(tzinfo=None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(JSON)
def test_whatever_json_comes_is_read_or_refused_with_a_sentence(value):
    body = json.dumps(value).encode()
    try:
        items = wire.decode(body).items
    except InvalidRequestError as error:
        assert str(error).endswith((".", "send gzip."))
        return
    for item in items:
        if isinstance(item, dict):
            with pytest.raises(InvalidRequestError):
                repair.row(item)


@settings(deadline=None)
@given(envelopes(), st.data())
def test_an_item_with_one_field_spoilt_is_a_row_or_a_sentence(envelope, data):
    base = envelope["data"]["baseData"]
    field = data.draw(st.sampled_from(sorted(base)))
    base[field] = data.draw(JSON)
    try:
        row = repair.row(wire.decode(json.dumps(envelope).encode()).items[0])
    except InvalidRequestError as error:
        assert str(error)
        return
    orjson.dumps({name: str(value) for name, value in row.values.items()})


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["", "gzip", "deflate", "br"]))
def test_bytes_that_are_no_telemetry_never_do_more_than_be_refused(body, encoding):
    try:
        wire.decode(body, content_encoding=encoding)
    except InvalidRequestError as error:
        assert str(error)


def test_a_body_that_inflates_beyond_the_limit_is_refused_before_it_fills_the_memory():
    bomb = gzip.compress(b" " * 5_000_000)

    with pytest.raises(wire.BodyTooLargeError):
        wire.decode(bomb, content_encoding="gzip", limit_bytes=1_000_000)


def test_a_truncated_gzip_is_refused():
    with pytest.raises(InvalidRequestError, match="too early"):
        wire.decode(gzip.compress(b'[{"a": 1}]' * 50)[:-9], content_encoding="gzip")


def test_one_bad_line_does_not_spoil_its_neighbours():
    read = wire.decode(b'{"a": 1}\nnonsense\n{"b": 2}\n')

    assert read.items == ({"a": 1}, "The line is not JSON.", {"b": 2})


def test_numbers_python_writes_and_json_forbids_are_read():
    (item,) = wire.decode(b'[{"value": NaN}]').items

    assert math.isnan(item["value"])


@pytest.mark.parametrize(
    ("errors", "status", "accepted"),
    [({}, 200, 3), ({1: "x"}, 206, 2), ({0: "x", 1: "x", 2: "x"}, 400, 0)],
)
def test_the_answer_says_how_many_were_taken(errors, status, accepted):
    answered, body = wire.answer(3, errors)

    assert (answered, body["itemsReceived"], body["itemsAccepted"]) == (status, 3, accepted)
    assert [each["index"] for each in body["errors"]] == sorted(errors)


# --- what is sent ---


def test_a_message_beyond_the_services_limit_is_cut_and_says_so():
    envelope = wire.trace_envelope(at=AT, message="x" * 70_000)

    base = envelope["data"]["baseData"]
    assert len(base["message"]) == wire.MESSAGE_LIMIT
    assert base["properties"]["Truncated From"] == "70000"


@pytest.mark.parametrize(
    ("code", "success"),
    [("200", True), ("399", True), ("400", False), ("503", False), ("0", False)],
)
def test_a_request_succeeded_when_its_status_is_below_400(code, success):
    envelope = wire.request_envelope(
        at=AT, request_id="1", name="", url="", duration_ms=1, result_code=code
    )

    assert envelope["data"]["baseData"]["success"] is success


def test_an_exception_carries_its_stack_innermost_call_first():
    def inner():
        raise ValueError("no such column")

    try:
        inner()
    except ValueError as error:
        envelope = wire.exception_envelope(at=AT, error=error, operation_id="42")

    (told,) = envelope["data"]["baseData"]["exceptions"]
    assert (told["typeName"], told["message"]) == ("ValueError", "no such column")
    assert told["parsedStack"][0]["method"] == "inner"
    assert envelope["tags"]["ai.operation.id"] == "42"
