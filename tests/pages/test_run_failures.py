"""A failed run says why, and its whole log can be searched and taken away."""

from __future__ import annotations

import json

import pytest

from dashboard.components import runs_log
from tests.recorded import runs

LOG = (
    "2024-05-01 09:00:01 INFO preparing\nTraceback (most recent call last):\n"
    "ModuleNotFoundError: No module named 'lightgbm'\n"
)


@pytest.fixture
def failed(local_workspace):
    return lambda **options: runs.failed(local_workspace.home, local_workspace.store, **options)


def texts(page):
    return " ".join(each.value for each in (*page.markdown, *page.caption))


def codes(page):
    return [each.value for each in page.code]


@pytest.mark.parametrize("view", ["Leaderboard", "Logs"])
def test_a_failed_run_shows_its_cause_and_the_deciding_line_once(open_page, failed, view):
    page = open_page("training_runs", run=failed(log=LOG), **{"run-view": view})

    assert not page.exception
    assert texts(page).count("Why it failed") == 1
    assert "dependency" in texts(page)
    assert codes(page)[0] == "ModuleNotFoundError: No module named 'lightgbm'"


def test_an_unknown_failure_says_so_with_the_end_of_the_log(open_page, failed):
    page = open_page("training_runs", run=failed(error="It ended.", log="one\ntwo\n"))

    assert "unknown" in texts(page)
    assert codes(page)[0] == "one\ntwo"


def test_a_completed_run_has_nothing_to_explain(open_page, local_workspace):
    run_id = runs.automl(local_workspace.home, local_workspace.store)

    assert "Why it failed" not in texts(open_page("training_runs", run=run_id))


def test_error_lines_stand_in_front_with_their_numbers(open_page, failed):
    log = "".join(f"line {number}\n" for number in range(1, 300)) + LOG
    page = open_page("training_runs", run=failed(log=log), **{"run-view": "Logs"})

    assert codes(page)[1].splitlines()[-1] == "302  ModuleNotFoundError: No module named 'lightgbm'"


def test_a_token_on_the_first_of_fifty_thousand_lines_is_found(open_page, failed):
    log = "the needle\n" + "".join(f"line {number}\n" for number in range(50_000))
    address = {"run": failed(log=log), "run-view": "Logs", "whole": "true"}
    page = open_page("training_runs", **address)

    page.main.text_input(key="runs.log-search").set_value("needle").run()

    assert codes(page)[-1] == "the needle"
    assert "1 line found in the whole log, 50,001 lines" in texts(page)


def test_the_download_is_the_file_byte_for_byte(local_workspace, failed, monkeypatch):
    log = "".join(f"line {number} é\r\n" for number in range(20_000))
    run = local_workspace.runs.get(failed(log=log))
    monkeypatch.setattr(runs_log.session, "workspace", lambda: local_workspace)

    assert runs_log._bytes(run) == log.encode()


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        (("outputs/model.pkl", "user_logs/std_log.txt"), "user_logs/std_log.txt"),
        (("azureml-logs/70_driver_log.txt",), "azureml-logs/70_driver_log.txt"),
        (
            ("logs/azureml/azureml_automl.log", "system_logs/x.log"),
            "logs/azureml/azureml_automl.log",
        ),
        (("outputs/model.pkl",), None),
    ],
)
def test_the_main_log_is_found_by_azures_names(files, chosen):
    assert runs_log.main_log(files) == chosen


def test_only_the_last_lines_of_a_very_long_log_are_drawn(open_page, failed):
    log = "".join(f"line {number}\n" for number in range(12_000))
    page = open_page(
        "training_runs", run=failed(log=log, error="x"), **{"run-view": "Logs", "whole": "true"}
    )

    drawn = codes(page)[-1].splitlines()
    assert len(drawn) == runs_log.SHOWN
    assert drawn[-1] == "line 11999"
    assert json.dumps(texts(page)).count("the download has all") == 1
