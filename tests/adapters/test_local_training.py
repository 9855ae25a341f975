"""AutoML for real: the supervisor, its worker and the pool, and what faults leave behind."""

from __future__ import annotations

import json
import os
import pickle
import random
import signal
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from services import data_contract, guardrails
from services.domain import AutoMLSettings, DataSource, Run, RunStatus, SourceKind, Task
from services.local import held_out, processes
from services.local.clock import utc_now
from services.local.duty import Exit, ExitCause
from services.local.process_table import ProcessTable
from services.local.run_duty import RUNS_AT_ONCE, RunDuty
from services.local.run_journal import RunJournal
from services.local.runs import worker_key
from services.local.workspace import LocalWorkspace, open_workspace
from tests.recorded import runs as recorded

LIMIT_S = 300.0


def rows(label: str, count: int = 300) -> bytes:
    """Rows of people with a label ``y``, yes or no, or ``amount``, a number."""
    draw = random.Random(0)
    lines = [f"age,job,score,{label}"]
    for _ in range(count):
        age, job, score = draw.randint(18, 80), draw.choice("abcd"), draw.gauss(0, 1)
        amount = age / 20 + "abcd".index(job) + score + draw.gauss(0, 1)
        value = f"{amount:.3f}" if label == "amount" else "yes" if amount > 4.5 else "no"
        lines.append(f"{age},{job},{score:.3f},{value}")
    return "\n".join(lines).encode()


def register(workspace: LocalWorkspace, name: str, label: str = "y") -> str:
    source = DataSource(kind=SourceKind.UPLOAD, location="people.csv", content=rows(label))
    return workspace.datasets.register(name, source).id


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorkspace]:
    """A workspace with a dataset and its supervisor at work."""
    home = tmp_path_factory.mktemp("workspace")
    opened = open_workspace(home)
    register(opened, "people")
    supervisor = processes.spawn(
        "services.local.supervisor", str(home), "--lifeline", log=home / "logs" / "supervisor.log"
    )
    yield opened
    os.kill(supervisor.pid, signal.SIGTERM)
    supervisor.wait(timeout=60)
    if supervisor.stdin is not None:
        supervisor.stdin.close()


@pytest.fixture
def begin(workspace: LocalWorkspace) -> Iterator[Callable[..., Run]]:
    """Start a run; whatever is unsettled at the end of the test is canceled."""
    begun: list[str] = []

    def begin(**changes) -> Run:
        given = {
            "experiment": "people",
            "dataset_id": "people:1",
            "label_column_name": "y",
            "experiment_timeout_minutes": 10,
            "n_cross_validations": 3,
            "iterations": 3,
        }
        run = workspace.runs.begin_automl(AutoMLSettings(**(given | changes)))
        begun.append(run.id)
        return run

    yield begin
    for run_id in begun:
        workspace.runs.cancel(run_id)
        until(lambda run_id=run_id: workspace.runs.get(run_id).status.settled)


def until(condition: Callable[[], object], *, log: Callable[[], str] = str) -> object:
    deadline = time.monotonic() + LIMIT_S
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {LIMIT_S:.0f} s\n{log()}"
        time.sleep(0.05)
    return answer


def settled(workspace: LocalWorkspace, run: Run) -> Run:
    until(
        lambda: workspace.runs.get(run.id).status.settled,
        log=lambda: workspace.runs.logs(run.id).text,
    )
    return workspace.runs.get(run.id)


def at_work(workspace: LocalWorkspace, run: Run) -> list[psutil.Process]:
    """The worker and its pool, once a child is being fitted."""
    until(
        lambda: [
            each for each in workspace.runs.children(run.id) if each.status is RunStatus.RUNNING
        ],
        log=lambda: workspace.runs.logs(run.id).text,
    )
    seen = ProcessTable(workspace.store).observed(worker_key(run.id))
    assert seen is not None and seen.ref is not None
    worker = psutil.Process(seen.ref.pid)
    return [worker, *worker.children(recursive=True)]


def gone(family: list[psutil.Process]) -> bool:
    return not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in family)


