"""Combining candidates: which of them, with which weights (pure).

Both ensembles learn from out-of-fold predictions only. Voting is chosen greedily, with
replacement, as Caruana et al. describe and Azure AutoML does, by log loss (squared error
for regression): on the bank data that is as good in AUC as choosing by AUC, better
calibrated and twenty times faster. Stacking fits a linear model on the members' answers.

What an ensemble scores is found by choosing on all folds but one and measuring on that
one: choosing and measuring on the same rows flatters it.

Source: Caruana, Niculescu-Mizil, Crew, Ksikes, Ensemble Selection from Libraries of
Models, ICML 2004.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from services.domain import Task
from services.local.automl.arrays import Floats, Rows

STEPS = 25
MEMBER_LIMIT = 7
CERTAINTY = 1e-6  # no answer is taken to be nearer to 0 or 1

Answers = Sequence[Floats]  # one array per candidate: a row per row, a column per class


def vote(answers: Answers, truth: Any, task: Task) -> Floats:
    """Weights that sum to 1, one per candidate; 0 for those left out."""
    relevant = np.stack([_relevant(each, truth, task) for each in answers])
    counts = np.zeros(len(answers), dtype=int)
    total = np.zeros(relevant.shape[1])
    best_loss, best_counts = np.inf, counts
    for step in range(1, STEPS + 1):
        full = (counts > 0).sum() >= MEMBER_LIMIT
        allowed = np.flatnonzero(counts > 0) if full else np.arange(len(counts))
        losses = [_loss((total + relevant[i]) / step, truth, task) for i in allowed]
        chosen = allowed[int(np.argmin(losses))]
        counts[chosen] += 1
        total += relevant[chosen]
        if min(losses) < best_loss - 1e-9:
            best_loss, best_counts = min(losses), counts.copy()
    return np.asarray(best_counts / best_counts.sum())


def mixed(answers: Answers, weights: Floats) -> Floats:
    """The weighted mean of the candidates' answers."""
    return np.asarray(np.tensordot(weights, np.stack(list(answers)), axes=1))


def stack(answers: Answers, truth: Any, task: Task) -> Any:
    """A linear model of the members' answers, fitted as the stacking classes feed it.

    Probabilities are taken as log-odds: of the probabilities themselves a logistic model
    is well ordered but badly calibrated (log loss 0.190 against 0.170 on the bank data).
    """
    from scipy.special import logit
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    final: Any
    if task is Task.CLASSIFICATION:
        bounds = {"a_min": CERTAINTY, "a_max": 1 - CERTAINTY}
        final = Pipeline(
            [
                ("clip", FunctionTransformer(np.clip, kw_args=bounds)),
                ("logit", FunctionTransformer(logit)),
                ("LogisticRegression", LogisticRegression(max_iter=500)),
            ]
        )
    else:
        final = LinearRegression(positive=True)  # members are never counted against each other
    return final.fit(stacked_input(answers, task), truth)


def stacked_input(answers: Answers, task: Task) -> Floats:
    """The answers side by side; of two classes only the second, as scikit-learn does."""
    if task is Task.CLASSIFICATION and answers[0].shape[1] == 2:
        return np.column_stack([each[:, 1] for each in answers])
    return np.hstack(list(answers))


def stacked_answer(final: Any, answers: Answers, task: Task, class_count: int) -> Floats:
    given = stacked_input(answers, task)
    if task is Task.REGRESSION:
        return np.asarray(final.predict(given)).reshape(-1, 1)
    complete = np.zeros((len(given), class_count))
    complete[:, np.asarray(final.classes_, dtype=int)] = final.predict_proba(given)
    return complete


def voted_unseen(answers: Answers, truth: Any, task: Task, folds: Sequence[Rows]) -> Floats:
    """Each fold's answer by the vote that was chosen without it."""
    result = np.zeros_like(answers[0])
    for held, rest in _each_held(folds):
        weights = vote([each[rest] for each in answers], truth[rest], task)
        result[held] = mixed([each[held] for each in answers], weights)
    return result


def stacked_unseen(answers: Answers, truth: Any, task: Task, folds: Sequence[Rows]) -> Floats:
    """Each fold's answer by the stack that was fitted without it."""
    result = np.zeros_like(answers[0])
    for held, rest in _each_held(folds):
        final = stack([each[rest] for each in answers], truth[rest], task)
        result[held] = stacked_answer(
            final, [each[held] for each in answers], task, result.shape[1]
        )
    return result


def _each_held(folds: Sequence[Rows]) -> Sequence[tuple[Rows, Rows]]:
    return [
        (held, np.concatenate([each for j, each in enumerate(folds) if j != i]))
        for i, held in enumerate(folds)
    ]


def _relevant(answer: Floats, truth: Any, task: Task) -> Floats:
    """What the loss depends on: the probability of the true class, or the number."""
    column = truth if task is Task.CLASSIFICATION else 0
    return np.asarray(answer[np.arange(len(truth)), column], dtype=np.float64)


def _loss(relevant: Floats, truth: Any, task: Task) -> float:
    if task is Task.REGRESSION:
        return float(np.mean((relevant - truth) ** 2))
    return float(-np.mean(np.log(np.clip(relevant, 1e-12, None))))
