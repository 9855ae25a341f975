"""Published pipelines on Azure: what is asked, what is left alone, and what trouble looks like."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from services.azure.pipeline_records import LONG_AGO
from services.azure.workspace import AzureWorkspace
from services.domain import (
    AssetStatus,
    AutoMLSettings,
    DataSource,
    RunStatus,
    SourceKind,
)
from services.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    ServiceError,
    UnavailableError,
)
from services.local.clock import utc_now
from services.local.run_journal import MAIN_LOG
from services.ports import RetrainingPlan
from tests.azure_double.faults import Fault
from tests.azure_double.hand import Double, double
from tests.azure_double.opened import open_azure
from tests.recorded import pipelines as recorded

LIMIT_S = 4.0
AT_ONCE_S = LIMIT_S + 3.0  # the deadline and some air on a busy machine
ROWS = "age,job,y\n" + "".join(f"{20 + n % 40},j{n % 3},{n % 2}\n" for n in range(80))
UNKNOWN = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    with double(tmp_path_factory.mktemp("azure")) as azure, azure.surroundings():
        source = DataSource(kind=SourceKind.UPLOAD, location="people.csv", content=ROWS.encode())
        azure.engine.datasets.register("people", source)
        yield azure


@pytest.fixture(scope="module")
def workspace(azure: Double) -> AzureWorkspace:
    workspace = open_azure(azure)
    workspace.pipelines.list()  # signed in, and the SDK imported
    return workspace


@pytest.fixture(scope="module")
def hasty(azure: Double, workspace: AzureWorkspace) -> AzureWorkspace:
    hasty = open_azure(azure, limit_s=LIMIT_S)
    hasty.pipelines.list()
    return hasty


@pytest.fixture(autouse=True)
def _quiet(azure: Double) -> Iterator[None]:
    azure.asked()
    yield
    azure.misbehave()
    azure.turn(**{"pipelines.extras": {}, "pipelines.more": [], "pipeline_endpoints.more": []})
    assert azure.unknown() == []


@pytest.fixture(scope="module")
def publish(azure: Double) -> Callable[..., str]:
    def publish(name: str = "retrain", **rest: str) -> str:
        plan = RetrainingPlan(
            settings=AutoMLSettings(
                experiment="people",
                dataset_id="people:1",
                label_column_name="y",
                experiment_timeout_minutes=0.1,
            ),
            model_name="",
        )
        return azure.engine.pipelines.publish_retraining(name, plan, **rest).id

    return publish


@pytest.fixture(scope="module")
def pipeline_id(publish: Callable[..., str]) -> str:
    return publish()


@pytest.fixture(scope="module")
def run_id(azure: Double, workspace: AzureWorkspace, pipeline_id: str) -> str:
    """A run that has failed in its first step."""
    run = workspace.pipelines.submit(pipeline_id, "people", parameters={"dataset": "nobody:1"})
    deadline = time.monotonic() + 60
    while not azure.engine.pipelines.run(run.id).status.settled:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return run.id


def asked(azure: Double) -> list[str]:
    """What reached the pipelines service and run history: method and the path's end."""
    return [
        f"{each.split()[0]} {each.split('workspaces/')[1].partition('/')[2].split(' ')[0]}"
        for each in azure.asked()
        if "api.azureml.ms" in each
    ]


# --- request economy --------------------------------------------------------------


def test_every_list_is_one_request(azure, workspace, pipeline_id, run_id):
    port = workspace.pipelines
    for question, path in (
        (port.list, "Pipelines?activeOnly=false"),
        (port.endpoints, "PipelineEndpoints?activeOnly=false"),
        (lambda: port.get(pipeline_id), f"Pipelines/{pipeline_id}"),
        (lambda: port.runs(pipeline_id=pipeline_id), f"PipelineRuns/Pipeline/{pipeline_id}"),
    ):
        azure.asked()
        question()
        assert asked(azure) == [f"GET {path}"]


def test_all_runs_are_one_request_per_pipeline(azure, workspace, pipeline_id, run_id):
    pipelines = workspace.pipelines.list()
    azure.asked()

    runs = workspace.pipelines.runs()

    assert run_id in [run.id for run in runs]
    assert len(asked(azure)) == 1 + len(pipelines)


