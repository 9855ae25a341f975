"""Datasets and models of a workspace that knows less about them than ours does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.domain import Dataset, Model
from services.errors import InvalidRequestError, NotFoundError, UnavailableError
from services.ports import Workspace
from tests.recorded import datasets as recorded

BARE = Dataset(
    name="bare", version=3, created_at=datetime(2024, 5, 1, tzinfo=UTC), source="blobs/bare.csv"
)
ODD = Dataset(
    name="odd",
    version=0,
    created_at=datetime(1970, 1, 1, tzinfo=UTC),
    source="",
    description="Azure ML's entry of this dataset could not be understood.",
)
FOREIGN = Model(name="foreign", version=2, created_at=datetime(2024, 5, 1, tzinfo=UTC))


@pytest.fixture
def answering(local_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``answering(port, method=value)``: an error as a value is raised."""

    def answering(port: str, **answers: object) -> None:
        target = getattr(local_workspace, port)
        for name, value in answers.items():

            def answer(*_: object, value: object = value, **__: object) -> object:
                if isinstance(value, Exception):
                    raise value
                return value

            monkeypatch.setattr(target, name, answer)

    return answering


def test_a_dataset_that_cannot_be_profiled_is_shown_with_what_is_known(open_page, answering):
    refusal = InvalidRequestError("Dataset “bare:3” cannot be read here because it is many files.")
    answering("datasets", list=(BARE,), versions=(BARE,), profile=refusal)

    page = open_page("dataset", dataset="bare")

    assert not page.exception
    assert any("it is many files" in each.value for each in page.error)
    assert any(each.value.startswith("from blobs") for each in page.caption)


def test_rows_can_be_looked_at_where_a_profile_is_refused(open_page, answering, local_workspace):
    recorded.people(local_workspace, "bank")
    head = local_workspace.datasets.head("bank", 1, 10)
    answering(
        "datasets", list=(BARE,), versions=(BARE,), head=head, profile=InvalidRequestError("Large.")
    )

    page = open_page("dataset", **{"dataset": "bare", "dataset-view": "Preview"})

    assert not page.exception
    assert not page.error
    assert any(each.value == "Rows 0 to 9, in file order." for each in page.caption)


def test_an_entry_that_was_not_understood_is_listed_and_the_others_open(
    open_page, answering, local_workspace
):
    recorded.people(local_workspace, "bank")
    known = local_workspace.datasets.list()
    answering("datasets", list=(*known, ODD))

    page = open_page("dataset")

    assert not page.exception
    assert page.selectbox(key="dataset").options == ["bank"]
    listed = page.dataframe[0].value.set_index("Dataset")
    assert "could not be understood" in listed.loc["odd", "Source"]


def test_nothing_but_entries_that_were_not_understood(open_page, answering):
    answering("datasets", list=(ODD,))

    page = open_page("dataset")

    assert not page.exception
    assert len(page.dataframe) == 1


def test_a_model_nothing_but_its_name_is_known_of(open_page, answering):
    nothing = NotFoundError("data contract for model", FOREIGN.id)
    answering("models", list=(FOREIGN,), contract=nothing)

    for view in ("Overview", "Inputs", "Notes"):
        page = open_page("models", **{"model": FOREIGN.id, "model-view": view})

        assert not page.exception
        assert not page.error


def test_a_model_that_was_not_understood_says_so(open_page, answering):
    odd = replace(FOREIGN, version=0, description="Azure ML's entry could not be understood.")
    answering("models", list=(odd, FOREIGN))

    page = open_page("models", model=odd.id)

    assert not page.exception
    assert any("could not be understood" in each.value for each in page.warning)


def test_an_outage_of_the_rows_leaves_the_choice_of_another_dataset(open_page, answering):
    answering("datasets", list=(BARE,), versions=(BARE,), profile=UnavailableError("Not now."))

    page = open_page("dataset", dataset="bare")

    assert not page.exception
    assert page.selectbox(key="dataset").value == "bare"
    assert any("Not now." in each.value for each in page.warning)
