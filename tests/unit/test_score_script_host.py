"""Scoring scripts of one's own: plain and decorated, failing and well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.local.serving import plan, scorers
from services.local.serving import prepare as preparation
from services.local.serving.plan import CoreKind
from tests import scoring_models

PLAIN = """
import json
calls = []
def init():
    calls.append("init")
def run(raw):
    data = json.loads(raw)["data"]
    if data == "fail":
        raise ValueError("boom")
    if data == "leave":
        raise SystemExit(3)
    if data == "caught":
        return json.dumps({"error": "the column age is missing"})
    return {"result": [len(data), *calls]}
"""


@pytest.fixture
def load(tmp_path: Path):
    def load(source: str) -> scorers.Scorer:
        model = tmp_path / "model"
        model.mkdir()
        (model / "score.py").write_text(source)
        chosen = preparation.prepare(model, tmp_path / "core")
        assert chosen.kind is CoreKind.SCRIPT
        return scorers.load(model, tmp_path / "core", chosen)

    return load


def ask(scorer, data):
    return scorer.score(json.dumps({"data": data}).encode())


def test_a_plain_script_gets_the_body_as_text_after_init_ran_once(load):
    scorer = load(PLAIN)

    ask(scorer, [1])
    answer = ask(scorer, [1, 2])

    assert (answer.status, json.loads(answer.body)) == (200, {"result": [2, "init"]})
    assert answer.run_ms > 0


@pytest.mark.parametrize("data", ["fail", "leave"])
def test_a_script_that_raises_is_a_500_and_the_server_goes_on(load, data):
    scorer = load(PLAIN)

    answer = ask(scorer, data)

    assert (answer.status, answer.run_failed) == (500, True)
    assert ask(scorer, [1]).status == 200


def test_an_error_a_script_caught_and_answered_is_no_200(load):
    answer = ask(load(PLAIN), "caught")

    assert answer.status == 500
    assert "age is missing" in json.loads(answer.body)["message"]


def test_a_body_that_is_no_text_is_refused(load):
    assert load(PLAIN).score(b"\xff\xff").status == 400


def test_a_script_without_a_schema_does_not_describe_itself(load):
    assert load(PLAIN).swagger("bank") == {}


@pytest.mark.parametrize(
    "source", ["def init(): pass", "1 / 0", "def init(): raise OSError\ndef run(x): pass"]
)
def test_a_script_that_cannot_be_used_is_an_error_at_once(load, source):
    with pytest.raises((AttributeError, ZeroDivisionError, OSError)):
        load(source)


def test_the_script_written_beside_a_model_can_be_hosted_too(tmp_path):
    pytest.importorskip("inference_schema", reason="the script checks its input with it")
    model = scoring_models.write(tmp_path / "model", scoring_models.fitted())
    (model / "contract.json").unlink()

    chosen = preparation.prepare(model, tmp_path / "core")
    scorer = scorers.load(model, tmp_path / "core", chosen)

    answer = scorer.score(scoring_models.payload().encode())
    assert json.loads(json.loads(answer.body))["result"] == ["no"]
    assert scorer.score(b"{}").status == 400
    documents = scorer.swagger("bank")
    columns = documents["2"]["definitions"]["ServiceInput"]["properties"]["data"]["items"]
    assert set(columns["properties"]) == set(scoring_models.ROW)


def test_a_plan_from_another_version_is_not_used(tmp_path):
    (tmp_path / plan.FILE).write_text('{"kind": "quantum"}')

    assert plan.read(tmp_path) is None
