"""Every kind of trouble each of Azure's services can make: which error, what it says, how soon.

The table is left in ``test-results/azure-faults.md``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.azure import sdk
from services.azure.runs import AzureRuns
from services.azure.workspace import AzureWorkspace
from services.domain import DeploymentState, ScoringAnswer
from services.errors import ServiceError
from tests.azure_double.faults import Fault
from tests.azure_double.hand import Double, double
from tests.azure_double.opened import open_azure
from tests.azure_double.seed import DEPLOYMENT

TABLE = Path(__file__).resolve().parents[2] / "test-results" / "azure-faults.md"
LIMIT_S = float(os.environ.get("AZURE_FAULTS_LIMIT_S", "4"))  # 15 in use: the same sentences
SLACK_S = 20.0  # a busy machine
SERVER_S = 90.0
ANSWER = "an answer"  # what no trouble may look like
ROW = '{"data": [{"age": 41, "job": "admin.", "pdays": 999}]}'

FAULTS = {
    "401": {"status": 401},
    "403": {"status": 403},
    "404": {"status": 404},
    "409": {"status": 409},
    "429": {"status": 429, "retry_after_s": 1},
    "500": {"status": 500},
    "503": {"status": 503},
    "timeout": {"delay_s": 2 * LIMIT_S},
    "garbage JSON": {"body": "<html>Our services aren't available right now</html>"},
    "missing keys": {"body": "{}"},
    "dropped connection": {"drop": True},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    pattern: str
    ask: Callable[[AzureWorkspace], object]
    afresh: bool = False  # with a connection that has never been used


def _fresh_metrics(workspace: AzureWorkspace) -> object:
    """Past what is remembered of settled runs."""
    return AzureRuns(workspace.connection).metrics([RUN[0]])


def _run_id(workspace: AzureWorkspace) -> str:
    runs = workspace.runs.list("bank-marketing")
    return next(each.best_child_id for each in runs if each.best_child_id)


SERVICES = {
    "Entra sign-in": Service(
        pattern=r"login\.microsoftonline\.com.*/token", afresh=True, ask=lambda w: w.models.list()
    ),
    "Resource Manager": Service(
        pattern=r"management\.azure\.com.*/workspaces/", afresh=True, ask=lambda w: w.models.list()
    ),
    "Run history": Service(pattern=r"/history/", ask=lambda w: w.runs.list("bank-marketing")),
    "Metrics": Service(pattern=r"/metric/v2\.0", ask=_fresh_metrics),
    "Artifacts": Service(
        pattern=r"/artifact/v2\.0", ask=lambda w: w.runs.table(RUN[0], "confusion_matrix")
    ),
    "Blob storage": Service(
        pattern=r"blob\.core\.windows\.net", ask=lambda w: w.runs.table(RUN[0], "confusion_matrix")
    ),
    "Datasets": Service(pattern=r"/dataset/v1\.0", ask=lambda w: w.datasets.list()),
    "Models": Service(pattern=r"/modelmanagement/.*/models", ask=lambda w: w.models.list()),
    "Web services": Service(
        pattern=r"/modelmanagement/.*/services", ask=lambda w: w.deployments.list()
    ),
    "Keys": Service(pattern=r"/listkeys", ask=lambda w: w.deployments.keys(DEPLOYMENT)),
    "Pipelines": Service(pattern=r"/pipelines/.*/Pipelines", ask=lambda w: w.pipelines.list()),
    "Schedules": Service(pattern=r"/pipelines/.*/Schedules", ask=lambda w: w.schedules.list()),
    "Application Insights": Service(
        pattern=r"applicationinsights\.io",
        ask=lambda w: w.telemetry.query("requests | take 1", timeout_s=LIMIT_S),
    ),
    "Scoring endpoint": Service(
        pattern=r"azurecontainer\.io",
        ask=lambda w: w.scoring.score(DEPLOYMENT, ROW, timeout_s=LIMIT_S),
    ),
}
RUN = [""]  # of a child whose charts and metrics are asked for


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
    """One that has been asked before, so that only the service in trouble matters."""
    workspace = open_azure(azure, limit_s=LIMIT_S)
    RUN[0] = _run_id(workspace)
    for service in SERVICES.values():
        service.ask(workspace)
    return workspace


@pytest.fixture(scope="module")
def table() -> Iterator[list[str]]:
    rows = ["| Service | Trouble | What comes of it | Sentence | After |", "|---|---|---|---|---|"]
    yield rows
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text("\n".join([*rows, ""]), "utf-8")


@pytest.mark.parametrize("name", SERVICES)
def test_trouble_is_a_sentence_within_the_deadline(azure, opened, table, name):
    service = SERVICES[name]
    for trouble, effect in FAULTS.items():
        workspace = open_azure(azure, limit_s=LIMIT_S) if service.afresh else opened
        azure.misbehave(Fault(pattern=service.pattern, **effect))  # type: ignore[arg-type]
        began = time.monotonic()
        kind, sentence = _outcome(service, workspace)
        elapsed_s = time.monotonic() - began
        azure.misbehave()
        table.append(f"| {name} | {trouble} | {kind} | {sentence} | {elapsed_s:.1f} s |")

        assert kind != ANSWER, f"{name}, {trouble}: {sentence}"
        assert elapsed_s < LIMIT_S + SLACK_S, f"{name}, {trouble}"
        assert "Bearer" not in sentence
        assert "Headers" not in sentence


def _outcome(service: Service, workspace: AzureWorkspace) -> tuple[str, str]:
    """An error's kind and its words; anything but a `ServiceError` is a bug and stays loud."""
    try:
        answer = service.ask(workspace)
    except ServiceError as error:
        return type(error).__name__, str(error).replace("|", "¦").replace("\n", " ")
    if isinstance(answer, ScoringAnswer) and not answer.ok:
        return "the answer's error", str(answer.error).replace("|", "¦").replace("\n", " ")
    return ANSWER, str(answer)[:80].replace("|", "¦").replace("\n", " ")


def test_after_the_trouble_everything_answers_again(azure, opened):
    azure.misbehave()

    for name, service in SERVICES.items():
        kind, said = _outcome(service, opened)
        assert kind == ANSWER, f"{name}: {said}"
