"""A batch answers row by row, whatever some rows are like."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from services.batch_scoring import Batch
from services.domain import ColumnContract, ColumnType, DataContract, ScoringAnswer
from services.errors import InvalidRequestError

CONTRACT = DataContract(
    columns=(
        ColumnContract(name="age", type=ColumnType.INTEGER, nullable=False, example=38),
        ColumnContract(name="job", type=ColumnType.STRING, nullable=False, example="admin."),
    ),
    label="y",
    classes=("no", "yes"),
)


class Server:
    """Answers each row with its age in years to go, and refuses what it is told to."""

    def __init__(self, *, poison: str = "", status: int = 400) -> None:
        self.poison, self.status = poison, status
        self.request_sizes: list[int] = []
        self.down = False

    def __call__(self, payload: str) -> ScoringAnswer:
        rows = json.loads(payload)["data"]
        self.request_sizes.append(len(rows))
        if self.down:
            return answer(None, error="The deployment refused the connection.")
        if self.poison and any(row["job"] == self.poison for row in rows):
            return answer(self.status, error=f"cannot read {self.poison}.")
        return answer(200, results=tuple(f"{row['age']}!" for row in rows))


def answer(status, *, results=(), error="") -> ScoringAnswer:
    return ScoringAnswer(
        status=status,
        ok=not error,
        body="",
        results=results,
        probabilities=(),
        error=error,
        attempts=1,
        duration_ms=1.0,
        run_ms=None,
        request_id=None,
        sent_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def run(batch: Batch, server: Server) -> Batch:
    batch.step(server)
    while not batch.finished and not batch.error:
        batch.step(server)
    return batch


def test_three_bad_rows_of_a_thousand_leave_997_scores_in_input_order():
    rows = [(str(number), "admin.") for number in range(1000)]
    rows[10], rows[500], rows[999] = ("abc", "admin."), (None, "admin."), ("7", None)

    batch = run(Batch(CONTRACT, ("age", "job"), rows), Server())

    assert (batch.scored_count, batch.failed_count) == (997, 3)
    assert [number for number, _ in batch.failures()] == [11, 501, 1000]
    assert "age" in batch.failures()[0][1]
    assert batch.outcomes()[499].result == "499!"
    assert batch.outcomes()[501].result == "501!"


def test_rows_the_deployment_refuses_are_found_and_the_others_scored():
    rows = [("1", "admin.") for _ in range(200)]
    rows[42] = rows[142] = ("1", "poison")

    batch = run(Batch(CONTRACT, ("age", "job"), rows), Server(poison="poison"))

    assert [number for number, _ in batch.failures()] == [43, 143]
    assert "cannot read poison" in batch.failures()[0][1]
    assert batch.scored_count == 198


def test_an_outage_stops_the_batch_where_it_is_and_it_goes_on_from_there():
    server = Server()
    batch = Batch(CONTRACT, ("age", "job"), [("1", "admin.")] * 250)
    batch.step(server)
    server.down = True

    run(batch, server)

    assert batch.done_count == 100
    assert "refused the connection" in batch.error
    server.down = False
    run(batch, server)
    assert batch.scored_count == 250
    assert server.request_sizes == [100, 100, 100, 50]


def test_a_deployment_that_refuses_everything_is_not_asked_a_thousand_times():
    server = Server(poison="admin.", status=500)

    batch = run(Batch(CONTRACT, ("age", "job"), [("1", "admin.")] * 1000), server)

    assert "rows in a row failed" in batch.error
    assert len(server.request_sizes) < 100


def test_a_file_without_a_needed_column_is_refused_by_name():
    with pytest.raises(InvalidRequestError, match="“job”"):
        Batch(CONTRACT, ("age", "y"), [("1", "no")])


def test_the_label_and_unknown_columns_are_kept_in_the_file_and_not_sent():
    sent = []

    def send(payload: str) -> ScoringAnswer:
        sent.append(json.loads(payload)["data"])
        return answer(200, results=("no",))

    batch = Batch(CONTRACT, ("y", "age", "note", "job"), [("yes", "1", "hello", "admin.")])
    batch.step(send)

    assert sent == [[{"age": 1, "job": "admin."}]]
    (row,) = csv.DictReader(io.StringIO(batch.to_csv()))
    assert row == {
        "y": "yes",
        "age": "1",
        "note": "hello",
        "job": "admin.",
        "prediction": "no",
        "error": "",
    }


def test_a_cell_that_a_spreadsheet_would_execute_is_made_inert():
    batch = Batch(CONTRACT, ("age", "job"), [("-5", "=HYPERLINK(1)")])

    (row,) = csv.DictReader(io.StringIO(batch.to_csv()))

    assert row["job"] == "'=HYPERLINK(1)"
    assert row["age"] == "-5"


def test_an_answer_with_another_number_of_rows_is_not_spread_over_them():
    batch = Batch(CONTRACT, ("age", "job"), [("1", "admin.")] * 3)

    batch.step(lambda _: answer(200, results=("no", "yes")))

    assert batch.done_count == 0
    assert "another number of rows" in batch.error
