"""Carries out one load test: ``python -m services.local.load_test_worker HOME ID``."""

from __future__ import annotations

import json
import logging
import signal
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from services import apache_bench, scoring
from services.bench_answers import AnswerReader
from services.domain import (
    BenchReport,
    LoadTest,
    LoadTestPlan,
    LoadTestState,
    ScoringAnswer,
)
from services.errors import OperationFailedError, ServiceError
from services.load_test_stop import FailureWatch, StallWatch
from services.local import durable, full_disk, lifeline, load_test_target
from services.local.ab_process import AbProcess
from services.local.clock import utc_now
from services.local.load_test_rows import answers_json, record, report_json
from services.local.load_tests import folder
from services.local.store import Store, stamp

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.25  # between looks at whether it should stop, and notes of how far it is
PRINTED_AT_ONCE = 30  # answers, at most, that ab keeps back otherwise
SLOW_MS = 50.0  # above this, printing every answer at once costs nothing
KEY_KNOWN_WITHIN_S = 5.0  # how long a server may take to learn of a key issued a moment ago
NO_ANSWER = (
    "No request got an HTTP answer: the deployment closed each connection, or speaks another "
    "protocol."
)
START_AGAIN = "start it again"
SHUT_DOWN = "The workspace was shut down while the test ran."


class Journal:
    """What this program writes about itself, so that a page can follow it."""

    def __init__(self, store: Store, load_test_id: str) -> None:
        self._store, self._id = store, load_test_id
        self._noted = 0

    def claim(self) -> tuple[LoadTest, str] | None:
        """Start the test: what it is, and of which workspace; None when it was stopped before."""
        with self._store.transaction() as db:
            claimed = db.execute(
                "UPDATE load_tests SET started_at = ?"
                " WHERE id = ? AND started_at IS NULL AND ended_at IS NULL",
                (stamp(utc_now()), self._id),
            )
            row = db.execute("SELECT * FROM load_tests WHERE id = ?", (self._id,)).fetchone()
        return (record(row), row["workspace"]) if claimed.rowcount else None

    def note(self, done_count: int) -> None:
        """How far the test is. Writes only news, since every write wakes the supervisor."""
        if done_count == self._noted:
            return
        self._noted = done_count
        with self._store.transaction() as db:
            db.execute("UPDATE load_tests SET done_count = ? WHERE id = ?", (done_count, self._id))

    def stop_asked(self) -> bool:
        with self._store.reading() as db:
            row = db.execute(
                "SELECT stop_asked_at FROM load_tests WHERE id = ?", (self._id,)
            ).fetchone()
        return row is not None and row["stop_asked_at"] is not None

    def ended(self, outcome: LoadTestState, measured: Measurement, error: str) -> None:
        with self._store.transaction() as db:
            db.execute(
                "UPDATE load_tests SET ended_at = ?, outcome = ?, error = ?, report = ?,"
                " answers = ?, warnings = ?, done_count = max(done_count, ?) WHERE id = ?",
                (
                    stamp(utc_now()),
                    outcome,
                    error,
                    report_json(measured.report),
                    answers_json(measured.reader.tally()) if measured.reader else None,
                    json.dumps(measured.warnings),
                    measured.done_count,
                    self._id,
                ),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What is left of a run of ``ab``."""

    report: BenchReport | None = None
    reader: AnswerReader | None = None
    warnings: tuple[str, ...] = ()
    errors: str = ""  # what ab wrote to standard error
    stopped_because: str = ""  # too many requests failed

    @property
    def done_count(self) -> int:
        if self.report is not None:
            return self.report.complete_count
        return self.reader.count if self.reader else 0


class StopSignal:
    """Whether to stop, asked at most every `LOOK_EVERY_S`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._next_look = 0.0
        self.asked = False
        self.shut_down = False

    def hear(self, *_: object) -> None:
        """The workspace is being shut down (SIGTERM, or the lifeline's end)."""
        self.shut_down = True

    def __call__(self, done_count: int) -> bool:
        if not self.asked and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK_EVERY_S
            self._journal.note(done_count)
            self.asked = self._journal.stop_asked()
        return self.asked or self.shut_down


def carry_out(
    home: Path, store: Store, test: LoadTest, workspace: str, should_stop: StopSignal
) -> Measurement:
    """Check that the deployment answers this payload, then let ``ab`` loose on it.

    Raises:
        OperationFailedError: the deployment refused the payload.
        UnavailableError: it has no address yet.
        InvalidRequestError, NotFoundError: ``ab`` or the deployment is gone by now.
    """
    assert test.plan is not None  # imported reports have no worker
    program = apache_bench.executable()
    place = folder(home, test.id)
    place.mkdir(parents=True, exist_ok=True)
    (place / "payload.json").write_text(test.plan.payload, encoding="utf-8")
    with load_test_target.reached(home, store, test, workspace) as target:
        checked = _check(target.uri, test, target.credential)
        command = apache_bench.command(
            test.plan,
            target.uri,
            program=program,
            payload=place / "payload.json",
            percentiles_file=place / "percentiles.csv",
            times_file=place / "times.tsv",
            credential=target.credential,
            tag=apache_bench.TAG_PREFIX + test.id,
        )
        watch = FailureWatch(test.plan.stop_at_failure_pct)
        reader = AnswerReader({len(checked.body.encode()): False}, watch=watch)
        slow = checked.duration_ms > SLOW_MS
        stall = StallWatch(
            timeout_s=test.plan.timeout_s,
            seconds=test.plan.seconds,
            printed_at_once=1 if slow else PRINTED_AT_ONCE,
        )

        def over() -> bool:
            stall.note(reader.count, time.monotonic())
            return should_stop(reader.count) or bool(watch.reason or stall.reason)

        ab = AbProcess(command, place / "errors.txt", line_by_line=slow)
        ab.follow(reader.feed, over)
        reader.finish()
        notes = target.warnings()
    measured = _measurement(place, reader, ab.errors())
    return replace(
        measured,
        warnings=(*measured.warnings, *notes, *_over_budget(test.plan, measured)),
        stopped_because=watch.reason or stall.reason,
    )


def _over_budget(plan: LoadTestPlan, measured: Measurement) -> tuple[str, ...]:
    """A test limited by time whose requests were used up before."""
    budget = plan.request_budget
    if plan.seconds is None or budget is None or measured.done_count < budget:
        return ()
    return (f"The budget of {budget:,} requests ended it before its {plan.seconds} s were over",)


def _check(uri: str, test: LoadTest, credential: str | None) -> ScoringAnswer:
    """One request before the test: its answer is what every other one should look like."""
    assert test.plan is not None
    tag = {apache_bench.TAG_HEADER: apache_bench.TAG_PREFIX + test.id}
    deadline = time.monotonic() + KEY_KNOWN_WITHIN_S
    with scoring.ScoringClient(
        uri, key=credential, timeout_s=test.plan.timeout_s, headers=tag
    ) as client:
        answer = client.send(test.plan.payload)
        while answer.status == 401 and credential and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY_S)  # the server looks for new keys several times a second
            answer = client.send(test.plan.payload)
    if not answer.ok:
        raise OperationFailedError(f"The test did not begin. {answer.error}")
    return answer


