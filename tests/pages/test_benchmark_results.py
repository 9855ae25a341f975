"""Benchmark results: what was measured, what it is worth, and what went wrong."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta

import pytest

from dashboard import formats
from services.domain import LoadTestState
from services.errors import UnavailableError
from services.local.load_tests import LocalLoadTests
from services.percentile_bounds import bounds
from tests.recorded import load_tests
from tests.shared_data import shared_data
from tests.stub_deployment import deploy


@pytest.fixture
def store(local_workspace):
    return local_workspace.store


def metrics(page) -> dict[str, str]:
    return {each.label: each.value for each in page.metric}


def below(page, label: str) -> str:
    return next(each.delta for each in page.metric if each.label == label)


def texts(page) -> str:
    shown = [*page.caption, *page.markdown, *page.warning, *page.error, *page.info]
    return "\n".join(each.value for each in shown)


def test_an_empty_workspace_says_what_to_do_next(open_page):
    page = open_page("benchmark_results")

    assert not page.exception
    assert "Nothing is deployed yet" in texts(page)
    assert "No load test yet" in texts(page)


@pytest.mark.skipif(shutil.which("ab") is None, reason="apache2-utils is not installed")
def test_a_refusal_because_of_another_tab_stands_beside_the_test_of_that_tab(
    open_page, home, local_workspace, monkeypatch
):
    deploy(home, local_workspace.store, 1)
    page = open_page("benchmark_results")
    assert "No load test yet" in texts(page)
    begin = LocalLoadTests.begin

    def meanwhile(port, plan, **more):
        begin(port, plan, **more)  # another tab is a moment earlier
        return begin(port, plan, **more)

    monkeypatch.setattr(LocalLoadTests, "begin", meanwhile)
    page.button(key="benchmark.run").click().run()

    assert not page.exception
    assert "has not ended; wait for it or stop it" in texts(page)
    assert "No load test yet" not in texts(page)
    assert page.button(key="benchmark.stop")
    assert len(page.dataframe) == 1


def test_a_result_shows_speed_percentiles_and_the_margin(open_page, store):
    load_tests.finished(store, requests=400, median_ms=12.0)

    page = open_page("benchmark_results")
    shown = metrics(page)

    assert not page.exception
    assert set(shown) >= {"Requests per second", "p50", "p95", "p99", "Slowest", "Failed"}
    assert shown["Failed"] == "0"
    report = page_report(store)
    assert shown["Margin to 60 s"] == f"{60 - report['max_ms'] / 1000:.2f} s"
    assert "No request failed" in texts(page)
    assert len(page.get("plotly_chart")) == 2


def page_report(store) -> dict:
    with store.reading() as db:
        return json.loads(db.execute("SELECT report FROM load_tests").fetchone()["report"])


def test_four_hundred_requests_show_between_what_the_p95_lies(open_page, store):
    load_tests.finished(store, requests=400, median_ms=12.0)
    known = {int(rank): value for rank, value in page_report(store)["percentiles_ms"].items()}
    low, high = bounds(known, 400, 95)

    below_it = below(open_page("benchmark_results"), "p95")

    assert low <= known[95] <= high
    assert below_it.endswith(f"–{formats.milliseconds(high)}")
    assert below_it.startswith(formats.milliseconds(low).removesuffix(" ms"))


def test_ten_requests_do_not_support_a_p95(open_page, local_workspace):
    text = shared_data("apache_benchmark_output.txt").read_text()
    local_workspace.load_tests.import_report("ACI", text)

    page = open_page("benchmark_results")

    assert "p95 not supported by 10 samples" in texts(page)
    assert "p99 not supported by 10 samples" in texts(page)
    assert below(page, "p95") == "needs 59 samples"


def test_the_shared_report_is_imported_faithfully_and_without_its_secrets(
    open_page, local_workspace
):
    text = shared_data("apache_benchmark_output.txt").read_text()
    kept = local_workspace.load_tests.import_report("ACI", text)

    page = open_page("benchmark_results", load_test=kept.id)
    shown = metrics(page)

    assert shown["Requests per second"] == "0.34"
    assert shown["Mean"] == "2.92 s"
    assert shown["p50"] == "3.00 s"
    assert shown["Slowest"] == "3.30 s"
    assert shown["Margin to 60 s"] == "56.70 s"
    assert shown["Failed"] == "0"
    raw = "\n".join(each.value for each in page.code)
    assert "2919.946" in raw
    assert "Bearer" not in raw


def test_failures_are_shown_by_cause_and_side(open_page, store):
    load_tests.finished(
        store,
        requests=1000,
        result_codes={"200": 970, "503": 30},
        semantic=25,
        failures={"Connect": 2, "Receive": 4, "Length": 0, "Exceptions": 0},
    )

    page = open_page("benchmark_results")
    table = next(each.value for each in page.dataframe if "Cause" in each.value.columns).set_index(
        "Cause"
    )

    assert dict(table["Requests"]) == {
        "Connect": 2,
        "Receive": 4,
        "Status 503": 30,
        "Error inside a 200": 25,
    }
    assert list(table["Noticed in"]) == ["connection", "connection", "status", "answer"]
    assert metrics(page)["Failed"] == "61"


def test_a_test_that_failed_says_why(open_page, store):
    load_tests.failed(store, error="The test did not begin. The key was not accepted.")

    page = open_page("benchmark_results")

    assert "key was not accepted" in page.error[0].value
    assert not page.metric


def test_a_running_test_shows_how_far_it_is_and_can_be_stopped(open_page, store, local_workspace):
    test_id = load_tests.running(store, requests=400, done_count=120)

    page = open_page("benchmark_results")

    assert "120 of 400 requests" in page.get("progress")[0].proto.text
    page.button(key="benchmark.stop").click().run()
    assert not page.exception
    with store.reading() as db:
        row = db.execute("SELECT stop_asked_at FROM load_tests WHERE id = ?", (test_id,)).fetchone()
    assert row["stop_asked_at"]


def test_a_queued_test_says_what_it_waits_for(open_page, store):
    load_tests.queued(store)

    page = open_page("benchmark_results")

    assert "Waiting for the supervisor" in page.get("progress")[0].proto.text


def test_a_link_reopens_the_test_it_was_copied_from(open_page, store):
    older = load_tests.finished(store, deployment="older")
    load_tests.finished(store, deployment="newer", at=load_tests.STARTED + timedelta(hours=1))

    assert "**newer" in texts(open_page("benchmark_results"))
    assert "**older" in texts(open_page("benchmark_results", load_test=older))


def test_an_unknown_link_is_a_sentence_and_the_history_stays(open_page, store):
    load_tests.finished(store)

    page = open_page("benchmark_results", load_test="gone")

    assert not page.exception
    assert "No load test named “gone”" in page.error[0].value
    assert any("Payload" in each.value.columns for each in page.dataframe)


def test_the_history_tells_payloads_and_models_apart(open_page, store):
    load_tests.finished(store, payload='{"data": [1]}', model_id="bank:1")
    load_tests.finished(
        store,
        payload='{"data": [2]}',
        model_id="bank:2",
        at=load_tests.STARTED + timedelta(hours=1),
        requests=20,
    )

    page = open_page("benchmark_results")
    history = next(each.value for each in page.dataframe if "Payload" in each.value.columns)

    assert list(history["Model"]) == ["bank:2", "bank:1"]
    assert history["Payload"].nunique() == 2
    assert history["p95"].isna().tolist() == [True, False]  # twenty requests say nothing of p95


def test_the_conditions_of_a_test_are_kept(open_page, store):
    load_tests.finished(store)

    page = open_page("benchmark_results")
    shown = {
        name: cells[0].replace("\\", "")
        for table in page.table
        for name, cells in zip(table.value.index, table.value.values.tolist(), strict=True)
    }

    assert shown["Core"] == "native LightGBM"
    assert shown["Model"] == "bank:1"
    assert shown["At a time"] == "4"


@pytest.mark.skipif(shutil.which("ab") is None, reason="apache2-utils is not installed")
def test_one_click_asks_for_a_load_test_of_a_typical_row(open_page, home, local_workspace):
    deploy(home, local_workspace.store, 1)

    page = open_page("benchmark_results", deployment="bank")
    page.number_input(key="benchmark.requests").set_value(60)
    page.button(key="benchmark.run").click().run()

    assert not page.exception
    (test,) = local_workspace.load_tests.list()
    assert test.plan.requests == 60
    assert json.loads(test.plan.payload)["data"] == [
        {"age": 38, "job": "admin.", "pdays": 999, "euribor3m": 4.857}
    ]
    assert page.query_params["load_test"] == test.id


@pytest.mark.skipif(shutil.which("ab") is None, reason="apache2-utils is not installed")
def test_a_second_test_of_a_busy_deployment_is_refused_with_the_reason(
    open_page, home, local_workspace
):
    deploy(home, local_workspace.store, 1)
    load_tests.running(local_workspace.store)

    page = open_page("benchmark_results")
    page.button(key="benchmark.run").click().run()

    assert "has not ended" in page.error[0].value
    assert len(local_workspace.load_tests.list()) == 1


def test_a_missing_ab_names_its_package(open_page, home, local_workspace, monkeypatch):
    deploy(home, local_workspace.store, 1)
    monkeypatch.setenv("PATH", "")

    page = open_page("benchmark_results")
    page.button(key="benchmark.run").click().run()

    assert "apache2-utils" in page.error[0].value


def test_the_page_says_which_credential_ab_is_given(open_page, home, local_workspace):
    deploy(home, local_workspace.store, 1)

    assert "never the deployment's" in texts(open_page("benchmark_results"))


def test_a_stopped_test_keeps_its_figures(open_page, store):
    load_tests.finished(store, state=LoadTestState.STOPPED)

    page = open_page("benchmark_results")

    assert metrics(page)["p50"]
    assert "Stopped" in texts(page)


def test_deleting_asks_first_and_then_forgets(open_page, store, local_workspace):
    load_tests.finished(store)

    page = open_page("benchmark_results")
    page.button(key="benchmark.delete").click().run()
    assert local_workspace.load_tests.list()
    page.button(key="benchmark.delete.yes").click().run()

    assert not page.exception
    assert local_workspace.load_tests.list() == ()


def test_an_import_through_the_dialog_is_shown(open_page, local_workspace):
    page = open_page("benchmark_results")
    page.button(key="benchmark.import_open").click().run()
    page.text_area(key="benchmark.import_text").set_value(
        shared_data("apache_benchmark_output.txt").read_text()
    )
    page.run()
    page.button(key="benchmark.import").click().run()

    assert not page.exception
    assert metrics(page)["Requests per second"] == "0.34"


def test_a_text_that_is_no_report_is_refused_in_the_dialog(open_page, local_workspace):
    page = open_page("benchmark_results")
    page.button(key="benchmark.import_open").click().run()
    page.text_area(key="benchmark.import_text").set_value("hello").run()
    page.button(key="benchmark.import").click().run()

    assert "paste all that ab printed" in page.error[0].value
    assert local_workspace.load_tests.list() == ()


def test_an_outage_is_a_sentence_not_a_traceback(open_page, local_workspace, monkeypatch):
    def outage(*_):
        raise UnavailableError("Azure ML did not answer.")

    monkeypatch.setattr(local_workspace.load_tests, "list", outage)

    page = open_page("benchmark_results")

    assert not page.exception
    assert any("did not answer" in each.value for each in page.warning)


def test_a_name_that_is_markup_is_shown_as_it_stands(open_page, local_workspace):
    text = shared_data("apache_benchmark_output.txt").read_text()
    local_workspace.load_tests.import_report("<b>*x*</b> [y](javascript:1)", text)

    page = open_page("benchmark_results")

    assert not page.exception
    assert r"\<b\>\*x\*" in texts(page)
