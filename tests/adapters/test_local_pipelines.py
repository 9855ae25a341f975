"""Pipelines and schedules of the local workspace: due times, real workers, and their ends."""

from __future__ import annotations

import json
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from services.domain import (
    AssetStatus,
    AutoMLSettings,
    DataSource,
    Frequency,
    PipelineKind,
    Recurrence,
    RunStatus,
    SourceKind,
)
from services.local import pipeline_worker
from services.local.datasets import LocalDatasets
from services.local.duty import Exit, ExitCause
from services.local.models import LocalModels
from services.local.pipeline_duty import RUNS_AT_ONCE, PipelineDuty
from services.local.pipeline_journal import PipelineJournal
from services.local.pipelines import LocalPipelines, worker_key
from services.local.process_table import ProcessTable
from services.local.runs import LocalRuns
from services.local.schedules import LocalSchedules
from services.local.store import Store
from services.local.supervisor import Supervisor
from services.ports import BatchInferencePlan, RetrainingPlan
from tests.recorded import runs as recorded_runs

NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class Local:
    """The parts of a local workspace that pipelines are made of."""

    def __init__(self, home: Path) -> None:
        self.home, self.clock = home, Clock()
        self.store = Store(home / "workspace.db")
        self.datasets = LocalDatasets(home, self.store)
        self.models = LocalModels(home, self.store)
        self.runs = LocalRuns(home, self.store)
        self.pipelines = LocalPipelines(home, self.store, clock=self.clock)
        self.schedules = LocalSchedules(home, self.store, clock=self.clock)
        self.journal = PipelineJournal(home, self.store, clock=self.clock)
        self.duty = PipelineDuty(home, self.store, clock=self.clock)

    def dataset(self, rows: str, name: str = "people") -> str:
        source = DataSource(kind=SourceKind.UPLOAD, location="people.csv", content=rows.encode())
        return self.datasets.register(name, source).id

    def model(self) -> str:
        """A model of the columns age and job, which answers yes or no."""
        run_id = recorded_runs.automl(self.home, self.store, model=True)
        return self.models.register(run_id, "answers").id

    def retraining(self, **settings: object) -> str:
        if not self.datasets.list():
            self.dataset(
                "age,job,y\n" + "".join(f"{20 + n % 40},j{n % 3},{n % 2}\n" for n in range(80))
            )
        plan = RetrainingPlan(
            settings=AutoMLSettings(
                experiment="people", dataset_id="people:1", label_column_name="y", **settings
            ),
            model_name="answers",
        )
        return self.pipelines.publish_retraining("Retrain", plan).id

    def batch(self, dataset_id: str, model_id: str, **plan: int) -> str:
        plan_ = BatchInferencePlan(model_id=model_id, dataset_id=dataset_id, **plan)
        return self.pipelines.publish_batch_inference("Score people", plan_).id

    def schedule(self, recurrence: Recurrence, pipeline_id: str | None = None) -> str:
        return self.schedules.create(
            "nightly",
            recurrence,
            pipeline_id=pipeline_id or self.retraining(),
            experiment="people",
        ).id

    def tick(self, later: timedelta = timedelta(0)) -> None:
        self.clock.now += later
        self.duty.tick(self.clock.now)


