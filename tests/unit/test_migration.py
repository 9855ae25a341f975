"""The code behind each click, what has ended, and where assets would go."""

from __future__ import annotations

import ast
import importlib
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from services.domain import Dataset, Model
from services.errors import NotFoundError
from services.migration import sunset
from services.migration.actions import ACTIONS
from services.migration.code import code
from services.migration.report import Effort, moves

ROOT = Path(__file__).resolve().parents[2]
OWN = {"steps"}  # modules a reader would write
NOT_INSTALLED = {"azureml.train.automl"}  # needs a package of its own


def audited() -> set[str]:
    """Every action the adapters note in the audit log."""
    found: set[str] = set()
    for path in (ROOT / "services").rglob("*.py"):
        found |= set(re.findall(r'action="([a-z_]+\.[a-z_]+)"', path.read_text()))
    return found


def test_every_change_that_azure_knows_has_its_code():
    ours = {"flow", "load_test", "alert", "alerts", "pin", "probe", "band", "channel"}
    known = {each.key for each in ACTIONS}
    missing = {each for each in audited() - known if each.split(".")[0] not in ours}
    assert not {each for each in missing if each.split(".")[0] in {"dataset", "run", "model"}}
    assert not {each for each in missing if each.split(".")[0] in {"deployment", "pipeline"}}
    assert not {each for each in missing if each.startswith(("pipeline_endpoint", "schedule"))}


def shown() -> dict[str, set[str]]:
    """Action → the components that offer its code beside what they do."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "dashboard" / "components").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "migration_code.popover":
                for each in (part for word in node.args for part in ast.walk(word)):
                    if isinstance(each, ast.Constant) and isinstance(each.value, str):
                        found.setdefault(each.value, set()).add(path.stem)
    return found


def test_every_action_has_its_code_beside_it():
    assert set(shown()) == {each.key for each in ACTIONS}


@pytest.mark.parametrize("action", ACTIONS, ids=lambda each: each.key)
def test_the_v1_code_is_python_that_the_installed_sdk_understands(action):
    tree = ast.parse(code(action.key).v1)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module not in OWN | NOT_INSTALLED:
            module = importlib.import_module(str(node.module))
            assert all(hasattr(module, each.name) for each in node.names), ast.unparse(node)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda each: each.key)
def test_the_v2_code_is_python_or_its_absence_is_explained(action):
    both = code(action.key)
    ast.parse(both.v2)
    assert both.v2 or both.v2_note


@pytest.mark.parametrize("name", ["it's", 'a "b"', "$name", "{name}", "a\nimport os"])
def test_a_name_stays_a_value_whatever_it_holds(name):
    tree = ast.parse(code("deployment.delete", name=name).v1)
    values = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert name in values


def test_an_unknown_action_is_not_found():
    with pytest.raises(NotFoundError):
        code("deployment.dance")


@pytest.mark.parametrize(
    ("today", "words", "over"),
    [
        (date(2026, 6, 29), "1 day left", False),
        (date(2026, 6, 30), "last day", False),
        (date(2026, 7, 1), "ended 1 day ago", True),
        (date(2026, 11, 22), "ended 145 days ago", True),
    ],
)
def test_the_end_of_support_is_counted_in_days(today, words, over):
    first = next(
        each for each in sunset.standings(today) if each.fact.what.endswith("Learning SDK v1")
    )
    assert (first.words, first.over) == (words, over)


def test_facts_are_sourced_and_name_pages_that_exist():
    for fact in sunset.FACTS:
        assert fact.source.startswith("https://")
        assert all((ROOT / "pages" / f"{page}.py").is_file() for page in fact.pages)


def test_every_asset_has_a_target_and_code():
    at = datetime(2026, 11, 22, tzinfo=UTC)
    model = Model(name="bank", version=3, created_at=at)
    (dataset, moved) = moves(
        datasets=[Dataset(name="people", version=1, created_at=at, source="people.csv")],
        models=[model],
        deployments=[],
        pipelines=[],
        endpoints=[],
        schedules=[],
    )

    assert (dataset.kind, dataset.name, dataset.effort) == ("Dataset", "people:1", Effort.REGISTER)
    assert (moved.name, moved.effort) == ("bank:3", Effort.NONE)
    assert code(dataset.action).v2
