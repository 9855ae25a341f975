"""Schedules on Azure: every field survives, zones translate both ways, trouble is a sentence."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from services.azure import schedule_records
from services.azure.schedule_records import read_recurrence, write_recurrence
from services.azure.workspace import AzureWorkspace
from services.domain import (
    AssetStatus,
    AutoMLSettings,
    DataSource,
    Frequency,
    Recurrence,
    SourceKind,
    WeekDay,
)
from services.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    OperationFailedError,
    UnavailableError,
)
from services.ports import RetrainingPlan
from services.time_zones import AZURE_ZONES, OFFERED
from tests.azure_double.faults import Fault
from tests.azure_double.hand import Double, double
from tests.azure_double.opened import open_azure

LIMIT_S = 4.0
AT_ONCE_S = LIMIT_S + 3.0
FAR = datetime(2090, 1, 2, 3, 0)
NOW = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
DAILY = Recurrence(frequency=Frequency.DAY, start_time=FAR, time_zone="Europe/Berlin")
ROWS = "age,y\n" + "".join(f"{18 + n % 60},{n % 2}\n" for n in range(60))
PATH = r"pipelines/v1\.0/.*/Schedules"


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    with double(tmp_path_factory.mktemp("azure")) as azure, azure.surroundings():
        yield azure


@pytest.fixture(scope="module")
def workspace(azure: Double) -> AzureWorkspace:
    workspace = open_azure(azure)
    workspace.schedules.list()  # signed in, and the SDK imported
    return workspace


@pytest.fixture(scope="module")
def hasty(azure: Double, workspace: AzureWorkspace) -> AzureWorkspace:
    hasty = open_azure(azure, limit_s=LIMIT_S)
    hasty.schedules.list()
    return hasty


@pytest.fixture(autouse=True)
def _quiet(azure: Double) -> Iterator[None]:
    azure.asked()
    yield
    azure.misbehave()
    azure.turn(**{"pipelines.extras": {}, "schedules.more": []})
    assert azure.unknown() == []


@pytest.fixture(scope="module")
def pipeline_id(azure: Double) -> str:
    source = DataSource(kind=SourceKind.UPLOAD, location="ages.csv", content=ROWS.encode())
    dataset = azure.engine.datasets.register("ages", source)
    settings = AutoMLSettings(experiment="ages", dataset_id=dataset.id, label_column_name="y")
    plan = RetrainingPlan(settings=settings, model_name="")
    return azure.engine.pipelines.publish_retraining("retrain", plan).id


@pytest.fixture
def schedule_id(azure: Double, workspace: AzureWorkspace, pipeline_id: str) -> Iterator[str]:
    created = workspace.schedules.create(
        "nightly",
        DAILY,
        pipeline_id=pipeline_id,
        experiment="ages",
        description="every night",
        parameters={"experiment_timeout_minutes": "5"},
    )
    yield created.id
    azure.misbehave()
    azure.engine.schedules.delete(created.id)


def stored(workspace: AzureWorkspace, schedule_id: str) -> dict[str, Any]:
    """The whole entity, as Azure has it, but for when it was changed."""
    return undated(workspace.schedules._service.get(f"Schedules/{schedule_id}", "schedule"))


def undated(entity: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in entity.items() if name != "LastModifiedDate"}


def asked(azure: Double) -> list[str]:
    return [
        f"{each.split()[0]} {each.split('workspaces/')[1].partition('/')[2].split(' ')[0]}"
        for each in azure.asked()
        if "api.azureml.ms" in each
    ]


# --- request economy --------------------------------------------------------------


def test_the_list_is_one_request_and_last_runs_one_each(azure, workspace, schedule_id):
    azure.asked()
    listed = workspace.schedules.list()
    assert asked(azure) == ["GET Schedules?activeOnly=false"]

    workspace.schedules.with_last_runs(listed)
    assert sorted(asked(azure)) == sorted(
        f"GET PipelineRuns/Schedule/{each.id}/Last" for each in listed
    )

    workspace.schedules.get(schedule_id)
    assert len(asked(azure)) == 2


def test_looking_never_writes(azure, workspace, schedule_id):
    before = stored(workspace, schedule_id)
    azure.asked()
    port = workspace.schedules

    port.with_last_runs(port.list()), port.get(schedule_id), port.firings(schedule_id)

    assert [each for each in asked(azure) if not each.startswith("GET")] == []
    assert stored(workspace, schedule_id) == before


# --- every field survives ---------------------------------------------------------

UNKNOWN_TO_US = {
    "PipelineSubmissionInfo": {
        "RunSource": "Portal",
        "RunType": "HTTP",
        "EnableNotification": True,
        "tags": {"team": "blue"},
        "Properties": {"azureml.git.commit": "abc"},
        "ContinueRunOnStepFailure": True,
        "DataPathAssignments": {"input": {"DataStoreName": "store", "RelativePath": "rows"}},
        "DataSetDefinitionValueAssignments": {"rows": {"LiteralValue": None}},
    },
    "Recurrence": {"EndTime": "2099-01-01T00:00:00", "Schedule": {"MonthDays": [1, 15]}},
    "Etag": '"7"',
    "Novelty": [1, {"deep": None}],
}


@pytest.fixture
def rich(azure: Double, workspace: AzureWorkspace, schedule_id: str) -> dict[str, Any]:
    azure.turn(**{"pipelines.extras": {schedule_id: UNKNOWN_TO_US}})
    return stored(workspace, schedule_id)


def test_disabling_and_enabling_keeps_every_field(azure, workspace, schedule_id, rich):
    workspace.schedules.disable(schedule_id)
    assert stored(workspace, schedule_id) == {**rich, "EntityStatus": "Disabled"}

    workspace.schedules.enable(schedule_id)
    assert stored(workspace, schedule_id) == rich


def test_what_is_put_back_is_what_was_read_but_for_one_field(
    azure, workspace, schedule_id, rich, monkeypatch
):
    """Seen on its way out, not only after the double has stored it."""
    sent = []
    real = workspace.schedules._service.put

    def watched(path, body, *rest):
        sent.append(undated(copy.deepcopy(body)))
        return real(path, body, *rest)

    monkeypatch.setattr(workspace.schedules._service, "put", watched)
    workspace.schedules.disable(schedule_id)
    workspace.schedules.update(schedule_id, experiment="elsewhere")

    first, second = sent
    assert first == {**rich, "EntityStatus": "Disabled"}
    submission = {**rich["PipelineSubmissionInfo"], "ExperimentName": "elsewhere"}
    assert second == {
        **rich,
        "EntityStatus": "Disabled",
        "PipelineSubmissionInfo": submission,
    }


def test_a_new_recurrence_changes_the_recurrence_only(workspace, schedule_id, rich):
    weekly = Recurrence(
        frequency=Frequency.WEEK,
        start_time=FAR,
        time_zone="America/New_York",
        hours=(6,),
        minutes=(30,),
        week_days=(WeekDay.MONDAY,),
    )

    changed = workspace.schedules.update(schedule_id, recurrence=weekly)

    assert changed.recurrence == weekly
    after = stored(workspace, schedule_id)
    recurrence = after.pop("Recurrence")
    assert recurrence["TimeZone"] == "Eastern Standard Time"
    assert recurrence["EndTime"] == UNKNOWN_TO_US["Recurrence"]["EndTime"]
    assert after == {name: rich[name] for name in after}


def test_an_update_of_nothing_sends_nothing(azure, workspace, schedule_id):
    azure.asked()

    workspace.schedules.update(schedule_id, name="nightly", recurrence=DAILY)

    assert [each for each in asked(azure) if each.startswith("PUT")] == []


def test_what_is_so_already_is_not_written_again(azure, workspace, schedule_id):
    azure.asked()

    workspace.schedules.enable(schedule_id)

    assert asked(azure) == [f"GET Schedules/{schedule_id}"]


def test_changes_are_noted(workspace, schedule_id):
    workspace.schedules.disable(schedule_id)

    event = next(each for each in workspace.audit.list() if each.action == "schedule.disable")
    assert (event.subject, event.before) == ("schedule/nightly", {"status": "Active"})


def test_a_timer_that_could_not_be_set_up_is_told(azure, workspace, pipeline_id, schedule_id):
    azure.turn(**{"pipelines.extras": {schedule_id: {"ProvisioningStatus": "Failed"}}})

    with pytest.raises(OperationFailedError, match="timer"):
        workspace.schedules.disable(schedule_id)


# --- zones and rules --------------------------------------------------------------


@pytest.mark.parametrize("zone", OFFERED)
def test_every_zone_offered_survives_azures_name_for_it(zone):
    recurrence = Recurrence(frequency=Frequency.DAY, start_time=FAR, time_zone=zone)

    written = write_recurrence(recurrence)

    assert written["TimeZone"] in AZURE_ZONES
    assert read_recurrence(written) == recurrence


def test_every_zone_of_the_sdk_is_one_we_read():
    from azureml.pipeline.core.schedule import TimeZone

    read = [
        read_recurrence({"Frequency": "Day", "Interval": 1, "TimeZone": each.value}).time_zone
        for each in TimeZone
    ]

    assert len(read) == len(TimeZone) > 100


@pytest.mark.parametrize(
    "recurrence",
    [
        Recurrence(frequency=Frequency.MINUTE, interval=15),
        Recurrence(frequency=Frequency.MONTH, start_time=datetime(2090, 1, 31, 23, 59, 7)),
        Recurrence(frequency=Frequency.DAY, hours=(0, 6), minutes=(0,), time_zone="Asia/Tokyo"),
        Recurrence(frequency=Frequency.WEEK, interval=2, week_days=tuple(WeekDay)),
    ],
)
def test_a_recurrence_comes_back_as_it_was_written(recurrence):
    assert read_recurrence(write_recurrence(recurrence)) == recurrence


def test_older_answers_carry_numbers():
    item = {
        "Frequency": "1",
        "Interval": 1,
        "StartTime": "2090-01-02T03:00:00Z",
        "TimeZone": "W. Europe Standard Time",
        "Schedule": {"Hours": None, "Minutes": None, "WeekDays": ["0", "6"]},
    }

    recurrence = read_recurrence(item)

    assert recurrence.frequency is Frequency.WEEK
    assert recurrence.week_days == (WeekDay.MONDAY, WeekDay.SUNDAY)
    assert recurrence.start_time == datetime(2090, 1, 2, 4, 0)  # the offset is not the zone's


def test_without_a_start_time_it_counts_from_when_it_was_saved():
    item = {
        "Id": "s",
        "Name": "hourly",
        "EntityStatus": "Active",
        "ScheduleType": "Recurrence",
        "CreatedDate": "2024-01-01T00:10:00Z",
        "LastModifiedDate": "2024-04-01T00:25:00.1234567Z",
        "Recurrence": {"Frequency": "Hour", "Interval": 1},
    }

    due = schedule_records.schedule(item, now=NOW).next_fire_at

    assert due is not None
    assert due.replace(microsecond=0) == datetime(2024, 5, 1, 12, 25, tzinfo=UTC)


# --- what cannot be read ----------------------------------------------------------


@pytest.mark.parametrize(
    ("extras", "said"),
    [
        ({"Recurrence": {"TimeZone": "Mars Standard Time"}}, "Mars Standard Time"),
        ({"Recurrence": {"Frequency": "Fortnight"}}, "cannot be read"),
        ({"Recurrence": {"Interval": "often"}}, "cannot be read"),
        ({"Recurrence": None}, "cannot be read"),
        ({"Recurrence": {"Interval": -1}}, "interval"),
        (
            {
                "ScheduleType": "DataStore",
                "Recurrence": None,
                "DataStoreTriggerInfo": {"DataStoreName": "store", "PathOnDataStore": "in"},
            },
            "When data changes in store/in",
        ),
    ],
)
def test_a_recurrence_we_cannot_read_leaves_the_rest_of_it(
    azure, workspace, schedule_id, extras, said
):
    azure.turn(**{"pipelines.extras": {schedule_id: extras}})

    (found,) = [each for each in workspace.schedules.list() if each.id == schedule_id]

    assert said in found.irregular
    assert (found.name, found.status, found.next_fire_at) == ("nightly", AssetStatus.ACTIVE, None)
    assert found.parameters == {"experiment_timeout_minutes": "5"}
    with pytest.raises(InvalidRequestError, match="cannot be changed here"):
        workspace.schedules.update(schedule_id, recurrence=DAILY)


@pytest.mark.parametrize(
    "item", [None, 7, {}, {"Id": "odd"}, {"Id": "odd", "Name": "odd", "CreatedDate": "soon"}]
)
def test_one_unreadable_schedule_does_not_spoil_the_list(azure, workspace, schedule_id, item):
    azure.turn(**{"schedules.more": [item]})

    listed = workspace.schedules.with_last_runs(workspace.schedules.list())

    (odd,) = [each for each in listed if each.status is AssetStatus.UNKNOWN]
    assert "cannot be read" in odd.irregular
    assert schedule_id in [each.id for each in listed]


def test_a_data_triggered_schedule_can_be_switched_off_and_keeps_its_trigger(
    azure, workspace, schedule_id
):
    trigger = {"DataStoreName": "store", "PollingInterval": 5, "PathOnDataStore": "in"}
    extras = {"ScheduleType": "DataStore", "DataStoreTriggerInfo": trigger}
    azure.turn(**{"pipelines.extras": {schedule_id: extras}})

    workspace.schedules.disable(schedule_id)

    assert stored(workspace, schedule_id)["DataStoreTriggerInfo"] == trigger
    assert workspace.schedules.get(schedule_id).status is AssetStatus.DISABLED


# --- trouble ----------------------------------------------------------------------

TROUBLE = {
    "401": (Fault(pattern=PATH, status=401), AccessDeniedError, "sign-in"),
    "403": (Fault(pattern=PATH, status=403), AccessDeniedError, "role"),
    "404": (Fault(pattern=PATH, status=404), (NotFoundError, UnavailableError), "No|no"),
    "409": (Fault(pattern=PATH, status=409), ConflictError, "still working"),
    "429": (Fault(pattern=PATH, status=429, retry_after_s=90), UnavailableError, "throttling"),
    "500": (Fault(pattern=PATH, status=500), UnavailableError, "HTTP 500"),
    "503": (Fault(pattern=PATH, status=503, retry_after_s=90), UnavailableError, "HTTP 503"),
    "timeout": (Fault(pattern=PATH, delay_s=15), UnavailableError, "did not answer within 4 s"),
    "garbage": (Fault(pattern=PATH, body="<html>{"), UnavailableError, "be understood"),
    "nothing": (Fault(pattern=PATH, body="null"), UnavailableError, "be understood"),
    "dropped": (Fault(pattern=PATH, drop=True), UnavailableError, "could not be reached"),
}
QUESTIONS: dict[str, Callable[[AzureWorkspace, str], object]] = {
    "list": lambda ws, _: ws.schedules.list(),
    "get": lambda ws, schedule: ws.schedules.get(schedule),
    "disable": lambda ws, schedule: ws.schedules.disable(schedule),
}


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("question", QUESTIONS)
def test_trouble_is_a_sentence_before_the_deadline(azure, hasty, schedule_id, question, trouble):
    fault, kind, sentence = TROUBLE[trouble]
    azure.misbehave(fault)
    started = time.monotonic()

    with pytest.raises(kind, match=sentence) as raised:
        QUESTIONS[question](hasty, schedule_id)

    assert time.monotonic() - started < AT_ONCE_S
    assert "Bearer" not in str(raised.value)


@pytest.mark.parametrize("key", ["PipelineSubmissionInfo", "Recurrence", "CreatedDate", "Name"])
def test_a_missing_key_costs_what_it_said_and_no_more(azure, workspace, schedule_id, key):
    azure.misbehave(Fault(pattern=PATH, remove=key))

    (found,) = [each for each in workspace.schedules.list() if each.id == schedule_id]

    if key == "Name":
        assert "Name is missing" in found.irregular
    elif key == "Recurrence":
        assert "not shown" in found.irregular
    else:
        assert (found.name, found.irregular) == ("nightly", "")


def test_a_creation_that_fails_is_not_sent_twice(azure, hasty, pipeline_id):
    azure.misbehave(Fault(pattern="POST .*Schedules/Create", status=500))
    azure.asked()

    with pytest.raises(UnavailableError):
        hasty.schedules.create("twice", DAILY, pipeline_id=pipeline_id, experiment="ages")

    assert [each for each in asked(azure) if each.startswith("POST")] == ["POST Schedules/Create"]


# --- the SDK's own classes against the double -------------------------------------


def test_the_sdk_reads_and_writes_schedules(azure, workspace, pipeline_id):
    from azureml.pipeline.core import Schedule, ScheduleRecurrence
    from azureml.pipeline.core.schedule import TimeZone

    sdk = workspace.connection.workspace
    created = Schedule.create(
        sdk,
        "from-code",
        pipeline_id,
        "ages",
        recurrence=ScheduleRecurrence(
            "Week",
            1,
            start_time="2090-01-02T03:00:00",
            time_zone=TimeZone.WEuropeStandardTime,
            week_days=["Monday", "Friday"],
            time_of_day="6:30",
        ),
        pipeline_parameters={"experiment_timeout_minutes": 7.5},
        description="by the SDK",
    )

    ours = workspace.schedules.get(created.id)
    assert (ours.name, ours.description) == ("from-code", "by the SDK")
    assert ours.recurrence == Recurrence(
        frequency=Frequency.WEEK,
        start_time=FAR,
        time_zone="Europe/Berlin",
        hours=(6,),
        minutes=(30,),
        week_days=(WeekDay.MONDAY, WeekDay.FRIDAY),
    )
    assert ours.parameters == {"experiment_timeout_minutes": "7.5"}

    created.disable()
    assert workspace.schedules.get(created.id).status is AssetStatus.DISABLED
    listed = Schedule.list(sdk, active_only=False, pipeline_id=pipeline_id)
    assert created.id in [each.id for each in listed]
    again = Schedule.get(sdk, created.id)
    assert (again.status, again.recurrence.time_zone) == (
        "Disabled",
        TimeZone.WEuropeStandardTime,
    )
    assert again.get_last_pipeline_run() is None


def test_the_sdk_reads_what_the_dashboard_wrote(workspace, schedule_id):
    from azureml.pipeline.core import Schedule

    theirs = Schedule.get(workspace.connection.workspace, schedule_id)

    assert (theirs.name, theirs.status, theirs.description) == ("nightly", "Active", "every night")
    assert theirs.recurrence.frequency == "Day"
    assert theirs.recurrence.time_zone.value == "W. Europe Standard Time"


def test_the_sdk_lists_the_runs_a_schedule_started(azure, workspace, pipeline_id):
    from azureml.pipeline.core import Schedule

    at_once = Recurrence(frequency=Frequency.MONTH)
    schedule = workspace.schedules.create(
        "at-once",
        at_once,
        pipeline_id=pipeline_id,
        experiment="ages",
        parameters={"dataset": "nobody:1"},
    )
    deadline = time.monotonic() + 60
    while not (runs := workspace.pipelines.runs(schedule_id=schedule.id)):
        assert time.monotonic() < deadline
        time.sleep(0.1)

    theirs = Schedule.get(workspace.connection.workspace, schedule.id).get_pipeline_runs()

    assert [each.id for each in theirs] == [each.id for each in runs]
    assert runs[0].run_source
    workspace.schedules.disable(schedule.id)
