"""Pipeline schedules over an Azure ML workspace: the same page, honest about what Azure keeps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import memory, session
from services.domain import AssetStatus
from services.local.clock import utc_now
from services.local.workspace import open_workspace
from tests.azure_double.answers import instant
from tests.azure_double.faults import Fault
from tests.azure_double.hand import Double, double
from tests.pages.test_pipeline_schedules import PAGE, asked, button, drawn_graph, frame, texts
from tests.recorded import pipelines as recorded

PARAMETERS = {"dataset", "label_column_name", "primary_metric"}


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    """Five days of a nightly retraining, the second one failed, recorded before Azure is up."""
    folder = tmp_path_factory.mktemp("azure")
    engine = open_workspace(folder / "workspace")
    recorded.retraining(engine.home, engine.store, days=5, failed=(1,), now=utc_now())
    with double(folder) as azure:
        yield azure


@pytest.fixture
def open_azure_page(home, azure, monkeypatch, request) -> Iterator[object]:
    """As `open_page`, with the page's workspace on Azure."""
    for name, value in azure.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DASHBOARD_BACKEND", "azure")
    azure.misbehave()
    azure.asked()
    yield request.getfixturevalue("open_page")
    azure.misbehave()
    azure.turn(**{"pipelines.extras": {}})
    assert azure.unknown() == []


def pipelines_asked(azure: Double) -> list[str]:
    return [each for each in azure.asked() if "/pipelines/v1.0/" in each]


def chosen(azure: Double) -> dict[str, str]:
    """The address of the schedule, and of the pipeline it submits."""
    (schedule,), (pipeline,) = azure.engine.schedules.list(), azure.engine.pipelines.list()
    return {"schedule": schedule.id, "pipeline": pipeline.id}


def test_a_schedule_is_asked_for_when_it_is_chosen(open_azure_page, azure):
    page = open_azure_page(PAGE)

    assert "Choose a schedule" in texts(page)
    assert not [each for each in pipelines_asked(azure) if "/PipelineRuns/" in each]


def test_how_schedules_went_is_looked_up_on_request(open_azure_page, azure):
    page = open_azure_page(PAGE)
    before = frame(page, "Recurrence")

    page = button(page, "Look up last runs").click().run()

    assert "Result" not in before.columns
    assert frame(page, "Recurrence")["Result"].iloc[0] == ["Completed"]


def test_a_schedule_shows_how_it_went_and_offers_no_delete(open_azure_page, azure):
    page = open_azure_page(PAGE, **chosen(azure))

    assert not page.exception
    assert "Completed, " in texts(page)
    assert "Delete" not in [each.label for each in page.button]
    assert "not deleted" in button(page, "Disable").help


def test_the_schedules_tab_asks_for_no_more_than_it_shows(open_azure_page, azure):
    open_azure_page(PAGE, **chosen(azure))

    seen = pipelines_asked(azure)
    assert not [each for each in seen if "/PipelineRuns/Pipeline/" in each]
    assert len([each for each in seen if "/Schedules?" in each]) == 1
    assert len([each for each in seen if "/Pipelines?" in each]) == 1


def test_disabling_and_enabling_is_one_click(open_azure_page, azure):
    (schedule,) = azure.engine.schedules.list()

    page = button(open_azure_page(PAGE, **chosen(azure)), "Disable").click().run()

    assert azure.engine.schedules.get(schedule.id).status is AssetStatus.DISABLED
    button(page, "Enable").click().run()
    assert azure.engine.schedules.get(schedule.id).status is AssetStatus.ACTIVE


def test_the_ledger_names_what_was_missed_and_since_when_that_is_known(open_azure_page, azure):
    (schedule,) = azure.engine.schedules.list()
    runs = azure.engine.pipelines.runs(schedule_id=schedule.id)
    gone, slow = runs[1], runs[2]
    never_changed = {"LastModifiedDate": instant(schedule.created_at)}
    extras = {
        schedule.id: never_changed,
        gone.id: {"ScheduleId": None},
        slow.id: {"CreatedDate": instant(slow.created_at + timedelta(minutes=40))},
    }
    azure.turn(**{"pipelines.extras": extras})

    page = open_azure_page(PAGE, **chosen(azure))

    assert not page.exception
    assert page.expander[0].label == "1 time missed, 1 time late"
    assert frame(page, "Outcome")["Outcome"].tolist() == ["missed", "late 40 min"]
    assert "Due times since it was created" in texts(page)

    changed = {"LastModifiedDate": instant(utc_now())}  # in the portal
    azure.turn(**{"pipelines.extras": {**extras, schedule.id: changed}})
    memory.clear()
    page = open_azure_page(PAGE, **chosen(azure))

    assert not [each for each in page.expander if "missed" in each.label]
    assert "nothing earlier is called missed" in texts(page)


