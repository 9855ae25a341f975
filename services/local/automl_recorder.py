"""Writes what an AutoML search does into its parent and child runs."""

from __future__ import annotations

import hashlib
import json
import logging
import pickle
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services import data_contract
from services.domain import AutoMLSettings, DataContract, RunStatus, Task, metric_goal
from services.local import held_out
from services.local.automl import features as featurization
from services.local.automl import guardrails
from services.local.automl.candidates import Candidate
from services.local.automl.evaluation import Report
from services.local.automl.explanation import Importance
from services.local.automl.preparation import Prepared
from services.local.automl.recipes import Recipe
from services.local.held_out import HeldOut
from services.local.run_journal import MAIN_LOG, RunJournal, SearchCanceledError
from services.local.runs import EXPLANATION
from services.local.score_script import write_scoring_files

if TYPE_CHECKING:
    import pandas as pd

    from services.local.automl.combination import Combination

log = logging.getLogger(__name__)

SAMPLE_ROWS = 2000
LIBRARIES = ("scikit-learn", "lightgbm", "xgboost-cpu", "optuna", "pandas", "numpy")
MODEL = "outputs/model.pkl"


@dataclass(frozen=True, slots=True)
class Recorder:
    """Listens to a search. Each child is in the store as soon as it starts, and again when
    it ends; its model folder is complete before it reads Completed."""

    journal: RunJournal
    parent_id: str
    settings: AutoMLSettings
    prepared: Prepared
    members: Path  # fitted members, one pickle per iteration

    def child_id(self, iteration: int) -> str:
        return f"{self.parent_id}_{iteration}"

    # --- the parent ---

    def describe_parent(self, frame: pd.DataFrame, contract: DataContract) -> None:
        """Leave what is known before the search: the data's findings and the model's contract."""
        evaluator, validation = self.prepared.evaluator, self.prepared.data.validation
        rows = validation.held(validation.reported[0])
        properties = {
            **validation.describe(),
            "num_classes": str(len(self.prepared.data.classes)),
            "row_count": str(len(self.prepared.data.target)),
            "naive_baseline": json.dumps(dict(evaluator.baseline(rows))),
            "dependencies_versions": json.dumps({name: version(name) for name in LIBRARIES}),
        }
        self.journal.describe(self.parent_id, properties=properties)
        found = guardrails.document(self.prepared.findings)
        summary = featurization.summary(self.prepared.plans)
        names = [feature.engineered for feature in self.prepared.features]
        for name, document in (
            ("verifier_results", found),
            ("featurization_summary", summary),
            ("engineered_feature_names", names),
        ):
            content = json.dumps(document, ensure_ascii=False, indent=2).encode()
            self.journal.write(self.parent_id, f"outputs/{name}.json", content)
        self._write_contract(frame, contract)

    def _write_contract(self, frame: pd.DataFrame, contract: DataContract) -> None:
        features = frame.drop(columns=self.settings.label_column_name)
        sample = features.sample(min(SAMPLE_ROWS, len(features)), random_state=self.settings.seed)
        rows = sample.to_json(orient="records", date_format="iso")
        self.journal.write(
            self.parent_id, "outputs/contract.json", data_contract.to_json(contract).encode()
        )
        self.journal.write(self.parent_id, "outputs/sample_rows.json", rows.encode())
        write_scoring_files(self.journal.folder(self.parent_id) / "outputs", contract)

    # --- candidates ---

    def started(self, iteration: int, recipe: Recipe) -> None:
        task = self.settings.task
        properties = self._child_properties(iteration, recipe.algorithm(task), recipe.preprocessor)
        properties |= _pipeline(recipe, task)
        self.journal.start_child(self.parent_id, iteration, recipe.name(task), properties)
        log.info("iteration %d: %s %s", iteration, recipe.name(task), dict(recipe.parameters))

    def finished(self, candidate: Candidate) -> None:
        from services.local.automl import (
            assembly,
        )  # half a second the first child need not wait for

        validation, run_id = self.prepared.data.validation, self.child_id(candidate.iteration)
        report = self.prepared.evaluator.report(
            [(validation.held(part), candidate.answers[part]) for part in validation.reported]
        )
        member = pickle.loads((self.members / f"{candidate.iteration}.pkl").read_bytes())
        data = self.prepared.data
        self.leave_model(candidate.iteration, assembly.single(member, data.task, data.classes))
        self._leave_held_out(candidate.iteration, report)
        scores = [candidate.fold_scores[fold] for fold in sorted(candidate.fold_scores)]
        properties = {
            "fit_time": f"{candidate.fit_s / len(candidate.answers):.3f}",
            "fold_scores": json.dumps(scores),
        }
        if candidate.dropped:
            properties["stopped_early"] = (
                f"after {len(scores)} of {validation.fold_count} folds, too far behind the best; "
                "its score is estimated from those"
            )
        self._log(candidate.iteration, _story(candidate, properties))
        self.journal.complete_child(
            run_id,
            score=candidate.score or 0.0,
            metrics=report.metrics,
            tables=report.tables,
            properties=properties,
        )
        log.info(
            "iteration %d: %s %.5f%s",
            candidate.iteration,
            self.settings.primary_metric,
            candidate.score,
            ", dropped early" if candidate.dropped else "",
        )

    def failed(self, iteration: int, reason: str) -> None:
        self._log(iteration, reason)
        self.journal.settle(self.child_id(iteration), RunStatus.FAILED, error=reason)
        log.warning("iteration %d failed: %s", iteration, reason)

    def canceled(self, iteration: int) -> None:
        self.journal.settle(self.child_id(iteration), RunStatus.CANCELED)
        log.info("iteration %d canceled", iteration)

    def poll(self) -> Collection[int]:
        asked = self.journal.cancel_requests(self.parent_id)
        if self.parent_id in asked:
            raise SearchCanceledError
        return {int(run_id.rpartition("_")[2]) for run_id in asked}

    # --- ensembles ---

    def ensemble_started(self, iteration: int, algorithm: str) -> None:
        properties = self._child_properties(iteration, algorithm, "")
        self.journal.start_child(self.parent_id, iteration, algorithm, properties)
        log.info("iteration %d: %s", iteration, algorithm)

    def ensemble_finished(self, iteration: int, combination: Combination, best: Candidate) -> None:
        task = self.settings.task
        members = combination.members
        listed: Mapping[str, list[Any]] = {
            "ensembled_iterations": [each.iteration for each in members],
            "ensembled_run_ids": [self.child_id(each.iteration) for each in members],
            "ensembled_algorithms": [each.recipe.algorithm(task) for each in members],
            "ensemble_weights": list(combination.weights),
        }
        properties = {name: repr(values) for name, values in listed.items()} | {
            "best_individual_pipeline_score": repr(best.score),
            "best_individual_iteration": str(best.iteration),
        }
        self._leave_held_out(iteration, combination.report)
        self._log(iteration, "\n".join(f"{name}: {value}" for name, value in properties.items()))
        self.journal.complete_child(
            self.child_id(iteration),
            score=combination.score,
            metrics=combination.report.metrics,
            tables=combination.report.tables,
            properties=properties,
        )
        log.info(
            "iteration %d: %s %s %.5f",
            iteration,
            combination.algorithm,
            self.settings.primary_metric,
            combination.score,
        )

    # --- models and explanations ---

    def leave_model(self, iteration: int, model: Any) -> None:
        """Everything a registered model and a scoring server need, in the child's outputs."""
        from services.local.automl import assembly

        run_id = self.child_id(iteration)
        shared = self.journal.folder(self.parent_id) / "outputs"
        for path in shared.iterdir():
            if path.is_file() and path.suffix in (".json", ".py", ".yml"):
                self.journal.share(path, run_id, f"outputs/{path.name}")
        whole = assembly.whole(self.prepared.transformer, model)
        self.journal.write(run_id, MODEL, pickle.dumps(whole))

    def _leave_held_out(self, iteration: int, report: Report) -> None:
        """What was predicted for rows not learnt from: two models can be compared by it later."""
        content = held_out.packed(
            HeldOut(
                places=self.prepared.places[report.rows],
                predictions=report.predictions,
                labels=tuple(map(str, self.prepared.evaluator.labels)),
            )
        )
        self.journal.write(self.child_id(iteration), f"outputs/{held_out.FILE}", content)

    def explained(self, iteration: int, importance: Importance) -> None:
        run_id = self.child_id(iteration)
        content = json.dumps(importance.document(), ensure_ascii=False).encode()
        self.journal.write(run_id, EXPLANATION, content)
        self.journal.describe(run_id, tags={"model_explanation": "True"})
        self.journal.describe(self.parent_id, tags={"model_explain_best_run_child_id": run_id})

    def _child_properties(
        self, iteration: int, algorithm: str, preprocessor: str
    ) -> dict[str, str]:
        metric = self.settings.primary_metric
        short = {"maximize": "max", "minimize": "min"}[metric_goal(metric).value]
        split = self.prepared.data.validation.split
        return {
            "runTemplate": "automl_child",
            "iteration": str(iteration),
            "run_algorithm": algorithm,
            "run_preprocessor": preprocessor,
            "primary_metric": metric,
            "goal": f"{metric}_{short}",
            "training_type": "TrainAndValidate" if split else "MeanCrossValidation",
            "training_percent": "100",
            "num_classes": str(len(self.prepared.data.classes)),
            "model_output_path": MODEL,
        }

    def _log(self, iteration: int, text: str) -> None:
        self.journal.write(self.child_id(iteration), MAIN_LOG, f"{text}\n".encode())


def _pipeline(recipe: Recipe, task: Task) -> dict[str, str]:
    parts = [
        {"spec_class": "preproc", "class_name": recipe.preprocessor, "param_kwargs": {}},
        {
            "spec_class": "sklearn",
            "class_name": recipe.algorithm(task),
            "param_kwargs": dict(recipe.parameters),
        },
    ]
    identity = hashlib.sha1(repr(recipe.key).encode(), usedforsecurity=False).hexdigest()
    spec = {"objects": parts, "pipeline_id": identity}
    return {"pipeline_id": identity, "pipeline_spec": json.dumps(spec)}


def _story(candidate: Candidate, properties: Mapping[str, str]) -> str:
    """The log of a child: what was tried and what came of it."""
    recipe = candidate.recipe
    lines = [f"{recipe.preprocessor}, {recipe.learner}"]
    lines += [f"  {name} = {value}" for name, value in sorted(recipe.parameters.items())]
    lines += [f"fold {fold}: {score:.6f}" for fold, score in sorted(candidate.fold_scores.items())]
    lines.append(f"score: {candidate.score:.6f}")
    if "stopped_early" in properties:
        lines.append(f"stopped early {properties['stopped_early']}")
    return "\n".join(lines)
