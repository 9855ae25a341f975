"""A deployment held in Transitioning: amber from the 95th percentile of its own past updates."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.domain import DeploymentState
from services.local import deployment_rows
from services.local.clock import utc_now
from tests.recorded import deployments as recorded

PAST_S = range(100, 2100, 100)  # twenty updates; their 95th percentile is the nineteenth


@pytest.mark.parametrize(("held_s", "amber"), [(1_860, False), (1_960, True)])
def test_it_turns_amber_beyond_the_95th_percentile_of_past_updates(
    open_page, local_workspace, held_s, amber
):
    home, store = local_workspace.home, local_workspace.store
    recorded.passages(store, "bank", seconds=PAST_S, kind="update model")
    recorded.passages(store, "bank", seconds=(5, 6, 7), kind="create")  # says nothing of updates
    recorded.passages(store, "other", seconds=(5, 6, 7), kind="update model")  # nor do others'
    began = utc_now() - timedelta(seconds=held_s)
    recorded.deployment(home, store, "bank", state=DeploymentState.TRANSITIONING, at=began)
    with store.transaction() as db:
        db.execute("DELETE FROM deployment_transitions WHERE ended_at IS NULL")
        deployment_rows.begin_transition(db, "bank", "update model", began)

    page = open_page("deployment_health", deployment="bank")

    shown = " ".join(each.value for each in page.caption)
    assert "20 earlier passages" in shown
    assert "worry after 31 min" in shown or "worry after 32 min" in shown, shown
    warned = [each.value for each in page.warning if "takes longer than usual" in each.value]
    assert bool(warned) is amber
    assert all("Open the log" in each for each in warned)
