"""The alerts page, and what alerting adds to other pages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.alerts.records import AlertRule, ChannelKind
from services.attention import Severity
from services.errors import UnavailableError
from services.local.clock import utc_now
from services.local.store import stamp
from tests.recorded import alerts, overview, pipelines, runs


def texts(page):
    shown = (*page.markdown, *page.caption, *page.error, *page.warning, *page.info)
    return " ".join(each.value for each in shown).replace("\\", "")


@pytest.fixture
def store(local_workspace):
    overview.supervised(local_workspace.store)
    local_workspace.store.set_setting("alerts.evaluated_at", stamp(utc_now()))
    return local_workspace.store


# --- incidents --------------------------------------------------------------------


def test_a_workspace_without_incidents_says_so(open_page, store):
    page = open_page("alerts")

    assert not page.exception
    assert "No incident is open" in texts(page)
    assert "rules applied at" in texts(page)


def test_rules_that_nobody_applies_are_said_aloud(open_page, local_workspace, store):
    local_workspace.store.set_setting(
        "alerts.evaluated_at", stamp(utc_now() - timedelta(minutes=10))
    )

    assert "not being applied any more" in texts(open_page("alerts"))


def test_what_did_not_answer_is_named(open_page, store):
    store.set_setting("alerts.unanswered", '["telemetry"]')

    assert "Could not be looked at: telemetry" in texts(open_page("alerts"))


def test_open_incidents_come_worst_first_and_resolved_ones_below(open_page, local_workspace, store):
    overview.deployment(store, "bank")
    alerts.month(local_workspace)

    page = open_page("alerts")

    assert not page.exception
    titles = [each.value for each in page.main.markdown if each.value.startswith((":red[", ":or"))]
    assert "Probes of bank fail" in titles[0].replace("\\", "")
    assert "Run 1 of other failed" in titles[1].replace("\\", "")
    (resolved,) = [each.value for each in page.dataframe if "lasted" in each.value]
    assert list(resolved["what"]) == ["bank is slow"]
    assert list(resolved["lasted"]) == ["7 min"]


def test_an_incident_is_acknowledged_with_a_note(open_page, local_workspace, store):
    made = alerts.incident(local_workspace)
    page = open_page("alerts")

    page.text_input(key=f"ack-note-{made.id}").input("Rolling back").run()
    page.button(key=f"ack-yes-{made.id}").click().run()

    assert not page.exception
    assert local_workspace.alerts.incidents()[0].note == "Rolling back"
    assert "Acknowledged by" in texts(page)
    assert "Rolling back" in texts(page)


def test_names_that_are_markup_stay_text(open_page, local_workspace, store):
    alerts.incident(local_workspace, title="![x](http://127.0.0.1:9/x.png)", detail="[y](http://z)")

    page = open_page("alerts")

    assert not page.exception
    shown = " ".join(each.value for each in (*page.markdown, *page.caption))
    assert "![x](" not in shown
    assert "[y](" not in shown


def test_an_outage_is_a_sentence(open_page, local_workspace, store, monkeypatch):
    def outage(*args, **kwargs):
        raise UnavailableError("The store did not answer.")

    monkeypatch.setattr(local_workspace.alerts, "incidents", outage)

    page = open_page("alerts")

    assert not page.exception
    assert "The store did not answer" in texts(page)


# --- rules, quiet hours -----------------------------------------------------------


def test_a_threshold_is_changed(open_page, local_workspace, store):
    page = open_page("alerts", view="Rules")

    page.toggle(key="rule-component_down-on").set_value(False)
    page.button(key="rule-component_down-save").click().run()

    assert not page.exception
    changed = {each.key: each for each in local_workspace.alerts.rules()}
    assert changed["component_down"].enabled is False


def test_quiet_hours_are_kept(open_page, local_workspace, store):
    page = open_page("alerts", view="Quiet hours")

    page.toggle(key="quiet.on").set_value(True)
    page.selectbox(key="quiet.zone").set_value("Europe/Berlin")
    page.button(key="quiet.save").click().run()

    assert not page.exception
    quiet = local_workspace.alerts.quiet_hours()
    assert (quiet.enabled, quiet.time_zone, len(quiet.days)) == (True, "Europe/Berlin", 7)


# --- channels ---------------------------------------------------------------------


def test_without_a_channel_the_next_step_is_said(open_page, store):
    assert "Nobody is told yet" in texts(open_page("alerts", view="Channels"))


def test_a_webhook_is_added_and_its_address_is_never_shown(open_page, local_workspace, store):
    page = open_page("alerts", view="Channels")
    page.button(key="channels.add").click().run()
    page.text_input(key="channel.name-new").input("On call")
    page.text_input(key="channel.address-new").input("https://hooks.example/T/a-secret")
    page.button(key="channel.save").click().run()

    assert not page.exception
    (channel,) = local_workspace.alerts.channels()
    assert (channel.name, channel.kind, channel.target) == (
        "On call",
        ChannelKind.WEBHOOK,
        "hooks.example",
    )
    fresh = open_page("alerts", view="Channels")
    assert "hooks.example" in texts(fresh)
    assert "a-secret" not in texts(fresh)


def test_an_address_that_is_refused_is_explained_in_the_dialog(open_page, local_workspace, store):
    page = open_page("alerts", view="Channels")
    page.button(key="channels.add").click().run()
    page.text_input(key="channel.name-new").input("On call")
    page.text_input(key="channel.address-new").input("http://example.org/hook")
    page.button(key="channel.save").click().run()

    assert "begins with https://" in texts(page)
    assert local_workspace.alerts.channels() == ()


def test_the_test_button_asks_for_a_test_and_shows_what_became_of_it(
    open_page, local_workspace, store
):
    channel = alerts.webhook(local_workspace, "http://127.0.0.1:9/hook")
    page = open_page("alerts", view="Channels")
    page.button(key=f"test-{channel.id}").click().run()

    assert not page.exception
    assert "Sending a test" in texts(page)

    with store.transaction() as db:
        db.execute("UPDATE alert_messages SET gave_up_at = created_at, error = 'It answered 404.'")
    assert "It answered 404." in texts(open_page("alerts", view="Channels"))


# --- the overview -----------------------------------------------------------------


def needs(page):
    return [
        each.value.split("**")[1].replace("\\", "")
        for each in page.main.markdown
        if each.value.startswith((":red[", ":orange[", ":blue["))
    ]


def test_the_overview_lists_incidents_a_look_cannot_see_with_those_it_can(
    open_page, local_workspace
):
    overview.filled(local_workspace)
    runs.failed(
        local_workspace.home,
        local_workspace.store,
        experiment="other",
        started=utc_now() - timedelta(hours=1),
    )
    alerts.incident(local_workspace)  # the same cause, noticed by the watcher
    alerts.incident(
        local_workspace, "probe_failed", cause="probe/bank", title="Probes of bank fail",
        page="deployment_health", address={"deployment": "bank"},
    )  # fmt: skip

    assert needs(open_page("overview")) == ["Probes of bank fail", "Run 1 of other failed"]


def test_what_is_over_leaves_the_overview_before_the_watcher_says_so(open_page, local_workspace):
    overview.filled(local_workspace)
    alerts.incident(local_workspace)

    assert needs(open_page("overview")) == []


def test_what_was_silenced_leaves_the_overview(open_page, local_workspace):
    overview.filled(local_workspace)
    made = alerts.incident(local_workspace, "p95", cause="p95/bank", title="bank is slow",
                           page="app_insights", address={"deployment": "bank"})  # fmt: skip
    assert needs(open_page("overview")) == ["bank is slow"]

    local_workspace.alerts.silence(made.id, utc_now() + timedelta(hours=1))

    assert needs(open_page("overview")) == []


def test_a_rule_that_is_off_is_off_on_the_overview_too(open_page, local_workspace):
    overview.filled(local_workspace)
    runs.failed(
        local_workspace.home,
        local_workspace.store,
        experiment="other",
        started=utc_now() - timedelta(hours=1),
    )
    local_workspace.alerts.set_rule(
        AlertRule(key="run_failed", enabled=False, severity=Severity.WARNING, values={})
    )

    assert needs(open_page("overview")) == []


def test_a_watcher_that_stopped_looking_is_said_on_the_overview(open_page, local_workspace):
    overview.filled(local_workspace)
    store = local_workspace.store
    store.set_setting("alerts.evaluated_at", stamp(utc_now() - timedelta(minutes=5)))

    assert needs(open_page("overview")) == ["Alert rules are not being applied"]


# --- deployment health ------------------------------------------------------------


def health(open_page):
    return open_page("deployment_health", deployment="bank")


def test_a_deployment_that_is_not_probed_says_what_that_means(open_page, store):
    overview.deployment(store, "bank")

    page = health(open_page)

    assert not page.exception
    assert "cannot be told from a dead one" in texts(page)


def test_two_failures_of_ten_read_80_percent_with_their_reason(open_page, local_workspace, store):
    overview.deployment(store, "bank")
    alerts.probed(local_workspace, "bank", "ooxoooxooo")

    page = health(open_page)

    assert not page.exception
    shown = {each.label: each.value for each in page.metric}
    assert shown["Uptime"] == "80.0 %"
    assert "refused the connection" in texts(page)


def test_a_probe_is_switched_on(open_page, local_workspace, store):
    overview.deployment(store, "bank")
    page = health(open_page)
    page.session_state["probe-bank.popover"] = True
    page.run()

    page.toggle(key="probe-bank.on").set_value(True)
    page.number_input(key="probe-bank.interval").set_value(30)
    page.button(key="probe-bank.save").click().run()

    assert not page.exception
    (probe,) = local_workspace.probes.list()
    assert (probe.deployment, probe.enabled, probe.interval_s) == ("bank", True, 30)


def test_a_deployment_whose_answers_are_errors_turns_amber_although_it_is_healthy(
    open_page, local_workspace, store
):
    overview.deployment(store, "bank")
    alerts.incident(
        local_workspace, "semantic_failures", cause="semantic/bank",
        title="bank answers 200 with errors inside", detail="3 answers: no column agee",
        page="app_insights", address={"deployment": "bank"},
    )  # fmt: skip

    page = health(open_page)

    assert "bank answers 200 with errors inside" in texts(page)
    assert any(":orange[" in each.value and "errors" in each.value for each in page.markdown)
    assert "Healthy" in texts(page)


# --- metric bands -----------------------------------------------------------------


@pytest.fixture
def trained(local_workspace, store):
    return runs.automl(
        local_workspace.home,
        store,
        experiment="bank-marketing",
        started=utc_now() - timedelta(hours=3),
    )


def bands(open_page, run_id):
    return open_page("training_runs", run=run_id, **{"run-view": "Bands"})


def test_without_bands_it_is_said_what_a_band_does(open_page, trained):
    page = bands(open_page, trained)

    assert not page.exception
    assert "Nothing is expected" in texts(page)


def test_a_band_is_set_and_the_run_reads_fail(open_page, local_workspace, trained):
    page = bands(open_page, trained)
    page.selectbox(key="bands.metric").set_value("AUC_weighted").run()
    page.number_input(key="band-bank-marketing-AUC_weighted-fail_below").set_value(0.999)
    page.button(key="band-save-AUC_weighted").click().run()

    assert not page.exception
    (band,) = local_workspace.bands.list("bank-marketing")
    assert band.fail_below == 0.999
    assert "Fail]" in texts(page)
    assert page.get("plotly_chart")


def test_limits_that_contradict_each_other_are_refused_where_they_were_typed(
    open_page, local_workspace, trained
):
    page = bands(open_page, trained)
    page.selectbox(key="bands.metric").set_value("AUC_weighted").run()
    page.number_input(key="band-bank-marketing-AUC_weighted-fail_below").set_value(0.9)
    page.number_input(key="band-bank-marketing-AUC_weighted-fail_above").set_value(0.1)
    page.button(key="band-save-AUC_weighted").click().run()

    assert "contradict" in texts(page)
    assert local_workspace.bands.list() == ()


# --- retraining -------------------------------------------------------------------


def test_a_month_with_two_failures_reads_93_percent_and_the_age_of_the_last_pass(
    open_page, local_workspace, store
):
    pipelines.retraining(local_workspace.home, store, days=30, now=utc_now())
    alerts.band(local_workspace, "bank-retraining", fail_below=0.9458)

    page = open_page("pipeline_schedules", view="Retraining")

    assert not page.exception
    shown = {each.label: each for each in page.metric}
    assert shown["Success rate"].value == "93 %"
    assert shown["Success rate"].delta == "28 of 30 runs"
    assert shown["Since the last good model"].value.endswith(("day", "days", "h", "min"))
    assert len(page.get("plotly_chart")) == 2


def test_without_a_retraining_pipeline_the_next_step_is_said(open_page, store):
    page = open_page("pipeline_schedules", view="Retraining")

    assert not page.exception
    assert "No retraining pipeline is published yet" in texts(page)
