"""Scripts as people wrote them for SDK v1 run on the double, unchanged.

They are started as programs, in a folder with the portal's ``config.json``, with nothing but
the environment that ``make azure-double`` prints.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.domain import DeploymentState, RunStatus
from tests.azure_double.hand import Double, double
from tests.azure_double.seed import DEPLOYMENT

SCRIPTS = Path(__file__).with_name("scripts")
PROGRAM_S, SERVER_S = 300.0, 90.0

Run = Callable[[str], str]


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    with double(tmp_path_factory.mktemp("azure"), demo=True) as azure:
        deadline = time.monotonic() + SERVER_S
        while azure.engine.deployments.get(DEPLOYMENT).state is not DeploymentState.HEALTHY:
            assert time.monotonic() < deadline, "the seeded deployment did not start"
            time.sleep(0.3)
        yield azure


@pytest.fixture
def run(azure: Double, tmp_path: Path) -> Iterator[Run]:
    """``run("consume")``: what the script printed; a request nobody foresaw fails the test."""
    shutil.copy(azure.environment["DASHBOARD_WORKSPACE_CONFIG"], tmp_path / "config.json")

    def run(name: str) -> str:
        ended = subprocess.run(
            [sys.executable, SCRIPTS / f"{name}.py"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], **azure.environment},
            capture_output=True,
            text=True,
            timeout=PROGRAM_S,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    azure.unknown()
    yield run
    assert azure.unknown() == []


def test_application_insights_is_turned_on_and_the_log_is_read(run, azure):
    azure.engine.deployments.begin_update(DEPLOYMENT, telemetry=False)

    printed = run("app_insights_and_logs")

    assert "app insights: True" in printed
    assert "bank-marketing:1" in printed
    assert azure.engine.deployments.get(DEPLOYMENT).telemetry_enabled


def test_rows_are_scored_with_a_key_and_refused_without(run):
    answered, refused = run("consume").strip().splitlines()

    assert answered.startswith("200 ")
    assert answered.count("no") + answered.count("yes") == 2
    assert refused == "401"


def test_a_published_pipeline_is_submitted_by_sdk_and_by_rest(run, azure):
    before = {each.id for each in azure.engine.pipelines.runs()}

    printed = run("submit_pipeline")

    new = [each for each in azure.engine.pipelines.runs() if each.id not in before]
    assert len(new) == 2
    assert all(each.id in printed for each in new)
    for each in new:
        azure.engine.pipelines.cancel(each.id)
    assert all(each.experiment == "bank-retraining" for each in new)
    assert RunStatus.FAILED not in {each.status for each in new}


def test_a_schedule_is_made_listed_and_disabled(run, azure):
    printed = run("schedule")

    assert "Daily retraining Active Day 1" in printed
    assert "after: Disabled" in printed
    made = next(each for each in azure.engine.schedules.list() if each.name == "Daily retraining")
    assert made.recurrence.start_time.year == 2035


def test_the_metrics_of_the_best_child_are_read(run):
    printed = run("run_metrics")

    assert "children: 6" in printed
    assert "AUC_weighted: 0.98" in printed
    assert "files: True" in printed
