"""Ten logs of failed runs are told apart, and a strange one stays unknown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import triage
from services.triage import Cause

LOGS = sorted(Path(__file__).with_name("failed_logs").glob("*.txt"))


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_a_canned_log_maps_to_its_class(path):
    log = path.read_text(encoding="utf-8")

    found = triage.triage("The run failed.", log)

    assert found.cause.value == path.stem.partition("-")[0]
    if found.cause is not Cause.UNKNOWN:
        assert log.splitlines()[found.line_number - 1].strip().startswith(found.line)


def test_there_are_ten_of_them_and_every_class_is_met():
    causes = [path.stem.partition("-")[0] for path in LOGS]

    assert len(causes) - causes.count("unknown") == 10
    assert set(causes) == {cause.value for cause in Cause}


def test_an_unseen_log_says_unknown_and_shows_its_tail():
    log = "\n".join(f"line {number}" for number in range(100))

    found = triage.triage("It ended.", log)

    assert found.cause is Cause.UNKNOWN
    assert found.tail.splitlines() == [f"line {number}" for number in range(88, 100)]


def test_the_runs_own_reason_decides_where_the_log_says_nothing():
    found = triage.triage("The fit ran out of memory.", "fitting\n")

    assert (found.cause, found.line_number) == (Cause.QUOTA, None)


def test_what_was_merely_warned_of_does_not_decide():
    log = "2024-05-01 09:00:00 WARNING timed out, trying again\nNameError: name 'x' is not defined"

    assert triage.triage("", log).cause is Cause.CODE


def test_error_lines_are_found_with_their_numbers():
    log = "all well\nERROR the disk is full\n2024 WARNING no error yet: KeyError\nValueError: boom"

    assert triage.error_lines(log) == ((2, "ERROR the disk is full"), (4, "ValueError: boom"))


@given(st.text(), st.text())
def test_any_text_is_answered_with_a_line_that_is_there(error, log):
    found = triage.triage(error, log)

    if found.line_number is not None:
        assert log.splitlines()[found.line_number - 1].strip().startswith(found.line)
