"""Two dashboards and three tabs do the same thing at the same time: exactly one wins."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from services.domain import (
    DataSource,
    Frequency,
    KeyKind,
    LoadTestPlan,
    Recurrence,
    RunStatus,
    SourceKind,
)
from services.errors import ServiceError
from services.local.workspace import LocalWorkspace, open_workspace
from services.rotation import RotationStep
from tests import scoring_models
from tests.recorded import deployments, pipelines, runs

ROW = (8, "Two dashboards and three tabs at once")
PROCESSES, TABS = 2, 3
CSV = "age,job,y\n" + "".join(f"{20 + n % 40},job{n % 3},{n % 2}\n" for n in range(80))
DAILY = Recurrence(frequency=Frequency.DAY, start_time=datetime(2030, 5, 1, 13, 0))


# What each tab does; "changed" unless it fails.


def register_dataset(workspace: LocalWorkspace, tab: int) -> object:
    source = DataSource(kind=SourceKind.UPLOAD, location="people.csv", content=CSV.encode())
    return workspace.datasets.register("people", source).id


def register_model(workspace: LocalWorkspace, tab: int) -> object:
    run = workspace.runs.list("bank-marketing")[0]
    return workspace.models.register(run.id, "answers").id


def create_deployment(workspace: LocalWorkspace, tab: int) -> object:
    return workspace.deployments.begin_create("second", "bank:1").name


def delete_deployment(workspace: LocalWorkspace, tab: int) -> object:
    return workspace.deployments.delete("bank")


def begin_rotation(workspace: LocalWorkspace, tab: int) -> object:
    return workspace.rotations.begin("bank").step


def callers_moved(workspace: LocalWorkspace, tab: int) -> object:
    return workspace.rotations.advance("bank", RotationStep.TO_SECONDARY).step


def roll_primary(workspace: LocalWorkspace, tab: int) -> object:
    return workspace.rotations.advance("bank", RotationStep.ROLL_PRIMARY).step


def regenerate_key(workspace: LocalWorkspace, tab: int) -> object:
    return workspace.deployments.begin_regenerate_key("bank", KeyKind.PRIMARY)


def begin_load_test(workspace: LocalWorkspace, tab: int) -> object:
    plan = LoadTestPlan(deployment="bank", payload=scoring_models.payload(), requests=10)
    return workspace.load_tests.begin(plan).id


def create_endpoint(workspace: LocalWorkspace, tab: int) -> object:
    pipeline = workspace.pipelines.list()[0]
    return workspace.pipelines.create_endpoint("front", pipeline.id).id


def edit_schedule(workspace: LocalWorkspace, tab: int) -> object:
    schedule = workspace.schedules.list()[0]
    return workspace.schedules.update(
        schedule.id, name=f"by tab {tab}", description=f"by tab {tab}"
    ).name


def cancel_run(workspace: LocalWorkspace, tab: int) -> object:
    run = workspace.pipelines.runs()[0]
    return workspace.pipelines.cancel(run.id)


def retry_run(workspace: LocalWorkspace, tab: int) -> object:
    run = workspace.pipelines.runs()[-1]
    return workspace.pipelines.retry(run.id).id


def _dashboard(
    act: Callable[[LocalWorkspace, int], object],
    home: Path,
    first_tab: int,
    gate: object,
    said: object,
) -> None:
    """One process with a thread per tab, all let go at the same moment."""
    from concurrent.futures import ThreadPoolExecutor

    workspace = open_workspace(home)

    def tab(number: int) -> tuple[str, str]:
        gate.wait(60)  # type: ignore[attr-defined]
        try:
            return "done", str(act(workspace, number))
        except ServiceError as error:
            return type(error).__name__, str(error)
        except Exception as error:  # whatever it is, it is reported and fails the test
            return "UNEXPECTED", f"{type(error).__name__}: {error}"

    with ThreadPoolExecutor(TABS) as tabs:
        found = list(tabs.map(tab, range(first_tab, first_tab + TABS)))
    said.put(found)  # type: ignore[attr-defined]


def at_once(act: Callable[[LocalWorkspace, int], object], home: Path) -> list[tuple[str, str]]:
    """How it ended for each tab of each dashboard."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["services.local.workspace", "pandas", __name__])
    gate, said = context.Barrier(PROCESSES * TABS), context.Queue()
    children = [
        context.Process(target=_dashboard, args=(act, home, number * TABS, gate, said))
        for number in range(PROCESSES)
    ]
    for child in children:
        child.start()
    found = [each for _ in children for each in said.get(timeout=90)]
    for child in children:
        child.join(30)
        assert child.exitcode == 0
    assert "UNEXPECTED" not in {kind for kind, _ in found}, found
    return found


