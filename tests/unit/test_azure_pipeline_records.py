"""The pipelines service's JSON as records: words, numbers, order."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.azure import pipeline_records as records
from services.azure.pipeline_graphs import in_order
from services.domain import GraphNode, RunStatus
from services.errors import UnavailableError


def nodes(ids: str) -> list[GraphNode]:
    return [GraphNode(id=each, name=each, kind="script") for each in ids]


def ordered(ids: str, *edges: str) -> str:
    found = in_order(nodes(ids), [(start, end) for start, end in edges])
    return "".join(node.id for node in found)


def test_a_step_comes_after_those_it_depends_on():
    assert ordered("abcd", "dc", "cb", "da") == "dacb"
    assert ordered("ab", "ba") == "ba"


def test_steps_in_a_circle_are_listed_all_the_same():
    assert sorted(ordered("abc", "ab", "bc", "ca")) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("0", RunStatus.NOT_STARTED),
        ("1", RunStatus.QUEUED),
        ("4", RunStatus.COMPLETED),
        ("Finished", RunStatus.COMPLETED),
        ("PartiallyExecuted", RunStatus.UNKNOWN),
        ("7", RunStatus.UNKNOWN),
    ],
)
def test_a_steps_numbers_are_not_a_runs_numbers(word, status):
    assert records.step_status(word) is status


def test_a_reused_step_says_so_and_keeps_the_run_it_came_from():
    item = {"StatusCode": "Finished", "RunId": "r-9", "ReuseInfo": {"PipelineRunId": "p-1"}}

    step = records.step("p-2", "n", "Train", item)

    assert (step.id, step.name, step.status) == ("r-9", "Train (reused)", RunStatus.COMPLETED)


def test_a_step_that_has_not_begun_is_one():
    step = records.step("p", "n", "Train", {})

    assert (step.id, step.status, step.started_at) == ("p/n", RunStatus.NOT_STARTED, None)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2024-05-01T12:00:00.1234567Z", datetime(2024, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)),
        ("2024-05-01T14:00:00+02:00", datetime(2024, 5, 1, 12, 0, tzinfo=UTC)),
        ("2024-05-01T12:00:00", datetime(2024, 5, 1, 12, 0, tzinfo=UTC)),
        (None, None),
    ],
)
def test_an_instant_is_utc_however_it_is_written(text, at):
    assert records.instant(text) == at


@pytest.mark.parametrize("answer", [None, {}, {"Id": 7}, [], "<html>"])
def test_an_answer_that_is_no_object_is_told(answer):
    with pytest.raises(UnavailableError, match="could not be understood"):
        records.one(answer, "schedule", records.pipeline)


def test_a_run_that_has_not_started_has_no_start():
    item = {"Id": "r", "CreatedDate": "2024-05-01T12:00:00Z", "Status": {"StatusCode": "0"}}

    run = records.run(item)

    assert (run.started_at, run.ended_at, run.error) == (None, None, "")
