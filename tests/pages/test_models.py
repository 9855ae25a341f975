"""The Models page: what is registered, its descent and explanation, and deploying it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from dashboard.components import deploy_form, register_form
from services.domain import DeploymentState
from tests.recorded import datasets, deployments, runs


def texts(page):
    return " ".join(each.value for each in (*page.markdown, *page.caption))


def charts(page):
    return {each.proto.id.rsplit("-models.", 1)[-1]: json.loads(each.proto.spec)
            for each in page.get("plotly_chart")}  # fmt: skip


def links(page):
    return {
        each.proto.label.replace("\\", ""): (each.proto.page, each.proto.query_string)
        for each in page.main.get("page_link")
    }


def words(table, column):
    return [list(cell) for cell in table[column]]


def button(page, label):
    return next(each for each in page.main.button if each.label == label)


@pytest.fixture
def run_id(local_workspace):
    """A completed search."""
    return runs.automl(local_workspace.home, local_workspace.store)


@pytest.fixture
def model(local_workspace, run_id):
    """The best of it, registered."""
    return local_workspace.models.register(run_id, "bank", tags={"stage": "new"})


@pytest.fixture
def deployed(local_workspace):
    """Record a deployment of a model."""

    def deployed(model_id, name="bank-live", **options):
        deployments.deployment(
            local_workspace.home,
            local_workspace.store,
            name,
            model_id=model_id,
            at=datetime.now(UTC),
            **options,
        )
        deployments.supervised(local_workspace.store)

    return deployed


def test_an_empty_workspace_says_what_to_do_next(open_page):
    page = open_page("models")

    assert not page.exception
    assert "register its best model" in texts(page)


def test_every_version_is_listed_with_its_source_and_tags(open_page, local_workspace, run_id):
    local_workspace.models.register(run_id, "bank", tags={"stage": "old"})
    local_workspace.models.register(run_id, "bank", tags={"stage": "new", "checked": ""})

    table = open_page("models").dataframe[0].value

    assert [name.split(" ")[-1] for name in table["Model"]] == ["bank:2", "bank:1"]
    assert words(table, "Tags") == [["stage: new", "checked"], ["stage: old"]]
    assert list(table["Algorithm"]) == ["VotingEnsemble"] * 2
    assert list(table["Score"]) == [local_workspace.runs.get(run_id).score] * 2


def test_used_by_follows_the_deployments(open_page, local_workspace, model, deployed):
    deployed(model.id)
    assert words(open_page("models").dataframe[0].value, "Used by") == [["bank-live"]]

    local_workspace.deployments.delete("bank-live")
    assert words(open_page("models").dataframe[0].value, "Used by") == [[]]


def test_filters_are_in_the_address(open_page, local_workspace, run_id):
    for name in ("bank", "bank", "cars"):
        local_workspace.models.register(run_id, name)

    latest = open_page("models", latest="true").dataframe[0].value
    found = open_page("models", search="CARS").dataframe[0].value

    assert [name.split(" ")[-1] for name in latest["Model"]] == ["cars:1", "bank:2"]
    assert [name.split(" ")[-1] for name in found["Model"]] == ["cars:1"]


def test_a_link_opens_its_version(open_page, local_workspace, run_id):
    for _ in range(2):
        local_workspace.models.register(run_id, "bank")

    page = open_page("models", model="bank:1")

    assert [each.value.replace("\\", "") for each in page.subheader] == ["bank:1"]
    assert [name.split(" ")[0] for name in page.dataframe[0].value["Model"]] == [
        ":material/radio_button_unchecked:",
        ":material/radio_button_checked:",
    ]


def test_a_link_to_a_model_that_is_gone_says_so(open_page, model):
    page = open_page("models", model="bank:7")

    assert "bank:7" in page.error[0].value


def test_the_lineage_is_a_line_of_links(open_page, local_workspace, run_id, model, deployed):
    deployed(model.id)
    datasets.people(local_workspace)

    page = open_page("models")

    best = local_workspace.runs.get(local_workspace.runs.get(run_id).best_child_id)
    found = links(page)
    assert found["bank:1"] == ("dataset", "dataset=bank&version=1")
    label = f"{best.display_name} · run {best.number}"
    assert found[label][0] == "training_runs"
    assert f"run={run_id}" in found[label][1] and f"child={best.id}" in found[label][1]
    assert found["bank-live"] == ("deployment_health", "deployment=bank-live")


def test_a_run_that_is_gone_is_a_broken_link_not_a_blank(open_page, local_workspace, model):
    with local_workspace.store.transaction() as db:
        db.execute("UPDATE models SET run_id = 'AutoML_gone_1'")

    page = open_page("models")

    assert not page.exception
    assert "run is gone" in texts(page)


def test_the_weights_of_an_ensemble_sum_to_one(open_page, local_workspace, model):
    page = open_page("models")

    (bars,) = charts(page)["ensemble"]["data"]
    members = local_workspace.runs.ensemble(model.run_id)
    assert sum(bars["x"]) == pytest.approx(1)
    assert bars["x"] == [member.weight for member in members]
    assert [name.split(" · ")[0] for name in bars["customdata"]] == [
        member.algorithm for member in members
    ]
    assert "weights sum to 1.0000" in texts(page)


def test_a_single_model_has_no_members(open_page, local_workspace, run_id):
    local_workspace.models.register(f"{run_id}_0", "single")

    assert "is a single model" in texts(open_page("models"))


def test_the_most_important_features_are_the_stored_ones(open_page, local_workspace, model):
    page = open_page("models", top="1")

    (bars,) = charts(page)["importance-raw"]["data"]
    explanation = local_workspace.runs.explanation(model.run_id)
    assert bars["customdata"] == [explanation.raw[0][0]]
    assert bars["x"] == [explanation.raw[0][1]]


def test_engineered_features_have_their_tab_under_the_same_slider(
    open_page, local_workspace, model
):
    page = open_page("models", features="Engineered features", top="2")

    (bars,) = charts(page)["importance-engineered"]["data"]
    explanation = local_workspace.runs.explanation(model.run_id)
    assert bars["customdata"] == [name for name, _ in explanation.engineered[:2]]


def test_a_missing_explanation_says_not_computed_and_what_to_do(open_page, local_workspace, run_id):
    local_workspace.models.register(f"{run_id}_0", "single")

    page = open_page("models")

    assert "Not computed" in texts(page)
    assert "Run the search again" in texts(page)
    assert links(page)["Open the run"] == ("training_runs", f"run={run_id}")


def test_the_inputs_are_the_contracts(open_page, local_workspace, model):
    page = open_page("models", **{"model-view": "Inputs"})

    shown = page.dataframe[1].value
    contract = local_workspace.models.contract(model.id)
    assert list(shown["Column"]) == [column.name for column in contract.columns]
    assert list(shown["Values"]) == ["17 to 98", "admin., technician"]


def test_notes_are_saved(open_page, local_workspace, model):
    page = open_page("models", **{"model-view": "Notes"})

    page.text_area[0].set_value("In use since May.")
    page.main.text_input(key=f"models.tags-{model.id}").set_value("stage=production, checked")
    button(page, "Save").click().run()

    saved = local_workspace.models.get(model.id)
    assert saved.description == "In use since May."
    assert dict(saved.tags) == {"stage": "production", "checked": ""}


# --- deploying --------------------------------------------------------------------


def test_the_form_deploys_what_it_says(open_page, local_workspace, model):
    page = open_page("models")

    button(page, "Deploy").click().run()
    page.text_input(key=f"deploy.name-{model.id}").set_value("bank-next").run()
    page.number_input(key="deploy.cpu").set_value(0.5).run()
    page.toggle(key="deploy.telemetry").set_value(False).run()
    page.button(key="deploy.go").click().run()

    assert not page.exception
    (deployment,) = local_workspace.deployments.list()
    assert (deployment.name, deployment.model_id) == ("bank-next", model.id)
    assert (deployment.cpu_cores, deployment.memory_gb) == (0.5, 1.0)
    assert (deployment.auth_enabled, deployment.telemetry_enabled) == (True, False)
    assert "bank-next" in links(page)


def test_a_taken_name_is_refused_before_it_is_sent(open_page, local_workspace, model, deployed):
    deployed(model.id, "bank")
    page = open_page("models")

    button(page, "Deploy").click().run()
    assert page.text_input(key=f"deploy.name-{model.id}").value == "bank-2"
    page.text_input(key=f"deploy.name-{model.id}").set_value("bank").run()

    assert "already deployed" in texts(page)
    assert page.button(key="deploy.go").disabled
    assert len(local_workspace.deployments.list()) == 1


def test_the_note_about_the_tenth_of_a_core_is_there(open_page, model):
    page = open_page("models")

    button(page, "Deploy").click().run()

    assert "0.1 core" in texts(page)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (DeploymentState.TRANSITIONING, "starting"),
        (DeploymentState.HEALTHY, "Healthy"),
        (DeploymentState.FAILED, "Failed"),
    ],
)
def test_a_deployment_is_followed_from_the_model(open_page, model, deployed, state, words):
    deployed(model.id, state=state)

    page = open_page("models")

    assert not page.exception
    assert words in texts(page) or words in str([each.proto for each in page.get("badge")])
    assert ("Score with it" in links(page)) == (state is DeploymentState.HEALTHY)


@pytest.mark.parametrize(
    ("name", "words"),
    [("", "3 to 32"), ("Bank", "lowercase"), ("ab", "3 to 32"), ("bank-", "dash"), ("bank", "")],
)
def test_a_name_is_checked_as_azure_would(name, words):
    refused = deploy_form.refused(name, {"other"})

    assert words in refused if words else refused == ""


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("Bank Marketing (synthetic)", "bank-marketing-synthetic"),
        ("7 up", "model-up"),
        ("ü", "model"),
        ("x" * 60, "x" * 28),
    ],
)
def test_a_suggested_name_is_acceptable(model, expected):
    suggested = deploy_form.suggested(model, ())

    assert suggested == expected
    assert deploy_form.refused(suggested, ()) == ""


def test_tags_are_read_as_they_are_written():
    assert register_form.read_tags(" stage = new , checked,, =x") == {"stage": "new", "checked": ""}