def test_a_graph_is_asked_for_once(azure, workspace, pipeline_id):
    fresh = open_azure(azure)
    graph = fresh.pipelines.graph(pipeline_id)
    azure.asked()

    assert fresh.pipelines.graph(pipeline_id) == graph
    assert asked(azure) == []
    assert [(node.name, node.kind) for node in graph.nodes] == [
        ("Dataset", "script"),
        ("automl_module", "automl_module"),
        ("Register model", "script"),
    ]


def test_those_who_ask_for_a_graph_at_once_share_one_answer(azure, workspace, run_id):
    fresh = open_azure(azure)
    fresh.pipelines.list()
    azure.turn(latency_s=0.05)
    azure.asked()

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(fresh.pipelines.steps, [run_id] * 6))

    azure.turn(latency_s=0.0)
    assert len(found[0]) == 3 and found == [found[0]] * 6
    assert len([each for each in asked(azure) if each.startswith("GET Graphs/")]) == 1


def test_a_graph_that_could_not_be_read_is_asked_for_again(azure, pipeline_id):
    fresh = open_azure(azure)
    azure.misbehave(Fault(pattern="/Graphs/", status=429))
    with pytest.raises(UnavailableError):
        fresh.pipelines.graph(pipeline_id)
    azure.misbehave()

    assert len(fresh.pipelines.graph(pipeline_id).nodes) == 3


def test_the_steps_of_many_known_runs_are_one_request_each(azure, workspace, pipeline_id, run_id):
    port = workspace.pipelines
    port.runs(pipeline_id=pipeline_id)
    port.graph(pipeline_id)
    azure.asked()

    steps = port.steps_of([run_id, run_id])

    assert asked(azure) == [f"POST PipelineRuns/{run_id}/Graph/AllNodes/Status"] * 2
    assert [step.status for step in steps[run_id]][:1] == [RunStatus.FAILED]


def test_the_log_of_one_step_is_what_it_printed(azure, workspace, run_id):
    workspace.pipelines.steps(run_id)
    azure.asked()

    workspace.pipelines.logs(run_id, "dataset")

    streams = [
        f"POST PipelineRuns/{run_id}/Graph/Shareable/{each}" for each in ("STDOUT", "STDERR")
    ]
    assert asked(azure) == streams


def test_looking_never_writes(azure, workspace, pipeline_id, run_id):
    port = workspace.pipelines
    before = azure.engine.pipelines.list(), azure.engine.runs.experiments()
    azure.asked()

    port.list(), port.get(pipeline_id), port.graph(pipeline_id), port.endpoints()
    port.runs(), port.run(run_id), port.steps(run_id), port.logs(run_id), port.rest_token()

    seen = asked(azure)
    reading = ("Graph/AllNodes/Status", "Graph/Shareable/STDOUT", "Graph/Shareable/STDERR")
    assert [each for each in seen if not (each.startswith("GET") or each.endswith(reading))] == []
    assert (azure.engine.pipelines.list(), azure.engine.runs.experiments()) == before


# --- what changes, and what stays -------------------------------------------------


def test_a_run_and_its_step_say_why_they_failed(workspace, run_id):
    run = workspace.pipelines.run(run_id)
    steps = workspace.pipelines.steps(run_id)

    assert run.status is RunStatus.FAILED
    assert "nobody:1" in run.error
    assert "nobody:1" in steps[0].error
    assert [step.status for step in steps[1:]] == [RunStatus.NOT_STARTED] * 2
    assert steps[0].started_at <= steps[0].ended_at <= run.ended_at
    assert "Dataset: Failed" in workspace.pipelines.logs(run_id).text


def test_a_log_is_its_end_and_says_so(workspace, run_id):
    tail = workspace.pipelines.logs(run_id, line_limit=1)

    assert (tail.line_count, tail.complete) == (1, False)


def test_a_step_that_prints_nothing_shows_the_log_of_its_own_run(azure, workspace, publish):
    engine = azure.engine
    history = recorded.retraining(engine.home, engine.store, days=1, failed=(), now=utc_now())
    (run_id,) = history.run_ids
    training = workspace.pipelines.run(run_id).training_run_id
    log = engine.home / "runs" / str(training) / MAIN_LOG
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("searched\nand found\n")
    azure.misbehave(Fault(pattern="Shareable/STDOUT", status=404))

    text = workspace.pipelines.logs(run_id, "automl_module").text

    assert text == "searched\nand found"
    engine.schedules.delete(history.schedule_id)


