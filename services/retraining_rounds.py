"""The closed loop of a workspace that lives elsewhere, taken step by step while it is watched.

What is under way is kept, nothing is remembered here but when to look again: whoever
watches next goes on where this one was killed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from services import retraining_steps
from services.alerts import golden_rounds
from services.domain import Deployment, Model, PipelineRun, RunStatus
from services.errors import ConflictError, NotFoundError, ServiceError, UnavailableError
from services.ports import Workspace
from services.retraining_policy import (
    Decision,
    DecisionState,
    Golden,
    Mark,
    Measured,
    Policy,
    golden_check,
)

log = logging.getLogger(__name__)

ENDED_EVERY_S = 300.0  # between looks for runs that ended
FOLLOW_EVERY_S = 15.0  # a deployment under way, which takes Azure minutes
AGAIN_AFTER_S = 60.0  # when the workspace did not answer
PATIENCE = timedelta(days=1)  # with what does not answer, or is busy
GOLDEN_LIMIT = timedelta(minutes=15)  # for a deployment that serves and does not answer yet
MEASURED_AT_ONCE = 20  # past runs; each costs two requests or three
SEARCHES = "automl_module"
NOT_BEFORE = (
    "Azure ML switches to a model before it can be asked, so the golden set is asked right "
    "after it was deployed."
)


class Kept(retraining_steps.Kept, Protocol):
    """Where policies, decisions and past runs are kept."""

    def policies(self) -> tuple[Policy, ...]: ...

    def take_up(self, pipeline_id: str, runs: Iterable[PipelineRun]) -> None:
        """Begin a decision about each that ended under a policy and has none."""

    def waiting_work(self) -> tuple[Decision, ...]:
        """Those to be judged or deployed, oldest first."""

    def measured(self, pipeline_id: str) -> tuple[Measured, ...]: ...

    def measure(self, pipeline_id: str, found: Iterable[Measured]) -> None: ...


class RetrainingRounds:
    """Nothing is asked of the workspace while no pipeline has a policy."""

    def __init__(
        self,
        workspace: Workspace,
        kept: Kept,
        *,
        clock: Callable[[], datetime],
        ended_every_s: float = ENDED_EVERY_S,
        follow_every_s: float = FOLLOW_EVERY_S,
        again_after_s: float = AGAIN_AFTER_S,
    ) -> None:
        self._workspace, self._kept, self._clock = workspace, kept, clock
        self._ended_every_s, self._follow_every_s = ended_every_s, follow_every_s
        self._again_after_s = again_after_s
        self._look_at = time.monotonic()
        self._unreadable: set[str] = set()  # runs whose metrics Azure does not know
        self._first_seen: dict[str, datetime | None] = {}  # run id → handed over, before us
        self._not_before: dict[str, float] = {}  # run id → when its next step may be taken

    def look(self) -> None:
        """Do what is due; nothing, most of the time.

        Raises:
            ServiceError: what is kept cannot be read or written.
        """
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + self._ended_every_s
            self.take_up()
        self.go_on()

    def take_up(self) -> None:
        """Begin with what ended since, and read what a few of the runs before trained."""
        for policy in self._kept.policies():
            try:
                runs = self._workspace.pipelines.runs(pipeline_id=policy.pipeline_id)
                self._kept.take_up(policy.pipeline_id, runs)
                self._measure(policy.pipeline_id, runs)
            except ServiceError as error:  # the others are looked at all the same
                log.info("runs of %s were not looked at: %s", policy.pipeline_id, error)

    def go_on(self) -> None:
        """Take the next step of everything under way that is due for one."""
        for decision in self._kept.waiting_work():
            now = time.monotonic()
            if now < self._not_before.get(decision.run_id, now):
                continue
            self._not_before[decision.run_id] = now + self._follow_every_s
            try:
                if decision.state is DecisionState.DECIDING:
                    self._decide(decision)
                else:
                    self._deploy(decision)
            except (UnavailableError, ConflictError) as error:
                log.info("the run %s has to wait: %s", decision.run_id, error)
                self._wait(decision, error)
            except ServiceError as error:
                log.warning("the run %s ends here: %s", decision.run_id, error)
                self._kept.end(decision.run_id, DecisionState.FAILED, error=str(error))

    def _wait(self, decision: Decision, error: ServiceError) -> None:
        self._not_before[decision.run_id] = time.monotonic() + self._again_after_s
        if self._clock() - (decision.answered_at or decision.begun_at) > PATIENCE:
            said = f"It was tried for a day and given up. {error}"
            self._kept.end(decision.run_id, DecisionState.FAILED, error=said)

    # --- one step ---

    def _decide(self, decision: Decision) -> None:
        read = (each for each in self._kept.measured(decision.pipeline_id) if each.training_run_id)
        known = {each.run_id: each.metrics for each in read}
        retraining_steps.decide(
            self._workspace,
            self._kept,
            decision,
            self._before_it_serves,
            not_asked=NOT_BEFORE,
            metrics=known.get(decision.run_id),
        )

    def _before_it_serves(self, deployment: str, _: str) -> Golden | None:
        """That there is no golden set is known without asking anybody."""
        return None if deployment in golden_rounds.golden_sets(self._workspace) else Golden(0)

    def _deploy(self, decision: Decision) -> None:
        first_seen = self._first_seen.setdefault(decision.run_id, decision.handed_at)
        served = retraining_steps.deploy(
            self._workspace,
            self._kept,
            decision,
            interrupted=first_seen is not None and first_seen == decision.handed_at,
        )
        if served is None:
            return
        cases = golden_rounds.golden_sets(self._workspace).get(served.name, ())
        if not decision.policy.golden or not cases:
            self._kept.end(decision.run_id, DecisionState.DEPLOYED)
            return
        try:
            verdict = golden_rounds.ask(self._workspace, served, cases, at=self._clock())
        except UnavailableError as error:
            if self._early(decision):
                raise
            said = f"It serves, but its golden set could not be asked: {error}"
            self._kept.end(decision.run_id, DecisionState.DEPLOYED, error=said)
            return
        self._close(decision, served, Golden(verdict.count, verdict.wrong))

    def _early(self, decision: Decision) -> bool:
        since = decision.handed_at or decision.answered_at or decision.begun_at
        return self._clock() - since < GOLDEN_LIMIT

    def _close(self, decision: Decision, served: Deployment, golden: Golden) -> None:
        check = golden_check(decision.policy, golden)
        state, error = DecisionState.DEPLOYED, ""
        if check.mark is Mark.FAILED:
            before = decision.replaces
            back = f" {before} served before: deploy it again to go back." if before else ""
            state = DecisionState.FAILED
            error = f"{served.name} serves {served.model_id}, but {check.reason}{back}"
        self._kept.end(decision.run_id, state, error=error, golden=(golden, check))

    # --- what past runs trained ---

    def _measure(self, pipeline_id: str, runs: Sequence[PipelineRun]) -> None:
        known = {each.run_id for each in self._kept.measured(pipeline_id)}
        done = [run for run in runs if run.status is RunStatus.COMPLETED]
        wanted = [run for run in done if run.id not in known | self._unreadable]
        if wanted:
            found = self._measured(pipeline_id, wanted[:MEASURED_AT_ONCE])
            self._kept.measure(pipeline_id, found)

    def _measured(self, pipeline_id: str, runs: Sequence[PipelineRun]) -> tuple[Measured, ...]:
        port = self._workspace.pipelines
        searches = {node.id for node in port.graph(pipeline_id).nodes if node.kind == SEARCHES}
        steps = port.steps_of([run.id for run in runs])
        trained = {
            run.id: next((step.id for step in steps[run.id] if step.node_id in searches), None)
            for run in runs
        }
        sources = {run_id: self._source(each) for run_id, each in trained.items() if each}
        found = self._metrics([each for each in sources.values() if each])
        unread = {run_id for run_id, each in sources.items() if each and each not in found}
        self._unreadable |= unread
        models = self._workspace.models.list()
        return tuple(
            Measured(
                run_id=run_id,
                training_run_id=training,
                model_id=_id(
                    retraining_steps.model_of(models, run_id, training, sources.get(run_id))
                ),
                metrics=found.get(sources.get(run_id) or "", {}),
            )
            for run_id, training in trained.items()
            if run_id not in unread
        )

    def _metrics(self, run_ids: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
        """Of those that can be read; all at once where that works.

        Raises:
            UnavailableError: none can.
        """
        port = self._workspace.runs
        try:
            return port.metrics(run_ids)
        except UnavailableError:
            found: dict[str, Mapping[str, float]] = {}
            for run_id in run_ids:
                try:
                    found |= port.metrics([run_id])
                except ServiceError as error:
                    log.info("metrics of the run %s are not known: %s", run_id, error)
            if not found:
                raise
            return found

    def _source(self, training_run_id: str) -> str | None:
        """The best child; None of a run that was deleted."""
        try:
            return self._workspace.runs.get(training_run_id).best_child_id or training_run_id
        except NotFoundError:
            return None


def _id(model: Model | None) -> str | None:
    return model.id if model else None