@pytest.fixture
def workspace(tmp_path: Path) -> LocalWorkspace:
    workspace = open_workspace(tmp_path)
    scoring_models.register(tmp_path, workspace.store, "bank:1")
    deployments.deployment(tmp_path, workspace.store, "bank", model_id="bank:1")
    deployments.supervised(workspace.store)
    runs.automl(tmp_path, workspace.store, model=True)
    pipeline_id = pipelines.published(tmp_path, workspace.store)
    workspace.pipelines.submit(pipeline_id, "people")
    workspace.schedules.create("daily", DAILY, pipeline_id=pipeline_id, experiment="people")
    return workspace


@pytest.fixture
def act(workspace, figures):
    def act(operation: Callable[[LocalWorkspace, int], object]) -> list[tuple[str, str]]:
        with figures.timed(
            operation.__name__.replace("_", " "), f"{PROCESSES} dashboards × {TABS} tabs"
        ) as said:
            found = at_once(operation, workspace.home)
            kinds = Counter(kind for kind, _ in found)
            said += [f"{count} × {kind}" for kind, count in kinds.most_common()]
            said += sorted({f"“{text}”" for kind, text in found if kind != "done"})[:1]
        return found

    return act


def done(found: list[tuple[str, str]]) -> list[str]:
    return [text for kind, text in found if kind == "done"]


def audited(workspace: LocalWorkspace, action: str) -> int:
    return sum(each.action == action for each in workspace.audit.list(limit=1000))


@pytest.mark.parametrize("operation", [register_dataset, register_model])
def test_each_registration_is_a_version_of_its_own(workspace, act, operation):
    found = act(operation)

    assert len(set(done(found))) == PROCESSES * TABS
    for asset in done(found):
        name, _, version = asset.partition(":")
        if operation is register_dataset:
            assert len(workspace.datasets.frame(name, int(version))) == 80
        else:
            assert (workspace.models.folder(name, int(version)) / "model.pkl").stat().st_size


@pytest.mark.parametrize(
    "operation", [create_deployment, begin_rotation, begin_load_test, create_endpoint]
)
def test_exactly_one_wins_and_the_others_get_a_sentence(act, operation):
    found = act(operation)

    assert len(done(found)) == 1
    assert {kind for kind, _ in found} == {"done", "ConflictError"}
    assert all(text.endswith(".") for kind, text in found if kind != "done")


def test_deleting_what_somebody_else_deletes_is_done_once(workspace, act):
    found = act(delete_deployment)

    assert len(done(found)) == PROCESSES * TABS  # it is gone, which is what each wanted
    assert not workspace.deployments.list()
    assert audited(workspace, "deployment.delete") == 1


def test_a_rotation_takes_one_step(workspace, act):
    workspace.rotations.begin("bank")

    act(callers_moved)

    rotation = workspace.rotations.latest("bank")
    assert rotation is not None
    assert (rotation.step, rotation.asked_at) == (RotationStep.ROLL_PRIMARY, None)
    assert audited(workspace, "rotation.step") == 1


def test_a_rotation_asks_for_a_key_once(workspace, act):
    workspace.rotations.begin("bank")
    callers_moved(workspace, 0)
    before = workspace.deployments.keys("bank")

    act(roll_primary)

    assert workspace.deployments.keys("bank").secondary == before.secondary
    assert audited(workspace, "deployment.regenerate key") == 1


def test_an_edited_schedule_is_as_one_tab_left_it(workspace, act):
    act(edit_schedule)

    schedule = workspace.schedules.list()[0]
    assert schedule.name == schedule.description


def test_a_run_is_cancelled_once(workspace, act):
    found = act(cancel_run)

    assert done(found)
    assert workspace.pipelines.runs()[0].status is RunStatus.CANCELED
    assert audited(workspace, "pipeline.cancel") == 1


def test_a_run_is_retried_once(workspace, act):
    with workspace.store.transaction() as db:
        db.execute("UPDATE pipeline_runs SET status = 'Failed', error = 'x'")

    found = act(retry_run)

    assert len(set(done(found))) == 1
    assert len(workspace.pipelines.runs()) == 2
