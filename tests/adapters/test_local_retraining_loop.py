"""The closed loop with real processes: judged, registered, held, and deployed when approved."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.alerts.records import Band
from services.domain import DeploymentState, PipelineKind, RunStatus, ScoringAnswer
from services.errors import ConflictError, InvalidRequestError, NotFoundError
from services.local.clock import utc_now
from services.local.deployment_duty import DeploymentDuty
from services.local.duty import Exit, ExitCause
from services.local.pipeline_journal import PipelineJournal
from services.local.process_table import ProcessTable
from services.local.retrain_duty import PREFIX, RetrainDuty
from services.local.store import SCHEMA
from services.local.supervisor import Supervisor
from services.local.workspace import LocalWorkspace, open_workspace
from services.retraining_policy import Decision, DecisionState, Mark, Policy
from tests.recorded import pipelines as recorded
from tests.recorded import runs as recorded_runs


class Local:
    def __init__(self, home: Path) -> None:
        self.workspace: LocalWorkspace = open_workspace(home)
        self.home, self.store, self.loop = home, self.workspace.store, self.workspace.retraining
        self.pipeline_id = recorded.published(home, self.store)
        self.policy = Policy(pipeline_id=self.pipeline_id, deployment="answers", model_name="bank")
        self.supervisor = Supervisor(
            [RetrainDuty(home, self.store), DeploymentDuty(home, self.store)],
            ProcessTable(self.store),
        )

    def retrained(self, status: RunStatus = RunStatus.COMPLETED) -> str:
        """A run of the pipeline that has just ended, with a model that answers yes or no."""
        journal = PipelineJournal(self.home, self.store)
        run = self.workspace.pipelines.submit(self.pipeline_id, "bank")
        training = recorded_runs.automl(self.home, self.store, model=True)
        journal.note(run.id, training_run_id=training)
        journal.settle(run.id, status, error="" if status is RunStatus.COMPLETED else "boom")
        return run.id

    def until(self, state: DecisionState, run_id: str) -> Decision:
        self.wait(lambda: self.found(run_id) is state)
        return self.loop.decision(run_id)

    def found(self, run_id: str) -> DecisionState | None:
        decisions = {each.run_id: each.state for each in self.loop.decisions(self.pipeline_id)}
        return decisions.get(run_id)

    def wait(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 120
        while not condition():
            assert time.monotonic() < deadline, self.loop.decisions(self.pipeline_id)
            self.supervisor.step()
            time.sleep(0.05)

    def golden(self, expected: str) -> None:
        body = json.dumps({"data": [{"age": 30, "job": "admin."}]})
        answer = ScoringAnswer(
            status=200, ok=True, body="", results=("no",), probabilities=(), error="",
            attempts=1, duration_ms=1, run_ms=None, request_id=None, sent_at=utc_now(),
        )  # fmt: skip
        kept = self.workspace.scored.remember("answers", "bank:1", body, answer)
        self.workspace.scored.name(kept.id, "An administrator")
        self.workspace.scored.expect(kept.id, [expected])


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    local = Local(tmp_path)
    yield local
    local.supervisor.shut_down()


def test_what_passes_is_registered_and_waits_and_is_deployed_when_approved(local):
    local.loop.save(replace(local.policy, golden=False))
    run_id = local.retrained()

    waiting = local.until(DecisionState.WAITING, run_id)

    assert waiting.model_id == "bank:1"
    assert [check.mark for check in waiting.checks] == [Mark.PASSED, Mark.SKIPPED, Mark.SKIPPED]
    for _ in range(20):
        local.supervisor.step()
    assert local.workspace.deployments.list() == ()  # nothing before somebody says so

    local.loop.approve(run_id, note="looks right")
    deployed = local.until(DecisionState.DEPLOYED, run_id)

    assert (deployed.note, deployed.answered_by != "") == ("looks right", True)
    found = local.workspace.deployments.get("answers")
    assert (found.state, found.model_id) == (DeploymentState.HEALTHY, "bank:1")
    with pytest.raises(ConflictError):
        local.loop.reject(run_id)


def test_a_metric_out_of_its_band_is_rejected_and_nothing_is_registered(local):
    local.workspace.bands.save(Band(experiment="bank", metric="AUC_weighted", fail_below=2.0))
    local.loop.save(replace(local.policy, golden=False))

    rejected = local.until(DecisionState.REJECTED, local.retrained())

    assert rejected.checks[1].mark is Mark.FAILED
    assert "AUC_weighted" in rejected.checks[1].reason
    assert local.workspace.models.list() == ()
    judged = [e for e in local.workspace.audit.list() if e.action == "retraining.judge"]
    assert "AUC_weighted" in judged[0].after["why"]


def test_the_golden_set_is_asked_of_the_model_before_it_is_deployed(local):
    local.golden("neither")
    local.loop.save(local.policy)

    rejected = local.until(DecisionState.REJECTED, local.retrained())

    assert rejected.golden.count == 1
    assert "An administrator" in rejected.checks[2].reason
    assert "instead of “neither”" in rejected.checks[2].reason


def test_a_golden_case_that_fails_when_it_is_deployed_ends_the_decision_as_failed(local):
    local.loop.save(replace(local.policy, golden=False))
    run_id = local.retrained()
    local.until(DecisionState.WAITING, run_id)
    local.golden("neither")

    local.loop.approve(run_id)
    failed = local.until(DecisionState.FAILED, run_id)

    assert "answers" in failed.error
    assert "An administrator" in local.workspace.deployments.get("answers").error


def test_a_failed_run_is_rejected_with_its_reason(local):
    local.loop.save(local.policy)

    rejected = local.until(DecisionState.REJECTED, local.retrained(RunStatus.FAILED))

    assert "boom" in rejected.checks[0].reason


def test_a_declined_model_stays_registered_and_is_not_deployed(local):
    local.loop.save(replace(local.policy, golden=False))
    run_id = local.retrained()
    local.until(DecisionState.WAITING, run_id)

    local.loop.reject(run_id, note="not on a Friday")

    assert local.loop.decision(run_id).state is DecisionState.DECLINED
    assert [model.id for model in local.workspace.models.list()] == ["bank:1"]
    assert local.workspace.deployments.list() == ()


def test_a_killed_worker_is_told_of(local):
    local.loop.save(replace(local.policy, golden=False))
    run_id = local.retrained()
    table = ProcessTable(local.store)
    local.wait(lambda: (seen := table.observed(PREFIX + run_id)) is not None and seen.running)
    os.kill(table.observed(PREFIX + run_id).ref.pid, signal.SIGKILL)

    local.wait(lambda: local.found(run_id) is not DecisionState.DECIDING)

    assert local.loop.decision(run_id).state in (DecisionState.FAILED, DecisionState.WAITING)


def test_the_past_and_other_pipelines_are_left_alone(local):
    local.retrained()
    local.loop.save(local.policy)
    local.loop.begin()

    assert local.loop.decisions(local.pipeline_id) == ()
    local.loop.save(replace(local.policy, enabled=False))
    local.retrained()
    local.loop.begin()
    assert local.loop.decisions(local.pipeline_id) == ()


def test_only_a_retraining_pipeline_can_be_held(local):
    batch = recorded.published(local.home, local.store, kind=PipelineKind.BATCH_INFERENCE)

    with pytest.raises(InvalidRequestError):
        local.loop.save(replace(local.policy, pipeline_id=batch))
    with pytest.raises(NotFoundError):
        local.loop.save(replace(local.policy, pipeline_id="gone"))
    with pytest.raises(NotFoundError):
        local.loop.approve("gone")


def test_what_was_lost_with_the_workspace_is_taken_up_again(local):
    local.loop.save(replace(local.policy, golden=False))
    run_id = local.retrained()
    duty = RetrainDuty(local.home, local.store)
    duty.tick(utc_now())
    (first,) = duty.programs()

    duty.exited(
        Exit(
            key=first.key, generation=first.generation, cause=ExitCause.LOST, code=None,
            answered=False, recent_count=0, log_tail="", at=utc_now(),
        )
    )  # fmt: skip

    (again,) = duty.programs()
    assert (again.key, again.generation != first.generation) == (first.key, True)
    assert local.until(DecisionState.WAITING, run_id).model_id == "bank:1"


def test_decisions_of_an_older_workspace_are_kept(tmp_path):
    """As they were written before workspaces that live elsewhere had any."""
    path = tmp_path / "workspace.db"
    before = "0021_retrained_elsewhere"
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE migrations (name TEXT PRIMARY KEY, at TEXT)")
        for script in sorted(SCHEMA.glob("*.sql")):
            if script.stem < before:
                db.executescript(script.read_text("utf-8"))
                db.execute("INSERT INTO migrations VALUES (?, '')", (script.stem,))
        db.executescript(
            "INSERT INTO pipelines VALUES ('p', 'bank', 1, 'retraining', 'Active', '', '', '', '');"
            "INSERT INTO pipeline_runs (id, pipeline_id, experiment, status, created_at,"
            " run_source, parameters) VALUES ('r', 'p', 'bank', 'Completed', '', '', '{}');"
            "INSERT INTO retrain_policies VALUES ('p', 1, 'answers', 'bank', 1, 0, '');"
            "INSERT INTO retrain_decisions (run_id, pipeline_id, policy, state, begun_at, note)"
            ' VALUES (\'r\', \'p\', \'{"pipeline_id": "p", "deployment": "answers",'
            " \"model_name\": \"bank\"}', 'Rejected', '2026-01-01T00:00:00+00:00', 'kept');"
        )
        db.commit()

    loop = open_workspace(tmp_path).retraining

    (policy,), (decision,) = loop.policies(), loop.decisions("p")
    assert (policy.deployment, policy.enabled, policy.golden) == ("answers", True, False)
    assert (decision.state, decision.note) == (DecisionState.REJECTED, "kept")
