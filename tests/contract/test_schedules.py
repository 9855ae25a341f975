"""What every workspace promises about schedules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from services.domain import (
    AssetStatus,
    AutoMLSettings,
    Capability,
    DataSource,
    Frequency,
    Recurrence,
    SourceKind,
    WeekDay,
)
from services.errors import InvalidRequestError, NotFoundError
from services.local.workspace import LocalWorkspace
from services.ports import RetrainingPlan, Schedules, Workspace

UNKNOWN = "00000000-0000-0000-0000-000000000000"
FAR = datetime(2090, 1, 2, 3, 0)
DAILY = Recurrence(frequency=Frequency.DAY, start_time=FAR, time_zone="Europe/Berlin")
ROWS = "age,y\n" + "".join(f"{18 + n % 60},{'yes' if n % 7 > 3 else 'no'}\n" for n in range(100))


@pytest.fixture(scope="module")
def pipeline_id(engine: LocalWorkspace) -> str:
    source = DataSource(kind=SourceKind.UPLOAD, location="ages.csv", content=ROWS.encode())
    dataset = engine.datasets.register("contract-ages", source)
    settings = AutoMLSettings(experiment="contract", dataset_id=dataset.id, label_column_name="y")
    plan = RetrainingPlan(settings=settings, model_name="")
    return engine.pipelines.publish_retraining("contract-retraining", plan).id


@pytest.fixture
def schedules(workspace: Workspace) -> Iterator[Schedules]:
    """The port under test. Whatever was there before the test is left alone."""
    port = workspace.schedules
    before = {schedule.id for schedule in port.list()}
    yield port
    for schedule in port.list():
        if schedule.id not in before:
            for run in workspace.pipelines.runs(schedule_id=schedule.id):
                workspace.pipelines.cancel(run.id)
            delete = workspace.can(Capability.DELETE_SCHEDULE)
            (port.delete if delete else port.disable)(schedule.id)


@pytest.fixture
def create(schedules: Schedules, pipeline_id: str, name: str) -> Callable[..., str]:
    def create(recurrence: Recurrence = DAILY, **rest: object) -> str:
        target = {} if "pipeline_endpoint_id" in rest else {"pipeline_id": pipeline_id}
        given = {"experiment": "contract", **target, **rest}
        return schedules.create(name, recurrence, **given).id

    return create


def test_a_created_schedule_is_listed_first_and_active(schedules, create, pipeline_id, name):
    schedule_id = create(parameters={"experiment_timeout_minutes": "5"})

    schedule = schedules.list()[0]

    assert schedule == schedules.get(schedule_id)
    assert (schedule.id, schedule.name) == (schedule_id, name)
    assert schedule.status is AssetStatus.ACTIVE
    assert schedule.recurrence == DAILY
    assert schedule.pipeline_id == pipeline_id
    assert schedule.pipeline_endpoint_id is None
    assert schedule.parameters == {"experiment_timeout_minutes": "5"}
    assert schedule.last_run is None


def test_its_next_due_time_is_an_instant(schedules, create):
    assert schedules.get(create()).next_fire_at == datetime(2090, 1, 2, 2, 0, tzinfo=UTC)


def test_everything_about_a_recurrence_is_kept(schedules, create):
    recurrence = Recurrence(
        frequency=Frequency.WEEK,
        interval=2,
        start_time=FAR,
        time_zone="America/New_York",
        hours=(6, 18),
        minutes=(0, 30),
        week_days=(WeekDay.MONDAY, WeekDay.FRIDAY),
    )

    assert schedules.get(create(recurrence)).recurrence == recurrence


def test_a_disabled_schedule_is_still_listed_and_will_not_fire(schedules, create):
    schedule_id = create()

    schedules.disable(schedule_id)
    schedules.disable(schedule_id)

    (disabled,) = [each for each in schedules.list() if each.id == schedule_id]
    assert disabled.status is AssetStatus.DISABLED
    assert disabled.next_fire_at is None
    schedules.enable(schedule_id)
    assert schedules.get(schedule_id).next_fire_at is not None


def test_what_is_not_given_stays_as_it_is(schedules, create, name):
    schedule_id = create(parameters={"experiment_timeout_minutes": "5"})

    changed = schedules.update(schedule_id, experiment="contract-other")

    assert changed.experiment == "contract-other"
    assert (changed.name, changed.recurrence) == (name, DAILY)
    assert changed.parameters == {"experiment_timeout_minutes": "5"}


def test_a_changed_recurrence_moves_the_next_due_time(schedules, create):
    schedule_id = create()
    weekly = Recurrence(frequency=Frequency.WEEK, start_time=FAR + timedelta(days=1))

    changed = schedules.update(schedule_id, recurrence=weekly)

    assert changed.recurrence == weekly
    assert changed.next_fire_at == datetime(2090, 1, 3, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("recurrence", "sentence"),
    [
        (Recurrence(frequency=Frequency.DAY, interval=0), "interval"),
        (Recurrence(frequency=Frequency.HOUR, hours=(1,)), "Hours"),
        (Recurrence(frequency=Frequency.MONTH, minutes=(1,)), "Minutes"),
        (Recurrence(frequency=Frequency.DAY, week_days=(WeekDay.MONDAY,)), "Week days"),
        (Recurrence(frequency=Frequency.DAY, hours=(24,)), "Hours lie between"),
        (Recurrence(frequency=Frequency.DAY, time_zone="Mars/Base"), "time zone"),
    ],
)
def test_a_broken_rule_is_refused_on_creating_and_on_changing(
    schedules, create, recurrence, sentence
):
    with pytest.raises(InvalidRequestError, match=sentence):
        create(recurrence)
    schedule_id = create()
    with pytest.raises(InvalidRequestError, match=sentence):
        schedules.update(schedule_id, recurrence=recurrence)
    assert schedules.get(schedule_id).recurrence == DAILY


def test_it_has_exactly_one_target(schedules, pipeline_id, name):
    for target in ({}, {"pipeline_id": pipeline_id, "pipeline_endpoint_id": UNKNOWN}):
        with pytest.raises(InvalidRequestError, match="pipeline"):
            schedules.create(name, DAILY, experiment="contract", **target)


@pytest.mark.parametrize("target", ["pipeline_id", "pipeline_endpoint_id"])
def test_its_target_exists(schedules, name, target):
    with pytest.raises(NotFoundError, match=UNKNOWN):
        schedules.create(name, DAILY, experiment="contract", **{target: UNKNOWN})


def test_it_may_submit_an_endpoint(workspace, schedules, create, pipeline_id, name):
    endpoint = workspace.pipelines.create_endpoint(name, pipeline_id)

    schedule = schedules.get(create(pipeline_endpoint_id=endpoint.id))

    assert (schedule.pipeline_id, schedule.pipeline_endpoint_id) == (None, endpoint.id)


def test_a_parameter_the_pipeline_lacks_is_refused(create):
    with pytest.raises(InvalidRequestError, match="colour"):
        create(parameters={"colour": "blue"})


ABSENT: dict[str, Callable[[Schedules], object]] = {
    "get": lambda port: port.get(UNKNOWN),
    "enable": lambda port: port.enable(UNKNOWN),
    "disable": lambda port: port.disable(UNKNOWN),
    "update": lambda port: port.update(UNKNOWN, name="nobody"),
    "firings": lambda port: port.firings(UNKNOWN),
}


@pytest.mark.parametrize("method", ABSENT)
def test_what_does_not_exist_is_not_found(schedules, method):
    with pytest.raises(NotFoundError):
        ABSENT[method](schedules)


def test_deleting_twice_succeeds(workspace, schedules, create):
    if not workspace.can(Capability.DELETE_SCHEDULE):
        pytest.skip("this workspace keeps every schedule")
    schedule_id = create()

    schedules.delete(schedule_id)
    schedules.delete(schedule_id)

    assert schedule_id not in [each.id for each in schedules.list()]


def test_where_schedules_are_kept_deleting_one_says_so_and_changes_nothing(
    workspace, schedules, create
):
    if workspace.can(Capability.DELETE_SCHEDULE):
        pytest.skip("this workspace can delete a schedule")
    schedule_id = create()

    with pytest.raises(InvalidRequestError, match="disable it"):
        schedules.delete(schedule_id)

    assert schedules.get(schedule_id).status is AssetStatus.ACTIVE


# --- pauses -----------------------------------------------------------------------


@pytest.fixture
def several(schedules, pipeline_id, name) -> list[str]:
    return [
        schedules.create(
            f"{name}-{number}", DAILY, pipeline_id=pipeline_id, experiment="contract"
        ).id
        for number in range(3)
    ]


def active(schedules: Schedules, ids: Sequence[str]) -> set[str]:
    found = {each.id for each in schedules.list() if each.status is AssetStatus.ACTIVE}
    return found & set(ids)


def soon(**length: float) -> datetime:
    return datetime.now(UTC) + timedelta(**length)


def test_exactly_the_paused_ones_are_active_again_by_themselves(
    workspace, schedules, several, until, name
):
    schedules.disable(several[2])
    end = soon(seconds=4)

    paused = schedules.pause(several[1:], reason="storage is moved", until=end)

    assert paused == (several[1],)  # the one that was Disabled for good is left alone
    assert active(schedules, several) == {several[0]} or soon() > end
    until(lambda: active(schedules, several) == set(several[:2]))
    assert soon() >= end
    assert schedules.get(several[1]).pause is None
    # On Azure it is active a moment before it is noted who made it so.
    until(lambda: last_done(workspace, f"{name}-1") == ["schedule.resume", "schedule.pause"])


def last_done(workspace: Workspace, name: str) -> list[str]:
    return [each.action for each in workspace.audit.list(subject=f"schedule/{name}")][:2]


def test_a_paused_schedule_says_why_and_until_when(schedules, several):
    end = soon(hours=1)

    schedules.pause(several, reason=" storage is moved ", until=end)

    shown = [each for each in schedules.list() if each.id in several]
    assert {each.status for each in shown} == {AssetStatus.DISABLED}
    assert len({each.pause for each in shown}) == 1
    pause = schedules.get(several[0]).pause
    assert (pause.reason, pause.until, pause.problem) == ("storage is moved", end, "")
    assert pause.paused_by
    assert pause.paused_at <= soon()


@pytest.mark.parametrize("decision", ["enable", "disable"])
def test_what_somebody_decides_meanwhile_ends_the_pause(schedules, several, until, decision):
    schedules.pause(several[:1], reason="decided", until=soon(seconds=3))
    schedules.pause(several[1:2], reason="not decided", until=soon(seconds=3))

    getattr(schedules, decision)(several[0])

    assert schedules.get(several[0]).pause is None
    until(lambda: several[1] in active(schedules, several))
    assert (several[0] in active(schedules, several)) == (decision == "enable")


def test_a_second_pause_moves_the_end(schedules, several):
    schedules.pause(several[:1], reason="first", until=soon(hours=1))
    later = soon(hours=2)

    assert schedules.pause(several[:1], reason="longer", until=later) == (several[0],)

    pause = schedules.get(several[0]).pause
    assert (pause.reason, pause.until) == ("longer", later)


def test_a_pause_of_one_that_does_not_exist_pauses_none(schedules, several):
    with pytest.raises(NotFoundError, match=UNKNOWN):
        schedules.pause([*several, UNKNOWN], reason="storage is moved", until=soon(hours=1))

    assert active(schedules, several) == set(several)


@pytest.mark.parametrize(("reason", "hours"), [(" ", 1), ("late", -1), ("for ever", 24 * 400)])
def test_a_pause_needs_a_reason_and_an_end(schedules, several, reason, hours):
    with pytest.raises(InvalidRequestError):
        schedules.pause(several, reason=reason, until=soon(hours=hours))

    assert active(schedules, several) == set(several)


def test_without_a_start_time_it_runs_at_once(workspace, schedules, create, until):
    schedule_id = create(Recurrence(frequency=Frequency.MONTH))

    until(lambda: workspace.pipelines.runs(schedule_id=schedule_id))

    (run,) = workspace.pipelines.runs(schedule_id=schedule_id)
    assert run.schedule_id == schedule_id
    assert schedules.get(schedule_id).last_run.id == run.id
    (listed,) = [each for each in schedules.list() if each.id == schedule_id]
    (completed,) = schedules.with_last_runs([listed])
    assert completed.last_run.id == run.id
    (firing,) = schedules.firings(schedule_id)
    assert (firing.run_id, firing.missed_count) == (run.id, 0)
    assert firing.due_at <= firing.fired_at
