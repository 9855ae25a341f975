"""The search and its ensembles, with fits done in this process."""

from __future__ import annotations

import time
from collections.abc import Collection
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from services.domain import AutoMLSettings, MetricGoal, Task, metric_goal
from services.local.automl import candidates, ensembles, jobs, preparation, recipes, search
from services.local.automl.candidates import Candidate
from services.local.automl.combination import Combiner
from services.local.automl.jobs import Job
from services.local.automl.sampler import Sampler
from services.local.automl.search import Search

ROWS = 400


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": draw.integers(18, 80, ROWS),
            "job": draw.choice(list("abcd"), ROWS),
            "score": draw.normal(size=ROWS),
        }
    )
    signal = frame["age"] / 20 + frame["job"].map("abcd".index) + frame["score"]
    noisy = signal + draw.normal(size=ROWS)
    return frame.assign(y=np.where(noisy > 4.5, "yes", "no"), amount=noisy)


def settings(**changes) -> AutoMLSettings:
    given = {"experiment": "e", "dataset_id": "d:1", "label_column_name": "y", "iterations": 4}
    return AutoMLSettings(**(given | changes))


class InProcess:
    """Stands in for the pool: a fit happens when it is asked for."""

    size = 1

    def __init__(self, folder: Path, *, failing: str = "", lost: int = 0) -> None:
        self.folder, self.failing, self.lost, self.restarts = folder, failing, lost, 0

    def submit(self, job: Job) -> Future:
        future: Future = Future()
        if self.lost:
            self.lost -= 1
            future.set_exception(BrokenProcessPool("killed"))
        elif job.recipe.learner == self.failing:
            future.set_exception(MemoryError("the matrix does not fit"))
        else:
            jobs.load.cache_clear()
            future.set_result(jobs.run(self.folder, job))
        return future

    def restart(self) -> None:
        self.restarts += 1


