"""Runs of an Azure ML workspace: how little is asked, and what happens when Azure is unwell."""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Iterator

import pytest

from services.azure.workspace import AzureWorkspace
from services.domain import RunKind, RunStatus
from services.errors import (
    AccessDeniedError,
    NotFoundError,
    UnavailableError,
)
from services.ports import Runs
from tests.azure_double.blobs import SIGNATURE
from tests.azure_double.faults import Fault
from tests.azure_double.hand import Double, double
from tests.azure_double.opened import open_azure
from tests.recorded import pipelines as recorded_pipelines
from tests.recorded import runs as recorded

LIMIT_S = 4.0  # where a deadline is what ends it
PATIENT_S = 60.0  # where it is not: the machine may be busy
MARGIN_S = 10.0
HISTORY, METRICS = r"/history/v1\.0/", r"/metric/v2\.0/"
BLOBS = r"blob\.core\.windows\.net"
READS = re.compile(r"GET |POST .*(:query|/list|/full) -> ")


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    with double(tmp_path_factory.mktemp("azure")) as azure, azure.surroundings():
        yield azure


@pytest.fixture(scope="module")
def parent(azure: Double) -> str:
    return recorded.automl(azure.engine.home, azure.engine.store, model=False)


@pytest.fixture(scope="module")
def opened(azure: Double, parent: str) -> AzureWorkspace:
    """Connected, so that a test counts and waits for its own requests only."""
    workspace = open_azure(azure, limit_s=PATIENT_S)
    workspace.runs.experiments()
    return workspace


@pytest.fixture
def runs(azure: Double, opened: AzureWorkspace) -> Iterator[Runs]:
    """The port, with an empty memory; requests and troubles of a test end with it."""
    from services.azure.runs import AzureRuns

    azure.asked()
    yield AzureRuns(opened.connection)
    azure.misbehave()
    azure.turn(**{"page_size": 100, "runs.overrides": {}, "metrics.old_service": True})
    opened.connection.deadlines.limit_s = PATIENT_S
    assert azure.unknown() == []


@pytest.fixture
def best(azure: Double, parent: str) -> str:
    found = azure.engine.runs.get(parent).best_child_id
    assert found
    return found


# --- how little is asked ---


def test_a_list_is_one_request_for_each_experiment_and_one_for_their_names(azure, runs, parent):
    recorded.automl(azure.engine.home, azure.engine.store, experiment="second")
    names = [each.name for each in runs.experiments()]
    assert len(azure.asked()) == 1
    runs.list()  # learns the name of the dataset, once
    azure.asked()

    found = runs.list()

    assert parent in [each.id for each in found]
    assert {"bank-marketing", "second"} <= set(names)
    assert len(azure.asked()) == 1 + len(names)
    runs.list("second")
    assert len(azure.asked()) == 1


def test_the_page_of_a_run_needs_four_requests_at_most(azure, runs, parent):
    run, children = runs.get(parent), runs.children(parent)

    assert len(azure.asked()) <= 4, "followed from a link"
    assert run.score == pytest.approx(max(each.score or 0 for each in children))

    assert runs.get(parent) == run
    assert runs.children(parent) == children
    assert len(azure.asked()) == 2, "looked at again"


def test_a_leaderboard_needs_no_metrics(azure, runs, parent):
    runs.experiments()
    azure.asked()

    children = runs.children(parent)

    assert [each.display_name for each in children][:2] == [
        "MaxAbsScaler, LightGBM",
        "MaxAbsScaler, XGBoostClassifier",
    ]
    assert children == tuple(
        each for each in children if each.parent_id == parent and each.experiment
    )
    assert not [each for each in azure.asked() if "metric" in each]


def test_metrics_of_fifty_runs_are_one_question(azure, runs, parent):
    children = [each.id for each in runs.children(parent) if each.score is not None]
    azure.turn(page_size=1000)
    azure.asked()

    found = runs.metrics(children)

    assert all(found[run_id]["accuracy"] > 0 for run_id in children)
    assert len(azure.asked()) == 1


def test_metrics_are_the_same_where_the_older_service_is_gone(azure, runs, parent):
    children = [each.id for each in runs.children(parent)]
    before = runs.metrics(children)
    azure.turn(**{"metrics.old_service": False})

    assert runs.metrics(children) == before

    asked = len(azure.asked())
    assert runs.metrics(children) == before
    assert len(azure.asked()) < 5 < 100 < asked, "settled runs are asked about once"


def test_an_explanation_needs_an_address_for_all_its_parts_together(azure, runs, best):
    found = runs.explanation(best)

    there = azure.engine.runs.explanation(best)
    assert (found.raw, found.engineered) == (there.raw, there.engineered)
    assert found.method == there.method
    asked = azure.asked()
    assert len([each for each in asked if "blob.core" not in each]) == 2, asked


