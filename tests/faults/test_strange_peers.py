"""A scoring peer answers slowly, in part, with rubbish or never: what is said, and how soon."""

from __future__ import annotations

import time

import pytest

from services import scoring
from services.alerts import probing
from services.alerts.records import Probe
from services.local.clock import utc_now
from services.local.workspace import open_workspace
from tests import scoring_models
from tests.faults.peers import PEERS, answering
from tests.recorded import deployments

ROW = (7, "Scoring peers that misbehave")
TIMEOUT_S = 1.0
PAYLOAD = scoring_models.payload()
SLACK_S = 20.0  # a busy machine; nothing waits for half a minute, as these peers do
NO_ERROR = (  # results, though strange ones
    "answers numbers beyond any float",
    "answers 200,001 rows in odd chunks",
)


@pytest.mark.parametrize("name", PEERS)
def test_live_scoring_says_what_came_of_it(name, figures):
    with answering(PEERS[name]) as uri:
        began = time.monotonic()
        answer = scoring.send(
            uri,
            PAYLOAD,
            timeout_s=TIMEOUT_S,
            retries=scoring.Retries(attempt_limit=2, pause_s=0.05, longest_pause_s=0.2),
            classes=("no", "yes"),
        )
        took_s = time.monotonic() - began

    assert took_s < SLACK_S
    assert answer.ok == (name in NO_ERROR)
    assert answer.ok or answer.error.endswith((".", "…", "!", "?"))
    said = answer.error or f"result {str(answer.results)[:60]}"
    figures.add("Live scoring", name, f"{answer.status or 'no answer'}: {said}"[:250], took_s)


@pytest.mark.parametrize("name", PEERS)
def test_a_probe_fails_with_the_reason(name, tmp_path, figures, monkeypatch):
    monkeypatch.setattr(probing, "TIMEOUT_S", TIMEOUT_S)
    workspace = open_workspace(tmp_path)
    with answering(PEERS[name]) as uri:
        port = int(uri.split(":")[2].split("/")[0])
        deployments.deployment(tmp_path, workspace.store, "bank", port=port)
        began = time.monotonic()
        found = probing.probe(
            workspace,
            Probe(deployment="bank", enabled=True, interval_s=60, payload=PAYLOAD),
            now=utc_now,
            examples=probing.Examples(workspace),
        )
        took_s = time.monotonic() - began

    assert took_s < SLACK_S
    assert found.duration_ms >= 0
    assert found.ok == (name in NO_ERROR)
    assert found.ok or found.reason
    figures.add("probe", name, f"{'ok' if found.ok else found.reason}"[:250], took_s)