def _measurement(place: Path, reader: AnswerReader, errors: str) -> Measurement:
    text = reader.report()
    (place / "report.txt").write_text(text, encoding="utf-8")
    try:
        report = apache_bench.read_report(text)
    except ServiceError:
        return Measurement(reader=reader, errors=errors)
    curve = apache_bench.read_percentiles(_read(place / "percentiles.csv"), report.complete_count)
    times = apache_bench.read_times(_read(place / "times.tsv"))
    unanswered = max(0, report.complete_count - reader.count)  # ab calls a closed connection done
    noted = (f"{unanswered:,} of {report.complete_count:,} requests got no HTTP answer",)
    return Measurement(
        report=replace(
            report,
            failed_count=min(report.complete_count, report.failed_count + unanswered),
            percentiles_ms=curve,
            min_ms=curve[0],
            max_ms=curve[100],
            histogram=apache_bench.histogram(curve, times),
        ),
        reader=reader,
        warnings=(*apache_bench.warnings(text), *(noted if unanswered else ())),
        errors=errors,
    )


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def outcome(measured: Measurement, stopped: StopSignal) -> tuple[LoadTestState, str]:
    """How the test ended, in a word and a sentence."""
    if stopped.shut_down:
        return LoadTestState.STOPPED, SHUT_DOWN
    if stopped.asked:
        return LoadTestState.STOPPED, ""
    if measured.stopped_because:
        return LoadTestState.STOPPED, measured.stopped_because
    if measured.report is None:
        return LoadTestState.FAILED, apache_bench.explain(measured.errors)
    if measured.done_count and measured.reader is not None and not measured.reader.count:
        return LoadTestState.FAILED, NO_ANSWER
    return LoadTestState.COMPLETED, ""


def main(home: Path, load_test_id: str) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    store = Store(home / "workspace.db")
    journal = Journal(store, load_test_id)
    should_stop = StopSignal(journal)
    signal.signal(signal.SIGTERM, should_stop.hear)
    lifeline.follow()
    return full_disk.working(lambda: _work(home, store, journal, should_stop))


def _work(home: Path, store: Store, journal: Journal, should_stop: StopSignal) -> int:
    claimed = journal.claim()
    if claimed is None:
        return 0
    test, workspace = claimed
    try:
        measured = carry_out(home, store, test, workspace, should_stop)
    except ServiceError as error:
        log.warning("load test %s failed: %s", test.id, error)
        journal.ended(LoadTestState.FAILED, Measurement(), str(error))
        return 1
    except Exception as error:
        said = f"The load test met an error of its own ({error})."
        if durable.disk_full(error):
            said = full_disk.told(START_AGAIN)
        journal.ended(LoadTestState.FAILED, Measurement(), said)
        raise
    word, sentence = outcome(measured, should_stop)
    journal.ended(word, measured, sentence)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
