"""The Retraining view over an Azure ML workspace: what is held there, and what it costs to look."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dashboard import formats, memory, session
from services.alerts.records import Band
from services.domain import RunStatus
from services.local.clock import utc_now
from services.retraining_policy import (
    Candidate,
    Check,
    DecisionState,
    Judgement,
    Mark,
    Policy,
    replay,
)
from services.retraining_rounds import RetrainingRounds
from tests.azure_double.hand import Double, double
from tests.pages.test_pipeline_schedules import PAGE, button, frame, texts
from tests.recorded import pipelines as recorded

EXPERIMENT = "bank-retraining"
BAND = Band(experiment=EXPERIMENT, metric="AUC_weighted", fail_below=0.947)


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    """Five days of a nightly retraining, the second one failed, on Azure."""
    with double(tmp_path_factory.mktemp("azure")) as azure:
        engine = azure.engine
        recorded.retraining(engine.home, engine.store, days=5, failed=(1,), now=utc_now())
        yield azure


@pytest.fixture
def pipeline_id(azure) -> str:
    return azure.engine.pipelines.list()[0].id


@pytest.fixture
def open_azure_page(home, azure, monkeypatch, request) -> Iterator[object]:
    """As `open_page`, with the page's workspace on Azure."""
    for name, value in azure.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DASHBOARD_BACKEND", "azure")
    yield request.getfixturevalue("open_page")
    assert azure.unknown() == []


@pytest.fixture
def policy(open_azure_page, pipeline_id) -> Policy:
    policy = Policy(pipeline_id=pipeline_id, deployment="bank", model_name="bank", golden=False)
    session.workspace().retraining.save(policy)
    return policy


def pipelines_asked(azure: Double) -> list[str]:
    memory.clear()
    return [each for each in azure.asked() if "/pipelines/v1.0/" in each]


def waiting(azure, policy) -> str:
    """A run that ended under the policy and passed; the rest of the work is the watcher's."""
    loop = session.workspace().retraining
    run_id = recorded.ended(
        azure.engine.store, policy.pipeline_id, None, home=azure.engine.home, experiment=EXPERIMENT
    )
    loop.take_up(policy.pipeline_id, session.workspace().pipelines.runs())
    passed = Judgement((Check("Metric range", Mark.PASSED, "Within its bands."),))
    loop.decided(run_id, passed, None, "bank:2")
    return run_id


def read(policy) -> None:
    workspace = session.workspace()
    RetrainingRounds(workspace, workspace.retraining, clock=utc_now).take_up()
    memory.clear()


def test_nothing_is_looked_at_before_a_pipeline_is_chosen(open_azure_page, azure, pipeline_id):
    pipelines_asked(azure)

    page = open_azure_page(PAGE, view="Retraining")

    assert not page.exception
    assert "Azure does not list which of its pipelines retrain" in texts(page)
    assert len(pipelines_asked(azure)) == 1
    chosen = open_azure_page(PAGE, view="Retraining", retraining=pipeline_id)
    assert not chosen.exception
    assert "4 of 5 runs" in [each.delta for each in chosen.metric]
    assert "Save a policy below" in texts(chosen)
    assert len(pipelines_asked(azure)) == 2


def test_a_policy_is_saved_from_the_form(open_azure_page, azure, pipeline_id):
    key = f"retraining-policy-{pipeline_id}"
    page = open_azure_page(PAGE, view="Retraining", retraining=pipeline_id)
    page.session_state[f"{key}.form"] = True
    page.run()

    page.toggle(key=f"{key}.on").set_value(True).run()
    page.text_input(key=f"{key}.deployment").set_value("bank").run()
    page.text_input(key=f"{key}.model").set_value("bank").run()
    button(page, "Save policy").click().run()

    assert not page.exception
    (kept,) = session.workspace().retraining.policies()
    assert (kept.pipeline_id, kept.deployment, kept.enabled) == (pipeline_id, "bank", True)
    assert azure.engine.retraining.policies() == ()
    assert "Nobody judges its runs" in texts(page)  # no watcher runs beside this test


def test_what_waits_shows_its_way_and_is_approved(open_azure_page, azure, policy):
    run_id = waiting(azure, policy)
    pipelines_asked(azure)

    page = open_azure_page(PAGE, view="Retraining")  # what is held is looked at first

    assert not page.exception
    assert len(pipelines_asked(azure)) == 2
    assert f"Register: {formats.plain('It is bank:2.')}" in texts(page)
    assert "Approval: Nobody has answered yet" in texts(page)
    page.text_input(key=f"retraining-decision-{run_id}.note").set_value("seen").run()
    button(page, "Approve and deploy").click().run()

    assert not page.exception
    (decision,) = session.workspace().retraining.decisions(policy.pipeline_id)
    assert (decision.state, decision.note) == (DecisionState.APPROVED, "seen")
    assert formats.plain("approved it: seen") in texts(page)
    assert "Deploy: bank is asked for" in texts(page)


def test_the_past_is_judged_once_the_watcher_has_read_it(open_azure_page, azure, policy):
    workspace = session.workspace()
    workspace.bands.save(BAND)
    read(policy)

    page = open_azure_page(PAGE, view="Retraining")
    page.session_state["retraining.past"] = True
    page.run()

    assert not page.exception
    engine = azure.engine
    table = frame(page, "Would be").set_index("Why")["Would be"]
    runs = [each for each in engine.pipelines.runs() if each.run_source == "Schedule"]
    past = []
    for run in runs:
        best = engine.runs.get(run.training_run_id).best_child_id
        past.append(_candidate(run, engine.runs.metrics([best])[best] if best else {}))
    expected = replay(policy, past, [BAND])
    verdicts = [judgement.accepted for _, judgement in expected]
    assert True in verdicts and verdicts.count(False) > 1  # the failed one, and by the band
    for _, judgement in expected:
        wanted = ["Accepted" if judgement.accepted else "Rejected"]
        assert wanted in list(table.loc[[judgement.why]])


def _candidate(run, metrics):
    done = run.status is RunStatus.COMPLETED
    return Candidate(
        run_id=run.id, status=run.status, error=run.error, metrics=metrics if done else {}
    )
