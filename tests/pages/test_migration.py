"""Migration: what has ended, where assets go, and the code of every action."""

from __future__ import annotations

from tests.recorded import overview


def test_it_says_what_has_ended_and_since_when(open_page):
    page = open_page("migration")

    assert not page.exception
    text = " ".join(element.value for element in page.main.markdown)
    assert "Azure Machine Learning SDK v1" in text
    assert "30 June 2026" in text


def test_an_empty_workspace_has_nothing_to_move(open_page):
    page = open_page("migration")

    assert not page.dataframe
    assert "nothing to move" in " ".join(element.value for element in page.main.markdown)


def test_each_asset_of_the_workspace_is_listed_with_its_target(open_page, local_workspace):
    overview.filled(local_workspace)

    page = open_page("migration")

    rows = page.dataframe[0].value
    there = {*rows["Name"]}
    assert {each.id for each in local_workspace.models.list()} <= there
    assert {each.name for each in local_workspace.deployments.list()} <= there
    assert {each.name for each in local_workspace.schedules.list()} <= there
    assert all(rows["In SDK v2"])


def test_an_address_opens_the_code_of_an_action(open_page):
    page = open_page("migration", part="Code", action="Schedule a pipeline every 24 hours")

    v1, v2 = (each.value for each in page.main.code)
    assert "ScheduleRecurrence" in v1
    assert "JobSchedule" in v2


def test_what_v2_cannot_do_is_said(open_page):
    page = open_page("migration", part="Code", action="Disable a published pipeline")

    assert len(page.main.code) == 1
    assert "no equivalent" in page.info[0].value


def test_the_code_beside_an_action_holds_its_values_once_it_is_opened(
    open_page, home, local_workspace
):
    overview.filled(local_workspace)
    page = open_page("deployment_health")
    assert not any("Webservice" in each.value for each in page.code)
    name = page.selectbox(key="deployment").value

    page.session_state["code.deployment.keys+deployment.regenerate"] = True
    page.run()

    assert not page.exception
    v1 = next(each.value for each in page.code if "azureml.core" in each.value)
    assert f'Webservice(ws, "{name}").get_keys()' in v1
    keys = local_workspace.deployments.keys(name)
    assert not any(
        key in each.value for each in page.code for key in (keys.primary, keys.secondary)
    )


def test_a_form_shows_its_own_values_as_code(open_page, local_workspace):
    overview.filled(local_workspace)
    page = open_page("models")
    model = local_workspace.models.list()[0]
    page.session_state["models.deploy"] = model.id
    page.session_state["code.deployment.create"] = True
    page.run()
    page.number_input(key="deploy.cpu").set_value(2.5).run()

    assert not page.exception
    v1 = next(each.value for each in page.code if "deploy_configuration" in each.value)
    assert "cpu_cores=2.5" in v1
    assert f'Model(ws, name="{model.name}", version={model.version})' in v1
