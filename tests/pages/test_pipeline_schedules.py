"""Pipeline schedules as the operator sees them."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from services.domain import AssetStatus, Frequency, Recurrence, RunStatus, WeekDay
from services.errors import UnavailableError
from services.local.clock import utc_now
from tests.recorded import pipelines as recorded
from tests.recorded import runs as recorded_runs

PAGE = "pipeline_schedules"


def frame(page: AppTest, column: str):
    """The table on the page that has this column."""
    return next(each.value for each in page.dataframe if column in each.value.columns)


def button(page: AppTest, label: str):
    return next(each for each in page.button if each.label == label)


def asked(page: AppTest, name: str) -> str:
    """What the address asks for under a name."""
    value = page.query_params[name]
    return value if isinstance(value, str) else value[0]


def drawn_graph(page: AppTest) -> str:
    """What the picture of the steps says to a screen reader."""
    return page.image[0].proto.imgs[0].alt


def texts(page: AppTest) -> str:
    """Everything the page says in prose."""
    kinds = ("markdown", "caption", "info", "warning", "error", "subheader", "success")
    return "\n".join(str(each.value) for kind in kinds for each in getattr(page, kind))


@pytest.fixture
def history(local_workspace):
    """Five days of a nightly retraining, the second one failed."""
    return recorded.retraining(
        local_workspace.home, local_workspace.store, days=5, failed=(1,), now=utc_now()
    )


# --- empty and unwell -------------------------------------------------------------


def test_an_empty_workspace_says_what_to_do_next(open_page):
    assert "Publish a pipeline first" in texts(open_page(PAGE))
    assert "Publish pipeline" in texts(open_page(PAGE, view="Pipelines"))
    assert "No pipeline has run yet" in texts(open_page(PAGE, view="Runs"))
    assert "Publish one with a registered model" in texts(open_page(PAGE, view="Batch inference"))


def test_without_a_supervisor_it_says_what_does_not_happen(open_page):
    assert "schedules do not fire" in texts(open_page(PAGE))


def test_an_outage_is_a_sentence_not_a_traceback(open_page, local_workspace, monkeypatch):
    def outage() -> None:
        raise UnavailableError("Azure ML did not answer.")

    monkeypatch.setattr(local_workspace.pipelines, "list", outage)

    page = open_page(PAGE)

    assert not page.exception
    assert "Azure ML did not answer." in texts(page)


def test_an_unknown_id_in_a_link_is_a_sentence(open_page, history):
    page = open_page(PAGE, view="Runs", run="nobody")

    assert not page.exception
    assert "No pipeline run named “nobody”" in texts(page)


# --- schedules --------------------------------------------------------------------


def test_schedules_are_listed_in_words_disabled_ones_too(open_page, local_workspace, history):
    local_workspace.schedules.disable(history.schedule_id)

    page = open_page(PAGE)

    (row,) = frame(page, "Recurrence").to_dict("records")
    assert row["Schedule"] == "Nightly retraining"
    assert row["Status"] == ["Disabled"]
    assert row["Recurrence"] == "Every day at 06:30 (Europe/Berlin)"
    assert row["Submits"] == "Bank Marketing retraining v1"
    assert row["Result"] == ["Completed"]


def test_every_24_hours_reads_as_every_24_hours(open_page, local_workspace, history):
    local_workspace.schedules.update(
        history.schedule_id,
        recurrence=Recurrence(
            frequency=Frequency.HOUR, interval=24, start_time=datetime(2090, 1, 1)
        ),
    )

    assert frame(open_page(PAGE), "Recurrence")["Recurrence"][0] == "Every 24 hours"


def test_the_next_ten_runs_are_in_the_viewers_time_and_in_utc(
    open_page, local_workspace, history, monkeypatch
):
    from dashboard import shell

    monkeypatch.setattr(shell, "zone", lambda: ZoneInfo("America/New_York"))
    local_workspace.schedules.update(
        history.schedule_id,
        recurrence=Recurrence(
            frequency=Frequency.DAY,
            start_time=datetime(2090, 3, 24, 6, 30),  # clocks change in Berlin on the 26th
            time_zone="Europe/Berlin",
        ),
    )

    times = frame(open_page(PAGE), "UTC")

    assert len(times) == 10
    assert times["UTC"][1:3].tolist() == ["Sat 25 Mar 2090, 05:30", "Sun 26 Mar 2090, 04:30"]
    assert times["Your time"][1:3].tolist() == ["Sat 25 Mar 2090, 01:30", "Sun 26 Mar 2090, 00:30"]
    assert times["Clock"][1:3].tolist() == ["06:30 UTC+01:00", "06:30 UTC+02:00, clocks changed"]


def test_disabling_and_enabling_is_one_click(open_page, local_workspace, history):
    page = open_page(PAGE)

    button(page, "Disable").click().run()

    assert local_workspace.schedules.get(history.schedule_id).status is AssetStatus.DISABLED
    assert frame(page, "Recurrence")["Status"][0] == ["Disabled"]
    button(page, "Enable").click().run()
    assert local_workspace.schedules.get(history.schedule_id).status is AssetStatus.ACTIVE


def test_deleting_asks_first_and_keeps_the_runs(open_page, local_workspace, history):
    page = open_page(PAGE)

    button(page, "Delete").click().run()
    assert local_workspace.schedules.list()
    page.button(key="schedule.delete.yes").click().run()

    assert local_workspace.schedules.list() == ()
    assert len(local_workspace.pipelines.runs()) == 5


def test_missed_and_late_firings_are_counted(open_page, local_workspace):
    recorded.retraining(
        local_workspace.home,
        local_workspace.store,
        days=5,
        failed=(),
        missed=(1,),
        late=(3,),
        now=utc_now(),
    )

    page = open_page(PAGE)

    assert page.expander[0].label == "1 time missed, 1 time late"
    assert frame(page, "Outcome")["Outcome"].tolist() == ["late 40 min", "missed"]


def test_a_schedule_whose_name_is_markup_is_shown_as_it_stands(open_page, local_workspace, history):
    local_workspace.schedules.update(history.schedule_id, name="a (b) _c_")

    page = open_page(PAGE, schedule=history.schedule_id)

    assert page.subheader[0].value == "a \\(b\\) \\_c\\_"


# --- the form ---------------------------------------------------------------------


def new_schedule(open_page) -> AppTest:
    page = open_page(PAGE)
    button(page, "New schedule").click().run()
    assert not page.exception
    return page


def field(page: AppTest, kind: str, ending: str):
    return next(each for each in getattr(page, kind) if str(each.key).endswith(ending))


def test_a_safe_start_time_is_filled_in_and_saving_it_starts_nothing(
    open_page, local_workspace, history
):
    page = new_schedule(open_page)
    assert "Saving starts nothing now" in texts(page)

    button(page, "Save schedule").click().run()

    made = local_workspace.schedules.list()[0]
    assert made.id != history.schedule_id
    assert made.next_fire_at > datetime.now(UTC)
    assert "is saved" in page.toast[0].value


def test_without_a_start_time_the_form_says_that_it_runs_at_once(
    open_page, local_workspace, history
):
    page = new_schedule(open_page)

    field(page, "toggle", ".starts").set_value(False).run()

    assert "the first run starts at once" in texts(page)
    button(page, "Save schedule").click().run()
    assert local_workspace.schedules.list()[0].next_fire_at <= datetime.now(UTC)


def test_the_start_time_comes_back_when_it_is_wanted_again(open_page, history):
    page = new_schedule(open_page)
    field(page, "toggle", ".starts").set_value(False).run()

    field(page, "toggle", ".starts").set_value(True).run()

    assert not page.exception
    assert "Saving starts nothing now" in texts(page)


def test_a_start_time_on_a_slot_is_warned_of(open_page, history):
    page = new_schedule(open_page)
    field(page, "multiselect", ".hours").set_value([8]).run()
    field(page, "multiselect", ".minutes").set_value([0]).run()

    start = next(each for each in page.get("datetime_input") if each.key.endswith(".start"))
    start.set_value(datetime(2090, 5, 1, 8, 0)).run()

    assert "Azure ML leaves that one out" in texts(page)
    assert "02 May 2090" in texts(page)


def test_ten_fire_times_are_shown_before_anything_is_saved(open_page, local_workspace, history):
    page = new_schedule(open_page)

    field(page, "selectbox", ".unit").set_value(Frequency.WEEK).run()
    field(page, "button_group", ".days").set_value([WeekDay.MONDAY, WeekDay.FRIDAY]).run()

    tables = [each.value for each in page.dataframe if "UTC" in each.value.columns]
    assert [len(table) for table in tables] == [10, 10]
    drafted = next(t for t in tables if set(t["UTC"].str[:3]) <= {"Mon", "Fri", "Sun", "Thu"})
    assert len(drafted) == 10
    assert len(local_workspace.schedules.list()) == 1


def test_a_rule_of_azure_is_refused_before_saving(open_page, history, monkeypatch):
    from dashboard.components import schedule_recurrence

    def wrong(*args: object, **kwargs: object) -> Recurrence:
        return Recurrence(frequency=Frequency.MONTH, hours=(8,), interval=0)

    monkeypatch.setattr(schedule_recurrence, "show", wrong)
    page = new_schedule(open_page)

    assert "Hours can be chosen for Day and Week only" in texts(page)
    assert "The interval is a whole number" in texts(page)
    assert button(page, "Save schedule").disabled


def test_hours_are_offered_only_where_azure_takes_them(open_page, history):
    page = new_schedule(open_page)
    assert any(str(each.key).endswith(".hours") for each in page.multiselect)

    field(page, "selectbox", ".unit").set_value(Frequency.MONTH).run()

    assert not any(str(each.key).endswith(".hours") for each in page.multiselect)


def test_editing_what_does_not_change_the_recurrence_starts_nothing(
    open_page, local_workspace, history
):
    due = local_workspace.schedules.get(history.schedule_id).next_fire_at
    page = open_page(PAGE)
    button(page, "Edit").click().run()
    assert "The recurrence is unchanged" in texts(page)

    field(page, "text_input", ".name").set_value("Every night").run()
    button(page, "Save schedule").click().run()

    changed = local_workspace.schedules.get(history.schedule_id)
    assert (changed.name, changed.next_fire_at) == ("Every night", due)


def test_a_changed_parameter_is_all_that_is_saved(open_page, local_workspace, history):
    page = open_page(PAGE)
    button(page, "Edit").click().run()

    field(page, "text_input", ".experiment_timeout_minutes").set_value("3").run()
    button(page, "Save schedule").click().run()

    saved = local_workspace.schedules.get(history.schedule_id)
    assert saved.parameters == {"experiment_timeout_minutes": "3"}


def test_a_value_the_pipeline_cannot_use_is_refused_in_the_form(open_page, history):
    page = open_page(PAGE)
    button(page, "Edit").click().run()

    field(page, "text_input", ".experiment_timeout_minutes").set_value("soon").run()
    button(page, "Save schedule").click().run()

    assert "“soon” is no number of minutes" in texts(page)


def test_run_now_with_parameters_gives_a_run(open_page, local_workspace, history):
    page = open_page(PAGE)
    button(page, "Run now").click().run()

    field(page, "text_input", ".model_name").set_value("other").run()
    page.button(key="submit.go").click().run()

    run = local_workspace.pipelines.runs()[0]
    assert run.parameters["model_name"] == "other"
    assert run.run_source == "Dashboard"
    assert run.id in page.toast[0].value
    assert asked(page, "run") == run.id
    assert asked(page, "view") == "Runs"


# --- runs -------------------------------------------------------------------------


def chart(page: AppTest) -> dict:
    return json.loads(page.get("plotly_chart")[0].proto.spec)


def steps_chart(page: AppTest) -> dict:
    """The grid of runs and steps, beside the calendar of days."""
    drawn = [json.loads(each.proto.spec) for each in page.get("plotly_chart")]
    (found,) = [
        figure
        for figure in drawn
        if any("automl_module" in trace.get("y", ()) for trace in figure["data"])
    ]
    return found


def test_thirty_days_of_runs_are_thirty_columns(open_page, local_workspace):
    recorded.retraining(
        local_workspace.home, local_workspace.store, days=30, failed=(9, 21), now=utc_now()
    )

    figure = steps_chart(open_page(PAGE))

    marks = [trace for trace in figure["data"] if trace["type"] == "scatter"]
    assert len({run for trace in marks for run in trace["x"]}) == 30
    assert sum(len(trace["x"]) for trace in marks) == 90
    (failed,) = [trace for trace in marks if trace["name"] == "Failed"]
    assert failed["y"] == ["automl_module"] * 2


def test_a_failed_run_opens_with_its_failed_steps_log(open_page, history):
    page = open_page(PAGE, run=history.run_ids[1])

    assert "ran out of memory" in page.error[0].value
    (log,) = [each.value for each in page.code if "INFO" in each.value]
    assert "ERROR The AutoML run" in log
    assert frame(page, "Step")["Status"].tolist() == [["Completed"], ["Failed"], ["NotStarted"]]


def test_a_run_links_to_the_metrics_of_its_training_and_to_its_model(
    open_page, local_workspace, history
):
    run = local_workspace.pipelines.run(history.run_ids[-1])

    page = open_page(PAGE, view="Runs", run=run.id)

    links = {each.proto.label: each.proto.query_string for each in page.get("page_link")}
    assert run.training_run_id in links["Training metrics"]
    assert "bank-marketing" in links[run.model_id]


def test_the_graph_shows_every_step_with_its_state(open_page, history):
    page = open_page(PAGE, view="Runs", run=history.run_ids[1])

    drawn = drawn_graph(page)
    assert "Dataset to automl_module, automl_module to Register model" in drawn
    assert "Dataset Completed, automl_module Failed, Register model NotStarted" in drawn


def test_runs_are_filtered_by_status(open_page, history):
    page = open_page(PAGE, view="Runs", status="Failed")

    assert frame(page, "Started by")["Status"].tolist() == [["Failed"]]
    assert "1 run of 5" in texts(page)


def test_a_run_under_way_can_be_canceled(open_page, local_workspace, history):
    run = local_workspace.pipelines.submit(history.pipeline_id, "people")
    page = open_page(PAGE, view="Runs", run=run.id)

    button(page, "Cancel run").click().run()
    page.button(key="pipeline-run.cancel.yes").click().run()

    assert local_workspace.pipelines.run(run.id).status is RunStatus.CANCELED


def test_a_worker_that_is_gone_is_said_to_be_gone(open_page, local_workspace, history):
    from services.local.pipeline_journal import PipelineJournal

    run = local_workspace.pipelines.submit(history.pipeline_id, "people")
    PipelineJournal(local_workspace.home, local_workspace.store).enter(run.id)

    page = open_page(PAGE, view="Runs", run=run.id)

    assert "does not answer" in texts(page)


# --- pipelines and endpoints ------------------------------------------------------


def test_a_pipeline_shows_its_address_and_hides_the_token(open_page, local_workspace, history):
    token = local_workspace.pipelines.rest_token()
    page = open_page(PAGE, view="Pipelines", pipeline=history.pipeline_id)

    codes = [each.value for each in page.code]
    assert any(f"/PipelineRuns/PipelineSubmit/{history.pipeline_id}" in each for each in codes)
    assert not any(token in each for each in codes)
    page.toggle(key="pipeline.token.show").set_value(True).run()
    assert token in [each.value for each in page.code]


def test_disabling_a_pipeline_names_the_schedules_it_leaves_undone(
    open_page, local_workspace, history
):
    page = open_page(PAGE, view="Pipelines")

    button(page, "Disable").click().run()

    assert local_workspace.pipelines.get(history.pipeline_id).status is AssetStatus.DISABLED
    assert frame(page, "Pipeline")["Status"][0] == ["Disabled"]
    assert "in vain: Nightly retraining" in texts(page)
    assert button(page, "Run now").disabled


def test_the_graph_of_a_pipeline_has_its_steps(open_page, local_workspace, history):
    page = open_page(PAGE, view="Pipelines")

    for node in local_workspace.pipelines.graph(history.pipeline_id).nodes:
        assert node.name in drawn_graph(page)


def test_an_endpoint_is_created_and_its_default_version_changed(
    open_page, local_workspace, history
):
    page = open_page(PAGE, view="Pipelines")
    button(page, "Endpoint").click().run()
    page.text_input(key="endpoint-form.name").set_value("stable").run()
    page.button(key="endpoint-form.save").click().run()
    (endpoint,) = local_workspace.pipelines.endpoints()
    assert asked(page, "endpoint") == endpoint.id
    second = recorded.published(local_workspace.home, local_workspace.store, at=utc_now())
    local_workspace.pipelines.add_endpoint_version(endpoint.id, second, make_default=False)

    page = open_page(PAGE, view="Pipelines", endpoint=endpoint.id)
    page.radio[0].set_value("1").run()
    button(page, "Make it the default").click().run()

    assert local_workspace.pipelines.endpoints()[0].default_version == "1"


def test_publishing_asks_for_a_dataset_first(open_page):
    page = open_page(PAGE)

    button(page, "Publish pipeline").click().run()

    assert "Retraining needs a registered dataset" in texts(page)


# --- batch inference --------------------------------------------------------------


def batch(workspace, **options: object) -> str:
    given = {"at": utc_now() - timedelta(minutes=6), **options}
    return recorded.batch(workspace.home, workspace.store, **given)


def tiles(page: AppTest) -> dict[str, str]:
    return {each.label: each.value for each in page.metric}


def test_progress_counts_scored_failed_and_left(open_page, local_workspace):
    batch(local_workspace, total=5000, done=1800, failed=12, running=True)

    page = open_page(PAGE, view="Batch inference")

    assert tiles(page) == {
        "Scored": "1,800",
        "Failed rows": "12",
        "Left": "3,188",
        "Rows in all": "5,000",
    }
    assert page.get("progress")[0].proto.value == 36
    assert "Nothing has been processed" not in texts(page)


def test_a_batch_that_stands_still_is_warned_of(open_page, local_workspace):
    batch(
        local_workspace,
        total=5000,
        done=1800,
        running=True,
        at=utc_now() - timedelta(minutes=25),
    )

    page = open_page(PAGE, view="Batch inference")

    # However long the page took to open.
    assert re.search(r"Nothing has been processed for (19|2\d) min", texts(page))


def test_results_are_previewed_and_failed_rows_named(open_page, local_workspace):
    run_id = batch(local_workspace, total=1000, failed=3)

    page = open_page(PAGE, view="Batch inference", run=run_id)
    assert "The first 200 of 1,000 rows" in texts(page)
    page.toggle(key="batch.failed-rows").set_value(True).run()

    rows = frame(page, "prediction")
    assert rows["error"].tolist() == ["“age” is empty; every row must have it."] * 3
    assert {each.label for each in page.get("download_button")} >= {"CSV", "Parquet"}


def test_a_dataset_is_scored_from_the_form(open_page, local_workspace):
    from services.domain import DataSource, SourceKind
    from services.ports import BatchInferencePlan

    source = DataSource(kind=SourceKind.UPLOAD, location="p.csv", content=b"age,job\n30,admin.\n")
    local_workspace.datasets.register("people", source)
    training = recorded_runs.automl(local_workspace.home, local_workspace.store)
    local_workspace.models.register(training, "answers")
    plan = BatchInferencePlan(model_id="answers:latest", dataset_id="people:latest")
    local_workspace.pipelines.publish_batch_inference("Score people", plan)
    page = open_page(PAGE, view="Batch inference")

    field(page, "selectbox", "dataset-" + local_workspace.pipelines.list()[0].id).set_value(
        "people:1"
    ).run()
    button(page, "Submit").click().run()

    (run,) = local_workspace.pipelines.runs()
    assert run.parameters["dataset"] == "people:1"
    assert run.parameters["model"] == "answers:latest"
    assert asked(page, "run") == run.id
