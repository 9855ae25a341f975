"""The data contract: what it says of a dataset, and what it says of a row."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime

import pandas as pd
import pytest

from services import data_contract, profiles
from services.domain import ColumnContract, ColumnType, DataContract
from services.errors import InvalidRequestError
from tests.shared_data import shared_data

FRAME = pd.DataFrame(
    {
        "age": [30, 40, 50, 35],
        "job": ["admin.", "services", "admin.", "retired"],
        "pdays": [999, 999, 3, 999],
        "rate": [1.25, 4.5, None, 2.0],
        "weekend": [True, False, True, True],
        "seen": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]),
        "y": ["no", "yes", "no", "no"],
    }
)
CONTRACT = data_contract.from_frame(FRAME, label="y", dataset_id="bank:1")
ROW = {
    "age": 33,
    "job": "admin.",
    "pdays": 999,
    "rate": 2.5,
    "weekend": True,
    "seen": "2024-01-02",
}


def messages(row, contract=CONTRACT):
    return [problem.message for problem in data_contract.check_row(contract, row)]


def column(name):
    return next(each for each in CONTRACT.columns if each.name == name)


# --- derived ----------------------------------------------------------------------


def test_features_come_in_order_without_the_label():
    assert [each.name for each in CONTRACT.columns] == list(FRAME.columns[:-1])
    assert (CONTRACT.label, CONTRACT.classes) == ("y", ("no", "yes"))
    assert CONTRACT.dataset_id == "bank:1"


def test_a_number_has_its_range_and_a_typical_value():
    assert column("age") == ColumnContract(
        name="age",
        type=ColumnType.INTEGER,
        nullable=False,
        minimum=30,
        maximum=50,
        example=35,
    )


def test_a_gap_makes_a_column_nullable():
    assert column("rate").nullable
    assert not column("age").nullable


def test_the_value_that_stands_for_none_is_outside_the_range():
    pdays = column("pdays")

    assert (pdays.minimum, pdays.maximum, pdays.sentinels) == (3, 3, (999,))
    assert pdays.example == 999


def test_few_texts_are_categories_most_frequent_first():
    assert column("job").categories == ("admin.", "services", "retired")
    assert column("job").example == "admin."


def test_many_texts_are_free_text():
    frame = pd.DataFrame({"note": [f"note {i}" for i in range(101)]})

    assert data_contract.from_frame(frame).columns[0].categories == ()


def test_a_new_category_in_the_data_is_one_in_the_contract():
    more = pd.concat([FRAME, FRAME.assign(job="student")])

    contract = data_contract.from_frame(more, label="y")

    assert not messages(dict(ROW, job="student"), contract)
    assert messages(dict(ROW, job="student"))


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ([2, 10, 1], ("1", "2", "10")),
        ([True, False, True], ("false", "true")),
        ([0.5, 1.5, 2.5], ()),
        (list(range(21)), ()),
    ],
)
def test_a_label_has_classes_unless_it_is_a_quantity(values, classes):
    frame = pd.DataFrame({"x": values, "y": values})

    assert data_contract.from_frame(frame, label="y").classes == classes


def test_an_unknown_label_is_refused():
    with pytest.raises(InvalidRequestError, match="no column “z”"):
        data_contract.derive(profiles.profile(FRAME), label="z")


# --- kept -------------------------------------------------------------------------


def test_a_contract_survives_json():
    text = data_contract.to_json(CONTRACT)

    assert data_contract.from_json(text) == CONTRACT
    assert json.loads(text)["columns"][0]["minimum"] == 30


@pytest.mark.parametrize("text", ["", "{}", "[]", "nonsense", '{"version": 1, "columns": [{}]}'])
def test_what_is_no_contract_is_refused(text):
    with pytest.raises(InvalidRequestError, match="not a data contract"):
        data_contract.from_json(text)


def test_a_contract_of_a_later_version_is_refused():
    with pytest.raises(InvalidRequestError, match="version 99"):
        data_contract.from_json('{"version": 99}')


def test_checking_needs_no_pandas():
    code = (
        "import sys; from services import data_contract; "
        f"c = data_contract.from_json({data_contract.to_json(CONTRACT)!r}); "
        "data_contract.RowChecker(c); "
        "assert not {'pandas', 'numpy', 'pyarrow'} & set(sys.modules)"
    )

    subprocess.run([sys.executable, "-c", code], check=True)


# --- checked ----------------------------------------------------------------------


def test_the_example_row_is_accepted():
    assert messages(data_contract.example_row(CONTRACT)) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"age": "abc"}, "“age” must be a whole number, such as 35; “abc” was sent."),
        ({"age": True}, "“age” must be a whole number, such as 35; true was sent."),
        ({"age": None}, "“age” is empty; every row must have a whole number there."),
        ({"age": [1]}, "“age” must be a whole number, such as 35; [1] was sent."),
        ({"age": float("inf")}, "“age” must be a whole number, such as 35; inf was sent."),
        ({"rate": "1_000"}, "“rate” must be a number, such as 2; “1_000” was sent."),
        ({"job": 5}, "“job” must be text, such as “admin.”; 5 was sent."),
        ({"weekend": "maybe"}, "“weekend” must be true or false, such as true; “maybe” was sent."),
        ({"seen": "yesterday"}, "“seen” must be a date and time, such as"),
    ],
)
def test_a_value_no_model_could_read_is_named_with_its_column(change, message):
    (problem,) = data_contract.check_row(CONTRACT, ROW | change)

    assert problem.message.startswith(message)
    assert problem.blocking
    assert problem.column == next(iter(change))
    with pytest.raises(InvalidRequestError) as refusal:
        data_contract.RowChecker(CONTRACT).conform(ROW | change)
    assert str(refusal.value) == problem.message


def test_a_missing_column_is_named():
    row = {name: value for name, value in ROW.items() if name != "job"}

    assert messages(row) == ["“job” is missing; every row must have it."]


def test_a_missing_column_is_named_even_where_gaps_are_allowed():
    row = {name: value for name, value in ROW.items() if name != "rate"}

    assert messages(row) == ["“rate” is missing; every row must have it."]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"age": 51}, "“age” is 51; the largest in the data is 50."),
        ({"age": 3}, "“age” is 3; the smallest in the data is 30."),
        ({"age": 33.5}, "“age” is a whole number in the data; 33.5 was sent."),
        ({"pdays": 500}, "“pdays” is 500; the largest in the data is 3."),
        (
            {"job": "pilot"},
            "“job” has never been “pilot” in the data; known are admin., services, retired.",
        ),
        ({"extra": 1}, "“extra” is not a column of the data."),
    ],
)
def test_a_value_unlike_the_data_is_said_and_does_not_block(change, message):
    (problem,) = data_contract.check_row(CONTRACT, ROW | change)

    assert (problem.message, problem.blocking) == (message, False)
    data_contract.RowChecker(CONTRACT).conform(ROW | change)


def test_the_label_may_come_along():
    assert messages(ROW | {"y": "no"}) == []


@pytest.mark.parametrize("row", [5, None, "text", [1, 2]])
def test_what_is_no_row_is_refused(row):
    (problem,) = data_contract.check_row(CONTRACT, row)

    assert "object of column names and values" in problem.message
    with pytest.raises(InvalidRequestError, match="object of column names"):
        data_contract.RowChecker(CONTRACT).conform(row)


def test_a_row_is_conformed_in_order_with_typed_values_and_nothing_else():
    sent = {
        "extra": 1,
        "seen": "2024-01-02T12:00:00+02:00",
        "weekend": "FALSE",
        "rate": "",
        "pdays": 999.0,
        "job": "retired",
        "age": " 41 ",
    }

    conformed = data_contract.RowChecker(CONTRACT).conform(sent)

    assert list(conformed.items()) == [
        ("age", 41),
        ("job", "retired"),
        ("pdays", 999),
        ("rate", None),
        ("weekend", False),
        ("seen", datetime(2024, 1, 2, 10)),
    ]


def test_a_number_that_is_a_known_category_is_that_category():
    frame = pd.DataFrame({"code": ["1", "2", "A"]})
    checker = data_contract.RowChecker(data_contract.from_frame(frame))

    assert checker.conform({"code": 1}) == {"code": "1"}
    with pytest.raises(InvalidRequestError, match="“code” must be text"):
        checker.conform({"code": 3})


def test_rows_are_counted_from_one():
    problems = data_contract.check_rows(CONTRACT, [ROW, ROW | {"age": "x"}, ROW | {"age": 99}])

    assert [(each.row, each.blocking) for each in problems] == [(2, True), (3, False)]
    assert problems[0].message.startswith("Row 2: “age” must be")


def test_a_long_value_is_shortened_and_kept_on_one_line():
    (message,) = messages(ROW | {"age": "x\n" * 500})

    assert "\n" not in message
    assert len(message) < 150


def test_an_empty_contract_accepts_an_empty_row():
    assert data_contract.check_row(DataContract(columns=()), {}) == ()


def test_the_rows_people_post_to_the_real_service_are_accepted():
    frame = pd.read_csv(shared_data("bankmarketing_train.csv"))
    contract = data_contract.from_frame(frame, label="y")
    payload = json.loads(shared_data("score_payload.json").read_text())

    assert data_contract.check_rows(contract, payload["data"]) == ()
    assert contract.classes == ("no", "yes")
    assert {each.name for each in contract.columns if each.sentinels} == {"pdays"}
