"""Request bodies: what is a row, and the sentence that says why something is not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain import ColumnContract, ColumnType, DataContract
from services.errors import InvalidRequestError
from services.local.serving.payload import Reader, check_numbers, parse

CONTRACT = DataContract(
    columns=(
        ColumnContract(name="age", type=ColumnType.INTEGER, nullable=False, example=38),
        ColumnContract(name="job", type=ColumnType.STRING, nullable=False, example="admin."),
        ColumnContract(name="rate", type=ColumnType.NUMBER, nullable=True, example=1.5),
    )
)
ROW = {"age": 38, "job": "admin.", "rate": 1.5}


@pytest.fixture
def read():
    reader = Reader(CONTRACT)

    def read(body):
        return reader.read(body if isinstance(body, bytes) else json.dumps(body).encode())

    return read


def refused(read, body) -> str:
    with pytest.raises(InvalidRequestError) as error:
        read(body)
    return str(error.value)


def test_rows_come_in_the_contracts_order_whatever_order_they_were_sent_in(read):
    question = read({"data": [{"rate": 1.5, "job": "admin.", "age": 38}]})

    assert [list(row.items()) for row in question.rows] == [list(ROW.items())]
    assert question.method == "predict"


def test_probabilities_can_be_asked_for(read):
    assert read({"data": [ROW], "method": "predict_proba"}).method == "predict_proba"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "POST body is empty. Expecting a JSON dictionary."),
        (b"{", "POST body could not be decoded as JSON"),
        (b"\xff\xfe", "POST body could not be decoded"),
        (b'{"data": "\xff"}', "POST body could not be decoded as UTF-8"),
        (b"[1, 2]", "POST body should be a JSON dictionary."),
        (b'"text"', "POST body should be a JSON dictionary."),
        (b"{}", "A value is not provided for the 'data' parameter."),
        (b'{"data": null}', "“data” must be a list of rows"),
        (b'{"data": {"age": 1}}', "“data” must be a list of rows"),
        (b'{"data": "rows"}', "“data” must be a list of rows"),
        (b'{"data": []}', "“data” is empty"),
        (b'{"data": [[38, "admin.", 1.5]]}', "A row must be an object"),
        (b'{"data": [{}]}', "“age” is missing"),
        (b'{"data": [], "method": "explain"}', "“method” must be"),
        (b'{"data": [], "method": ["predict"]}', "“method” must be"),
        (b"[" * 5000, "POST body is nested too deeply"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_the_reason(read, body, sentence):
    assert sentence in refused(read, body)


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"age": "old"}, "age"),
        ({"age": None}, "age"),
        ({"age": [1]}, "age"),
        ({"age": True}, "age"),
        ({"job": 7}, "job"),
        ({"rate": "1,5"}, "rate"),
        ({"rate": {}}, "rate"),
        ({"stranger": 1}, "stranger"),
        ({"y": "yes"}, "y"),
    ],
)
def test_a_row_no_model_can_read_is_refused_naming_the_column(read, change, column):
    assert f"“{column}”" in refused(read, {"data": [{**ROW, **change}]})


def test_of_several_rows_the_sentence_names_the_one(read):
    assert refused(read, {"data": [ROW, ROW, {**ROW, "age": None}]}).startswith("Row 3: “age”")
    assert refused(read, {"data": [ROW, {**ROW, "stranger": 1}]}).startswith("Row 2: “stranger”")


def test_a_gap_is_let_through_where_the_data_had_gaps(read):
    for gap in (b"null", b"NaN", b'""'):
        (row,) = read(b'{"data": [{"age": 38, "job": "a", "rate": ' + gap + b"}]}").rows
        assert row["rate"] is None


def test_a_fraction_in_a_column_of_whole_numbers_is_not_cut(read):
    (row,) = read({"data": [{**ROW, "age": 57.9}]}).rows

    assert row["age"] == 57.9


def test_half_a_surrogate_pair_is_refused(read):
    assert "surrogate" in refused(read, b'{"data": [{"age": 1, "job": "\\ud800", "rate": 1}]}')


@pytest.mark.parametrize("digits", [40, 400])
def test_a_number_too_large_for_any_column_is_refused(read, digits):
    body = b'{"data": [{"age": ' + b"9" * digits + b', "job": "a", "rate": 1}]}'
    try:
        rows = read(body).rows
    except InvalidRequestError as error:
        assert "age" in str(error)
    else:
        with pytest.raises(InvalidRequestError, match="“age” must be a number that fits 64 bits"):
            check_numbers(rows)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body):
    try:
        assert isinstance(parse(body), dict)
    except InvalidRequestError as error:
        assert str(error)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_any_json_is_read_or_refused(document):
    try:
        Reader(CONTRACT).read(json.dumps({"data": document}).encode())
    except InvalidRequestError as error:
        assert str(error)