def test_an_unknown_parameter_is_refused_before_anything_is_submitted(
    azure, workspace, pipeline_id
):
    azure.asked()

    with pytest.raises(InvalidRequestError, match="no parameter “colour”; it has dataset"):
        workspace.pipelines.submit(pipeline_id, "people", parameters={"colour": "blue"})

    assert asked(azure) == [f"GET Pipelines/{pipeline_id}"]


def test_no_repository_goes_along_with_a_submission(azure, workspace, publish):
    pipeline_id = publish("alone")

    run = workspace.pipelines.submit(pipeline_id, "people", parameters={"dataset": "nobody:1"})

    assert azure.engine.pipelines.run(run.id).run_source == "Dashboard"
    assert [each for each in asked(azure) if each.startswith("POST")] == [
        f"POST PipelineRuns/PipelineSubmit/{pipeline_id}"
    ]


def test_changing_an_endpoint_keeps_what_this_product_does_not_know(azure, workspace, publish):
    first, second = publish("first"), publish("second")
    port = workspace.pipelines
    endpoint = port.create_endpoint("kept", first, description="stable")
    kept = {"tags": {"team": "blue"}, "Properties": {"cost": 7}, "Novelty": [1, {"a": None}]}
    azure.turn(**{"pipelines.extras": {endpoint.id: kept}})
    before = stored(workspace, f"PipelineEndpoints/Id/{endpoint.id}")

    port.disable_endpoint(endpoint.id)
    port.enable_endpoint(endpoint.id)
    port.add_endpoint_version(endpoint.id, second, make_default=False)
    port.set_default_version(endpoint.id, "1")

    after = stored(workspace, f"PipelineEndpoints/Id/{endpoint.id}")
    assert after.pop("DefaultVersion") == "1"
    assert after.pop("PipelineVersionList")[1] == {"Version": "1", "PipelineId": second}
    assert after == {name: before[name] for name in after}
    assert {name: after[name] for name in kept} == kept


def test_a_pipeline_stands_behind_an_endpoint_once(workspace, publish):
    pipeline_id = publish("once")
    endpoint = workspace.pipelines.create_endpoint("once", pipeline_id)

    with pytest.raises(ConflictError, match="version 0 of this endpoint already"):
        workspace.pipelines.add_endpoint_version(endpoint.id, pipeline_id)


def test_changes_are_noted(workspace, publish):
    pipeline_id = publish("noted")

    workspace.pipelines.disable(pipeline_id)
    workspace.pipelines.disable(pipeline_id)

    noted = [event for event in workspace.audit.list() if event.subject.endswith(pipeline_id)]
    ours = [event for event in noted if event.action == "pipeline.disable"]
    assert ours[0].after == {"status": "Disabled"}


def test_what_a_batch_wrote_is_found_in_the_studio(workspace, run_id):
    with pytest.raises(InvalidRequestError, match="studio"):
        workspace.pipelines.batch_output(run_id)


def stored(workspace: AzureWorkspace, path: str) -> dict[str, object]:
    return workspace.pipelines._service.get(path, "entity")


def test_a_callers_post_to_the_address_shown_starts_a_run(workspace, pipeline_id):
    address = workspace.pipelines.get(pipeline_id).endpoint
    body = {
        "ExperimentName": "people",
        "RunSource": "night shift",
        "ParameterAssignments": {"dataset": "nobody:1"},
    }
    token = workspace.pipelines.rest_token()

    refused = requests.post(address, json=body, timeout=10)
    answer = requests.post(
        address, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=10
    )

    assert refused.status_code == 401
    assert answer.ok
    assert workspace.pipelines.run(answer.json()["Id"]).run_source == "night shift"


