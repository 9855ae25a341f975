"""A model against another one, and slice by slice, as the operator sees it."""

from __future__ import annotations

import json

import pytest

from services.domain import EvaluationPlan
from tests.recorded import evaluations


def texts(page):
    return " ".join(each.value for each in (*page.markdown, *page.caption, *page.warning))


def charts(page):
    return [json.loads(each.proto.spec) for each in page.get("plotly_chart")]


@pytest.fixture
def models(local_workspace):
    """A champion and a degraded challenger; their ids."""
    evaluations.dataset(local_workspace, evaluations.rows(1))
    return (
        evaluations.model(local_workspace),
        evaluations.model(local_workspace, noise=0.95),
    )


def compared(open_page, model, **address):
    return open_page("models", model=model, **{"model-view": "Compare"}, **address)


def test_the_only_model_has_nobody_to_be_compared_with(open_page, local_workspace):
    evaluations.dataset(local_workspace, evaluations.rows(1))

    page = compared(open_page, evaluations.model(local_workspace))

    assert "no other model to compare with" in texts(page)


def test_asking_begins_an_evaluation_in_the_background(open_page, local_workspace, models):
    champion, challenger = models
    page = compared(open_page, challenger)

    page.button(key="models.compare").click().run()

    assert not page.exception
    (begun,) = local_workspace.evaluations.list()
    assert begun.plan == EvaluationPlan(model_id=challenger, against=champion)
    assert "Waiting for the supervisor" in texts(page)


def test_a_degraded_model_is_said_to_be_worse_with_its_interval(open_page, local_workspace, models):
    champion, challenger = models
    plan = EvaluationPlan(model_id=challenger, against=champion)
    found = evaluations.answered(local_workspace, plan)

    page = compared(open_page, challenger, champion=champion)

    assert "worse" in texts(page)
    (tile,) = [each for each in page.metric if each.label.startswith("Difference")]
    assert tile.value == f"{found.difference.value:+.4f}"
    assert f"{found.difference.low:+.4f}" in tile.delta
    assert "600 rows of bank:1 that training held out" in texts(page).replace("\\", "")


def test_it_is_said_plainly_when_it_cannot_be_computed(open_page, local_workspace, models):
    champion, challenger = models
    plan = EvaluationPlan(model_id=challenger, against=champion, dataset_id="bank:1")
    evaluations.answered(local_workspace, plan)

    page = compared(open_page, challenger, champion=champion, **{"judged-on": "bank:1"})

    assert "cannot be computed" in texts(page)
    assert page.button(key="models.compare").label == "Try again"


def test_importances_of_both_models_are_drawn_and_what_moved_is_listed(
    open_page, local_workspace, models
):
    challenger = local_workspace.models.get(models[1])
    path = local_workspace.home / "runs" / challenger.run_id / "explanation/global.json"
    document = json.loads(path.read_text())
    first, second, *rest = document["raw"]
    document["raw"] = [[second[0], first[1]], [first[0], second[1]], *rest]
    path.write_text(json.dumps(document))

    page = compared(open_page, challenger.id)

    (figure,) = charts(page)
    assert len(figure["data"]) == len(document["raw"])
    assert f"**{second[0]}** from rank 2 to 1" in texts(page)
    assert f"**{first[0]}** from rank 1 to 2" in texts(page)
    assert "1 feature kept the same rank" in texts(page)


def test_slices_are_ranked_weakest_first_and_thin_ones_are_not(open_page, local_workspace, models):
    evaluations.answered(local_workspace, EvaluationPlan(model_id=models[0]))

    page = open_page("models", model=models[0], slice="job", **{"model-view": "Slices"})

    assert not page.exception
    (found,) = [each.value for each in page.dataframe if "Slice" in each.value]
    assert found["Rows"].sum() == evaluations.ROWS / 2
    assert list(found["Rank"].dropna()) == list(range(1, len(found["Rank"].dropna()) + 1))
    assert list(found["Value"]) == sorted(found["Value"])


def test_a_workspace_on_azure_says_why_it_cannot(open_page, local_workspace, models, monkeypatch):
    monkeypatch.setattr(local_workspace, "capabilities", frozenset())

    page = compared(open_page, models[1])

    assert "stay on Azure" in texts(page)
