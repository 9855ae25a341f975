"""Our scoring server beside Azure's own, on the same model and the same bodies.

Where Azure's contract is kept, status and body are equal to the byte. Where it is not, that is
on purpose, and the second list says how: each line is a known defect of its server.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests

from tests import azure_server, scoring_models
from tests.azure_server import AzureServer
from tests.scoring_home import ScoringHome

pytestmark = pytest.mark.skipif(not azure_server.installed(), reason=azure_server.MISSING)

ROW = scoring_models.ROW


def body(*rows, **more) -> bytes:
    return scoring_models.payload(*rows, **more).encode()


SAME = {
    "one row": body(ROW),
    "several rows": body(*({**ROW, "age": age} for age in range(18, 90, 3))),
    "probabilities": body(ROW, {**ROW, "age": 80}, method="predict_proba"),
    "columns in another order": body(dict(reversed(ROW.items()))),
    "a category never seen": body({**ROW, "job": "astronaut"}),
    "a gap where there were gaps": body({**ROW, "balance": None}),
    "not a number": body({**ROW, "balance": float("nan")}),
    "a number as text": body({**ROW, "age": "57"}),
    "something beside the data": body(ROW, GlobalParameters=1),
    "space around it": b"  " + body(ROW) + b"\n",
    "nothing": b"",
    "half a document": b'{"data": [',
    "no JSON": b"age=41",
    "a list": b"[1, 2]",
    "a text": b'"rows"',
    "null": b"null",
    "no data": b'{"rows": []}',
    "bytes that are no text": b"\xff\xfe",
}

BETTER = {  # what Azure's server answers, what ours does, and what ours says
    "a missing column": (body({"age": 41}), 500, 400, "“job” is missing"),
    "a stranger": (body({**ROW, "stranger": 1}), 500, 400, "“stranger” is not a column"),
    "a word for a number": (body({**ROW, "age": "old"}), 500, 400, "“age” must be"),
    "a gap where there was none": (body({**ROW, "age": None}), 500, 400, "“age” is empty"),
    "no rows": (b'{"data": []}', 500, 400, "“data” is empty"),
    "a row alone": (json.dumps({"data": ROW}).encode(), 500, 400, "must be a list of rows"),
    "an unknown method": (body(ROW, method="explain"), 500, 400, "“method” must be"),
    "a word for a truth value": (body({**ROW, "contacted": "maybe"}), 200, 400, "“contacted” must"),
}


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureServer]:
    place = tmp_path_factory.mktemp("azure")
    model = scoring_models.write(place / "model", scoring_models.fitted("logistic"))
    with azure_server.serving(model, place / "server") as server:
        yield server


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = ScoringHome(tmp_path_factory.mktemp("workspace"))
    scoring_models.register(home.path, home.workspace.store, "bank:1", "logistic")
    home.start()
    home.deploy("oracle", auth=False)
    yield home.deployments.get("oracle").scoring_uri.removesuffix("/score")
    home.end()


def score(server: str, content: bytes, **headers: str) -> requests.Response:
    headers = {"content-type": "application/json", **headers}
    return requests.post(f"{server}/score", data=content, headers=headers, timeout=30)


@pytest.mark.parametrize("content", SAME.values(), ids=SAME)
def test_status_and_body_are_azures(oracle, ours, content):
    theirs, own = score(oracle.uri, content), score(ours, content)

    assert own.status_code == theirs.status_code
    if b"predict_proba" in content:  # two ways to compute one number
        probabilities = [json.loads(each.json())["result"] for each in (theirs, own)]
        assert probabilities[1] == [pytest.approx(row, abs=1e-4) for row in probabilities[0]]
    else:
        assert own.content == theirs.content
    assert own.headers["content-type"] == theirs.headers["content-type"]


@pytest.mark.parametrize("case", BETTER.values(), ids=BETTER)
def test_a_known_defect_of_azures_server_is_not_copied(oracle, ours, case):
    content, theirs, own, sentence = case

    assert score(oracle.uri, content).status_code == theirs
    answer = score(ours, content)
    assert answer.status_code == own
    assert sentence in answer.json()["message"]


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/", {}),
        ("GET", "/", {"x-request-id": "mine"}),
        ("GET", "/", {"x-request-id": "x" * 101}),
        ("GET", "/", {"x-ms-request-id": "x" * 101}),
        ("POST", "/", {}),
        ("PUT", "/score", {}),
        ("DELETE", "/score", {}),
        ("OPTIONS", "/score", {}),
        ("POST", "/score", {"content-type": "text/plain"}),
        ("POST", "/score", {}),
        ("POST", "/swagger.json", {}),
    ],
)
def test_routes_and_refusals_are_azures(oracle, ours, method, path, headers):
    theirs, own = (
        requests.request(method, f"{server}{path}", headers=headers, timeout=30)
        for server in (oracle.uri, ours)
    )

    assert (own.status_code, own.content) == (theirs.status_code, theirs.content)


def test_ids_travel_as_on_azure(oracle, ours):
    names = ("x-request-id", "x-ms-request-id", "x-ms-client-request-id", "traceid")
    for given in (
        {"x-request-id": "a"},
        {"x-request-id": "a", "x-ms-request-id": "b"},
        {"x-request-id": "a", "x-ms-client-request-id": "c"},
        {"x-request-id": "a", "x-ms-request-id": "b", "x-ms-client-request-id": "c"},
        {"x-request-id": "a", "TraceId": "t"},
    ):
        theirs, own = (score(server, body(ROW), **given).headers for server in (oracle.uri, ours))
        assert {n: own.get(n) for n in names} == {n: theirs.get(n) for n in names}


def test_a_run_is_timed_and_marked_as_on_azure(oracle, ours):
    for server in (oracle.uri, ours):
        headers = score(server, body(ROW)).headers
        assert headers["x-ms-run-function-failed"] == "False"
        assert float(headers["x-ms-run-fn-exec-ms"]) > 0


def test_both_describe_the_same_input(oracle, ours):
    theirs, own = (
        requests.get(f"{server}/swagger.json", timeout=30).json() for server in (oracle.uri, ours)
    )

    def columns(document):
        return document["definitions"]["ServiceInput"]["properties"]["data"]["items"]["properties"]

    assert set(own["paths"]) <= set(theirs["paths"])
    assert columns(own).keys() == columns(theirs).keys()
    for name in ("age", "balance", "contacted"):
        assert columns(own)[name]["type"] == columns(theirs)[name]["type"]
