"""Captured inputs and outputs, as scoring scripts print them."""

import json
from datetime import UTC, datetime

import pytest

from services.app_insights import captured, repair, wire

AT = datetime(2026, 11, 22, tzinfo=UTC)


def row(text, **properties):
    return {
        "timestamp": AT,
        "service": "bank",
        "severity": 1,
        "text": text,
        "request_id": "r",
        "properties": json.dumps(properties),
    }


def test_a_printed_input_and_output_appear_parsed():
    printed = json.dumps({"input": {"data": [{"age": 38}]}, "output": ["no"]})

    (found,) = captured.read([row(printed)])

    assert (found.input, found.output) == ('{"data": [{"age": 38}]}', '["no"]')
    assert (found.deployment, found.request_id, found.at) == ("bank", "r", AT)
    assert not found.truncated
    assert not found.near_limit


def test_a_70_kb_payload_is_flagged_after_the_service_has_cut_it():
    printed = json.dumps({"input": "x" * 70_000, "output": ["no"]})
    stored = repair.row(wire.trace_envelope(at=AT, message=printed)).values

    (found,) = captured.read([row(stored["message"], **json.loads(stored["customDimensions"]))])

    assert found.truncated
    assert found.size_bytes == len(printed)
    assert found.input.startswith('{"input": "xxx')


def test_a_payload_cut_by_azure_itself_is_flagged_too():
    (found,) = captured.read([row(json.dumps({"input": "x" * 70_000})[: wire.MESSAGE_LIMIT])])

    assert found.truncated


def test_a_payload_cut_by_the_scoring_server_is_flagged_however_short_it_is_now():
    (found,) = captured.read([row('{"input": {"data": [{"a', **{"Truncated From": "90000"})])

    assert found.truncated
    assert found.size_bytes == 90_000


def test_a_payload_near_the_limit_is_warned_about():
    (found,) = captured.read([row(json.dumps({"input": "x" * 30_000}))])

    assert found.near_limit
    assert not found.truncated


def test_model_data_collection_is_read_from_its_properties():
    (found,) = captured.read([row("model_data_collection", Input="[1]", Prediction="[0]")])

    assert (found.input, found.output) == ("[1]", "[0]")


def test_properties_packed_into_one_text_are_found():
    packed = "{'Input': '[1]', 'Prediction': '[0]'}"

    (found,) = captured.read([row("model_data_collection", custom_dimensions=packed)])

    assert (found.input, found.output) == ("[1]", "[0]")


@pytest.mark.parametrize("text", ["{not json", '{"level": "info"}', "{}", "[1]"])
def test_other_lines_are_no_captured_rows(text):
    assert captured.read([row(text)]) == ()


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"age": 38}, {"age": 40}]},
        {"Inputs": {"data": [{"age": 38}, {"age": 40}]}, "GlobalParameters": {}},
        [{"age": 38}, {"age": 40}],
    ],
)
def test_the_rows_that_were_scored_are_found_in_every_shape_azure_takes(body):
    found = captured.read([row(json.dumps({"input": body, "output": []}))])

    assert captured.scored_rows(found, "bank") == [{"age": 38}, {"age": 40}]
    assert captured.scored_rows(found, "another") == []


@pytest.mark.parametrize("body", ["plain text", 7, {"data": 7}, {"data": ["row"]}, []])
def test_an_input_without_rows_holds_none(body):
    found = captured.read([row(json.dumps({"input": body, "output": ["no"]}))])

    assert captured.scored_rows(found, "bank") == []
