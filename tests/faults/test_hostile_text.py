"""Markup and control characters wherever a name or a sentence comes from somebody else."""

from __future__ import annotations

import json

import pytest

from services.alerts.records import Channel, ChannelKind
from services.domain import Frequency, Recurrence
from services.errors import InvalidRequestError
from services.local.workspace import LocalWorkspace
from tests.faults.hostile import CLEAN, Seen
from tests.recorded import alerts, datasets, load_tests, overview, pipelines, runs

ROW = (9, "Markup and control characters")
VIEWS = {
    "overview": [{}],
    "dataset": [
        {"dataset": name, "dataset-view": view}
        for name in ("bank", "odd")
        for view in ("Profile", "Preview", "Contract", "Compare")
    ],
    "training_runs": [{}, {"run": "parent"}, {"run": "child"}, {"run": "failed"}],
    "models": [{}, {"model": "bank-marketing:1"}],
    "deployment_health": [
        {"deployment": "bank", "view": view} for view in ("Overview", "API documentation", "Log")
    ],
    "app_insights": [{}],
    "live_scoring": [
        {"deployment": "bank", "input": each} for each in ("Form", "JSON", "CSV file")
    ],
    "benchmark_results": [{}],
    "pipeline_schedules": [
        {"view": view}
        for view in ("Schedules", "Pipelines", "Runs", "Retraining", "Batch inference")
    ],
    "alerts": [{"view": view} for view in ("Incidents", "Rules", "Channels", "Quiet hours")],
    "migration": [{}, {"part": "Code"}],
    "settings": [
        {"part": each} for each in ("Settings", "Changes", "Versions", "Switch workspace")
    ],
}
# Texts a back end supplies: what is free here, and what is only free in Azure.
COLUMNS = {
    "datasets": ("description", "source"),
    "runs": ("display_name", "error"),
    "models": ("description", "algorithm", "framework"),
    "deployments": ("description", "error"),
    "load_tests": ("name", "error"),
    "pipelines": ("name", "description"),
    "pipeline_runs": ("error", "run_source"),
    "pipeline_steps": ("name", "error"),
    "pipeline_endpoints": ("name", "description"),
    "schedules": ("name", "description"),
    "firings": ("reason",),
    "incidents": ("title", "detail", "note", "resolution", "acknowledged_by"),
    "probe_results": ("reason",),
    "audit": ("actor", "action"),
    "flow_steps": ("title", "detail"),
    "deployment_transitions": ("kind",),
}
JSONS = {"datasets": "tags", "runs": "tags", "models": "tags"}


def recorded(workspace: LocalWorkspace) -> None:
    """Something on every page, all of whose free texts are hostile."""
    home, store = workspace.home, workspace.store
    overview.filled(workspace)
    word = CLEAN.replace("\n", " ").replace('"', "'")
    rows = "".join(f'"{word} {n % 3}",{n},{n % 2}\n' for n in range(60))
    datasets.register(workspace, "odd", f'"{word}",number,y\n{rows}')
    runs.failed(home, store, experiment="bank-marketing")
    load_tests.failed(store)
    pipelines.batch(home, store)
    alerts.month(workspace)
    channel = Channel(id="", name=CLEAN, kind=ChannelKind.WEBHOOK)
    workspace.alerts.save_channel(channel, secret="http://127.0.0.1:9/hook")
    with store.transaction() as db:
        known = {row[0] for row in db.execute("SELECT name FROM sqlite_master").fetchall()}
        for table, columns in COLUMNS.items():
            assert table in known, table
            for column in columns:
                db.execute(f"UPDATE {table} SET {column} = ? || abs(random() % 1000000)", (CLEAN,))
        for table, column in JSONS.items():
            db.execute(f"UPDATE {table} SET {column} = ?", (json.dumps({CLEAN: CLEAN}),))


def run_ids(workspace: LocalWorkspace) -> dict[str, str]:
    with workspace.store.reading() as db:
        rows = db.execute("SELECT id, parent_id, status FROM runs ORDER BY created_at").fetchall()
    return {
        "parent": next(row["id"] for row in rows if row["parent_id"] is None),
        "child": next(row["id"] for row in rows if row["parent_id"] is not None),
        "failed": next(row["id"] for row in rows if row["status"] == "Failed"),
    }


@pytest.fixture
def filled(local_workspace: LocalWorkspace) -> LocalWorkspace:
    recorded(local_workspace)
    return local_workspace


@pytest.mark.parametrize("name", VIEWS)
def test_a_page_shows_it_as_it_stands(filled, open_page, figures, name):
    seen = Seen()
    ids = run_ids(filled)
    for address in VIEWS[name]:
        page = open_page(name, **{key: ids.get(each, each) for key, each in address.items()})
        seen.look(page)
    figures.add(
        name,
        "its texts hostile",
        f"{seen.texts} texts read, {seen.hostile} with hostile parts, as text",
    )
    assert not seen.wrong, seen.report()


NAMES = (
    CLEAN,
    "a\x00b",
    "a\nb",
    "\u202eabc",
    "x" * 10_000,
    "<b>",
    "../../etc",
    "",
    " ",
    "$x$",
    ":a:",
)


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_name_that_is_part_of_a_path_or_an_address_is_refused_at_the_door(
    local_workspace, figures, name
):
    workspace = local_workspace
    pipeline_id = pipelines.published(workspace.home, workspace.store)
    daily = Recurrence(frequency=Frequency.DAY)
    asked = (
        lambda: datasets.register(workspace, name, "a,b\n1,2\n"),
        lambda: workspace.models.register("AutoML_1", name),
        lambda: workspace.deployments.begin_create(name, "bank:1"),
        lambda: workspace.pipelines.create_endpoint(name, pipeline_id),
        lambda: workspace.schedules.create(
            name, daily, pipeline_id=pipeline_id, experiment="people"
        ),
        lambda: workspace.schedules.create(
            "daily", daily, pipeline_id=pipeline_id, experiment=name
        ),
    )
    for ask in asked:
        with pytest.raises(InvalidRequestError, match="has") as refused:
            ask()
        assert len(str(refused.value)) < 400
    figures.add(repr(name)[:40], "given as the name of six kinds of things", "refused six times")
