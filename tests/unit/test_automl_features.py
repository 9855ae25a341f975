"""What columns are taken for, how they are encoded, and which rows are held out."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pandas as pd
import pytest

from services import guardrails as shown
from services.domain import AutoMLSettings, Task
from services.errors import InvalidRequestError
from services.local.automl import features, guardrails, preparation, validation
from services.local.automl.features import Purpose

ROWS = 300


@pytest.fixture
def frame() -> pd.DataFrame:
    draw = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "job": draw.choice(["admin.", "nurse", "pilot"], ROWS),
            "gap": pd.Series(draw.choice(["a", "b", None], ROWS), dtype=object),
            "flag": draw.choice([True, False], ROWS),
            "age": draw.integers(18, 90, ROWS),
            "income": np.where(draw.random(ROWS) < 0.1, np.nan, draw.random(ROWS)),
            "same": 1,
            "day": pd.date_range("2020-01-01", periods=ROWS, freq="h"),
            "key": [f"key-{i}" for i in range(ROWS)],
            "note": [f"called twice, row {i} of many" for i in range(ROWS)],
            "city": draw.choice([f"city {i}" for i in range(60)], ROWS),
        }
    )


def fitted(frame: pd.DataFrame):
    tidy = features.tidied(frame)
    plans = features.plan(tidy)
    transformer = features.transformer(plans)
    return plans, transformer, transformer.fit_transform(tidy)


def test_columns_are_taken_for_what_azure_would_take_them(frame):
    purposes = {each.name: each.purpose for each in features.plan(features.tidied(frame))}

    assert purposes == {
        "job": Purpose.CATEGORICAL,
        "gap": Purpose.CATEGORICAL,
        "flag": Purpose.CATEGORICAL,
        "age": Purpose.NUMERIC,
        "income": Purpose.NUMERIC,
        "same": Purpose.ALL_SAME,
        "day": Purpose.DATETIME,
        "key": Purpose.IGNORE,
        "note": Purpose.TEXT,
        "city": Purpose.CATEGORICAL_HASH,
    }


def test_a_frame_of_keys_and_constants_cannot_be_learnt_from(frame):
    with pytest.raises(InvalidRequestError, match="No column is left"):
        features.plan(frame[["same", "key", "note"]])


def test_the_matrix_is_single_precision_without_gaps_and_its_columns_are_named(frame):
    plans, transformer, matrix = fitted(frame)

    named = features.layout(plans, transformer)

    assert matrix.dtype == np.float32
    assert not np.isnan(matrix).any()
    assert len(named) == matrix.shape[1]
    assert {each.raw for each in named} == {
        *("job", "gap", "flag", "age", "income", "day", "city"),
    }
    assert "income_ImputationMarker" in [each.engineered for each in named]


def test_codes_come_first_and_point_to_their_categories(frame):
    plans, transformer, matrix = fitted(frame)
    named = features.layout(plans, transformer)

    assert [each.coded for each in named] == sorted((each.coded for each in named), reverse=True)
    job = next(i for i, each in enumerate(named) if each.raw == "job")
    assert [named[job].categories[int(code)] for code in matrix[:20, job]] == list(
        frame["job"][:20]
    )


def test_rows_that_came_as_json_are_encoded_alike(frame):
    _, transformer, matrix = fitted(frame)
    rows = json.loads(frame.head(20).to_json(orient="records", date_format="iso"))

    again = pickle.loads(pickle.dumps(transformer)).transform(pd.DataFrame(rows))

    assert (again == matrix[:20]).all()


def test_what_training_never_saw_is_encoded_as_missing(frame):
    plans, transformer, _ = fitted(frame)
    strange = frame.head(1).assign(job="astronaut", gap="z", city="Atlantis", income=None)

    row = dict(
        zip(
            [each.engineered for each in features.layout(plans, transformer)],
            transformer.transform(strange)[0],
            strict=True,
        )
    )

    assert row["job_ModeCatImputer_LabelEncoder"] == features.UNSEEN
    assert row["gap_ModeCatImputer_LabelEncoder"] == features.UNSEEN
    assert row["income_ImputationMarker"] == 1
    assert row["income_MeanImputer"] == pytest.approx(frame["income"].mean(), rel=1e-5)


def test_a_row_without_any_value_is_still_encoded(frame):
    _, transformer, matrix = fitted(frame)

    empty = transformer.transform(pd.DataFrame([dict.fromkeys(frame.columns)]))

    assert empty.shape == (1, matrix.shape[1])
    assert not np.isnan(empty).any()


def test_without_featurization_nothing_is_filled_in(frame):
    tidy = features.tidied(frame)
    plans = features.plan(tidy, automatic=False)

    matrix = features.transformer(plans, automatic=False).fit_transform(tidy)

    assert np.isnan(matrix).any()


# --- which rows are held out ---


def settings(**changes) -> AutoMLSettings:
    given = {"experiment": "e", "dataset_id": "d:1", "label_column_name": "y", **changes}
    return AutoMLSettings(**given)


@pytest.mark.parametrize(
    ("row_count", "split", "folds"), [(500, False, 10), (5000, False, 3), (25_000, True, 5)]
)
def test_automatic_validation_follows_azures_rule(row_count, split, folds):
    target = np.arange(row_count) % 2

    plan = validation.plan(settings(), target)

    assert (plan.split, plan.fold_count) == (split, folds)
    held = len(plan.held(validation.VALIDATION))
    assert held == (row_count // 10 if split else 0)


def test_the_settings_overrule_the_rule():
    target = np.arange(25_000) % 2

    assert validation.plan(settings(n_cross_validations=4), target).fold_count == 4
    assert len(validation.plan(settings(validation_size=0.3), target).held(-1)) == 7500


def test_every_part_holds_the_classes_in_proportion():
    target = (np.random.default_rng(0).random(30_000) < 0.1).astype(int)

    plan = validation.plan(settings(), target)

    for part in (validation.VALIDATION, *plan.folds):
        assert target[plan.held(part)].mean() == pytest.approx(target.mean(), abs=0.001)


def test_held_out_rows_are_never_trained_on():
    plan = validation.plan(settings(), np.arange(25_000) % 3)

    for part in (validation.VALIDATION, *plan.folds):
        assert not set(plan.held(part)) & set(plan.trained(part))
        assert not set(plan.held(validation.VALIDATION)) & set(plan.trained(part))
    assert len(plan.trained(validation.EVERYTHING)) == 25_000


def test_a_class_with_two_rows_keeps_one_to_train_on():
    target = np.r_[np.zeros(25_000, dtype=int), 1, 1]

    plan = validation.plan(settings(), target)

    assert target[plan.trained(validation.VALIDATION)].sum() == 1


def test_the_same_seed_deals_the_same_folds():
    target = np.arange(900) % 2

    assert (
        validation.plan(settings(), target).assignment
        == validation.plan(settings(), target).assignment
    ).all()
    assert (
        validation.plan(settings(), target).assignment
        != validation.plan(settings(seed=1), target).assignment
    ).any()


# --- from rows to training data ---


def test_rows_without_a_label_are_left_out_and_told(frame):
    labeled = frame.assign(y=["yes", "no", None] * 100)

    prepared = preparation.prepare(labeled, settings())

    assert len(prepared.data.target) == 200
    assert list(prepared.data.classes) == ["no", "yes"]
    told = next(each for each in prepared.findings if each.kind == "missing_labels")
    assert (told.result, told.summary) == (
        guardrails.DONE,
        "100 rows without a label were left out.",
    )


@pytest.mark.parametrize(
    ("label", "classes"),
    [
        ([0, 1, 1] * 100, [0, 1]),
        ([0.0, 1.0, np.nan] * 100, [0, 1]),
        ([True, False, False] * 100, [False, True]),
        (["yes", "no", "maybe"] * 100, ["maybe", "no", "yes"]),
    ],
)
def test_classes_keep_the_labels_own_values(frame, label, classes):
    prepared = preparation.prepare(frame.assign(y=label), settings())

    assert prepared.data.classes.tolist() == classes


@pytest.mark.parametrize(
    ("label", "task", "why"),
    [
        (["yes"] * ROWS, Task.CLASSIFICATION, "same “y”"),
        ([1.0] * ROWS, Task.REGRESSION, "same “y”"),
        (["a", "b"] * 150, Task.REGRESSION, "predicts a number"),
        ([1.0] + [np.inf] * (ROWS - 1), Task.REGRESSION, "infinite"),
        ([None] * 260 + ["yes", "no"] * 20, Task.CLASSIFICATION, "at least 50 rows"),
    ],
)
def test_a_label_that_cannot_be_learnt_is_refused_with_the_reason(frame, label, task, why):
    with pytest.raises(InvalidRequestError, match=why):
        preparation.prepare(frame.assign(y=label), settings(task=task))


# --- guardrails ---


def states(frame: pd.DataFrame, **changes) -> dict[str, str]:
    prepared = preparation.prepare(frame, settings(**changes))
    return {each.kind: each.result for each in prepared.findings}


def test_clean_data_raises_no_alarm():
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"a": draw.random(400), "b": draw.choice(["x", "y"], 400)})
    frame["y"] = np.where(frame["a"] + draw.random(400) > 1, "yes", "no")

    assert guardrails.ALERTED not in states(frame[["b", "y"]]).values()


def test_a_number_that_tells_the_label_by_itself_is_named(frame):
    label = np.where(frame["age"] > 60, "yes", "no")

    prepared = preparation.prepare(frame.assign(y=label), settings())

    leak = next(each for each in prepared.findings if each.kind == "possible_leakage")
    assert leak.result == guardrails.ALERTED
    assert leak.columns == ("age",)


def test_findings_are_written_as_azure_writes_them(frame):
    prepared = preparation.prepare(frame.assign(y=["yes", "no"] * 150), settings())
    content = json.dumps(guardrails.document(prepared.findings)).encode()

    read = {each.title: each for each in shown.read(content)}

    missing = read["Missing feature values imputation"]
    assert missing.result == "done"
    assert [each["Column name"] for each in missing.details] == ["gap", "income"]
    dropped = read["High cardinality feature detection"]
    assert [each["Column name"] for each in dropped.details] == ["key", "note"]
    assert not any(each.alerted for each in read.values())


def test_a_rare_class_is_pointed_out(frame):
    label = ["yes"] * 20 + ["no"] * 280

    assert states(frame.assign(y=label))["class_balancing"] == guardrails.ALERTED


def test_a_quantity_has_no_classes_to_balance(frame):
    found = states(frame.assign(y=frame["age"] * 2.0), task=Task.REGRESSION,
                   primary_metric="r2_score")  # fmt: skip

    assert "class_balancing" not in found
    assert found["possible_leakage"] == guardrails.ALERTED