# --- what cannot be read ----------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"Id": "odd-1", "Name": "odd", "CreatedDate": "yesterday"}, "yesterday"),
        ({"Id": "odd-1"}, "Name is missing"),
        ({"Id": "odd-1", "Name": 7}, "Name is missing"),
        ({"Id": "odd-1", "Name": "odd", "ParameterAssignments": ["a"]}, "cannot be read"),
        (None, "cannot be read"),
        ("odd", "cannot be read"),
    ],
)
def test_one_unreadable_pipeline_does_not_spoil_the_list(azure, workspace, pipeline_id, item, said):
    azure.turn(**{"pipelines.more": [item]})

    listed = workspace.pipelines.list()

    (odd,) = [each for each in listed if each.status is AssetStatus.UNKNOWN]
    assert said in odd.description
    assert pipeline_id in [each.id for each in listed]
    assert workspace.pipelines.runs()


def test_one_unreadable_endpoint_does_not_spoil_the_list(azure, workspace, publish):
    good = workspace.pipelines.create_endpoint("good", publish("good"))
    azure.turn(
        **{"pipeline_endpoints.more": [{"Id": "x", "Name": "odd", "PipelineVersionList": [3]}, 4]}
    )

    listed = workspace.pipelines.endpoints()

    assert good in listed
    unreadable = {each.name for each in listed if each.status is AssetStatus.UNKNOWN}
    assert unreadable == {"odd", "unreadable"}


def test_one_unreadable_run_does_not_spoil_the_list(azure, workspace, publish):
    pipeline_id = publish("with-an-odd-run")
    odd = workspace.pipelines.submit(pipeline_id, "people", parameters={"dataset": "nobody:1"})
    good = workspace.pipelines.submit(pipeline_id, "people", parameters={"dataset": "nobody:1"})
    azure.turn(**{"pipelines.extras": {odd.id: {"CreatedDate": "soon"}}})

    first, second = workspace.pipelines.runs(pipeline_id=pipeline_id)

    assert first.id == good.id
    assert (second.id, second.status, second.created_at) == (odd.id, RunStatus.UNKNOWN, LONG_AGO)
    assert "soon" in second.error
    with pytest.raises(UnavailableError, match="cannot be read"):
        workspace.pipelines.run(odd.id)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Finished", RunStatus.COMPLETED),
        ("3", RunStatus.COMPLETED),
        ("4", RunStatus.CANCELED),
        ("Running", RunStatus.RUNNING),
        ("CancelRequested", RunStatus.CANCEL_REQUESTED),
        ("Exploded", RunStatus.UNKNOWN),
        (None, RunStatus.NOT_STARTED),
    ],
)
def test_a_runs_status_is_one_of_our_words(azure, workspace, run_id, word, status):
    azure.turn(**{"pipelines.extras": {run_id: {"Status": {"StatusCode": word}}}})

    assert workspace.pipelines.run(run_id).status is status


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("0", AssetStatus.ACTIVE),
        ("2", AssetStatus.DISABLED),
        ("Deprecated", AssetStatus.UNKNOWN),
    ],
)
def test_a_pipelines_status_is_one_of_our_words(azure, workspace, pipeline_id, word, status):
    azure.turn(**{"pipelines.extras": {pipeline_id: {"EntityStatus": word}}})

    assert workspace.pipelines.get(pipeline_id).status is status


def test_a_graph_of_older_shape_shows_its_data_and_its_gone_modules(azure, publish):
    pipeline_id = publish("older")
    graph_id = "11111111-2222-3333-4444-555555555555"
    workspace = open_azure(azure)
    known = stored(workspace, f"Pipelines/{pipeline_id}")["GraphId"]
    older = {
        "ModuleNodes": [
            {"Id": "b", "ModuleId": graph_id, "Comment": "train"},
            {"Id": "c", "ModuleId": graph_id},
        ],
        "DatasetNodes": [
            {"Id": "a", "DataSetDefinition": {"ParameterName": "rows"}},
            {"Id": "d", "DatasetId": graph_id},
            {"Id": "e", "DataPathParameterName": "path"},
        ],
        "Edges": [
            {
                "SourceOutputPort": {"NodeId": start, "PortName": "o"},
                "DestinationInputPort": {"NodeId": end, "PortName": "i"},
            }
            for start, end in (("c", "b"), ("a", "c"), ("a", "c"), ("c", None))
        ],
    }
    azure.turn(**{"pipelines.extras": {known: older}})

    graph = workspace.pipelines.graph(pipeline_id)

    assert [(node.id, node.name) for node in graph.nodes] == [
        ("a", "rows"),
        ("c", "c"),
        ("b", "train"),
        ("d", "rows on a datastore"),
        ("e", "path"),
    ]
    assert graph.edges == (("c", "b"), ("a", "c"))


