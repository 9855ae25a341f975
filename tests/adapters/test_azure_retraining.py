"""The closed loop over Azure: judged once while it is watched, held, deployed when approved."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.access import Actor, GuardedWorkspace, Role
from services.alerts.records import Band
from services.azure import deployment_progress, sdk
from services.azure.deployment_changes import DeploymentChanges
from services.azure.workspace import AzureWorkspace
from services.domain import DeploymentState, PipelineKind, RunStatus
from services.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from services.local import score_script
from services.local.clock import utc_now
from services.retraining_policy import Decision, DecisionState, Mark, Policy
from services.retraining_rounds import RetrainingRounds
from tests.azure_double.faults import Fault
from tests.azure_double.hand import Double, double
from tests.azure_double.opened import open_azure
from tests.azure_double.seed import DEPLOYMENT
from tests.recorded import pipelines, runs

LIMIT_S = 120.0
EXPERIMENT = "bank-retraining"
RUN_COST = 16  # requests to judge, register and remember one; its metrics apart


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    """A workspace in use: a retraining pipeline with a past, and a healthy deployment."""
    with double(tmp_path_factory.mktemp("azure"), demo=True) as azure, azure.surroundings():
        healthy(azure)
        sdk.load()
        yield azure


def healthy(azure: Double) -> None:
    wait(lambda: azure.engine.deployments.get(DEPLOYMENT).state is DeploymentState.HEALTHY)


def wait(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def workspace(azure: Double) -> AzureWorkspace:
    return open_azure(azure)


@pytest.fixture
def policy(azure: Double, workspace: AzureWorkspace) -> Iterator[Policy]:
    """Of the pipeline; off again after the test."""
    (pipeline,) = [
        each for each in azure.engine.pipelines.list() if each.kind is PipelineKind.RETRAINING
    ]
    policy = Policy(
        pipeline_id=pipeline.id, deployment=DEPLOYMENT, model_name="bank-retrained", golden=False
    )
    azure.told()
    yield policy
    azure.misbehave()
    if policy.pipeline_id in [each.pipeline_id for each in workspace.retraining.policies()]:
        workspace.retraining.save(replace(policy, enabled=False))
    for band in workspace.bands.list():
        workspace.bands.delete(band.experiment, band.metric)
    assert azure.unknown() == []


@pytest.fixture
def rounds(workspace: AzureWorkspace) -> RetrainingRounds:
    return watching(workspace)


def watching(workspace: AzureWorkspace) -> RetrainingRounds:
    return RetrainingRounds(
        workspace,
        workspace.retraining,  # type: ignore[arg-type]  # the desk's own keeps them too
        clock=utc_now,
        ended_every_s=0,
        follow_every_s=0,
        again_after_s=0,
    )


def retrained(
    azure: Double, policy: Policy, *, status: RunStatus = RunStatus.COMPLETED, error: str = ""
) -> str:
    """A run of the pipeline that has just ended, with models as AutoML leaves them."""
    engine, training = azure.engine, None
    if status is RunStatus.COMPLETED:
        contract = engine.datasets.contract("bankmarketing", 1, label="y")
        training = runs.automl(
            engine.home, engine.store, experiment=EXPERIMENT, dataset_id="bankmarketing:1",
            contract=contract, model=True, started=datetime.now(UTC),
        )  # fmt: skip
        for child in engine.runs.children(training):
            outputs = engine.home / "runs" / child.id / "outputs"
            if (outputs / "model.pkl").exists():
                score_script.write_scoring_files(outputs, contract)
    return pipelines.ended(
        engine.store, policy.pipeline_id, training, home=engine.home, status=status, error=error
    )


def decision(workspace: AzureWorkspace, run_id: str) -> Decision:
    found = workspace.retraining.decisions(
        next(each.pipeline_id for each in workspace.retraining.policies())
    )
    return next(each for each in found if each.run_id == run_id)


def until(
    workspace: AzureWorkspace, rounds: RetrainingRounds, run_id: str, state: DecisionState
) -> Decision:
    def reached() -> bool:
        rounds.look()
        return decision(workspace, run_id).state is state

    wait(reached)
    return decision(workspace, run_id)


def golden(workspace: AzureWorkspace, expected: str) -> str:
    """A golden case of the deployment; its id."""
    contract = workspace.scoring.contract(DEPLOYMENT)
    body = json.dumps({"data": [{each.name: each.example for each in contract.columns}]})
    answer = workspace.scoring.score(DEPLOYMENT, body)
    assert answer.ok, answer.error
    kept = workspace.scored.remember(DEPLOYMENT, "bank-marketing:1", body, answer)
    workspace.scored.name(kept.id, "A clerk")
    workspace.scored.expect(kept.id, [expected] if expected else list(answer.results))
    return kept.id


def test_a_run_is_judged_registered_held_approved_and_deployed(azure, workspace, policy, rounds):
    workspace.bands.save(Band(experiment=EXPERIMENT, metric="AUC_weighted", fail_below=0.5))
    workspace.retraining.save(policy)
    run_id = retrained(azure, policy)

    waiting = until(workspace, rounds, run_id, DecisionState.WAITING)

    assert [each.mark for each in waiting.checks] == [Mark.PASSED, Mark.PASSED, Mark.SKIPPED]
    assert waiting.model_id is not None and waiting.model_id.startswith("bank-retrained:")
    best = azure.engine.runs.get(azure.engine.pipelines.run(run_id).training_run_id).best_child_id
    assert azure.engine.models.get(waiting.model_id).run_id == best
    azure.asked()
    rounds.go_on()
    assert azure.asked() == []  # nothing before somebody says so
    before = workspace.deployments.get(DEPLOYMENT).model_id

    anna = GuardedWorkspace(workspace, Actor("anna@example.org", Role.OPERATOR))
    anna.retraining.approve(run_id, note="looks right")
    done = until(workspace, rounds, run_id, DecisionState.DEPLOYED)

    served = workspace.deployments.get(DEPLOYMENT)
    assert (served.state, served.model_id) == (DeploymentState.HEALTHY, waiting.model_id)
    assert (done.answered_by, done.note, done.replaces) == (
        "anna@example.org", "looks right", before
    )  # fmt: skip
    handed = next(each for each in workspace.audit.list() if each.action == "deployment.update")
    assert (handed.actor, handed.after["model"]) == ("anna@example.org", waiting.model_id)
    acted = [each for each in workspace.audit.list() if each.action.startswith("retraining.")]
    assert [each.action for each in acted[:3]] == [
        "retraining.approve", "retraining.judge", "retraining.policy"
    ]  # fmt: skip
    with pytest.raises(ConflictError):
        workspace.retraining.reject(run_id)


def test_a_metric_out_of_its_band_is_rejected_and_nothing_is_registered(
    azure, workspace, policy, rounds
):
    workspace.bands.save(Band(experiment=EXPERIMENT, metric="AUC_weighted", fail_below=2.0))
    workspace.retraining.save(policy)
    before = {each.id for each in azure.engine.models.list()}

    rejected = until(workspace, rounds, retrained(azure, policy), DecisionState.REJECTED)

    assert rejected.checks[1].mark is Mark.FAILED
    assert "AUC_weighted is " in rejected.checks[1].reason
    assert {each.id for each in azure.engine.models.list()} == before


def test_a_failed_run_is_rejected_with_what_azure_said(azure, workspace, policy, rounds):
    workspace.retraining.save(policy)
    run_id = retrained(azure, policy, status=RunStatus.FAILED, error="The compute is gone.")

    rejected = until(workspace, rounds, run_id, DecisionState.REJECTED)

    assert "The compute is gone." in rejected.checks[0].reason


def test_what_the_pipeline_registered_itself_is_not_registered_again(
    azure, workspace, policy, rounds
):
    workspace.retraining.save(policy)
    run_id = retrained(azure, policy)
    training = azure.engine.pipelines.run(run_id).training_run_id
    own = azure.engine.models.register(training, "by-the-pipeline")

    waiting = until(workspace, rounds, run_id, DecisionState.WAITING)

    assert waiting.model_id == own.id


def test_somebody_who_only_looks_approves_nothing_and_what_is_rejected_stays_registered(
    azure, workspace, policy, rounds
):
    workspace.retraining.save(policy)
    run_id = retrained(azure, policy)
    waiting = until(workspace, rounds, run_id, DecisionState.WAITING)
    viewer = GuardedWorkspace(workspace, Actor("vera@example.org", Role.VIEWER))

    with pytest.raises(AccessDeniedError):
        viewer.retraining.approve(run_id)
    workspace.retraining.reject(run_id, note="not on a Friday")
    azure.asked()
    rounds.go_on()

    assert azure.asked() == []
    assert decision(workspace, run_id).state is DecisionState.DECLINED
    assert workspace.models.get(waiting.model_id).id == waiting.model_id
    assert workspace.deployments.get(DEPLOYMENT).model_id != waiting.model_id


def test_the_golden_set_is_asked_after_the_switch_and_a_wrong_answer_says_how_to_go_back(
    azure, workspace, policy, rounds
):
    policy = replace(policy, golden=True)
    workspace.retraining.save(policy)
    empty = until(workspace, rounds, retrained(azure, policy), DecisionState.REJECTED)
    assert "is empty" in empty.checks[2].reason
    before = workspace.deployments.get(DEPLOYMENT).model_id
    case = golden(workspace, "neither")
    run_id = retrained(azure, policy)

    waiting = until(workspace, rounds, run_id, DecisionState.WAITING)
    assert waiting.checks[2].mark is Mark.SKIPPED
    assert "switches to a model before it can be asked" in waiting.checks[2].reason
    workspace.retraining.approve(run_id)
    failed = until(workspace, rounds, run_id, DecisionState.FAILED)

    assert failed.checks[2].mark is Mark.FAILED
    assert "instead of “neither”" in failed.error
    assert f"{before} served before" in failed.error
    assert workspace.deployments.get(DEPLOYMENT).model_id == waiting.model_id
    workspace.scored.delete(case)


def test_a_watcher_that_was_killed_is_followed_by_one_that_goes_on(
    azure, workspace, policy, monkeypatch
):
    workspace.retraining.save(policy)
    run_id = retrained(azure, policy)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    first = watching(workspace)
    monkeypatch.setattr(type(workspace.retraining), "decided", killed)
    with pytest.raises(KeyboardInterrupt):  # registered, and not yet written down
        first.look()
    monkeypatch.undo()
    made = [each for each in azure.engine.models.list() if each.tags.get("pipeline_run_id")]

    second = watching(workspace)
    waiting = until(workspace, second, run_id, DecisionState.WAITING)

    assert waiting.model_id == made[0].id
    again = [each for each in azure.engine.models.list() if each.tags.get("pipeline_run_id")]
    assert again == made
    judged = [
        each for each in workspace.audit.list()
        if each.action == "retraining.judge" and run_id in each.subject
    ]  # fmt: skip
    assert len(judged) == 1

    workspace.retraining.approve(run_id)
    monkeypatch.setattr(type(workspace.deployments), "begin_update", killed)
    with pytest.raises(KeyboardInterrupt):  # about to hand it over
        second.go_on()
    monkeypatch.undo()
    third = watching(workspace)
    third.go_on()  # asks for it
    fourth = watching(workspace)
    until(workspace, fourth, run_id, DecisionState.DEPLOYED)

    asked_for = [
        each for each in workspace.audit.list()
        if each.action == "deployment.update" and each.after.get("model") == waiting.model_id
    ]  # fmt: skip
    assert len(asked_for) == 1


def test_a_deployment_that_was_not_handed_over_is_asked_for_once_more(
    azure, workspace, policy, rounds, monkeypatch
):
    workspace.retraining.save(policy)
    run_id = retrained(azure, policy)
    waiting = until(workspace, rounds, run_id, DecisionState.WAITING)
    workspace.retraining.approve(run_id)
    with monkeypatch.context() as interrupted:  # killed before the background had done it
        interrupted.setattr(DeploymentChanges, "hand_over_model", lambda *_: None)
        rounds.go_on()
    asked_at = decision(workspace, run_id).handed_at
    assert workspace.deployments.get(DEPLOYMENT).state is DeploymentState.TRANSITIONING

    monkeypatch.setattr(deployment_progress, "HAND_OVER_LIMIT", timedelta(0))
    assert "did not reach Azure" in workspace.deployments.get(DEPLOYMENT).error
    monkeypatch.undo()
    until(workspace, watching(workspace), run_id, DecisionState.DEPLOYED)

    assert decision(workspace, run_id).handed_at > asked_at
    assert workspace.deployments.get(DEPLOYMENT).model_id == waiting.model_id


def test_what_somebody_deployed_meanwhile_is_not_taken_back(azure, workspace, policy, rounds):
    workspace.retraining.save(policy)
    run_id = retrained(azure, policy)
    until(workspace, rounds, run_id, DecisionState.WAITING)
    before = workspace.deployments.get(DEPLOYMENT).model_id
    workspace.retraining.approve(run_id)
    rounds.go_on()  # handed over, and killed
    wait(lambda: workspace.deployments.get(DEPLOYMENT).state is DeploymentState.HEALTHY)
    workspace.deployments.begin_update(DEPLOYMENT, model_id=before)
    wait(lambda: workspace.deployments.get(DEPLOYMENT).state is DeploymentState.HEALTHY)

    failed = until(workspace, watching(workspace), run_id, DecisionState.FAILED)

    assert f"went on with {before}" in failed.error
    assert workspace.deployments.get(DEPLOYMENT).model_id == before


def test_an_outage_ends_no_decision(azure, workspace, policy, rounds):
    workspace.retraining.save(policy)
    run_id = retrained(azure, policy)
    rounds.take_up()
    azure.misbehave(Fault(pattern=r"/pipelines/|/history/", status=503))

    rounds.go_on()

    assert decision(workspace, run_id).state is DecisionState.DECIDING
    azure.misbehave()
    until(workspace, rounds, run_id, DecisionState.WAITING)


def test_what_azure_does_not_answer_for_a_day_is_given_up(azure, workspace, policy, rounds):
    workspace.retraining.save(policy)
    run_id = retrained(azure, policy)
    rounds.take_up()
    azure.misbehave(Fault(pattern=r"/pipelines/|/history/", status=503))
    late = RetrainingRounds(
        workspace, workspace.retraining, clock=lambda: utc_now() + timedelta(days=2)
    )

    late.go_on()

    failed = decision(workspace, run_id)
    assert failed.state is DecisionState.FAILED
    assert "given up" in failed.error and "503" in failed.error


def test_a_run_that_ended_costs_a_known_number_of_requests_once(azure, workspace, policy, rounds):
    workspace.retraining.save(policy)
    rounds.take_up()  # whatever other tests have left
    run_id = retrained(azure, policy)
    azure.asked()

    until(workspace, rounds, run_id, DecisionState.WAITING)
    asked = azure.asked()
    rounds.take_up()
    rounds.go_on()

    metrics = [each for each in asked if "/metric" in each]
    assert len(asked) - len(metrics) <= RUN_COST, asked
    assert len(azure.asked()) == 1  # the list of runs


def test_past_runs_are_read_once_and_not_decided_about(azure, workspace, policy, rounds):
    workspace.retraining.save(replace(policy, enabled=False))
    rounds.take_up()

    completed = [
        each for each in azure.engine.pipelines.runs(pipeline_id=policy.pipeline_id)
        if each.status is RunStatus.COMPLETED
    ]  # fmt: skip
    known = {each.run_id: each for each in workspace.retraining.measured(policy.pipeline_id)}
    assert known.keys() == {each.id for each in completed}
    for run in completed:
        best = azure.engine.runs.get(run.training_run_id).best_child_id
        assert known[run.id].training_run_id == run.training_run_id
        assert known[run.id].metrics == azure.engine.runs.metrics([best])[best]
    azure.asked()
    rounds.take_up()
    assert len(azure.asked()) == 1
    assert azure.engine.retraining.policies() == ()  # it is no policy of the local workspace


def test_a_pipeline_that_does_not_train_is_not_held(azure, workspace, policy):
    other = pipelines.published(
        azure.engine.home, azure.engine.store, name="Scores", kind=PipelineKind.BATCH_INFERENCE
    )

    with pytest.raises(InvalidRequestError, match="no AutoML step"):
        workspace.retraining.save(replace(policy, pipeline_id=other))
    with pytest.raises(NotFoundError):
        workspace.retraining.save(replace(policy, pipeline_id="gone"))
    with pytest.raises(NotFoundError):
        workspace.retraining.approve("gone")


def test_without_a_policy_nothing_is_asked_of_azure(azure, tmp_path):
    other = open_azure(azure)
    kept = type(other.retraining)(
        tmp_path, azure.engine.store, workspace="another", pipelines=other.pipelines
    )
    azure.asked()

    RetrainingRounds(other, kept, clock=utc_now, ended_every_s=0).look()

    assert azure.asked() == []
