"""How raw columns become numbers: the purpose of each column, and the transformer for it.

One transformer serves every candidate of a run, as in Azure AutoML. It turns a frame of
raw rows into a float32 matrix of category codes, then numbers, then missing-value marks,
then parts of dates. It is made of scikit-learn classes and pandas and standard library functions
only, so the pickle loads wherever those are installed.

Two of Azure's rules are not followed, on purpose. Categories stay codes instead of
one-hot columns, because trees learn as well from them at a fraction of the cost; linear
learners expand the codes themselves. Whole numbers with few values stay numbers, so that
their order is kept and unseen values still mean something.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

from services.errors import InvalidRequestError

if TYPE_CHECKING:
    import pandas as pd

UNSEEN = -1  # the code of a missing category and of one that training never saw
FEW_VALUES = 10  # so many distinct texts are categories, however few rows there are
MANY_VALUES = 200
HASH_LIMIT = 10_000
DATE_PARTS = ("year", "month", "day", "dayofweek", "hour")


class Purpose(StrEnum):
    """Azure AutoML's words for what a column is taken to be."""

    NUMERIC = "Numeric"
    CATEGORICAL = "Categorical"
    CATEGORICAL_HASH = "CategoricalHash"
    DATETIME = "DateTime"
    TEXT = "Text"
    ALL_SAME = "AllSame"
    IGNORE = "Ignore"


USED = (Purpose.NUMERIC, Purpose.CATEGORICAL, Purpose.CATEGORICAL_HASH, Purpose.DATETIME)


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    name: str
    purpose: Purpose
    missing_count: int
    reason: str = ""  # why it is left out, for people

    @property
    def used(self) -> bool:
        return self.purpose in USED


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the matrix."""

    raw: str
    engineered: str  # as Azure AutoML would name it
    coded: bool = False  # its values are category codes
    categories: tuple[Any, ...] = ()  # by code, where each code is one category


def plan(frame: pd.DataFrame, *, automatic: bool = True) -> tuple[ColumnPlan, ...]:
    """What each column is, by Azure's rules for automatic featurization.

    Args:
        frame: the features, without the label.
        automatic: False keeps every column that can be a number or a category at all.

    Raises:
        InvalidRequestError: no column is left to learn from.

    Source: azureml-automl-runtime 1.62, column purpose detection.
    """
    plans = tuple(_plan(frame[name], automatic) for name in frame.columns)
    if not any(each.used for each in plans):
        raise InvalidRequestError(
            "No column is left to learn from: every one is constant, unique text or empty."
        )
    return plans


def tidied(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with every gap in a text column as NaN, the one mark the encoder knows."""
    gaps = {
        name: frame[name].astype(object).where(frame[name].notna(), np.nan)
        for name in frame.columns
        if frame[name].dtype == object
    }
    return frame.assign(**gaps)


def _plan(values: pd.Series, automatic: bool) -> ColumnPlan:
    from pandas.api import types

    name, missing = str(values.name), int(values.isna().sum())
    present = values.dropna()
    distinct = present.nunique()
    if distinct == 0 or (automatic and distinct == 1 and not missing):
        return ColumnPlan(name, Purpose.ALL_SAME, missing, "it has the same value in every row")
    if types.is_datetime64_any_dtype(values.dtype):
        return ColumnPlan(name, Purpose.DATETIME, missing)
    if types.is_numeric_dtype(values.dtype) and not types.is_bool_dtype(values.dtype):
        return ColumnPlan(name, Purpose.NUMERIC, missing)
    return ColumnPlan(name, *_text_purpose(present, distinct, len(values), missing))