def test_a_parent_is_explained_by_its_best_child(azure, runs, parent, best):
    assert runs.explanation(parent) == runs.explanation(best)


def test_lists_are_followed_to_their_last_page(azure, runs, parent):
    whole = runs.children(parent), runs.files(parent), runs.list(), runs.experiments()
    azure.turn(page_size=1)

    assert (runs.children(parent), runs.files(parent), runs.list(), runs.experiments()) == whole
    assert len(runs.list(limit=1)) == 1


def test_only_the_end_of_a_long_log_is_read(azure, runs, parent, monkeypatch):
    from services.azure import runs as module
    from services.local.run_journal import MAIN_LOG, RunJournal

    journal = RunJournal(azure.engine.home, azure.engine.store)
    journal.write(parent, MAIN_LOG, b"\n".join(b"line %d" % number for number in range(5000)))
    monkeypatch.setattr(module, "LOG_BYTES", 1000)

    tail = runs.logs(parent, line_limit=3)

    assert tail.text.splitlines() == ["line 4997", "line 4998", "line 4999"]
    assert not tail.complete
    assert [each[-3:] for each in azure.asked()][-1] == "206"


# --- nothing is written by looking ---


def test_reading_never_writes(azure, runs, parent, best):
    before = azure.engine.runs.experiments()

    assert runs.list("an experiment nobody made") == ()
    for ask in (runs.get, runs.children, runs.files, runs.logs, runs.automl_settings):
        ask(parent)
        with pytest.raises(NotFoundError, match="AutoML_none"):
            ask("AutoML_none")
    runs.metrics([best])
    runs.table(best, "confusion_matrix")

    assert [each for each in azure.asked() if not READS.match(each)] == []
    assert azure.engine.runs.experiments() == before


def test_a_canceled_run_is_told_to_the_service_that_runs_it(azure, opened, runs, parent):
    azure.turn(**{"runs.overrides": {parent: {"status": "Running"}}})

    runs.cancel(parent)

    assert azure.asked()[-1].endswith(f"/cancel/{parent} -> 200")
    assert opened.audit.list()[0].action == "run.cancel"


def test_a_run_that_names_another_host_gets_no_token_of_ours(azure, runs, parent):
    odd = {"status": "Running", "cancelUri": "https://example.org/cancel"}
    azure.turn(**{"runs.overrides": {parent: odd}})

    runs.cancel(parent)

    assert azure.asked()[-1].endswith(f"/runs/{parent}/events -> 200")


# --- odd answers ---


def test_a_run_that_cannot_be_read_leaves_the_others_listed(azure, runs, parent):
    whole = runs.list("bank-marketing")
    azure.turn(**{"runs.overrides": {parent: {"createdUtc": "not a date", "properties": None}}})

    listed = {each.id: each for each in runs.list("bank-marketing")}

    assert set(listed) == {each.id for each in whole}
    assert listed[parent].status is RunStatus.UNKNOWN
    assert "cannot be read" in listed[parent].error
    assert runs.get(parent).status is RunStatus.UNKNOWN
    assert runs.children(parent)


@pytest.mark.parametrize("key", ["runNumber", "displayName", "tags", "properties", "error"])
def test_a_field_that_is_missing_hides_nothing_else(azure, runs, parent, key):
    azure.misbehave(Fault(pattern=HISTORY, remove=key))

    assert runs.get(parent).id == parent
    assert parent in [each.id for each in runs.list("bank-marketing")]


@pytest.mark.parametrize("key", ["value", "contentUri", "name"])
def test_an_answer_without_its_contents_is_no_empty_list(azure, runs, parent, best, key):
    azure.misbehave(Fault(pattern=r"/(history|artifact)/v\d", remove=key))
    asks = {
        "value": lambda: runs.children(parent) and runs.list(),
        "contentUri": lambda: runs.table(best, "confusion_matrix"),
        "name": lambda: runs.children(parent),
    }
    with pytest.raises(UnavailableError, match="could not be understood"):
        asks[key]()


def test_one_refusal_is_forgiven(azure, runs, parent):
    for status in (429, 500, 503):
        azure.misbehave(Fault(pattern=HISTORY, status=status, times=1, retry_after_s=60))
        assert parent in [each.id for each in runs.list("bank-marketing")]
        azure.misbehave(Fault(pattern=HISTORY, status=status, times=1, retry_after_s=60))
        assert runs.get(parent).id == parent


def test_an_answer_that_is_no_run_is_not_a_run_that_is_missing(azure, runs, parent):
    azure.misbehave(Fault(pattern=HISTORY, remove="runId"))

    with pytest.raises(UnavailableError, match="could not be understood"):
        runs.get(parent)