def test_a_pause_says_why_until_when_and_who_ends_it(open_azure_page, azure):
    (schedule,) = azure.engine.schedules.list()
    page = open_azure_page(PAGE)
    page = page.button(key="schedules.pause").click().run()
    assert "“make run” must be up" in texts(page)
    page.text_input[0].set_value("a *move*").run()
    page.button(key="schedules-pause.save").click().run()

    assert not page.exception
    assert azure.engine.schedules.get(schedule.id).status is AssetStatus.DISABLED
    shown = texts(page)
    assert "**1 schedule is paused** until" in shown
    assert "a \\*move\\*" in shown
    assert "“make run” must be up" in shown
    assert "Nobody is there to resume them just now" in shown  # no watcher runs in this test

    pipelines_asked(azure)
    memory.clear()
    again = open_azure_page(PAGE)
    assert "**1 schedule is paused** until" in texts(again)
    assert len(pipelines_asked(azure)) <= 2

    button(again, "Resume now").click().run()
    assert azure.engine.schedules.get(schedule.id).status is AssetStatus.ACTIVE
    assert "paused" not in texts(again)


def test_a_pause_that_azure_would_not_end_says_so(open_azure_page, azure):
    (schedule,) = azure.engine.schedules.list()
    workspace = session.workspace()
    workspace.schedules.pause([schedule.id], reason="x", until=utc_now() + timedelta(hours=1))
    pauses = workspace._desk.pauses
    pauses.hold(pauses.open()[schedule.id].id, "Your role does not allow this.")

    page = open_azure_page(PAGE)

    assert "not resumed yet, and tried again" in texts(page)
    assert "Your role does not allow this" in texts(page)
    workspace.schedules.enable(schedule.id)


def test_a_schedule_that_changed_data_fires_says_so(open_azure_page, azure):
    (schedule,) = azure.engine.schedules.list()
    trigger = {"DataStoreName": "store", "PathOnDataStore": "in"}
    extras = {"ScheduleType": "DataStore", "Recurrence": None, "DataStoreTriggerInfo": trigger}
    azure.turn(**{"pipelines.extras": {schedule.id: extras}})

    page = open_azure_page(PAGE, **chosen(azure))

    assert frame(page, "Recurrence")["Recurrence"].iloc[0] == "When data changes in store/in"
    assert "no recurrence says when it fires" in texts(page)
    form = button(page, "Edit").click().run()
    assert not form.exception
    assert "store/in" in texts(form)


def test_without_a_start_time_the_form_says_that_it_runs_at_once(open_azure_page):
    page = open_azure_page(PAGE)
    page = button(page, "New schedule").click().run()
    page = page.toggle[0].set_value(False).run()

    assert "the moment you save" in texts(page)


def test_a_pipeline_shows_azures_own_address_and_how_to_publish(open_azure_page, azure):
    page = open_azure_page(PAGE, view="Pipelines", **chosen(azure))

    (pipeline,) = azure.engine.pipelines.list()
    codes = "\n".join(each.value for each in page.code)
    assert not page.exception
    assert "https://westeurope.api.azureml.ms/pipelines/v1.0/subscriptions/" in codes
    assert f"PipelineRuns/PipelineSubmit/{pipeline.id}" in codes
    assert ".publish(" in codes
    assert "Publish pipeline" not in [each.label for each in page.button]
    assert "Azure ML’s own address" in texts(page)
    assert "Dataset to automl_module" in drawn_graph(page)
    assert "Kind" not in frame(page, "Published").columns


def test_a_failed_run_opens_with_its_failed_steps_log(open_azure_page, azure):
    runs = azure.engine.pipelines.runs()
    failed = next(run for run in runs if run.status == "Failed")

    page = open_azure_page(PAGE, view="Runs", run=failed.id)

    assert not page.exception
    assert "ran out of memory" in texts(page)
    assert asked(page, "run") == failed.id
    assert len(frame(page, "Started by")) == len(runs)


def test_batch_inference_says_where_it_is_found_instead(open_azure_page):
    page = open_azure_page(PAGE, view="Batch inference")

    assert "ParallelRunStep" in texts(page)
    assert "Publish batch inference" not in [each.label for each in page.button]


def test_trouble_on_azure_is_a_sentence_not_a_traceback(open_azure_page, azure):
    azure.misbehave(Fault(pattern="/Schedules", status=403))

    page: AppTest = open_azure_page(PAGE)

    assert not page.exception
    assert "role does not allow" in texts(page)


def test_without_last_runs_the_schedules_are_still_listed(open_azure_page, azure):
    azure.misbehave(Fault(pattern="PipelineRuns/Schedule/.*/Last", status=500))

    page = button(open_azure_page(PAGE), "Look up last runs").click().run()

    assert not page.exception
    assert len(frame(page, "Recurrence")) == 1
    assert "HTTP 500" in texts(page)


def test_without_its_graph_a_pipeline_is_still_shown(open_azure_page, azure):
    azure.misbehave(Fault(pattern="/Graphs/", status=429))

    page = open_azure_page(PAGE, view="Pipelines", **chosen(azure))

    assert not page.exception
    assert "throttling" in texts(page)
    assert "Run history" in texts(page)
    assert set(frame(page, "Default")["Parameter"]) >= PARAMETERS
