"""An Azure workspace is watched: every rule asks the adapter, and an outage is trouble itself."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.alerts.gathering import Gatherer
from services.alerts.records import Band, Probe, Source, Verdict
from services.alerts.watching import Watch
from services.app_insights import wire
from services.app_insights.sender import Sender
from services.attention import Severity
from services.azure import sdk
from services.azure.workspace import AzureWorkspace
from services.domain import DeploymentState, Panel, PipelineKind, TimeWindow
from services.local.alert_outbox import Outbox
from services.local.prober import Prober
from services.retraining_policy import Policy
from services.retraining_rounds import RetrainingRounds
from tests.azure_double.answers import instant
from tests.azure_double.faults import Fault
from tests.azure_double.hand import Double, double
from tests.azure_double.opened import open_azure
from tests.azure_double.seed import DEPLOYMENT
from tests.recorded import runs

LIMIT_S = 4.0
RETRAINED = "bank-retraining"
SERVER_S = 120.0
EXPERIMENTS, PIPELINES = 2, 1  # in the seeded workspace
MINUTE = timedelta(minutes=1)
LISTS = (Source.RUNS, Source.PIPELINE_RUNS, Source.PIPELINES, Source.SCHEDULES)
PATIENCE = {**dict.fromkeys(LISTS, 5 * MINUTE), Source.TELEMETRY: 10 * MINUTE}


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    with double(tmp_path_factory.mktemp("azure"), demo=True) as azure, azure.surroundings():
        deadline = time.monotonic() + SERVER_S
        while azure.engine.deployments.get(DEPLOYMENT).state is not DeploymentState.HEALTHY:
            assert time.monotonic() < deadline, "the seeded deployment did not start"
            time.sleep(0.3)
        sdk.load()
        yield azure


@pytest.fixture(scope="module")
def opened(azure: Double) -> AzureWorkspace:
    """One that has been asked before: signed in, and its telemetry found."""
    workspace = open_azure(azure, limit_s=LIMIT_S)
    workspace.runs.list()
    workspace.telemetry.query("requests | take 1")
    return workspace


@pytest.fixture
def workspace(azure: Double, opened: AzureWorkspace) -> Iterator[AzureWorkspace]:
    azure.told()
    yield opened
    azure.misbehave()
    assert azure.unknown() == []


@pytest.fixture
def watch(azure: Double, workspace: AzureWorkspace) -> Watch:
    return watching(azure, workspace)


@pytest.fixture
def amiss(azure: Double) -> Iterator[Callable[..., None]]:
    """Has Azure answer something else of a pipeline run, until the test is over."""
    yield lambda run_id, **fields: azure.turn(**{"pipelines.extras": {run_id: fields}})
    azure.turn(**{"pipelines.extras": {}, "runs.overrides": {}})


def watching(azure, workspace, **rhythm):
    outbox = Outbox(azure.engine.store, workspace=workspace.name)
    return Watch(workspace, outbox, Gatherer(workspace, **rhythm))


def titles(workspace):
    return {each.title for each in workspace.alerts.incidents() if each.open}


def look(watch, *, at=None):
    """Two looks, so that what has to last for a moment has lasted."""
    at = at or datetime.now(UTC)
    watch.evaluate(now=at)
    watch.evaluate(now=at + MINUTE)


def test_a_failed_run_is_told_once_and_its_success_ends_it(azure, workspace, watch):
    engine, started = azure.engine, datetime.now(UTC) - timedelta(minutes=30)
    runs.failed(engine.home, engine.store, experiment="nightly", started=started)

    look(watch)
    look(watch)

    told = [
        each for each in workspace.alerts.incidents() if each.title == "Run 1 of nightly failed"
    ]
    assert [each.open for each in told] == [True]

    runs.automl(engine.home, engine.store, experiment="nightly", started=started + 10 * MINUTE)
    look(watch)

    assert "Run 1 of nightly failed" not in titles(workspace)


def test_what_is_noticed_on_azure_is_no_trouble_of_the_local_workspace(azure, workspace, watch):
    engine = azure.engine
    runs.failed(
        engine.home, engine.store, experiment="theirs", started=datetime.now(UTC) - 30 * MINUTE
    )

    look(watch)

    ours = Outbox(engine.store).open_incidents()
    assert "Run 1 of theirs failed" in titles(workspace)
    kept = Outbox(engine.store, workspace=workspace.name).open_incidents()
    assert not {each.id for each in kept} & {each.id for each in ours}


def test_a_due_time_without_a_run_is_missed(workspace, watch):
    (schedule,) = workspace.schedules.list()
    assert schedule.next_fire_at is not None

    watch.evaluate(now=schedule.next_fire_at - MINUTE)
    before = titles(workspace)
    watch.evaluate(now=schedule.next_fire_at + timedelta(days=1, minutes=10))

    missed = f"Schedule {schedule.name} missed"
    assert not any(title.startswith(missed) for title in before)
    (incident,) = [each for each in workspace.alerts.incidents() if missed in each.title]
    assert incident.title == f"{missed} 2 times"
    assert incident.severity is Severity.CRITICAL


def test_a_schedule_that_fired_late_is_told(azure, workspace, watch, amiss):
    (schedule,) = workspace.schedules.list()
    newest = workspace.pipelines.runs(schedule_id=schedule.id)[0]
    late = newest.created_at + 40 * MINUTE
    amiss(newest.id, CreatedDate=instant(late))

    look(watch, at=late + MINUTE)

    (told,) = [
        each for each in workspace.alerts.incidents() if each.open and "fired late" in each.title
    ]
    assert (told.title, told.severity) == (f"Schedule {schedule.name} fired late", Severity.WARNING)
    assert told.detail.startswith("40 min after")


def test_a_pipeline_run_that_is_not_started_is_stuck_until_it_is(azure, workspace, watch, amiss):
    """Run history knows nothing of it before it starts."""
    newest = workspace.pipelines.runs()[0]
    began = datetime.now(UTC) - 30 * MINUTE
    amiss(newest.id, Status={"StatusCode": "NotStarted"}, CreatedDate=instant(began))
    azure.turn(**{"runs.overrides": {newest.id: {"runId": "another"}}})

    watch.evaluate(now=began + 9 * MINUTE)
    early = titles(workspace)
    look(watch)
    look(watch)

    stuck = f"A pipeline run of {newest.experiment} is not being started"
    assert stuck not in early
    told = [each for each in workspace.alerts.incidents() if each.title == stuck]
    assert [each.open for each in told] == [True]  # one, however often it is looked at

    azure.turn(**{"pipelines.extras": {}, "runs.overrides": {}})
    look(watch)

    assert stuck not in titles(workspace)


@pytest.mark.parametrize("status", ["NotResponding", "Queued"])
def test_a_training_run_that_waits_or_is_silent_is_stuck(azure, workspace, watch, status):
    run = next(each for each in workspace.runs.list() if each.experiment == "bank-marketing")
    began = instant(datetime.now(UTC) - 30 * MINUTE)
    times = {"createdUtc": began, "startTimeUtc": None, "endTimeUtc": None}
    azure.turn(**{"runs.overrides": {run.id: {"status": status, **times}}})

    look(watch)
    told = [each for each in workspace.alerts.incidents() if each.open and each.rule == "run_stuck"]
    azure.turn(**{"runs.overrides": {}})
    look(watch)

    assert ["bank-marketing" in each.title for each in told] == [True]
    assert not [
        each for each in workspace.alerts.incidents() if each.open and each.rule == "run_stuck"
    ]


def test_a_pipeline_run_that_takes_much_longer_than_the_others_is_late(workspace, watch, amiss):
    newest = workspace.pipelines.runs()[0]
    began = datetime.now(UTC) - timedelta(hours=30)
    amiss(
        newest.id,
        CreatedDate=instant(began),
        Status={"StatusCode": "Running", "CreationTime": instant(began), "EndTime": None},
    )

    watch.evaluate(now=began + 5 * MINUTE)
    early = titles(workspace)
    look(watch, at=began + timedelta(hours=29))

    late = f"A pipeline run of {newest.experiment} is late"
    assert late not in early
    (told,) = [each for each in workspace.alerts.incidents() if each.open and each.title == late]
    assert "min so far; its runs usually take" in told.detail


def test_a_metric_out_of_its_band_fails_the_run(workspace, watch):
    workspace.bands.save(Band(experiment="bank-marketing", metric="AUC_weighted", fail_below=0.999))

    look(watch)

    checks = workspace.bands.checks("bank-marketing")
    assert [each.verdict for each in checks] == [Verdict.FAIL]
    assert "bank-marketing: AUC_weighted out of band" in titles(workspace)
    workspace.bands.delete("bank-marketing", "AUC_weighted")


def test_a_pipeline_run_is_held_against_what_it_trained_once_that_was_read(azure, workspace, watch):
    (pipeline,) = [
        each for each in azure.engine.pipelines.list() if each.kind is PipelineKind.RETRAINING
    ]
    workspace.bands.save(Band(experiment=RETRAINED, metric="AUC_weighted", fail_below=0.999))

    look(watch)
    pipeline_runs = {each.id for each in azure.engine.pipelines.runs()}
    before = {each.run_id for each in workspace.bands.checks(RETRAINED)}
    unanswered = workspace.alerts.unanswered()
    policy = Policy(
        pipeline_id=pipeline.id, deployment=DEPLOYMENT, model_name="bank", enabled=False
    )
    workspace.retraining.save(policy)
    RetrainingRounds(workspace, workspace.retraining, clock=lambda: datetime.now(UTC)).take_up()
    look(watch)

    newest = azure.engine.pipelines.runs(pipeline_id=pipeline.id)[0]
    assert not before & pipeline_runs  # nothing is said of what nobody has read
    assert unanswered == ()
    checked = {each.run_id: each for each in workspace.bands.checks(RETRAINED)}
    best = azure.engine.runs.get(newest.training_run_id).best_child_id
    logged = azure.engine.runs.metrics([best])[best]["AUC_weighted"]
    assert (checked[newest.id].value, checked[newest.id].verdict) == (logged, Verdict.FAIL)
    workspace.bands.delete(RETRAINED, "AUC_weighted")


def test_a_pipeline_that_a_schedule_submits_in_vain_is_told(azure, workspace, watch):
    (pipeline,) = [
        each for each in azure.engine.pipelines.list() if each.kind is PipelineKind.RETRAINING
    ]
    azure.engine.pipelines.disable(pipeline.id)

    look(watch)
    told = titles(workspace)
    azure.engine.pipelines.enable(pipeline.id)
    look(watch)

    assert f"Pipeline {pipeline.name} is not Active" in told
    assert f"Pipeline {pipeline.name} is not Active" not in titles(workspace)


@pytest.fixture(scope="module")
def trouble(azure, opened, tmp_path_factory) -> str:
    """The seeded deployment answers slowly, fails, and says 200 where it failed."""
    sender = Sender(
        opened.telemetry.connection_string, spool=tmp_path_factory.mktemp("spool"), role="server"
    )
    now = datetime.now(UTC)
    for number in range(60):
        inside = number < 3
        answer = '"{\\"error\\": \\"no column agee\\"}"' if inside else "[0]"
        sender.track(
            wire.request_envelope(
                at=now - timedelta(seconds=number), request_id=f"slow-{number}",
                name="POST /score", url="http://h/score", duration_ms=4_000.0 + number,
                result_code="200" if inside or number % 2 else "500",
                properties={"Service Name": DEPLOYMENT, "Response Value": answer},
            )
        )  # fmt: skip
    deadline = time.monotonic() + SERVER_S
    window = TimeWindow(start=now - timedelta(minutes=15), end=now + MINUTE, bin=timedelta(hours=1))

    def arrived() -> bool:
        frame = opened.telemetry.panel(Panel.DEPLOYMENTS, window).frame
        return bool(len(frame)) and int(frame["failed"].sum()) >= 25

    while not arrived():
        assert time.monotonic() < deadline, "what was sent cannot be asked for"
        time.sleep(0.2)
    sender.close()
    return DEPLOYMENT


def test_telemetry_tells_failures_slowness_and_errors_that_read_200(workspace, watch, trouble):
    rules = {each.key: each for each in workspace.alerts.rules()}
    entries = {}
    for key in ("failure_rate", "semantic_failures", "p95"):
        for other in ("failure_rate", "semantic_failures", "p95"):  # one explains the next
            workspace.alerts.set_rule(replace(rules[other], enabled=other == key))
        look(watch)
        entries[key] = {each.rule for each in workspace.alerts.incidents() if each.open}
    for rule in rules.values():
        workspace.alerts.set_rule(rule)

    assert all(key in found for key, found in entries.items()), entries


def test_telemetry_gone_quiet_is_told_until_a_request_arrives(opened, workspace, watch, tmp_path):
    now, later = datetime.now(UTC), datetime.now(UTC) + timedelta(hours=2)
    sender = Sender(opened.telemetry.connection_string, spool=tmp_path / "spool", role="server")

    look(watch, at=now)
    before = quiet(workspace)
    look(watch, at=later)
    told = quiet(workspace)
    sender.track(
        wire.request_envelope(
            at=later + MINUTE, request_id="at-last", name="POST /score", url="http://h/score",
            duration_ms=9.0, result_code="200", properties={"Service Name": DEPLOYMENT},
        )
    )  # fmt: skip
    deadline = time.monotonic() + SERVER_S
    while opened.telemetry.query('requests | where id == "at-last"').frame.empty:
        assert time.monotonic() < deadline, "what was sent cannot be asked for"
        time.sleep(0.2)
    sender.close()
    look(watch, at=later + 5 * MINUTE)

    assert before == []
    assert [each.severity for each in told] == [Severity.WARNING]
    assert DEPLOYMENT in told[0].title
    assert quiet(workspace) == []


def quiet(workspace):
    found = workspace.alerts.incidents()
    return [each for each in found if each.open and each.rule == "telemetry_quiet"]


def test_an_outage_is_an_incident_and_ends_none(azure, workspace, watch):
    engine = azure.engine
    runs.failed(
        engine.home, engine.store, experiment="open", started=datetime.now(UTC) - 30 * MINUTE
    )
    look(watch)
    assert "Run 1 of open failed" in titles(workspace)

    azure.misbehave(Fault(pattern=r"azureml\.ms|applicationinsights\.io", status=503))
    look(watch)

    (blind,) = [each for each in workspace.alerts.incidents() if each.rule == "cannot_look"]
    assert (blind.title, blind.severity) == ("Cannot look at the workspace", Severity.CRITICAL)
    assert "stays open" in blind.detail
    assert "Run 1 of open failed" in titles(workspace)
    assert "deployments" in workspace.alerts.unanswered()

    azure.misbehave()
    look(watch)

    assert "Cannot look at the workspace" not in titles(workspace)
    assert workspace.alerts.unanswered() == ()


def test_one_service_that_is_out_leaves_the_rest_watched(azure, workspace, watch):
    azure.misbehave(Fault(pattern=r"/pipelines/", status=503))

    look(watch)

    (blind,) = [
        each for each in workspace.alerts.incidents() if each.rule == "cannot_look" and each.open
    ]
    assert blind.severity is Severity.WARNING
    assert "pipeline runs" in blind.title
    assert "deployments" not in blind.title


def test_a_look_ends_although_nobody_answers(azure, workspace):
    azure.misbehave(Fault(pattern=r"azureml\.ms|applicationinsights\.io", delay_s=3 * LIMIT_S))
    watch = watching(azure, workspace, limit_s=LIMIT_S)

    watch.evaluate(now=datetime.now(UTC))

    asked = [each for each in azure.asked() if "azureml.ms" in each]
    assert len(asked) <= 3  # two at most until the time is up, and what the first one repeats
    assert len(workspace.alerts.unanswered()) >= 6


def test_looks_ask_for_lists_now_and_then_and_for_deployments_each_time(azure, workspace):
    """A minute apart, as the dashboard lets the watcher look."""
    watch, now = watching(azure, workspace, patience=PATIENCE), datetime.now(UTC)
    counts = []
    for minute in range(6):
        azure.asked()
        watch.evaluate(now=now + minute * MINUTE)
        counts.append(len(azure.asked()))

    experiments = len(workspace.runs.experiments())
    assert counts[0] <= 1 + (1 + experiments) + (1 + PIPELINES) + 3 + 4
    assert all(2 <= count <= 4 for count in counts[1:5]), counts  # deployments and telemetry
    assert counts[5] > counts[4]


def test_looking_changes_nothing(azure, workspace, watch):
    watch.evaluate(now=datetime.now(UTC))

    reading = re.compile(r"^GET |:query|/query|/metric/v2\.0|-> 503")
    assert [each for each in azure.asked() if not reading.search(each)] == []


def probed(workspace):
    """One probe of the seeded deployment, carried out; what it found."""
    prober = Prober(workspace, None, clock=lambda: datetime.now(UTC))
    before = {each.request_id for each in workspace.probes.results(DEPLOYMENT)}
    prober._carry_out(Probe(deployment=DEPLOYMENT, enabled=True))
    prober.close()
    found = workspace.probes.results(DEPLOYMENT)
    return [each for each in found if each.request_id not in before]


def test_a_probe_scores_with_the_key_and_sends_no_telemetry_of_its_own(azure, workspace):
    key = workspace.deployments.keys(DEPLOYMENT).primary
    azure.asked()

    (result,) = probed(workspace)

    asked = azure.asked()
    assert (result.ok, result.reason) == (True, "")
    assert any("POST" in each and "/score" in each for each in asked), asked
    assert not any("/track" in each for each in asked)
    assert key not in json.dumps(asked)


def test_a_known_row_saves_the_probe_four_requests(azure, workspace):
    prober = Prober(workspace, None, clock=lambda: datetime.now(UTC))
    probe = Probe(deployment=DEPLOYMENT, enabled=True, interval_s=5)
    prober._carry_out(probe)
    azure.asked()

    prober._carry_out(probe)

    asked = azure.asked()
    assert len([each for each in asked if "azureml.ms" in each]) <= 3, asked
    prober.close()


def test_a_probe_is_no_outage_of_the_deployment_while_azure_does_not_answer(azure, workspace):
    azure.misbehave(Fault(pattern=r"/modelmanagement/", status=503))

    assert probed(workspace) == []


def test_a_deployment_that_answers_errors_fails_its_probe(azure, workspace):
    azure.misbehave(Fault(pattern=r"POST .*azurecontainer\.io.*/score", status=502))

    (result,) = probed(workspace)

    assert not result.ok
    assert "502" in result.reason
