"""Live scoring › Sweep: the curve of one column, for one deployment or two."""

from __future__ import annotations

import json

import pytest

from tests.stub_deployment import BAD, deploy, report_healthy, serving


def younger_than(limit: int):
    """Answers that say yes to the young."""

    def answer(number, document):
        labels = ["yes" if row["age"] <= limit else "no" for row in document["data"]]
        return 200, json.dumps(json.dumps({"result": labels}))

    return answer


@pytest.fixture
def two(home, local_workspace):
    """Two deployments that differ between the ages of 60 and 70 only."""
    with serving(answer=younger_than(60)) as one, serving(answer=younger_than(70)) as other:
        for name, stub in (("bank", one), ("rival", other)):
            deploy(home, local_workspace.store, stub.port, name=name)
            report_healthy(local_workspace.store, name=name)
        yield one, other


def texts(page) -> str:
    shown = [*page.caption, *page.markdown, *page.warning, *page.error, *page.success]
    return "\n".join(each.value for each in shown)


def drawn(open_page, **address):
    page = open_page("live_scoring", view="Sweep", deployment="bank", **address)
    return page.button(key="scoring_sweep.draw").click().run()


def test_one_request_of_at_most_fifty_rows_draws_the_curve(open_page, two):
    page = drawn(open_page, sweep="age")

    assert not page.exception
    assert len(page.get("plotly_chart")) == 1
    (body,) = two[0].bodies
    ages = [row["age"] for row in body["data"]]
    assert len(ages) <= 50
    assert (ages[0], ages[-1]) == (17, 98)
    assert {row["job"] for row in body["data"]} == {"admin."}
    assert two[1].bodies == []


def test_two_deployments_disagree_only_where_they_differ(open_page, two):
    page = drawn(open_page, sweep="age", sweep_with="rival")

    asked = [row["age"] for row in two[0].bodies[0]["data"]]
    apart = [age for age in asked if 60 < age <= 70]
    assert not page.exception
    found = next(each.value for each in page.warning if "disagree" in each.value)
    assert found.startswith(
        f"bank and rival disagree at {len(apart)} of {len(asked)} values: "
        + ", ".join(map(str, apart))
    )


def test_two_deployments_that_agree_say_so(open_page, two):
    page = drawn(open_page, sweep="job", sweep_with="rival")

    assert not page.exception
    assert "predict the same at every value" in texts(page)


def test_a_deployment_that_answers_with_an_error_says_which(open_page, two):
    two[1].answer = lambda number, body: (200, BAD)

    page = drawn(open_page, sweep="age", sweep_with="rival")

    assert not page.exception
    assert "“rival” did not answer" in texts(page)
    assert not page.get("plotly_chart")
