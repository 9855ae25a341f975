"""Fast cores answer as the estimators they stand in for, and the gate knows when they do not."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from services import data_contract
from services.local.processes import ROOT
from services.local.serving import cores, frames, model_folder, native, native_model, parity, plan
from services.local.serving import prepare as preparation
from services.local.serving.feature_encoding import UnsupportedModelError
from services.local.serving.plan import CoreKind
from tests import scoring_models
from tests.scoring_models import contract, data

pytestmark = pytest.mark.filterwarnings("ignore")

ODD_ROWS = (
    {"age": 41, "job": "never seen", "balance": None, "contacted": False},
    {"age": 17.5, "job": "student", "balance": 1e12, "contacted": True},
    {"age": 2**62, "job": "retired", "balance": -0.0, "contacted": True},
)


def classifier(kind):
    from lightgbm import LGBMClassifier
    from sklearn import ensemble, linear_model, naive_bayes, tree
    from sklearn.decomposition import PCA, TruncatedSVD
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, Normalizer, QuantileTransformer

    quick, line = {"n_estimators": 8}, linear_model.LogisticRegression
    return {
        "lightgbm": lambda: LGBMClassifier(**quick, num_leaves=7, n_jobs=1, verbose=-1),
        "forest": lambda: ensemble.RandomForestClassifier(**quick, random_state=1),
        "extra trees": lambda: ensemble.ExtraTreesClassifier(**quick, random_state=1),
        "gradient boosting": lambda: ensemble.GradientBoostingClassifier(**quick),
        "histograms": lambda: ensemble.HistGradientBoostingClassifier(max_iter=8),
        "tree": lambda: tree.DecisionTreeClassifier(max_depth=4),
        "logistic": line,
        "sgd": lambda: linear_model.SGDClassifier(loss="log_loss", random_state=1),
        "naive bayes": naive_bayes.GaussianNB,  # kept as it is
        "scaled": lambda: make_pipeline(MaxAbsScaler(), MinMaxScaler(), line()),
        "normalized": lambda: make_pipeline(Normalizer("l1"), line()),
        "projected": lambda: make_pipeline(PCA(3), TruncatedSVD(2), line()),
        "quantiles": lambda: make_pipeline(
            QuantileTransformer(n_quantiles=20), line()
        ),
    }[kind]()  # fmt: skip


CLASSIFIERS = (
    "lightgbm", "forest", "extra trees", "gradient boosting", "histograms", "tree", "logistic",
    "sgd", "naive bayes", "scaled", "normalized", "projected", "quantiles",
)  # fmt: skip


def fitted(model, *, label=None, transformer=None):
    from sklearn.pipeline import make_pipeline

    frame = data()
    target = frame["y"] if label is None else label
    pipeline = make_pipeline(transformer or scoring_models.transformer(), model)
    return pipeline.fit(frame.drop(columns="y"), target)


def rows():
    checker = data_contract.RowChecker(contract())
    sent = json.loads(data().drop(columns="y").to_json(orient="records"))
    return [checker.conform(row) for row in (*sent, *ODD_ROWS)]


def both(model, folder: Path, *, onnx=False):
    """What the native form of a model answers, together and alone, and what the model does."""
    native_model.write(model, contract(), folder, onnx=onnx)
    made = native.load(folder)
    replayed = rows()
    values = [list(row.values()) for row in replayed]
    ask = model.predict_proba if hasattr(model, "predict_proba") else model.predict
    expected = np.asarray(ask(frames.frame(contract(), replayed))).reshape(len(replayed), -1)
    alone = np.vstack([made.answer([row]) for row in values])
    return made.answer(values), alone, expected


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_a_native_model_answers_as_its_pipeline(kind, tmp_path):
    together, alone, expected = both(fitted(classifier(kind)), tmp_path)

    assert np.abs(together - expected).max() < 1e-9
    assert np.abs(alone - expected).max() < 1e-9


@pytest.mark.parametrize(
    "kind", ["histograms", "forest", "lightgbm", "logistic", "gradient boosting"]
)
def test_more_than_two_classes_are_kept_apart(kind, tmp_path):
    label = np.array(["low", "middle", "high"])[np.digitize(data()["age"], (35, 60))]

    together, _, expected = both(fitted(classifier(kind), label=label), tmp_path)

    assert together.shape[1] == 3
    assert np.abs(together - expected).max() < 1e-9


def test_values_are_predicted_too(tmp_path):
    from lightgbm import LGBMRegressor
    from sklearn.ensemble import (
        HistGradientBoostingRegressor,
        RandomForestRegressor,
        StackingRegressor,
        VotingRegressor,
    )
    from sklearn.linear_model import ElasticNet, Ridge
    from xgboost import XGBRegressor

    members = [
        ("trees", LGBMRegressor(n_estimators=8, verbose=-1, n_jobs=1)),
        ("boosted", XGBRegressor(n_estimators=8, n_jobs=1)),
        ("forest", RandomForestRegressor(8, random_state=1)),
        ("histograms", HistGradientBoostingRegressor(max_iter=8)),
        ("line", ElasticNet()),
    ]
    target = data()["age"] * 3.0 + 5
    for number, model in enumerate(
        (VotingRegressor(members), StackingRegressor(members, Ridge(), cv=2))
    ):
        place = tmp_path / str(number)
        place.mkdir()
        together, alone, expected = both(fitted(model, label=target), place)
        assert np.allclose(together, expected, rtol=1e-6, atol=1e-4)
        assert np.allclose(alone, expected, rtol=1e-6, atol=1e-4)


def members():
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from xgboost import XGBClassifier

    return [
        ("boosted", XGBClassifier(n_estimators=8, n_jobs=1)),
        ("forest", RandomForestClassifier(8, random_state=1)),
        ("line", LogisticRegression()),
    ]


@pytest.mark.parametrize("onnx", [False, True], ids=["native", "onnx"])
def test_a_vote_is_weighted_as_the_ensemble_weighs_it(onnx, tmp_path):
    from sklearn.ensemble import VotingClassifier

    model = VotingClassifier(members(), voting="soft", weights=[0.6, 0.3, 0.1])

    together, alone, expected = both(fitted(model), tmp_path, onnx=onnx)

    assert np.abs(together - expected).max() < 1e-5
    assert np.abs(alone - expected).max() < 1e-5


def test_a_stack_judges_what_its_members_say(tmp_path):
    from sklearn.ensemble import StackingClassifier
    from sklearn.linear_model import LogisticRegression

    model = StackingClassifier(members(), LogisticRegression(), cv=2)

    together, _, expected = both(fitted(model), tmp_path)

    assert np.abs(together - expected).max() < 1e-5


def test_boosted_trees_on_a_sparse_matrix_take_a_zero_for_a_gap(tmp_path):
    """As XGBoost does; a zero and a gap fall on different sides of a split."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import VotingClassifier
    from sklearn.preprocessing import OneHotEncoder

    words = OneHotEncoder(handle_unknown="ignore")
    sparse = ColumnTransformer(
        [("words", words, ["job", "contacted"]), ("age", "passthrough", ["age"])],
        sparse_threshold=1.0,
    )
    model = fitted(VotingClassifier(members()[:1], voting="soft"), transformer=sparse)
    assert model[0].sparse_output_

    together, _, expected = both(model, tmp_path)

    assert np.abs(together - expected).max() < 1e-5