# --- trouble ----------------------------------------------------------------------

AT = r"pipelines/v1\.0"
TROUBLE = {
    "401": (Fault(pattern=AT, status=401), AccessDeniedError, "sign-in"),
    "403": (Fault(pattern=AT, status=403), AccessDeniedError, "role"),
    "429": (Fault(pattern=AT, status=429, retry_after_s=120), UnavailableError, "throttling"),
    "500": (Fault(pattern=AT, status=500), UnavailableError, "HTTP 500"),
    "503": (Fault(pattern=AT, status=503, retry_after_s=120), UnavailableError, "HTTP 503"),
    "timeout": (Fault(pattern=AT, delay_s=15), UnavailableError, "did not answer within 4 s"),
    "garbage": (Fault(pattern=AT, body="<html>{"), UnavailableError, "could not be understood"),
    "no list": (Fault(pattern=AT, body='{"value": []}'), UnavailableError, "be understood"),
    "nothing": (Fault(pattern=AT, body="null"), UnavailableError, "be understood"),
    "dropped": (Fault(pattern=AT, drop=True), UnavailableError, "could not be reached"),
}
QUESTIONS: dict[str, Callable[[AzureWorkspace, str, str], object]] = {
    "list": lambda ws, _, __: ws.pipelines.list(),
    "endpoints": lambda ws, _, __: ws.pipelines.endpoints(),
    "runs": lambda ws, pipeline, _: ws.pipelines.runs(pipeline_id=pipeline),
}


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("question", QUESTIONS)
def test_trouble_is_a_sentence_before_the_deadline(
    azure, hasty, pipeline_id, run_id, question, trouble
):
    fault, kind, sentence = TROUBLE[trouble]
    azure.misbehave(fault)
    started = time.monotonic()

    with pytest.raises(kind, match=sentence) as raised:
        QUESTIONS[question](hasty, pipeline_id, run_id)

    assert time.monotonic() - started < AT_ONCE_S
    assert "Bearer" not in str(raised.value)


ONE: dict[str, Callable[[AzureWorkspace, str, str], object]] = {
    "get": lambda ws, pipeline, _: ws.pipelines.get(pipeline),
    "run": lambda ws, _, run: ws.pipelines.run(run),
    "steps": lambda ws, _, run: ws.pipelines.steps(run),
    "logs": lambda ws, _, run: ws.pipelines.logs(run),
    "submit": lambda ws, pipeline, _: ws.pipelines.submit(pipeline, "people"),
    "disable": lambda ws, pipeline, _: ws.pipelines.disable(pipeline),
}


@pytest.mark.parametrize("question", ONE)
@pytest.mark.parametrize(("status", "kind"), [(404, NotFoundError), (409, ConflictError)])
def test_gone_and_busy_are_told_apart(azure, hasty, pipeline_id, run_id, question, status, kind):
    azure.misbehave(Fault(pattern=AT, status=status))

    with pytest.raises(kind):
        ONE[question](hasty, pipeline_id, run_id)


@pytest.mark.parametrize("question", ["get", "run", "submit", "disable"])
def test_an_answer_without_an_id_is_told(azure, hasty, pipeline_id, run_id, question):
    azure.misbehave(Fault(pattern=AT, remove="Id"))

    with pytest.raises(UnavailableError, match="could not be understood"):
        ONE[question](hasty, pipeline_id, run_id)


def test_a_submission_that_fails_is_not_sent_twice(azure, hasty, publish):
    pipeline_id = publish("fragile")
    azure.misbehave(Fault(pattern="POST .*PipelineSubmit", status=500))
    azure.asked()

    with pytest.raises(UnavailableError):
        hasty.pipelines.submit(pipeline_id, "people")

    assert [each for each in asked(azure) if each.startswith("POST")] == [
        f"POST PipelineRuns/PipelineSubmit/{pipeline_id}"
    ]


