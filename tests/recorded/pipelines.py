"""Pipelines, schedules and their past, made by the same code that makes them for real.

    history = pipelines.retraining(home, store)          # 30 daily runs, two failed
    pipelines.batch(home, store)                         # one completed batch inference
    pipelines.batch(home, store, done=400, failed=3, running=True)

Nothing needs a dataset or a model to exist, unless its output is to be scored for real.
"""

from __future__ import annotations

import math
import os
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services import recurrence as rules
from services.domain import (
    AutoMLSettings,
    Frequency,
    PipelineKind,
    Recurrence,
    RunStatus,
)
from services.local import pipeline_definitions, processes
from services.local.automl_request import parent_properties
from services.local.clock import utc_now
from services.local.pipeline_duty import PipelineDuty
from services.local.pipeline_journal import PipelineJournal
from services.local.pipelines import LocalPipelines, worker_key
from services.local.process_table import ProcessTable
from services.local.run_journal import RunJournal
from services.local.schedules import LocalSchedules
from services.local.store import Store, stamp
from services.ports import BatchInferencePlan, RetrainingPlan
from tests.recorded.runs import Ticking

NOW = datetime(2024, 5, 31, 9, 0, tzinfo=UTC)
DAILY = Recurrence(
    frequency=Frequency.DAY,
    start_time=datetime(2024, 1, 1),
    time_zone="Europe/Berlin",
    hours=(6,),
    minutes=(30,),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    pipeline_id: str
    schedule_id: str
    run_ids: tuple[str, ...]  # oldest first


def settings(experiment: str = "bank-retraining") -> AutoMLSettings:
    return AutoMLSettings(
        experiment=experiment,
        dataset_id="bankmarketing:1",
        label_column_name="y",
        experiment_timeout_minutes=10.0,
    )


def published(
    home: Path,
    store: Store,
    *,
    name: str = "Bank Marketing retraining",
    kind: PipelineKind = PipelineKind.RETRAINING,
    at: datetime = NOW - timedelta(days=31),
) -> str:
    """A published pipeline whose dataset and model nobody looks for; its id."""
    if kind is PipelineKind.RETRAINING:
        plan = RetrainingPlan(settings=settings(), model_name="bank-marketing")
        defaults, fixed = pipeline_definitions.retraining(plan)
    else:
        defaults, fixed = pipeline_definitions.batch_inference(
            BatchInferencePlan(model_id="bank-marketing:1", dataset_id="bankmarketing:1")
        )
    port = LocalPipelines(home, store, clock=Ticking(at))
    return port._publish(name, kind, defaults, fixed, "").id


def retraining(
    home: Path,
    store: Store,
    *,
    name: str = "Nightly retraining",
    days: int = 30,
    failed: Collection[int] = (9, 21),
    missed: Collection[int] = (),
    late: Collection[int] = (),
    now: datetime = NOW,
    recurrence: Recurrence = DAILY,
) -> History:
    """A daily retraining schedule with one run a day up to `now`.

    Args:
        failed: days, counted from 0, whose search failed.
        missed: days on which nobody looked; the next day's firing says so.
        late: days on which the firing came 40 minutes after it was due.
    """
    clock = Ticking(now - timedelta(days=days))
    pipeline_id = published(home, store, at=clock.now - timedelta(hours=1))
    schedules = LocalSchedules(home, store, clock=clock)
    schedule = schedules.create(
        name, recurrence, pipeline_id=pipeline_id, experiment=settings().experiment
    )
    recorder = _Recorder(home, store, clock)
    run_ids: list[str] = []
    for day in range(days):
        (due,) = rules.next_fires(recurrence, anchored_at=clock.now, after=clock.now, count=1)
        if day in missed:
            clock.now = due + timedelta(minutes=1)
            continue
        clock.now = due + timedelta(minutes=40 if day in late else 0, milliseconds=300)
        run_id = recorder.fire(schedule.id)
        recorder.retrained(run_id, day, failed=day in failed)
        run_ids.append(run_id)
    return History(pipeline_id=pipeline_id, schedule_id=schedule.id, run_ids=tuple(run_ids))


def ended(
    store: Store,
    pipeline_id: str,
    training_run_id: str | None,
    *,
    home: Path,
    experiment: str = "bank-retraining",
    status: RunStatus = RunStatus.COMPLETED,
    error: str = "",
) -> str:
    """A run of a pipeline that ended just now, before any supervisor could start it; its id."""
    journal = PipelineJournal(home, store)
    with store.transaction() as db:
        run_id = journal.submit(db, pipeline_id, experiment, parameters={}, run_source="SDK")
        now = stamp(utc_now())
        db.execute(
            "UPDATE pipeline_runs SET status = ?, error = ?, started_at = ?, ended_at = ?,"
            " training_run_id = ? WHERE id = ?",
            (status, error, now, now, training_run_id, run_id),
        )
        db.execute(
            "UPDATE pipeline_steps SET status = ?, started_at = ?, ended_at = ? WHERE run_id = ?",
            (status, now, now, run_id),
        )
    return run_id


def batch(
    home: Path,
    store: Store,
    *,
    name: str = "Score new customers",
    total: int = 1000,
    done: int | None = None,
    failed: int = 0,
    running: bool = False,
    at: datetime = NOW - timedelta(minutes=30),
    idle: timedelta = timedelta(0),
) -> str:
    """A batch inference with its output; the id of its run.

    Args:
        done: rows scored so far; all that did not fail when None.
        running: it is still at work, with this process in its worker's place.
        idle: how long before `at` and five minutes its last row was scored.
    """
    clock = Ticking(at)
    done = total - failed if done is None else done
    pipeline_id = published(
        home, store, name=name, kind=PipelineKind.BATCH_INFERENCE, at=at - timedelta(hours=1)
    )
    port = LocalPipelines(home, store, clock=clock)
    run_id = port.submit(pipeline_id, "bank-batch").id
    _Recorder(home, store, clock).scored(run_id, total, done, failed, running=running, idle=idle)
    return run_id


class _Recorder:
    def __init__(self, home: Path, store: Store, clock: Ticking) -> None:
        self._home, self._store, self._clock = home, store, clock
        self._journal = PipelineJournal(home, store, clock=clock)
        self._pipelines = LocalPipelines(home, store, clock=clock)
        self._duty = PipelineDuty(home, store, clock=clock)

    def fire(self, schedule_id: str) -> str:
        self._duty.tick(self._clock.now)
        return self._pipelines.runs(schedule_id=schedule_id, limit=1)[0].id

    def retrained(self, run_id: str, day: int, *, failed: bool) -> None:
        self._clock.pass_by(1)
        self._journal.enter(run_id)
        self._log(run_id, None, "Dataset begins\nautoml_module begins")
        self._step(run_id, "dataset", 1.5, "bankmarketing:latest is bankmarketing:1: 32,950 rows")
        self._journal.begin_step(run_id, "automl_module")
        training = self._trained(day, failed=failed)
        self._journal.note(run_id, training_run_id=training)
        if failed:
            error = f"The AutoML run {training} Failed. The search ran out of memory."
            self._log(run_id, "automl_module", f"Started {training}\nERROR {error}")
            self._journal.end_step(run_id, "automl_module", RunStatus.FAILED, error=error)
            self._journal.settle(run_id, RunStatus.FAILED, error=f"automl_module: {error}")
            return
        self._log(run_id, "automl_module", f"Started {training}\nCompleted: best child")
        self._journal.end_step(run_id, "automl_module", RunStatus.COMPLETED)
        self._journal.note(run_id, model_id=f"bank-marketing:{day + 1}")
        self._step(run_id, "register_model", 2, f"Registered bank-marketing:{day + 1}")
        self._journal.settle(run_id, RunStatus.COMPLETED)

    def scored(
        self, run_id: str, total: int, done: int, failed: int, *, running: bool, idle: timedelta
    ) -> None:
        self._clock.pass_by(1)
        self._journal.enter(run_id)
        if running:
            self._stand_in(run_id)
        self._step(run_id, "dataset", 1, f"bankmarketing:1: {total:,} rows")
        self._step(run_id, "model", 1, "bank-marketing:1: VotingEnsemble")
        self._journal.note(run_id, model_id="bank-marketing:1")
        self._journal.begin_step(run_id, "score")
        self._clock.pass_by(300 - idle.total_seconds())
        self._journal.progress(run_id, total=total, done=done, failed=failed)
        self._write_output(run_id, done, failed)
        self._log(run_id, "score", f"Scored {done:,} of {total:,} rows; {failed:,} failed")
        if not running:
            self._journal.end_step(run_id, "score", RunStatus.COMPLETED)
            self._journal.settle(run_id, RunStatus.COMPLETED)

    def _trained(self, day: int, *, failed: bool) -> str:
        runs = RunJournal(self._home, self._store, clock=self._clock)
        parent = runs.queue_automl(settings(), parent_properties(settings()))
        runs.enter(parent, RunStatus.RUNNING)
        self._clock.pass_by(560 + 40 * math.sin(day))
        if failed:
            runs.settle(parent, RunStatus.FAILED, error="The search ran out of memory.")
            return parent
        child = runs.start_child(parent, 0, "VotingEnsemble", {"run_algorithm": "VotingEnsemble"})
        score = 0.9465 + 0.0012 * math.sin(day / 2)
        metrics = {"AUC_weighted": score, "accuracy": 0.9145 + 0.002 * math.cos(day / 3)}
        runs.complete_child(child, score=score, metrics=metrics)
        runs.settle(parent, RunStatus.COMPLETED)
        return parent

    def _step(self, run_id: str, node_id: str, seconds: float, text: str) -> None:
        self._journal.begin_step(run_id, node_id)
        self._log(run_id, node_id, text)
        self._clock.pass_by(seconds)
        self._journal.end_step(run_id, node_id, RunStatus.COMPLETED)

    def _log(self, run_id: str, node_id: str | None, text: str) -> None:
        path = self._journal.log(run_id, node_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        stamp = f"{self._clock.now:%Y-%m-%d %H:%M:%S}"
        path.write_text("".join(f"{stamp} INFO {line}\n" for line in text.splitlines()))

    def _write_output(self, run_id: str, done: int, failed: int) -> None:
        import pandas as pd

        folder = self._journal.output(run_id)
        folder.mkdir(parents=True, exist_ok=True)
        good = ["no" if n % 9 else "yes" for n in range(done)]
        rows = pd.DataFrame(
            {
                "age": [18 + n % 60 for n in range(done + failed)],
                "job": ["admin." if n % 3 else "technician" for n in range(done + failed)],
                "prediction": pd.Series([*good, *[None] * failed], dtype="str"),
                "probability": [0.5 + n % 50 / 100 for n in range(done)] + [None] * failed,
                "error": pd.Series(
                    [*[None] * done, *["“age” is empty; every row must have it."] * failed],
                    dtype="str",
                ),
            }
        )
        rows.to_parquet(folder / "part-000000.parquet", index=False)

    def _stand_in(self, run_id: str) -> None:
        table = ProcessTable(self._store)
        (program,) = [p for p in self._duty.programs() if p.key == worker_key(run_id)]
        table.starting(program, self._clock.now)
        table.started(program.key, processes.reference(os.getpid()))