def test_finished_is_completed(azure, runs, parent):
    azure.turn(**{"runs.overrides": {parent: {"status": "Finished"}}})

    assert runs.get(parent).status is RunStatus.COMPLETED


def test_runs_of_pipelines_are_runs_too(azure, runs):
    engine = azure.engine
    pipeline_id = recorded_pipelines.published(engine.home, engine.store)
    pipeline_run = engine.pipelines.submit(pipeline_id, experiment="retraining").id

    assert runs.get(pipeline_run).kind is RunKind.PIPELINE
    steps = runs.children(pipeline_run)
    assert [each.kind for each in steps] == [RunKind.STEP] * len(steps)
    assert len(steps) == len(engine.pipelines.steps(pipeline_run))
    assert pipeline_run in [each.id for each in runs.list()]
    assert runs.logs(pipeline_run).complete


# --- Azure is unwell ---

TROUBLES = {
    "throttled": (Fault(pattern=".", status=429), UnavailableError),
    "throttled for a minute": (
        Fault(pattern=".", status=429, retry_after_s=60),
        UnavailableError,
    ),
    "broken": (Fault(pattern=".", status=500), UnavailableError),
    "overloaded": (Fault(pattern=".", status=503), UnavailableError),
    "hanging up": (Fault(pattern=".", drop=True), UnavailableError),
    "babbling": (Fault(pattern=".", body="<html>gateway</html>"), UnavailableError),
    "answering with a list": (Fault(pattern=".", body="[]"), UnavailableError),
    "forbidding": (Fault(pattern=".", status=403), AccessDeniedError),
    "not knowing us": (Fault(pattern=".", status=401), AccessDeniedError),
}
READINGS = {
    "experiments": lambda runs, parent, best: runs.experiments(),
    "list": lambda runs, parent, best: runs.list("bank-marketing"),
    "get": lambda runs, parent, best: runs.get(parent),
    "metrics": lambda runs, parent, best: runs.metrics([best]),
    "files": lambda runs, parent, best: runs.files(best),
    "table": lambda runs, parent, best: runs.table(best, "confusion_matrix"),
    "explanation": lambda runs, parent, best: runs.explanation(best),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_ends_as_a_sentence(azure, runs, parent, best, trouble):
    fault, expected = TROUBLES[trouble]
    azure.misbehave(fault)
    for name, ask in READINGS.items():
        with pytest.raises(expected) as caught:
            ask(runs, parent, best)
        assert str(caught.value).endswith("."), (name, str(caught.value))


@pytest.mark.parametrize("name", ["list", "get", "table"])
def test_a_peer_that_never_answers_is_left_at_the_deadline(azure, opened, runs, parent, best, name):
    opened.connection.deadlines.limit_s = LIMIT_S
    azure.misbehave(Fault(pattern=".", delay_s=60.0))
    started = time.monotonic()

    with pytest.raises(UnavailableError, match=f"within {LIMIT_S:.0f} s"):
        READINGS[name](runs, parent, best)

    assert time.monotonic() - started < LIMIT_S + MARGIN_S


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(pattern=BLOBS, status=403), AccessDeniedError),
        (Fault(pattern=BLOBS, status=404), NotFoundError),
        (Fault(pattern=BLOBS, status=500), UnavailableError),
        (Fault(pattern=BLOBS, drop=True), UnavailableError),
        (Fault(pattern=BLOBS, body="no JSON"), UnavailableError),
    ],
    ids=["forbidden", "gone", "broken", "dropped", "garbage"],
)
def test_a_signature_is_in_no_error(azure, runs, parent, best, fault, expected):
    azure.misbehave(fault)
    readings = [
        lambda: runs.table(best, "confusion_matrix"),
        lambda: runs.explanation(best),
    ]
    if fault.body is None:
        readings += [lambda: runs.file(best, "confusion_matrix"), lambda: runs.logs(parent)]
    for ask in readings:
        with pytest.raises(expected) as caught:
            ask()
        assert SIGNATURE not in "".join(traceback.format_exception(caught.value))
        assert "sig=" not in str(caught.value)


def test_a_signature_in_a_log_is_not_shown(azure, runs, parent):
    from services.local.run_journal import MAIN_LOG, RunJournal

    line = f"reading https://st.blob.core.windows.net/a/b?se=2030&sig={SIGNATURE}%3D&sp=r"
    journal = RunJournal(azure.engine.home, azure.engine.store)
    journal.write(parent, MAIN_LOG, line.encode())

    assert runs.logs(parent).text.endswith("b?se=2030&sig=…&sp=r")


def test_runs_are_listed_while_the_dataset_service_is_not_well(azure, runs, parent):
    azure.misbehave(Fault(pattern=r"/dataset/v1\.0/", status=500))

    assert parent in [each.id for each in runs.list("bank-marketing")]
