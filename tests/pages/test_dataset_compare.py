"""Two versions of a dataset against each other, and a version against what was scored."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from services.app_insights import wire
from tests.recorded import datasets, telemetry
from tests.recorded.deployments import deployment


def people(seed, *, shift=0.0, count=600):
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": draw.integers(18, 90, count),
            "job": draw.choice(["admin.", "services", "retired"], count),
            "euribor3m": (draw.normal(3.6, 1.5, count) + shift).round(3),
        }
    )


def register(workspace, frame):
    return datasets.register(workspace, "bank", frame.to_csv(index=False))


def texts(page):
    return " ".join(each.value for each in (*page.markdown, *page.caption))


def drifts(page):
    (found,) = [each.value for each in page.dataframe if "Drift" in each.value]
    return {row["Column"]: row["Drift"][0] for _, row in found.iterrows()}


def tiles(page):
    return {each.label: each.value for each in page.metric}


def compared(open_page, **address):
    return open_page("dataset", dataset="bank", **{"dataset-view": "Compare"}, **address)


def test_a_lonely_version_says_what_could_be_compared(open_page, local_workspace):
    register(local_workspace, people(1))

    assert "nothing to compare with yet" in texts(compared(open_page))


def test_a_shifted_column_is_flagged_and_an_untouched_one_is_not(open_page, local_workspace):
    register(local_workspace, people(1))
    register(local_workspace, people(2, shift=2.0))

    page = compared(open_page)

    assert not page.exception
    assert drifts(page) == {"euribor3m": "shifted", "age": "stable", "job": "stable"}
    assert tiles(page)["Columns shifted"] == "1"
    (figure,) = [json.loads(each.proto.spec) for each in page.get("plotly_chart")]
    assert [trace["name"] for trace in figure["data"]] == ["version 1", "version 2"]
    assert sum(figure["data"][0]["y"]) == pytest.approx(1)


def test_identical_versions_report_no_difference(open_page, local_workspace):
    register(local_workspace, people(1))
    register(local_workspace, people(1))

    page = compared(open_page)

    assert set(drifts(page).values()) == {"stable"}
    assert tiles(page) == tiles(page) | {"New rows": "0", "Gone rows": "0", "Columns shifted": "0"}
    assert "are the same" in texts(page)


def test_a_renamed_column_and_a_shifted_one_are_both_reported(open_page, local_workspace):
    frame = people(1)
    register(local_workspace, frame)
    register(local_workspace, frame.rename(columns={"job": "occupation"}).assign(
        age=lambda each: each["age"] + 30))  # fmt: skip

    page = compared(open_page)

    assert "renamed" in texts(page) and "occupation" in texts(page)
    assert drifts(page)["age"] == "shifted"


def test_scored_rows_are_held_against_the_version_a_model_was_trained_on(
    open_page, local_workspace
):
    register(local_workspace, people(1).assign(y=["yes", "no"] * 300))
    served(local_workspace)
    score(local_workspace.home, people(3, shift=3.0, count=200))

    with telemetry.answering(local_workspace.home):
        page = compared(open_page, against="Scored by bank")

    assert not page.exception
    assert "200 scored rows of bank" in texts(page)
    assert drifts(page) == {"euribor3m": "shifted", "age": "stable", "job": "stable"}


def test_a_deployment_that_captured_nothing_says_so(open_page, local_workspace):
    register(local_workspace, people(1).assign(y=["yes", "no"] * 300))
    served(local_workspace)

    with telemetry.answering(local_workspace.home):
        page = compared(open_page)

    assert "No input of bank was captured" in texts(page)


def served(workspace):
    """A deployment with App Insights of a model trained on the dataset."""
    from tests.recorded import runs

    parent = runs.automl(workspace.home, workspace.store, dataset_id="bank:1", label="y")
    model = workspace.models.register(parent, "bank-marketing")
    deployment(workspace.home, workspace.store, "bank", model_id=model.id, telemetry=True)


def score(home, frame):
    """Rows a deployment answered, ten a request, as a scoring script prints them."""
    rows = json.loads(frame.to_json(orient="records"))
    at = datetime.now(UTC) - timedelta(minutes=10)
    telemetry.items(
        home,
        [
            wire.trace_envelope(
                at=at + timedelta(seconds=start),
                message=json.dumps({"input": {"data": rows[start : start + 10]}, "output": []}),
                operation_id=f"request-{start}",
                properties={"Service Name": "bank", "Request Id": f"request-{start}"},
            )
            for start in range(0, len(rows), 10)
        ],
    )
