"""The models a run leaves: what they answer, where they load, and their ONNX twins."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest

from services.domain import AutoMLSettings, Task
from services.local.automl import assembly, ensembles, explanation, fitting, preparation, recipes
from services.local.serving import onnx_model

ROWS = 600
LOAD_ELSEWHERE = """
import json, pickle, sys
import pandas as pd
model = pickle.load(open(sys.argv[1], "rb"))
rows = pd.read_json(sys.argv[2], orient="records")
print(json.dumps(model.predict(rows).tolist()))
assert not any(name.split(".")[0] in ("services", "dashboard") for name in sys.modules)
"""


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": draw.integers(18, 80, ROWS),
            "job": draw.choice(list("abcde"), ROWS),
            "rate": np.where(draw.random(ROWS) < 0.1, np.nan, draw.normal(size=ROWS)),
            "noise": draw.normal(size=ROWS) * 1e6,
        }
    )
    signal = frame["age"] / 20 + frame["job"].map("abcde".index) + frame["rate"].fillna(0)
    noisy = signal + draw.normal(size=ROWS)
    kind = np.select([noisy < 3.5, noisy < 5], ["low", "middle"], "high")
    return frame.assign(kind=kind, y=np.where(noisy > 4.5, "yes", "no"), amount=noisy)


LABELS = ("y", "kind", "amount")


@pytest.fixture(scope="module")
def prepared(frame):
    def prepared(label: str):
        task = Task.REGRESSION if label == "amount" else Task.CLASSIFICATION
        features = frame.drop(columns=[each for each in LABELS if each != label])
        settings = AutoMLSettings(
            experiment="e",
            dataset_id="d:1",
            label_column_name=label,
            task=task,
            primary_metric="r2_score" if label == "amount" else "accuracy",
        )
        return preparation.prepare(features, settings)

    return {label: prepared(label) for label in LABELS}


def member(recipe, prepared):
    data = prepared.data
    return fitting.fit(
        recipe,
        data.task,
        data.matrix,
        data.target,
        category_count=data.category_count,
        seed=1,
    )


@pytest.fixture(scope="module")
def models(prepared):
    """Every portfolio candidate alone, and both ensembles of the first four, by label."""
    return {label: made(prepared[label]) for label in LABELS}


def made(prepared) -> dict:
    data = prepared.data
    fitted = [
        (f"m{i}", member(recipe, prepared))
        for i, recipe in enumerate(recipes.portfolio(data.task, onnx=True))
    ]
    few = fitted[:4]
    answers = [_answer(each, prepared) for _, each in few]
    final = ensembles.stack(answers, data.target, data.task)
    found = {
        name + type(each[-1]).__name__: assembly.single(each, data.task, data.classes)
        for name, each in fitted
    }
    found["voting"] = assembly.voting(few, [0.4, 0.3, 0.2, 0.1], data.task, data.classes)
    found["stack"] = assembly.stacking(few, final, data.task, data.classes)
    return found


def _answer(fitted, prepared):
    matrix = prepared.data.matrix
    if prepared.data.task is Task.REGRESSION:
        return fitted.predict(matrix).reshape(-1, 1)
    return fitted.predict_proba(matrix)


@pytest.mark.parametrize("label", LABELS)
def test_every_model_answers_raw_rows_in_the_labels_own_values(frame, prepared, models, label):
    for name, model in models[label].items():
        whole = assembly.whole(prepared[label].transformer, model)

        answers = whole.predict(frame[["noise", "job", "rate", "age"]])

        if label == "amount":
            assert np.corrcoef(answers, frame["amount"])[0, 1] > 0.7, name
        else:
            assert set(answers) <= set(frame[label]), name
            assert list(whole.classes_) == sorted(set(frame[label]))
            assert (answers == frame[label]).mean() > 0.6, name
            sums = whole.predict_proba(frame).sum(axis=1)
            assert np.allclose(sums, 1, atol=1e-6), name


@pytest.mark.parametrize("label", LABELS)
def test_onnx_answers_what_the_model_answers(prepared, models, label):
    matrix = prepared[label].data.matrix
    chosen = models[label] if label == "y" else {k: models[label][k] for k in ("voting", "stack")}
    for name, model in chosen.items():
        session = onnxruntime.InferenceSession(onnx_model.converted(model, matrix.shape[1]))
        found = session.run(None, {"features": matrix})

        if label == "amount":
            difference = np.abs(found[0][:, 0] - model.predict(matrix))
        else:
            assert (np.asarray(found[0]) == model.predict(matrix)).all(), name
            difference = np.abs(found[1] - model.predict_proba(matrix))
        assert difference.max() < 1e-4, name


def test_scaling_for_trees_is_exact_in_single_precision(prepared):
    matrix = prepared["y"].data.matrix
    for recipe in recipes.portfolio(Task.CLASSIFICATION, onnx=True)[:5:4]:
        scale = member(recipe, prepared["y"])[0].scale_

        assert (np.frexp(scale)[0] == 0.5).all()
        assert ((matrix / scale).astype(np.float32) * scale.astype(np.float32) == matrix).all()


def test_a_model_loads_where_this_project_is_not(frame, prepared, models, tmp_path: Path):
    given = prepared["y"]
    model = assembly.whole(given.transformer, models["y"]["stack"])
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    rows = frame[["age", "job", "rate", "noise"]].head(5)
    rows.to_json(tmp_path / "rows.json", orient="records")

    done = subprocess.run(
        [sys.executable, "-c", LOAD_ELSEWHERE, "model.pkl", "rows.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().replace('"', "'") == str(model.predict(rows).tolist())


# --- explanations ---


@pytest.mark.parametrize("label", LABELS)
def test_an_explanation_names_what_the_label_was_made_of(prepared, models, label):
    given = prepared[label]
    model = models[label]["voting"]

    found = explanation.explain(model, given.data.task, given.data.matrix, given.features, seed=1)

    assert {name for name, _ in found.raw} == {"age", "job", "rate", "noise"}
    assert {name for name, _ in found.raw[:2]} <= {"age", "job", "rate"}
    assert found.raw[-1][0] == "noise"
    assert found.fidelity > 0.6
    values = [value for _, value in found.engineered]
    assert values == sorted(values, reverse=True)


def test_engineered_importances_add_up_to_the_raw_ones(prepared, models):
    given = prepared["y"]
    model = models["y"]["voting"]

    found = explanation.explain(model, given.data.task, given.data.matrix, given.features, seed=1)

    jobs = [value for name, value in found.engineered if name.startswith("job_")]
    assert len(jobs) == 5
    assert sum(jobs) == pytest.approx(dict(found.raw)["job"])
