"""A request's form and its JSON are two views of one payload."""

from __future__ import annotations

import json

import pytest

from services import scoring_payload
from services.domain import ColumnContract, ColumnType, DataContract
from services.errors import InvalidRequestError
from services.scoring_payload import Payload

CONTRACT = DataContract(
    columns=(
        ColumnContract(name="age", type=ColumnType.INTEGER, nullable=False, example=38),
        ColumnContract(
            name="job",
            type=ColumnType.STRING,
            nullable=False,
            categories=("admin.", "technician"),
            example="admin.",
        ),
    ),
    label="y",
    classes=("no", "yes"),
)


def test_the_typical_payload_is_one_row_the_contract_accepts():
    payload = scoring_payload.typical(CONTRACT)

    assert payload.rows == ({"age": 38, "job": "admin."},)
    assert scoring_payload.problems(CONTRACT, payload) == ()


def test_a_payload_survives_the_way_through_its_text():
    payload = Payload(rows=({"age": 1}, {"age": 2}), beside={"method": "predict_proba", "id": 7})

    assert scoring_payload.read(payload.text()) == payload
    assert scoring_payload.read(payload.text(indent=None)) == payload


def test_a_changed_value_leaves_the_other_rows_and_the_original_alone():
    payload = Payload(rows=({"age": 1}, {"age": 2}))

    changed = payload.with_value(1, "age", 9)

    assert changed.rows == ({"age": 1}, {"age": 9})
    assert payload.rows == ({"age": 1}, {"age": 2})


def test_rows_are_copied_and_removed():
    payload = Payload(rows=({"age": 1}, {"age": 2}))

    assert payload.with_copy_of(0).rows == ({"age": 1}, {"age": 2}, {"age": 1})
    assert payload.without(0).rows == ({"age": 2},)


def test_probabilities_are_asked_for_by_azures_method():
    payload = Payload(rows=({"age": 1},), beside={"id": 7})

    asking = payload.asking_probabilities(True)

    assert json.loads(asking.text())["method"] == "predict_proba"
    assert asking.asks_probabilities
    assert asking.asking_probabilities(False) == payload


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"data": [', "line 1, column 11"),
        ("[]", "object with “data”"),
        ('{"rows": []}', "object with “data”"),
        ('{"data": []}', "at least one row"),
        ('{"data": {"age": 1}}', "at least one row"),
        ('{"data": [{"age": 1}, 5]}', "Row 2"),
    ],
)
def test_a_text_that_is_no_request_is_refused_where_it_goes_wrong(text, said):
    with pytest.raises(InvalidRequestError, match=said):
        scoring_payload.read(text)


def test_a_missing_column_is_named():
    (problem,) = scoring_payload.problems(CONTRACT, Payload(rows=({"job": "admin."},)))

    assert problem.column == "age"
    assert problem.blocking


def test_with_several_rows_the_objection_names_the_row():
    payload = Payload(rows=({"age": 1, "job": "admin."}, {"age": 2, "job": "pilot"}))

    (problem,) = scoring_payload.problems(CONTRACT, payload)

    assert problem.row == 2
    assert "pilot" in problem.message
    assert not problem.blocking


@pytest.mark.parametrize("place", ["definitions", "components"])
def test_a_description_tells_whether_the_script_takes_a_method(place):
    def swagger(*names):
        schemas = {"ServiceInput": {"properties": dict.fromkeys(names, {})}}
        return {place: schemas} if place == "definitions" else {place: {"schemas": schemas}}

    assert scoring_payload.accepts_method(swagger("data", "method"))
    assert not scoring_payload.accepts_method(swagger("data"))
    assert not scoring_payload.accepts_method({})
