"""Scoring many rows in chunks, so that a bad row costs its own answer and no other.

Rows the contract refuses are never sent. A chunk the deployment refuses is sent again in
halves until the rows it objects to stand alone.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.data_contract import RowChecker
from services.domain import DataContract, ScoringAnswer
from services.errors import InvalidRequestError

CHUNK_ROWS = 100
REFUSED_IN_A_ROW = 20  # single rows, one after the other: the deployment is broken, not the rows

Send = Callable[[str], ScoringAnswer]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowOutcome:
    """One row's answer, or why it has none."""

    result: Any = None
    probabilities: Mapping[str, float] = field(default_factory=dict)
    error: str = ""


class Batch:
    """Rows on their way through a deployment. Picklable between two chunks."""

    def __init__(
        self,
        contract: DataContract,
        columns: Sequence[str],
        rows: Sequence[Sequence[str | None]],
        *,
        probabilities: bool = False,
        chunk_rows: int = CHUNK_ROWS,
    ) -> None:
        """Check every row; nothing is sent yet.

        Args:
            columns: the file's columns, in order; the label's may be among them.
            rows: each row's cells as text, None where empty.

        Raises:
            InvalidRequestError: the file lacks a column that every row must have.
        """
        _check_header(contract, columns)
        self._columns, self._rows = tuple(columns), rows
        self._chunk_rows, self._probabilities = chunk_rows, probabilities
        self._outcomes: list[RowOutcome | None] = [None] * len(rows)
        self._bodies = self._checked(contract)
        self._waiting = [place for place, body in enumerate(self._bodies) if body is not None]
        self._refused_in_a_row = 0
        self.error = ""  # why the deployment stopped answering, if it did

    @property
    def total_count(self) -> int:
        return len(self._rows)

    @property
    def done_count(self) -> int:
        return sum(each is not None for each in self._outcomes)

    @property
    def scored_count(self) -> int:
        return sum(each is not None and not each.error for each in self._outcomes)

    @property
    def failed_count(self) -> int:
        return self.done_count - self.scored_count

    @property
    def finished(self) -> bool:
        return not self._waiting

    def step(self, send: Send) -> None:
        """Score the next chunk. After an outage the same chunk is tried again by the next call."""
        self.error, self._refused_in_a_row = "", 0
        chunk = self._waiting[: self._chunk_rows]
        if self._score(chunk, send):
            del self._waiting[: len(chunk)]

    def outcomes(self) -> tuple[RowOutcome | None, ...]:
        """In input order; None for a row that has not been reached."""
        return tuple(self._outcomes)

    def failures(self) -> tuple[tuple[int, str], ...]:
        """(row number from 1, why), in input order."""
        return tuple(
            (number, each.error)
            for number, each in enumerate(self._outcomes, 1)
            if each is not None and each.error
        )

    def to_csv(self) -> str:
        """The input's rows in input order, each with its prediction or its error."""
        names = sorted({name for each in self._outcomes if each for name in each.probabilities})
        output = io.StringIO()
        writer = csv.writer(output, lineterminator="\n")
        shares = [f"probability of {name}" for name in names]
        writer.writerow([*self._columns, "prediction", *shares, "error"])
        for row, outcome in zip(self._rows, self._outcomes, strict=True):
            each = outcome or RowOutcome(error="not scored")
            cells = [each.probabilities.get(name, "") for name in names]
            result = "" if each.result is None else each.result
            writer.writerow([*map(_inert, row), _inert(result), *cells, each.error])
        return output.getvalue()

    def _checked(self, contract: DataContract) -> list[dict[str, Any] | None]:
        checker = RowChecker(contract)
        bodies: list[dict[str, Any] | None] = []
        for place, row in enumerate(self._rows):
            try:
                sent = dict(zip(self._columns, row, strict=True))
                bodies.append(checker.conform(sent, place + 1))
            except InvalidRequestError as error:
                self._outcomes[place] = RowOutcome(error=str(error))
                bodies.append(None)
        return bodies

    def _score(self, chunk: Sequence[int], send: Send) -> bool:
        """Whether every row of the chunk has an outcome now."""
        chunk = [place for place in chunk if self._outcomes[place] is None]
        if not chunk:
            return True
        answer = send(self._payload(chunk))
        if answer.ok and len(answer.results) == len(chunk):
            self._keep(chunk, answer)
            return True
        if not _blames_rows(answer):
            self.error = answer.error or "The deployment answered another number of rows."
            return False
        if len(chunk) == 1:
            return self._refuse(chunk[0], answer.error)
        middle = len(chunk) // 2
        return self._score(chunk[:middle], send) and self._score(chunk[middle:], send)

    def _refuse(self, place: int, error: str) -> bool:
        """Give one row its error, unless too many rows in a row met one."""
        self._refused_in_a_row += 1
        if self._refused_in_a_row > REFUSED_IN_A_ROW:
            self.error = f"{REFUSED_IN_A_ROW} rows in a row failed. {error}"
            return False
        self._outcomes[place] = RowOutcome(error=f"Row {place + 1}: {error}")
        return True

    def _payload(self, chunk: Sequence[int]) -> str:
        document: dict[str, Any] = {"data": [self._bodies[place] for place in chunk]}
        if self._probabilities:
            document["method"] = "predict_proba"
        return json.dumps(document, ensure_ascii=False, default=str)

    def _keep(self, chunk: Sequence[int], answer: ScoringAnswer) -> None:
        self._refused_in_a_row = 0
        shares = answer.probabilities or ({},) * len(chunk)
        for place, result, share in zip(chunk, answer.results, shares, strict=True):
            self._outcomes[place] = RowOutcome(result=result, probabilities=share)


def _check_header(contract: DataContract, columns: Sequence[str]) -> None:
    missing = [each.name for each in contract.columns if each.name not in columns]
    if missing:
        named = ", ".join(f"“{name}”" for name in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise InvalidRequestError(f"The file has no column {named}{more}; every row must have it.")


def _blames_rows(answer: ScoringAnswer) -> bool:
    """The deployment works and objects to what it was sent: smaller requests may tell why."""
    if answer.status is None or answer.ok:
        return False
    return answer.status in (400, 413, 422, 500) or answer.status < 300


def _inert(value: Any) -> Any:
    """A cell no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        try:
            float(value)
        except ValueError:
            return f"'{value}"
    return value