def _text_purpose(
    present: pd.Series, distinct: int, row_count: int, missing: int
) -> tuple[Purpose, int, str]:
    if distinct <= max(FEW_VALUES, min(MANY_VALUES, row_count // 20)):
        return Purpose.CATEGORICAL, missing, ""
    if distinct < HASH_LIMIT and distinct / row_count < 0.7:
        return Purpose.CATEGORICAL_HASH, missing, ""
    words = np.mean([len(str(each).split()) for each in present.head(1000)])
    if words > 2:
        return Purpose.TEXT, missing, "it is free text, which the local engine does not read"
    return Purpose.IGNORE, missing, "nearly every row has a value of its own, like a key"


def transformer(plans: Sequence[ColumnPlan], *, automatic: bool = True) -> Pipeline:
    """The unfitted transformer for these columns: a frame in, a float32 matrix out."""
    names = {purpose: [p.name for p in plans if p.purpose is purpose] for purpose in Purpose}
    filled = SimpleImputer(add_indicator=True)  # the mean, and a mark where it stands in
    parts: list[tuple[str, Any, list[str]]] = [
        ("categories", _codes(), names[Purpose.CATEGORICAL]),
        ("hashes", _codes(max_categories=MANY_VALUES), names[Purpose.CATEGORICAL_HASH]),
        ("numbers", filled if automatic else "passthrough", names[Purpose.NUMERIC]),
        ("dates", _dates(), names[Purpose.DATETIME]),
    ]
    columns = ColumnTransformer([part for part in parts if part[2]])
    # One precision everywhere: boosters, ONNX and scikit-learn then see the same numbers.
    to_float32 = FunctionTransformer(np.asarray, kw_args={"dtype": np.float32})
    return Pipeline([("columns", columns), ("float32", to_float32)])


def _codes(**options: Any) -> OrdinalEncoder:
    return OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=UNSEEN,
        encoded_missing_value=UNSEEN,
        dtype=np.float32,
        **options,
    )


def _dates() -> Pipeline:
    import pandas as pd

    parse = FunctionTransformer(
        pd.DataFrame.apply, kw_args={"func": pd.to_datetime, "errors": "coerce"}
    )
    parts = [
        (part, FunctionTransformer(pd.DataFrame.apply, kw_args={"func": _part(part)}))
        for part in DATE_PARTS
    ]
    return Pipeline([("parse", parse), ("parts", FeatureUnion(parts)), ("fill", SimpleImputer())])


def _part(name: str) -> Any:
    return operator.attrgetter(f"dt.{name}")


def layout(plans: Sequence[ColumnPlan], fitted: Pipeline) -> tuple[Feature, ...]:
    """What each column of the matrix means, in order."""
    columns: ColumnTransformer = fitted.named_steps["columns"]
    purposes = {each.name: each.purpose for each in plans}
    features: list[Feature] = []
    for name, part, raw in columns.transformers_:
        if name in ("categories", "hashes"):
            features += [
                _category(column, tuple(values), purposes[column])
                for column, values in zip(raw, part.categories_, strict=True)
            ]
        elif name == "dates":
            features += [
                Feature(column, f"{column}_DateTimeTransformer_{date_part.title()}")
                for date_part in DATE_PARTS
                for column in raw
            ]
        elif name == "numbers":
            features += [Feature(column, f"{column}_MeanImputer") for column in raw]
            marked = [raw[i] for i in part.indicator_.features_] if _marks(part) else []
            features += [Feature(column, f"{column}_ImputationMarker") for column in marked]
    return tuple(features)


def _marks(part: Any) -> bool:
    return getattr(part, "indicator_", None) is not None


def _category(column: str, categories: tuple[Any, ...], purpose: Purpose) -> Feature:
    known = tuple(value for value in categories if value is not None and value == value)
    if purpose is Purpose.CATEGORICAL_HASH:
        return Feature(column, f"{column}_HashOneHotEncoder", coded=True)
    return Feature(column, f"{column}_ModeCatImputer_LabelEncoder", coded=True, categories=known)


def summary(plans: Sequence[ColumnPlan]) -> list[dict[str, Any]]:
    """What Azure AutoML stores as ``featurization_summary.json``."""
    return [
        {
            "RawFeatureName": each.name,
            "TypeDetected": each.purpose.value,
            "Dropped": "No" if each.used else "Yes",
            "EngineeredFeatureCount": _engineered_count(each),
            "Transformations": list(_TRANSFORMATIONS.get(each.purpose, ())),
            "Reason": each.reason,
        }
        for each in plans
    ]


_TRANSFORMATIONS = {
    Purpose.NUMERIC: ("MeanImputer",),
    Purpose.CATEGORICAL: ("ModeCatImputer", "LabelEncoder"),
    Purpose.CATEGORICAL_HASH: ("StringCast", "HashOneHotEncoder"),
    Purpose.DATETIME: ("DateTimeTransformer",),
}


def _engineered_count(each: ColumnPlan) -> int:
    if not each.used:
        return 0
    if each.purpose is Purpose.DATETIME:
        return len(DATE_PARTS)
    return 2 if each.purpose is Purpose.NUMERIC and each.missing_count else 1
