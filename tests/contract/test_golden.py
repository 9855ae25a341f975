"""What is promised about golden sets: asked by schedule, kept, and told when one fails."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from services.alerts import checks
from services.alerts import rules as catalog
from services.alerts.gathering import Gatherer
from services.alerts.golden_rounds import EVERY, GoldenRounds
from services.errors import NotFoundError
from services.local.clock import utc_now
from services.scored.gate import Asker
from tests.contract import served


@pytest.fixture(scope="module")
def deployed(workspace, engine) -> str:
    return served.healthy(workspace, engine)


@pytest.fixture
def case(workspace, deployed):
    """A golden case that the deployment answers as expected."""
    contract = workspace.scoring.contract(deployed)
    row = {column.name: column.example for column in contract.columns}
    payload = json.dumps({"data": [row]})
    answer = workspace.scoring.score(deployed, payload)
    assert answer.ok, answer.error
    model_id = workspace.deployments.get(deployed).model_id
    kept = workspace.scored.remember(deployed, model_id, payload, answer)
    workspace.scored.name(kept.id, "A clerk")
    workspace.scored.expect(kept.id, answer.results)
    yield kept
    workspace.scored.delete(kept.id)


def told(workspace) -> list[str]:
    rules = catalog.with_defaults(())
    snapshot = Gatherer(workspace).look(rules, now=utc_now())
    found = checks.findings(snapshot, rules, now=utc_now())
    return [each.entry.detail for each in found if each.entry.rule == "golden_failed"]


def test_a_flipped_label_is_noticed_told_and_resolved(workspace, deployed, case):
    rounds = GoldenRounds(workspace, clock=utc_now)
    rounds.ask_due()
    assert (workspace.golden.verdicts(deployed)[0].passed, told(workspace)) == (True, [])

    workspace.scored.expect(case.id, ["neither"])
    assert rounds.ask_due() == 1

    verdict = workspace.golden.verdicts(deployed)[0]
    assert verdict.asked_by is Asker.ROUND
    assert verdict.wrong[0].startswith("A clerk: Row 1: ")
    (detail,) = told(workspace)
    assert "A clerk" in detail and "instead of “neither”" in detail

    workspace.scored.expect(case.id, case.answer.results)  # what was said of it stands again
    assert told(workspace) == []


def test_it_is_asked_once_an_hour_while_nothing_changes(workspace, deployed, case):
    now = utc_now()
    rounds = GoldenRounds(workspace, clock=lambda: now)
    rounds.ask_due()

    assert rounds.ask_due() == 0
    now += EVERY - timedelta(seconds=1)
    assert rounds.ask_due() == 0
    now += timedelta(seconds=1)
    assert rounds.ask_due() == 1


def test_without_a_golden_set_nothing_is_asked(workspace, deployed):
    assert GoldenRounds(workspace, clock=utc_now).ask_due() == 0
    assert told(workspace) == []


def test_what_is_not_deployed_has_no_verdict_and_cannot_be_overruled(workspace):
    assert workspace.golden.verdicts("nobody-here") == ()
    if workspace.backend == "local":
        with pytest.raises(NotFoundError):
            workspace.golden.overrule("nobody-here", "bank:1", reason="because")