@pytest.fixture
def local(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Local:
    caplog.set_level(logging.INFO)  # as the worker program does
    return Local(tmp_path)


@pytest.fixture
def supervisor(local: Local) -> Iterator[Supervisor]:
    supervisor = Supervisor([PipelineDuty(local.home, local.store)], ProcessTable(local.store))
    yield supervisor
    supervisor.shut_down()


def until(supervisor: Supervisor, condition: Callable[[], object], *, limit_s: float = 60) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        supervisor.step()
        time.sleep(0.02)


HOURLY = Recurrence(frequency=Frequency.HOUR, start_time=datetime(2024, 5, 1, 13, 0))


# --- schedules --------------------------------------------------------------------


def test_a_due_schedule_submits_its_pipeline_once(local):
    schedule_id = local.schedule(HOURLY)

    local.tick(timedelta(minutes=59))
    assert local.pipelines.runs() == ()
    local.tick(timedelta(minutes=1))
    local.tick()

    (run,) = local.pipelines.runs(schedule_id=schedule_id)
    (firing,) = local.schedules.firings(schedule_id)
    assert run.run_source == "Schedule"
    assert (firing.run_id, firing.missed_count) == (run.id, 0)
    assert firing.due_at == firing.fired_at == NOON + timedelta(hours=1)
    assert local.schedules.get(schedule_id).next_fire_at == NOON + timedelta(hours=2)
    assert local.schedules.get(schedule_id).last_run == run


def test_without_a_start_time_it_fires_at_once(local):
    schedule_id = local.schedule(Recurrence(frequency=Frequency.DAY, hours=(3,), minutes=(0,)))

    local.tick()

    assert len(local.pipelines.runs(schedule_id=schedule_id)) == 1
    assert local.schedules.get(schedule_id).next_fire_at == datetime(2024, 5, 2, 3, 0, tzinfo=UTC)


def test_due_times_that_nobody_saw_collapse_into_the_latest(local):
    schedule_id = local.schedule(HOURLY)

    local.tick(timedelta(hours=5, minutes=20))

    (firing,) = local.schedules.firings(schedule_id)
    assert len(local.pipelines.runs()) == 1
    assert firing.due_at == NOON + timedelta(hours=5)
    assert firing.fired_at == NOON + timedelta(hours=5, minutes=20)
    assert firing.missed_count == 4


def test_two_that_saw_the_same_due_time_fire_it_once(local):
    schedule_id = local.schedule(HOURLY)
    other = PipelineDuty(local.home, local.store, clock=local.clock)
    local.clock.now += timedelta(hours=1)
    with local.store.reading() as db:
        seen = db.execute("SELECT * FROM schedules").fetchone()

    local.duty._fire(seen, local.clock.now)
    other._fire(seen, local.clock.now)

    assert len(local.pipelines.runs(schedule_id=schedule_id)) == 1


def test_a_claim_that_was_interrupted_leaves_nothing_half_done(local, monkeypatch):
    schedule_id = local.schedule(HOURLY)

    def power_cut(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(PipelineJournal, "submit", power_cut)
        local.tick(timedelta(hours=1))
    assert local.schedules.firings(schedule_id) == ()
    local.tick()

    assert len(local.schedules.firings(schedule_id)) == 1
    assert len(local.pipelines.runs(schedule_id=schedule_id)) == 1


def test_a_disabled_schedule_does_not_fire_and_makes_up_for_nothing(local):
    schedule_id = local.schedule(HOURLY)
    local.schedules.disable(schedule_id)

    local.tick(timedelta(hours=3, minutes=30))
    local.schedules.enable(schedule_id)
    local.tick()

    assert local.pipelines.runs() == ()
    assert local.schedules.get(schedule_id).next_fire_at == NOON + timedelta(hours=4)


def test_a_disabled_pipeline_leaves_a_firing_with_the_reason(local):
    pipeline_id = local.retraining()
    schedule_id = local.schedule(HOURLY, pipeline_id)
    local.pipelines.disable(pipeline_id)

    local.tick(timedelta(hours=1))

    (firing,) = local.schedules.firings(schedule_id)
    assert firing.run_id is None
    assert "disabled" in firing.reason
    assert local.schedules.get(schedule_id).status is AssetStatus.ACTIVE


def test_an_endpoint_schedule_submits_its_default_version(local):
    first, second = local.retraining(), local.retraining()
    endpoint = local.pipelines.create_endpoint("retrain", first)
    schedule_id = local.schedules.create(
        "nightly", HOURLY, pipeline_endpoint_id=endpoint.id, experiment="people"
    ).id
    local.pipelines.add_endpoint_version(endpoint.id, second)

    local.tick(timedelta(hours=1))

    (run,) = local.pipelines.runs(schedule_id=schedule_id)
    assert run.pipeline_id == second


def test_a_changed_recurrence_counts_from_the_change(local):
    schedule_id = local.schedule(HOURLY)
    local.clock.now += timedelta(minutes=30)

    local.schedules.update(
        schedule_id, recurrence=Recurrence(frequency=Frequency.MINUTE, interval=10)
    )
    local.tick()

    assert len(local.pipelines.runs(schedule_id=schedule_id)) == 1
    assert local.schedules.get(schedule_id).next_fire_at == NOON + timedelta(minutes=40)


def test_changing_a_name_does_not_fire_a_schedule_without_a_start_time(local):
    schedule_id = local.schedule(Recurrence(frequency=Frequency.HOUR))
    local.tick()
    local.clock.now += timedelta(minutes=5)

    schedule = local.schedules.get(schedule_id)
    local.schedules.update(schedule_id, name="hourly", recurrence=schedule.recurrence)
    local.tick()

    assert len(local.pipelines.runs(schedule_id=schedule_id)) == 1


def test_runs_of_a_deleted_schedule_stay(local):
    schedule_id = local.schedule(HOURLY)
    local.tick(timedelta(hours=1))

    local.schedules.delete(schedule_id)

    assert len(local.pipelines.runs(schedule_id=schedule_id)) == 1


# --- batch inference --------------------------------------------------------------


PEOPLE = "age,job\n" + "".join(f"{20 + n % 50},admin.\n" for n in range(1000))


def submitted(local: Local, pipeline_id: str, **parameters: str) -> str:
    return local.pipelines.submit(pipeline_id, "people", parameters=parameters).id


def test_a_thousand_rows_give_a_thousand_predictions(local):
    run_id = submitted(local, local.batch(local.dataset(PEOPLE), local.model(), chunk_rows=300))

    assert pipeline_worker.run(local.home, run_id) is RunStatus.COMPLETED

    output = local.pipelines.batch_output(run_id)
    run = local.pipelines.run(run_id)
    assert [*output.columns] == ["age", "job", "prediction", "probability", "error"]
    assert len(output) == 1000
    assert output["age"].tolist() == [20 + n % 50 for n in range(1000)]
    assert set(output["prediction"]) <= {"yes", "no"}
    assert output["error"].isna().all()
    assert (run.batch.total_count, run.batch.done_count, run.batch.failed_count) == (1000, 1000, 0)
    assert run.model_id == "answers:1"
    assert [step.status for step in local.pipelines.steps(run_id)] == [RunStatus.COMPLETED] * 3


def test_a_row_that_cannot_be_scored_is_named_and_costs_no_other(local):
    rows = "age,job\n" + "".join(f"{30 if n != 7 else ''},admin.\n" for n in range(20))
    run_id = submitted(local, local.batch(local.dataset(rows), local.model(), chunk_rows=5))

    pipeline_worker.run(local.home, run_id)

    output = local.pipelines.batch_output(run_id)
    progress = local.pipelines.run(run_id).batch
    assert (progress.done_count, progress.failed_count, progress.left_count) == (19, 1, 0)
    assert "“age” is empty" in output["error"][7]
    assert output["prediction"].isna().tolist() == [n == 7 for n in range(20)]
    assert "row 8: “age” is empty" in local.pipelines.logs(run_id, "score").text


def test_rows_that_break_the_model_itself_are_found_one_by_one(local, monkeypatch):
    from services.local.pipeline_steps import score

    class Superstitious:
        def predict(self, frame: pd.DataFrame) -> object:
            if (frame["age"] == 13).any():
                raise ValueError("13")
            return frame["age"] * 2

    contract = recorded_runs.small_contract("y", ("no", "yes"), "people:1")
    scorer = score.Scorer(Superstitious(), contract)
    rows = pd.DataFrame({"age": [11, 12, 13, 14, 15], "job": ["admin."] * 5})

    answers = scorer.score(rows)

    assert [each.prediction for each in answers] == [22, 24, None, 28, 30]
    assert answers[2].error == "The model could not score it (ValueError: 13)."


def test_a_dataset_without_a_needed_column_fails_naming_it(local):
    run_id = submitted(local, local.batch(local.dataset("age\n30\n31\n"), local.model()))

    assert pipeline_worker.run(local.home, run_id) is RunStatus.FAILED

    assert "no column “job”" in local.pipelines.run(run_id).error
    assert local.pipelines.steps(run_id)[2].status is RunStatus.FAILED
    assert "no column “job”" in local.pipelines.logs(run_id, "score").text


def test_when_no_row_can_be_scored_the_run_fails(local):
    run_id = submitted(local, local.batch(local.dataset("age,job\n,a\n,b\n"), local.model()))

    assert pipeline_worker.run(local.home, run_id) is RunStatus.FAILED

    assert "None of the 2 rows could be scored" in local.pipelines.run(run_id).error


def test_columns_named_like_ours_are_kept_beside_them(local):
    rows = "age,job,prediction,error\n30,admin.,old,none\n"
    run_id = submitted(local, local.batch(local.dataset(rows), local.model()))

    pipeline_worker.run(local.home, run_id)

    output = local.pipelines.batch_output(run_id)
    assert output["input.prediction"].tolist() == ["old"]
    assert output["prediction"][0] in ("yes", "no")


def test_latest_means_the_newest_version_when_the_run_begins(local):
    model_id = local.model()
    pipeline_id = local.batch(local.dataset("age,job\n30,a\n"), model_id)
    run_id = submitted(local, pipeline_id, dataset="people:latest", model="answers:latest")
    local.dataset("age,job\n30,a\n31,b\n32,c\n")

    pipeline_worker.run(local.home, run_id)

    assert local.pipelines.run(run_id).batch.total_count == 3


# --- steps and their ends ---------------------------------------------------------


def test_a_step_that_fails_ends_the_run_and_later_steps_do_not_start(local):
    pipeline_id = local.retraining()
    run_id = submitted(local, pipeline_id, dataset="nobody:7")

    assert pipeline_worker.run(local.home, run_id) is RunStatus.FAILED

    statuses = [step.status for step in local.pipelines.steps(run_id)]
    assert statuses == [RunStatus.FAILED, RunStatus.NOT_STARTED, RunStatus.NOT_STARTED]
    assert "Dataset: No dataset named “nobody:7”" in local.pipelines.run(run_id).error
    assert "nobody:7" in local.pipelines.logs(run_id, "dataset").text


def retraining_with(local: Local, outcome: Callable[[str], None], monkeypatch) -> str:
    """A retraining run whose search ends as `outcome` says, as its worker would have."""
    from services.local.pipeline_steps import automl

    def waited(_seconds: float) -> None:
        (queued,) = [run for run in local.runs.list() if not run.status.settled]
        outcome(queued.id)

    monkeypatch.setattr(automl.time, "sleep", waited)
    run_id = submitted(local, local.retraining())
    pipeline_worker.run(local.home, run_id)
    return run_id


def test_a_search_that_fails_fails_its_step_with_the_reason(local, monkeypatch):
    def outcome(training_run: str) -> None:
        from services.local.run_journal import RunJournal

        journal = RunJournal(local.home, local.store)
        journal.settle(training_run, RunStatus.FAILED, error="It ran out of memory.")

    run_id = retraining_with(local, outcome, monkeypatch)

    run = local.pipelines.run(run_id)
    assert run.status is RunStatus.FAILED
    assert "It ran out of memory." in run.error
    assert run.training_run_id == local.runs.list()[0].id


def test_a_search_that_somebody_cancels_cancels_the_run(local, monkeypatch):
    run_id = retraining_with(local, local.runs.cancel, monkeypatch)

    assert local.pipelines.run(run_id).status is RunStatus.CANCELED
    assert local.pipelines.steps(run_id)[1].status is RunStatus.CANCELED


def test_a_retraining_run_trains_with_its_parameters_and_registers(local, monkeypatch):
    def outcome(training_run: str) -> None:
        from services.local.run_journal import RunJournal

        journal = RunJournal(local.home, local.store)
        child = journal.start_child(training_run, 0, "MaxAbsScaler, LightGBM", {})
        journal.write(child, "outputs/model.pkl", b"a model in name only")
        journal.complete_child(child, score=0.91, metrics={"AUC_weighted": 0.91})
        journal.settle(training_run, RunStatus.COMPLETED)

    run_id = retraining_with(local, outcome, monkeypatch)

    run = local.pipelines.run(run_id)
    assert run.status is RunStatus.COMPLETED
    assert local.models.get(run.model_id).tags == {"pipeline_run_id": run_id}
    assert local.runs.automl_settings(run.training_run_id).label_column_name == "y"
    assert (
        "MaxAbsScaler, LightGBM: Completed 0.91"
        in local.pipelines.logs(run_id, "automl_module").text
    )


# --- real processes ---------------------------------------------------------------


def test_the_supervisor_runs_what_was_submitted(local, supervisor):
    run_id = submitted(local, local.batch(local.dataset(PEOPLE), local.model()))
    assert local.pipelines.run(run_id).status is RunStatus.QUEUED

    until(supervisor, lambda: local.pipelines.run(run_id).status.settled)

    assert local.pipelines.run(run_id).status is RunStatus.COMPLETED
    assert len(local.pipelines.batch_output(run_id)) == 1000
    assert "Score begins" in local.pipelines.logs(run_id).text


def waiting_run(local: Local, supervisor: Supervisor) -> str:
    """A retraining run that waits for a search nobody performs."""
    run_id = submitted(local, local.retraining())
    until(supervisor, lambda: local.pipelines.run(run_id).training_run_id)
    return run_id


def test_a_killed_worker_leaves_its_run_failed_with_the_reason(local, supervisor):
    run_id = waiting_run(local, supervisor)
    worker = ProcessTable(local.store).observed(worker_key(run_id))

    os.kill(worker.ref.pid, signal.SIGKILL)
    until(supervisor, lambda: local.pipelines.run(run_id).status.settled)

    run = local.pipelines.run(run_id)
    assert run.status is RunStatus.FAILED
    assert "killed by signal 9" in run.error
    assert local.pipelines.steps(run_id)[1].status is RunStatus.FAILED
    assert local.runs.get(run.training_run_id).status is RunStatus.CANCELED  # nobody waits for it


def test_cancel_ends_the_worker_and_the_search_it_began(local, supervisor):
    run_id = waiting_run(local, supervisor)

    local.pipelines.cancel(run_id)
    assert local.pipelines.run(run_id).status is RunStatus.CANCEL_REQUESTED
    until(supervisor, lambda: local.pipelines.run(run_id).status.settled)

    run = local.pipelines.run(run_id)
    assert run.status is RunStatus.CANCELED
    assert local.runs.get(run.training_run_id).status is RunStatus.CANCELED
    assert not ProcessTable(local.store).observed(worker_key(run_id)).running


def test_stopping_the_supervisor_fails_the_run_it_interrupts(local, supervisor):
    run_id = waiting_run(local, supervisor)

    supervisor.shut_down()

    assert local.pipelines.run(run_id).status is RunStatus.FAILED
    assert "supervisor was stopped" in local.pipelines.run(run_id).error


# --- without a supervisor ---------------------------------------------------------


def test_a_run_whose_worker_is_gone_is_not_responding_until_it_is_settled(local):
    run_id = submitted(local, local.retraining())
    local.journal.enter(run_id)

    assert local.pipelines.run(run_id).status is RunStatus.NOT_RESPONDING


def test_a_run_that_never_left_the_queue_is_canceled_at_once(local):
    run_id = submitted(local, local.retraining())

    local.pipelines.cancel(run_id)
    local.pipelines.cancel(run_id)

    assert local.pipelines.run(run_id).status is RunStatus.CANCELED


def test_a_supervisor_that_died_before_it_was_told_settles_the_run_later(local):
    run_id = submitted(local, local.retraining())
    local.journal.enter(run_id)
    table = ProcessTable(local.store)
    table.starting(local.duty.programs()[0], NOON)
    table.exited(worker_key(run_id), code=-9, at=NOON)

    local.tick(timedelta(seconds=5))
    assert not local.pipelines.run(run_id).status.settled
    local.tick(timedelta(seconds=6))

    assert local.pipelines.run(run_id).status is RunStatus.FAILED


def test_a_few_runs_at_a_time_oldest_first_and_those_at_work_stay(local):
    pipeline_id = local.retraining()
    ids = []
    for _ in range(RUNS_AT_ONCE + 2):
        ids.append(submitted(local, pipeline_id))
        local.clock.now += timedelta(seconds=1)
    local.journal.enter(ids[-1])

    wanted = [program.key for program in local.duty.programs()]

    assert wanted == [worker_key(ids[-1]), worker_key(ids[0])]


def test_what_an_exit_means_is_said_once(local):
    run_id = submitted(local, local.retraining())
    local.journal.enter(run_id)
    local.journal.settle(run_id, RunStatus.COMPLETED)

    local.duty.exited(
        Exit(
            key=worker_key(run_id),
            generation="1",
            cause=ExitCause.UNWANTED,
            code=-15,
            answered=False,
            recent_count=0,
            log_tail="",
            at=NOON,
        )
    )

    assert local.pipelines.run(run_id).status is RunStatus.COMPLETED


# --- what is written down ---------------------------------------------------------


def test_the_token_is_decided_once_and_is_long(local):
    other = LocalPipelines(local.home, local.store)

    assert local.pipelines.rest_token() == other.rest_token()
    assert len(local.pipelines.rest_token()) >= 40


def test_changes_are_audited_without_the_token(local):
    from services.local.audit import LocalAuditLog

    pipeline_id = local.retraining()
    schedule_id = local.schedule(HOURLY, pipeline_id)
    local.schedules.disable(schedule_id)
    local.schedules.disable(schedule_id)
    submitted(local, pipeline_id)
    token = local.pipelines.rest_token()

    events = LocalAuditLog(local.store).list()

    actions = [event.action for event in events]
    assert actions.count("schedule.disable") == 1
    assert {"pipeline.publish", "schedule.create", "pipeline.submit"} <= {*actions}
    assert token not in json.dumps([[*map(str, (e.before, e.after, e.subject))] for e in events])


def test_the_kind_says_which_graph(local):
    retraining = local.pipelines.get(local.retraining())
    graph = local.pipelines.graph(retraining.id)

    assert retraining.kind is PipelineKind.RETRAINING
    assert [node.kind for node in graph.nodes] == ["dataset", "automl_module", "model"]
    assert len(graph.edges) == 2