@pytest.fixture(scope="module")
def varied():
    """A frame with every kind of column AutoML tells apart, gaps in all of them."""
    import pandas as pd

    chance = np.random.default_rng(3)
    count = 600
    frame = pd.DataFrame(
        {
            "age": chance.integers(18, 90, count).astype(float),
            "city": [f"city {n}" for n in chance.integers(0, 150, count)],
            "member": chance.choice([True, False, None], count),
            "since": pd.Timestamp("2020-03-01 14:30")
            + pd.to_timedelta(chance.integers(0, 10**5, count), unit="h"),
            "note": [f"free text number {n} {n * 7}" for n in range(count)],
            "job": chance.choice(["admin.", "services", "retired"], count),
        }
    )
    for place, name in enumerate(("age", "city", "since", "job")):
        frame.loc[place::13, name] = None
    frame["y"] = np.where(frame["age"].fillna(50) + chance.normal(0, 20, count) > 50, "yes", "no")
    return frame


def automl(frame):
    """A vote as AutoML assembles one: codes, single precision, members already fitted."""
    from services.domain import Task
    from services.local.automl import assembly, features, fitting
    from services.local.automl.recipes import Recipe

    rows, classes = features.tidied(frame.drop(columns="y")), np.array(["no", "yes"])
    codes = (frame["y"] == "yes").to_numpy().astype(int)
    plans = features.plan(rows)
    transformer = features.transformer(plans).fit(rows)
    matrix = transformer.transform(rows)
    category_count = sum("Categorical" in each.purpose.value for each in plans)
    recipes = (
        Recipe("LightGBM", "MaxAbsScaler", {"n_estimators": 8}),
        Recipe("XGBoost", "StandardScalerWrapper", {"n_estimators": 8}),
        Recipe("ExtremeRandomTrees", "MaxAbsScaler", {"n_estimators": 8}),
        Recipe("LogisticRegression", "StandardScalerWrapper", {}),
    )

    def member(recipe):
        return fitting.fit(
            recipe, Task.CLASSIFICATION, matrix, codes, category_count=category_count, seed=1
        )

    members = [(recipe.learner, member(recipe)) for recipe in recipes]
    vote = assembly.voting(members, [0.4, 0.3, 0.2, 0.1], Task.CLASSIFICATION, classes)
    return assembly.whole(transformer, vote)


