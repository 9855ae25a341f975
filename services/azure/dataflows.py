"""What a registered dataset's definition says about where its rows are (pure).

Azure keeps a definition as a dataflow: YAML with paths and the steps that make rows of
them, inside a JSON envelope. The commonest, one delimited or Parquet file, can be read
without Azure's data engine; of the rest this module says why not.

Source: azureml-dataprep 5.5.0, ``EnginelessDataflow.to_json``; azureml-core 1.61.0,
``_dataset_rest_helper._fetch_rslex_dataflow_yaml``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

ENCODINGS = {
    "utf8": None,  # found out from the bytes, which a marker at their start may decide
    "ascii": None,
    "latin1": "Latin-1",
    "iso88591": "Latin-1",
    "windows1252": "Windows-1252",
    "utf16": "UTF-16",
}
WORDS = {"Latin-1": "iso88591", "Windows-1252": "windows1252", "UTF-16": "utf16"}
DATASTORE = re.compile(r"azureml://(?:.+/)?datastores/(?P<store>[^/]+)/paths/(?P<path>.+)", re.I)
COLUMNS_ONLY = frozenset({"convert_column_types", "drop_columns"})  # rows stay the same
HARMLESS_COLUMN = "Path"  # what a dataset drops is, as a rule, the path it was read from


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataflow:
    """One file, or the reason why it is not one."""

    datastore: str = ""  # with `path`; both are empty of a file behind a URL
    path: str = ""
    url: str = ""
    delimiter: str | None = None  # None of Parquet
    encoding: str | None = None
    obstacle: str = ""  # why it cannot be read from here, as the rest of “… because it …”

    @property
    def source(self) -> str:
        """Where the rows are, for people; what follows a question mark may be a secret."""
        if self.datastore:
            return f"{self.datastore}/{self.path}"
        return self.url.partition("?")[0]


def script_of(definition: str | None) -> str | None:
    """The YAML inside what the service calls ``dataflow``; None when it is of an older kind."""
    text = (definition or "").strip()
    if not text.startswith("{"):
        return text or None
    try:
        script = json.loads(text)["meta"]["RsDataflow"]
    except (ValueError, KeyError, TypeError):
        return None
    return script if isinstance(script, str) else None


def read(script: str) -> Dataflow:
    """What the YAML says. Never raises: whatever is not understood is an obstacle."""
    import yaml

    try:
        document = yaml.safe_load(script)
        location = _location(document["paths"])
        return _with_steps(location, document.get("transformations") or [])
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError):
        return Dataflow(obstacle="is defined in a way that is not understood here")


def delimited(
    path: str, delimiter: str, encoding: str | None, *, columns_named: bool = True
) -> str:
    """A definition of one delimited file, as the SDK would have written it.

    Args:
        path: its ``azureml://`` address.
    """
    step = {
        "path_column": "Path",
        "include_path_column": False,
        "encoding": WORDS.get(encoding or "", "utf8"),
        "support_multi_line": True,
        "delimiter": delimiter,
        "empty_as_string": False,
        "partition_size": 20_971_520,
        "header": "all_files_same_headers",
        "infer_column_types": True,
    }
    return _definition(path, {"read_delimited": step})


def parquet(path: str) -> str:
    """A definition of one Parquet file."""
    return _definition(
        path, {"read_parquet": {"path_column": "Path", "include_path_column": False}}
    )


def _definition(path: str, step: Mapping[str, Any]) -> str:
    import yaml

    document = {
        "type": "mltable",
        "paths": [{"file": path}],
        "transformations": [dict(step)],
        "metadata": {"infer_column_types": "True"},
    }
    script = "---\n" + yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    return json.dumps({"blocks": [], "meta": {"RsDataflow": script}})


def _location(paths: Any) -> Dataflow:
    if len(paths) != 1:
        return Dataflow(obstacle=f"is made of {len(paths)} paths")
    ((kind, address),) = paths[0].items()
    if kind not in ("file", "pattern"):
        return Dataflow(obstacle="is a folder of files")
    datastore = DATASTORE.fullmatch(address)
    where = (
        Dataflow(datastore=datastore["store"], path=unquote(datastore["path"]))
        if datastore
        else Dataflow(url=address)
    )
    if re.search(r"[*?\[\]]", where.path) and kind == "pattern":
        return Dataflow(datastore=where.datastore, path=where.path, obstacle="is many files")
    if not datastore and urlsplit(address).scheme not in ("http", "https"):
        return Dataflow(obstacle="is kept where only Azure's data engine can read")
    return where


def _with_steps(where: Dataflow, steps: list[Any]) -> Dataflow:
    if where.obstacle:
        return where
    names = [_name_of(step) for step in steps]
    place = {"datastore": where.datastore, "path": where.path, "url": where.url}
    if not names or names[0] not in ("read_delimited", "read_parquet"):
        word = names[0].removeprefix("read_").replace("_", " ") if names else "files, not rows"
        return Dataflow(**place, obstacle=f"is made of {word}")
    for name, step in zip(names[1:], steps[1:], strict=True):
        if name not in COLUMNS_ONLY or (name == "drop_columns" and not _drops_path(step)):
            return Dataflow(**place, obstacle=f"has the step “{name.replace('_', ' ')}”")
    if names[0] == "read_parquet":
        return Dataflow(**place)
    return _delimited(place, steps[0]["read_delimited"])


def _delimited(place: Mapping[str, str], options: Mapping[str, Any]) -> Dataflow:
    encoding = str(options.get("encoding", "utf8")).lower().replace("-", "").replace("_", "")
    if encoding not in ENCODINGS:
        return Dataflow(**place, obstacle=f"is written in {options['encoding']}")
    if options.get("header") == "no_header":
        return Dataflow(**place, obstacle="has no line with the names of its columns")
    delimiter = str(options.get("delimiter") or ",")
    return Dataflow(
        **place,
        delimiter="\t" if delimiter == "\\t" else delimiter,
        encoding=ENCODINGS[encoding],
    )


def _name_of(step: Any) -> str:
    return step if isinstance(step, str) else str(next(iter(step)))


def _drops_path(step: Mapping[str, Any]) -> bool:
    dropped = step["drop_columns"]
    return dropped in (HARMLESS_COLUMN, [HARMLESS_COLUMN])
