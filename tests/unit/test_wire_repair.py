"""What Azure ML's scoring servers send, as the rows it should have been."""

import json
from datetime import datetime

import pytest

from services.app_insights import repair
from services.errors import InvalidRequestError


def envelope(kind, base, **rest):
    return {
        "name": "Microsoft.ApplicationInsights.X",
        "time": "2026-11-22T09:30:15.1234567Z",
        "iKey": "0",
        "tags": {"ai.cloud.role": "azmlinfsrv", "ai.operation.id": "op"},
        "data": {"baseType": kind, "baseData": {"ver": 2, **base}},
        **rest,
    }


AZMLINFSRV_1_5 = {  # as version 1.5.1 described a request that failed
    "id": "span",
    "name": "/score",
    "responseCode": "0",
    "success": True,
    "duration": "0.00:00:00.000000",
    "properties": {
        "Container Id": "c",
        "Request Id": "request-1",
        "Client Request Id": "",
        "name": "/score",
        "url": "http://localhost/score",
        "duration": "0:00:00.206000",
        "resultCode": "500",
        "success": "False",
        "http_method": "POST",
        "Service Name": "bank",
    },
}


def test_a_request_of_azures_server_tells_the_truth():
    table, values = repair.row(envelope("RequestData", AZMLINFSRV_1_5))

    assert table == "requests"
    assert values["resultCode"] == "500"
    assert values["success"] is False
    assert values["duration"] == pytest.approx(206)
    assert values["id"] == "request-1"
    assert values["cloud_RoleName"] == "bank"
    assert values["timestamp"] == datetime(2026, 11, 22, 9, 30, 15, 123456)


def test_a_request_without_properties_keeps_its_own_fields():
    base = {"id": "1", "responseCode": "404", "success": False, "duration": "00:00:00.005"}

    _, values = repair.row(envelope("RequestData", base))

    assert (values["resultCode"], values["success"], values["duration"]) == ("404", False, 5.0)
    assert values["cloud_RoleName"] == "azmlinfsrv"


def test_properties_packed_into_one_text_are_unpacked():
    base = {
        "exceptions": [{"typeName": "UserScriptException", "message": "boom"}],
        "properties": {"custom_dimensions": "{'Request Id': 'r', 'Service Name': 'bank'}"},
    }

    _, values = repair.row(envelope("ExceptionData", base))

    assert values["cloud_RoleName"] == "bank"
    assert "custom_dimensions" not in values["customDimensions"]


@pytest.mark.parametrize("packed", ["{'a': __import__('os')}", "{" * 500, "[1, 2]", "nonsense"])
def test_a_packed_text_that_is_no_dict_is_left_as_it_is(packed):
    base = {"message": "m", "properties": {"custom_dimensions": packed}}

    _, values = repair.row(envelope("MessageData", base))

    assert "custom_dimensions" in values["customDimensions"]


def test_what_old_images_print_is_found_in_its_property():
    base = {"message": "STDOUT", "properties": {"Content": "hello"}, "severityLevel": "Warning"}

    _, values = repair.row(envelope("MessageData", base))

    assert (values["message"], values["severityLevel"]) == ("hello", 2)


@pytest.mark.parametrize(
    ("sent", "kept"), [(2, 2), ("3", 3), ("Critical", 4), (None, None), (9, 4)]
)
def test_a_severity_is_read_in_every_spelling(sent, kept):
    _, values = repair.row(envelope("MessageData", {"message": "m", "severityLevel": sent}))

    assert values["severityLevel"] == kept


def test_an_exporters_report_about_itself_is_no_row():
    base = {"metrics": [{"name": "Item_Success_Count", "value": 3}]}

    assert repair.row(envelope("MetricData", base)) is None


def test_a_sampled_item_stands_for_those_that_were_left_out():
    base = {"id": "1", "responseCode": "200", "duration": "00:00:00.005"}

    _, values = repair.row(envelope("RequestData", base, sampleRate=25.0))

    assert values["itemCount"] == 4


def test_an_operation_of_zeros_is_none():
    tags = {"ai.operation.id": "0" * 32}

    _, values = repair.row(envelope("MessageData", {"message": "m"}, tags=tags))

    assert values["operation_Id"] == ""


def test_an_availability_test_belongs_to_the_deployment_it_is_named_after():
    base = {"id": "1", "name": "bank", "duration": "00:00:00.005", "success": "1"}

    _, values = repair.row(envelope("AvailabilityData", base))

    assert (values["cloud_RoleName"], values["success"]) == ("bank", True)


@pytest.mark.parametrize(
    ("item", "named"),
    [
        ({}, "baseType"),
        (envelope("RequestData", {"id": "1"}), "duration"),
        (envelope("ExceptionData", {}), "exceptions"),
        (envelope("PageViewData", {"name": "x"}), "PageViewData"),
        (envelope("EventData", {}), "name"),
        (envelope("EventData", {"name": "x"}, time="yesterday"), "yesterday"),
        (envelope("MetricData", {"metrics": [{"name": "m", "value": "much"}]}), "value"),
    ],
)
def test_an_item_that_cannot_be_kept_is_refused_by_name(item, named):
    with pytest.raises(InvalidRequestError, match=named):
        repair.row(item)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-22T09:30:15Z", datetime(2026, 11, 22, 9, 30, 15)),
        ("2026-11-22T09:30:15.1234567Z", datetime(2026, 11, 22, 9, 30, 15, 123456)),
        ("2026-11-22T09:30:15.5+02:00", datetime(2026, 11, 22, 7, 30, 15, 500000)),
        ("2026-11-22T09:30:15", datetime(2026, 11, 22, 9, 30, 15)),
    ],
)
def test_the_time_is_kept_in_utc_whatever_form_it_came_in(text, at):
    event = envelope("EventData", {"name": "e"}, time=text)

    assert repair.row(event).values["timestamp"] == at


@pytest.mark.parametrize("text", ["yesterday", "Z", "", "2026-11-22T09:30:15+02:00Z", 7, None])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(InvalidRequestError):
        repair.row(envelope("EventData", {"name": "e"}, time=text))


def test_properties_are_cut_and_made_storable_however_few_need_it():
    given = {"plain": "x", "long": "x" * 9000, "lone": "\ud800", "number": 3}

    found = repair.row(envelope("EventData", {"name": "e", "properties": given}))

    kept = json.loads(found.values["customDimensions"])
    assert kept == {"plain": "x", "long": "x" * 8192, "lone": "?", "number": "3"}