def test_a_run_ends_with_both_ensembles_models_and_an_explanation(workspace, begin):
    run = begin()
    first = until(lambda: workspace.runs.children(run.id))[0]
    assert (first.display_name, first.parent_id) == ("MaxAbsScaler, LightGBM", run.id)
    assert first.status in (RunStatus.PREPARING, RunStatus.RUNNING, RunStatus.COMPLETED)

    done = settled(workspace, run)

    assert done.status is RunStatus.COMPLETED, done.error
    children = workspace.runs.children(run.id)
    assert [each.display_name for each in children][-2:] == ["VotingEnsemble", "StackEnsemble"]
    assert all(each.status is RunStatus.COMPLETED for each in children)
    assert done.best_child_id == max(children, key=lambda each: each.score or 0).id
    assert done.tags["automl_best_child_run_id"] == done.best_child_id
    assert workspace.runs.explanation(run.id).raw
    assert guardrails.read(workspace.runs.file(run.id, guardrails.FILE))
    for child in children:
        outputs = workspace.home / "runs" / child.id / "outputs"
        model = pickle.loads((outputs / "model.pkl").read_bytes())
        sample = json.loads((outputs / "sample_rows.json").read_text())
        contract = data_contract.from_json((outputs / "contract.json").read_text())
        assert contract.classes == ("no", "yes")
        assert [each.name for each in contract.columns] == ["age", "job", "score"]
        assert set(model.predict(_frame(sample))) == {"no", "yes"}
        held = held_out.read(outputs)
        assert held.labels == ("no", "yes")
        assert held.predictions.shape == (len(held.places), 2)
        assert len(set(held.places)) == len(held.places)
        assert (outputs / "scoring_file_v_1_0_0.py").exists()
        assert (outputs / "conda_env_v_1_0_0.yml").exists()
    assert not (workspace.home / "runs" / run.id / ".work").exists()


def _frame(sample: list[dict]):
    import pandas as pd

    return pd.DataFrame(sample)


def test_a_quantity_is_predicted_too(workspace, begin):
    run = begin(
        dataset_id=register(workspace, "amounts", "amount"),
        label_column_name="amount",
        task=Task.REGRESSION,
        primary_metric="normalized_root_mean_squared_error",
        validation_size=0.2,
        n_cross_validations=None,
    )

    done = settled(workspace, run)

    assert done.status is RunStatus.COMPLETED, done.error
    children = workspace.runs.children(run.id)
    assert "MaxAbsScaler, XGBoostRegressor" in [each.display_name for each in children]
    assert done.score == min(each.score for each in children if each.score is not None)
    assert done.score < 0.2
    assert sum(workspace.runs.table(done.best_child_id, "residuals")["data"]["bin_counts"]) == 60


def test_a_killed_worker_leaves_a_failed_run_with_the_reason_and_no_process(workspace, begin):
    run = begin(iterations=500, enable_early_stopping=False)
    family = at_work(workspace, run)

    family[0].kill()

    done = settled(workspace, run)
    assert done.status is RunStatus.FAILED
    assert "The training worker disappeared" in done.error
    assert "iteration 0" in workspace.runs.logs(run.id).text
    assert {each.status for each in workspace.runs.children(run.id)} <= {
        *(RunStatus.COMPLETED, RunStatus.CANCELED),
    }
    until(lambda: gone(family))
    assert not (workspace.home / "runs" / run.id / ".work").exists()


def test_cancel_ends_the_run_its_children_and_every_process(workspace, begin):
    run = begin(iterations=500, enable_early_stopping=False)
    family = at_work(workspace, run)

    workspace.runs.cancel(run.id)

    done = settled(workspace, run)
    assert done.status is RunStatus.CANCELED
    assert RunStatus.CANCELED in [each.status for each in workspace.runs.children(run.id)]
    until(lambda: gone(family))


def test_a_dataset_that_has_gone_fails_the_run_with_a_sentence(workspace, begin):
    dataset_id = register(workspace, "fleeting")
    folder = workspace.home / "datasets" / "fleeting" / "1"
    blockers = [begin(iterations=500, enable_early_stopping=False) for _ in range(RUNS_AT_ONCE)]
    run = begin(dataset_id=dataset_id)
    for file in folder.glob("*.parquet"):
        file.unlink()
    for blocker in blockers:
        workspace.runs.cancel(blocker.id)

    done = settled(workspace, run)

    assert done.status is RunStatus.FAILED
    assert "fleeting" in done.error