@pytest.mark.parametrize("onnx", [False, True], ids=["native", "onnx"])
@pytest.mark.parametrize("which", ["bank", "varied"])
def test_automl_models_are_served_without_anything_of_scikit_learn(which, onnx, varied, tmp_path):
    frame = data() if which == "bank" else varied
    terms = data_contract.from_frame(frame, label="y")
    model = automl(frame)
    checker = data_contract.RowChecker(terms)
    sent = json.loads(frame.drop(columns="y").to_json(orient="records", date_format="iso"))
    replayed = parity.replay_rows(terms, [checker.conform(row) for row in sent])
    values = [list(row.values()) for row in replayed]

    native_model.write(model, terms, tmp_path, onnx=onnx)
    made = native.load(tmp_path)

    expected = model.predict_proba(frames.frame(terms, replayed))
    assert np.abs(made.answer(values) - expected).max() < 1e-5
    alone = np.vstack([made.answer([row]) for row in values[:200]])
    assert np.abs(alone - expected[:200]).max() < 1e-5
    kinds = native_model.core_parts(json.loads((tmp_path / native.FILE).read_text()))
    assert not {"estimator", "transformer"} & kinds.keys()


def test_a_shape_nobody_knows_is_refused_by_name(tmp_path):
    from sklearn.linear_model import LogisticRegression

    bare = LogisticRegression().fit([[0.0], [1.0]], ["no", "yes"])

    with pytest.raises(UnsupportedModelError, match="LogisticRegression"):
        native_model.write(bare, contract(), tmp_path)


# --- the gate ---


class Answers:
    def __init__(self, answer):
        self.answer = answer


EXPECTED = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])


def verdict(answer, expected=EXPECTED, *, classifying=True):
    candidate = Answers(lambda values: answer(np.array([expected[v[0]] for v in values])))
    values = [[0], [1], [2]]
    return parity.compare(candidate, expected, values, classifying=classifying)


def test_equal_answers_pass():
    found = verdict(lambda answers: answers + 5e-5)

    assert found.passed
    assert found.row_count == 3
    assert found.row_us >= 0


def test_a_probability_off_by_more_than_the_tolerance_fails():
    assert not verdict(lambda answers: answers + 2e-4).passed


def test_one_label_that_differs_fails():
    near = np.array([[0.50004, 0.49996], [0.4, 0.6], [0.2, 0.8]])
    found = verdict(lambda answers: np.where(answers == 0.50004, 0.49995, answers), near)

    assert found.largest_difference <= parity.TOLERANCE
    assert found.label_difference_count == 1
    assert not found.passed


def test_answers_that_are_no_numbers_fail():
    assert not verdict(lambda answers: answers * np.nan).passed


def test_a_row_that_is_answered_differently_alone_fails():
    assert not verdict(lambda answers: answers + (0.1 if len(answers) == 1 else 0.0)).passed


def test_too_few_columns_fail():
    assert not verdict(lambda answers: answers[:, :1]).passed


def test_values_are_compared_relative_to_their_spread():
    values = np.array([[1000.0], [2000.0], [3000.0]])

    assert verdict(lambda answers: answers + 0.1, values, classifying=False).passed
    assert not verdict(lambda answers: answers + 1.0, values, classifying=False).passed


def test_a_small_sample_is_mixed_until_a_thousand_rows_are_replayed():
    replayed = parity.replay_rows(contract(), rows()[:50])

    assert len(replayed) >= parity.LEAST_ROWS
    assert any(row["job"] == parity.NEVER_SEEN for row in replayed)
    assert any(row["balance"] is None for row in replayed)


# --- the decision ---


