"""The columns a scoring script expects, as AutoML and as our own engine write them."""

from __future__ import annotations

import pytest

from services.azure import scoring_sample
from services.domain import ColumnContract, ColumnType, DataContract
from services.local.score_script import scoring_script

# The form of scoring_file_v_1_0_0.py since 2020.
AUTOML = """
import pandas as pd
from inference_schema.schema_decorators import input_schema
data_sample = PandasParameterType(pd.DataFrame({
    "age": pd.Series([0], dtype="int64"),
    "job": pd.Series(["example_value"], dtype="object"),
    "euribor3m": pd.Series([0.0], dtype="float64"),
    "default": pd.Series([False], dtype="bool"),
    "day": pd.Series(["2000-1-1"], dtype="datetime64[ns]"),
}))
"""


def test_the_sample_automl_writes_is_read():
    columns = scoring_sample.columns(AUTOML)

    assert [(column.name, column.type.value) for column in columns] == [
        ("age", "integer"),
        ("job", "string"),
        ("euribor3m", "number"),
        ("default", "boolean"),
        ("day", "datetime"),
    ]
    assert columns[1].example is None


def test_the_sample_our_engine_writes_is_read():
    known = tuple(
        ColumnContract(name=kind.value, type=kind, nullable=False, example=None)
        for kind in ColumnType
    )

    columns = scoring_sample.columns(scoring_script(DataContract(columns=known)))

    assert [(each.name, each.type) for each in columns] == [(k.name, k.type) for k in known]


@pytest.mark.parametrize(
    "script",
    [
        "",
        "def run(data): return data",
        "this is no python",
        "pd.DataFrame([1])",
        "pd.DataFrame({'a': 1})",
        "pd.DataFrame({name: pd.Series([0]) for name in 'ab'})",
        "pd.DataFrame({**rest})",
    ],
)
def test_a_script_without_a_sample_tells_nothing(script):
    assert scoring_sample.columns(script) == ()
