"""Retries on Azure: which run repeats which is kept here, and no attempt is made twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from services.azure.pipelines import AzurePipelines
from services.azure.workspace import AzureWorkspace
from services.domain import Frequency, PipelineRun, Recurrence, RunStatus
from services.errors import AccessDeniedError, ConflictError, InvalidRequestError, UnavailableError
from services.local.desk_retries import DeskRetries
from tests.azure_double.faults import Fault
from tests.azure_double.hand import Double, double
from tests.azure_double.opened import open_azure
from tests.recorded import pipelines as recorded

LIMIT_S = 60.0
HASTY_S = 4.0
MINUTE = timedelta(minutes=1)
SUBMIT = "POST .*PipelineSubmit"


class Desk:
    """The adapter at a time of our choosing; runs end as the test says."""

    def __init__(self, azure: Double, workspace: AzureWorkspace) -> None:
        self.azure, self.workspace = azure, workspace
        self.now = datetime.now(UTC)
        self.kept = DeskRetries(azure.engine.store, workspace.name, clock=self.clock)
        self.port = AzurePipelines(workspace.connection, self.kept, clock=self.clock)
        (self.pipeline,) = azure.engine.pipelines.list()
        self._said: dict[str, dict[str, object]] = {}

    def clock(self) -> datetime:
        return self.now

    def say(self, run_id: str, status: str, **fields: object) -> None:
        """Of one run, whatever its engine makes of it."""
        self._said[run_id] = {"Status": {"StatusCode": status}, **fields}
        self.azure.turn(**{"pipelines.extras": self._said})

    def failed(self, **fields: object) -> PipelineRun:
        run = self.port.submit(
            self.pipeline.id, "people", parameters={"experiment_timeout_minutes": "7"}
        )
        self.say(run.id, "Failed", **fields)
        failed = self.port.run_of(run.id)
        self.azure.asked()
        return failed

    def retry(self, run: PipelineRun, *, at_most: int = 1) -> str:
        attempt = self.port.retry(run.id, at_most=at_most)
        self.say(attempt.id, "Running")
        self.azure.asked()
        return attempt.id

    def go_on(self) -> None:
        self.now += 2 * MINUTE
        self.port.retry_due()

    def attempts(self, run: PipelineRun) -> list[str]:
        """Oldest first."""
        found = [each for each in self.port.runs() if each.retry_of == run.id]
        return [each.id for each in reversed(found)]

    def asked(self) -> list[str]:
        return [each.split()[0] for each in self.azure.asked() if "/pipelines/v1.0/" in each]

    def outcome(self, run: PipelineRun) -> str:
        (event,) = [
            each
            for each in self.workspace.audit.list(subject=f"pipeline run/{run.id}")
            if each.action == "pipeline.retry over"
        ]
        assert event.actor == "watcher"
        return str(event.after["because"])


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    with double(tmp_path_factory.mktemp("azure")) as azure, azure.surroundings():
        recorded.published(azure.engine.home, azure.engine.store, at=datetime.now(UTC))
        yield azure


@pytest.fixture(scope="module")
def workspace(azure: Double) -> AzureWorkspace:
    workspace = open_azure(azure, limit_s=HASTY_S)
    workspace.pipelines.list()  # signed in, and the SDK imported
    return workspace


@pytest.fixture
def desk(azure: Double, workspace: AzureWorkspace) -> Iterator[Desk]:
    desk = Desk(azure, workspace)
    azure.asked()
    yield desk
    azure.misbehave()
    azure.turn(**{"pipelines.extras": {}})
    azure.engine.pipelines.enable(desk.pipeline.id)
    for kept in desk.kept.open():
        desk.kept.end(kept.run_id, "the test is over")
    assert azure.unknown() == []


def test_what_fails_again_is_tried_again_and_stops_at_n(desk):
    run = desk.failed()
    desk.retry(run, at_most=3)

    for _ in range(6):
        desk.say(desk.attempts(run)[-1], "Failed")
        desk.go_on()

    assert len(desk.attempts(run)) == 3
    assert desk.outcome(run) == "all 3 attempts failed"
    submitted = [each for each in desk.workspace.audit.list() if each.action == "pipeline.submit"]
    assert [each.actor == "watcher" for each in submitted[:4]] == [True, True, False, False]


@pytest.mark.parametrize(("word", "status"), [("Finished", "Completed"), ("Canceled", "Canceled")])
def test_an_attempt_that_did_not_fail_is_the_last(desk, word, status):
    run = desk.failed()
    desk.retry(run, at_most=5)
    desk.say(desk.attempts(run)[-1], "Failed")
    desk.go_on()

    desk.say(desk.attempts(run)[-1], word)
    desk.go_on()
    desk.go_on()

    assert len(desk.attempts(run)) == 2
    assert desk.outcome(run) == f"attempt 2 was {status}"


def test_what_it_costs(desk):
    run = desk.failed()

    desk.port.retry(run.id, at_most=2)
    assert desk.asked() == ["GET", "GET", "POST"]  # the run, its pipeline, the attempt

    desk.say(desk.attempts(run)[0], "Running")
    desk.azure.asked()
    desk.port.retry_due()
    for _ in range(20):  # a watcher comes by every second
        desk.now += timedelta(seconds=1)
        desk.port.retry_due()
    assert desk.asked() == ["GET"]

    desk.port.runs(pipeline_id=desk.pipeline.id)
    assert desk.asked() == ["GET"]  # which run repeats which costs nothing


def test_retried_once_more_after_the_last_attempt(desk):
    run = desk.failed()
    desk.retry(run)
    (attempt,) = desk.attempts(run)
    desk.say(attempt, "Failed")
    desk.go_on()

    second = desk.port.retry(attempt, at_most=1)

    assert second.retry_of == run.id  # an attempt of an attempt is one of the first run
    assert second.parameters == run.parameters
    desk.say(second.id, "Failed")
    desk.go_on()
    desk.go_on()
    assert desk.attempts(run) == [attempt, second.id]


def test_an_attempt_belongs_to_the_schedule_of_the_run_it_repeats(desk):
    daily = Recurrence(frequency=Frequency.DAY, start_time=datetime(2090, 1, 1))
    schedule = desk.azure.engine.schedules.create(
        "nightly", daily, pipeline_id=desk.pipeline.id, experiment="people"
    )
    run = desk.failed(ScheduleId=schedule.id)

    attempt = desk.port.retry(run.id)

    assert attempt.schedule_id == schedule.id
    (listed,) = [each for each in desk.port.runs() if each.id == attempt.id]
    assert (listed.schedule_id, listed.retry_of) == (schedule.id, run.id)
    desk.azure.engine.schedules.delete(schedule.id)


def test_a_run_of_no_published_pipeline_is_refused(desk):
    run = desk.failed(PipelineId=None)

    with pytest.raises(InvalidRequestError, match="submitted from code"):
        desk.port.retry(run.id)

    assert desk.kept.open() == ()


# --- trouble ----------------------------------------------------------------------


def test_a_refusal_leaves_nothing_behind(desk):
    run = desk.failed()
    desk.azure.misbehave(Fault(pattern=SUBMIT, status=403))
    with pytest.raises(AccessDeniedError):
        desk.port.retry(run.id)
    desk.azure.misbehave()

    assert desk.attempts(run) == []
    over = desk.workspace.audit.list(subject=f"pipeline run/{run.id}")[0]
    assert (over.action, over.actor == "watcher") == ("pipeline.retry over", False)
    assert desk.port.retry(run.id).retry_of == run.id


def test_an_attempt_whose_answer_nobody_heard_is_found_and_not_made_again(desk):
    run = desk.failed()
    desk.azure.misbehave(Fault(pattern=SUBMIT, delay_s=HASTY_S + 1, times=1))
    before = {each.id for each in desk.azure.engine.pipelines.runs()}
    with pytest.raises(UnavailableError):
        desk.port.retry(run.id, at_most=1)
    _until(lambda: len(desk.azure.engine.pipelines.runs()) > len(before))
    with pytest.raises(ConflictError, match="being retried already"):
        desk.port.retry(run.id)

    desk.go_on()

    (made,) = {each.id for each in desk.azure.engine.pipelines.runs()} - before
    assert desk.attempts(run) == [made]


def test_an_attempt_that_was_never_heard_is_made(desk):
    run = desk.failed()
    other = desk.failed()  # of the same pipeline, with the same parameters
    desk.retry(other)
    desk.azure.misbehave(Fault(pattern=SUBMIT, drop=True))
    with pytest.raises(UnavailableError):
        desk.port.retry(run.id)
    desk.azure.misbehave()

    desk.port.retry_due()
    assert desk.attempts(run) == []  # too early to tell

    desk.go_on()
    assert len(desk.attempts(run)) == 1
    assert len(desk.attempts(other)) == 1


def test_killed_between_two_attempts_goes_on_with_the_second(desk):
    run = desk.failed()
    first = desk.retry(run, at_most=2)
    desk.say(first, "Failed")

    after = Desk(desk.azure, desk.workspace)  # another process
    after._said = desk._said
    after.go_on()
    after.go_on()

    assert len(after.attempts(run)) == 2


@pytest.mark.parametrize("status", [403, 503])
def test_an_outage_puts_the_next_attempt_off(desk, status):
    run = desk.failed()
    desk.retry(run, at_most=2)
    desk.say(desk.attempts(run)[-1], "Failed")
    desk.azure.misbehave(Fault(pattern="/PipelineRuns/", status=status))
    desk.go_on()
    desk.azure.misbehave()
    assert len(desk.attempts(run)) == 1

    desk.go_on()

    assert len(desk.attempts(run)) == 2


def test_a_pipeline_that_was_disabled_meanwhile_ends_the_retries(desk):
    run = desk.failed()
    desk.retry(run, at_most=5)
    desk.say(desk.attempts(run)[-1], "Failed")
    desk.azure.engine.pipelines.disable(desk.pipeline.id)
    desk.go_on()
    desk.azure.engine.pipelines.enable(desk.pipeline.id)
    desk.go_on()

    assert len(desk.attempts(run)) == 1
    assert "is disabled" in desk.outcome(run)


def test_the_attempt_that_completes_answers_the_failure(desk):
    """As the alert rule sees it: the newest run of the schedule."""
    run = desk.failed()
    desk.retry(run)
    desk.say(desk.attempts(run)[-1], "Finished")

    newest = desk.port.runs(pipeline_id=desk.pipeline.id)[0]

    assert (newest.retry_of, newest.status) == (run.id, RunStatus.COMPLETED)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.1)
