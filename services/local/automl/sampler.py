"""Which recipe to try next: the portfolio first, then what promises most.

Each learner has an in-memory Optuna study of its own (tree-structured Parzen estimators),
told of the portfolio's results too. Among the learners the better ones are tried more
often, and those that fell behind no more.
"""

from __future__ import annotations

import warnings
from collections import deque
from typing import Any

import numpy as np

from services.domain import MetricGoal, Task, metric_goal
from services.local.automl import recipes
from services.local.automl.recipes import Recipe

ATTEMPTS = 20  # draws before a space is taken to be exhausted
RANDOM_TRIALS = 6  # of a learner, the portfolio's included, before its study is believed


class Sampler:
    """No recipe is handed out twice."""

    def __init__(self, task: Task, primary_metric: str, *, onnx: bool, seed: int) -> None:
        self._goal = metric_goal(primary_metric)
        self._seed = seed
        self._generator = np.random.default_rng(seed)
        self._portfolio = deque(recipes.portfolio(task, onnx=onnx))
        self._learners = recipes.learners(task, onnx=onnx)
        self._studies: dict[str, Any] = {}
        self._best: dict[str, float] = {}  # by learner, of candidates that kept up
        self._tried: set[Any] = set()

    def ask(self) -> tuple[Recipe, Any] | None:
        """A recipe nobody tried and the handle to tell about it; None when there is none."""
        if self._portfolio:
            recipe = self._portfolio.popleft()
            self._tried.add(recipe.key)
            return recipe, None
        for _ in range(ATTEMPTS):
            learner = self._promising()
            trial = self._study(learner).ask()
            recipe = recipes.suggested(trial, learner)
            if recipe.key not in self._tried:
                self._tried.add(recipe.key)
                return recipe, trial
            self.tell(recipe, trial, None)
        return None

    def tell(
        self, recipe: Recipe, trial: Any, score: float | None, *, dropped: bool = False
    ) -> None:
        """What became of a recipe; no score when it failed or was canceled."""
        from optuna.trial import TrialState

        study = self._study(recipe.learner)
        if trial is None:  # of the portfolio; the study hears of it now
            study.enqueue_trial(recipes.fixed_parameters(recipe))
            trial = study.ask()
            recipes.suggested(trial, recipe.learner)  # so that the trial knows its parameters
        if score is None or score != score:
            study.tell(trial, state=TrialState.FAIL)
            return
        study.tell(trial, score)
        if not dropped:
            better = max if self._goal is MetricGoal.MAXIMIZE else min
            self._best[recipe.learner] = better(score, self._best.get(recipe.learner, score))

    def _promising(self) -> str:
        """A learner drawn by rank: each half as likely as the next better one."""
        ranked = sorted(
            self._best, key=self._best.__getitem__, reverse=self._goal is MetricGoal.MAXIMIZE
        ) or list(self._learners)
        weights = 0.5 ** np.arange(len(ranked))
        return ranked[self._generator.choice(len(ranked), p=weights / weights.sum())]

    def _study(self, learner: str) -> Any:
        if learner not in self._studies:
            self._studies[learner] = self._new_study(self._seed + self._learners.index(learner))
        return self._studies[learner]

    def _new_study(self, seed: int) -> Any:
        import optuna  # half a second that the first candidates need not wait for

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(
                seed=seed, multivariate=True, constant_liar=True, n_startup_trials=RANDOM_TRIALS
            )
        return optuna.create_study(direction=self._goal.value, sampler=sampler)
