"""Which settings are refused before anything is started, and why."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest

from services import profiles
from services.domain import AutoMLSettings, Dataset, Task
from services.errors import InvalidRequestError
from services.local import automl_request
from services.local.clock import utc_now

FRAME = pd.DataFrame(
    {
        "age": range(100),
        "y": ["yes", "no"] * 50,
        "same": ["x"] * 100,
        "mostly": [None] * 60 + ["a", "b"] * 20,
        "key": [f"k{i}" for i in range(100)],
        "day": pd.date_range("2020", periods=100),
    }
)
GOOD = AutoMLSettings(
    experiment="bank", dataset_id="people:1", label_column_name="y", n_cross_validations=3
)


class People:
    """One dataset, as the port would describe it."""

    def get(self, name: str, version: int) -> Dataset:
        return Dataset(name=name, version=version, created_at=utc_now(), source="test")

    def profile(self, name: str, version: int):
        return profiles.profile(FRAME)


def refuse(why: str, **changes) -> None:
    with pytest.raises(InvalidRequestError, match=why):
        automl_request.checked(replace(GOOD, **changes), People())


def test_settings_that_can_be_run_come_back_as_they_are():
    assert automl_request.checked(GOOD, People()) == GOOD


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"primary_metric": "r2_score"}, "cannot rank a classification run"),
        ({"experiment_timeout_minutes": 0}, "timeout must be at least"),
        ({"max_concurrent_iterations": 0}, "At least one iteration"),
        ({"iterations": 0}, "at least one iteration"),
        ({"featurization": "custom"}, "“auto” or “off”"),
        ({"validation_size": 0.2}, "not both"),
        ({"validation_size": 0.95, "n_cross_validations": None}, "between 0.01 and 0.9"),
        ({"n_cross_validations": 1}, "2 to 20 folds"),
        ({"experiment": "../up"}, "experiment name"),
        ({"dataset_id": "people"}, "name:version"),
        ({"label_column_name": "z"}, "no column “z”"),
        ({"label_column_name": "same"}, "nothing to learn"),
        ({"label_column_name": "mostly"}, "at least 50 rows"),
        ({"label_column_name": "day"}, "is a date"),
        (
            {"task": Task.REGRESSION, "primary_metric": "r2_score"},
            "Regression predicts a number, but “y” is a string column",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_run_is_refused_with_the_reason(changes, why):
    refuse(why, **changes)


def test_a_label_with_a_value_per_row_is_no_class(monkeypatch):
    monkeypatch.setattr(automl_request, "MAX_CLASSES", 50)

    refuse("100 different values; classification takes at most 50", label_column_name="key")


def test_the_parent_says_what_it_was_asked_under_azures_names():
    properties = automl_request.parent_properties(GOOD)

    azure = json.loads(properties["AMLSettingsJsonString"])
    assert azure["task_type"] == "classification"
    assert azure["metric_operation"] == "maximize"
    assert azure["label_column_name"] == "y"
    assert properties["primary_metric"] == "AUC_weighted"