class Notes:
    """Listens, and can ask for ends."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self.ended: dict[int, str] = {}
        self.asked: Collection[int] = ()

    def started(self, iteration, recipe):
        self.names[iteration] = recipe.name(Task.CLASSIFICATION)

    def finished(self, candidate):
        self.ended[candidate.iteration] = "dropped" if candidate.dropped else "finished"

    def failed(self, iteration, reason):
        self.ended[iteration] = reason

    def canceled(self, iteration):
        self.ended[iteration] = "canceled"

    def poll(self):
        return self.asked


@pytest.fixture
def searching(frame: pd.DataFrame, tmp_path: Path):
    """Run a search; answers it, what was heard, and what it searched on."""

    def searching(*, pool=None, notes=None, limit_s: float = 3600.0, **changes):
        chosen = settings(**changes)
        label = chosen.label_column_name
        other = {"y": "amount", "amount": "y"}[label]
        prepared = preparation.prepare(frame.drop(columns=other), chosen)
        folder = tmp_path / "work"
        jobs.save(prepared.data, folder)
        pool, notes = pool or InProcess(folder), notes or Notes()
        pool.folder = folder
        end = time.monotonic() + limit_s
        done = Search(
            chosen,
            prepared.data.validation,
            prepared.evaluator,
            pool,
            folder,
            notes,
            until_s=lambda finished: end,
        )
        done.run()
        return done, notes, prepared

    return searching


def test_candidates_come_in_the_portfolios_order_under_azures_names(searching):
    done, notes, _ = searching(n_cross_validations=3)

    assert list(notes.names.values()) == [
        "MaxAbsScaler, LightGBM",
        "MaxAbsScaler, XGBoostClassifier",
        "StandardScalerWrapper, LogisticRegression",
        "StandardScalerWrapper, LightGBM",
    ]
    assert set(notes.ended.values()) == {"finished"}
    assert all(each.score is not None and each.score > 0.8 for each in done.finished)


def test_with_folds_every_fold_is_run_and_a_model_of_all_rows_is_kept(searching):
    done, _, prepared = searching(n_cross_validations=3)

    for candidate in done.finished:
        assert sorted(candidate.fold_scores) == [0, 1, 2]
        assert done.member_path(candidate.iteration).exists()
        assert len(candidate.out_of_fold(prepared.data.validation)) == ROWS


def test_with_a_split_the_validation_rows_are_predicted_by_a_model_that_never_saw_them(searching):
    done, _, prepared = searching(validation_size=0.25)

    for candidate in done.finished:
        assert len(candidate.answers[-1]) == len(prepared.data.validation.held(-1))


def test_a_learner_that_fails_is_told_with_its_reason_and_the_others_go_on(searching, tmp_path):
    done, notes, _ = searching(pool=InProcess(tmp_path, failing="XGBoost"), n_cross_validations=3)

    assert notes.ended[1] == "MemoryError: the matrix does not fit"
    assert [each.iteration for each in done.finished] == [0, 2, 3]


def test_a_lost_process_is_replaced_and_its_fits_repeated(searching, tmp_path):
    pool = InProcess(tmp_path, lost=1)

    _, notes, _ = searching(pool=pool, n_cross_validations=3)

    assert pool.restarts == 1
    assert set(notes.ended.values()) == {"finished"}


def test_what_is_under_way_when_the_time_is_up_is_cut_off(searching, tmp_path, monkeypatch):
    class Stuck(InProcess):
        def submit(self, job: Job) -> Future:
            return Future()

    pool = Stuck(tmp_path)
    monkeypatch.setattr(Search, "_time_is_up", property(lambda search: True))
    monkeypatch.setattr(search, "GRACE_S", 0.05)
    done, notes, _ = searching(pool=pool, n_cross_validations=3)
    assert done.finished == [] and notes.ended == {0: "canceled"}
    assert pool.restarts == 0  # they may end while the ensembles are chosen

    done.settle()
    done.settle()
    assert pool.restarts == 1


def test_fits_that_take_long_are_cut_off_as_soon_as_the_time_is_up(
    searching, tmp_path, monkeypatch
):
    class Slow(InProcess):
        """Its first fit took a minute; the others do not end."""

        def submit(self, job: Job) -> Future:
            future: Future = Future()
            if job.part == 0:
                future.set_result(replace(super().submit(job).result(), fit_s=60.0))
            return future

    pool = Slow(tmp_path)
    monkeypatch.setattr(Search, "_time_is_up", property(lambda search: True))
    searching(pool=pool, n_cross_validations=3)

    assert pool.restarts == 1


def test_a_candidate_whose_process_is_lost_twice_is_given_up(searching, tmp_path):
    pool = InProcess(tmp_path, lost=4)  # it hands out two fits at a time

    done, notes, _ = searching(pool=pool, n_cross_validations=3)

    assert "ended by the system" in notes.ended[0]
    assert len(done.finished) == 3


def test_a_single_candidate_can_be_canceled(searching):
    notes = Notes()
    notes.asked = {1}

    _, notes, _ = searching(notes=notes, n_cross_validations=3)

    assert notes.ended[1] == "canceled"
    assert notes.ended[2] == "finished"


def test_when_time_is_up_nothing_new_begins(searching):
    done, notes, _ = searching(limit_s=0.0, iterations=None)

    assert len(notes.names) <= 2
    assert set(notes.ended.values()) <= {"canceled", "finished"}


def test_early_stopping_ends_a_search_that_no_longer_improves(searching, monkeypatch):
    monkeypatch.setattr(search, "FREE_ITERATIONS", 3)
    monkeypatch.setattr(search, "PATIENCE", 2)

    done, _, _ = searching(n_cross_validations=2, iterations=40)

    best = done.finished.index(done.leader)
    assert len(done.finished) < 40
    assert len(done.finished) - 1 - best >= 2


def test_without_early_stopping_every_allowed_iteration_runs(searching, monkeypatch):
    monkeypatch.setattr(search, "FREE_ITERATIONS", 1)
    monkeypatch.setattr(search, "PATIENCE", 1)

    done, _, _ = searching(n_cross_validations=2, iterations=6, enable_early_stopping=False)

    assert len(done.finished) == 6


def test_regression_is_searched_for_the_smallest_error(searching):
    done, _, _ = searching(
        label_column_name="amount",
        task=Task.REGRESSION,
        primary_metric="normalized_root_mean_squared_error",
        n_cross_validations=3,
    )

    assert done.leader.score == min(each.score for each in done.finished)
    assert done.leader.score < 0.2


@pytest.mark.parametrize("label", [["a"] * 30 + ["b"] * 20, ["a"] * 46 + ["b"] * 3 + ["c"]])
def test_fifty_rows_and_a_class_of_one_row_are_enough(label, tmp_path):
    draw = np.random.default_rng(0)
    few = pd.DataFrame({"age": draw.random(50), "y": label})
    chosen = settings(primary_metric="accuracy", iterations=3)
    prepared = preparation.prepare(few, chosen)
    jobs.save(prepared.data, tmp_path)
    notes = Notes()

    done = Search(
        chosen, prepared.data.validation, prepared.evaluator, InProcess(tmp_path), tmp_path,
        notes, until_s=lambda finished: np.inf,
    )  # fmt: skip
    done.run()

    assert set(notes.ended.values()) == {"finished"}, notes.ended
    combiner = Combiner(done.finished, prepared)
    assert combiner.stacking(combiner.voting().members).report.metrics["accuracy"] > 0


# --- dropping ---


def candidate(fold_scores: dict[int, float], score: float | None = None) -> Candidate:
    recipe = recipes.portfolio(Task.CLASSIFICATION, onnx=True)[0]
    made = Candidate(0, recipe, None, candidates.deque(), 0.0)
    made.fold_scores, made.score = fold_scores, score
    return made


def test_folds_are_compared_with_the_same_folds_of_the_leader():
    leader = candidate({0: 0.90, 1: 0.94, 2: 0.92}, score=0.92)

    assert not candidates.falls_behind(candidate({0: 0.90}), leader, sign=1)
    assert candidates.falls_behind(candidate({0: 0.85}), leader, sign=1)
    assert not candidates.falls_behind(candidate({0: 0.95}), leader, sign=1)


def test_of_errors_the_larger_one_falls_behind():
    leader = candidate({0: 0.10, 1: 0.14, 2: 0.12}, score=0.12)

    assert candidates.falls_behind(candidate({0: 0.16}), leader, sign=-1)
    assert not candidates.falls_behind(candidate({0: 0.09}), leader, sign=-1)


def test_the_margin_shrinks_with_every_fold():
    leader = candidate({0: 0.90, 1: 0.94, 2: 0.92}, score=0.92)
    behind = {fold: score - 0.025 for fold, score in leader.fold_scores.items()}

    assert not candidates.falls_behind(candidate({0: behind[0]}), leader, sign=1)
    assert candidates.falls_behind(candidate(behind), leader, sign=1)


def test_a_dropped_candidates_score_is_the_leaders_less_the_gap():
    leader = candidate({0: 0.90, 1: 0.94, 2: 0.92}, score=0.92)

    assert candidates.estimated(candidate({1: 0.90}), leader) == pytest.approx(0.88)


# --- sampling ---


def asked(sampler: Sampler, count: int, score) -> list:
    found = []
    for _ in range(count):
        recipe, trial = sampler.ask()
        found.append(recipe)
        value, dropped = score(recipe)
        sampler.tell(recipe, trial, value, dropped=dropped)
    return found


def test_no_recipe_is_handed_out_twice_and_the_same_seed_hands_out_the_same():
    def score(recipe):
        return 0.9, recipe.learner != "LightGBM"

    first, second = (
        asked(Sampler(Task.CLASSIFICATION, "accuracy", onnx=True, seed=7), 25, score)
        for _ in range(2)
    )

    assert first == second
    assert len({each.key for each in first}) == 25


def test_learners_that_fell_behind_are_not_tried_again():
    portfolio = len(recipes.portfolio(Task.CLASSIFICATION, onnx=True))

    found = asked(
        Sampler(Task.CLASSIFICATION, "accuracy", onnx=True, seed=7),
        portfolio + 15,
        lambda recipe: (0.9, recipe.learner not in ("LightGBM", "XGBoost")),
    )

    assert {each.learner for each in found[portfolio:]} <= {"LightGBM", "XGBoost"}


@pytest.mark.parametrize("task", Task)
@pytest.mark.parametrize("onnx", [True, False])
def test_every_recipe_can_be_told_to_a_study(task, onnx):
    metric = "accuracy" if task is Task.CLASSIFICATION else "r2_score"
    count = len(recipes.portfolio(task, onnx=onnx))

    found = asked(Sampler(task, metric, onnx=onnx, seed=1), count, lambda recipe: (0.5, False))

    assert [each.key for each in found] == [each.key for each in recipes.portfolio(task, onnx=onnx)]
    assert ("GradientBoosting" in {each.learner for each in found}) is not onnx


# --- ensembles ---


@pytest.fixture
def opinions():
    """Truth and three opinions: a good one, one that errs elsewhere, and noise."""
    draw = np.random.default_rng(0)
    truth = (draw.random(2000) < 0.3).astype(int)
    odds = 2.0 * truth - 1

    def opinion(skill: float) -> np.ndarray:
        likely = 1 / (1 + np.exp(-(skill * odds + draw.normal(size=2000))))
        return np.column_stack([1 - likely, likely])

    return truth, [opinion(1.5), opinion(1.4), opinion(0.0)]


def log_loss(answer, truth) -> float:
    return float(-np.mean(np.log(answer[np.arange(len(truth)), truth])))


def test_a_vote_is_better_than_its_best_member_and_leaves_noise_out(opinions):
    truth, answers = opinions

    weights = ensembles.vote(answers, truth, Task.CLASSIFICATION)

    assert weights.sum() == pytest.approx(1.0)
    assert weights[2] == 0
    mixed = ensembles.mixed(answers, weights)
    assert log_loss(mixed, truth) < min(log_loss(each, truth) for each in answers)


def test_an_ensemble_is_measured_on_folds_it_was_not_chosen_on(opinions):
    truth, answers = opinions
    folds = [np.arange(2000)[i::4] for i in range(4)]

    flattered = ensembles.stacked_answer(
        ensembles.stack(answers, truth, Task.CLASSIFICATION), answers, Task.CLASSIFICATION, 2
    )
    unseen = ensembles.stacked_unseen(answers, truth, Task.CLASSIFICATION, folds)

    assert log_loss(unseen, truth) > log_loss(flattered, truth)
    assert log_loss(unseen, truth) < log_loss(answers[0], truth)


def test_a_vote_of_numbers_minimizes_the_squared_error():
    draw = np.random.default_rng(0)
    truth = draw.normal(size=500)
    answers = [(truth + draw.normal(size=500)).reshape(-1, 1) for _ in range(4)]

    mixed = ensembles.mixed(answers, ensembles.vote(answers, truth, Task.REGRESSION))

    best = min(np.mean((each[:, 0] - truth) ** 2) for each in answers)
    assert np.mean((mixed[:, 0] - truth) ** 2) < 0.6 * best


@pytest.mark.parametrize(
    "validation", [{"n_cross_validations": 3}, {"validation_size": 0.25}], ids=str
)
def test_both_ensembles_of_a_search_are_scored_like_its_candidates(searching, validation):
    done, _, prepared = searching(**validation)
    combiner = Combiner(done.finished, prepared)

    voting = combiner.voting()
    stacking = combiner.stacking(voting.members)

    for made in (voting, stacking):
        assert sum(made.weights) == pytest.approx(1.0)
        assert made.score == pytest.approx(done.leader.score, abs=0.03)
        assert set(made.report.tables) == {"confusion_matrix", "accuracy_table"}
    assert list(voting.weights) == sorted(voting.weights, reverse=True)


def test_rows_of_folds_are_put_back_into_their_order(searching):
    _, _, prepared = searching(n_cross_validations=4)
    validation = prepared.data.validation
    by_fold = [validation.held(fold).reshape(-1, 1).astype(float) for fold in validation.folds]

    assert candidates.in_row_order(by_fold, validation)[:, 0].tolist() == list(range(ROWS))


def test_the_direction_of_a_metric_is_azures():
    assert metric_goal("log_loss") is MetricGoal.MINIMIZE
    assert metric_goal("normalized_root_mean_squared_error") is MetricGoal.MINIMIZE
    assert metric_goal("AUC_weighted") is MetricGoal.MAXIMIZE
