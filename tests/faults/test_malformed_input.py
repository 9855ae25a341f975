"""Thousands of spoilt files, bodies, items and documents: an honest answer to each."""

from __future__ import annotations

import http.client
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from dashboard.routes_swagger import through_here
from services import data_contract, profiles, tabular
from services.app_insights import repair, wire
from services.azure import swagger_contract
from services.errors import InvalidRequestError, ServiceError
from services.local.serving import swagger
from services.local.store import Store
from services.local.telemetry import identity
from tests import scoring_models
from tests.faults import mutants
from tests.recorded import telemetry as recorded
from tests.scoring_home import ScoringHome

ROW = (6, "Malformed input")
COUNT = 10_000
NOW = datetime(2024, 5, 1, 9, 0, tzinfo=UTC)
CSV = (
    "age,job,balance,when,flag,y\r\n"
    '41,admin.,"1.200,50",2024-05-01,true,yes\r\n'
    "29,“retired”,7,2024-05-02T10:00:00Z,false,no\r\n"
    "55,blue;collar,-3e4,,NaN,yes\r\n"
).encode()
ENVELOPES = (
    wire.request_envelope(
        at=NOW,
        request_id="0123456789abcdef",
        operation_id="0123456789abcdef0123456789abcdef",
        name="POST /score",
        url="http://127.0.0.1/score",
        duration_ms=4.2,
        result_code="200",
        properties={"Request Id": "r"},
    ),
    wire.trace_envelope(at=NOW, message="a line", severity=1),
    wire.event_envelope(at=NOW, name="event", measurements={"rows": 3.0}),
)


def test_csv_files(figures):
    ended: Counter[str] = Counter()
    began = time.monotonic()
    for number, content in enumerate(mutants.of_bytes(CSV, COUNT, seed=6)):
        try:
            reading = tabular.read(content)
            if number % 20 == 0:  # what was read can be described, whatever it is
                profile = profiles.profile(reading.table.to_pandas())
                data_contract.derive(profile, label=None, dataset_id="bank:1")
                ended["described"] += 1
        except InvalidRequestError as error:
            assert len(str(error)) > 10
            ended["refused"] += 1
        else:
            ended["read"] += 1
    assert ended["refused"] > 100
    assert ended["read"] > 100
    _noted(figures, "CSV files", ended, began)


def test_swagger_documents(figures):
    valid = swagger.documents(
        "bank", scoring_models.contract(), rows=[scoring_models.ROW], result=["no"]
    )
    ended: Counter[str] = Counter()
    began = time.monotonic()
    spoilt = (
        each
        for position, document in enumerate(valid.values())
        for each in mutants.of_json(document, COUNT // len(valid), seed=70 + position)
    )
    for each in spoilt:
        if not isinstance(each, dict):  # `Deployments.swagger` refuses what is no object
            ended["no object"] += 1
            continue
        try:
            found = swagger_contract.read(each)
            json.dumps(through_here(each))
        except ServiceError:
            ended["refused"] += 1
        else:
            ended["no contract" if found is None else "read"] += 1
    assert ended["read"] > 100
    _noted(figures, "swagger documents", ended, began)


def test_telemetry_items(figures):
    ended: Counter[str] = Counter()
    began = time.monotonic()
    for document in mutants.of_json(list(ENVELOPES), COUNT, seed=8):
        try:
            posted = wire.decode(mutants.text(document))
        except InvalidRequestError:
            ended["body refused"] += 1
            continue
        for item in posted.items:
            try:
                if isinstance(item, str):
                    raise InvalidRequestError(item)
                row = repair.row(item)
            except InvalidRequestError:
                ended["item refused"] += 1
            else:
                ended["left out" if row is None else "taken"] += 1
    assert ended["taken"] > 1000 and ended["item refused"] > 100
    _noted(figures, "telemetry items", ended, began)


@pytest.fixture
def telemetry(tmp_path: Path) -> Iterator[tuple[str, str, str]]:
    store = Store(tmp_path / "workspace.db")
    with recorded.answering(tmp_path) as address:
        access = identity.access(store)
        yield address, access.instrumentation_key, access.query_token


def test_telemetry_bodies_to_the_server(telemetry, figures):
    address, key, _ = telemetry
    valid = mutants.text([{**each, "iKey": key} for each in ENVELOPES])
    bodies = list(mutants.of_bytes(valid, COUNT // 8, seed=9))
    bodies += [
        mutants.text(document)
        for document in mutants.of_json(json.loads(valid), COUNT // 8, seed=10)
    ]
    ended: Counter[str] = Counter()
    began = time.monotonic()

    def post(body: bytes) -> tuple[int, int]:
        answer = requests.post(f"{address}/v2.1/track", data=body, timeout=60)
        return answer.status_code, answer.json()["itemsAccepted"]

    with ThreadPoolExecutor(48) as callers:
        for status, _ in callers.map(post, bodies):
            ended[str(status)] += 1
    assert set(ended) <= {"200", "206", "400"}
    assert requests.get(f"{address}/health", timeout=10).status_code == 200
    _noted(figures, "telemetry bodies, to the server", ended, began)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScoringHome]:
    home = ScoringHome(tmp_path_factory.mktemp("workspace"))
    scoring_models.register(home.path, home.workspace.store, "bank:1", "trees")
    home.start()
    home.deploy("bank")
    yield home
    while home.supervisors:
        home.end()


def test_scoring_bodies_to_the_server(home, figures):
    server = home.server("bank")
    valid = {"data": [scoring_models.ROW, scoring_models.ROW], "method": "predict_proba"}
    bodies = [
        *mutants.of_bytes(mutants.text(valid), COUNT // 2, seed=11),
        *map(mutants.text, mutants.of_json(valid, COUNT // 2, seed=12)),
    ]
    caller = _caller(home)
    ended: Counter[str] = Counter()
    began = time.monotonic()
    for body in bodies:
        status, answer = caller(body)
        ended[str(status)] += 1
        assert status in (200, 400), body
        if status == 400:
            assert json.loads(answer)["message"]
        else:
            assert len(json.loads(json.loads(answer))["result"]) >= 0
    assert server.is_running() and home.server("bank") == server
    assert ended["400"] > 1000 and ended["200"] > 100
    _noted(figures, "scoring bodies, to the server", ended, began)


def _caller(home: ScoringHome) -> Callable[[bytes], tuple[int, bytes]]:
    """Posts on one connection, which must never be dropped."""
    uri = urlsplit(home.deployments.get("bank").scoring_uri)
    key = home.deployments.keys("bank").primary
    connection = http.client.HTTPConnection(uri.netloc, timeout=60)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}

    def post(body: bytes) -> tuple[int, bytes]:
        connection.request("POST", "/score", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    return post


def _noted(figures, what: str, ended: Counter[str], began: float) -> None:
    said = ", ".join(f"{count:,} {kind}" for kind, count in ended.most_common())
    figures.add(what, "spoilt ones, seeded", said, time.monotonic() - began)