@pytest.fixture
def folder(tmp_path) -> Path:
    return scoring_models.write(tmp_path / "models" / "bank" / "1", scoring_models.fitted("trees"))


def test_the_first_core_that_agrees_is_chosen_and_kept(folder, tmp_path):
    chosen = preparation.prepare(folder, tmp_path / "core")

    assert chosen.kind is CoreKind.ONNX
    assert chosen.row_count >= 1000
    assert chosen.largest_difference <= parity.TOLERANCE
    assert plan.read(tmp_path / "core") == chosen
    assert chosen.described()["parity_rows"] == str(chosen.row_count)


def test_a_core_that_is_kept_is_not_made_again(folder, tmp_path, monkeypatch):
    chosen = preparation.prepare(folder, tmp_path / "core")
    monkeypatch.setattr(preparation, "_planned", lambda *_: pytest.fail("made again"))

    assert preparation.prepare(folder, tmp_path / "core") == chosen


def test_another_model_in_the_same_place_gets_a_core_of_its_own(folder, tmp_path):
    before = preparation.prepare(folder, tmp_path / "core")
    scoring_models.write(folder, scoring_models.fitted("logistic"))

    after = preparation.prepare(folder, tmp_path / "core")

    assert after.fingerprint != before.fingerprint


def test_a_core_that_disagrees_is_rejected_and_said_so(folder, tmp_path, monkeypatch):
    honest = native.load

    class Wrong:
        def __init__(self, place):
            self._made = honest(place)

        def answer(self, values):
            return self._made.answer(values)[:, ::-1]

    monkeypatch.setattr(native, "load", Wrong)

    chosen = preparation.prepare(folder, tmp_path / "core")

    assert chosen.kind is CoreKind.PLAIN
    assert len(chosen.rejected) == 2
    assert all("labels differed" in each for each in chosen.rejected)


@pytest.mark.parametrize(
    ("costs_us", "expected"),
    [
        ({True: 100, False: 10}, CoreKind.ONNX),
        ({True: 900, False: 100}, CoreKind.NATIVE),
        ({True: 900, False: 2000}, CoreKind.ONNX),
        ({True: 2000, False: 900}, CoreKind.NATIVE),
    ],
)
def test_a_dear_core_makes_way_for_a_cheaper_one_but_never_for_the_pipeline(
    folder, tmp_path, monkeypatch, costs_us, expected
):
    honest = preparation._tried

    def tried(reference, place, *, onnx):
        verdict, why = honest(reference, place, onnx=onnx)
        return dataclasses.replace(verdict, row_us=costs_us[onnx]), why

    monkeypatch.setattr(preparation, "_tried", tried)

    chosen = preparation.prepare(folder, tmp_path / "core")

    assert (chosen.kind, chosen.row_us) == (expected, costs_us[expected is CoreKind.ONNX])
    assert cores.load(folder, tmp_path / "core", chosen).predict(rows()[:5])
    assert {path.name for path in (tmp_path / "core").iterdir() if path.is_dir()} == set()


def test_without_sample_rows_the_pipeline_itself_serves(folder, tmp_path):
    (folder / "sample_rows.json").unlink()

    assert preparation.prepare(folder, tmp_path / "core").kind is CoreKind.PLAIN


@pytest.mark.parametrize("sample", [True, False], ids=["fast", "plain"])
def test_every_core_answers_labels_as_the_model_does(folder, tmp_path, sample):
    if not sample:
        (folder / "sample_rows.json").unlink()
    chosen = preparation.prepare(folder, tmp_path / "core")
    core = cores.load(folder, tmp_path / "core", chosen)
    replayed = rows()[:100]
    frame = frames.frame(contract(), replayed)
    model = model_folder.read_estimator(folder)

    assert core.predict(replayed) == model.predict(frame).tolist()
    assert np.allclose(core.predict_proba(replayed), model.predict_proba(frame), atol=1e-4)


def test_a_fast_core_loads_neither_pandas_nor_scikit_learn(folder, tmp_path):
    preparation.prepare(folder, tmp_path / "core")
    script = f"""
import sys
from pathlib import Path
from services.local.serving import plan, scorers
core = Path({str(tmp_path / "core")!r})
scorer = scorers.load(Path({str(folder)!r}), core, plan.read(core))
print(scorer.score({scoring_models.payload().encode()!r}).status)
print(sorted({{"pandas", "sklearn", "scipy", "lightgbm", "xgboost", "pyarrow"}} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.split("\n")[:2] == ["200", "[]"]
