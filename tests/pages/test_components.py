"""The parts every page is made of."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from services.errors import UnavailableError


@pytest.fixture
def run(local_workspace):
    """Run a function as a page; what it needs is passed through the session."""

    def run(script, **session):
        page = AppTest.from_function(script, default_timeout=60)
        for name, value in session.items():
            page.session_state[name] = value
        return page.run()

    return run


def _panel():
    import streamlit as st

    from dashboard.components import panel

    panel.show(
        "Latency",
        st.session_state["fetch"],
        lambda value: st.code(value, language=None),
        key="latency",
        empty="No request in this window.",
        not_configured=st.session_state["not_configured"],
    )


def _outage():
    raise UnavailableError("The telemetry server did not answer.")


def _badges(page):
    return [text.value for text in page.markdown if "badge" in text.value]


def test_data_is_drawn_and_stamped(run):
    page = run(_panel, fetch=lambda: "12 ms", not_configured="")

    assert page.code[0].value == "12 ms"
    assert "as of" in _badges(page)[0]


def test_really_empty_is_said_in_words(run):
    page = run(_panel, fetch=lambda: "", not_configured="")

    assert not page.code
    assert "No request in this window." in page.caption[0].value


def test_not_configured_asks_nobody(run):
    page = run(_panel, fetch=_outage, not_configured="Turn telemetry on first.")

    assert not page.warning
    assert "Not configured" in _badges(page)[0]
    assert "Turn telemetry on first." in page.caption[0].value


def test_an_outage_is_never_no_data(run):
    page = run(_panel, fetch=_outage, not_configured="")

    assert "Failed" in _badges(page)[0]
    assert "did not answer" in page.warning[0].value
    assert "No request in this window." not in str(page.caption)


def test_an_outage_keeps_showing_the_last_good_copy_with_its_age(run):
    run(_panel, fetch=lambda: "12 ms", not_configured="")

    page = run(_panel, fetch=_outage, not_configured="")

    assert "did not answer" in page.warning[0].value
    assert page.code[0].value == "12 ms"
    assert "Last good copy" in _badges(page)[1]


def _secret():
    import streamlit as st

    from dashboard.components import secret_field

    secret_field.show("Primary key", st.session_state["fetch"], key="primary")


def test_a_secret_is_fetched_only_while_it_is_shown(run):
    asked = []

    def fetch():
        asked.append(1)
        return "s3cret-value"

    page = run(_secret, fetch=fetch)
    assert asked == []
    assert "s3cret-value" not in str(page)

    page.toggle(key="primary.show").set_value(True).run()
    assert page.code[0].value == "s3cret-value"

    page.toggle(key="primary.show").set_value(False).run()
    assert "s3cret-value" not in str(page)
    assert "s3cret-value" not in str(page.session_state)


def _confirm():
    import streamlit as st

    from dashboard.components import confirm

    if confirm.show(
        "Delete…",
        key="delete",
        question="Delete bank?",
        consequence="Its server stops and its keys are gone.",
        verb="Delete",
        typed="bank",
    ):
        st.session_state["deleted"] = st.session_state.get("deleted", 0) + 1


def test_one_click_destroys_nothing(run):
    page = run(_confirm)

    page.button(key="delete").click().run()

    assert "deleted" not in page.session_state
    assert any("keys are gone" in text.value for text in page.markdown)


def test_the_name_has_to_be_typed_exactly(run):
    page = run(_confirm)
    page.button(key="delete").click().run()
    assert page.button(key="delete.yes").disabled

    page.text_input(key="delete.typed").input("Bank").run()
    assert page.button(key="delete.yes").disabled

    page.text_input(key="delete.typed").input("bank").run()
    assert not page.button(key="delete.yes").disabled


def test_a_confirmation_counts_once(run):
    page = run(_confirm)
    page.button(key="delete").click().run()
    page.text_input(key="delete.typed").input("bank").run()

    page.button(key="delete.yes").click().run()
    page.run()

    assert page.session_state["deleted"] == 1


def test_cancelling_leaves_everything_as_it_was(run):
    page = run(_confirm)
    page.button(key="delete").click().run()

    page.button(key="delete.no").click().run()

    assert "deleted" not in page.session_state
    assert not page.text_input


def _failing():
    import streamlit as st

    from dashboard.components import failures

    with failures.explained():
        raise st.session_state["error"]
    st.code("the rest of the page")


def test_a_failure_is_its_own_sentence_and_the_page_stops_there(run):
    page = run(_failing, error=UnavailableError("The workspace did not answer."))

    assert page.warning[0].value.startswith("The workspace did not answer.")
    assert not page.code
    assert not page.exception


def test_a_bug_is_no_sentence(run):
    page = run(_failing, error=ZeroDivisionError("a bug"))

    assert page.exception