def test_one_hiccup_goes_unnoticed(azure, hasty, pipeline_id):
    azure.misbehave(Fault(pattern=AT, status=500, times=1))

    assert hasty.pipelines.get(pipeline_id).id == pipeline_id


def test_the_services_own_sentence_is_shown(azure, workspace, pipeline_id):
    with pytest.raises(InvalidRequestError, match="experiment_timeout_minutes"):
        workspace.pipelines.submit(
            pipeline_id, "people", parameters={"experiment_timeout_minutes": "soon"}
        )


def test_the_token_appears_in_no_log_and_no_error(azure, hasty, pipeline_id, caplog):
    caplog.set_level(logging.DEBUG)
    token = hasty.pipelines.rest_token()
    said = []

    for fault in (each for each, _, _ in TROUBLE.values() if not each.delay_s):
        azure.misbehave(fault)
        try:
            hasty.pipelines.get(pipeline_id)
        except ServiceError as error:
            said.append(f"{error}")

    assert len(said) >= 7
    assert token not in caplog.text + "".join(said)
    assert "Bearer" not in "".join(said)


# --- the SDK's own classes against the double -------------------------------------


def test_the_sdk_reads_what_the_double_has(azure, workspace, pipeline_id, run_id):
    from azureml.core import Experiment
    from azureml.pipeline.core import PipelineRun, PublishedPipeline

    sdk = workspace.connection.workspace
    published = PublishedPipeline.get(sdk, pipeline_id)
    listed = PublishedPipeline.list(sdk, active_only=False)
    run = PipelineRun(Experiment(sdk, "people"), run_id)
    steps = list(run.get_steps())

    assert pipeline_id in [each.id for each in listed]
    assert (published.status, published.name) == ("Active", "retrain")
    assert published.endpoint == workspace.pipelines.get(pipeline_id).endpoint
    assert run.get_status() == "Failed"
    assert {step.get_status() for step in steps if "dataset" in step.id} == {"Failed"}
    assert "nobody:1" in next(step for step in steps if "dataset" in step.id).get_stdout_log()
    assert len(run.get_graph().nodes) == 3
    assert run_id in [each.id for each in PipelineRun.get_pipeline_runs(sdk, pipeline_id)]
    assert not [each for each in azure.asked() if "POST" in each and "DataTypes" in each]


def test_the_sdk_submits_and_cancels(azure, workspace, pipeline_id, capsys):
    from azureml.pipeline.core import PublishedPipeline

    sdk = workspace.connection.workspace
    run = PublishedPipeline.get(sdk, pipeline_id).submit(
        sdk, "people", pipeline_parameters={"primary_metric": "accuracy"}
    )
    run.cancel()

    ours = workspace.pipelines.run(run.id)
    assert (ours.run_source, ours.parameters["primary_metric"]) == ("SDK", "accuracy")
    deadline = time.monotonic() + 60
    while workspace.pipelines.run(run.id).status is not RunStatus.CANCELED:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_sdk_writes_endpoints(azure, workspace, publish):
    from azureml.pipeline.core import PipelineEndpoint, PublishedPipeline

    sdk = workspace.connection.workspace
    first, second = (PublishedPipeline.get(sdk, publish(each)) for each in ("one", "two"))
    endpoint = PipelineEndpoint.publish(sdk, "from-code", "stable", first)
    endpoint.add_default(second)

    (ours,) = [each for each in workspace.pipelines.endpoints() if each.name == "from-code"]
    assert (ours.default_version, dict(ours.versions)) == ("1", {"0": first.id, "1": second.id})
    by_name = PipelineEndpoint.get(sdk, name="from-code")
    by_name.set_default_version("0")
    by_name.disable()
    (ours,) = [each for each in workspace.pipelines.endpoints() if each.name == "from-code"]
    assert (ours.default_version, ours.status) == ("0", AssetStatus.DISABLED)
    by_name.enable()
    run = by_name.submit("people", pipeline_version="1")
    assert workspace.pipelines.run(run.id).pipeline_id == second.id
    assert {each.version for each in by_name.list_versions()} == {"0", "1"}
    workspace.pipelines.cancel(run.id)


def test_what_does_not_exist_is_not_found_by_its_name(workspace):
    with pytest.raises(NotFoundError, match=UNKNOWN):
        workspace.pipelines.get(UNKNOWN)