# --- what the duty decides, without processes ---


@pytest.fixture
def idle(tmp_path: Path) -> LocalWorkspace:
    """A workspace without a supervisor."""
    return LocalWorkspace(tmp_path)


def ended(run_id: str, cause: ExitCause) -> Exit:
    return Exit(
        key=worker_key(run_id),
        generation="1",
        cause=cause,
        code=None,
        answered=False,
        recent_count=1,
        log_tail="",
        at=utc_now(),
    )


def test_only_the_oldest_runs_have_a_worker_and_the_others_wait(idle):
    started = [recorded.STARTED + timedelta(minutes=i) for i in range(RUNS_AT_ONCE + 1)]
    run_ids = [recorded.unsettled(idle.home, idle.store, started=each) for each in started]

    programs = RunDuty(idle.home, idle.store).programs()

    assert [each.key for each in programs] == [worker_key(each) for each in run_ids[:RUNS_AT_ONCE]]


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (ExitCause.ITSELF, "worker disappeared"),
        (ExitCause.LOST, "supervisor"),
        (ExitCause.SHUTDOWN, "workspace was stopped"),
    ],
)
def test_an_unfinished_run_whose_worker_ended_has_failed_and_says_why(idle, cause, words):
    run_id = recorded.unsettled(idle.home, idle.store)

    RunDuty(idle.home, idle.store).exited(ended(run_id, cause))

    assert idle.runs.get(run_id).status is RunStatus.FAILED
    assert words in idle.runs.get(run_id).error


def test_a_completed_run_stays_completed_when_its_worker_ends(idle):
    run_id = recorded.automl(idle.home, idle.store)

    for cause in ExitCause:
        RunDuty(idle.home, idle.store).exited(ended(run_id, cause))

    assert idle.runs.get(run_id).status is RunStatus.COMPLETED


def test_a_cancel_that_nobody_saw_is_carried_out_by_the_next_supervisor(idle):
    run_id = recorded.unsettled(idle.home, idle.store, worker=False)
    idle.runs.cancel(run_id)
    assert idle.runs.get(run_id).status is RunStatus.CANCEL_REQUESTED

    RunDuty(idle.home, idle.store).tick(utc_now())

    assert idle.runs.get(run_id).status is RunStatus.CANCELED
    assert all(each.status.settled for each in idle.runs.children(run_id))


def test_a_run_at_work_without_a_worker_is_not_responding(idle):
    run_id = recorded.unsettled(idle.home, idle.store, worker=False)

    assert idle.runs.get(run_id).status is RunStatus.NOT_RESPONDING
    assert idle.runs.list()[0].status is RunStatus.NOT_RESPONDING


def test_an_announced_child_begins_when_it_is_started(idle):
    run_id = recorded.unsettled(idle.home, idle.store, children=0, status=RunStatus.PREPARING)
    journal = RunJournal(idle.home, idle.store)

    journal.start_child(run_id, 0, "MaxAbsScaler, LightGBM", {}, status=RunStatus.PREPARING)
    (announced,) = idle.runs.children(run_id)
    journal.start_child(run_id, 0, "MaxAbsScaler, LightGBM", {"iteration": "0"})
    (begun,) = idle.runs.children(run_id)

    assert (announced.status, announced.started_at) == (RunStatus.PREPARING, None)
    assert (begun.status, begun.number) == (RunStatus.RUNNING, announced.number)
    assert begun.started_at is not None
    assert begun.properties == {"iteration": "0"}


def test_two_parents_count_their_children_apart(idle):
    first = recorded.automl(idle.home, idle.store)
    second = recorded.automl(idle.home, idle.store)

    assert len(idle.runs.children(first)) == len(idle.runs.children(second)) == 6
    numbers = [each.number for run_id in (first, second) for each in idle.runs.children(run_id)]
    assert len(set(numbers)) == len(numbers)
