"""What a deployment says about itself: Azure's shape, with rows that can be tried."""

from __future__ import annotations

import dataclasses
import json

import pytest

from services import data_contract
from services.local.serving import swagger
from services.local.serving.payload import Reader
from tests.shared_data import shared_data


@pytest.fixture(scope="module")
def bank():
    """The contract of the data Azure's document was made for, and two rows of it."""
    import pandas as pd

    frame = pd.read_csv(shared_data("bankmarketing_train.csv"), nrows=3000)
    rows = json.loads(frame.drop(columns="y").head(2).to_json(orient="records"))
    return data_contract.from_frame(frame, label="y"), rows


@pytest.fixture(scope="module")
def documents(bank):
    contract, rows = bank
    return swagger.documents("bank-marketing", contract, rows=rows, result=["no", "yes"])


@pytest.fixture(scope="module")
def azures():
    return json.loads(shared_data("azure_swagger.json").read_text())


def shape(value):
    """The keys of nested objects; lists and plain values by their kind alone."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return type(value).__name__


def without(document, *path):
    """The document as JSON, without the part at `path`."""
    copied = json.loads(json.dumps(document))
    inner = copied
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return copied


def test_the_older_document_has_the_shape_of_azures(documents, azures):
    ours, theirs = documents["2"], azures

    # The answer is a string, and here it is described as one; Azure describes a list.
    difference = ("definitions", "ServiceOutput")
    assert shape(without(ours, *difference)) == shape(without(theirs, *difference))


def test_columns_have_the_types_azure_gives_them(documents, azures):
    def columns(document):
        items = document["definitions"]["ServiceInput"]["properties"]["data"]["items"]
        return items["properties"]

    assert columns(documents["2"]) == columns(azures)


def test_the_example_is_answered_as_it_stands(documents, bank):
    contract, rows = bank
    for example in (
        documents["2"]["definitions"]["ServiceInput"]["example"],
        documents["3"]["components"]["schemas"]["ServiceInput"]["example"],
    ):
        assert Reader(contract).read(json.dumps(example).encode()).rows
        assert example["data"][0]["job"] == rows[0]["job"]


def test_the_answer_is_described_as_the_string_it_is(documents):
    output = documents["3"]["components"]["schemas"]["ServiceOutput"]

    assert output["type"] == "string"
    assert json.loads(output["example"]) == {"result": ["no", "yes"]}


def test_the_newer_document_says_what_every_code_means(documents):
    codes = documents["3"]["paths"]["/score"]["post"]["responses"]

    assert set(codes) == {"200", "400", "401", "413", "415", "500", "503"}


def test_probabilities_are_offered_where_there_are_classes(documents, bank):
    properties = documents["3"]["components"]["schemas"]["ServiceInput"]["properties"]
    assert properties["method"]["enum"] == ["predict", "predict_proba"]
    assert "no, yes" in properties["method"]["description"]

    contract = dataclasses.replace(bank[0], classes=())  # as of a regression
    plain = swagger.documents("x", contract, rows=[], result=[])["3"]
    assert "method" not in plain["components"]["schemas"]["ServiceInput"]["properties"]


def test_every_reference_leads_somewhere(documents):
    for document in documents.values():
        text = json.dumps(document)
        for reference in {part.split('"')[0] for part in text.split('"$ref": "')[1:]}:
            found = document
            for key in reference.removeprefix("#/").split("/"):
                found = found[key]
            assert found
