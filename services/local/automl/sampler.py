"""Which recipe to try next: the portfolio first, then Optuna's tree-structured Parzen estimator."""

from __future__ import annotations

import warnings
from typing import Any

from services.domain import Task, metric_goal
from services.local.automl import recipes
from services.local.automl.recipes import Recipe

ATTEMPTS = 20  # draws before a space is taken to be exhausted


class Sampler:
    """Asks and tells one in-memory study. No recipe is handed out twice."""

    def __init__(self, task: Task, primary_metric: str, *, onnx: bool, seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(
                seed=seed, multivariate=True, group=True, constant_liar=True, n_startup_trials=8
            )
        self._study = optuna.create_study(
            direction=metric_goal(primary_metric).value, sampler=sampler
        )
        self._task, self._onnx = task, onnx
        self._failed = optuna.trial.TrialState.FAIL
        self._tried: set[Any] = set()
        for recipe in recipes.portfolio(task, onnx=onnx):
            self._study.enqueue_trial(recipes.fixed_parameters(recipe))

    def ask(self) -> tuple[Recipe, Any] | None:
        """A recipe nobody tried and the handle to tell about it; None when there is none."""
        for _ in range(ATTEMPTS):
            trial = self._study.ask()
            recipe = recipes.suggested(trial, self._task, onnx=self._onnx)
            if recipe.key not in self._tried:
                self._tried.add(recipe.key)
                return recipe, trial
            self._study.tell(trial, state=self._failed)
        return None

    def tell(self, trial: Any, score: float | None) -> None:
        """What became of it; None when it failed."""
        if score is None or score != score:
            self._study.tell(trial, state=self._failed)
        else:
            self._study.tell(trial, score)
