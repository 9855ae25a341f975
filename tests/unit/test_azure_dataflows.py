"""What a dataset's definition says about its rows; the texts are the SDK's own."""

from __future__ import annotations

import json

import pytest

from services.azure import dataflows

STORE = "azureml://subscriptions/s/resourcegroups/r/workspaces/w/datastores/blobs/paths"
# What azureml-dataprep 5.5.0 writes for Dataset.Tabular.from_delimited_files((store, path), …).
WRITTEN = (
    '---\ntype: mltable\npaths:\n  - pattern: "{path}"\ntransformations:\n'
    "  - read_delimited:\n      path_column: Path\n      include_path_column: false\n"
    "      encoding: {encoding}\n      support_multi_line: false\n      delimiter: {delimiter}\n"
    "      empty_as_string: false\n      partition_size: 20971520\n      header: {header}\n"
    '      infer_column_types: false\nmetadata:\n  infer_column_types: "False"\n'
)


def written(
    path: str = f"{STORE}/x/a.csv",
    *,
    encoding: str = "utf8",
    delimiter: str = ";",
    header: str = "all_files_same_headers",
) -> str:
    return WRITTEN.format(path=path, encoding=encoding, delimiter=delimiter, header=header)


def test_a_delimited_file_on_a_datastore_can_be_read():
    flow = dataflows.read(written())

    assert (flow.datastore, flow.path, flow.delimiter) == ("blobs", "x/a.csv", ";")
    assert (flow.encoding, flow.obstacle, flow.source) == (None, "", "blobs/x/a.csv")


@pytest.mark.parametrize(
    "address", ["azureml://datastores/blobs/paths/x/a%20b.csv", f"{STORE}/x/a b.csv"]
)
def test_both_ways_to_name_a_file_of_a_datastore_are_known(address):
    flow = dataflows.read(written(address))

    assert (flow.datastore, flow.path) == ("blobs", "x/a b.csv")


def test_a_parquet_file_needs_no_delimiter():
    script = (
        f'paths:\n  - file: "{STORE}/a.parquet"\ntransformations:\n  - read_parquet:\n      x: 1'
    )

    assert dataflows.read(script) == dataflows.Dataflow(datastore="blobs", path="a.parquet")


def test_the_address_of_a_web_file_is_shown_without_its_signature():
    flow = dataflows.read(written("https://host/a.csv?sig=secret"))

    assert flow.url == "https://host/a.csv?sig=secret"
    assert flow.source == "https://host/a.csv"


@pytest.mark.parametrize(
    ("encoding", "known"), [("iso88591", "Latin-1"), ("windows1252", "Windows-1252")]
)
def test_the_encoding_is_translated(encoding, known):
    assert dataflows.read(written(encoding=encoding)).encoding == known


@pytest.mark.parametrize(
    ("script", "obstacle"),
    [
        (written(f"{STORE}/x/*.csv"), "is many files"),
        (written(header="no_header"), "has no line with the names"),
        (written(encoding="ebcdic"), "is written in ebcdic"),
        (written("abfss://c@a.dfs.core.windows.net/a.csv"), "only Azure's data engine"),
        (written().replace("read_delimited", "read_json_lines"), "is made of json lines"),
        (f'paths:\n  - file: "{STORE}/a.bin"\n', "is made of files, not rows"),
        (f'paths:\n  - folder: "{STORE}/x"\ntransformations:\n  - read_delimited: {{}}', "folder"),
        (
            f"paths:\n  - file: {STORE}/a\n  - file: {STORE}/b\ntransformations: []",
            "is made of 2 paths",
        ),
        (written() + "  - nonsense", "is not understood"),
        ("paths: 7", "is not understood"),
        ("", "is not understood"),
    ],
)
def test_of_the_rest_it_is_said_why_not(script, obstacle):
    assert obstacle in dataflows.read(script).obstacle


@pytest.mark.parametrize("definition", [None, "", "{}", '{"meta": {}}', '{"meta": 7}', "{broken"])
def test_a_definition_without_a_script_has_none(definition):
    assert dataflows.script_of(definition) is None


def test_what_is_written_here_reads_like_what_the_sdk_writes():
    definition = dataflows.delimited(f"{STORE}/x/ä b.csv", "\t", "Windows-1252")

    flow = dataflows.read(dataflows.script_of(definition) or "")

    assert json.loads(definition)["blocks"] == []
    assert (flow.path, flow.delimiter, flow.encoding) == ("x/ä b.csv", "\t", "Windows-1252")
    parquet = dataflows.read(dataflows.script_of(dataflows.parquet(f"{STORE}/a")) or "")
    assert (parquet.path, parquet.delimiter, parquet.obstacle) == ("a", None, "")
