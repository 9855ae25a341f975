"""Deployment health: state, addresses, keys, settings, log and documentation of a deployment."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from dashboard import people, tickets
from dashboard.components import deployment_documentation
from services.access import Actor, Role
from services.domain import ColumnContract, ColumnType, DataContract, DeploymentState, KeyKind
from services.errors import NotFoundError, UnavailableError
from services.local import deployment_rows
from services.local.clock import utc_now
from services.scored.gate import Asker, GoldenVerdict
from tests.recorded import deployments as recorded

CONTRACT = DataContract(
    columns=(ColumnContract(name="age", type=ColumnType.INTEGER, nullable=False, example=38),),
    label="y",
    classes=("no", "yes"),
)


@pytest.fixture
def store(local_workspace):
    recorded.supervised(local_workspace.store)
    return local_workspace.store


@pytest.fixture
def bank(home, store) -> str:
    return recorded.deployment(home, store, "bank")


@pytest.fixture
def port(local_workspace):
    return local_workspace.deployments


def texts(page) -> str:
    kinds = (page.markdown, page.caption, page.warning, page.error, page.subheader, page.code)
    return "\n".join(str(each.value) for kind in kinds for each in kind)


def button(page, key):
    return next(each for each in page.button if each.key == key)


def listed(page):
    """The table of deployments."""
    return page.dataframe[0].value


def answer(page, key, verb="yes"):
    """Confirm the question a button asks."""
    page = button(page, key).click().run()
    return button(page, f"{key}.{verb}").click().run()


# --- what is here ---


def test_an_empty_workspace_says_what_to_do_next(open_page):
    page = open_page("deployment_health")

    assert not page.exception
    assert "Nothing is deployed yet" in texts(page)


@pytest.mark.parametrize(
    "state",
    [
        DeploymentState.HEALTHY,
        DeploymentState.UNHEALTHY,
        DeploymentState.TRANSITIONING,
        DeploymentState.FAILED,
    ],
)
def test_the_state_is_shown_in_azures_own_word(open_page, home, store, state):
    recorded.deployment(home, store, "bank", state=state, at=utc_now() - timedelta(seconds=20))

    page = open_page("deployment_health")

    assert not page.exception
    assert list(listed(page)["state"]) == [[state.value]]
    assert f"{state.value}" in texts(page)


def test_every_field_of_a_deployment_is_listed(open_page, home, store, port):
    recorded.deployment(home, store, "bank", telemetry=True, auth=False)

    row = listed(open_page("deployment_health")).iloc[0]

    deployment = port.get("bank")
    assert row["name"] == "bank"
    assert row["model"] == deployment.model_id
    assert row["compute"] == "Local"
    assert (row["auth"], row["telemetry"]) == ("None", "On")
    assert row["scoring"] == deployment.scoring_uri
    assert row["swagger"] == deployment.swagger_uri
    assert row["created"] == deployment.created_at
    assert row["updated"] == deployment.updated_at


def test_an_address_that_is_not_there_yet_says_so(open_page, home, store):
    recorded.deployment(home, store, "bank", state=DeploymentState.TRANSITIONING, at=utc_now())

    page = open_page("deployment_health")

    assert listed(page).iloc[0]["scoring"] == "not ready"
    assert texts(page).count("not ready") == 2


def test_a_link_reopens_the_deployment_it_was_copied_from(open_page, home, store, bank):
    recorded.deployment(home, store, "bank-next", at=recorded.STARTED + timedelta(days=1))

    page = open_page("deployment_health", deployment="bank")

    assert page.selectbox(key="deployment").value == "bank"
    assert page.subheader[0].value == "bank"


def test_a_row_of_the_table_opens_its_deployment(open_page, home, store, bank):
    recorded.deployment(home, store, "bank-next", at=recorded.STARTED + timedelta(days=1))
    page = open_page("deployment_health", deployment="bank")

    page.session_state["deployment"] = "bank-next"
    page = page.run()

    assert page.subheader[0].value == "bank\\-next"


def test_an_outage_is_a_sentence_not_a_traceback(open_page, bank, port, monkeypatch):
    def outage():
        raise UnavailableError("Azure ML did not answer.")

    monkeypatch.setattr(port, "list", outage)

    page = open_page("deployment_health")

    assert not page.exception
    assert "did not answer" in page.warning[0].value


def test_a_failure_and_its_reason_are_loud(open_page, home, store):
    recorded.deployment(home, store, "bank", state=DeploymentState.FAILED, error="It broke.")

    page = open_page("deployment_health")

    assert [each.value for each in page.error] == ["It broke."]


def test_a_failed_deployment_is_tried_again(open_page, home, store, port):
    recorded.deployment(home, store, "bank", state=DeploymentState.FAILED)

    page = button(open_page("deployment_health"), "health.again-bank").click().run()

    assert not page.exception
    assert port.get("bank").state is DeploymentState.TRANSITIONING


def test_a_name_made_of_markup_is_only_text(open_page, home, store):
    recorded.deployment(home, store, "bank", model_id="<img src=x onerror=alert(1)>:1")

    page = open_page("deployment_health")

    assert not page.exception
    assert not re.search(r"(?<!\\)<img", texts(page))  # every bracket is escaped


def test_the_core_and_what_the_gate_measured_are_shown(open_page, bank):
    page = open_page("deployment_health")

    values = {each.label: each.value for each in page.metric}
    assert values == {"CPU for one row": "0.06 ms", "Rows compared": "2,500"}
    assert "ONNX Runtime" in texts(page)
    assert "1.8e-07" in texts(page)


# --- transitions ---


def transitioning(home, store, *, for_s: float):
    began = utc_now() - timedelta(seconds=for_s)
    return recorded.deployment(home, store, "bank", state=DeploymentState.TRANSITIONING, at=began)


def test_a_transition_says_how_long_and_what_is_usual(open_page, home, store):
    recorded.passages(store, "bank", seconds=(9, 11, 12), kind="create")
    transitioning(home, store, for_s=5)

    page = open_page("deployment_health")

    shown = texts(page)
    assert "usually 11 s (3 earlier passages); worry after 12 s" in shown
    assert "Last event:" in shown
    assert not page.warning


def test_a_transition_beyond_the_usual_turns_amber_with_the_next_step(open_page, home, store):
    recorded.passages(store, "bank", seconds=(9, 11, 12), kind="create")
    transitioning(home, store, for_s=30)

    page = open_page("deployment_health")

    assert "longer than usual" in page.warning[0].value
    assert "Open the log" in page.warning[0].value


def test_a_deployment_without_history_is_compared_with_the_others(open_page, home, store):
    recorded.passages(store, "other", seconds=(20, 21, 22), kind="create")
    transitioning(home, store, for_s=5)

    assert "usually 21 s" in texts(open_page("deployment_health"))


def test_settings_cannot_be_changed_in_transition(open_page, home, store):
    transitioning(home, store, for_s=5)

    page = open_page("deployment_health")

    assert button(page, "health.telemetry-bank").disabled


# --- what can I do ---


def test_application_insights_is_turned_on_after_a_question(open_page, bank, port):
    page = open_page("deployment_health")

    page = answer(page, "health.telemetry-bank")

    assert not page.exception
    deployment = port.get("bank")
    assert deployment.state is DeploymentState.TRANSITIONING
    assert deployment.telemetry_enabled is False  # until the server says so itself
    (decision,) = [e for e in _audit(port) if e["action"] == "deployment.update"]
    assert '"telemetry": true' in decision["after"]
    assert decision["actor"]


def test_no_is_an_answer(open_page, bank, port):
    page = open_page("deployment_health")

    answer(page, "health.telemetry-bank", "no")

    assert port.get("bank").state is DeploymentState.HEALTHY


def _audit(port):
    with port._store.reading() as db:
        return db.execute("SELECT * FROM audit").fetchall()


def test_keys_are_masked_until_they_are_asked_for(open_page, bank):
    page = open_page("deployment_health")

    assert recorded.PRIMARY not in texts(page)
    assert recorded.SECONDARY not in texts(page)
    page = page.toggle(key="health.Primary-bank.show").set_value(True).run()
    assert recorded.PRIMARY in texts(page)
    assert recorded.SECONDARY not in texts(page)


def test_no_key_is_kept_in_the_session(open_page, bank):
    page = open_page("deployment_health")
    page = page.toggle(key="health.Primary-bank.show").set_value(True).run()

    kept = str(page.session_state._state.filtered_state)

    assert recorded.PRIMARY not in kept
    assert recorded.SECONDARY not in kept


@pytest.mark.parametrize("kind", KeyKind)
def test_a_key_is_regenerated_after_a_question(open_page, bank, port, kind):
    page = open_page("deployment_health")

    page = answer(page, f"health.regenerate-{kind.value}-bank")

    assert not page.exception
    with port._store.reading() as db:
        row = deployment_rows.read(db, "bank")
    planned = {KeyKind.PRIMARY: "next_primary_key", KeyKind.SECONDARY: "next_secondary_key"}
    assert [row[planned[each]] is not None for each in KeyKind] == [
        each is kind for each in KeyKind
    ]


def test_the_page_says_when_the_new_key_is_there(open_page, bank, port, store):
    page = answer(open_page("deployment_health"), "health.regenerate-Primary-bank")
    with store.transaction() as db:
        row = deployment_rows.read(db, "bank")
        deployment_rows.adopt_keys(db, row, utc_now())

    page = page.run()

    assert "primary key was regenerated" in page.toast[0].value
    assert port.keys("bank").primary != recorded.PRIMARY


def test_a_deployment_for_anonymous_callers_has_no_keys_to_show(open_page, home, store):
    recorded.deployment(home, store, "bank", auth=False)

    assert "accepts anonymous calls" in texts(open_page("deployment_health"))


def test_another_version_is_chosen_and_asked_about(open_page, home, store, bank, port):
    recorded.model(home, store, "bankmarketing:2")
    page = open_page("deployment_health")
    assert "Behind by 1" in texts(page)

    page = answer(page, "health.update-bank")

    assert port.get("bank").model_id == "bankmarketing:2"
    assert port.get("bank").state is DeploymentState.TRANSITIONING


def test_deleting_needs_the_exact_name(open_page, bank, port):
    page = button(open_page("deployment_health"), "health.delete-bank").click().run()
    assert button(page, "health.delete-bank.yes").disabled

    page = page.text_input(key="health.delete-bank.typed").set_value("ban").run()
    assert button(page, "health.delete-bank.yes").disabled
    page = page.text_input(key="health.delete-bank.typed").set_value("bank").run()
    page = button(page, "health.delete-bank.yes").click().run()

    assert not page.exception
    with pytest.raises(NotFoundError):
        port.get("bank")
    assert "Nothing is deployed yet" in texts(page)


def test_a_viewer_is_offered_no_action(open_page, bank, monkeypatch):
    monkeypatch.setattr(people, "visitor", lambda: Actor("ann@example.org", Role.VIEWER))
    page = open_page("deployment_health")

    assert not page.exception
    changing = ("health.", "rotation.", "probe.")
    assert [each.key for each in page.button if str(each.key).startswith(changing)] == []


# --- the log ---


def test_the_log_states_how_much_of_it_is_here(open_page, bank):
    page = open_page("deployment_health", view="Log")

    assert "The whole log, 9 lines. At most 5,000 lines can be read." in texts(page)


def log_table(page):
    return page.dataframe[1].value


def test_echoes_and_repetitions_fold_to_one_entry_with_a_count(open_page, home, store):
    log = "This is init\nno request id,This is init\n"
    recorded.deployment(home, store, "bank", log=log)

    page = open_page("deployment_health", view="Log")

    (entry,) = log_table(page).to_dict("records")
    assert (entry["text"], entry["count"]) == ("This is init", 2)
    page = page.toggle(key="health.log-fold").set_value(False).run()
    assert len(log_table(page)) == 2


def test_the_log_is_searched_and_filtered_by_severity(open_page, bank):
    page = open_page("deployment_health", view="Log")

    page = page.text_input(key="health.log-search").set_value("MISSING").run()
    (entry,) = log_table(page).to_dict("records")
    assert entry["severity"] == ["Warning"]

    page = page.text_input(key="health.log-search").set_value("").run()
    page = page.button_group(key="health.log-severity").set_value(["Error"]).run()
    (entry,) = log_table(page).to_dict("records")
    assert "the model failed" in entry["text"]
    assert "ValueError: boom" in page.code[-1].value  # the traceback, whole


# --- the documentation ---


def test_the_documentation_is_framed_from_this_address(open_page, bank, port, monkeypatch):
    monkeypatch.setattr(port, "swagger", lambda name: {"paths": {"/": {"get": {}}}})

    page = open_page("deployment_health", view="API documentation")

    (frame,) = page.get("iframe")
    assert frame.proto.src.startswith("/api/deployments/bank/documentation?theme=")
    assert "ticket" not in frame.proto.src


def test_a_ticket_stands_for_the_key_when_the_operator_asks(open_page, bank, port, monkeypatch):
    monkeypatch.setattr(port, "swagger", lambda name: {"paths": {}})
    page = open_page("deployment_health", view="API documentation")

    page = page.toggle(key="health.use-key-bank").set_value(True).run()

    (frame,) = page.get("iframe")
    ticket = frame.proto.src.partition("ticket=")[2]
    assert tickets.admits(ticket, "bank")
    assert not tickets.admits(ticket, "another")
    assert recorded.PRIMARY not in frame.proto.src
    page.toggle(key="health.use-key-bank").set_value(False).run()
    assert not tickets.admits(ticket, "bank")


def test_a_deployment_without_a_description_is_explained(open_page, bank, port, monkeypatch):
    def missing(name):
        raise NotFoundError("API description for the deployment", name)

    monkeypatch.setattr(port, "swagger", missing)

    page = open_page("deployment_health", view="API documentation")

    assert page.warning[0].value == "Swagger not found"
    assert "input and output schema" in texts(page)
    assert not page.get("iframe")
    assert deployment_documentation.HEIGHT_PX > 600


@pytest.fixture
def held_back(home, store, bank, local_workspace) -> str:
    """The gate took an update back, and its server has said so."""
    name = "A clerk"
    verdict = GoldenVerdict(
        deployment=bank, model_id="bank:2", asked_by=Asker.GATE, at=utc_now(), count=2,
        wrong=(f"{name}: Row 1: “no” instead of “yes”.",),
    )  # fmt: skip
    local_workspace.golden.record(verdict)
    recorded.model(home, store, "bank:2")
    with store.transaction() as db:
        row = deployment_rows.read(db, bank)
        db.execute("UPDATE deployments SET model_id = 'bank:2' WHERE name = ?", (bank,))
        taken = dict(row) | {"model_id": "bank:2", "served_model_id": "bank:1"}
        deployment_rows.take_back_model(db, taken, verdict.why, utc_now())
    return name


def test_what_the_golden_set_held_back_is_named_with_its_case(open_page, held_back):
    page = open_page("deployment_health")

    assert not page.exception
    assert "held back bank" in texts(page)
    assert f"{held_back}\\: Row 1" in texts(page)
    assert "The cause is not known" not in texts(page)
    assert button(page, "health.overrule-bank").disabled


def test_it_is_served_anyway_only_with_a_reason_that_is_kept(open_page, held_back, local_workspace):
    page = open_page("deployment_health")
    page.text_input(key="health.overrule-reason-bank").set_value("the label was wrong").run()
    button(page, "health.overrule-bank").click().run()

    assert local_workspace.deployments.get("bank").model_id == "bank:2"
    (noted,) = [each for each in local_workspace.audit.list() if "overrule" in each.action]
    assert noted.after["reason"] == "the label was wrong"
