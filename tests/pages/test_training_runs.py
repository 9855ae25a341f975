"""The Training runs page: the list, one run in every view, and starting a search."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from dashboard.components import runs_metrics
from services import leaderboard, run_tables
from services.domain import RunStatus
from services.errors import UnavailableError
from tests.recorded import datasets, runs

VIEWS = ("Leaderboard", "Metrics", "Charts", "Settings", "Logs")


def texts(page):
    return " ".join(each.value for each in (*page.markdown, *page.caption))


def metrics(page):
    return {each.label.replace("\\", ""): each.value for each in page.main.metric}


def charts(page):
    return {each.proto.id.rsplit("-runs.", 1)[-1]: json.loads(each.proto.spec)
            for each in page.get("plotly_chart")}  # fmt: skip


def button(page, label):
    return next(each for each in page.main.button if each.label == label)


@pytest.fixture
def automl(local_workspace):
    """Record a completed search; its id."""
    return lambda **options: runs.automl(local_workspace.home, local_workspace.store, **options)


# --- the list ---------------------------------------------------------------------


def test_an_empty_workspace_says_what_to_do_next(open_page):
    page = open_page("training_runs")

    assert not page.exception
    assert "Register a dataset, then start an AutoML run" in texts(page)


def test_runs_are_listed_newest_first_with_what_they_reached(open_page, local_workspace, automl):
    automl(experiment="early", started=runs.STARTED - timedelta(days=1))
    automl(experiment="late")

    (table,) = open_page("training_runs").dataframe

    assert list(table.value["Experiment"]) == ["late", "early"]
    best = [local_workspace.runs.list()[i].score for i in range(2)]
    assert list(table.value["Score"]) == best
    assert list(table.value["Status"]) == [["Completed"], ["Completed"]]
    assert list(table.value["Duration"]) == pytest.approx([0.5667, 0.5667], abs=0.2)


def test_a_link_reopens_the_same_rows_columns_and_order(open_page, local_workspace, automl):
    automl(experiment="first", started=runs.STARTED - timedelta(days=2))
    automl(experiment="second", started=runs.STARTED - timedelta(days=1))
    runs.failed(local_workspace.home, local_workspace.store, experiment="second")

    page = open_page("training_runs", status="Completed", order="Oldest first", search="bank:1")

    (table,) = page.dataframe
    assert list(table.value["Experiment"]) == ["first", "second"]
    again = open_page(
        "training_runs", experiment="second", status="Failed", columns=["Status", "Reason"]
    )
    (table,) = again.dataframe
    assert list(table.value["Reason"]) == ["The training worker disappeared."]
    assert list(json.loads(table.proto.columns)) and table.proto.column_order == [
        "Run",
        "Status",
        "Reason",
    ]


def test_filters_that_match_nothing_say_so(open_page, automl):
    automl()

    page = open_page("training_runs", search="no such run")

    assert "No run matches" in texts(page)


def test_an_outage_is_a_sentence_not_a_traceback(open_page, local_workspace, monkeypatch):
    def outage(*args, **kwargs):
        raise UnavailableError("The workspace did not answer.")

    monkeypatch.setattr(local_workspace.runs, "list", outage)

    page = open_page("training_runs")

    assert not page.exception
    assert "did not answer" in page.main.warning[-1].value


def test_names_that_are_markup_are_shown_as_text(open_page, automl):
    run_id = automl(experiment="a (b) - c")

    page = open_page("training_runs", run=run_id)

    assert not page.exception
    assert r"a \(b\)" in texts(page)


# --- one run ----------------------------------------------------------------------


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_of_every_kind_of_run_opens(open_page, local_workspace, automl, view):
    home, store = local_workspace.home, local_workspace.store
    several = {
        "completed": automl(),
        "three classes": automl(experiment="iris", classes=("a", "b", "c")),
        "regression": runs.regression(home, store),
        "running": runs.unsettled(home, store, experiment="running"),
        "queued": runs.unsettled(
            home, store, experiment="queued", children=0, status=RunStatus.QUEUED
        ),
        "failed": runs.failed(home, store, experiment="failed"),
    }

    for kind, run_id in several.items():
        page = open_page("training_runs", **{"run": run_id, "run-view": view})

        assert not page.exception, kind
        assert not [each.value for each in page.error if kind != "failed"], kind


def test_an_unknown_run_is_named(open_page):
    page = open_page("training_runs", run="AutoML_nobody")

    assert "AutoML_nobody" in page.error[0].value


def test_the_top_of_the_leaderboard_is_the_best_child(open_page, local_workspace, automl):
    run_id = automl()

    page = open_page("training_runs", run=run_id)

    run = local_workspace.runs.get(run_id)
    best = local_workspace.runs.get(run.best_child_id)
    (table,) = page.dataframe
    assert table.value["Child run"][0] == f":material/star: {best.display_name}"
    assert table.value["Score"][0] == run.score == best.score
    assert metrics(page)["Best AUC_weighted"] == f"{run.score:.4f}"
    assert table.value["Score"][:5].is_monotonic_decreasing


def test_the_naive_baseline_has_its_line_and_everything_else_its_lift(open_page, automl):
    page = open_page("training_runs", run=automl())

    (table,) = page.dataframe
    naive = table.value[table.value["Child run"] == "Naive baseline"].iloc[0]
    assert (naive["Score"], naive["Lift"]) == (0.5, 0.0)
    first = table.value.iloc[0]
    assert first["Lift"] == pytest.approx(first["Score"] - 0.5)
    assert metrics(page)["Lift over naive"] == f"{first['Lift']:+.4f}"


def test_an_always_no_model_has_no_lift_in_accuracy(open_page, local_workspace, automl):
    run_id = automl(primary_metric="accuracy")

    page = open_page("training_runs", run=run_id)

    (table,) = page.dataframe
    child = local_workspace.runs.children(run_id)[0]
    matrix = run_tables.confusion_matrix(local_workspace.runs.table(child.id, "confusion_matrix"))
    naive = table.value[table.value["Child run"] == "Naive baseline"].iloc[0]
    assert naive["Score"] == pytest.approx(max(matrix.class_counts) / matrix.total)


def test_a_failed_child_shows_its_reason(open_page, automl):
    page = open_page("training_runs", run=automl())

    assert r"The fit ran out of memory\." in texts(page)
    assert "ExtremeRandomTrees" in texts(page)


def test_a_failed_run_shows_why(open_page, local_workspace):
    run_id = runs.failed(local_workspace.home, local_workspace.store, error="The disk was full.")

    page = open_page("training_runs", run=run_id)

    assert [each.value for each in page.error] == ["The disk was full."]


def test_the_settings_are_those_the_run_was_started_with(open_page, local_workspace, automl):
    run_id = automl()

    page = open_page("training_runs", **{"run": run_id, "run-view": "Settings"})

    table = page.table[0].value
    shown = dict(zip(table["Setting"], table["Value"], strict=True))
    settings = local_workspace.runs.automl_settings(run_id)
    assert shown[":gray[Primary metric]"].replace("\\", "") == settings.primary_metric
    assert shown[":gray[Concurrent iterations]"] == str(settings.max_concurrent_iterations)
    assert shown[":gray[Experiment timeout]"] == "5 min"


def test_the_metrics_table_is_the_ports_with_blanks_for_what_is_missing(
    open_page, local_workspace, automl
):
    run_id = automl()
    worst = local_workspace.runs.children(run_id)[2]
    with local_workspace.store.transaction() as db:
        db.execute("DELETE FROM metrics WHERE run_id = ? AND name = 'log_loss'", (worst.id,))

    page = open_page("training_runs", **{"run": run_id, "run-view": "Metrics"})

    shown = page.dataframe[0].value
    column = next(name for name in shown.columns if name.endswith(worst.display_name))
    standings = leaderboard.standings(local_workspace.runs.children(run_id))
    frame = leaderboard.metric_frame(
        standings, local_workspace.runs.metrics([each.run.id for each in standings])
    )
    assert pd.isna(shown.loc["log_loss", column])
    pd.testing.assert_frame_equal(shown[frame.columns], frame)
    again = pd.read_csv(io.BytesIO(runs_metrics.csv(frame)), index_col="metric")
    pd.testing.assert_frame_equal(again, frame, check_index_type=False, check_column_type=False)


def test_at_one_half_the_matrix_is_the_logged_one(open_page, local_workspace, automl):
    run_id = automl()

    page = open_page("training_runs", **{"run": run_id, "run-view": "Charts"})

    best = local_workspace.runs.get(run_id).best_child_id
    logged = local_workspace.runs.metrics([best])[best]["accuracy"]
    assert f"{runs.ROW_COUNT} validated rows, threshold 0.500" in texts(page).replace("\\", "")
    assert metrics(page)["Accuracy"] == f"{logged:.4f}"
    cells = next(trace for trace in charts(page)["matrix"]["data"] if trace["type"] == "scatter")
    counts = [int(text.split("</b>")[0].removeprefix("<b>")) for text in cells["text"]]
    assert sum(counts) == runs.ROW_COUNT


def test_the_slider_moves_the_matrix(open_page, automl):
    page = open_page("training_runs", **{"run": automl(), "run-view": "Charts"})
    before, drawn = metrics(page), charts(page)

    page.main.slider(key="threshold").set_value(0.1).run()

    after = metrics(page)
    assert float(after["Recall"]) > float(before["Recall"])
    assert float(after["False positive rate"]) > float(before["False positive rate"])
    assert "threshold 0.101" in texts(page).replace("\\", "")
    assert charts(page)["matrix"] != drawn["matrix"]
    point = charts(page)["roc"]["data"][-1]
    assert [f"{point[axis][0]:.4f}" for axis in "xy"] == [
        after["False positive rate"],
        after["Recall"],
    ]


def test_a_link_reopens_the_child_class_and_threshold(open_page, automl):
    run_id = automl()

    page = open_page(
        "training_runs",
        **{"run": run_id, "run-view": "Charts", "child": f"{run_id}_2", "class": "no",
           "threshold": "0.25"},
    )  # fmt: skip

    assert page.main.selectbox(key="runs.child").value == f"{run_id}_2"
    assert page.main.selectbox(key="class").value == "no"
    assert page.main.slider(key="threshold").value == 0.25


def test_every_chart_of_a_classification_is_drawn(open_page, automl):
    run_id = automl()

    threshold = open_page("training_runs", **{"run": run_id, "run-view": "Charts"})
    gain = open_page(
        "training_runs", **{"run": run_id, "run-view": "Charts", "charts": "Gain and lift"}
    )

    assert set(charts(threshold)) == {"matrix", "roc", "pr", "calibration"}
    assert set(charts(gain)) == {"gain", "lift"}


def test_the_log_says_how_much_of_it_this_is_and_can_be_searched(open_page, local_workspace):
    log = "".join(f"line {number} of the log\n" for number in range(1500))
    run_id = runs.failed(local_workspace.home, local_workspace.store, log=log)

    page = open_page("training_runs", **{"run": run_id, "run-view": "Logs"})
    assert "The last 1,000 lines only; the log is longer" in texts(page)

    page.main.selectbox(key="runs.log-limit").set_value(5000).run()
    assert "The whole log, 1,500 lines" in texts(page)

    page.main.text_input(key="runs.log-search").set_value("LINE 7 of").run()
    assert page.code[-1].value == "line 7 of the log"
    assert "1 line found in the whole log" in texts(page)


def test_guardrails_are_shown_alerts_first(open_page, local_workspace, automl):
    run_id = automl()
    (local_workspace.home / "runs" / run_id / "outputs" / "verifier_results.json").write_text(
        json.dumps(
            {
                "faults": [
                    {"type": "m", "result": "passed", "friendly_type": "Missing values"},
                    {"type": "b", "result": "alerted", "friendly_type": "Class balancing"},
                ]
            }
        )
    )

    shown = texts(open_page("training_runs", **{"run": run_id, "run-view": "Settings"}))

    assert shown.index("Class balancing") < shown.index("Missing values")


# --- doing something --------------------------------------------------------------


def test_a_running_run_shows_how_far_it_is(open_page, local_workspace):
    started = datetime.now(UTC) - timedelta(minutes=5)
    run_id = runs.unsettled(local_workspace.home, local_workspace.store, started=started)

    page = open_page("training_runs", run=run_id)

    told = page.get("progress")[0].proto.text
    share = int(re.search(r"(\d+) % of the timeout used", told).group(1))
    assert 33 <= share <= 60, told  # drawing it takes a while too
    assert page.dataframe[0].value["Status"].iloc[-1] == ["Running"]


def test_a_run_is_canceled_only_after_asking(open_page, local_workspace):
    run_id = runs.unsettled(local_workspace.home, local_workspace.store)
    page = open_page("training_runs", run=run_id)

    button(page, "Cancel run").click().run()
    assert local_workspace.runs.get(run_id).status is RunStatus.RUNNING

    next(each for each in page.button if each.key == "runs.cancel.yes").click().run()
    assert local_workspace.runs.get(run_id).status is RunStatus.CANCEL_REQUESTED


def test_a_search_starts_with_what_the_form_says(open_page, local_workspace):
    datasets.people(local_workspace, "bank", row_count=80)
    page = open_page("training_runs")

    button(page, "New AutoML run").click().run()
    page.number_input(key="automl.timeout").set_value(2.5).run()
    page.toggle(key="automl.stack").set_value(False).run()
    page.button(key="automl.start").click().run()

    assert not page.exception
    (run,) = local_workspace.runs.list()
    settings = local_workspace.runs.automl_settings(run.id)
    assert run.status is RunStatus.QUEUED
    assert settings.dataset_id == "bank:1"
    assert settings.experiment_timeout_minutes == 2.5
    assert (settings.enable_stack_ensemble, settings.enable_voting_ensemble) == (False, True)
    assert page.query_params["run"] in (run.id, [run.id])


def test_a_refused_setting_is_explained_in_the_form(open_page, local_workspace):
    datasets.people(local_workspace, "bank", row_count=10)
    page = open_page("training_runs")

    button(page, "New AutoML run").click().run()
    page.button(key="automl.start").click().run()

    assert "at least 50 rows" in page.error[0].value
    assert local_workspace.runs.list() == ()


def test_running_again_starts_from_the_same_settings(open_page, local_workspace, automl):
    datasets.people(local_workspace, "bank", row_count=80)
    columns = [column.name for column in local_workspace.datasets.profile("bank", 1).columns]
    run_id = automl(label=columns[-1])
    page = open_page("training_runs", run=run_id)

    button(page, "Run again").click().run()
    page.button(key="automl.start").click().run()

    assert not page.error
    again = local_workspace.runs.list()[0]
    assert again.id != run_id
    assert local_workspace.runs.automl_settings(again.id) == (
        local_workspace.runs.automl_settings(run_id)
    )


def test_the_best_model_is_registered_from_the_run(open_page, local_workspace, automl):
    run_id = automl()
    page = open_page("training_runs", run=run_id)

    button(page, "Register best model").click().run()
    page.text_input(key="register.name").set_value("bank").run()
    page.text_input(key="register.tags").set_value("stage=new").run()
    page.button(key="register.go").click().run()

    (model,) = local_workspace.models.list()
    assert (model.id, dict(model.tags)) == ("bank:1", {"stage": "new"})
    assert model.run_id == local_workspace.runs.get(run_id).best_child_id


def test_the_leak_of_the_bank_data_is_said_before_training(open_page, local_workspace):
    rows = "duration,campaign,pdays,poutcome,y\n" + "120,1,999,failure,no\n80,2,3,success,yes\n"
    datasets.register(local_workspace, "bank", rows)
    page = open_page("training_runs")

    button(page, "New AutoML run").click().run()

    assert any("duration" in each.value for each in page.warning)
