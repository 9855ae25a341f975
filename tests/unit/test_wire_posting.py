"""Posting telemetry: through a proxy to real hosts, never to this machine's own loopback."""

from urllib.parse import urlsplit

import pytest

from services.app_insights.connection import Connection
from services.app_insights.posting import Posting, proxy_for
from tests.unit.http_service import scripted

TAKEN = (200, {"itemsReceived": 1, "itemsAccepted": 1, "errors": []}, {})
REMOTE = Connection(instrumentation_key="k", ingestion_endpoint="http://ingest.example/")


@pytest.fixture
def service():
    with scripted() as service:
        service.answers.append(TAKEN)
        yield service


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@pytest.fixture
def post():
    posting = Posting()

    def post(connection):
        return posting.post(connection, b"{}\n", name="batch", attempt=1, timeout_s=5.0)

    yield post
    posting.close()


def test_a_real_host_is_asked_through_the_proxy(service, post, surroundings):
    surroundings.setenv("http_proxy", service.address)

    status, _, told = post(REMOTE)

    assert (status, told["itemsAccepted"]) == (200, 1)
    assert service.asked[0][0] == "http://ingest.example/v2.1/track"
    assert service.asked[0][1]["Host"] == "ingest.example"


def test_the_proxy_is_told_who_asks(service, post, surroundings):
    surroundings.setenv("http_proxy", service.address.replace("//", "//me:s%40cret@"))

    post(REMOTE)

    assert service.asked[0][1]["Proxy-Authorization"] == "Basic bWU6c0BjcmV0"


def test_loopback_is_never_asked_through_a_proxy(service, post, surroundings):
    surroundings.setenv("http_proxy", "http://127.0.0.1:9")
    here = Connection(instrumentation_key="k", ingestion_endpoint=f"{service.address}/")

    assert post(here)[0] == 200
    assert service.asked[0][0] == "/v2.1/track"


def test_a_tunnel_that_is_refused_is_an_outage_and_shows_no_credentials(
    service, post, surroundings
):
    surroundings.setenv("https_proxy", service.address.replace("//", "//me:secret@"))
    remote = Connection(instrumentation_key="k", ingestion_endpoint="https://ingest.example/")

    with pytest.raises(OSError, match="501") as refused:  # the service knows no CONNECT
        post(remote)

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "environment", "proxy"),
    [
        ("https://ingest.example/", {}, None),
        ("https://ingest.example/", {"https_proxy": "http://proxy:3128"}, "proxy:3128"),
        ("https://ingest.example/", {"https_proxy": "proxy:3128"}, "proxy:3128"),
        ("https://ingest.example/", {"http_proxy": "http://proxy:3128"}, None),
        (
            "https://ingest.example/",
            {"https_proxy": "http://proxy:3128", "no_proxy": ".example"},
            None,
        ),
        ("http://localhost:8080/", {"http_proxy": "http://proxy:3128"}, None),
        ("http://127.0.0.1:8080/", {"http_proxy": "http://proxy:3128"}, None),
        ("http://[::1]:8080/", {"http_proxy": "http://proxy:3128"}, None),
        ("http://localhost.example/", {"http_proxy": "http://proxy:3128"}, "proxy:3128"),
    ],
)
def test_the_environment_says_which_proxy(address, environment, proxy, surroundings):
    for name, value in environment.items():
        surroundings.setenv(name, value)

    found = proxy_for(urlsplit(address))

    assert (found.netloc if found else None) == proxy
