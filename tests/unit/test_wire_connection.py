"""Application Insights' connection strings."""

import pytest

from services.app_insights.connection import Connection
from services.errors import InvalidRequestError


def test_a_connection_string_is_read_and_written():
    text = "InstrumentationKey=abc;IngestionEndpoint=https://westus.in.example/;ApplicationId=app"

    read = Connection.parse(text)

    assert read == Connection(
        instrumentation_key="abc",
        ingestion_endpoint="https://westus.in.example/",
        application_id="app",
    )
    assert Connection.parse(str(read)) == read


def test_the_public_endpoint_is_meant_when_none_is_named():
    assert Connection.parse("InstrumentationKey=abc;").ingestion_endpoint.startswith("https://dc.")


def test_an_endpoint_ends_with_one_slash():
    read = Connection.parse("instrumentationkey=abc; ingestionendpoint=http://127.0.0.1:80")

    assert read.ingestion_endpoint == "http://127.0.0.1:80/"


@pytest.mark.parametrize(
    "text",
    ["", "abc", "IngestionEndpoint=http://x/", "InstrumentationKey=a;IngestionEndpoint=ftp://x"],
)
def test_a_string_that_names_no_place_is_refused(text):
    with pytest.raises(InvalidRequestError):
        Connection.parse(text)


def test_the_key_is_not_in_what_is_printed():
    assert "abc" not in repr(Connection.parse("InstrumentationKey=abc"))
